//! In which segments each key is, for all segments in one pass.
//!
//! Every key has a row of bits, one for each segment or label ([`shards`]). Rows that
//! are equal are counted ([`counts`]): so many keys are in precisely these segments.
//! How many are in two of them follows from the few different rows, without a join.

mod counts;
mod names;
mod node;
mod shards;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::planned_twice::planned_twice;
use node::MembershipExec;

/// Members of one segment or segmentation, or everyone there is.
#[derive(Debug, Clone)]
pub(crate) struct Entrant {
    /// Its rows: the key, and the label of a segmentation. All entrants of a group
    /// have keys of one type.
    pub(crate) plan: LogicalPlan,
    pub(crate) counted: Counted,
}

/// What being among the rows of an entrant means.
#[derive(Debug, Clone)]
pub(crate) enum Counted {
    /// To be among all there are.
    Everyone,
    /// To be in the segment of this name.
    Segment(String),
    /// To have a label of the segmentation of this name; these it may give, also
    /// when nobody has them.
    Labels(String, Vec<String>),
}

/// What is told of memberships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// How many are in precisely these segments, the most first.
    Combinations,
    /// How many are in each two, and how many there are, by name.
    Pairs,
}

impl Shape {
    fn schema(self) -> SchemaRef {
        let text = |name| Field::new(name, DataType::Utf8, false);
        let number = |name| Field::new(name, DataType::Int64, false);
        Arc::new(Schema::new(match self {
            Shape::Combinations => {
                let segments = DataType::new_list(DataType::Utf8, true);
                vec![Field::new("segments", segments, false), number("size")]
            }
            Shape::Pairs => vec![
                text("segment_a"),
                text("segment_b"),
                number("size_a"),
                number("size_b"),
                number("size_both"),
                Field::new("base", DataType::Int64, true),
            ],
        }))
    }
}

/// Memberships as a table. Keys mean the same within a group, and nothing to another.
#[derive(Debug)]
pub(crate) struct MembershipTable {
    groups: Vec<Vec<Entrant>>,
    shape: Shape,
}

impl MembershipTable {
    pub(crate) fn new(groups: Vec<Vec<Entrant>>, shape: Shape) -> Self {
        Self { groups, shape }
    }
}

#[async_trait]
impl TableProvider for MembershipTable {
    fn schema(&self) -> SchemaRef {
        self.shape.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut inputs = vec![];
        let mut groups = vec![];
        for group in &self.groups {
            for entrant in group {
                inputs.push(planned_twice(session, &entrant.plan).await?);
            }
            groups.push(group.iter().map(|it| it.counted.clone()).collect());
        }
        let exec = MembershipExec::new(inputs, groups, self.shape, projection.cloned())?;
        Ok(Arc::new(exec))
    }
}
