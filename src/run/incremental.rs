//! Aggregates resumed from the states that earlier runs kept: `exec::incremental`
//! says which and how, the store keeps them, this decides what is worth its place.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::catalog::TableProvider;
use datafusion::common::config::ConfigOptions;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};

use super::Engine;
use super::state_rows::{Outcome, write_states};
use crate::error::{Error, Result};
use crate::exec::incremental::{Aggregation, ScannedFile, put_in};
use crate::source::{FilesTable, InputFile};
use crate::store::{Part, Reused, States};

/// Fewer rows are aggregated faster than their state is looked up.
const MIN_ROWS: u64 = 10_000;

/// Of the rows it is made from, a state has at most one in so many: else reading it
/// saves nothing.
const LEAST_SAVING: u64 = 2;

/// New files get a state when they are at least one in so many of all rows; fewer are
/// read again next time.
const LEAST_SHARE: u64 = 1_000;

/// A state no larger than so many times what is added is merged with it: so there are
/// few, and each row is written again a few times only.
const MERGED_AT: u64 = 2;

/// What a run does with states.
#[derive(Debug)]
pub(super) struct Reuse {
    states: States,
    reused: Mutex<Option<Reused>>,
    /// The first reason why a state could not be kept.
    fault: Arc<Mutex<Option<Error>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reuse {
    pub(super) fn new(states: States) -> Self {
        Self {
            states,
            reused: Mutex::default(),
            fault: Arc::default(),
        }
    }

    /// The same states with a count of its own of what is reused.
    fn apart(&self) -> Self {
        Self {
            states: self.states.clone(),
            reused: Mutex::default(),
            fault: Arc::clone(&self.fault),
        }
    }

    /// What was reused since this was last asked.
    pub(super) fn take(&self) -> Option<Reused> {
        locked(&self.reused).take()
    }

    /// The first reason why a state could not be kept.
    pub(super) fn fault(&self) -> Option<Error> {
        locked(&self.fault).take()
    }

    fn note(&self, choice: &Choice<'_>, aggregation: &Aggregation, written: u64) {
        let mut reused = locked(&self.reused);
        let reused = reused.get_or_insert_default();
        reused.aggregates += 1;
        for file in &choice.covered {
            reused.files_from_state += 1;
            reused.rows_saved += file.rows;
            reused.bytes_saved += file.file.size;
        }
        reused.files_read += (aggregation.files.len() - choice.covered.len()) as u64;
        reused.state_rows_written += written;
    }
}

/// Which parts of a state serve, and what they leave to do.
struct Choice<'a> {
    parts: Vec<Part>,
    damaged: Vec<String>,
    covered: Vec<&'a ScannedFile>,
    /// Files that could be part of a state and are not.
    new: Vec<&'a ScannedFile>,
    /// Files that are read whatever happens.
    rest: Vec<&'a ScannedFile>,
}

impl Engine {
    /// The same engine with a count of its own of what it reuses.
    pub(super) fn reusing_for_itself(&self) -> Self {
        let mut engine = self.clone();
        engine.reuse = self.reuse.as_ref().map(|reuse| Arc::new(reuse.apart()));
        engine
    }

    /// The same plan, with aggregates resumed where that is possible.
    pub(super) async fn resume(
        &self,
        plan: Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(reuse) = &self.reuse else {
            return Ok(plan);
        };
        let state = self.session.state();
        let options = state.config_options();
        let mut instead = vec![];
        for aggregation in Aggregation::all(&plan, options)? {
            match self.resume_one(reuse, &aggregation, options).await {
                Ok(Some(resumed)) => instead.push((aggregation, resumed)),
                Ok(None) => {}
                Err(error) => {
                    locked(&reuse.fault).get_or_insert(error);
                }
            }
        }
        Ok(put_in(plan, &instead)?)
    }

    async fn resume_one(
        &self,
        reuse: &Reuse,
        aggregation: &Aggregation,
        options: &ConfigOptions,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let key = &aggregation.key;
        let whole = aggregation.files.iter().filter(|file| file.is_whole);
        let rows: u64 = whole.map(|file| file.rows).sum();
        if rows < MIN_ROWS {
            return Ok(None);
        }
        let mut choice = choose(&reuse.states, aggregation).await?;
        let written = match self
            .renew(reuse, aggregation, &choice, rows, options)
            .await?
        {
            None => 0,
            Some((part, folded)) => {
                let written = part.rows;
                choice.parts.retain(|part| !folded.contains(&part.id));
                choice.parts.push(part);
                choice.new.clear();
                written
            }
        };
        if choice.parts.is_empty() {
            return Ok(None);
        }
        reuse.states.touch(key);
        reuse.note(&choice, aggregation, written);
        let states = self.scan_states(reuse, aggregation, &choice.parts).await?;
        let rest: Vec<&ScannedFile> = choice.new.iter().chain(&choice.rest).copied().collect();
        Ok(Some(aggregation.resumed(states, &rest, options)?))
    }

    /// Keeps a state of the new files, merged with smaller ones before them; gives it
    /// and the ids of those it takes the place of.
    async fn renew(
        &self,
        reuse: &Reuse,
        aggregation: &Aggregation,
        choice: &Choice<'_>,
        rows: u64,
        options: &ConfigOptions,
    ) -> Result<Option<(Part, Vec<String>)>> {
        let (key, about) = (&aggregation.key, &aggregation.about);
        let added: u64 = choice.new.iter().map(|file| file.rows).sum();
        let is_unfit = || reuse.states.unfit(key).is_some_and(|seen| rows < 2 * seen);
        if added == 0 || added * LEAST_SHARE < rows || is_unfit() {
            return Ok(None);
        }
        let folded = foldable(&choice.parts, added);
        let kept: u64 = choice.parts.iter().map(|part| part.rows).sum();
        let kept = kept - folded.iter().map(|part| part.rows).sum::<u64>();
        let states = match folded.is_empty() {
            true => None,
            false => Some(self.scan_states(reuse, aggregation, &folded).await?),
        };
        let merged = aggregation.merged(states, &choice.new, options)?;
        let columns = aggregation.state_columns()?;
        let most = (rows / LEAST_SAVING).saturating_sub(kept);
        let Ok(rows_of) = execute_stream_partitioned(merged, self.session.task_ctx()) else {
            return Ok(None);
        };
        let rows_of = rows_of.into_iter().map(|stream| self.watched(stream));
        let new_shard = || reuse.states.shard(key, &columns);
        let shards = match write_states(rows_of.collect(), most, new_shard).await? {
            Outcome::Written(shards) => shards,
            Outcome::TooMany => {
                reuse.states.keep_unfit(key, about, rows)?;
                return Ok(None);
            }
            // Computed as if nothing were kept, it says so itself.
            Outcome::Failed => return Ok(None),
        };
        let mut files: Vec<InputFile> = choice.new.iter().map(|it| it.file.clone()).collect();
        if crate::source::changed(&files).is_some() {
            return Ok(None);
        }
        files.extend(folded.iter().flat_map(|part| part.files.clone()));
        files.sort();
        let state_rows = shards.iter().map(|shard| shard.rows).sum();
        let shards = shards.into_iter().map(|shard| Ok(shard.keep()?));
        let shards = shards.collect::<Result<Vec<_>>>()?;
        let part = Part {
            id: shards.first().map(|it| it.name.clone()).unwrap_or_default(),
            files,
            input_rows: added + folded.iter().map(|part| part.input_rows).sum::<u64>(),
            rows: state_rows,
            shards,
        };
        let used: Vec<String> = choice.parts.iter().map(|part| part.id.clone()).collect();
        let folded: Vec<String> = folded.into_iter().map(|part| part.id).collect();
        let gone = [folded.as_slice(), &choice.damaged].concat();
        let keep = part.clone();
        reuse.states.keep(key, about, keep, &used, &gone)?;
        Ok(Some((part, folded)))
    }

    /// A scan of the rows of states.
    async fn scan_states(
        &self,
        reuse: &Reuse,
        aggregation: &Aggregation,
        parts: &[Part],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = aggregation.state_columns()?;
        let paths = parts.iter().flat_map(|part| reuse.states.paths(part));
        let files = paths.map(|path| InputFile::at(Path::new(&path)));
        let files = files.collect::<Result<Vec<_>>>()?;
        let table = FilesTable::new(Arc::clone(&columns), &[], &files, Arc::new(ArrowFormat))?;
        // The file's own name is a column of the table, but not of states.
        let all = (0..columns.fields().len()).collect();
        let state = self.session.state();
        Ok(table.scan(&state, Some(&all), &[], None).await?)
    }
}

/// The parts that hold most, of unchanged files all of which count today, no file
/// twice.
async fn choose<'a>(states: &States, aggregation: &'a Aggregation) -> Result<Choice<'a>> {
    let (whole, rest) = aggregation.files.iter().partition(|file| file.is_whole);
    let mut new: HashMap<&Path, &ScannedFile> = HashMap::new();
    let whole: Vec<&ScannedFile> = whole;
    new.extend(whole.iter().map(|file| (file.file.path.as_path(), *file)));
    let columns = aggregation.state_columns()?;
    let mut parts = states.parts(&aggregation.key);
    parts.sort_by(|a, b| (b.input_rows, &b.id).cmp(&(a.input_rows, &a.id)));
    let mut choice = Choice {
        parts: vec![],
        damaged: vec![],
        covered: vec![],
        new: vec![],
        rest,
    };
    for part in parts {
        let is_new = |file: &InputFile| {
            let found = new.get(file.path.as_path());
            found.is_some_and(|it| it.file == *file)
        };
        if !part.files.iter().all(is_new) {
            continue;
        }
        let (states, columns, checked) = (states.clone(), Arc::clone(&columns), part.clone());
        let check = tokio::task::spawn_blocking(move || states.is_intact(&checked, &columns));
        if !check.await.unwrap_or(false) {
            choice.damaged.push(part.id);
            continue;
        }
        let covered = part.files.iter();
        choice
            .covered
            .extend(covered.filter_map(|file| new.remove(file.path.as_path())));
        choice.parts.push(part);
    }
    let left: HashSet<&Path> = new.into_keys().collect();
    let is_left = |file: &&ScannedFile| left.contains(file.file.path.as_path());
    choice.new = whole.into_iter().filter(is_left).collect();
    Ok(choice)
}

/// The smallest parts that what is added is merged with.
fn foldable(parts: &[Part], added: u64) -> Vec<Part> {
    let mut by_size: Vec<&Part> = parts.iter().collect();
    by_size.sort_by(|a, b| (a.rows, &a.id).cmp(&(b.rows, &b.id)));
    let mut rows = added;
    let mut folded = vec![];
    for part in by_size {
        if part.rows > rows.saturating_mul(MERGED_AT) {
            break;
        }
        rows += part.rows;
        folded.push(part.clone());
    }
    folded
}
