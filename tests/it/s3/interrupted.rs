//! `kill -9` at every step of a run that replaces a snapshot: what its record names can be
//! read, nothing is seen by halves, and the next run ends well.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::client::{Client, MARCH};
use super::http::{Message, forward};
use super::proxy::{Fate, PASS, proxy};
use super::server::server;
use crate::small_project::{nodes, write};

/// How long a run may take to come to the step at which it is killed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs until a request that fits is sent, and kills it then; before or after the server
/// has done what it asks for.
fn killed_at(client: &Client, arguments: &[&str], fits: fn(&Message) -> bool, is_done: bool) {
    let (told, hears) = channel();
    let told = Mutex::new(told);
    let port = client.server.port;
    let between = proxy(port, move |request| {
        if !fits(request) {
            return PASS;
        }
        if is_done {
            forward(port, request);
        }
        let _ = told.lock().expect("not poisoned").send(());
        Fate::Silence
    });
    let mut command = client.command(between, arguments);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("starts");
    let came = hears.recv_timeout(PATIENCE);
    child.kill().expect("can be killed");
    child.wait().expect("ends");
    came.expect("comes to the step");
}

fn puts(request: &Message, part: &str) -> bool {
    request.method() == "PUT" && request.target().contains(part)
}

/// A step by name, and the request that takes it.
type Step = (&'static str, fn(&Message) -> bool);

const STEPS: [Step; 5] = [
    ("staged", |it| puts(it, "/_segql/staged/")),
    ("version", |it| {
        puts(it, "/_segql/versions/") && it.target().ends_with(".parquet")
    }),
    ("old record", |it| {
        puts(it, "/_segql/versions/") && it.target().ends_with(".json")
    }),
    ("for everyone", |it| puts(it, "/members.parquet")),
    ("record", |it| puts(it, "/_segql/snapshots/")),
];

#[test]
fn a_run_killed_at_any_step_leaves_a_sound_bucket() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "killed");
    let run = |many: &str| {
        let many = format!("many={many}");
        let ran = client.materialise(MARCH, &["regular", "--restate", "--var", &many]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let (record, file) = client.ids();
        assert_eq!(record, file, "the file for everyone is the one that counts");
    };
    for (step, fits) in STEPS {
        for is_done in [false, true] {
            // 10 and 12 bought twice or more, only 12 three times.
            run("2");
            let arguments = [
                "run",
                "--as-of",
                MARCH,
                "regular",
                "--restate",
                "--var",
                "many=3",
            ];
            killed_at(&client, &arguments, fits, is_done);
            let counts = if step == "record" && is_done {
                "12 "
            } else {
                "10 12 "
            };
            assert_eq!(
                client.regular(),
                counts,
                "killed at {step}, done: {is_done}"
            );
            run("3");
            assert_eq!(client.regular(), "12 ", "after {step}, done: {is_done}");
        }
    }
}

/// Members that are not sent in one piece.
const LARGE: &str = "CREATE SEGMENT large WITH (key = 'id') AS \
                     SELECT encode(sha512(value::text), 'hex') AS id \
                     FROM generate_series(1, 250000);";

#[test]
fn an_upload_that_is_cut_off_leaves_nothing() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "cut-off");
    write(client.path(), "sql/large.sql", LARGE);
    let arguments = ["run", "--as-of", MARCH, "large"];
    killed_at(&client, &arguments, |it| puts(it, "partNumber=2"), false);
    assert_eq!(client.objects().len(), 0);
    let sizes = "SELECT count(*) FROM segql.snapshots";
    assert_eq!(client.rows(sizes), "0\n");
    let ran = client.materialise(MARCH, &["large"]);
    assert_eq!(nodes(&ran), ["large: success 250000"], "{}", ran.err);
    let query = "SELECT count(DISTINCT id) FROM members('large', DATE '2025-03-31')";
    assert_eq!(client.rows(query), "250000\n");
}
