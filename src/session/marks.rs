//! Columns that say of each row of a plan whether a subquery has rows for it.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchemaRef, JoinType, Result as PlanResult, plan_err};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr_rewriter::replace_col;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit, scalar_subquery};
use datafusion::optimizer::decorrelate::PullUpCorrelatedExpr;

/// The name that [`valued`] gives to the values of a subquery.
pub(super) const VALUE: &str = "__value";

/// The first column of a subquery under a name that no table has.
pub(super) fn valued(subquery: &Arc<LogicalPlan>) -> PlanResult<Arc<LogicalPlan>> {
    let Some(column) = subquery.schema().columns().into_iter().next() else {
        return plan_err!("the subquery of IN has no column");
    };
    let plan = LogicalPlanBuilder::from(subquery.as_ref().clone())
        .project([Expr::from(column).alias(VALUE)])?
        .build()?;
    Ok(Arc::new(plan))
}

/// What a column of the plan that is called as that of a mark join is called meanwhile.
const OWN_MARK: &str = "__own_mark";

fn own_mark() -> Column {
    Column::new_unqualified("mark")
}

/// A column on its way below a mark join, and back.
fn renamed(column: Column) -> (Expr, Expr) {
    match column == own_mark() {
        true => {
            let meanwhile = Expr::Column(Column::new_unqualified(OWN_MARK));
            (
                Expr::Column(column).alias(OWN_MARK),
                meanwhile.alias("mark"),
            )
        }
        false => (Expr::Column(column.clone()), Expr::Column(column)),
    }
}

/// A plan that gets a column for each question.
pub(super) struct Marks<'a> {
    plan: LogicalPlan,
    /// How many names were made so far.
    made: &'a Cell<usize>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(plan: LogicalPlan, made: &'a Cell<usize>) -> Self {
        Self { plan, made }
    }

    pub(super) fn schema(&self) -> &DFSchemaRef {
        self.plan.schema()
    }

    pub(super) fn into_plan(self) -> LogicalPlan {
        self.plan
    }

    /// Has the subquery any rows, for this row of the plan?
    pub(super) fn exists(&mut self, subquery: &Arc<LogicalPlan>) -> PlanResult<Expr> {
        if !subquery.all_out_ref_exprs().is_empty() {
            return self.join(subquery, None);
        }
        let any = LogicalPlanBuilder::from(subquery.as_ref().clone())
            .limit(0, Some(1))?
            .aggregate(Vec::<Expr>::new(), [count(lit(1_i64))])?
            .build()?;
        let name = self.next_name();
        self.project(scalar_subquery(Arc::new(any)).gt(lit(0_i64)), &name)
    }

    /// Has the subquery, which is [`valued`], this value?
    pub(super) fn matching(&mut self, x: &Expr, values: &Arc<LogicalPlan>) -> PlanResult<Expr> {
        self.join(values, Some(x))
    }

    /// A mark join. Its column is called `mark`, which the plan's own must not be.
    fn join(&mut self, subquery: &Arc<LogicalPlan>, x: Option<&Expr>) -> PlanResult<Expr> {
        let name = self.next_name();
        let mut pull_up = PullUpCorrelatedExpr::new().with_exists_sub_query(x.is_none());
        let right = subquery.as_ref().clone().rewrite(&mut pull_up).data()?;
        if !pull_up.can_pull_up {
            return plan_err!(
                "this subquery depends on the query around it in a way that IN and EXISTS cannot \
                 have in a SELECT list; write it as a LEFT JOIN"
            );
        }
        let of_subquery = |column: &str| Column::new(Some(name.as_str()), column);
        let outer = pull_up.correlated_subquery_cols_map.into_values().flatten();
        let mut moves: HashMap<Column, Column> = outer
            .map(|column| (column.clone(), of_subquery(&column.name)))
            .collect();
        moves.extend(Some((own_mark(), Column::new_unqualified(OWN_MARK))));
        let mut on = pull_up.join_filters;
        on.extend(x.map(|x| x.clone().eq(Expr::Column(of_subquery(VALUE)))));
        let on = conjunction(on).unwrap_or_else(|| lit(true));
        let on = replace_col(on, &moves.iter().collect())?;

        let columns = self.plan.schema().columns();
        let (hidden, shown): (Vec<Expr>, Vec<Expr>) = columns.into_iter().map(renamed).unzip();
        let mark = Expr::Column(of_subquery("mark")).alias(&name);
        let right = LogicalPlanBuilder::from(right).alias(name.as_str())?;
        self.plan = LogicalPlanBuilder::from(self.plan.clone())
            .project(hidden)?
            .join_on(right.build()?, JoinType::LeftMark, [on])?
            .project(shown.into_iter().chain([mark]))?
            .build()?;
        Ok(Expr::Column(Column::new_unqualified(name)))
    }

    /// Adds a column to the plan.
    fn project(&mut self, expr: Expr, name: &str) -> PlanResult<Expr> {
        let columns = self.plan.schema().columns().into_iter().map(Expr::from);
        self.plan = LogicalPlanBuilder::from(self.plan.clone())
            .project(columns.chain([expr.alias(name)]))?
            .build()?;
        Ok(Expr::Column(Column::new_unqualified(name)))
    }

    fn next_name(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("__subquery_{}", self.made.get())
    }
}
