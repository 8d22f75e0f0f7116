//! Which columns of a plan are personal (or demographic, or sensitive), because a
//! source says so of the column they come from.
//!
//! A column keeps its nature through views, joins, groups, casts, aliases and
//! whatever is computed from it: `upper(email)`, `max(phone)` and `phone + 0` are
//! personal. Only what says how many, how long or whether does not carry it on:
//! `count(email)`, `length(email)`, `email IS NULL`, `CASE WHEN email IS NULL THEN …`.
//! Of what is demographic or sensitive, whatever is computed from it is.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ExprSchema, JoinType};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, LogicalPlan};

use super::inputs::Inputs;
use crate::source::SourceOptions;

/// A source or definition, and its column.
pub(super) type Origin = (String, String);

/// What a source says of columns, and what goes with them through views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Personal,
    Demographic,
    Sensitive,
}

impl Nature {
    pub(super) const ALL: [Nature; 3] = [Self::Personal, Self::Demographic, Self::Sensitive];

    fn columns(self, options: &SourceOptions) -> &[String] {
        match self {
            Nature::Personal => &options.personal,
            Nature::Demographic => &options.demographic,
            Nature::Sensitive => &options.sensitive,
        }
    }
}

/// Does any source call a column so?
pub(super) fn is_declared(inputs: &Inputs, nature: Nature) -> bool {
    let mut opened = inputs.sources.values().flatten();
    opened.any(|(_, options)| !nature.columns(options).is_empty())
}

/// The columns that a source calls so; none of what is no source.
pub(super) fn declared(inputs: &Inputs, source: &str, nature: Nature) -> BTreeSet<Origin> {
    let Some(Ok((_, options))) = inputs.sources.get(source) else {
        return BTreeSet::new();
    };
    let columns = nature.columns(options).iter();
    columns
        .map(|column| (source.to_owned(), column.clone()))
        .collect()
}

/// The names of a plan's columns that come from one of these.
pub(super) fn columns(
    plan: &LogicalPlan,
    declared: &BTreeSet<Origin>,
    nature: Nature,
) -> BTreeSet<String> {
    let fields = plan.schema().fields();
    let personal = Personal {
        declared,
        around: None,
        whether_is_nothing: nature == Nature::Personal,
    };
    (0..fields.len())
        .filter(|index| is_personal(plan, *index, personal))
        .map(|index| fields[index].name().clone())
        .collect()
}

/// What is known to be personal at some place of a plan.
#[derive(Clone, Copy)]
struct Personal<'p> {
    declared: &'p BTreeSet<Origin>,
    /// Of a subquery: the rows around it, whose columns it may mention.
    around: Option<&'p Around<'p>>,
    /// Do how many, how long and whether say nothing of it?
    whether_is_nothing: bool,
}

struct Around<'p> {
    plan: &'p LogicalPlan,
    personal: Personal<'p>,
}

impl Personal<'_> {
    /// Is a column of the rows around personal? One that nobody knows may be.
    fn outer(self, column: &Column) -> bool {
        let mut next = self.around;
        while let Some(around) = next {
            if let Some(index) = around.plan.schema().maybe_index_of_column(column) {
                return is_personal(around.plan, index, around.personal);
            }
            next = around.personal.around;
        }
        true
    }
}

fn is_personal(plan: &LogicalPlan, index: usize, personal: Personal<'_>) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let name = plan.schema().field(index).name().clone();
            let origin = (scan.table_name.table().to_owned(), name);
            personal.declared.contains(&origin)
        }
        LogicalPlan::Projection(projection) => {
            of_expr(&projection.expr[index], &projection.input, personal)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let input = &aggregate.input;
            let Ok(by) = grouping_set_to_exprlist(&aggregate.group_expr) else {
                return anything(plan, personal);
            };
            // Behind the columns of GROUPING SETS stands the number of the set.
            let sets = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
            match by.get(index) {
                Some(expr) => of_expr(expr, input, personal),
                None if sets && index == by.len() => false,
                None => {
                    let expr = aggregate
                        .aggr_expr
                        .get(index - by.len() - usize::from(sets));
                    expr.is_some_and(|expr| of_expr(expr, input, personal))
                }
            }
        }
        LogicalPlan::Distinct(Distinct::On(on)) => {
            let expr = on.select_expr.get(index);
            expr.is_some_and(|expr| of_expr(expr, &on.input, personal))
        }
        LogicalPlan::Window(window) => {
            let below = window.input.schema().fields().len();
            match index.checked_sub(below) {
                None => is_personal(&window.input, index, personal),
                Some(own) => of_expr(&window.window_expr[own], &window.input, personal),
            }
        }
        LogicalPlan::Join(join) => {
            let left = join.left.schema().fields().len();
            let right_only = matches!(
                join.join_type,
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
            );
            // The right side may be LATERAL.
            let around = Around {
                plan: &join.left,
                personal,
            };
            let beside = Personal {
                around: Some(&around),
                ..personal
            };
            match index.checked_sub(left).filter(|_| !right_only) {
                None if right_only => is_personal(&join.right, index, beside),
                None => is_personal(&join.left, index, personal),
                Some(index) if index < join.right.schema().fields().len() => {
                    is_personal(&join.right, index, beside)
                }
                // The mark of a mark join.
                Some(_) => false,
            }
        }
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Distinct(Distinct::All(_))
        | LogicalPlan::Values(_)
        | LogicalPlan::EmptyRelation(_) => plan
            .inputs()
            .iter()
            .any(|input| is_personal(input, index, personal)),
        LogicalPlan::Subquery(query) => is_personal(&query.subquery, index, personal),
        // Whatever else there is: better to leave too much out than too little.
        other => anything(other, personal),
    }
}

/// Is any column below personal?
fn anything(plan: &LogicalPlan, personal: Personal<'_>) -> bool {
    plan.inputs().iter().any(|input| {
        (0..input.schema().fields().len()).any(|index| is_personal(input, index, personal))
    })
}

/// Does a subquery in an expression hand out anything personal?
fn of_subqueries(expr: &Expr, input: &LogicalPlan, personal: Personal<'_>) -> bool {
    let around = Around {
        plan: input,
        personal,
    };
    let within = Personal {
        around: Some(&around),
        ..personal
    };
    expr.exists(|part| {
        Ok(match part {
            Expr::ScalarSubquery(query) => is_personal(&query.subquery, 0, within),
            _ => false,
        })
    })
    .unwrap_or(true)
}

/// The columns of the rows around that an expression mentions.
fn outer_columns(expr: &Expr) -> Vec<(&Column, bool)> {
    let mut found = vec![];
    let _ = expr.apply(|part| {
        if let Expr::OuterReferenceColumn(field, column) = part {
            found.push((column, field.data_type() == &DataType::Boolean));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// Functions that say how many or how long.
const COUNTS: [&str; 6] = [
    "count",
    "approx_distinct",
    "character_length",
    "octet_length",
    "bit_length",
    "regexp_count",
];

/// Of a column as it stands: the length of something computed may be anything.
fn counts(expr: &Expr) -> bool {
    let (name, args) = match expr {
        Expr::AggregateFunction(call) => (call.func.name(), &call.params.args),
        Expr::ScalarFunction(call) => (call.func.name(), &call.args),
        Expr::WindowFunction(call) if call.params.order_by.is_empty() => {
            (call.fun.name(), &call.params.args)
        }
        _ => return false,
    };
    let plain = |arg: &Expr| {
        matches!(
            arg,
            Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::Literal(..)
        )
    };
    COUNTS.contains(&name) && args.iter().all(plain)
}

fn of_expr(expr: &Expr, input: &LogicalPlan, personal: Personal<'_>) -> bool {
    let of_column = |column: &Column| {
        let found = input.schema().maybe_index_of_column(column);
        found.is_some_and(|index| is_personal(input, index, personal))
    };
    match expr {
        Expr::Alias(alias) => of_expr(&alias.expr, input, personal),
        Expr::Cast(cast) => of_expr(&cast.expr, input, personal),
        Expr::TryCast(cast) => of_expr(&cast.expr, input, personal),
        Expr::Column(column) => of_column(column),
        Expr::OuterReferenceColumn(_, column) => personal.outer(column),
        computed if !personal.whether_is_nothing => {
            let mut outer = outer_columns(computed).into_iter();
            computed.column_refs().into_iter().any(of_column)
                || outer.any(|(column, _)| personal.outer(column))
                || of_subqueries(computed, input, personal)
        }
        // What is chosen says who; what it is chosen by only says whether.
        Expr::Case(case) => {
            let whens = case.when_then_expr.iter();
            let parts = whens.flat_map(|(when, then)| [when.as_ref(), then.as_ref()]);
            let rest = case.expr.iter().chain(&case.else_expr).map(AsRef::as_ref);
            parts.chain(rest).any(|part| of_expr(part, input, personal))
        }
        computed => {
            let schema = input.schema();
            let is_flag = |column: &Column| {
                let field = schema.field_from_column(column);
                field.is_ok_and(|field| field.data_type() == &DataType::Boolean)
            };
            let names = computed.column_refs();
            let outer = outer_columns(computed);
            let says_who = match computed.get_type(schema) {
                // Of a personal truth value, another truth value says it all.
                Ok(DataType::Boolean) => {
                    let mut outer = outer.iter();
                    !matches!(computed, Expr::IsNull(_) | Expr::IsNotNull(_))
                        && (names
                            .iter()
                            .any(|column| is_flag(column) && of_column(column))
                            || outer.any(|(column, flag)| *flag && personal.outer(column)))
                }
                _ => {
                    let mut outer = outer.iter();
                    !counts(computed)
                        && (names.into_iter().any(of_column)
                            || outer.any(|(column, _)| personal.outer(column)))
                }
            };
            says_who
                || computed.get_type(schema).ok() != Some(DataType::Boolean)
                    && of_subqueries(computed, input, personal)
        }
    }
}
