//! Whom figures are about: who stood under which label at one moment or several, and
//! who under none.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::prelude::ident;

use super::arguments::Call;
use super::given::{scan, stacked, values};
use super::members_at::MembersAt;
use crate::catalog::Definition;
use crate::catalog::binder::Binder;
use crate::catalog::key::{entity_key, fits};
use crate::catalog::split_label;
use crate::error::{Error, Result};
use crate::session::Moment;
use crate::statement::Kind;

/// The members of a segment, segmentation or label at moments.
pub(super) struct Crowd<'c> {
    binder: &'c Binder<'c>,
    name: &'c str,
    definition: &'c Definition,
    dates: Vec<Standing>,
}

/// Whom orders are of, as their contract says.
const CUSTOMER: &str = "customer_id";

struct Standing {
    members: MembersAt,
    /// Whom the entity lists, and its key.
    everyone: Option<(LogicalPlan, String)>,
}

/// Everyone is one group: whom only the entity lists has no label.
const ONE_LABEL: &str = "
SELECT key, number, min(label) AS label FROM stages
WHERE key IS NOT NULL GROUP BY key, number";

const SEVERAL_LABELS: &str = "
SELECT key, number, unnest(labels) AS label FROM (
  SELECT key, number,
         coalesce(array_agg(label) FILTER (WHERE label IS NOT NULL),
                  make_array(CAST(NULL AS VARCHAR))) AS labels
  FROM stages WHERE key IS NOT NULL GROUP BY key, number) AS grouped";

impl<'c> Crowd<'c> {
    pub(super) fn at(call: &Call<'c>, moments: &[Moment]) -> Result<Self> {
        let (name, definition) = call.segment(0)?;
        let binder = call.binder();
        let stand = |moment: &Moment| -> Result<Standing> {
            let members = binder.members_at(name, *moment)?;
            let entity = binder.entity_of(definition, &members.key)?;
            let everyone = entity.map(|entity| {
                let listed = binder.at(*moment, |there| there.keys_of_entity(entity))?;
                let LogicalPlan::Sort(keys) = listed.plan else {
                    return Err(entity.error("the keys of an entity come sorted"));
                };
                Ok((keys.input.as_ref().clone(), listed.key))
            });
            Ok(Standing {
                members,
                everyone: everyone.transpose()?,
            })
        };
        Ok(Self {
            binder,
            name,
            definition,
            dates: moments.iter().map(stand).collect::<Result<_>>()?,
        })
    }

    /// The name of the members' key.
    pub(super) fn key(&self) -> &str {
        self.dates.first().map_or("", |it| it.members.key.as_str())
    }

    /// Fails where the members are not those whom orders are of: whoever has the same number
    /// among customers is somebody else.
    pub(super) fn check_buys(&self) -> Result<()> {
        let key = self.key();
        let entities = self.binder.world.catalog.of_kind(Kind::Entity);
        let mut buyers = entities.filter(|it| fits(&entity_key(it), CUSTOMER));
        match buyers.next() {
            Some(buyers) if !fits(key, CUSTOMER) => Err(Error::usage(format!(
                "'{}' is about '{key}', orders are of '{}', whose key is '{CUSTOMER}'",
                self.name, buyers.name
            ))
            .hint(format!("take a segment of {}", buyers.name))),
            _ => Ok(()),
        }
    }

    /// The types that its keys have.
    pub(super) fn key_types(&self) -> Vec<Result<DataType>> {
        let listed = self.dates.iter().filter_map(|it| it.everyone.as_ref());
        let listed = listed.map(|(plan, _)| Ok(plan.schema().field(0).data_type().clone()));
        let members = self.dates.iter().map(|it| it.members.key_type());
        members.chain(listed).collect()
    }

    /// `key`, `number` (the place of the moment) and `label`, which is NULL in a segment
    /// and for who has none: a row per person, and per label where there may be several.
    pub(super) fn people(&self, key_type: &DataType) -> Result<LogicalPlan> {
        let mut stages = vec![];
        for (it, number) in self.dates.iter().zip(0_i64..) {
            let stage = |rows: LogicalPlanBuilder, key: &str, label: Option<&str>| {
                let label = match label {
                    Some(column) => cast(ident(column), DataType::Utf8),
                    None => lit(ScalarValue::Utf8(None)),
                };
                let columns = [keyed(key, key_type), lit(number).alias("number")];
                let columns = columns.into_iter().chain([label.alias("label")]);
                rows.project(columns)?.build().map_err(Error::from)
            };
            let label = it.members.label.as_deref();
            let members = scan("segment", &it.members.source)?;
            stages.push(stage(members, &it.members.key, label)?);
            if let (Some((plan, key)), Some(_)) = (&it.everyone, label) {
                let everyone = LogicalPlanBuilder::from(plan.clone());
                stages.push(stage(everyone, key, None)?);
            }
        }
        let sql = match self.definition.has_several_labels() {
            true => SEVERAL_LABELS,
            false => ONE_LABEL,
        };
        self.binder.over(sql, &[("stages", stacked(stages)?)])
    }

    /// The `key` of everyone whom the entity lists at the first moment; nobody where
    /// there is no entity.
    pub(super) fn everyone(&self, key_type: &DataType) -> Result<LogicalPlan> {
        let first = self.dates.first().and_then(|it| it.everyone.as_ref());
        match first {
            Some((plan, key)) => {
                let rows = LogicalPlanBuilder::from(plan.clone());
                Ok(rows.project([keyed(key, key_type)])?.build()?)
            }
            None => nothing(&[("key", key_type.clone())]),
        }
    }

    /// The labels that have a row whether anybody has them or not: those that are
    /// declared, and that of a segment, which is NULL.
    pub(super) fn labels(&self) -> Result<LogicalPlan> {
        let is_segmentation = self.dates.iter().any(|it| it.members.label.is_some());
        let label = |label: Option<&str>| lit(ScalarValue::Utf8(label.map(str::to_owned)));
        let labels: Vec<_> = match is_segmentation && split_label(self.name).1.is_none() {
            true => {
                let declared = self.definition.labels().into_iter();
                declared.map(|it| vec![label(Some(it))]).collect()
            }
            false => vec![vec![label(None)]],
        };
        match labels.is_empty() {
            true => nothing(&[("label", DataType::Utf8)]),
            false => values(&["label"], labels),
        }
    }
}

/// A key that can be compared with the others.
pub(super) fn keyed(column: &str, key_type: &DataType) -> Expr {
    cast(ident(column), key_type.clone()).alias("key")
}

/// No rows with these columns.
pub(super) fn nothing(columns: &[(&str, DataType)]) -> Result<LogicalPlan> {
    let columns = columns.iter().map(|(name, data_type)| {
        let null = ScalarValue::try_from(data_type)?;
        Ok(lit(null).alias(*name))
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlanBuilder::empty(false).project(columns)?.build()?)
}
