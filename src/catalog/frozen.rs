//! `CREATE FROZEN VIEW name AS OF 'date' AS query`: evaluated at its own date, and once
//! it was frozen by its kept rows, whatever became of data and definitions since.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use chrono_tz::Tz;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use datafusion::prelude::ident;

use super::binder::{Binder, Evaluation};
use super::inputs::World;
use super::members::flat_columns;
use super::shared_table::SharedTables;
use super::snapshot_table::SnapshotTable;
use super::{Catalog, Definition, visibility};
use crate::error::{Error, Result, Script};
use crate::session::{Moment, Variables};
use crate::statement::{self, Body, Create, Statement};
use crate::store::{FrozenRecord, Store};

/// What is kept of frozen views, by name; why it cannot be read is said where it is
/// used.
pub type KeptFrozen = BTreeMap<String, Result<FrozenRecord>>;

/// The rows of a frozen view as they are kept: in one order, the same every time.
pub struct FrozenPlan {
    /// Its rows.
    pub plan: LogicalPlan,
    /// What tells them apart.
    pub row_keys: Vec<Vec<String>>,
}

impl Catalog {
    /// What a store keeps of the frozen views.
    pub async fn kept_frozen(&self, store: &Store) -> KeptFrozen {
        let mut kept = KeptFrozen::new();
        let kept_by_name = |it: &&Arc<Definition>| it.is_frozen() && !it.is_trial;
        for definition in self.all().filter(kept_by_name) {
            if let Some(found) = store.frozen(&definition.name).await.transpose() {
                kept.insert(definition.name.clone(), found);
            }
        }
        kept
    }
}

impl Definition {
    /// Is it a view that is computed once?
    pub fn is_frozen(&self) -> bool {
        self.create.frozen.is_some()
    }

    /// Does a CREATE statement say the same of it? Blanks, comments and options that
    /// only describe make no other query.
    pub fn is_same_view(&self, text: &str) -> bool {
        let script = Arc::new(Script::new("frozen", text));
        let parsed = statement::parse(&script).map(|mut all| all.pop());
        match parsed {
            Ok(Some(Ok(parsed))) => match &parsed.statement {
                Statement::Create(create) => shape(create) == shape(&self.create),
                _ => false,
            },
            _ => false,
        }
    }

    /// The moment that a frozen view is computed at, by the days of a zone.
    pub fn frozen_moment(&self, zone: Tz) -> Result<Option<Moment>> {
        moment_of(&self.create, zone).map_err(|error| error.within(&self.script))
    }
}

/// A date that is said once and for all: no word such as `yesterday` that means
/// another every day.
pub(super) fn moment_of(create: &Create, zone: Tz) -> Result<Option<Moment>> {
    let Some(as_of) = &create.frozen else {
        return Ok(None);
    };
    let is_fixed = as_of
        .text
        .trim_start()
        .starts_with(|it: char| it.is_ascii_digit());
    let parsed = match is_fixed {
        true => Moment::parse(&as_of.text, zone, DateTime::UNIX_EPOCH).ok(),
        false => None,
    };
    match parsed {
        Some(moment) => Ok(Some(moment)),
        None => Err(Error::new(format!(
            "a frozen view is AS OF a date or an instant, not '{}'",
            as_of.text
        ))
        .at(as_of.span)
        .hint("write a date such as AS OF '2025-12-31'")),
    }
}

impl Binder<'_> {
    /// What stands for a frozen view: its kept rows, or its query at its own date. None
    /// for other definitions, and for its query at that date.
    pub(super) fn frozen(&self, definition: &Definition) -> Result<Option<LogicalPlan>> {
        let zone = self.evaluation.moment.zone();
        let Some(moment) = definition.frozen_moment(zone)? else {
            return Ok(None);
        };
        if let Some(kept) = self.inputs.frozen.get(&definition.name) {
            let record = kept.as_ref().map_err(Clone::clone)?;
            check_unedited(definition, record, &self.evaluation.variables)?;
            return self.kept(record).map(Some);
        }
        if moment == self.evaluation.moment {
            return Ok(None);
        }
        let evaluation = Evaluation {
            moment,
            variables: self.evaluation.variables.clone(),
        };
        let world = World {
            evaluation: &evaluation,
            ..self.world
        };
        let own = Binder::new(world, self.inputs, &SharedTables::new())?;
        own.definition(definition).map(Some)
    }

    fn kept(&self, record: &FrozenRecord) -> Result<LogicalPlan> {
        let table = SnapshotTable::frozen(self.world.store, record)?;
        let table = provider_as_source(Arc::new(table));
        let columns = record.columns.iter().map(|it| ident(it.name.as_str()));
        let name = TableReference::bare(format!("{}@{}", record.name, record.id));
        let plan = LogicalPlanBuilder::scan(name, table, None)?.project(columns)?;
        visibility::in_session_zone(plan.build()?, &self.evaluation.moment)
    }

    /// What tells the kept rows of a frozen view apart.
    pub(super) fn frozen_keys(&self, name: &str) -> Vec<Vec<String>> {
        match self.inputs.frozen.get(name) {
            Some(Ok(record)) => record.row_keys.clone(),
            _ => vec![],
        }
    }

    /// What is kept when a view is frozen; fails where that would keep who somebody is.
    pub fn to_freeze(&self, definition: &Definition) -> Result<FrozenPlan> {
        let personal = self.personal_columns(definition)?;
        if let Some(column) = personal.first() {
            return Err(definition
                .error(format!(
                    "frozen view '{}' would keep the personal column '{column}'",
                    definition.name
                ))
                .hint("leave it out, or keep only how many, how long or whether"));
        }
        let plan = self.definition(definition)?;
        let row_keys = self.row_keys(&plan);
        let order = order(&plan, &row_keys);
        let sorted = LogicalPlanBuilder::from(plan);
        let sorted = match order.is_empty() {
            true => sorted,
            false => sorted.sort(order)?,
        };
        Ok(FrozenPlan {
            plan: sorted.build()?,
            row_keys,
        })
    }
}

/// By what tells the rows apart; where that is not known by everything, struct by
/// struct.
fn order(plan: &LogicalPlan, row_keys: &[Vec<String>]) -> Vec<SortExpr> {
    let upwards = |expr: Expr| expr.sort(true, true);
    let schema = plan.schema().as_arrow();
    let is_plain = |key: &&Vec<String>| {
        let mut types = key.iter().map(|name| schema.field_with_name(name));
        types.all(|field| field.is_ok_and(|field| !field.data_type().is_nested()))
    };
    match row_keys.iter().find(is_plain) {
        Some(key) => key.iter().map(|it| upwards(ident(it.as_str()))).collect(),
        None => {
            let columns = flat_columns(schema, |_| false);
            columns
                .into_iter()
                .map(|it| upwards(it.unalias()))
                .collect()
        }
    }
}

/// Fails when a frozen view is not any more what was frozen: to go on with the old rows
/// of another query would be wrong in silence.
pub fn check_unedited(
    definition: &Definition,
    record: &FrozenRecord,
    variables: &Variables,
) -> Result<()> {
    let changed = match definition.is_same_view(&record.text) {
        false => Some("its definition differs from what was frozen".to_owned()),
        true => other_variable(definition, record, variables),
    };
    match changed {
        None => Ok(()),
        Some(what) => Err(definition
            .error(format!("frozen view '{}': {what}", definition.name))
            .hint(format!(
                "segql run --refreeze {} computes it anew, and what builds on it; days that are over need --restate as well",
                definition.name
            ))
            .hint("or give back what was frozen: SELECT frozen_definition FROM segql.frozen")),
    }
}

fn shape(create: &Create) -> (Option<&str>, Option<String>) {
    let as_of = create.frozen.as_ref().map(|it| it.text.trim());
    let query = match &create.body {
        Body::Query { query, .. } => Some(query.to_string()),
        _ => None,
    };
    (as_of, query)
}

/// A variable in its text that has another value now.
fn other_variable(
    definition: &Definition,
    record: &FrozenRecord,
    variables: &Variables,
) -> Option<String> {
    let text = definition.text.to_lowercase();
    variables.iter().find_map(|(name, now)| {
        let was = record.variables.get(name)?;
        let differs = text.contains(&format!("${name}")) && *was != now;
        differs.then(|| format!("${name} is {now}, and was {was} when it was frozen"))
    })
}
