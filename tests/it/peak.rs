//! The most memory that a process held, as Linux tells it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::command::{Ran, segql};

/// What came of a command, and the most bytes it was seen to hold.
pub(crate) fn measured(folder: &Path, arguments: &[&str]) -> (Ran, usize) {
    let child = segql(folder)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let status = format!("/proc/{}/status", child.id());
    // Read meanwhile, or a full pipe would stop it.
    let waiting = std::thread::spawn(move || child.wait_with_output().expect("ends"));
    let mut held = 0;
    while !waiting.is_finished() {
        // The kernel keeps the highest value, so that only the very end is missed.
        held = held.max(std::fs::read_to_string(&status).map_or(0, |text| peak(&text)));
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(held > 0, "nothing was measured");
    (waiting.join().expect("waits").into(), held)
}

/// The line `VmHWM:   123456 kB`, in bytes.
fn peak(status: &str) -> usize {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    number.unwrap_or(0) << 10
}
