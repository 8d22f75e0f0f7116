//! A comparison in a few lines: how many entered, left, stayed and moved, with some of
//! their keys.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::StreamExt;

use super::Difference;
use crate::error::{Error, Result};

/// What became of members, and of a column of those who stayed; the order is that of
/// the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Before,
    After,
    Entered,
    Left,
    Moved,
    Stayed,
    Changed,
}

impl Change {
    const ALL: [Self; 7] = [
        Self::Before,
        Self::After,
        Self::Entered,
        Self::Left,
        Self::Moved,
        Self::Stayed,
        Self::Changed,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Entered => "entered",
            Self::Left => "left",
            Self::Moved => "moved",
            Self::Stayed => "stayed",
            Self::Changed => "changed",
        }
    }

    fn of(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|it| it.word() == word);
        found.ok_or_else(|| Error::new(format!("'{word}' is no change of members")))
    }
}

/// One line of a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// `before` and `after` (how many there are), `entered`, `left`, `moved`, `stayed`,
    /// or `changed`: of those who stayed, in whom a column differs.
    pub change: &'static str,
    /// The label before, of a segmentation.
    pub from_label: Option<String>,
    /// The label after.
    pub to_label: Option<String>,
    /// The column that changed.
    pub column: Option<String>,
    /// How many.
    pub customers: u64,
    /// Their first keys, in order.
    pub examples: Vec<String>,
}

/// A comparison in a few lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffSummary {
    /// By change, then by labels.
    pub lines: Vec<DiffLine>,
    /// Columns that could not be compared, as their types differ.
    pub incomparable: Vec<String>,
}

impl Difference {
    /// Counts, and keeps the first few keys of each kind.
    pub async fn summary(&self, examples: usize) -> Result<DiffSummary> {
        let mut rows = self.all_columns().await?;
        let mut counts = Counts::new(examples, self.diff.compared.len());
        while let Some(batch) = rows.next().await.transpose()? {
            counts.add(&batch, self.diff.columns)?;
        }
        Ok(DiffSummary {
            lines: counts.lines(&self.diff.compared, self.diff.labelled),
            incomparable: self.diff.incomparable.clone(),
        })
    }
}

impl DiffSummary {
    /// Is nobody gone, come or moved, and no column changed?
    pub fn is_same(&self) -> bool {
        let differs = ["entered", "left", "moved", "changed"];
        let mut lines = self.lines.iter();
        !lines.any(|line| line.customers > 0 && differs.contains(&line.change))
    }

    /// How many there are of a change, whatever the label.
    pub fn count(&self, change: &str) -> u64 {
        let lines = self.lines.iter().filter(|line| line.change == change);
        lines.map(|line| line.customers).sum()
    }

    /// The lines as rows.
    pub fn table(&self) -> Result<RecordBatch> {
        let text = |value: fn(&DiffLine) -> Option<String>| {
            Arc::new(self.lines.iter().map(value).collect::<StringArray>()) as _
        };
        let counts = self.lines.iter().map(|line| Some(line.customers as i64));
        let shown = |line: &DiffLine| {
            let some = !line.examples.is_empty();
            some.then(|| line.examples.join(", "))
        };
        Ok(RecordBatch::try_from_iter_with_nullable([
            ("change", text(|line| Some(line.change.to_owned())), true),
            ("from_label", text(|line| line.from_label.clone()), true),
            ("to_label", text(|line| line.to_label.clone()), true),
            ("column_name", text(|line| line.column.clone()), true),
            (
                "customers",
                Arc::new(counts.collect::<Int64Array>()) as _,
                true,
            ),
            ("examples", text(shown), true),
        ])?)
    }
}

#[derive(Default)]
struct Group {
    customers: u64,
    examples: Vec<String>,
}

impl Group {
    fn add(&mut self, most: usize, row: usize, keys: &ArrayFormatter<'_>) {
        self.customers += 1;
        if self.examples.len() < most {
            self.examples.push(keys.value(row).to_string());
        }
    }

    fn line(
        self,
        change: Change,
        labels: (Option<String>, Option<String>),
        column: Option<String>,
    ) -> DiffLine {
        DiffLine {
            change: change.word(),
            from_label: labels.0,
            to_label: labels.1,
            column,
            customers: self.customers,
            examples: self.examples,
        }
    }
}

/// Labels by number, so that a row is counted without a copy of its labels.
#[derive(Default)]
struct Labels {
    numbers: HashMap<String, usize>,
    names: Vec<String>,
}

impl Labels {
    fn number(&mut self, label: &str) -> usize {
        if let Some(known) = self.numbers.get(label) {
            return *known;
        }
        let number = self.names.len();
        self.names.push(label.to_owned());
        self.numbers.insert(label.to_owned(), number);
        number
    }

    fn name(&self, number: Option<usize>) -> Option<String> {
        number.map(|number| self.names[number].clone())
    }
}

/// A change, and the numbers of the labels before and after.
type Kind = (Change, Option<usize>, Option<usize>);

struct Counts {
    most: usize,
    labels: Labels,
    groups: BTreeMap<Kind, Group>,
    /// By compared column.
    changed: Vec<Group>,
}

impl Counts {
    fn new(most: usize, columns: usize) -> Self {
        Self {
            most,
            labels: Labels::default(),
            groups: BTreeMap::new(),
            changed: (0..columns).map(|_| Group::default()).collect(),
        }
    }

    fn add(&mut self, batch: &RecordBatch, first_flag: usize) -> Result<()> {
        let format = FormatOptions::default();
        let keys = ArrayFormatter::try_new(batch.column(0).as_ref(), &format)?;
        let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
        let (changes, from, to) = (text(1)?, text(2)?, text(3)?);
        let (changes, from, to) = (
            changes.as_string::<i32>(),
            from.as_string::<i32>(),
            to.as_string::<i32>(),
        );
        for row in 0..batch.num_rows() {
            let mut number = |labels: &StringArray| {
                let label = labels.is_valid(row).then(|| labels.value(row));
                label.map(|label| self.labels.number(label))
            };
            let labels = (number(from), number(to));
            let kind = (Change::of(changes.value(row))?, labels.0, labels.1);
            let group = self.groups.entry(kind).or_default();
            group.add(self.most, row, &keys);
        }
        for (group, column) in self.changed.iter_mut().zip(first_flag..) {
            let differs = batch.column(column).as_boolean();
            let rows = (0..differs.len()).filter(|row| differs.is_valid(*row));
            for row in rows.filter(|row| differs.value(*row)) {
                group.add(self.most, row, &keys);
            }
        }
        Ok(())
    }

    fn lines(mut self, columns: &[String], labelled: bool) -> Vec<DiffLine> {
        self.add_sizes();
        if !labelled {
            // Nobody is an answer, too.
            for change in Change::ALL {
                if !matches!(change, Change::Moved | Change::Changed) {
                    self.groups.entry((change, None, None)).or_default();
                }
            }
        }
        let groups = self.groups.into_iter();
        let mut lines: Vec<_> = groups
            .map(|((change, from, to), group)| {
                let labels = (self.labels.name(from), self.labels.name(to));
                (change, group.line(change, labels, None))
            })
            .collect();
        lines.sort_by(|(a, x), (b, y)| {
            (a, &x.from_label, &x.to_label).cmp(&(b, &y.from_label, &y.to_label))
        });
        let changed = columns.iter().zip(self.changed);
        let changed = changed.filter(|(_, group)| group.customers > 0);
        lines
            .into_iter()
            .map(|(_, line)| line)
            .chain(changed.map(|(column, group)| {
                group.line(Change::Changed, (None, None), Some(column.clone()))
            }))
            .collect()
    }

    /// How many there were and are, by label.
    fn add_sizes(&mut self) {
        let mut sizes: BTreeMap<Kind, u64> = BTreeMap::new();
        for ((change, from, to), group) in &self.groups {
            if *change != Change::Entered {
                *sizes.entry((Change::Before, *from, None)).or_default() += group.customers;
            }
            if *change != Change::Left {
                *sizes.entry((Change::After, None, *to)).or_default() += group.customers;
            }
        }
        for (kind, customers) in sizes {
            self.groups.entry(kind).or_default().customers = customers;
        }
    }
}
