//! Owns which rows of a result people see: the first and the last, and how many
//! there are. Refuses to hold the rest, whatever the size of the result, and to
//! draw, which is `frame`'s.

use std::collections::VecDeque;
use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::cell::{Cell, Cells};
use super::frame::Frame;
use super::{Options, Renderer, Sink};

struct Table<'a> {
    schema: SchemaRef,
    options: Options,
    out: Sink<'a>,
    head: Vec<Vec<Cell>>,
    tail: VecDeque<RecordBatch>,
    rows: usize,
}

pub(super) fn open<'a>(
    schema: SchemaRef,
    options: &Options,
    out: Sink<'a>,
) -> io::Result<Box<dyn Renderer + 'a>> {
    Ok(Box::new(Table {
        schema,
        options: options.clone(),
        out,
        head: Vec::new(),
        tail: VecDeque::new(),
        rows: 0,
    }))
}

impl Renderer for Table<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.rows += batch.num_rows();
        let to_head = batch.num_rows().min(self.head_rows() - self.head.len());
        push_rows(&mut self.head, &batch.slice(0, to_head))?;
        self.keep_tail(&batch.slice(to_head, batch.num_rows() - to_head));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let mut tail = Vec::new();
        for batch in &self.tail {
            push_rows(&mut tail, batch)?;
        }
        tail.drain(..tail.len().saturating_sub(self.tail_rows()));
        let mut shown = std::mem::take(&mut self.head);
        let hidden = self.rows - shown.len() - tail.len();
        if hidden > 0 {
            shown.push(vec![Cell::plain("·"); self.schema.fields().len()]);
        }
        shown.append(&mut tail);
        let frame = Frame::new(&self.schema, shown, &self.options);
        self.out
            .write_all(frame.draw(self.rows, hidden).as_bytes())?;
        self.out.flush()
    }
}

impl Table<'_> {
    fn head_rows(&self) -> usize {
        self.options
            .max_rows
            .map_or(usize::MAX, |max| max.div_ceil(2))
    }

    fn tail_rows(&self) -> usize {
        self.options.max_rows.map_or(0, |max| max / 2)
    }

    /// Keeps the batch and drops those before it that the tail no longer reaches.
    fn keep_tail(&mut self, batch: &RecordBatch) {
        let rows = batch.num_rows().min(self.tail_rows());
        if rows == 0 {
            return;
        }
        self.tail
            .push_back(batch.slice(batch.num_rows() - rows, rows));
        let mut kept: usize = self.tail.iter().map(RecordBatch::num_rows).sum();
        while let Some(first) = self.tail.front()
            && kept - first.num_rows() >= self.tail_rows()
        {
            kept -= first.num_rows();
            self.tail.pop_front();
        }
    }
}

fn push_rows(rows: &mut Vec<Vec<Cell>>, batch: &RecordBatch) -> io::Result<()> {
    let columns = batch.columns().iter().map(|array| Cells::new(array));
    let columns = columns.collect::<io::Result<Vec<_>>>()?;
    rows.extend(
        (0..batch.num_rows()).map(|row| columns.iter().map(|cells| cells.get(row)).collect()),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{batch, render};
    use super::super::{Format, Options};
    use datafusion::arrow::array::{Int64Array, RecordBatch};
    use std::sync::Arc;

    fn numbers(n: i64) -> RecordBatch {
        batch(vec![("n", Arc::new(Int64Array::from_iter_values(1..=n)))])
    }

    fn rendered(n: i64, max_rows: Option<usize>, step: usize) -> String {
        let (all, mut bytes) = (numbers(n), Vec::new());
        let options = Options {
            max_rows,
            ..Options::default()
        };
        let mut renderer = Format::Table
            .renderer(all.schema(), &options, Box::new(&mut bytes))
            .unwrap();
        for start in (0..all.num_rows()).step_by(step) {
            renderer
                .batch(&all.slice(start, step.min(all.num_rows() - start)))
                .unwrap();
        }
        renderer.finish().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_middle_is_left_out_however_the_rows_arrive() {
        for step in [1, 2, 3, 7, 33, 50, 100] {
            assert_eq!(
                rendered(100, Some(5), step),
                "┌────────┐\n\
                 │      n │\n\
                 │ BIGINT │\n\
                 ├────────┤\n\
                 │      1 │\n\
                 │      2 │\n\
                 │      3 │\n\
                 │      · │\n\
                 │     99 │\n\
                 │    100 │\n\
                 └────────┘\n\
                 100 rows (5 shown)\n",
                "in batches of {step}"
            );
        }
    }

    #[test]
    fn forty_rows_are_shown_unless_told_otherwise() {
        let schema = numbers(0).schema();
        let lines = |n| {
            render(Format::Table, &schema, &[numbers(n)])
                .lines()
                .count()
        };
        assert_eq!(lines(40), 4 + 40 + 2);
        assert_eq!(lines(12_345), 4 + 41 + 2);
        let text = render(Format::Table, &schema, &[numbers(12_345)]);
        assert!(
            text.ends_with("│  12345 │\n└────────┘\n12,345 rows (40 shown)\n"),
            "{text}"
        );
        assert!(
            text.contains("│     20 │\n│      · │\n│  12326 │\n"),
            "{text}"
        );
        assert_eq!(rendered(100, None, 30).lines().count(), 4 + 100 + 2);
        assert!(
            rendered(100, Some(0), 30)
                .ends_with("│ BIGINT │\n├────────┤\n│      · │\n└────────┘\n100 rows (0 shown)\n")
        );
    }
}
