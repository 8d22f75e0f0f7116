//! What was typed, as it was typed.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

/// SQL-first customer segmentation.
///
/// Without a command: a shell; with -c or -f, or when standard input is no
/// terminal, a script. Each FILE becomes a table named after its stem.
#[derive(Debug, Parser)]
#[command(name = "segql", version, subcommand_precedence_over_arg = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Data files; each becomes a table named after its stem
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,

    /// Run this SQL and leave; repeatable, in order with -f
    #[arg(short = 'c', value_name = "SQL", allow_hyphen_values = true)]
    pub(super) sql: Vec<String>,

    /// Run this file of SQL and leave; repeatable, in order with -c
    #[arg(short = 'f', value_name = "FILE")]
    pub(super) scripts: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) common: Common,

    /// The -c and -f in the order typed; filled in after parsing.
    #[arg(skip)]
    pub(super) steps: Vec<Step>,
}

/// One `-c` or `-f`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `-c SQL`.
    Sql(String),
    /// `-f FILE`.
    File(PathBuf),
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Materialise segments and segmentations into the store
    Run(Run),
    /// Write the snapshots of past dates, exactly as they would have been
    Replay(Replay),
    /// Run the checks and the key rules
    Check(Check),
    /// Who entered, left or moved: between dates, or with an edited definition
    Diff(Diff),
    /// List the states of aggregates that runs resume
    Cache(Cache),
    /// Look after what the store holds
    Store(super::store::Arguments),
    /// Erase a person from everything the store holds
    Forget(super::forget::Arguments),
    /// Write a working project with demo data
    Init(Init),
    /// Reference of functions, relations, statements and the library
    Functions(Functions),
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Names, tag:…, kind:…, library.*, changed, failed, *; +x with what x builds on, x+ with what
    /// builds on it; all when none is given
    pub(super) selectors: Vec<String>,

    /// Leave these out; a selector as above, repeatable
    #[arg(long, value_name = "SELECTOR")]
    pub(super) exclude: Vec<String>,

    /// Only say what would be done, and what it would read and write
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Replace the snapshot of a finished day; the old version is kept
    #[arg(long)]
    pub(super) restate: bool,

    /// Write a snapshot past min_size, max_size and max_change
    #[arg(long)]
    pub(super) force: bool,

    /// Compute this frozen view anew, and what builds on it; repeatable
    #[arg(long, value_name = "VIEW")]
    pub(super) refreeze: Vec<String>,

    /// A selector that matches nothing is no error
    #[arg(long)]
    pub(super) allow_empty: bool,

    /// Read all files again: neither use nor keep states of aggregates
    #[arg(long, env = "SEGQL_NO_CACHE",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub(super) no_cache: bool,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Which segments, as for run; all when none is given
    pub(super) selectors: Vec<String>,

    /// The first date
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub(super) from: String,

    /// The last date
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub(super) to: String,

    /// month, week or day; from the end of a month on, the ends of months
    #[arg(long, value_name = "STEP", default_value = "month")]
    pub(super) every: String,

    /// Leave these out; a selector as above, repeatable
    #[arg(long, value_name = "SELECTOR")]
    pub(super) exclude: Vec<String>,

    /// Only say what would be done, and what it would read and write
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Replace snapshots of finished days that came out otherwise; the old versions
    /// are kept
    #[arg(long)]
    pub(super) restate: bool,

    /// Write snapshots past min_size, max_size and max_change
    #[arg(long)]
    pub(super) force: bool,

    /// A selector that matches nothing is no error
    #[arg(long)]
    pub(super) allow_empty: bool,
}

#[derive(Debug, Args)]
pub(super) struct Cache {
    #[command(subcommand)]
    pub(super) what: Option<CacheWhat>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CacheWhat {
    /// Remove all of them; the next run reads all files again
    Clear,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A warning falls short as well
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A segment, a segmentation, or a label of one (rfm:champions)
    pub(super) name: String,

    /// The earlier date; default the latest snapshot before the later one
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(super) from: Option<String>,

    /// The later date; default the as-of, or, without --from, the latest snapshot
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(super) to: Option<String>,

    /// Compare with the definition in this file: a query, or CREATE statements for the
    /// segment or for what it builds on
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "edited"])]
    pub(super) against: Option<PathBuf>,

    /// Compare with this query in the place of the definition's
    #[arg(long = "as", value_name = "SQL", conflicts_with_all = ["from", "to"])]
    pub(super) edited: Option<String>,

    /// A row for each key instead of counts
    #[arg(long)]
    pub(super) rows: bool,

    /// How many keys to show as examples of each change
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) limit: usize,

    /// End with 3 when there is a difference
    #[arg(long)]
    pub(super) exit_code: bool,
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder to make
    pub(super) dir: PathBuf,

    /// How many customers the demo data has
    #[arg(long, default_value_t = 2000)]
    pub(super) customers: u64,
}

#[derive(Debug, Args)]
pub(super) struct Functions {
    /// A name, told of in full; or words, and what is told of in all of them
    #[arg(value_name = "NAME | WORD")]
    pub(super) name: Vec<String>,
}

/// Options of every command; each can also stand in `segql.toml` or in a
/// variable `SEGQL_…` of the environment.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(super) struct Common {
    /// The project's folder; default the nearest segql.toml upward
    #[arg(long, value_name = "DIR", global = true, env = "SEGQL_PROJECT")]
    pub(super) project: Option<PathBuf>,

    /// The target of segql.toml to write to; default dev
    #[arg(long, value_name = "NAME", global = true, env = "SEGQL_TARGET")]
    pub(super) target: Option<String>,

    /// Where snapshots go: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "PLACE", global = true, env = "SEGQL_STORE")]
    pub(super) store: Option<PathBuf>,

    /// Evaluate as of a date, an instant, today, yesterday, -7d, last-month-end
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        env = "SEGQL_AS_OF",
        allow_hyphen_values = true
    )]
    pub(super) as_of: Option<String>,

    /// Zone in which days are reckoned, such as Europe/Warsaw
    #[arg(long, value_name = "TZ", global = true, env = "SEGQL_TIME_ZONE")]
    pub(super) time_zone: Option<String>,

    /// A value for $NAME; repeatable
    #[arg(long = "var", value_name = "NAME=VALUE", global = true)]
    pub(super) vars: Vec<String>,

    /// Format of results: table, csv, tsv, json, jsonl, markdown, parquet, arrow
    #[arg(long, value_name = "FORMAT", global = true, env = "SEGQL_FORMAT")]
    pub(super) format: Option<String>,

    /// Write the result to a file, whole or not at all
    #[arg(short = 'o', long = "output", value_name = "FILE", global = true)]
    pub(super) output: Option<PathBuf>,

    /// Memory queries may hold, such as 2GB; beyond it they spill or fail
    #[arg(long, value_name = "SIZE", global = true, env = "SEGQL_MEMORY_LIMIT")]
    pub(super) memory_limit: Option<String>,

    /// Worker threads; default one a core
    #[arg(long, value_name = "N", global = true, env = "SEGQL_THREADS")]
    pub(super) threads: Option<NonZeroUsize>,

    /// Folder to spill to
    #[arg(long, value_name = "DIR", global = true, env = "SEGQL_TEMP_DIR")]
    pub(super) temp_dir: Option<PathBuf>,

    /// Say nothing but results and errors
    #[arg(long, short = 'q', global = true, env = "SEGQL_QUIET",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub(super) quiet: bool,

    /// Colour: auto (the default), always or never
    #[arg(long, value_name = "WHEN", global = true, env = "SEGQL_COLOR",
          value_parser = ["auto", "always", "never"], hide_possible_values = true)]
    pub(super) color: Option<String>,

    /// After an error in a script: stop (the default) or continue
    #[arg(long, value_name = "WHAT", global = true, env = "SEGQL_ON_ERROR",
          value_parser = ["stop", "continue"], hide_possible_values = true)]
    pub(super) on_error: Option<String>,

    /// Give up after this long, such as 30s or 10m
    #[arg(long, value_name = "TIME", global = true, env = "SEGQL_TIMEOUT")]
    pub(super) timeout: Option<String>,
}

impl Arguments {
    pub(super) fn from_typed(
        typed: impl Iterator<Item = OsString>,
    ) -> std::result::Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(typed)?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        if arguments.command.is_some() && !arguments.files.is_empty() {
            return Err(Self::command().error(
                clap::error::ErrorKind::ArgumentConflict,
                "data files cannot be named before a command",
            ));
        }
        let places = |id: &str| {
            matches
                .indices_of(id)
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        let sql = places("sql")
            .into_iter()
            .zip(arguments.sql.iter().cloned().map(Step::Sql));
        let files = places("scripts")
            .into_iter()
            .zip(arguments.scripts.iter().cloned().map(Step::File));
        let mut steps: Vec<(usize, Step)> = sql.chain(files).collect();
        steps.sort_by_key(|(place, _)| *place);
        arguments.steps = steps.into_iter().map(|(_, step)| step).collect();
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::from_typed(line.split(' ').map(OsString::from)).expect("parses")
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn steps_keep_their_order() {
        let arguments = parse("segql -c one -f two -c three");
        let sql = |text: &str| Step::Sql(text.to_owned());
        assert_eq!(
            arguments.steps,
            [sql("one"), Step::File("two".into()), sql("three")]
        );
    }

    #[test]
    fn options_stand_on_either_side_of_a_command() {
        let before = parse("segql --as-of -7d run vip");
        let after = parse("segql run vip --as-of -7d");
        assert_eq!(before.common.as_of, after.common.as_of);
        assert!(matches!(before.command, Some(Command::Run(_))));
        assert!(matches!(after.command, Some(Command::Run(run)) if run.selectors == ["vip"]));
    }
}
