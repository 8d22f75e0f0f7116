//! Owns the drawing of a table: box, names over SQL types, aligned cells, the
//! count below. Refuses to choose rows.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};

use super::Options;
use super::cell::{Cell, escape_control, is_number};
use super::layout::{Slot, Wish, cut, fit, width};
use crate::sql_type::sql_type_name;

/// A column of text may be cut down to this before columns are left out.
const LEAST_TEXT: usize = 12;
/// Numbers and times are cut only beyond this, since a part of one misleads.
const LONGEST_WHOLE: usize = 40;

pub(super) struct Frame {
    names: Vec<Cell>,
    types: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
    right: Vec<bool>,
    slots: Vec<Slot>,
    color: bool,
}

impl Frame {
    pub(super) fn new(schema: &Schema, rows: Vec<Vec<Cell>>, options: &Options) -> Self {
        let fields = schema.fields();
        let named = |field: &FieldRef| Cell::plain(&escape_control(field.name()));
        let typed =
            |field: &FieldRef| Cell::dim(&escape_control(&sql_type_name(field.data_type())));
        let mut frame = Self {
            names: fields.iter().map(named).collect(),
            types: fields.iter().map(typed).collect(),
            rows,
            right: fields
                .iter()
                .map(|field| is_number(field.data_type()))
                .collect(),
            slots: Vec::new(),
            color: options.color,
        };
        let wishes = fields
            .iter()
            .enumerate()
            .map(|(i, field)| frame.wish(i, field));
        frame.slots = fit(&wishes.collect::<Vec<_>>(), options.width);
        frame
    }

    fn wish(&self, i: usize, field: &Field) -> Wish {
        let header = width(&self.names[i].text).max(width(&self.types[i].text));
        let cells = self
            .rows
            .iter()
            .map(|row| width(&row[i].text))
            .max()
            .unwrap_or(0);
        let full = cells.max(header);
        let whole = if is_whole(field.data_type()) {
            cells.min(LONGEST_WHOLE)
        } else {
            0
        };
        let least = full.min(LEAST_TEXT).max(whole);
        Wish { full, least }
    }

    /// The table, and below it how many rows there are and how many of them,
    /// and of the columns, are not shown.
    pub(super) fn draw(&self, rows: usize, hidden: usize) -> String {
        let mut text = String::new();
        if !self.slots.is_empty() {
            self.push_rule(&mut text, '┌', '┬', '┐');
            self.push_row(&mut text, &self.names);
            self.push_row(&mut text, &self.types);
            self.push_rule(&mut text, '├', '┼', '┤');
            for row in &self.rows {
                self.push_row(&mut text, row);
            }
            self.push_rule(&mut text, '└', '┴', '┘');
        }
        text.push_str(&counted(rows, "row", rows - hidden));
        let shown = self.slots.iter().filter(|slot| **slot != Slot::Gap).count();
        if shown < self.names.len() {
            text.push_str(&format!(", {}", counted(self.names.len(), "column", shown)));
        }
        text.push('\n');
        text
    }

    fn push_rule(&self, text: &mut String, left: char, cross: char, right: char) {
        for (i, slot) in self.slots.iter().enumerate() {
            text.push(if i == 0 { left } else { cross });
            text.push_str(&"─".repeat(slot.width() + 2));
        }
        text.push(right);
        text.push('\n');
    }

    fn push_row(&self, text: &mut String, cells: &[Cell]) {
        for slot in &self.slots {
            text.push_str("│ ");
            match *slot {
                Slot::Column(i, width) => self.push_cell(text, &cells[i], width, self.right[i]),
                Slot::Gap => text.push('…'),
            }
            text.push(' ');
        }
        text.push_str("│\n");
    }

    fn push_cell(&self, text: &mut String, cell: &Cell, room: usize, right: bool) {
        let shown = cut(&cell.text, room);
        let blank = " ".repeat(room - width(&shown));
        let shown = if cell.is_dim && self.color {
            format!("\x1b[2m{shown}\x1b[0m")
        } else {
            shown.into_owned()
        };
        let (first, last) = if right {
            (blank, shown)
        } else {
            (shown, blank)
        };
        text.push_str(&first);
        text.push_str(&last);
    }
}

fn is_whole(data_type: &DataType) -> bool {
    is_number(data_type) || data_type.is_temporal()
}

/// `3 rows`, or `12,345 rows (40 shown)`.
fn counted(n: usize, noun: &str, shown: usize) -> String {
    let plural = if n == 1 { "" } else { "s" };
    let all = format!("{} {noun}{plural}", grouped(n));
    if shown == n {
        all
    } else {
        format!("{all} ({} shown)", grouped(shown))
    }
}

fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::{batch, customers, nested, render, table, texts};
    use super::*;
    use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use std::sync::Arc;

    fn narrow(width: usize) -> Options {
        Options {
            width: Some(width),
            ..Options::default()
        }
    }

    #[test]
    fn names_types_alignment_and_null() {
        assert_eq!(
            table(&Options::default(), &customers()),
            r#"┌───────────────────┬───────────────┬─────────────────────────┬────────┐
│                id │ name          │                   spend │  score │
│            BIGINT │ VARCHAR       │           DECIMAL(22,2) │ DOUBLE │
├───────────────────┼───────────────┼─────────────────────────┼────────┤
│                 1 │ Żaneta Wójcik │                 1234.50 │    0.5 │
│ -9007199254740993 │               │                   -0.05 │    NaN │
│                 3 │ NULL          │                    NULL │   NULL │
│              NULL │ a,"b"\n|\t'c' │ 99999999999999999999.99 │ -1e300 │
└───────────────────┴───────────────┴─────────────────────────┴────────┘
4 rows
"#
        );
    }

    #[test]
    fn an_empty_result_has_its_header_and_count() {
        let schema = nested().schema();
        assert_eq!(
            render(Format::Table, &schema, &[]),
            "\
┌───────────────────────────────────────────────┬───────────┬──────────────────────┐
│ rfm                                           │ tags      │ limits               │
│ STRUCT(r INTEGER, label STRUCT(text VARCHAR)) │ VARCHAR[] │ MAP(INTEGER, DOUBLE) │
├───────────────────────────────────────────────┼───────────┼──────────────────────┤
└───────────────────────────────────────────────┴───────────┴──────────────────────┘
0 rows
"
        );
        assert_eq!(
            render(Format::Table, &Arc::new(Schema::empty()), &[]),
            "0 rows\n"
        );
    }

    #[test]
    fn wide_letters_keep_the_frame() {
        let names = [
            "Żółć",
            "Любомир",
            "客户细分",
            "👩‍👩‍👧‍👦 x",
            "e\u{301}a",
            "\x1b[31mred",
        ];
        assert_eq!(
            table(&Options::default(), &batch(vec![("имя", texts(&names))])),
            "\
┌─────────────┐
│ имя         │
│ VARCHAR     │
├─────────────┤
│ Żółć        │
│ Любомир     │
│ 客户细分    │
│ 👩‍👩‍👧‍👦 x        │
│ e\u{301}a          │
│ \\x1b[31mred │
└─────────────┘
6 rows
"
        );
    }

    #[test]
    fn colour_dims_null_and_types_but_not_the_word() {
        let names: ArrayRef = Arc::new(datafusion::arrow::array::StringArray::from(vec![
            None,
            Some("NULL"),
        ]));
        let options = Options {
            color: true,
            ..Options::default()
        };
        assert_eq!(
            table(&options, &batch(vec![("name", names)])),
            "┌─────────┐\n\
             │ name    │\n\
             │ \x1b[2mVARCHAR\x1b[0m │\n\
             ├─────────┤\n\
             │ \x1b[2mNULL\x1b[0m    │\n\
             │ 'NULL'  │\n\
             └─────────┘\n\
             2 rows\n"
        );
    }

    fn many_columns() -> RecordBatch {
        let names: Vec<String> = (1..=20).map(|i| format!("column_{i}")).collect();
        let number: ArrayRef = Arc::new(Int64Array::from(vec![-7]));
        let text = texts(&["a text that is longer than its column"]);
        let array = |i: usize| {
            if i.is_multiple_of(2) {
                text.clone()
            } else {
                number.clone()
            }
        };
        batch(
            names
                .iter()
                .enumerate()
                .map(|(i, name)| (name.as_str(), array(i)))
                .collect(),
        )
    }

    #[test]
    fn columns_are_left_out_of_the_middle() {
        assert_eq!(
            table(&narrow(60), &many_columns()),
            "\
┌───────────────┬──────────┬───┬───────────────┬───────────┐
│ column_1      │ column_2 │ … │ column_19     │ column_20 │
│ VARCHAR       │   BIGINT │ … │ VARCHAR       │    BIGINT │
├───────────────┼──────────┼───┼───────────────┼───────────┤
│ a text that … │       -7 │ … │ a text that … │        -7 │
└───────────────┴──────────┴───┴───────────────┴───────────┘
1 row, 20 columns (4 shown)
"
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for batch in [
            many_columns(),
            customers(),
            nested(),
            batch(vec![("x", texts(&["客户".repeat(90).as_str()]))]),
        ] {
            for width in 20..200 {
                let text = table(&narrow(width), &batch);
                for line in text.lines().filter(|line| !line.contains("row")) {
                    assert!(super::width(line) <= width, "{width}: {line}");
                }
            }
        }
    }
}
