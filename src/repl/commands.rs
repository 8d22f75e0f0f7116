//! Commands that begin with a dot.

use std::path::Path;
use std::sync::Arc;

use super::Shell;
use crate::error::{Error, Result, Script, suggest};
use crate::output::{AtomicFile, Emitter, Format};

/// What the shell does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    Continue,
    Leave,
}

/// Name, argument, meaning; the order is that of `.help`.
const COMMANDS: [(&str, &str, &str); 10] = [
    (".help", "", "this list"),
    (".tables", "", "everything that can be selected from"),
    (".schema", "[NAME]", "the text of definitions"),
    (".segments", "", "segments and segmentations"),
    (
        ".mode",
        "[FORMAT]",
        "format of results: table, csv, json, …",
    ),
    (
        ".output",
        "[FILE]",
        "results go to a file; without one, back to the terminal",
    ),
    (".timer", "on|off", "say how long statements take"),
    (".read", "FILE", "run a file of SQL"),
    (
        ".save",
        "FILE",
        "write this session's definitions to a file",
    ),
    (".quit", "", "leave, as Ctrl-D does"),
];

/// Names of all commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _, _)| *name)
}

impl Shell {
    pub(super) fn dot_command(&mut self, line: &str) -> After {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim().trim_end_matches(';').trim_matches('\'');
        let result = match name.trim_end_matches(';') {
            ".quit" | ".exit" => return After::Leave,
            ".help" => {
                self.help();
                Ok(())
            }
            ".tables" => self.sql("SHOW TABLES"),
            ".segments" => self.sql("SHOW SEGMENTS"),
            ".schema" => self.schema(argument),
            ".mode" => self.mode(argument),
            ".output" => self.output(argument),
            ".timer" => self.timer(argument),
            ".read" => self.read(argument),
            ".save" => self.save(argument),
            unknown => Err(Error::usage(format!("there is no command {unknown}"))
                .hint_if(suggest(unknown, names()))
                .hint(".help lists them")),
        };
        if let Err(error) = result {
            self.printer.report(&error);
        }
        After::Continue
    }

    fn help(&self) {
        let mut text =
            String::from("SQL statements end with a semicolon and may take several lines.\n");
        for (name, argument, meaning) in COMMANDS {
            let left = format!("{name} {argument}");
            text.push_str(&format!("  {left:<18} {meaning}\n"));
        }
        self.printer.note(text.trim_end());
    }

    fn sql(&mut self, text: &str) -> Result<()> {
        self.script(Arc::new(Script::new("input", text)));
        Ok(())
    }

    fn schema(&mut self, name: &str) -> Result<()> {
        let texts: Vec<String> = match name {
            "" => self
                .engine
                .catalog()
                .all()
                .map(|it| format!("{};", it.text))
                .collect(),
            name => match self.engine.catalog().find(name) {
                Some(found) => vec![format!("{};", found.text)],
                None => {
                    let known = self.engine.catalog().all().map(|it| it.name.as_str());
                    return Err(Error::new(format!("'{name}' is not defined"))
                        .hint_if(suggest(name, known)));
                }
            },
        };
        let mut emitter = Emitter::new(self.printer, None, None)?;
        emitter.text(&texts.join("\n\n"))
    }

    fn mode(&mut self, name: &str) -> Result<()> {
        if name.is_empty() {
            let now = self.format.unwrap_or(Format::Table);
            let all: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
            self.printer
                .note(&format!("{now}; there are {}", all.join(", ")));
            return Ok(());
        }
        let format: Format = name
            .parse()
            .map_err(|error| Error::usage(format!("{error}")))?;
        if format.is_binary() {
            return Err(Error::usage(format!("{format} is not for a terminal"))
                .hint(".output FILE writes it to a file"));
        }
        self.format = Some(format);
        Ok(())
    }

    fn output(&mut self, path: &str) -> Result<()> {
        if let Some(emitter) = self.output.take() {
            emitter.finish()?;
        }
        if !path.is_empty() {
            let format = Format::from_path(Path::new(path)).or(self.format);
            self.output = Some(Emitter::new(self.printer, format, Some(path.into()))?.many());
            self.printer
                .note(&format!("results go to '{path}'; .output ends that"));
        }
        Ok(())
    }

    fn timer(&mut self, argument: &str) -> Result<()> {
        self.timer = match argument {
            "on" => true,
            "off" => false,
            _ => return Err(Error::usage(".timer is on or off")),
        };
        Ok(())
    }

    fn read(&mut self, path: &str) -> Result<()> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::new(format!("cannot read '{path}': {error}")))?;
        self.script(Arc::new(Script::new(path, text)));
        Ok(())
    }

    /// Writes what was defined here, in an order that can be read back.
    fn save(&mut self, path: &str) -> Result<()> {
        use std::io::Write;
        if path.is_empty() {
            return Err(Error::usage(".save needs a file"));
        }
        let mine: Vec<_> = self
            .engine
            .catalog()
            .all()
            .filter(|it| !it.in_project)
            .collect();
        let mut file = AtomicFile::create(path)?;
        for definition in &mine {
            if let Some(description) = &definition.description
                && definition.create.options.text("description").is_none()
            {
                writeln!(file, "-- {}", description.replace('\n', " "))?;
            }
            writeln!(file, "{};\n", definition.text)?;
        }
        let (count, texts) = (mine.len(), mine.iter().map(|it| it.text.clone()).collect());
        file.commit()?;
        self.saved = texts;
        self.printer
            .note(&format!("{count} definitions in '{path}'"));
        Ok(())
    }
}
