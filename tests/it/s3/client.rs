//! segql with its store in a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use datafusion::parquet::file::reader::FileReader;
use datafusion::parquet::file::serialized_reader::SerializedFileReader;
use serde_json::Value;
use tempfile::TempDir;

use super::server::Server;
use crate::command::{Ran, segql};
use crate::small_project::project;

pub(super) const SECRET: &str = "never-to-be-shown";
pub(super) const MARCH: &str = "2025-03-31";

/// The small project, whose store is the folder `seg` of a bucket of its own.
pub(super) struct Client {
    here: TempDir,
    pub(super) server: &'static Server,
    pub(super) bucket: &'static str,
}

impl Client {
    pub(super) fn new(server: &'static Server, bucket: &'static str) -> Self {
        server.bucket(bucket);
        Self {
            here: project(),
            server,
            bucket,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.here.path()
    }

    /// The command, which asks at a port.
    pub(super) fn command(&self, port: u16, arguments: &[&str]) -> Command {
        let mut command = segql(self.path());
        for (name, _) in std::env::vars() {
            if name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        command
            .env("AWS_ACCESS_KEY_ID", "somebody")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("AWS_ALLOW_HTTP", "true")
            .env("SEGQL_STORE", format!("s3://{}/seg", self.bucket))
            .args(arguments);
        command
    }

    /// Runs the command, asking at a port; what it says holds no secret.
    pub(super) fn run_at(&self, port: u16, arguments: &[&str]) -> Ran {
        ran(&mut self.command(port, arguments))
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_at(self.server.port, arguments)
    }

    /// `segql run` with its record as JSON.
    pub(super) fn materialise(&self, date: &str, more: &[&str]) -> Ran {
        let all = [&["run", "--format", "json", "--as-of", date], more].concat();
        self.run(&all)
    }

    /// The rows of a query as CSV, without the header.
    pub(super) fn rows(&self, query: &str) -> String {
        let ran = self.run(&["--format", "csv", "-c", query]);
        assert_eq!(ran.code, 0, "{query}: {}", ran.err);
        let (_, rows) = ran.out.split_once('\n').expect("a header");
        rows.to_owned()
    }

    /// Who is in `regular` as of the end of March.
    pub(super) fn regular(&self) -> String {
        let query = "SELECT customer_id FROM members('regular', DATE '2025-03-31') ORDER BY 1";
        self.rows(query).replace('\n', " ")
    }

    /// All that the store holds, by name.
    pub(super) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let keys = self.server.keys(self.bucket);
        let objects = keys.iter().map(|key| {
            let name = key.strip_prefix("seg/").expect("below the prefix");
            (name.to_owned(), self.server.object(self.bucket, key))
        });
        objects.collect()
    }

    /// The names of what the store holds in a folder of its own.
    pub(super) fn own(&self, folder: &str) -> BTreeSet<String> {
        let prefix = format!("_segql/{folder}/");
        let keys = self.objects().into_keys();
        let own = keys.filter_map(|key| key.strip_prefix(&prefix).map(str::to_owned));
        own.collect()
    }

    /// The ids that the record of `regular` names, and that the file for everyone has.
    pub(super) fn ids(&self) -> (String, String) {
        let objects = self.objects();
        let record = &objects[&format!("_segql/snapshots/regular/{MARCH}.json")];
        let record: Value = serde_json::from_slice(record).expect("a record");
        let file = &objects[&format!("regular/as_of={MARCH}/members.parquet")];
        let id = record["id"].as_str().expect("an id");
        (id.to_owned(), id_of(file))
    }
}

pub(super) fn ran(command: &mut Command) -> Ran {
    let ran: Ran = command.output().expect("starts").into();
    let said = format!("{}{}", ran.out, ran.err);
    assert!(!said.contains(SECRET), "{said}");
    ran
}

/// The id in a file's footer.
fn id_of(file: &[u8]) -> String {
    let reader = SerializedFileReader::new(Bytes::from(file.to_vec())).expect("Parquet");
    let entries = reader.metadata().file_metadata().key_value_metadata();
    let entries = entries.expect("entries").iter();
    let mut ids = entries.filter(|entry| entry.key == "segql.id");
    ids.next().and_then(|it| it.value.clone()).expect("an id")
}
