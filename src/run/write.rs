//! A node's rows into the store: written beside it, and put in their place if they may
//! have it.

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;

use super::Engine;
use super::fingerprint::Fingerprint;
use super::materialize::Run;
use super::node::Ended;
use crate::catalog::{Definition, MembersPlan};
use crate::error::{Error, Result};
use crate::store::{Column, Committed, NodeStatus, SegmentLock, SnapshotRecord, Written};

/// How often a snapshot is looked at again that another run replaced meanwhile.
const MAX_TRIES: usize = 8;

impl Run<'_> {
    /// Computes and writes the members; how the node ended.
    pub(super) async fn write(
        &self,
        engine: &Engine,
        definition: &Definition,
        plan: MembersPlan,
        made_from: Fingerprint,
        started: Instant,
    ) -> Result<Ended> {
        let (key, label) = (plan.key.clone(), plan.label.clone());
        let store = &self.engine.store;
        let members = engine.members(definition, plan).await?;
        let schema = members.schema();
        let writer = store.writer(Arc::clone(&schema))?;
        let (members, written) = members
            .into_store(writer, made_from.definition.clone())
            .await?;
        let moment = &self.evaluation.moment;
        let record = SnapshotRecord {
            segment: definition.name.clone(),
            kind: definition.kind().to_string(),
            as_of: moment.date(),
            instant: chrono::DateTime::from_timestamp_nanos(moment.nanos()),
            time_zone: moment.zone().name().to_owned(),
            provisional: !moment.is_over(self.engine.now()),
            id: written.id.clone(),
            fingerprint: made_from.sum,
            restates: None,
            forced: None,
            forgotten: 0,
            nondeterministic: made_from.nondeterministic,
            timeless: made_from.timeless,
            rows: written.rows,
            labels: members.labels.clone(),
            key,
            label,
            columns: schema
                .fields()
                .iter()
                .map(|field| Column {
                    name: field.name().clone(),
                    data_type: field.data_type().to_string(),
                })
                .collect(),
            definitions: made_from.definitions,
            variables: made_from.variables,
            inputs: made_from.inputs,
            previous: made_from.previous,
            frozen: made_from.frozen,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: Utc::now(),
            seconds: started.elapsed().as_secs_f64(),
        };
        self.put(definition, record, written).await
    }

    /// Puts what was written in its place, if it may have it.
    async fn put(
        &self,
        definition: &Definition,
        record: SnapshotRecord,
        mut written: Written,
    ) -> Result<Ended> {
        let store = &self.engine.store;
        for _ in 0..MAX_TRIES {
            let mut record = record.clone();
            let admitted = self.admit_locked(definition, &mut record, &written).await;
            let (lock, status) = match admitted {
                Ok(admitted) => admitted,
                Err(error) => {
                    // What it leaves behind is swept up later.
                    let _ = store.discard(written).await;
                    return Err(error);
                }
            };
            match store.commit(&lock, written, &record).await? {
                Committed::Done => return Ok(ended(status, record)),
                Committed::Overtaken(again) => written = again,
            }
        }
        let _ = store.discard(written).await;
        Err(Error::new(format!(
            "other runs replaced the snapshot of {} as of {} {MAX_TRIES} times meanwhile",
            record.segment, record.as_of
        ))
        .hint("run again when they are done"))
    }

    /// What is there must not change between being looked at and replaced.
    async fn admit_locked(
        &self,
        definition: &Definition,
        record: &mut SnapshotRecord,
        written: &Written,
    ) -> Result<(SegmentLock, NodeStatus)> {
        let lock = self
            .engine
            .store
            .lock(&record.segment, record.as_of)
            .await?;
        let status = self.admit(definition, record, written).await?;
        Ok((lock, status))
    }
}

fn ended(status: NodeStatus, record: SnapshotRecord) -> Ended {
    Ended {
        reason: record.forced.map(|rails| format!("forced: {rails}")),
        rows: Some(record.rows),
        labels: record.labels,
        nondeterministic: record.nondeterministic,
        timeless: record.timeless,
        ..Ended::with(status)
    }
}
