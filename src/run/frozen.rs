//! Freezing: views that are computed once, before anything of a run reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::StreamExt;

use super::fingerprint::Fingerprint;
use super::{CheckReport, CheckResult, Engine};
use crate::catalog::{
    Binder, Definition, Evaluation, FrozenPlan, Graph, Inputs, SharedTables, check_unedited,
};
use crate::error::{Error, Result, suggest};
use crate::session::Moment;
use crate::source::changed;
use crate::statement::Kind;
use crate::store::{Column, FrozenRecord, SegmentLock, Written};

/// What became of frozen views before a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Freezing {
    /// Date and id of those that were frozen, by name.
    pub(super) frozen: BTreeMap<String, String>,
    /// What is worth a word.
    pub(super) notes: Vec<String>,
    /// Why one could not be frozen or read, by name.
    pub(super) failed: BTreeMap<String, Error>,
}

impl Freezing {
    fn add(&mut self, name: &str, outcome: Result<Frozen>) {
        match outcome {
            Ok(Frozen::Kept) => {}
            Ok(Frozen::Told(note)) => self.notes.push(note),
            Ok(Frozen::Now(record)) => {
                let FrozenRecord {
                    as_of, rows, id, ..
                } = record.as_ref();
                self.notes
                    .push(format!("{name}: frozen as of {as_of}, {rows} rows"));
                self.frozen.insert(name.to_owned(), format!("{as_of} {id}"));
            }
            Err(error) => {
                self.failed.insert(name.to_owned(), error);
            }
        }
    }
}

impl Engine {
    /// Freezes what these definitions need and is not kept, and those views that are to
    /// be frozen anew; of a dry run only says so.
    pub(super) async fn freeze(
        &self,
        chosen: &BTreeSet<String>,
        anew: &[String],
        dry_run: bool,
    ) -> Result<Freezing> {
        let anew = self.views_to_refreeze(anew)?;
        let mut kept = self.catalog.kept_frozen(&self.store).await;
        kept.retain(|name, _| !anew.contains(name));
        let graph = Graph::new(&self.catalog).over(&kept);
        let names = chosen.iter().chain(&anew).map(String::as_str);
        let sound = names.filter(|name| graph.order([*name]).is_ok());
        let mut freezing = Freezing::default();
        for name in graph.order(sound)? {
            let Some(definition) = self.catalog.find(name).filter(|it| it.is_frozen()) else {
                continue;
            };
            let known = kept.get(name);
            let outcome = self.freeze_one(definition, known, &anew, dry_run).await;
            freezing.add(name, outcome);
        }
        Ok(freezing)
    }

    /// The views that `--refreeze` names.
    fn views_to_refreeze(&self, names: &[String]) -> Result<BTreeSet<String>> {
        let frozen = || self.catalog.all().filter(|it| it.is_frozen());
        let found = names.iter().map(|name| match self.catalog.find(name) {
            Some(found) if found.is_frozen() => Ok(found.name.clone()),
            Some(found) => Err(Error::usage(format!(
                "'{name}' is a {} that is not frozen: there is nothing to freeze anew",
                found.kind()
            ))
            .hint("CREATE FROZEN VIEW name AS OF 'date' AS query makes a frozen view")),
            None => Err(Error::usage(format!("there is no frozen view '{name}'"))
                .hint_if(suggest(name, frozen().map(|it| it.name.as_str())))),
        });
        found.collect()
    }

    async fn freeze_one(
        &self,
        definition: &Arc<Definition>,
        kept: Option<&Result<FrozenRecord>>,
        anew: &BTreeSet<String>,
        dry_run: bool,
    ) -> Result<Frozen> {
        let mut evaluation = self.evaluation()?;
        if let Some(kept) = kept {
            let record = kept.as_ref().map_err(Clone::clone)?;
            check_unedited(definition, record, &evaluation.variables)?;
            return Ok(Frozen::Kept);
        }
        let name = &definition.name;
        let zone = evaluation.moment.zone();
        let Some(moment) = definition.frozen_moment(zone)? else {
            return Ok(Frozen::Kept);
        };
        if moment.nanos() >= self.now().timestamp_nanos_opt().unwrap_or(i64::MAX) {
            return Ok(Frozen::Told(format!(
                "{name}: {moment} is not over; until then it is computed anew every time"
            )));
        }
        if dry_run {
            return Ok(Frozen::Told(format!("{name}: to be frozen as of {moment}")));
        }
        evaluation.moment = moment;
        // Whoever comes second finds what the first has frozen.
        let lock = self.store.lock_frozen(name).await?;
        if !anew.contains(name)
            && let Some(record) = self.store.frozen(name).await?
        {
            check_unedited(definition, &record, &evaluation.variables)?;
            return Ok(Frozen::Kept);
        }
        let frozen = self.freeze_now(definition, &evaluation, &lock).await?;
        Ok(frozen.map_or(Frozen::Kept, |record| Frozen::Now(Box::new(record))))
    }

    /// Computes a view at its date and keeps its rows; none where another run, to a
    /// bucket, came first.
    async fn freeze_now(
        &self,
        definition: &Definition,
        evaluation: &Evaluation,
        lock: &SegmentLock,
    ) -> Result<Option<FrozenRecord>> {
        let (clock, started) = (Instant::now(), Utc::now());
        let world = self.world(evaluation);
        let mut inputs = Inputs::collect(world, &definition.references).await?;
        inputs.frozen.remove(&definition.name);
        let made_from = Fingerprint::new(&self.catalog, &inputs, evaluation, &definition.name)?;
        let binder = Binder::new(world, &inputs, &SharedTables::new())?;
        let FrozenPlan { plan, row_keys } = binder.to_freeze(definition)?;
        let (written, columns) = self.freeze_rows(&plan, &made_from.definition).await?;
        let changed = made_from.inputs.iter().find_map(|it| changed(&it.files));
        if let Some(file) = changed {
            let error = Error::new(format!("'{}' changed while it was read", file.display()));
            self.store.discard(written).await?;
            return Err(error.hint("run again when it is complete"));
        }
        let moment: &Moment = &evaluation.moment;
        let record = FrozenRecord {
            name: definition.name.clone(),
            text: definition.text.clone(),
            as_of: moment.to_string(),
            instant: DateTime::from_timestamp_nanos(moment.nanos()),
            time_zone: moment.zone().name().to_owned(),
            id: written.id.clone(),
            rows: written.rows,
            columns,
            row_keys,
            definitions: made_from.definitions,
            variables: made_from.variables,
            inputs: made_from.inputs,
            frozen: made_from.frozen,
            nondeterministic: made_from.nondeterministic,
            timeless: made_from.timeless,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            seconds: clock.elapsed().as_secs_f64(),
        };
        let is_ours = self.store.freeze(lock, written, &record).await?;
        Ok(is_ours.then_some(record))
    }

    async fn freeze_rows(
        &self,
        plan: &datafusion::logical_expr::LogicalPlan,
        fingerprint: &str,
    ) -> Result<(Written, Vec<Column>)> {
        let mut rows = self.stream(plan).await?;
        let schema = rows.schema();
        let columns = schema.fields().iter().map(|field| Column {
            name: field.name().clone(),
            data_type: field.data_type().to_string(),
        });
        let columns = columns.collect();
        let mut writer = self.store.writer(Arc::clone(&schema))?;
        while let Some(batch) = rows.next().await.transpose()? {
            writer.write(batch).await?;
        }
        Ok((writer.finish(fingerprint).await?, columns))
    }

    /// What `segql check` says of frozen views.
    pub(super) async fn frozen_reports(
        &self,
        inputs: &Inputs,
        evaluation: &Evaluation,
    ) -> Vec<CheckReport> {
        let views = self.catalog.of_kind(Kind::View).filter(|it| it.is_frozen());
        let mut reports = vec![];
        for view in views {
            let result = match inputs.frozen.get(&view.name) {
                None => CheckResult::Noted(
                    "is not frozen yet: the first segql run that needs it does so".to_owned(),
                ),
                Some(Err(error)) => CheckResult::Failed(error.clone()),
                Some(Ok(record)) => self.report_of(view, record, evaluation).await,
            };
            reports.push(CheckReport {
                name: view.name.clone(),
                rule: "frozen",
                result,
            });
        }
        reports
    }

    async fn report_of(
        &self,
        view: &Definition,
        record: &FrozenRecord,
        evaluation: &Evaluation,
    ) -> CheckResult {
        if let Err(error) = check_unedited(view, record, &evaluation.variables) {
            return CheckResult::Failed(error);
        }
        if let Err(error) = self.store.frozen_file(record).await {
            return CheckResult::Failed(error);
        }
        let edited = record.definitions.iter().filter(|(name, text)| {
            let now = self.catalog.find_id(name);
            // Entities stand there whether they matter or not.
            let matters = **name != view.name && !name.starts_with("entity ");
            matters && now.is_none_or(|now| now.text != **text)
        });
        let edited: Vec<&str> = edited.map(|(name, _)| name.as_str()).collect();
        match edited.is_empty() {
            true => CheckResult::Passed,
            false => CheckResult::Noted(format!(
                "rests on what was edited since it was frozen ({}); its rows stay until segql run \
                 --refreeze {}",
                edited.join(", "),
                view.name
            )),
        }
    }
}

enum Frozen {
    /// It was frozen before.
    Kept,
    /// It is not, for a reason.
    Told(String),
    /// It was frozen just now.
    Now(Box<FrozenRecord>),
}
