//! An aggregate taken apart: the rows it reads, with the date since which each is
//! there, and the functions that are fed with them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result as PlanResult, ScalarValue, plan_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::aggregate::LoweredAggregateBuilder;

use super::Engine;
use crate::error::Result;
use crate::exec::carried::{Call, Moving, Shape};
use crate::exec::incremental::merges_exactly;
use crate::plan::{Alike, Groups, Grown, grown};

/// What it takes to carry an aggregate.
pub(super) struct CarriedPlan {
    /// What is computed, in a few words.
    pub(super) what: String,
    /// Its rows: keys, values, and the place of the date since which they are there.
    pub(super) rows: LogicalPlan,
    pub(super) shape: Arc<Shape>,
    alike: Alike,
    /// The rows before they are grouped, as they were bound.
    below: Arc<LogicalPlan>,
    /// Columns of these that rows have as values.
    values: Values,
    /// The conditions and calls that are the same at every date, by their place.
    conditions: Vec<Option<Expr>>,
    calls: Vec<Option<Expr>>,
}

/// Gives the rows of a source with a column that says since when they are there.
type Seen<'s> = dyn Fn(&str, &str) -> Result<LogicalPlan> + 's;

/// What two dates have in common, by its place.
fn same(first: &[Expr], second: &[Expr]) -> Vec<Option<Expr>> {
    let pairs = first.iter().zip(second);
    pairs.map(|(a, b)| (a == b).then(|| a.clone())).collect()
}

/// What is not the same at every date.
fn others(all: &[Expr], same: &[Option<Expr>]) -> Vec<Expr> {
    let pairs = all.iter().zip(same);
    let others = pairs.filter(|(_, same)| same.is_none());
    others.map(|(expr, _)| expr.clone()).collect()
}

fn agrees(all: &[Expr], same: &[Option<Expr>]) -> bool {
    let mut pairs = all.iter().zip(same);
    all.len() == same.len() && pairs.all(|(expr, same)| same.as_ref().is_none_or(|it| it == expr))
}

impl CarriedPlan {
    /// From the same aggregate at two dates; none where a function's values depend on
    /// the order of rows.
    pub(super) fn new(
        engine: &Engine,
        (first, second): (&Groups, &Groups),
        seen: &Seen<'_>,
        steps: usize,
    ) -> Result<Option<Self>> {
        let alike = first.alike.clone();
        let Grown { plan, since } = grown(&alike.rows, &|source, name| Ok(seen(source, name)?))?;
        let Some(since) = since else { return Ok(None) };
        let conditions = same(&first.conditions, &second.conditions);
        let mut calls = same(&first.calls, &second.calls);
        let counts = conditions.iter().any(Option::is_none);
        if counts {
            // Every call is over other rows.
            calls.fill(None);
        }
        let always = conjunction(conditions.iter().flatten().cloned());
        let below = LogicalPlanBuilder::from(plan);
        let below = Arc::new(match always {
            Some(always) => below.filter(always)?.build()?,
            None => below.build()?,
        });
        let moving = moving(first, &conditions, &calls);
        let of_all = calls.iter().flatten().cloned().chain(moving).collect();
        let Some(typed) = typed(engine, &below, &alike.by, of_all)? else {
            return Ok(None);
        };
        let mut values = Values::default();
        let steady = calls.iter().flatten().count();
        let (stable, moving) = typed.aggr_expr.split_at(steady);
        let stable = stable.iter().map(|call| values.call(call));
        let Some(stable) = stable.collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        moving.iter().for_each(|call| values.add_columns(call));
        let mut lowered = vec![];
        for call in &stable {
            match values.lowered(engine, call, typed.input.schema())? {
                Some(call) => lowered.push(call),
                None => return Ok(None),
            }
        }
        for call in moving {
            let call = values.put_columns(call.clone())?;
            if values
                .lowered(engine, &call, typed.input.schema())?
                .is_none()
            {
                return Ok(None);
            }
        }
        let key = |(at, expr): (usize, &Expr)| expr.clone().unalias().alias(format!("k{at}"));
        let columns = typed.group_expr.iter().enumerate().map(key);
        let columns = columns.chain(values.columns()).chain([Expr::from(since)]);
        let rows = LogicalPlanBuilder::from(typed.input.as_ref().clone()).project(columns)?;
        let mut lowered = lowered.into_iter();
        let bound = Aggregate::try_new(Arc::clone(&below), alike.by.clone(), first.calls.clone())?;
        let shape = Shape {
            groups: Arc::clone(bound.schema.inner()),
            values: values.schema(typed.input.schema())?,
            keys: alike.by.len(),
            calls: calls
                .iter()
                .map(|it| it.as_ref().and_then(|_| lowered.next()))
                .collect(),
            counts,
            steps,
        };
        Ok(Some(Self {
            what: about(first),
            rows: rows.build()?,
            shape: Arc::new(shape),
            alike,
            below,
            values,
            conditions,
            calls,
        }))
    }

    /// What is another at the date of these groups; none where they are not carried
    /// after all.
    pub(super) fn moving(&self, engine: &Engine, groups: &Groups) -> Result<Option<Moving>> {
        let is_it = groups.alike == self.alike
            && agrees(&groups.conditions, &self.conditions)
            && agrees(&groups.calls, &self.calls);
        if !is_it {
            return Ok(None);
        }
        let calls = moving(groups, &self.conditions, &self.calls);
        if calls.is_empty() {
            return Ok(Some(Moving::default()));
        }
        let Some(typed) = typed(engine, &self.below, &self.alike.by, calls)? else {
            return Ok(None);
        };
        let mut lowered = vec![];
        for call in &typed.aggr_expr {
            let call = self.values.put_columns(call.clone())?;
            match self.values.lowered(engine, &call, typed.input.schema())? {
                Some(call) => lowered.push(call),
                None => return Ok(None),
            }
        }
        let count = if self.shape.counts {
            lowered.pop()
        } else {
            None
        };
        Ok(Some(Moving {
            calls: lowered,
            count,
        }))
    }
}

fn about(groups: &Groups) -> String {
    let all = |exprs: &[Expr]| {
        let shown = exprs.iter().map(|it| it.human_display().to_string());
        shown.collect::<Vec<_>>().join(", ")
    };
    format!("{} by {}", all(&groups.calls), all(&groups.alike.by))
}

/// The calls that are others at every date, over the rows that its conditions choose;
/// last, where there are such conditions, the count of these rows.
fn moving(groups: &Groups, conditions: &[Option<Expr>], calls: &[Option<Expr>]) -> Vec<Expr> {
    let chosen = conjunction(others(&groups.conditions, conditions));
    let mut moving = others(&groups.calls, calls);
    if chosen.is_some() {
        let count = AggregateFunction::new_udf(
            count_udaf(),
            vec![lit(ScalarValue::Int64(Some(1)))],
            false,
            None,
            vec![],
            None,
        );
        moving.push(Expr::AggregateFunction(count).alias("segql rows"));
    }
    let within = |expr: Expr| {
        let within = expr.transform_down(|expr| match (expr, &chosen) {
            (Expr::AggregateFunction(mut call), Some(chosen)) => {
                let own = call.params.filter.take().map(|own| *own);
                let both = own.into_iter().chain([chosen.clone()]);
                call.params.filter = conjunction(both).map(Box::new);
                Ok(Transformed::complete(Expr::AggregateFunction(call)))
            }
            (expr, _) => Ok(Transformed::no(expr)),
        });
        within.map(|it| it.data)
    };
    // Nothing in the walk can fail.
    moving
        .into_iter()
        .filter_map(|expr| within(expr).ok())
        .collect()
}

/// The aggregate with the types its arguments will have.
fn typed(
    engine: &Engine,
    below: &Arc<LogicalPlan>,
    by: &[Expr],
    calls: Vec<Expr>,
) -> PlanResult<Option<Aggregate>> {
    let named = calls.into_iter().enumerate().map(|(place, call)| {
        // Two may be called the same.
        call.unalias().alias(format!("call {place}"))
    });
    let aggregate = Aggregate::try_new(Arc::clone(below), by.to_vec(), named.collect())?;
    match engine.analysed(LogicalPlan::Aggregate(aggregate))? {
        LogicalPlan::Aggregate(aggregate) => Ok(Some(aggregate)),
        _ => Ok(None),
    }
}

/// What calls read of the rows: arguments and conditions, or, of calls that are others
/// at every date, the columns in them.
#[derive(Default)]
struct Values {
    all: Vec<Expr>,
}

fn name(place: usize) -> String {
    format!("v{place}")
}

impl Values {
    fn place(&self, expr: &Expr) -> Option<usize> {
        self.all.iter().position(|known| known == expr)
    }

    fn column(&mut self, expr: Expr) -> Expr {
        if matches!(expr, Expr::Literal(..)) {
            return expr;
        }
        let place = self.place(&expr).unwrap_or_else(|| {
            self.all.push(expr);
            self.all.len() - 1
        });
        Expr::Column(Column::from_name(name(place)))
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

    fn add_columns(&mut self, call: &Expr) {
        let mut columns: Vec<&Column> = call.column_refs().into_iter().collect();
        columns.sort();
        for column in columns {
            self.column(Expr::Column(column.clone()));
        }
    }

    /// An expression over the columns of values.
    fn put_columns(&self, expr: Expr) -> PlanResult<Expr> {
        let put = |expr: Expr| match &expr {
            Expr::Column(_) => match self.place(&expr) {
                Some(place) => Ok(Transformed::yes(Expr::Column(Column::from_name(name(
                    place,
                ))))),
                None => plan_err!("a column that was not kept"),
            },
            _ => Ok(Transformed::no(expr)),
        };
        Ok(expr.unalias().transform(put)?.data)
    }

    fn columns(&self) -> impl Iterator<Item = Expr> {
        let all = self.all.iter().enumerate();
        all.map(|(place, expr)| expr.clone().alias(name(place)))
    }

    fn schema(&self, below: &DFSchema) -> PlanResult<Arc<Schema>> {
        let fields = self.all.iter().enumerate();
        let fields = fields.map(|(at, expr)| Ok(Field::new(name(at), expr.get_type(below)?, true)));
        Ok(Arc::new(Schema::new(
            fields.collect::<PlanResult<Vec<_>>>()?,
        )))
    }

    /// A call as it is computed; none where it cannot be carried.
    fn lowered(&self, engine: &Engine, call: &Expr, below: &DFSchema) -> PlanResult<Option<Call>> {
        let physical = self.schema(below)?;
        let logical = DFSchema::try_from(Arc::clone(&physical))?;
        let state = engine.session.state();
        let simple = SimplifyContext::builder()
            .with_schema(Arc::new(logical.clone()))
            .with_config_options(Arc::clone(state.config_options()))
            .with_current_time()
            .build();
        let call = ExprSimplifier::new(simple).simplify(call.clone())?;
        let context = PhysicalPlanningContext::default();
        let props = state.execution_props();
        let builder = LoweredAggregateBuilder::new(&call, &logical, &physical, props, &context);
        let made = builder.build()?;
        let arguments = made.aggregate.expressions();
        let types = arguments.iter().map(|it| it.data_type(&physical));
        let types: Vec<DataType> = types.collect::<PlanResult<_>>()?;
        Ok(match merges_exactly(&made.aggregate, &types) {
            true => Call::new(made.aggregate, made.filter),
            false => None,
        })
    }
}
