//! `segment_profile('name' [, 'table'])`: what members are like, beside everyone.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{LogicalPlan, TableSource, cast, lit};
use datafusion::prelude::ident;

use super::arguments::Call;
use super::given::{in_order, scan, values};
use crate::catalog::Definition;
use crate::catalog::key::{common_type, entity_key, find_key};
use crate::catalog::personal::Nature;
use crate::error::{Error, Result};
use crate::statement::Body;

/// How many values a text may have to be an attribute of people.
const MOST_VALUES: i64 = 50;

/// `ATTRIBUTE`, `VALUE` and `SETS` stand for the columns c0, c1, …: each row of the
/// base is counted once for each of them.
const PROFILE: &str = "
WITH people AS (
  SELECT base.*, who.key IS NOT NULL AS is_member
  FROM base LEFT JOIN (SELECT DISTINCT key FROM members) AS who ON who.key = base.key),
counted AS (
  SELECT ATTRIBUTE AS number, VALUE AS value,
         count(*) FILTER (WHERE is_member) AS members, count(*) AS everyone
  FROM people GROUP BY GROUPING SETS (SETS)),
summed AS (
  SELECT *, sum(members) OVER (PARTITION BY number) AS all_members,
         sum(everyone) OVER (PARTITION BY number) AS all_everyone,
         count(*) OVER (PARTITION BY number) AS different
  FROM counted),
shares AS (
  SELECT number, value, different,
         CAST(members AS DOUBLE) / nullif(CAST(all_members AS DOUBLE), 0) AS share,
         CAST(everyone AS DOUBLE) / CAST(all_everyone AS DOUBLE) AS base_share
  FROM summed)
SELECT attributes.attribute, shares.value, shares.share, shares.base_share,
       100 * share / base_share AS over_index
FROM shares JOIN attributes ON attributes.number = shares.number
WHERE attributes.is_declared OR different <= attributes.most
ORDER BY attribute, base_share DESC, value NULLS LAST";

pub(super) fn plan(call: &Call<'_>) -> Result<LogicalPlan> {
    call.check_count(1, 2)?;
    let binder = call.binder();
    let (name, _) = call.segment(0)?;
    let members = binder.members_at(name, binder.evaluation.moment)?;
    let table = Table::of(call, &members.key)?;
    let attributes = table.attributes(call)?;
    let schema = table.source.schema();
    let own = Ok(schema.field_with_name(&table.key)?.data_type().clone());
    let key_type = common_type([own, members.key_type()])?;
    let key = |name: &str| cast(ident(name), key_type.clone()).alias("key");
    let mut columns = vec![key(&table.key)];
    columns.extend(attributes.iter().enumerate().map(|(at, attribute)| {
        cast(ident(attribute.name.as_str()), DataType::Utf8).alias(format!("c{at}"))
    }));
    let base = scan("people", &table.source)?.project(columns)?.build()?;
    let who = scan("segment", &members.source)?
        .project([key(&members.key)])?
        .build()?;
    let listed = attributes.iter().zip(0_i64..).map(|(it, number)| {
        let name = lit(it.name.as_str());
        vec![lit(number), name, lit(it.is_declared), lit(MOST_VALUES)]
    });
    let names = ["number", "attribute", "is_declared", "most"];
    let listed = values(&names, listed.collect())?;
    let given = [("base", base), ("members", who), ("attributes", listed)];
    in_order(call, binder.over(&query(attributes.len()), &given)?)
}

fn query(columns: usize) -> String {
    let each = |text: &dyn Fn(usize) -> String, between: &str| {
        let texts: Vec<String> = (0..columns).map(text).collect();
        texts.join(between)
    };
    let whens = each(&|at| format!("WHEN grouping(c{at}) = 0 THEN {at}"), " ");
    let value = each(&|at| format!("c{at}"), ", ");
    let sets = each(&|at| format!("(c{at})"), ", ");
    PROFILE
        .replace("ATTRIBUTE", &format!("CASE {whens} END"))
        .replace("VALUE", &format!("coalesce({value})"))
        .replace("SETS (SETS)", &format!("SETS ({sets})"))
}

/// The table that says what people are like.
struct Table<'c> {
    name: String,
    source: Arc<dyn TableSource>,
    definition: Option<&'c Definition>,
    key: String,
}

struct Attribute {
    name: String,
    /// Does a source call it demographic?
    is_declared: bool,
}

impl<'c> Table<'c> {
    /// The table named, else that of the entity.
    fn of(call: &Call<'c>, members_key: &str) -> Result<Self> {
        let binder = call.binder();
        let (name, wanted) = Self::named(call, members_key)?;
        let definition = binder.world.catalog.find(&name).map(AsRef::as_ref);
        let source = binder.relation(&name)?;
        let key = find_key(&name, &source.schema(), &wanted)?;
        Ok(Self {
            name,
            source,
            definition,
            key,
        })
    }

    /// Its name, and that of its key.
    fn named(call: &Call<'c>, members_key: &str) -> Result<(String, String)> {
        if call.count() == 2 {
            return Ok((call.name(1)?.to_owned(), members_key.to_owned()));
        }
        let (_, segment) = call.segment(0)?;
        let Some(entity) = call.binder().entity_of(segment, members_key)? else {
            return Err(
                Error::new(format!("no entity says who '{}' is about", segment.name)).hint(
                    format!(
                        "name the table with their attributes: segment_profile('{}', 'table')",
                        segment.name
                    ),
                ),
            );
        };
        match &entity.create.body {
            Body::Table { table, .. } => Ok((table.text.clone(), entity_key(entity))),
            _ => Err(entity.error("an entity has a table")),
        }
    }

    /// The columns by which people are told apart: those called demographic, texts
    /// and truth values; never what is personal or sensitive.
    fn attributes(&self, call: &Call<'_>) -> Result<Vec<Attribute>> {
        let of_nature = |nature| match self.definition {
            Some(definition) => call.binder().columns_of_nature(definition, nature),
            None => Ok(Default::default()),
        };
        let personal = of_nature(Nature::Personal)?;
        let sensitive = of_nature(Nature::Sensitive)?;
        let demographic = of_nature(Nature::Demographic)?;
        let schema = self.source.schema();
        let mut found = vec![];
        for field in schema.fields() {
            let name = field.name();
            let is_declared = demographic.contains(name);
            let is_apt =
                is_declared && !field.data_type().is_nested() || is_plain(field.data_type());
            let is_closed = personal.contains(name) || sensitive.contains(name);
            if is_apt && !is_closed && *name != self.key {
                found.push(Attribute {
                    name: name.clone(),
                    is_declared,
                });
            }
        }
        match found.is_empty() {
            false => Ok(found),
            true => Err(Error::new(format!(
                "no column of '{}' says what people are like",
                self.name
            ))
            .hint("attributes are texts, truth values and what a source calls demographic, not what is personal")),
        }
    }
}

fn is_plain(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}
