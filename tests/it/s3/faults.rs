//! What is wrong with a bucket, its server or who asks is said, with what to do; nothing
//! waits for long, and no secret is shown.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::client::{Client, MARCH, SECRET, ran};
use super::proxy::{Fate, PASS, proxy};
use super::server::server;
use crate::small_project::nodes;

const RUN: [&str; 6] = ["run", "--format", "json", "--as-of", MARCH, "regular"];

fn assert_said(err: &str, parts: &[&str]) {
    for part in parts {
        assert!(err.contains(part), "'{part}' in {err}");
    }
}

#[test]
fn writing_may_be_denied() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "denied");
    let port = proxy(server.port, |request| match request.method() {
        "PUT" | "POST" => Fate::Refuse(403, "AccessDenied"),
        _ => PASS,
    });
    let denied = client.run_at(port, &RUN);
    assert_eq!(denied.code, 1);
    let parts = [
        "regular: ",
        "store 's3://denied/seg': writing 'http://127.0.0.1",
        "is not allowed (AccessDenied)",
        "s3:PutObject",
    ];
    assert_said(&denied.err, &parts);
    assert_eq!(client.objects().len(), 0);
    // Later, and of what is kept already, only the record.
    assert_eq!(client.run(&RUN).code, 0);
    let records = proxy(server.port, |request| {
        let is_record = request.target().contains("/_segql/snapshots/");
        match request.method() == "PUT" && is_record {
            true => Fate::Refuse(403, "AccessDenied"),
            false => PASS,
        }
    });
    let restate = ["--restate", "--var", "many=3"];
    let denied = client.run_at(records, &[&RUN[..], &restate].concat());
    assert_eq!(denied.code, 1);
    assert_eq!(client.regular(), "10 12 ");
    assert!(client.own("staged").is_empty());
}

#[test]
fn reading_members_may_be_denied() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "unreadable");
    assert_eq!(client.run(&RUN).code, 0);
    let port = proxy(server.port, |request| {
        match request.target().ends_with(".parquet") {
            true => Fate::Refuse(403, "AccessDenied"),
            false => PASS,
        }
    });
    let query = "SELECT * FROM members('regular', DATE '2025-03-31')";
    let denied = client.run_at(port, &["-c", query]);
    assert_eq!(denied.code, 1);
    assert_said(
        &denied.err,
        &["reading 'http://", "is not allowed", "s3:GetObject"],
    );
    // It may also be found, and then not be read.
    let asked = AtomicUsize::new(0);
    let later = proxy(server.port, move |request| {
        let is_members = request.target().ends_with(".parquet");
        match is_members && asked.fetch_add(1, Ordering::SeqCst) > 0 {
            true => Fate::Refuse(403, "AccessDenied"),
            false => PASS,
        }
    });
    let denied = client.run_at(later, &["-c", query]);
    assert_eq!(denied.code, 1);
    assert_said(
        &denied.err,
        &["reading 'http://", "is not allowed", "s3:GetObject"],
    );
    // What cannot be looked at is not taken for damaged, and not replaced.
    let denied = client.run_at(port, &[&RUN[..], &["--var", "many=3"]].concat());
    assert_eq!(denied.code, 1);
    assert_eq!(client.regular(), "10 12 ");
}

#[test]
fn a_bucket_may_not_exist() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "exists");
    for arguments in [&RUN[..], &["-c", "SELECT * FROM segql.snapshots"]] {
        let mut command = client.command(server.port, arguments);
        let ran = ran(command.env("SEGQL_STORE", "s3://no-such-bucket/seg"));
        assert_eq!(ran.code, 1, "{}", ran.err);
        let parts = [
            "s3://no-such-bucket/seg",
            "there is no such bucket",
            "AWS_REGION",
        ];
        assert_said(&ran.err, &parts);
    }
}

#[test]
fn credentials_may_be_missing_or_wrong() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "credentials");
    let mut command = client.command(server.port, &RUN);
    // Nobody listens where a machine of Amazon's would ask for its role.
    command.env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1");
    command.env_remove("AWS_ACCESS_KEY_ID");
    let missing = ran(command.env_remove("AWS_SECRET_ACCESS_KEY"));
    assert_eq!(missing.code, 1);
    assert_said(
        &missing.err,
        &["there are no credentials", "AWS_ACCESS_KEY_ID"],
    );
    let port = proxy(server.port, |_| Fate::Refuse(403, "SignatureDoesNotMatch"));
    let wrong = client.run_at(port, &RUN);
    assert_eq!(wrong.code, 1);
    let parts = ["the credentials are not accepted", "SignatureDoesNotMatch"];
    assert_said(&wrong.err, &parts);
}

#[test]
fn addresses_are_checked_before_anything_is_done() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "addresses");
    for (store, said) in [
        (
            format!("s3://key:{SECRET}@addresses/x"),
            "read from the environment",
        ),
        (
            format!("https://{SECRET}@host/x"),
            "a store is a folder, or s3://bucket/prefix",
        ),
        ("s3:///x".to_owned(), "names no bucket"),
        ("s3://addresses//x".to_owned(), "is no prefix"),
    ] {
        let ran = client.run(&[&RUN[..], &["--store", &store]].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert_said(&ran.err, &[said]);
    }
    let mut command = client.command(server.port, &RUN);
    let plain = ran(command.env_remove("AWS_ALLOW_HTTP"));
    assert_eq!(plain.code, 2, "{}", plain.err);
    assert_said(&plain.err, &["AWS_ALLOW_HTTP=true"]);
}

#[test]
fn a_server_may_be_slow() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "slow");
    let slow = proxy(server.port, |_| Fate::Pass(Duration::from_millis(200)));
    let ran = client.run_at(slow, &RUN);
    assert_eq!(nodes(&ran), ["regular: success 2"], "{}", ran.err);
    assert_eq!(client.regular(), "10 12 ");
}

#[test]
fn a_server_may_be_busy_for_a_while() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "busy");
    let asked = AtomicUsize::new(0);
    let busy = proxy(server.port, move |_| {
        match asked.fetch_add(1, Ordering::SeqCst) % 3 {
            0 => Fate::Refuse(503, "SlowDown"),
            _ => PASS,
        }
    });
    let ran = client.run_at(busy, &RUN);
    assert_eq!(nodes(&ran), ["regular: success 2"], "{}", ran.err);
    let broken = proxy(server.port, |_| Fate::Refuse(500, "InternalError"));
    let ran = client.run_at(broken, &RUN);
    assert_eq!(ran.code, 1);
    assert_said(&ran.err, &["the server is in trouble (InternalError)"]);
}

#[test]
fn nobody_waits_for_a_silent_server() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "silent");
    let silent = proxy(server.port, |_| Fate::Silence);
    let clock = Instant::now();
    let out_of_time = client.run_at(silent, &[&RUN[..], &["--timeout", "1s"]].concat());
    assert_eq!(out_of_time.code, 124, "{}", out_of_time.err);
    assert!(clock.elapsed() < Duration::from_secs(10));
    let clock = Instant::now();
    let mut command = client.command(silent, &RUN);
    let given_up = ran(command.env("AWS_TIMEOUT", "500ms"));
    assert_eq!(given_up.code, 1);
    let url = format!("'http://127.0.0.1:{silent}/silent'");
    assert_said(&given_up.err, &[&url, "no answer in time", "AWS_TIMEOUT"]);
    assert!(clock.elapsed() < Duration::from_secs(30));
    // Nobody listens at all.
    let unreachable = client.run_at(1, &RUN);
    assert_eq!(unreachable.code, 1);
    assert_said(
        &unreachable.err,
        &["the server cannot be reached", "AWS_ENDPOINT_URL"],
    );
}
