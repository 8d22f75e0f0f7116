//! `customer_labels([as_of] [, 'entity'])`: everyone an entity lists, with all that
//! segmentations and segments say of them.

use std::fmt::Write as _;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::prelude::ident;

use super::arguments::Call;
use super::given::{scan, stacked};
use super::members_at::MembersAt;
use crate::catalog::Definition;
use crate::catalog::binder::Binder;
use crate::catalog::key::common_type;
use crate::error::{Error, Result, suggest};
use crate::session::Moment;
use crate::statement::Kind;

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(0, 2)?;
    let mut moment = None;
    let mut entity = None;
    for at in 0..call.count() {
        match named(call, at) {
            Some(found) if entity.is_none() => entity = Some(found),
            None if moment.is_none() => moment = Some(moment_or_entity(call, at)?),
            _ => return Err(call.usage()),
        }
    }
    let entity = entity.map_or_else(|| only_entity(call), Ok)?;
    let moment = moment.unwrap_or(call.binder().evaluation.moment);
    call.binder()
        .at(moment, |there| labels(there, entity, moment))
}

/// The entity that an argument names.
fn named<'c>(call: &Call<'c>, at: usize) -> Option<&'c Definition> {
    let catalog = call.binder().world.catalog;
    let found = catalog.get(call.text(at)?, &[Kind::Entity]).ok();
    found.map(AsRef::as_ref)
}

fn moment_or_entity(call: &Call<'_>, at: usize) -> Result<Moment> {
    let names = entities(call).map(|entity| entity.name.as_str());
    let meant = call.text(at).and_then(|text| suggest(text, names));
    call.moment(at).map_err(|error| error.hint_if(meant))
}

fn entities<'c>(call: &Call<'c>) -> impl Iterator<Item = &'c Definition> {
    let catalog = call.binder().world.catalog;
    catalog.of_kind(Kind::Entity).map(AsRef::as_ref)
}

fn only_entity<'c>(call: &Call<'c>) -> Result<&'c Definition> {
    let names: Vec<&str> = entities(call).map(|it| it.name.as_str()).collect();
    match (entities(call).next(), names.as_slice()) {
        (None, _) => Err(
            Error::new("no entity says who is listed in customer_labels()")
                .hint("CREATE ENTITY … FROM … KEY …"),
        ),
        (Some(only), [_]) => Ok(only),
        (Some(first), _) => Err(Error::usage(format!(
            "customer_labels() could be about {}",
            names.join(" or ")
        ))
        .hint(format!("name one: customer_labels('{}')", first.name))),
    }
}

/// A column of the result, and what fills it.
struct Labels<'d> {
    definition: &'d Definition,
    members: MembersAt,
}

/// Segments whose bits fit into one whole number without its sign.
const BITS: usize = 62;

/// Everyone is one group; a segment sets its bit in a word, a segmentation its label.
fn labels(binder: &Binder<'_>, entity: &Definition, moment: Moment) -> Result<LogicalPlan> {
    let all = about(binder, entity, moment)?;
    let listed = binder.keys_of_entity(entity)?;
    let LogicalPlan::Sort(keys) = listed.plan else {
        return Err(entity.error("the keys of an entity come sorted"));
    };
    let types = all.iter().map(|it| it.members.key_type());
    let own = keys.input.schema().field(0).data_type().clone();
    let row = Row {
        key_type: common_type(types.chain([Ok(own)]))?,
        words: all.len().div_ceil(BITS),
    };
    let everyone = LogicalPlanBuilder::from(keys.input.as_ref().clone());
    let everyone = everyone.project(row.columns(None, &listed.key, None))?;
    let mut stages = vec![everyone.build()?];
    for (at, it) in all.iter().enumerate() {
        let columns = row.columns(Some(at), &it.members.key, it.members.label.as_deref());
        let rows = scan("labels", &it.members.source)?;
        stages.push(rows.project(columns)?.build()?);
    }
    let plan = binder.over(&query(&all, row.words), &[("stages", stacked(stages)?)])?;
    let names = std::iter::once(listed.key.as_str());
    let names = names.chain(all.iter().map(|it| it.definition.name.as_str()));
    let found = plan.schema().columns();
    let columns = found.into_iter().zip(names);
    let columns = columns.map(|(column, name)| Expr::Column(column).alias(name));
    let columns: Vec<Expr> = columns.collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// The segmentations about an entity by name, then its segments.
fn about<'d>(binder: &Binder<'d>, entity: &Definition, moment: Moment) -> Result<Vec<Labels<'d>>> {
    let mut all = vec![];
    for definition in binder.world.catalog.project_segments() {
        let members = binder.members_at(&definition.name, moment)?;
        let about = binder.entity_of(definition, &members.key)?;
        if about.is_some_and(|it| it.name == entity.name) {
            all.push(Labels {
                definition,
                members,
            });
        }
    }
    all.sort_by_key(|it| it.members.label.is_none());
    Ok(all)
}

/// What each member of each segment brings.
struct Row {
    key_type: DataType,
    words: usize,
}

impl Row {
    /// Of the segment at a place; without one, of whom the entity lists.
    fn columns(&self, at: Option<usize>, key: &str, label: Option<&str>) -> Vec<Expr> {
        let label = match label {
            Some(column) => cast(ident(column), DataType::Utf8),
            None => lit(ScalarValue::Utf8(None)),
        };
        let mut columns = vec![
            cast(ident(key), self.key_type.clone()).alias("key"),
            lit(at.map_or(-1, |at| at as i64)).alias("number"),
            label.alias("label"),
        ];
        columns.extend((0..self.words).map(|word| {
            let bit = at.filter(|at| at / BITS == word);
            let bit = bit.map_or(0, |at| 1_i64 << (at % BITS));
            lit(bit).alias(format!("w{word}"))
        }));
        columns
    }
}

fn query(all: &[Labels<'_>], words: usize) -> String {
    let mut grouped = String::new();
    let mut shown = String::new();
    for word in 0..words {
        let _ = write!(grouped, ", bit_or(w{word}) AS w{word}");
    }
    for (at, it) in all.iter().enumerate() {
        if it.members.label.is_none() {
            let (word, bit) = (at / BITS, at % BITS);
            let _ = write!(shown, ", (w{word} >> {bit}) & 1 = 1 AS c{at}");
            continue;
        }
        let label = match it.definition.has_several_labels() {
            true => "array_agg(label ORDER BY label)",
            false => "min(label)",
        };
        let _ = write!(grouped, ", {label} FILTER (WHERE number = {at}) AS c{at}");
        let _ = write!(shown, ", c{at}");
    }
    format!(
        "SELECT key{shown} FROM (SELECT key{grouped} FROM stages WHERE key IS NOT NULL
           GROUP BY key HAVING bool_or(number = -1)) AS people"
    )
}
