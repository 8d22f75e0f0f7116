//! The README's tour, command by command, and its claims that can be held
//! against the files.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{Ran, segql};

pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) expected: Vec<String>,
}

/// Commands and their output in the ```console blocks; a line `…` means that
/// the output is not shown.
pub(crate) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines() {
            let open = |step: &Step| step.command.matches('"').count() % 2 == 1;
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    command: command.to_owned(),
                    expected: vec![],
                }),
                (None, Some(step)) if open(step) => {
                    step.command.push('\n');
                    step.command.push_str(line);
                }
                (None, Some(step)) => step.expected.push(line.to_owned()),
                (None, None) => {}
            }
        }
    }
    steps
}

#[test]
fn the_tour_does_what_it_says() {
    let text = std::fs::read_to_string("README.md").expect("readable");
    let home = tempfile::tempdir().expect("a folder");
    let mut here: PathBuf = home.path().to_owned();
    let mut shown = 0;
    for step in steps(&text) {
        if let Some(folder) = step.command.strip_prefix("cd ") {
            here.push(folder);
            continue;
        }
        let arguments = step
            .command
            .strip_prefix("segql ")
            .expect("a command of segql");
        // A shell splits the words, as it does for the reader.
        let program = segql(&here).get_program().to_owned();
        let line = format!("\"{}\" {arguments}", program.to_string_lossy());
        let ran: Ran = Command::new("sh")
            .current_dir(&here)
            .args(["-c", &line])
            .output()
            .expect("starts")
            .into();
        assert_eq!(ran.code, 0, "{}\n{}", step.command, ran.err);
        if step.expected.iter().any(|line| line == "…") {
            continue;
        }
        let found: Vec<&str> = ran.out.lines().collect();
        assert_eq!(found, step.expected, "{}", step.command);
        shown += usize::from(!step.expected.is_empty());
    }
    assert!(shown >= 3, "only {shown} outputs are shown and compared");
}

#[test]
fn set_up_is_two_commands() {
    let text = std::fs::read_to_string("README.md").expect("readable");
    let set_up = text.split("## Five minutes").next().expect("a first part");
    let blocks: Vec<&str> = set_up.split("```sh\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    let ci = std::fs::read_to_string(".ci/run").expect("readable");
    let tests = blocks[1].lines().next().expect("a command");
    assert!(ci.contains(tests), "CI runs the README's command: {tests}");
}
