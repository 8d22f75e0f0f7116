//! Two runs at once: nothing can be locked in a bucket, and still neither is lost in
//! silence.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::client::{Client, MARCH, SECRET, ran};
use super::proxy::{Fate, PASS, proxy};
use super::server::server;
use crate::command::Ran;
use crate::small_project::nodes;

const PATIENCE: Duration = Duration::from_secs(60);

/// A run that is held up right before its record is put, while another one runs.
fn overtaken(client: &Client, slow: &[&str], quick: &[&str]) -> Ran {
    let (told, hears) = channel();
    let (releases, released) = channel::<()>();
    let ends = Mutex::new((told, released));
    let is_first = AtomicBool::new(true);
    let port = proxy(client.server.port, move |request| {
        let is_record = request.target().contains("/_segql/snapshots/");
        if request.method() == "PUT" && is_record && is_first.swap(false, Ordering::SeqCst) {
            let ends = ends.lock().expect("not poisoned");
            let _ = ends.0.send(());
            let _ = ends.1.recv_timeout(PATIENCE);
        }
        PASS
    });
    let run = ["run", "--format", "json", "--as-of", MARCH, "regular"];
    let mut command = client.command(port, &[&run, slow].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("starts");
    hears.recv_timeout(PATIENCE).expect("comes to its record");
    let ran = client.materialise(MARCH, &[&["regular"], quick].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    releases.send(()).expect("waits");
    let ran: Ran = child.wait_with_output().expect("ends").into();
    assert!(!ran.err.contains(SECRET));
    let (record, file) = client.ids();
    assert_eq!(record, file, "the file for everyone is the one that counts");
    assert!(client.own("staged").is_empty());
    ran
}

#[test]
fn who_comes_second_does_not_replace_a_finished_day() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "second");
    // Both see that there is no snapshot yet, and have different members.
    let ran = overtaken(&client, &[], &["--var", "many=3"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err
            .contains("is finished and would change: 1 enter, 0 leave, 1 → 2 members"),
        "{}",
        ran.err
    );
    assert_eq!(client.regular(), "12 ");
}

#[test]
fn who_comes_second_with_the_same_members_is_content() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "content");
    let ran = overtaken(&client, &[], &[]);
    assert_eq!(nodes(&ran), ["regular: unchanged 2"], "{}", ran.err);
    assert_eq!(client.regular(), "10 12 ");
}

#[test]
fn who_restates_second_keeps_what_came_between() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "between");
    assert_eq!(
        client
            .materialise(MARCH, &["regular", "--var", "many=1"])
            .code,
        0
    );
    let restate = ["--restate", "--var", "many=3"];
    let ran = overtaken(&client, &["--restate"], &restate);
    assert_eq!(nodes(&ran), ["regular: success 2"], "{}", ran.err);
    assert_eq!(client.regular(), "10 12 ");
    // Three files, two of them restated, with their records.
    assert_eq!(client.own("versions").len(), 5);
}

#[test]
fn a_lost_answer_is_no_other_run() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "lost");
    let is_first = AtomicBool::new(true);
    let port = proxy(server.port, move |request| {
        let is_record = request.target().contains("/_segql/snapshots/");
        match request.method() == "PUT" && is_record && is_first.swap(false, Ordering::SeqCst) {
            true => Fate::LoseAnswer,
            false => PASS,
        }
    });
    let run = ["run", "--format", "json", "--as-of", MARCH, "regular"];
    let ran = client.run_at(port, &run);
    assert_eq!(nodes(&ran), ["regular: success 2"], "{}", ran.err);
    assert_eq!(client.regular(), "10 12 ");
}

#[test]
fn without_conditions_runs_say_that_nothing_keeps_them_apart() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "conditions");
    for conditions in ["disabled", "etag"] {
        let run = ["run", "--as-of", MARCH, "regular", "--restate"];
        let more = [
            "--var",
            if conditions == "etag" {
                "many=3"
            } else {
                "many=2"
            },
        ];
        let mut command = client.command(server.port, &[&run[..], &more].concat());
        let ran = ran(command.env("AWS_CONDITIONAL_PUT", conditions));
        assert_eq!(ran.code, 0, "{}", ran.err);
        let is_said = ran.err.contains("nothing keeps two runs at once apart");
        assert_eq!(is_said, conditions == "disabled", "{}", ran.err);
        let (record, file) = client.ids();
        assert_eq!(record, file);
    }
    assert_eq!(client.regular(), "12 ");
}
