//! What expressions compute, as text: the same text computes the same.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Operator, Volatility};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr,
    Literal, NegativeExpr, NotExpr, TryCastExpr,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

/// `column <= value`, whose value the text leaves out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    /// Place of the column in the scanned table.
    pub(super) column: usize,
    pub(super) value: ScalarValue,
    /// Is the value itself within the limit?
    pub(super) inclusive: bool,
}

/// The text so far, and the limits it leaves out.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    pub(super) limits: Vec<Limit>,
}

impl Text {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// A part with its length, so that no two lists of parts look the same.
    pub(super) fn add(&mut self, part: &str) {
        let _ = writeln!(self.text, "{}:{part}", part.len());
    }

    /// An expression whose value depends on its columns alone; `None` if it is not
    /// known to.
    pub(super) fn expression(&mut self, expression: &Arc<dyn PhysicalExpr>) -> Option<()> {
        self.walk(expression, None)
    }

    /// A condition on rows: upper limits of times are left out. `origins` says which
    /// column of the table each column is.
    pub(super) fn condition(
        &mut self,
        condition: &Arc<dyn PhysicalExpr>,
        origins: &[Option<usize>],
    ) -> Option<()> {
        self.walk(condition, Some(origins))
    }

    fn walk(
        &mut self,
        expression: &Arc<dyn PhysicalExpr>,
        origins: Option<&[Option<usize>]>,
    ) -> Option<()> {
        let mut known = true;
        let visited = expression.apply(|node| {
            if let Some(limit) = origins.and_then(|origins| limit(node, origins)) {
                let text = format!("limit {} {}", limit.column, limit.inclusive);
                self.limits.push(limit);
                self.add(&text);
                return Ok(TreeNodeRecursion::Jump);
            }
            match describe(node.as_ref()) {
                // In this order, with the number of children, there is one tree only.
                Some(text) => self.add(&format!("{text} {}", node.children().len())),
                None => known = false,
            }
            Ok(match known {
                true => TreeNodeRecursion::Continue,
                false => TreeNodeRecursion::Stop,
            })
        });
        (known && visited.is_ok()).then_some(())
    }
}

/// A comparison of a time with a literal above it.
fn limit(node: &Arc<dyn PhysicalExpr>, origins: &[Option<usize>]) -> Option<Limit> {
    let comparison = node.downcast_ref::<BinaryExpr>()?;
    let (column, operator, literal) = match comparison.left().downcast_ref::<Column>() {
        Some(column) => (column, *comparison.op(), comparison.right()),
        None => (
            comparison.right().downcast_ref::<Column>()?,
            comparison.op().swap()?,
            comparison.left(),
        ),
    };
    let inclusive = match operator {
        Operator::LtEq => true,
        Operator::Lt => false,
        _ => return None,
    };
    let value = literal.downcast_ref::<Literal>()?.value().clone();
    let is_time = matches!(
        value.data_type(),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
    );
    let column = (*origins.get(column.index())?)?;
    (is_time && !value.is_null()).then_some(Limit {
        column,
        value,
        inclusive,
    })
}

/// What a node does, without its children.
fn describe(node: &dyn PhysicalExpr) -> Option<String> {
    if let Some(column) = node.downcast_ref::<Column>() {
        return Some(format!("column {}", column.index()));
    }
    if let Some(literal) = node.downcast_ref::<Literal>() {
        let value = literal.value();
        return Some(format!("literal {value:?} {:?}", value.data_type()));
    }
    if let Some(binary) = node.downcast_ref::<BinaryExpr>() {
        return Some(format!("binary {:?}", binary.op()));
    }
    if let Some(cast) = node.downcast_ref::<CastExpr>() {
        return Some(format!(
            "cast {:?} {:?}",
            cast.cast_type(),
            cast.cast_options()
        ));
    }
    if let Some(cast) = node.downcast_ref::<TryCastExpr>() {
        return Some(format!("try_cast {:?}", cast.cast_type()));
    }
    if let Some(list) = node.downcast_ref::<InListExpr>() {
        return Some(format!("in {}", list.negated()));
    }
    if let Some(like) = node.downcast_ref::<LikeExpr>() {
        return Some(format!(
            "like {} {}",
            like.negated(),
            like.case_insensitive()
        ));
    }
    if let Some(case) = node.downcast_ref::<CaseExpr>() {
        let (base, other) = (case.expr().is_some(), case.else_expr().is_some());
        return Some(format!(
            "case {base} {} {other}",
            case.when_then_expr().len()
        ));
    }
    if let Some(call) = node.downcast_ref::<ScalarFunctionExpr>() {
        return function(call);
    }
    let plain = [
        (node.is::<IsNullExpr>(), "is null"),
        (node.is::<IsNotNullExpr>(), "is not null"),
        (node.is::<NotExpr>(), "not"),
        (node.is::<NegativeExpr>(), "negative"),
    ];
    let mut found = plain.into_iter().filter(|(is, _)| *is);
    found.next().map(|(_, name)| name.to_owned())
}

/// A function with all that it was made with, such as a moment it goes by.
fn function(call: &ScalarFunctionExpr) -> Option<String> {
    let function = call.fun();
    // A stable one depends on settings; the time zone is part of the key, and the
    // time of the query was put in as a literal before.
    if function.signature().volatility == Volatility::Volatile {
        return None;
    }
    Some(format!(
        "function {} {:?} {:?}",
        call.name(),
        function.inner(),
        call.return_type()
    ))
}
