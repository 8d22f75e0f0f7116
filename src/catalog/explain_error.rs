//! Errors of the planner that say too little about functions: which kind one
//! is, and where the call stands.

use std::ops::ControlFlow;

use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Spanned, Visit, Visitor};

use crate::error::{Error, Span, suggest};

/// What SHOW lists beside settings.
const LISTINGS: [&str; 8] = [
    "sources",
    "entities",
    "views",
    "segments",
    "segmentations",
    "checks",
    "tables",
    "libraries",
];

/// What is typed from habit, with its equivalent.
const ELSEWHERE: [(&str, &str); 6] = [
    (
        "date_diff",
        "days_since(from, to), or hours_since(from, to)",
    ),
    ("datediff", "days_since(from, to), or hours_since(from, to)"),
    (
        "strptime",
        "to_timestamp(text, '%d.%m.%Y %H:%M'), or to_date(text, '%d.%m.%Y')",
    ),
    ("strftime", "to_char(time, '%d.%m.%Y')"),
    ("getdate", "as_of_ts()"),
    ("sysdate", "as_of_ts()"),
];

/// Completes an error about a function called in `tree`.
pub(super) fn complete(error: Error, tree: &impl Visit, state: &SessionState) -> Error {
    let message = error.message();
    if message.contains("is not a variable which can be viewed with") {
        let shown = message.split('\'').nth(1).unwrap_or_default().to_owned();
        return Error::new(format!("there is nothing called '{shown}' to show"))
            .hint_if(suggest(&shown, LISTINGS))
            .hint(format!(
                "SHOW knows {}; SHOW ALL lists the settings",
                LISTINGS.join(", ")
            ));
    }
    let unknown = message
        .strip_prefix("invalid function '")
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(name) = unknown
        && state.window_functions().contains_key(name)
    {
        return Error::new(format!("{name} is a window function"))
            .at(call(tree, name))
            .hint(format!("write {name}(…) OVER ()"));
    }
    if let Some(name) = unknown
        && let Some((_, equivalent)) = ELSEWHERE
            .iter()
            .find(|(theirs, _)| theirs.eq_ignore_ascii_case(name))
    {
        return Error::new(format!("invalid function '{name}'"))
            .at(call(tree, name))
            .hint(format!("here it is {equivalent}"));
    }
    // Messages of functions begin with their name.
    let first = message
        .split([' ', ':', '('])
        .next()
        .unwrap_or_default()
        .to_owned();
    match call(tree, &first) {
        Some(span) => error.at(Some(span)),
        None => error,
    }
}

/// The first call of a function.
fn call(tree: &impl Visit, name: &str) -> Option<Span> {
    struct Find<'n>(&'n str);
    impl Visitor for Find<'_> {
        type Break = Option<Span>;
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Option<Span>> {
            match expr {
                Expr::Function(call) if is_named(&call.name, self.0) => {
                    ControlFlow::Break(Span::from_parser(call.name.span()))
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match tree.visit(&mut Find(name)) {
        ControlFlow::Break(span) => span,
        ControlFlow::Continue(()) => None,
    }
}

fn is_named(found: &ObjectName, name: &str) -> bool {
    found.to_string().eq_ignore_ascii_case(name)
}
