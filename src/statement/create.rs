//! `CREATE SOURCE | ENTITY | FROZEN VIEW | SEGMENT | SEGMENTATION | CHECK | FUNCTION …`,
//! and `DIFF`, which says of a definition what `CREATE` would.

use datafusion::sql::parser::DFParser;
use datafusion::sql::sqlparser::ast::DataType;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::parse::{expect_word, name, take_word};
use super::{AsOf, Body, Create, Kind, Label, Name, OptionValue, Options, Parameter, Statement};
use crate::error::{Error, Result, Span};

/// Behind `CREATE [OR REPLACE] kind`.
pub(super) fn create(parser: &mut DFParser<'_>, kind: Kind, or_replace: bool) -> Result<Statement> {
    let create = definition(parser, kind, or_replace)?;
    Ok(Statement::Create(Box::new(create)))
}

/// `VIEW name AS OF 'date' AS query`, behind `CREATE [OR REPLACE] FROZEN`.
pub(super) fn frozen(parser: &mut DFParser<'_>, or_replace: bool) -> Result<Statement> {
    let next = parser.parser.peek_token();
    match take_word(parser, "VIEW") {
        true => create(parser, Kind::View, or_replace),
        false => Err(Error::new(format!("only a VIEW can be frozen, not {next}"))
            .at(Span::from_parser(next.span))
            .hint("freeze the view that a segment builds on; snapshots keep what a segment was")),
    }
}

/// `DIFF [SEGMENT | SEGMENTATION] name … AS query`. Which of the two it is says
/// what is defined by that name.
pub(super) fn diff(parser: &mut DFParser<'_>) -> Result<Statement> {
    parser.parser.next_token();
    let _ = take_word(parser, "SEGMENT") || take_word(parser, "SEGMENTATION");
    let create = definition(parser, Kind::Segmentation, true)?;
    Ok(Statement::Diff(Box::new(create)))
}

fn definition(parser: &mut DFParser<'_>, kind: Kind, or_replace: bool) -> Result<Create> {
    let if_not_exists = parser
        .parser
        .parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let defined = name(parser)?;
    let mut options = Options::default();
    let mut frozen = None;
    let body = match kind {
        Kind::Source => {
            parser.parser.expect_keyword(Keyword::FROM)?;
            let location = parser.parser.parse_literal_string()?;
            options = Options::parse(&mut parser.parser)?;
            Body::Location(location)
        }
        Kind::Entity => {
            parser.parser.expect_keyword(Keyword::FROM)?;
            let table = name(parser)?;
            expect_word(parser, "KEY")?;
            let key = parser.parser.parse_identifier()?;
            Body::Table { table, key }
        }
        Kind::Function => function(parser)?,
        _ => {
            options = Options::parse(&mut parser.parser)?;
            let labels = match kind {
                Kind::Segmentation => labels(parser)?,
                _ => vec![],
            };
            if kind == Kind::View {
                frozen = Some(as_of(parser)?);
            }
            parser.parser.expect_keyword(Keyword::AS)?;
            match kind == Kind::Segmentation && take_word(parser, "PRIORITY") {
                true => priority(parser, &mut options)?,
                false => Body::Query {
                    query: parser.parser.parse_query()?,
                    columns: vec![],
                    labels,
                },
            }
        }
    };
    Ok(Create {
        kind,
        name: defined,
        or_replace,
        if_not_exists,
        options,
        frozen,
        body,
    })
}

/// `AS OF 'date'`; `AS OF DATE 'date'` is what some type from habit.
fn as_of(parser: &mut DFParser<'_>) -> Result<AsOf> {
    expect_word(parser, "AS")
        .and_then(|()| expect_word(parser, "OF"))
        .map_err(|error| error.hint("CREATE FROZEN VIEW name AS OF '2025-12-31' AS query"))?;
    let _ = take_word(parser, "DATE") || take_word(parser, "TIMESTAMP");
    let span = Span::from_parser(parser.parser.peek_token().span);
    let text = parser.parser.parse_literal_string()?;
    Ok(AsOf { text, span })
}

fn labels(parser: &mut DFParser<'_>) -> Result<Vec<Label>> {
    let mut labels = vec![];
    if !take_word(parser, "LABELS") {
        return Ok(labels);
    }
    parser.parser.expect_token(&Token::LParen)?;
    loop {
        let name = match parser.parser.peek_token().token {
            Token::SingleQuotedString(_) => parser.parser.parse_literal_string()?,
            _ => parser.parser.parse_identifier()?.value,
        };
        let options = Options::parse(&mut parser.parser)?;
        labels.push(Label { name, options });
        if !parser.parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.parser.expect_token(&Token::RParen)?;
    Ok(labels)
}

/// `PRIORITY (segment, …) [OTHERWISE 'label']`.
fn priority(parser: &mut DFParser<'_>, options: &mut Options) -> Result<Body> {
    parser.parser.expect_token(&Token::LParen)?;
    let mut segments: Vec<Name> = vec![];
    loop {
        segments.push(name(parser)?);
        if !parser.parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.parser.expect_token(&Token::RParen)?;
    if take_word(parser, "OTHERWISE") {
        let label = parser.parser.parse_literal_string()?;
        options.add_default("otherwise", OptionValue::Text(label));
    }
    Ok(Body::Priority(segments))
}

/// `(x BIGINT, y) RETURNS BIGINT RETURN x + y`; also `AS x + y`, as DuckDB has it.
fn function(parser: &mut DFParser<'_>) -> Result<Body> {
    parser.parser.expect_token(&Token::LParen)?;
    let mut parameters = vec![];
    while !parser.parser.consume_token(&Token::RParen) {
        parameters.push(parameter(parser)?);
        if !parser.parser.consume_token(&Token::Comma) {
            parser.parser.expect_token(&Token::RParen)?;
            break;
        }
    }
    let returns = match take_word(parser, "RETURNS") {
        true => Some(parser.parser.parse_data_type()?),
        false => None,
    };
    if !take_word(parser, "AS") {
        expect_word(parser, "RETURN")?;
    }
    Ok(Body::Macro {
        parameters,
        returns,
        value: Box::new(parser.parser.parse_expr()?),
    })
}

/// A name with or without a type, or, as DataFusion has it, a type alone.
fn parameter(parser: &mut DFParser<'_>) -> Result<Parameter> {
    let alone = matches!(
        parser.parser.peek_nth_token(1).token,
        Token::Comma | Token::RParen | Token::LParen
    );
    if alone {
        let known = parser
            .parser
            .maybe_parse(|parser| match parser.parse_data_type()? {
                DataType::Custom(name, _) => Err(ParserError::ParserError(name.to_string())),
                known => Ok(known),
            })?;
        if known.is_some() {
            return Ok(Parameter {
                name: None,
                data_type: known,
            });
        }
    }
    let name = parser.parser.parse_identifier()?;
    let ends = matches!(
        parser.parser.peek_token().token,
        Token::Comma | Token::RParen
    );
    Ok(Parameter {
        name: Some(name),
        data_type: match ends {
            true => None,
            false => Some(parser.parser.parse_data_type()?),
        },
    })
}
