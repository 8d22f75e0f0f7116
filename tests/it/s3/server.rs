//! A server that speaks as S3 does (moto, from PyPI), one for all tests, in an environment
//! that the first to need it makes below `target`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::http::ask;
use crate::python::environment;
use crate::slt::say;

const REQUIREMENTS: &str = include_str!("requirements.txt");
const SERVER: &str = include_str!("server.py");

/// A running server. It ends with this process, as its standard input does.
pub(super) struct Server {
    _process: Child,
    pub(super) port: u16,
}

/// The server; none, which is said aloud, where Python cannot run it. Where `CI` or
/// `SEGQL_TEST_S3` is set, that is a failure.
pub(super) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    match SERVER.get_or_init(start) {
        Ok(server) => Some(server),
        Err(why) => {
            let needed = ["CI", "SEGQL_TEST_S3"].map(std::env::var_os);
            assert!(needed.iter().all(Option::is_none), "no object store: {why}");
            say(&format!(
                "SKIPPED: stores in buckets were not tested: {why}"
            ));
            None
        }
    }
}

fn start() -> Result<Server, String> {
    let python = environment("object-store", REQUIREMENTS)?;
    let mut process = Command::new(python)
        .args(["-c", SERVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("its server does not start: {error}"))?;
    let mut line = String::new();
    let out = process.stdout.take().expect("a pipe");
    let _ = BufReader::new(out).read_line(&mut line);
    let port = line.trim().parse();
    Ok(Server {
        port: port.map_err(|_| "its server ends at once".to_owned())?,
        _process: process,
    })
}

impl Server {
    /// Makes a bucket.
    pub(super) fn bucket(&self, name: &str) {
        ask(self.port, "PUT", &format!("/{name}"));
    }

    /// The keys of a bucket, as the server lists them.
    pub(super) fn keys(&self, bucket: &str) -> Vec<String> {
        let listed = ask(self.port, "GET", &format!("/{bucket}?list-type=2"));
        let listed = String::from_utf8(listed).expect("text");
        let parts = listed.split("<Key>").skip(1);
        let keys = parts.map(|part| part.split("</Key>").next().unwrap_or_default());
        keys.map(str::to_owned).collect()
    }

    /// What is kept under a key.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Vec<u8> {
        let key = key.replace('%', "%25");
        ask(self.port, "GET", &format!("/{bucket}/{key}"))
    }
}
