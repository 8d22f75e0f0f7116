//! An aggregate taken apart: the rows it reads, with the date since which each is
//! there, and the functions that are fed with them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{Column, DFSchema, Result as PlanResult};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::aggregate::LoweredAggregateBuilder;

use super::Engine;
use crate::error::Result;
use crate::exec::carried::{Call, Shape};
use crate::exec::incremental::merges_exactly;
use crate::plan::{Grown, grown};

/// What it takes to carry an aggregate.
pub(super) struct CarriedPlan {
    /// What is computed, in a few words.
    pub(super) what: String,
    /// Its rows: keys, values, and the place of the date since which they are there.
    pub(super) rows: LogicalPlan,
    pub(super) shape: Arc<Shape>,
}

/// Gives the rows of a source with a column that says since when they are there.
type Seen<'s> = dyn Fn(&str, &str) -> Result<LogicalPlan> + 's;

impl CarriedPlan {
    /// None where a function's values depend on the order of rows, or cannot be had
    /// again and again.
    pub(super) fn new(
        engine: &Engine,
        aggregate: &Aggregate,
        seen: &Seen<'_>,
        steps: usize,
    ) -> Result<Option<Self>> {
        let Grown { plan, since } =
            grown(&aggregate.input, &|source, name| Ok(seen(source, name)?))?;
        let Some(since) = since else { return Ok(None) };
        let whole = Aggregate::try_new(
            Arc::new(plan),
            aggregate.group_expr.clone(),
            aggregate.aggr_expr.clone(),
        )?;
        let bound = Arc::clone(whole.schema.inner());
        let LogicalPlan::Aggregate(typed) = engine.analysed(LogicalPlan::Aggregate(whole))? else {
            return Ok(None);
        };
        let mut values = Values::default();
        let calls = typed.aggr_expr.iter();
        let Some(calls) = calls.map(|it| values.call(it)).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let Some(calls) = values.lowered(engine, &calls, typed.input.schema())? else {
            return Ok(None);
        };
        let keys = typed.group_expr.len();
        let group = |(at, expr): (usize, &Expr)| expr.clone().unalias().alias(format!("k{at}"));
        let columns = typed.group_expr.iter().enumerate().map(group);
        let columns = columns.chain(values.columns()).chain([Expr::from(since)]);
        let rows = LogicalPlanBuilder::from(typed.input.as_ref().clone()).project(columns)?;
        let shape = Shape {
            groups: bound,
            values: values.schema(typed.input.schema())?,
            keys,
            calls,
            steps,
        };
        Ok(Some(Self {
            what: typed
                .aggr_expr
                .iter()
                .chain(&typed.group_expr)
                .map(|it| it.human_display().to_string())
                .collect::<Vec<_>>()
                .join(", "),
            rows: rows.build()?,
            shape: Arc::new(shape),
        }))
    }
}

/// The arguments and conditions of calls, each a column of the rows.
#[derive(Default)]
struct Values {
    all: Vec<Expr>,
}

impl Values {
    fn column(&mut self, expr: Expr) -> Expr {
        if matches!(expr, Expr::Literal(..)) {
            return expr;
        }
        let known = self.all.iter().position(|it| *it == expr);
        let place = known.unwrap_or_else(|| {
            self.all.push(expr);
            self.all.len() - 1
        });
        Expr::Column(Column::from_name(format!("v{place}")))
    }

    /// A call over the columns; none where it is of another kind.
    fn call(&mut self, expr: &Expr) -> Option<Expr> {
        let Expr::AggregateFunction(call) = expr.clone().unalias() else {
            return None;
        };
        let mut params = call.params;
        let args = std::mem::take(&mut params.args);
        params.args = args.into_iter().map(|it| self.column(it)).collect();
        params.filter = params.filter.map(|it| Box::new(self.column(*it)));
        let is_plain = params.order_by.is_empty() && params.null_treatment.is_none();
        let func = call.func;
        is_plain.then_some(Expr::AggregateFunction(AggregateFunction { func, params }))
    }

    fn columns(&self) -> impl Iterator<Item = Expr> {
        let all = self.all.iter().enumerate();
        all.map(|(place, expr)| expr.clone().alias(format!("v{place}")))
    }

    fn schema(&self, below: &DFSchema) -> PlanResult<Arc<Schema>> {
        use datafusion::logical_expr::ExprSchemable;
        let fields =
            self.all.iter().enumerate().map(|(place, expr)| {
                Ok(Field::new(format!("v{place}"), expr.get_type(below)?, true))
            });
        Ok(Arc::new(Schema::new(
            fields.collect::<PlanResult<Vec<_>>>()?,
        )))
    }

    /// The calls as they are computed; none where one of them cannot be carried.
    fn lowered(
        &self,
        engine: &Engine,
        calls: &[Expr],
        below: &DFSchema,
    ) -> PlanResult<Option<Vec<Call>>> {
        let physical = self.schema(below)?;
        let logical = DFSchema::try_from(Arc::clone(&physical))?;
        let state = engine.session.state();
        let context = PhysicalPlanningContext::default();
        let mut lowered = vec![];
        for call in calls {
            let builder = LoweredAggregateBuilder::new(
                call,
                &logical,
                &physical,
                state.execution_props(),
                &context,
            );
            let made = builder.build()?;
            let arguments = made.aggregate.expressions();
            let types = arguments.iter().map(|it| it.data_type(&physical));
            let types: Vec<DataType> = types.collect::<PlanResult<_>>()?;
            let call = match merges_exactly(&made.aggregate, &types) {
                true => Call::new(made.aggregate, made.filter),
                false => None,
            };
            match call {
                Some(call) => lowered.push(call),
                None => return Ok(None),
            }
        }
        Ok(Some(lowered))
    }
}
