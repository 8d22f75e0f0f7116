//! What `segql check` says beside checks and keys: what is probably not meant, and
//! what is worth knowing.

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use datafusion::prelude::ident;

use super::{CheckReport, CheckResult, Engine};
use crate::catalog::{Binder, Definition, Evaluation, Graph, Inputs, SharedTables};
use crate::error::Result;
use crate::source::{BadRow, SourceOptions};
use crate::statement::Kind;

/// Parts of names that columns have which change with their row: English, Polish,
/// Bulgarian.
const CHANGING: [&str; 11] = [
    "updat",
    "modif",
    "chang",
    "last",
    "edit",
    "sync",
    "aktualiz",
    "zmien",
    "zmian",
    "промен",
    "обнов",
];

impl Engine {
    /// Rules that hold of sources, and of what rests on them.
    pub(super) async fn lint(
        &self,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Result<Vec<CheckReport>> {
        let mut reports = vec![];
        for (name, opened) in &inputs.sources {
            let (Ok((opened, options)), Some(source)) = (opened, self.catalog.find(name)) else {
                continue;
            };
            let mut report = |rule, result| {
                reports.push(CheckReport {
                    name: name.clone(),
                    rule,
                    result,
                });
            };
            if options.history.is_some() {
                let repeated = self
                    .repeated_keys(source, options, inputs, evaluation)
                    .await;
                report(
                    "one version",
                    match repeated {
                        Ok(0) => CheckResult::Passed,
                        Ok(keys) => CheckResult::Violated(keys),
                        Err(error) => CheckResult::Failed(error),
                    },
                );
            }
            if let Some(column) = changing_time(options)
                && let Ok(0) = self
                    .repeated_keys(source, options, inputs, evaluation)
                    .await
            {
                report(
                    "event time",
                    CheckResult::Warned(format!(
                        "event_time = '{column}' on a table with one row per key is probably when \
                         the row was last changed: it would vanish from the past. latest_by = \
                         '{column}' keeps the newest version known at a date"
                    )),
                );
            }
            if options.on_bad_row == BadRow::Reject {
                let rows = opened.rejected_rows()?;
                report(
                    "rejects",
                    match rows {
                        0 => CheckResult::Passed,
                        rows => CheckResult::Noted(format!(
                            "{rows} rows are left out; segql.rejects lists them"
                        )),
                    },
                );
            }
            if !options.knows_time() && self.is_used(name) {
                report(
                    "point in time",
                    CheckResult::Noted(
                        "has no times: its present values are used at every date".to_owned(),
                    ),
                );
            }
        }
        Ok(reports)
    }

    /// Does a segment rest on it?
    fn is_used(&self, source: &str) -> bool {
        let above = Graph::new(&self.catalog).above(source);
        let found = above.iter().filter_map(|id| self.catalog.find_id(id));
        found.into_iter().any(|it| it.kind().has_members())
    }

    /// How many keys of a source have several rows at the as-of.
    async fn repeated_keys(
        &self,
        source: &Definition,
        options: &SourceOptions,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Result<u64> {
        let binder = Binder::new(self.world(evaluation), inputs, &SharedTables::new())?;
        let key: Vec<Expr> = options
            .key
            .iter()
            .map(|name| ident(name.as_str()))
            .collect();
        let plan = LogicalPlanBuilder::from(binder.definition(source)?)
            .aggregate(key, [count(lit(1)).alias("versions")])?
            .filter(ident("versions").gt(lit(1)))?;
        self.count(plan).await
    }
}

/// The event time of a keyed source, when its name says that it changes.
fn changing_time(options: &SourceOptions) -> Option<&str> {
    let column = options.event_time.as_deref()?;
    let lower = column.to_lowercase();
    let changes = CHANGING.iter().any(|part| lower.contains(part));
    // A key that holds the time itself is that of a log.
    let of_rows = !options.key.is_empty() && options.key.iter().all(|key| key != column);
    (changes && of_rows).then_some(column)
}

impl Engine {
    /// The sources without times that a definition rests on.
    pub(super) fn timeless_below(&self, definition: &Definition) -> Vec<String> {
        let below = Graph::new(&self.catalog).below(&definition.name);
        let sources = below.into_iter().filter(|name| {
            let found = self
                .catalog
                .find(name)
                .filter(|it| it.kind() == Kind::Source);
            let options = found.map(|source| SourceOptions::read(&source.create.options));
            options.is_some_and(|it| it.is_ok_and(|options| !options.knows_time()))
        });
        sources.map(str::to_owned).collect()
    }
}
