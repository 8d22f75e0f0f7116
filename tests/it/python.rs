//! Environments of Python with packages of PyPI, made below `target` by the first test that
//! needs one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::slt::say;

/// The Python of an environment with what is required, or why there is none.
pub(crate) fn environment(name: &str, requirements: &str) -> Result<PathBuf, String> {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(tmp).map_err(|error| error.to_string())?;
    let folder = tmp.join(name);
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    // Another test run may be making it.
    let lock = File::create(tmp.join(format!("{name}.lock"))).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if std::fs::read_to_string(&complete).is_ok_and(|text| text == requirements) {
        return Ok(python);
    }
    say(&format!("installing packages of PyPI for tests ({name})"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    call(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let list = folder.join("requirements.txt");
    std::fs::write(&list, requirements).map_err(|error| error.to_string())?;
    let install = ["-m", "pip", "install", "-q", "-r"];
    call(Command::new(&python).args(install).arg(&list))?;
    std::fs::write(&complete, requirements).map_err(|error| error.to_string())?;
    Ok(python)
}

fn call(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    match command.stdin(Stdio::null()).output() {
        Err(error) => Err(format!("{shown}: {error}")),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{shown} failed: {}", said.trim()))
        }
    }
}
