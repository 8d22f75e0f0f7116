//! Splits a script into statements by tokens.

use std::sync::Arc;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use crate::error::{Result, Script, Span};

/// The tokens of one statement.
pub(super) struct Fragment {
    /// All tokens from the first to the last that is not blank.
    pub(super) tokens: Vec<TokenWithSpan>,
    /// From the first token to the last.
    pub(super) span: Span,
    /// The comment lines right above.
    pub(super) comment: Option<String>,
}

/// The statements of a script, in order; empty ones are dropped.
pub(super) fn split(script: &Arc<Script>) -> Result<Vec<Fragment>> {
    let tokens = tokenize(&script.text).map_err(|error| error.within(script))?;
    Ok(tokens
        .split(|token| token.token == Token::SemiColon)
        .filter_map(fragment)
        .collect())
}

fn tokenize(text: &str) -> Result<Vec<TokenWithSpan>> {
    Ok(Tokenizer::new(&GenericDialect {}, text).tokenize_with_location()?)
}

/// Does the text end in a semicolon, outside of any string, identifier or
/// comment, or hold nothing but blanks? A shell reads on until it does.
pub fn is_complete(text: &str) -> bool {
    match tokenize(text) {
        Ok(tokens) => tokens
            .iter()
            .rev()
            .find(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
            .is_none_or(|last| last.token == Token::SemiColon),
        // What is wrong in a way that more text cannot mend is complete: the
        // parser then says what it is.
        Err(error) => !["unterminated", "unexpected eof"]
            .iter()
            .any(|open| error.message().to_lowercase().contains(open)),
    }
}

fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

fn fragment(tokens: &[TokenWithSpan]) -> Option<Fragment> {
    let first = tokens.iter().position(|token| !is_blank(token))?;
    let last = tokens.iter().rposition(|token| !is_blank(token))?;
    let start = Span::from_parser(tokens[first].span)?;
    let end = Span::from_parser(tokens[last].span)?;
    Some(Fragment {
        span: Span {
            start: start.start,
            end: end.end,
        },
        comment: comment_above(&tokens[..first]),
        tokens: tokens[first..=last].to_vec(),
    })
}

/// The block of comments that ends on the line above the statement; a blank
/// line parts it from what stands further up, such as a file's heading.
fn comment_above(blanks: &[TokenWithSpan]) -> Option<String> {
    let mut lines = vec![];
    let mut newlines = 0;
    for token in blanks.iter().rev() {
        match &token.token {
            Token::Whitespace(Whitespace::SingleLineComment { comment, .. }) => {
                lines.push(comment.trim().to_owned());
                newlines = 1;
            }
            Token::Whitespace(Whitespace::MultiLineComment(comment)) => {
                lines.extend(comment.lines().rev().map(|line| line.trim().to_owned()));
                newlines = 0;
            }
            Token::Whitespace(Whitespace::Newline) => newlines += 1,
            _ => {}
        }
        if newlines > 1
            && !matches!(
                token.token,
                Token::Whitespace(Whitespace::SingleLineComment { .. })
            )
        {
            break;
        }
    }
    lines.reverse();
    let text = lines.join(" ").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let script = Arc::new(Script::new("t", text));
        split(&script)
            .expect("splits")
            .iter()
            .map(|fragment| script.slice(fragment.span).to_owned())
            .collect()
    }

    #[test]
    fn semicolons_in_strings_names_and_comments_do_not_split() {
        assert_eq!(
            texts("select ';', \"a;b\" -- no; no\n; /* ; */ select '--x';;"),
            ["select ';', \"a;b\"", "select '--x'"]
        );
    }

    #[test]
    fn a_comment_belongs_to_the_statement_right_below() {
        let script = Arc::new(Script::new(
            "t",
            "-- heading\n\n-- who\n-- is in\nselect 1;",
        ));
        let fragments = split(&script).expect("splits");
        assert_eq!(fragments[0].comment.as_deref(), Some("who is in"));
    }

    #[test]
    fn completeness() {
        assert!(is_complete("select 1;"));
        assert!(is_complete("select 1; -- done"));
        assert!(is_complete("  "));
        assert!(!is_complete("select 1"));
        assert!(!is_complete("select ';"));
        assert!(!is_complete("select 1 /* ;"));
    }
}
