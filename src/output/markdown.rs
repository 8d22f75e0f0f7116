//! Owns tables of GitHub-flavoured Markdown, numbers at the right. Refuses to
//! line the source up, which would mean to hold the whole result.
//!
//! Pipes, backslashes, backticks, asterisks and `<` are escaped, a line break
//! reads `\n`; underscores are left, as names of columns are full of them.

use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::cell::{Cells, escape_control, is_number};
use super::{Options, Renderer, Sink};

struct Markdown<'a> {
    out: Sink<'a>,
}

pub(super) fn open<'a>(
    schema: SchemaRef,
    _: &Options,
    mut out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    let (mut names, mut rule) = (String::from("|"), String::from("|"));
    for field in schema.fields() {
        push_cell(&mut names, &escape_control(field.name()));
        rule.push_str(if is_number(field.data_type()) {
            " ---: |"
        } else {
            " --- |"
        });
    }
    writeln!(out, "{names}\n{rule}")?;
    Ok(Box::new(Markdown { out }))
}

impl Renderer for Markdown<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let columns = batch
            .columns()
            .iter()
            .map(|array| Cells::new(array))
            .collect::<io::Result<Vec<_>>>()?;
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            line.push('|');
            for cells in &columns {
                push_cell(&mut line, &cells.get(row).text);
            }
            line.push('\n');
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

fn push_cell(line: &mut String, text: &str) {
    line.push(' ');
    for c in text.chars() {
        if matches!(c, '\\' | '|' | '`' | '*' | '<') {
            line.push('\\');
        }
        line.push(c);
    }
    line.push_str(" |");
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::{batch, customers, render, texts};

    #[test]
    fn numbers_stand_right_and_null_is_told_from_the_empty_text() {
        let batch = customers();
        assert_eq!(
            render(Format::Markdown, &batch.schema(), &[batch]),
            "| id | name | spend | score |\n\
             | ---: | --- | ---: | ---: |\n\
             | 1 | Żaneta Wójcik | 1234.50 | 0.5 |\n\
             | -9007199254740993 |  | -0.05 | NaN |\n\
             | 3 | NULL | NULL | NULL |\n\
             | NULL | a,\"b\"\\\\n\\|\\\\t'c' | 99999999999999999999.99 | -1e300 |\n"
        );
    }

    #[test]
    fn markup_is_escaped_in_names_too() {
        let batch = batch(vec![("a|b", texts(&["<b>", "`x` *y*", "a_b", "c:\\|"]))]);
        assert_eq!(
            render(Format::Markdown, &batch.schema(), &[batch]),
            "| a\\|b |\n| --- |\n| \\<b> |\n| \\`x\\` \\*y\\* |\n| a_b |\n| c:\\\\\\| |\n"
        );
    }

    #[test]
    fn an_empty_result_is_a_header() {
        assert_eq!(
            render(Format::Markdown, &customers().schema(), &[]),
            "| id | name | spend | score |\n| ---: | --- | ---: | ---: |\n"
        );
    }
}
