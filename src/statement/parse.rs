//! Tokens of one statement → [`Statement`].

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::sql::parser::{DFParser, DFParserBuilder, Statement as SqlStatement};
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{self, ObjectName, ObjectType, Spanned};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::create::{create, diff, frozen};
use super::split::{Fragment, split};
use super::{Body, Create, Drop, Kind, Listing, Name, Options, Parsed, Statement};
use crate::error::{Error, Result, Script, Span, suggest};

/// How deep expressions and queries may nest; the parser's stack grows with it.
const RECURSION_LIMIT: usize = 200;

/// The statements of a script. A mistake is an error of that statement alone,
/// so that what stands before it can run; text that is no SQL at all (an
/// unclosed quote) fails as a whole.
pub fn parse(script: &Arc<Script>) -> Result<Vec<Result<Parsed>>> {
    Ok(split(script)?
        .into_iter()
        .map(|fragment| {
            let span = fragment.span;
            parse_one(fragment, script).map_err(|error| match error.message() {
                message if message.ends_with("found: EOF") => {
                    let expected = message.replace(", found: EOF", ", but the statement ends");
                    let (line, column) = span.end;
                    let end = Span::point(line, column);
                    Error::new(expected).at(Some(end)).within(script)
                }
                _ => error.at(Some(span)).within(script),
            })
        })
        .collect())
}

fn parse_one(fragment: Fragment, script: &Arc<Script>) -> Result<Parsed> {
    let Fragment {
        tokens,
        span,
        comment,
    } = fragment;
    let mut parser = DFParserBuilder::new(tokens)
        .with_recursion_limit(RECURSION_LIMIT)
        .build()?;
    let statement = match own_statement(&mut parser)? {
        Some(statement) => statement,
        None => adopt(parse_sql(&mut parser)?)?,
    };
    let next = parser.parser.peek_token();
    if next.token != Token::EOF {
        return Err(Error::new(format!(
            "the statement should end here, but '{next}' follows"
        ))
        .at(Span::from_parser(next.span))
        .hint("statements are separated by semicolons"));
    }
    Ok(Parsed {
        statement,
        text: script.slice(span).to_owned(),
        script: Arc::clone(script),
        span,
        comment,
    })
}

const FIRST_WORDS: [&str; 28] = [
    "SELECT",
    "WITH",
    "CREATE",
    "DROP",
    "SHOW",
    "DESCRIBE",
    "MATERIALIZE",
    "DIFF",
    "SET",
    "RESET",
    "EXPLAIN",
    "COPY",
    "INSERT",
    "UPDATE",
    "DELETE",
    "FROM",
    "VALUES",
    "TABLE",
    "ALTER",
    "INCLUDE",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "TRUNCATE",
    "DESC",
];

/// Statements of others that are typed from habit, with what says the same here.
const ELSEWHERE: [(&str, &str); 2] = [
    ("SUMMARIZE", "SELECT * FROM profile('name')"),
    (
        "PIVOT",
        "count(*) FILTER (WHERE column = 'value') for each value, in a SELECT with GROUP BY",
    ),
];

fn parse_sql(parser: &mut DFParser<'_>) -> Result<SqlStatement> {
    let first = parser.parser.peek_token();
    let word = first.to_string().to_uppercase();
    parser.parse_statement().map_err(|error| {
        let known = FIRST_WORDS.contains(&word.as_str())
            || !first.token.to_string().chars().all(char::is_alphabetic);
        let error = Error::from(error);
        let elsewhere = ELSEWHERE.iter().find(|(theirs, _)| *theirs == word);
        match (known, elsewhere) {
            (_, Some((_, here))) => error.hint(format!("here it is {here}")),
            (true, None) => error,
            (false, None) => error.hint_if(suggest(&word, FIRST_WORDS)),
        }
    })
}

/// Is the n-th token ahead this word, unquoted?
fn is_word(parser: &DFParser<'_>, n: usize, word: &str) -> bool {
    match parser.parser.peek_nth_token(n).token {
        Token::Word(found) => found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word),
        _ => false,
    }
}

pub(super) fn take_word(parser: &mut DFParser<'_>, word: &str) -> bool {
    let found = is_word(parser, 0, word);
    if found {
        parser.parser.next_token();
    }
    found
}

pub(super) fn expect_word(parser: &mut DFParser<'_>, word: &str) -> Result<()> {
    match take_word(parser, word) {
        true => Ok(()),
        false => {
            let found = parser.parser.peek_token();
            Err(Error::new(format!("expected {word}, found {found}"))
                .at(Span::from_parser(found.span)))
        }
    }
}

fn skip(parser: &mut DFParser<'_>, words: usize) {
    for _ in 0..words {
        parser.parser.next_token();
    }
}

fn own_kind(parser: &DFParser<'_>, n: usize) -> Option<Kind> {
    Kind::ALL
        .into_iter()
        .find(|kind| is_word(parser, n, kind.word()))
}

fn own_statement(parser: &mut DFParser<'_>) -> Result<Option<Statement>> {
    if is_word(parser, 0, "CREATE") {
        let or_replace = is_word(parser, 1, "OR") && is_word(parser, 2, "REPLACE");
        let at = if or_replace { 3 } else { 1 };
        // DuckDB's word for the same.
        let is_macro = is_word(parser, at, "MACRO").then_some(Kind::Function);
        if is_word(parser, at, "FROZEN") {
            skip(parser, at + 1);
            return frozen(parser, or_replace).map(Some);
        }
        return match own_kind(parser, at).or(is_macro) {
            None | Some(Kind::View) => Ok(None),
            Some(kind) => {
                skip(parser, at + 1);
                create(parser, kind, or_replace).map(Some)
            }
        };
    }
    if is_word(parser, 0, "DIFF") {
        return diff(parser).map(Some);
    }
    if is_word(parser, 0, "DROP") && is_word(parser, 1, "FROZEN") && is_word(parser, 2, "VIEW") {
        skip(parser, 1);
        return drop_statement(parser, Kind::View).map(Some);
    }
    if is_word(parser, 0, "DROP") {
        return match own_kind(parser, 1) {
            None | Some(Kind::View) => Ok(None),
            Some(kind) => drop_statement(parser, kind).map(Some),
        };
    }
    if is_word(parser, 0, "SHOW") && is_word(parser, 1, "segql") {
        skip(parser, 2);
        parser.parser.expect_token(&Token::Period)?;
        let span = Span::from_parser(parser.parser.peek_token().span);
        let setting = parser.parser.parse_identifier()?.value.to_lowercase();
        return Ok(Some(Statement::ShowSetting { setting, span }));
    }
    if is_word(parser, 0, "SHOW") {
        return Ok(show(parser));
    }
    if is_word(parser, 0, "DESCRIBE") || is_word(parser, 0, "DESC") {
        return describe(parser);
    }
    if take_word(parser, "MATERIALIZE") {
        let _ = take_word(parser, "SEGMENT") || take_word(parser, "SEGMENTATION");
        let name = name(parser)?;
        let to = match take_word(parser, "TO") {
            true => Some(parser.parser.parse_literal_string()?),
            false => None,
        };
        let options = Options::parse(&mut parser.parser)?;
        options.check_known("MATERIALIZE", &["restate", "force"])?;
        return Ok(Some(Statement::Materialize { name, to, options }));
    }
    if is_word(parser, 0, "INCLUDE") && is_word(parser, 1, "LIBRARY") {
        skip(parser, 2);
        let mut names = vec![name(parser)?];
        while parser.parser.consume_token(&Token::Comma) {
            names.push(name(parser)?);
        }
        return Ok(Some(Statement::Include(names)));
    }
    if is_word(parser, 0, "SET") && is_word(parser, 1, "TIME") && is_word(parser, 2, "ZONE") {
        skip(parser, 3);
        let span = Span::from_parser(parser.parser.peek_token().span);
        return Ok(Some(Statement::Set {
            setting: "time_zone".to_owned(),
            value: parser.parser.parse_literal_string()?,
            span,
        }));
    }
    if is_word(parser, 0, "SET") && is_word(parser, 1, "segql") {
        return set(parser).map(Some);
    }
    Ok(None)
}

fn drop_statement(parser: &mut DFParser<'_>, kind: Kind) -> Result<Statement> {
    skip(parser, 2);
    let if_exists = parser
        .parser
        .parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let name = name(parser)?;
    Ok(Statement::Drop(Drop {
        kind,
        name,
        if_exists,
    }))
}

/// `SHOW SEGMENTS`; what is not one of ours is DataFusion's.
fn show(parser: &mut DFParser<'_>) -> Option<Statement> {
    let plural = |kind: &Kind| match kind {
        Kind::Entity => "entities".to_owned(),
        kind => format!("{kind}s"),
    };
    if is_word(parser, 1, "FROZEN") && is_word(parser, 2, "VIEWS") {
        skip(parser, 3);
        return Some(Statement::Show(Listing::FrozenViews));
    }
    // SHOW FUNCTIONS is DataFusion's.
    let kind = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Function)
        .find(|kind| is_word(parser, 1, &plural(kind)))
        .map(Listing::Kind);
    let listing = if is_word(parser, 1, "TABLES") {
        Listing::Tables
    } else if is_word(parser, 1, "LIBRARIES") {
        Listing::Libraries
    } else {
        kind?
    };
    skip(parser, 2);
    Some(Statement::Show(listing))
}

fn describe(parser: &mut DFParser<'_>) -> Result<Option<Statement>> {
    let named = own_kind(parser, 1).is_some()
        && matches!(parser.parser.peek_nth_token(2).token, Token::Word(_));
    if !named && parser.parser.peek_nth_token(2).token == Token::LParen {
        return Ok(None);
    }
    if ["SELECT", "WITH", "VALUES"]
        .iter()
        .any(|word| is_word(parser, 1, word))
    {
        return Ok(None);
    }
    parser.parser.next_token();
    if named {
        parser.parser.next_token();
    }
    Ok(Some(Statement::Describe(name(parser)?)))
}

fn set(parser: &mut DFParser<'_>) -> Result<Statement> {
    skip(parser, 2);
    parser.parser.expect_token(&Token::Period)?;
    let setting = parser.parser.parse_identifier()?.value.to_lowercase();
    if !parser.parser.consume_token(&Token::Eq) {
        expect_word(parser, "TO")?;
    }
    let token = parser.parser.peek_token();
    // `SET segql.as_of = DATE '2026-01-31'` is what some type from habit.
    if is_word(parser, 0, "DATE") || is_word(parser, 0, "TIMESTAMP") {
        parser.parser.next_token();
    }
    let value = match parser.parser.next_token().token {
        Token::SingleQuotedString(text) | Token::Number(text, _) => text,
        Token::Word(word) => word.value,
        Token::Minus => format!("-{}", parser.parser.next_token()),
        _ => {
            return Err(
                Error::new(format!("segql.{setting} needs a text in quotes"))
                    .at(Span::from_parser(token.span)),
            );
        }
    };
    Ok(Statement::Set {
        setting,
        value,
        span: Span::from_parser(token.span),
    })
}

pub(super) fn name(parser: &mut DFParser<'_>) -> Result<Name> {
    let found = parser.parser.peek_token();
    let name = parser.parser.parse_object_name(false).map_err(|_| {
        Error::new(format!("a name was expected, found {found}")).at(Span::from_parser(found.span))
    })?;
    object_name(&name)
}

pub(super) fn object_name(name: &ObjectName) -> Result<Name> {
    let span = Span::from_parser(name.span());
    let text = match object_name_to_table_reference(name.clone(), true)? {
        TableReference::Bare { table } => table.to_string(),
        TableReference::Partial { schema, table } if &*schema == "public" => table.to_string(),
        other => other.to_string(),
    };
    match text.trim().is_empty() {
        true => Err(Error::new("a name cannot be empty").at(span)),
        false => Ok(Name { text, span }),
    }
}

/// Takes over what DataFusion's parser knows but segql does itself.
fn adopt(statement: SqlStatement) -> Result<Statement> {
    if let SqlStatement::Statement(inner) = &statement {
        match inner.as_ref() {
            ast::Statement::CreateView(view) if !view.materialized => {
                return Ok(Statement::Create(Box::new(view_of(view)?)));
            }
            ast::Statement::Drop {
                object_type: ObjectType::View,
                if_exists,
                names,
                ..
            } if names.len() == 1 => {
                return Ok(Statement::Drop(Drop {
                    kind: Kind::View,
                    name: object_name(&names[0])?,
                    if_exists: *if_exists,
                }));
            }
            _ => {}
        }
    }
    Ok(Statement::Sql(Box::new(statement)))
}

fn view_of(view: &ast::CreateView) -> Result<Create> {
    let options = match &view.options {
        ast::CreateTableOptions::With(options) => Options::adopt(options)?,
        _ => Options::default(),
    };
    Ok(Create {
        kind: Kind::View,
        name: object_name(&view.name)?,
        or_replace: view.or_replace,
        if_not_exists: view.if_not_exists,
        options,
        frozen: None,
        body: Body::Query {
            query: view.query.clone(),
            columns: view.columns.iter().map(|it| it.name.clone()).collect(),
            labels: vec![],
        },
    })
}
