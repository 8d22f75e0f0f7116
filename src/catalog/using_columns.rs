//! Columns that `USING` merges: the planner takes their bare name for ambiguous in WHERE,
//! and everywhere when several joins merge it. There it stands for the column of the
//! table whose rows are all kept.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart,
    Query, Select, SelectItem, TableFactor, VisitMut, VisitorMut,
};

/// Qualifies them in every SELECT of a tree.
pub(super) fn qualify(tree: &mut impl VisitMut) {
    let _ = tree.visit(&mut Qualify);
}

struct Qualify;

impl VisitorMut for Qualify {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let [from] = select.from.as_slice() else {
            return ControlFlow::Continue(());
        };
        let merged = Merged::of(&from.relation, &from.joins);
        let often = merged.of_several_joins();
        if let Some(condition) = &mut select.selection {
            merged.put_into(condition);
        }
        if !often.owners.is_empty() {
            often.put_into_rest(select);
        }
        ControlFlow::Continue(())
    }
}

/// The table that each merged column is taken from, by the name of the column.
#[derive(Default)]
struct Merged {
    owners: BTreeMap<String, (Ident, usize)>,
}

impl Merged {
    fn of(first: &TableFactor, joins: &[Join]) -> Self {
        let mut merged = Self::default();
        let mut tables = vec![name_of(first)];
        for join in joins {
            let right = name_of(&join.relation);
            for (column, keeps_right) in columns(&join.join_operator) {
                let known = merged.owners.get(&column).cloned();
                let left = match (&known, tables.as_slice()) {
                    (Some((owner, _)), _) => Some(owner.clone()),
                    (None, [only]) => only.clone(),
                    // Which of several tables it is in is not known here.
                    (None, _) => None,
                };
                let owner = if keeps_right { right.clone() } else { left };
                if let Some(owner) = owner {
                    let times = known.map_or(0, |(_, times)| times) + 1;
                    merged.owners.insert(column, (owner, times));
                }
            }
            tables.push(right);
        }
        merged
    }

    fn of_several_joins(&self) -> Self {
        let often = self.owners.iter().filter(|(_, (_, times))| *times > 1);
        Self {
            owners: often
                .map(|(name, owner)| (name.clone(), owner.clone()))
                .collect(),
        }
    }

    fn put_into(&self, expr: &mut Expr) {
        if !self.owners.is_empty() {
            let mut put = Put {
                merged: self,
                depth: 0,
            };
            let _ = expr.visit(&mut put);
        }
    }

    fn put_into_rest(&self, select: &mut Select) {
        for item in &mut select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    self.put_into(expr);
                }
                _ => {}
            }
        }
        if let GroupByExpr::Expressions(by, _) = &mut select.group_by {
            by.iter_mut().for_each(|expr| self.put_into(expr));
        }
        if let Some(having) = &mut select.having {
            self.put_into(having);
        }
    }
}

/// Puts them into an expression, but not into queries inside of it, whose tables may
/// have columns of these names.
struct Put<'m> {
    merged: &'m Merged,
    depth: usize,
}

impl VisitorMut for Put<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let (Expr::Identifier(name), 0) = (&*expr, self.depth)
            && let Some((owner, _)) = self.merged.owners.get(&folded(name))
        {
            *expr = Expr::CompoundIdentifier(vec![owner.clone(), name.clone()]);
        }
        ControlFlow::Continue(())
    }
}

fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

/// What a table is called by; none where it cannot be said in a word.
fn name_of(table: &TableFactor) -> Option<Ident> {
    match table {
        TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } => Some(alias.name.clone()),
        TableFactor::Table {
            name, args: None, ..
        } => bare(name),
        _ => None,
    }
}

fn bare(name: &ObjectName) -> Option<Ident> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(only)] => Some(only.clone()),
        _ => None,
    }
}

/// The columns that a join merges, and whether it keeps all rows of its right side alone.
fn columns(join: &JoinOperator) -> Vec<(String, bool)> {
    let (constraint, keeps_right) = match join {
        JoinOperator::Join(it)
        | JoinOperator::Inner(it)
        | JoinOperator::Left(it)
        | JoinOperator::LeftOuter(it) => (it, false),
        JoinOperator::Right(it) | JoinOperator::RightOuter(it) => (it, true),
        _ => return vec![],
    };
    match constraint {
        JoinConstraint::Using(names) => {
            let names = names.iter().filter_map(bare);
            names.map(|name| (folded(&name), keeps_right)).collect()
        }
        _ => vec![],
    }
}
