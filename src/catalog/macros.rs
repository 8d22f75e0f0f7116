//! SQL macros: `CREATE FUNCTION margin(price, cost) RETURN (price - cost) / price`.
//!
//! A call is replaced in the syntax tree by the macro's expression, its arguments
//! in the place of its parameters, before anything is planned. So a macro knows
//! the as-of and variables of the query that calls it, and costs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, Spanned, Value, ValueWithSpan, VisitMut, visit_expressions_mut,
};
use datafusion::sql::sqlparser::tokenizer;

use super::{Catalog, Definition, definition};
use crate::error::{Error, Result, Span};
use crate::statement::{Body, Kind, Parameter};

/// How deep macros may call each other; deeper is a circle.
const MAX_DEPTH: usize = 64;

/// How long the text of a macro may become when all it calls is put in.
const MAX_BYTES: usize = 1 << 20;

/// Puts macros in the place of their calls.
pub(super) fn expand<T: VisitMut>(tree: &mut T, catalog: &Catalog) -> Result<()> {
    if catalog.of_kind(Kind::Function).next().is_none() {
        return Ok(());
    }
    expand_at(tree, catalog, 0)
}

fn expand_at<T: VisitMut>(tree: &mut T, catalog: &Catalog, depth: usize) -> Result<()> {
    let flow = visit_expressions_mut(tree, |expr| {
        let Expr::Function(call) = expr else {
            return ControlFlow::Continue(());
        };
        let Some(called) = catalog.function(&call.name.to_string()) else {
            return ControlFlow::Continue(());
        };
        let span = call.name.span();
        match value_of(call, called, catalog, depth) {
            Ok(value) => {
                *expr = value;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error.at(Span::from_parser(span))),
        }
    });
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

impl Catalog {
    /// The macro of a name.
    pub(super) fn function(&self, name: &str) -> Option<&Definition> {
        let id = definition::id(Kind::Function, &name.to_lowercase());
        self.find_id(&id).map(AsRef::as_ref)
    }

    /// All macros that a definition calls, those they call included.
    pub fn functions_below(&self, definition: &Definition) -> BTreeMap<String, &Definition> {
        let mut found = BTreeMap::new();
        let mut open: Vec<&Definition> = vec![];
        let mut next = Some(definition);
        while let Some(caller) = next {
            let called = caller.calls.iter().filter_map(|name| self.function(name));
            for function in called {
                if found.insert(function.id(), function).is_none() {
                    open.push(function);
                }
            }
            next = open.pop();
        }
        found
    }
}

fn value_of(call: &Function, called: &Definition, catalog: &Catalog, depth: usize) -> Result<Expr> {
    let name = &called.name;
    let Body::Macro {
        parameters,
        returns,
        value,
    } = &called.create.body
    else {
        return Err(Error::new(format!("'{name}' is no function")));
    };
    if depth > MAX_DEPTH {
        return Err(
            Error::new(format!("function {name} calls itself in a circle"))
                .hint("a function may call others, not itself"),
        );
    }
    if call.over.is_some() || call.filter.is_some() {
        return Err(Error::new(format!(
            "{name} is a function of values: OVER and FILTER belong inside it"
        )));
    }
    let arguments = arguments(call, name, parameters)?;
    let mut body = value.as_ref().clone();
    move_to(&mut body, call.name.span());
    put_in(&mut body, &arguments);
    // Behind its own parameters: those of what it calls are none of its columns.
    expand_at(&mut body, catalog, depth + 1)?;
    if body.to_string().len() > MAX_BYTES {
        return Err(Error::new(format!(
            "function {name} grows beyond measure where it is put in"
        ))
        .hint("functions that call others several times multiply; make a view of a step"));
    }
    let body = Expr::Nested(Box::new(body));
    Ok(match returns {
        Some(data_type) => cast(body, data_type),
        None => body,
    })
}

/// The arguments by the name of their parameter, and by `$1`, `$2`, ….
fn arguments(
    call: &Function,
    name: &str,
    parameters: &[Parameter],
) -> Result<BTreeMap<String, Expr>> {
    let given = match &call.args {
        FunctionArguments::List(list) if list.clauses.is_empty() => list.args.as_slice(),
        FunctionArguments::None => &[],
        _ => return Err(Error::new(format!("{name} takes plain arguments"))),
    };
    if given.len() != parameters.len() {
        let expected: Vec<String> = parameters.iter().map(shown).collect();
        return Err(Error::new(format!(
            "{name} takes {} arguments, not {}",
            parameters.len(),
            given.len()
        ))
        .hint(format!("it is {name}({})", expected.join(", "))));
    }
    let mut arguments = BTreeMap::new();
    for (index, (argument, parameter)) in given.iter().zip(parameters).enumerate() {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = argument else {
            return Err(Error::new(format!(
                "{name} takes plain arguments, not {argument}"
            )));
        };
        let value = Expr::Nested(Box::new(value.clone()));
        let value = match &parameter.data_type {
            Some(data_type) => cast(value, data_type),
            None => value,
        };
        if let Some(name) = &parameter.name {
            arguments.insert(folded(name), value.clone());
            arguments.insert(format!("${}", folded(name)), value.clone());
        }
        arguments.insert(format!("${}", index + 1), value);
    }
    Ok(arguments)
}

fn shown(parameter: &Parameter) -> String {
    match (&parameter.name, &parameter.data_type) {
        (Some(name), Some(data_type)) => format!("{name} {data_type}"),
        (Some(name), None) => name.to_string(),
        (None, Some(data_type)) => data_type.to_string(),
        (None, None) => String::new(),
    }
}

fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

fn cast(value: Expr, data_type: &DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(value),
        data_type: data_type.clone(),
        array: false,
        format: None,
    }
}

fn put_in(body: &mut Expr, arguments: &BTreeMap<String, Expr>) {
    let _ = visit_expressions_mut(body, |expr| {
        let name = match expr {
            Expr::Identifier(name) => folded(name),
            Expr::Value(ValueWithSpan {
                value: Value::Placeholder(name),
                ..
            }) => name.to_lowercase(),
            _ => return ControlFlow::<()>::Continue(()),
        };
        if let Some(argument) = arguments.get(&name) {
            *expr = argument.clone();
        }
        ControlFlow::Continue(())
    });
}

/// Mistakes inside a macro are shown at its call: its own text lies elsewhere.
fn move_to(body: &mut Expr, place: tokenizer::Span) {
    let _ = visit_expressions_mut(body, |expr| {
        match expr {
            Expr::Identifier(name) => name.span = place,
            Expr::CompoundIdentifier(names) => names.iter_mut().for_each(|it| it.span = place),
            Expr::Value(value) => value.span = place,
            Expr::Function(call) => {
                for part in &mut call.name.0 {
                    if let ast::ObjectNamePart::Identifier(name) = part {
                        name.span = place;
                    }
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

/// A macro's parameters have different names, and its expression asks no table.
pub(super) fn check(parameters: &[Parameter], value: &Expr) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in parameters.iter().filter_map(|it| it.name.as_ref()) {
        if !seen.insert(folded(name)) {
            return Err(Error::new(format!("parameter {name} is given twice"))
                .at(Span::from_parser(name.span)));
        }
    }
    let flow = ast::visit_expressions(value, |expr| match expr {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
            ControlFlow::Break(Span::from_parser(expr.span()))
        }
        _ => ControlFlow::Continue(()),
    });
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(span) => Err(Error::new("a function cannot ask a table")
            .at(span)
            .hint("make a view, and join it")),
    }
}
