//! Who entered, left, stayed or moved between two lists of members: two dates of a
//! segment, or two definitions of it.
//!
//! A full join by the key; by key and label where a key may have several labels.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, ScalarValue, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, cast, lit, when,
};
use datafusion::prelude::ident;

use super::MembersPlan;
use super::members_function::scan_name;
use super::snapshot_table::SnapshotTable;
use crate::error::Result;
use crate::store::{SnapshotRecord, Store};

/// Two lists of members side by side.
#[derive(Debug, Clone)]
pub struct MembersDiff {
    /// In the order of the key: the key under its own name, `change` ('entered',
    /// 'left', 'stayed' or 'moved'), `from_label` and `to_label`; then, for each column
    /// compared, whether it differs in a member that stayed.
    pub plan: LogicalPlan,
    /// How many columns stand before those that say what differs.
    pub columns: usize,
    /// Do labels tell rows of one key apart?
    pub several: bool,
    /// Does either side have labels?
    pub labelled: bool,
    /// The columns beside key and label that were compared.
    pub compared: Vec<String>,
    /// Those that both sides have, of types that cannot be compared.
    pub incomparable: Vec<String>,
}

const BEFORE: &str = "before";
const AFTER: &str = "after";

// No column of a query is called so by accident.
const KEY: &str = "segql key";
const LABEL: &str = "segql label";

impl MembersDiff {
    /// Compares two lists; neither may have a key twice, or twice with one label where
    /// there may be several: see [`Self::several`].
    pub fn new(before: &MembersPlan, after: &MembersPlan) -> Result<Self> {
        let (compared, incomparable) = common_columns(before, after);
        let as_text = !keys_agree(before, after)?;
        let several = before.several || after.several;
        let old = side(before, BEFORE, as_text, &compared)?;
        let new = side(after, AFTER, as_text, &compared)?;
        let mut same = vec![of(BEFORE, KEY).eq(of(AFTER, KEY))];
        if several {
            same.push(of(BEFORE, LABEL).eq(of(AFTER, LABEL)));
        }
        let key_name = key_name(&after.key);
        let mut columns = what_became(key_name)?;
        let own = columns.len();
        columns.extend(compared.iter().map(|name| {
            let differs = stayed().and(!is_same(&beside(name)));
            differs.alias(beside(name))
        }));
        let order = [key_name, "from_label", "to_label"].map(|name| ident(name).sort(true, true));
        let plan = old
            .join_on(new.build()?, JoinType::Full, same)?
            .project(columns)?
            .sort(order)?
            .build()?;
        Ok(Self {
            plan,
            columns: own,
            several,
            labelled: before.label.is_some() || after.label.is_some(),
            compared,
            incomparable,
        })
    }
}

impl MembersPlan {
    /// The members that a snapshot's file holds.
    pub fn of_snapshot(store: &Arc<Store>, record: &SnapshotRecord, several: bool) -> Result<Self> {
        let table = provider_as_source(Arc::new(SnapshotTable::of(store, record)?));
        let columns = record.columns.iter().map(|it| ident(it.name.as_str()));
        let name = TableReference::bare(scan_name(record));
        Ok(Self {
            plan: LogicalPlanBuilder::scan(name, table, None)?
                .project(columns)?
                .build()?,
            key: record.key.clone(),
            label: record.label.clone(),
            several,
            is_listed: None,
        })
    }

    /// Those with one label of a segmentation, as a segment of their own.
    pub fn with_label(self, label: &str) -> Result<Self> {
        let Some(column) = &self.label else {
            return Ok(self);
        };
        let is_wanted = ident(column.as_str()).eq(lit(label));
        Ok(Self {
            plan: LogicalPlanBuilder::from(self.plan)
                .filter(is_wanted)?
                .build()?,
            label: None,
            several: false,
            ..self
        })
    }
}

/// The key, what became of it, and its labels before and after.
fn what_became(key_name: &str) -> Result<Vec<Expr>> {
    let entered = || of(BEFORE, KEY).is_null();
    let change = when(entered(), lit("entered"))
        .when(of(AFTER, KEY).is_null(), lit("left"))
        .when(is_same(LABEL), lit("stayed"))
        .otherwise(lit("moved"))?;
    let key = when(entered(), of(AFTER, KEY)).otherwise(of(BEFORE, KEY))?;
    Ok(vec![
        key.alias(key_name),
        change.alias("change"),
        of(BEFORE, LABEL).alias("from_label"),
        of(AFTER, LABEL).alias("to_label"),
    ])
}

/// On both sides, under the same label if there are labels.
fn stayed() -> Expr {
    let before = of(BEFORE, KEY).is_not_null();
    before.and(of(AFTER, KEY).is_not_null()).and(is_same(LABEL))
}

/// NULL and NULL are the same.
fn is_same(name: &str) -> Expr {
    let (before, after) = (of(BEFORE, name), of(AFTER, name));
    binary_expr(before, Operator::IsNotDistinctFrom, after)
}

fn of(side: &str, name: &str) -> Expr {
    Expr::Column(Column::new(Some(side), name))
}

/// What a column beside key and label is called while two lists are compared.
fn beside(name: &str) -> String {
    format!("segql column {name}")
}

/// The key keeps its name beside the columns that say what became of it.
fn key_name(key: &str) -> &str {
    match key {
        "change" | "from_label" | "to_label" => "key",
        own => own,
    }
}

/// One list by the names that comparing knows.
fn side(
    members: &MembersPlan,
    name: &str,
    as_text: bool,
    compared: &[String],
) -> Result<LogicalPlanBuilder> {
    let key = ident(members.key.as_str());
    let key = match as_text {
        true => cast(key, DataType::Utf8),
        false => key,
    };
    let label = match &members.label {
        Some(column) => cast(ident(column.as_str()), DataType::Utf8),
        None => lit(ScalarValue::Utf8(None)),
    };
    let mut columns = vec![key.alias(KEY), label.alias(LABEL)];
    columns.extend(
        compared
            .iter()
            .map(|column| ident(column.as_str()).alias(beside(column))),
    );
    Ok(LogicalPlanBuilder::from(members.plan.clone())
        .project(columns)?
        .alias(name)?)
}

/// Where one definition gives numbers for keys and the other texts, 17 and '17' are
/// the same.
fn keys_agree(before: &MembersPlan, after: &MembersPlan) -> Result<bool> {
    let is_number = |members: &MembersPlan| -> Result<bool> {
        let schema = members.plan.schema();
        let field = schema.field_with_unqualified_name(&members.key)?;
        Ok(field.data_type().is_integer())
    };
    Ok(is_number(before)? == is_number(after)?)
}

/// The columns beside key and label that both have: those that can be compared, and
/// the rest.
fn common_columns(before: &MembersPlan, after: &MembersPlan) -> (Vec<String>, Vec<String>) {
    let is_own = |members: &MembersPlan, name: &String| {
        *name == members.key || members.label.as_ref() == Some(name)
    };
    let (mut compared, mut incomparable) = (vec![], vec![]);
    for field in after.plan.schema().fields() {
        let name = field.name();
        let theirs = before.plan.schema().field_with_unqualified_name(name);
        let Ok(theirs) = theirs else { continue };
        if is_own(before, name) || is_own(after, name) {
            continue;
        }
        match comparable(theirs.data_type(), field.data_type()) {
            true => compared.push(name.clone()),
            false => incomparable.push(name.clone()),
        }
    }
    (compared, incomparable)
}

fn comparable(a: &DataType, b: &DataType) -> bool {
    let is_day_or_instant = |it: &DataType| {
        matches!(
            it,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
        )
    };
    a == b
        || a.is_numeric() && b.is_numeric()
        || a.is_string() && b.is_string()
        || is_day_or_instant(a) && is_day_or_instant(b)
}
