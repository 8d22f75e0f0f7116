//! The rows of a segment, checked as they pass: one row per key, no NULL key,
//! no label that was not declared.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::kernels::cmp;
use datafusion::arrow::compute::{and, cast, concat, not};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::Engine;
use crate::catalog::{Binder, Definition, Inputs, MembersPlan, Reference, SharedTables};
use crate::error::{Error, Exit, Result, suggest};
use crate::statement::Kind;
use crate::store::{SnapshotWriter, Written};

/// How many keys an error shows.
const EXAMPLES: usize = 5;

/// A segment's rows in the order of the key, as they come.
pub(super) struct Members {
    stream: SendableRecordBatchStream,
    key: usize,
    label: Option<usize>,
    /// The column that says whether the entity lists the key.
    is_listed: Option<usize>,
    declared: Vec<String>,
    what: String,
    /// What tells rows apart: the key, and the label where a key may have several.
    unique: Vec<usize>,
    /// The last row so far, its unique columns only.
    last: Option<Vec<ArrayRef>>,
    nulls: u64,
    unlabelled: u64,
    repeated: Vec<String>,
    /// Members by label so far.
    pub(super) labels: BTreeMap<String, u64>,
    /// Members so far.
    pub(super) rows: u64,
    /// Keys so far that the entity does not list.
    pub(super) strangers: u64,
}

impl Engine {
    /// Starts computing a segment's rows.
    pub(super) async fn members(
        &self,
        definition: &Definition,
        members: MembersPlan,
    ) -> Result<Members> {
        let declared = definition.labels().into_iter().map(str::to_owned).collect();
        let stream = self.stream(&members.plan).await?;
        let schema = stream.schema();
        let key = schema.index_of(&members.key)?;
        let label = members.label.map(|label| schema.index_of(&label));
        let label = label.transpose()?;
        let is_listed = members.is_listed.map(|name| schema.index_of(name));
        Ok(Members {
            unique: std::iter::once(key)
                .chain(label.filter(|_| members.several))
                .collect(),
            key,
            label,
            is_listed: is_listed.transpose()?,
            declared,
            what: format!("{} '{}'", definition.kind(), definition.name),
            stream,
            last: None,
            nulls: 0,
            unlabelled: 0,
            repeated: vec![],
            labels: BTreeMap::new(),
            rows: 0,
            strangers: 0,
        })
    }

    /// Computes a segment and writes it to a file of its own.
    pub(super) async fn members_to_file(&self, name: &str, path: &std::path::Path) -> Result<u64> {
        use crate::output::{AtomicFile, Format, Options};
        let kinds = [Kind::Segment, Kind::Segmentation];
        let definition = std::sync::Arc::clone(self.catalog.get(name, &kinds)?);
        let format = Format::from_path(path).ok_or_else(|| {
            Error::new(format!(
                "the format of '{}' cannot be told from its name",
                path.display()
            ))
            .hint("end it in .parquet, .csv, .json, …")
        })?;
        let evaluation = self.evaluation()?;
        let mention = Reference::to(&definition.name);
        let world = self.world(&evaluation);
        let inputs = Inputs::collect(world, &[mention]).await?;
        let plan = Binder::new(world, &inputs, &SharedTables::new())?.members(&definition)?;
        let mut members = self.members(&definition, plan).await?;
        let mut file = AtomicFile::create(path)?;
        let mut renderer =
            format.renderer(members.schema(), &Options::default(), Box::new(&mut file))?;
        while let Some(batch) = members.next().await? {
            renderer.batch(&batch)?;
        }
        renderer.finish()?;
        file.commit()?;
        Ok(members.rows)
    }
}

impl Members {
    /// The columns.
    pub(super) fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// The next rows; at the end an error if any rule was broken on the way.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self.stream.next().await.transpose()? {
            Some(batch) => {
                self.look_at(&batch)?;
                Ok(Some(batch))
            }
            None => match self.verdict() {
                Ok(()) => Ok(None),
                Err(error) => Err(error.exit(Exit::CheckFailed)),
            },
        }
    }

    /// Checks and writes all rows, on a core of its own.
    pub(super) async fn into_store(
        mut self,
        mut writer: SnapshotWriter,
        fingerprint: String,
    ) -> Result<(Self, Written)> {
        let written = SpawnedTask::spawn(async move {
            if let Err(error) = self.write_to(&mut writer).await {
                writer.abort().await;
                return Err(error);
            }
            Ok((self, writer.finish(&fingerprint).await?))
        });
        let written = written.join_unwind().await;
        written.map_err(|_| Error::new("the work was cut off"))?
    }

    async fn write_to(&mut self, writer: &mut SnapshotWriter) -> Result<()> {
        while let Some(batch) = self.next().await? {
            writer.write(batch).await?;
        }
        Ok(())
    }

    fn look_at(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        let keys = batch.column(self.key);
        self.nulls += keys.null_count() as u64;
        if self.repeated.len() < EXAMPLES {
            self.find_repeated(batch)?;
        }
        if let Some(column) = self.is_listed {
            self.count_strangers(batch, column)?;
        }
        let end = batch.num_rows() - 1;
        let last = self.unique.iter().map(|it| batch.column(*it).slice(end, 1));
        self.last = Some(last.collect());
        match self.label {
            Some(label) => self.count_labels(batch.column(label)),
            None => Ok(()),
        }
    }

    /// Rows come in the order of the key, so equal keys are neighbours.
    fn find_repeated(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut equal: Option<BooleanArray> = None;
        for (place, column) in self.unique.iter().enumerate() {
            let values = self.with_last(place, batch.column(*column))?;
            let rows = values.len() - 1;
            let same = cmp::eq(&values.slice(0, rows), &values.slice(1, rows))?;
            equal = Some(match equal {
                Some(before) => and(&before, &same)?,
                None => same,
            });
        }
        let equal = equal.unwrap_or_else(|| BooleanArray::new_null(0));
        if equal.true_count() == 0 {
            return Ok(());
        }
        let keys = self.with_last(0, batch.column(self.key))?;
        let second = keys.slice(1, keys.len() - 1);
        let format = FormatOptions::default();
        let shown = ArrayFormatter::try_new(second.as_ref(), &format)?;
        for row in (0..equal.len()).filter(|row| equal.is_valid(*row) && equal.value(*row)) {
            let key = shown.value(row).to_string();
            if !self.repeated.contains(&key) && self.repeated.len() < EXAMPLES {
                self.repeated.push(key);
            }
        }
        Ok(())
    }

    /// A key with several labels counts once.
    fn count_strangers(&mut self, batch: &RecordBatch, is_listed: usize) -> Result<()> {
        let is_stranger = not(batch.column(is_listed).as_boolean())?;
        if is_stranger.true_count() == 0 {
            return Ok(());
        }
        let keys = self.with_last(0, batch.column(self.key))?;
        let others = keys.len() - 1;
        let changes = cmp::distinct(&keys.slice(0, others), &keys.slice(1, others))?;
        let first = keys.len() - batch.num_rows();
        let is_new = |row: usize| row + first == 0 || changes.value(row + first - 1);
        let strangers = (0..batch.num_rows()).filter(|row| is_stranger.value(*row));
        self.strangers += strangers.filter(|row| is_new(*row)).count() as u64;
        Ok(())
    }

    /// A unique column with the last value before it.
    fn with_last(&self, place: usize, values: &ArrayRef) -> Result<ArrayRef> {
        Ok(match &self.last {
            Some(last) => concat(&[last[place].as_ref(), values.as_ref()])?,
            None => ArrayRef::clone(values),
        })
    }

    fn count_labels(&mut self, labels: &ArrayRef) -> Result<()> {
        let labels = cast(labels, &DataType::Utf8)?;
        let labels = labels.as_string::<i32>();
        let mut run: Option<(&str, u64)> = None;
        self.unlabelled += labels.null_count() as u64;
        for label in labels.iter().flatten() {
            match &mut run {
                Some((current, count)) if *current == label => *count += 1,
                _ => {
                    if let Some((label, count)) = run.replace((label, 1)) {
                        add(&mut self.labels, label, count);
                    }
                }
            }
        }
        if let Some((label, count)) = run {
            add(&mut self.labels, label, count);
        }
        let unknown = self
            .labels
            .keys()
            .find(|label| !self.declared.is_empty() && !self.declared.contains(label));
        match unknown {
            None => Ok(()),
            Some(label) => Err(Error::new(format!(
                "{} gives the label '{label}', which its LABELS do not list",
                self.what
            ))
            .hint_if(suggest(label, self.declared.iter().map(String::as_str)))),
        }
    }

    fn verdict(&self) -> Result<()> {
        if self.nulls > 0 {
            return Err(Error::new(format!(
                "{} has a NULL key in {} of {} rows",
                self.what, self.nulls, self.rows
            ))
            .hint("there must be one row per key: leave rows without one out with WHERE … IS NOT NULL"));
        }
        if self.unlabelled > 0 {
            return Err(Error::new(format!(
                "{} gives no label (NULL) to {} of {} rows",
                self.what, self.unlabelled, self.rows
            ))
            .hint(
                "add an ELSE to the CASE, or leave these rows out and set WITH (otherwise = '…')",
            ));
        }
        if self.repeated.is_empty() {
            return Ok(());
        }
        Err(Error::new(format!(
            "{} has more than one row for some keys: {}",
            self.what,
            self.repeated.join(", ")
        ))
        .hint(match self.unique.len() {
            1 => "there must be one row per key: GROUP BY the key or SELECT DISTINCT",
            _ => "there must be one row per key and label: SELECT DISTINCT",
        }))
    }
}

fn add(labels: &mut BTreeMap<String, u64>, label: &str, count: u64) {
    match labels.get_mut(label) {
        Some(sum) => *sum += count,
        None => {
            labels.insert(label.to_owned(), count);
        }
    }
}
