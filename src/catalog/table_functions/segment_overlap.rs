//! `segment_overlap([as_of])` and `segment_combinations([as_of])`: who is in several
//! segments, all of the project's in one pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::prelude::ident;

use super::arguments::Call;
use super::given::{in_order, scan};
use super::members_at::MembersAt;
use crate::catalog::Definition;
use crate::catalog::binder::Binder;
use crate::catalog::key::common_type;
use crate::error::Result;
use crate::exec::{Counted, Entrant, MembershipTable, Shape};
use crate::session::Moment;

const OVERLAP: &str = "
SELECT segment_a, segment_b, size_a, size_b, size_both,
       CAST(size_both AS DOUBLE) / nullif(size_a + size_b - size_both, 0) AS jaccard,
       CAST(size_both AS DOUBLE) * base / nullif(CAST(size_a AS DOUBLE) * size_b, 0) AS lift
FROM pairs ORDER BY segment_a, segment_b";

pub(super) fn pairs(call: &Call<'_>) -> Result<LogicalPlan> {
    let pairs = counted(call, Shape::Pairs)?;
    in_order(call, call.binder().over(OVERLAP, &[("pairs", pairs)])?)
}

pub(super) fn combinations(call: &Call<'_>) -> Result<LogicalPlan> {
    counted(call, Shape::Combinations)
}

fn counted(call: &Call<'_>, shape: Shape) -> Result<LogicalPlan> {
    call.check_count(0, 1)?;
    let moment = call.moment(0)?;
    let groups = call.binder().at(moment, |there| groups(there, moment))?;
    let table = provider_as_source(Arc::new(MembershipTable::new(groups, shape)));
    Ok(scan(&format!("memberships of {call}"), &table)?.build()?)
}

/// Segments whose keys mean the same: those of one entity; of none, those that call
/// their key the same.
#[derive(Default)]
struct Group<'d> {
    entity: Option<&'d Definition>,
    segments: Vec<(&'d Definition, MembersAt)>,
}

fn groups(binder: &Binder<'_>, moment: Moment) -> Result<Vec<Vec<Entrant>>> {
    let mut groups: BTreeMap<(bool, String), Group<'_>> = BTreeMap::new();
    for definition in binder.world.catalog.project_segments() {
        let members = binder.members_at(&definition.name, moment)?;
        let entity = binder.entity_of(definition, &members.key)?;
        let about = entity.map_or_else(|| members.key.clone(), |it| it.name.clone());
        let group = groups.entry((entity.is_none(), about)).or_default();
        group.entity = entity;
        group.segments.push((definition, members));
    }
    groups.values().map(|it| entrants(binder, it)).collect()
}

fn entrants(binder: &Binder<'_>, group: &Group<'_>) -> Result<Vec<Entrant>> {
    let mut types: Vec<_> = group.segments.iter().map(|(_, it)| it.key_type()).collect();
    let mut base = None;
    if let Some(entity) = group.entity {
        let listed = binder.keys_of_entity(entity)?;
        let LogicalPlan::Sort(sorted) = listed.plan else {
            return Err(entity.error("the keys of an entity come sorted"));
        };
        types.push(Ok(sorted.input.schema().field(0).data_type().clone()));
        base = Some((sorted.input.as_ref().clone(), listed.key));
    }
    let key_type = common_type(types)?;
    let key = |name: &str| cast(ident(name), key_type.clone()).alias("key");
    let mut all = vec![];
    if let Some((plan, name)) = base {
        all.push(Entrant {
            plan: LogicalPlanBuilder::from(plan)
                .project([key(&name)])?
                .build()?,
            counted: Counted::Everyone,
        });
    }
    for (definition, members) in &group.segments {
        let mut columns = vec![key(&members.key)];
        let label = members.label.as_deref();
        columns.extend(label.map(|it| cast(ident(it), DataType::Utf8View).alias("label")));
        let rows = scan("segment", &members.source)?;
        let name = definition.name.clone();
        all.push(Entrant {
            plan: rows.project(columns)?.build()?,
            counted: match label {
                None => Counted::Segment(name),
                Some(_) => {
                    let labels = definition.labels().into_iter().map(str::to_owned);
                    Counted::Labels(name, labels.collect())
                }
            },
        });
    }
    Ok(all)
}
