//! `CREATE SOURCE | ENTITY | SEGMENT | SEGMENTATION | CHECK …`.

use datafusion::sql::parser::DFParser;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::parse::{expect_word, name, take_word};
use super::{Body, Create, Kind, Label, Options, Statement};
use crate::error::Result;

pub(super) fn create(parser: &mut DFParser<'_>, kind: Kind, or_replace: bool) -> Result<Statement> {
    for _ in 0..if or_replace { 4 } else { 2 } {
        parser.parser.next_token();
    }
    let defined = name(parser)?;
    let mut options = Options::default();
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
        _ => {
            options = Options::parse(&mut parser.parser)?;
            let labels = match kind {
                Kind::Segmentation => labels(parser)?,
                _ => vec![],
            };
            parser.parser.expect_keyword(Keyword::AS)?;
            Body::Query {
                query: parser.parser.parse_query()?,
                columns: vec![],
                labels,
            }
        }
    };
    Ok(Statement::Create(Box::new(Create {
        kind,
        name: defined,
        or_replace,
        options,
        body,
    })))
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
