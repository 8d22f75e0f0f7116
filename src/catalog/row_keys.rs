//! Which columns tell the rows of a plan apart, as far as can be known without
//! looking at them.
//!
//! Known from: GROUP BY and DISTINCT, the keys that sources declare, the keys of
//! entities and segments; carried through views, joins and projections. What is
//! not known costs an analyst a word (a key, a longer ORDER BY), never a wrong
//! result.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Distinct, Expr, Filter, Join, LogicalPlan, Operator};

/// Positions of columns in a plan's output.
pub(super) type Columns = BTreeSet<usize>;

/// Gives the declared key columns of what is called by a name.
pub(super) type Declared<'d> = &'d dyn Fn(&str) -> Vec<Vec<String>>;

/// The alias that a definition's own rows have below whatever they are called.
pub(super) fn mark(name: &str) -> TableReference {
    TableReference::bare(format!("{MARK}{name}"))
}

/// The definition whose rows these are.
pub fn marked(plan: &LogicalPlan) -> Option<&str> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => alias.alias.table().strip_prefix(MARK),
        _ => None,
    }
}

/// No name begins so by accident.
const MARK: &str = "definition of ";

/// Sets of columns of which no two rows have the same values. The empty set says
/// that there is one row at most.
pub(super) fn row_keys(plan: &LogicalPlan, declared: Declared<'_>) -> Vec<Columns> {
    smallest(all_row_keys(plan, declared))
}

/// How many keys of a plan are followed up: joins would multiply them.
const MAX_KEYS: usize = 16;

/// The keys without those that have more columns than another needs.
fn smallest(mut keys: Vec<Columns>) -> Vec<Columns> {
    keys.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let mut kept: Vec<Columns> = vec![];
    for key in keys {
        if kept.len() < MAX_KEYS && !kept.iter().any(|smaller| smaller.is_subset(&key)) {
            kept.push(key);
        }
    }
    kept
}

fn all_row_keys(plan: &LogicalPlan, declared: Declared<'_>) -> Vec<Columns> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let below = row_keys(&projection.input, declared);
            let sources: Vec<Option<usize>> = projection
                .expr
                .iter()
                .map(|expr| position(expr, &projection.input))
                .collect();
            moved(&below, &sources)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let by = &aggregate.group_expr;
            match by.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
                true => vec![],
                false => vec![(0..by.len()).collect()],
            }
        }
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let mut keys = row_keys(input, declared);
            keys.push((0..plan.schema().fields().len()).collect());
            keys
        }
        LogicalPlan::Distinct(Distinct::On(on)) => {
            let found = on.on_expr.iter().map(|expr| {
                let selected = on.select_expr.iter().map(plain);
                selected.into_iter().position(|it| it == plain(expr))
            });
            found.collect::<Option<Columns>>().into_iter().collect()
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let mut keys = row_keys(&alias.input, declared);
            let fields = plan.schema().fields();
            for names in marked(plan).map(declared).unwrap_or_default() {
                let positions = names
                    .iter()
                    .map(|name| fields.iter().position(|field| field.name() == name));
                keys.extend(positions.collect::<Option<Columns>>());
            }
            keys
        }
        LogicalPlan::Join(join) => of_join(join, declared),
        LogicalPlan::Filter(filter) => {
            // A column that has one value only tells nothing apart.
            let constant = constants(filter);
            let mut keys = row_keys(&filter.input, declared);
            for key in &mut keys {
                key.retain(|column| !constant.contains(column));
            }
            keys
        }
        LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Repartition(_) => plan
            .inputs()
            .first()
            .map(|input| row_keys(input, declared))
            .unwrap_or_default(),
        LogicalPlan::EmptyRelation(_) => vec![Columns::new()],
        LogicalPlan::Values(values) if values.values.len() < 2 => vec![Columns::new()],
        _ => vec![],
    }
}

/// Do these expressions put the rows of a plan into one order only? Rows that
/// are the same in every column may change places unseen.
pub(super) fn tell_apart<'e>(
    expressions: impl IntoIterator<Item = &'e Expr>,
    plan: &LogicalPlan,
    declared: Declared<'_>,
) -> bool {
    let given: Columns = expressions
        .into_iter()
        .filter_map(|expr| position(expr, plan))
        .collect();
    given.len() == plan.schema().fields().len()
        || row_keys(plan, declared)
            .iter()
            .any(|key| key.is_subset(&given))
}

/// Which column of the plan an expression is, if it is one.
fn position(expr: &Expr, plan: &LogicalPlan) -> Option<usize> {
    match plain(expr) {
        Expr::Column(column) => plan.schema().maybe_index_of_column(column),
        _ => None,
    }
}

fn plain(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => plain(&alias.expr),
        other => other,
    }
}

/// The keys that are still there when the columns at `sources` are kept.
fn moved(keys: &[Columns], sources: &[Option<usize>]) -> Vec<Columns> {
    let place = |column: &usize| sources.iter().position(|source| source == &Some(*column));
    keys.iter()
        .filter_map(|key| key.iter().map(place).collect())
        .collect()
}

fn of_join(join: &Join, declared: Declared<'_>) -> Vec<Columns> {
    let left = row_keys(&join.left, declared);
    match join.join_type {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => return left,
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            return row_keys(&join.right, declared);
        }
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {}
    }
    let width = join.left.schema().fields().len();
    let right: Vec<Columns> = row_keys(&join.right, declared)
        .into_iter()
        .map(|key| key.into_iter().map(|column| column + width).collect())
        .collect();
    let pairs = equal_columns(join, width);
    let on_left: Columns = pairs.iter().map(|(left, _)| *left).collect();
    let on_right: Columns = pairs.iter().map(|(_, right)| *right).collect();
    let one_right = right.iter().any(|key| key.is_subset(&on_right));
    let one_left = left.iter().any(|key| key.is_subset(&on_left));
    let mut keys = vec![];
    if one_right && matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        keys.extend(left.iter().cloned());
    }
    if one_left && matches!(join.join_type, JoinType::Inner | JoinType::Right) {
        keys.extend(right.iter().cloned());
    }
    // Unmatched rows of both sides have NULL for the other's key.
    let both = left.iter().filter(|_| join.join_type != JoinType::Full);
    for mine in both {
        keys.extend(
            right
                .iter()
                .map(|theirs| mine.union(theirs).copied().collect()),
        );
    }
    if join.join_type == JoinType::Inner {
        keys.extend(renamed(&keys, &pairs));
    }
    keys
}

/// The same keys by the columns that are equal to theirs.
fn renamed(keys: &[Columns], pairs: &[(usize, usize)]) -> Vec<Columns> {
    let swap = |key: &Columns, from: usize, to: usize| -> Option<Columns> {
        let mut other = key.clone();
        other.remove(&from).then(|| {
            other.insert(to);
            other
        })
    };
    let both = pairs.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
    both.flat_map(|(from, to)| keys.iter().filter_map(move |key| swap(key, from, to)))
        .collect()
}

/// The columns that a filter gives one value by `column = literal`.
fn constants(filter: &Filter) -> Columns {
    let schema = filter.input.schema();
    let fixed = |column: &Expr, value: &Expr| {
        let Expr::Literal(value, _) = value else {
            return None;
        };
        let index = position(column, &filter.input)?;
        same_when_equal(schema.field(index).data_type(), &value.data_type()).then_some(index)
    };
    split_conjunction(&filter.predicate)
        .into_iter()
        .filter_map(|condition| match condition {
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Eq,
                right,
            }) => fixed(left, right).or_else(|| fixed(right, left)),
            _ => None,
        })
        .collect()
}

/// Are values of these types the same whenever `=` says so? Between a text and a
/// number it does not: '01' and '1' both equal 1.
fn same_when_equal(a: &DataType, b: &DataType) -> bool {
    let is_text = |it: &DataType| {
        matches!(
            it,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        )
    };
    a == b || is_text(a) && is_text(b) || a.is_integer() && b.is_integer()
}

/// Pairs of columns that a join's condition makes the same.
fn equal_columns(join: &Join, width: usize) -> Vec<(usize, usize)> {
    let left = |expr: &Expr| position(expr, &join.left);
    let right = |expr: &Expr| position(expr, &join.right).map(|column| column + width);
    let mut pairs: Vec<(usize, usize)> = join
        .on
        .iter()
        .filter_map(|(a, b)| Some((left(a)?, right(b)?)))
        .collect();
    for condition in join.filter.iter().flat_map(split_conjunction) {
        if let Expr::BinaryExpr(BinaryExpr {
            left: a,
            op: Operator::Eq,
            right: b,
        }) = condition
        {
            let straight = left(a).zip(right(b));
            pairs.extend(straight.or_else(|| left(b).zip(right(a))));
        }
    }
    let left = join.left.schema();
    let right = join.right.schema();
    pairs.retain(|(a, b)| {
        same_when_equal(
            left.field(*a).data_type(),
            right.field(*b - width).data_type(),
        )
    });
    pairs
}

/// The names of columns, for a hint.
pub(super) fn names(columns: &Columns, plan: &LogicalPlan) -> Vec<String> {
    let name = |index: &usize| {
        let (relation, field) = plan.schema().qualified_field(*index);
        Column::new(relation.cloned(), field.name()).name
    };
    columns.iter().map(name).collect()
}
