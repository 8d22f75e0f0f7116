//! Which two dates are compared, and the members at each: those of its snapshot where
//! one was kept for that very instant, else those the definition has at it.

use super::Side;
use crate::catalog::{Definition, MembersPlan};
use crate::error::{Error, Result};
use crate::run::Engine;
use crate::session::Moment;
use crate::store::SnapshotRecord;

/// Where the members of a date come from.
pub(super) enum At {
    Snapshot(Box<SnapshotRecord>),
    Moment(Moment),
}

impl Engine {
    pub(super) async fn dates(
        &self,
        definition: &Definition,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(At, At)> {
        let now = self.moment()?;
        let mut kept = self.store.snapshots_of(&definition.name).await?;
        kept.retain(|record| record.as_of <= now.date());
        let parse = |text: &str| Moment::parse(text, now.zone(), self.now());
        let from = from.map(parse).transpose()?;
        let to = to.map(parse).transpose()?;
        let later = match (to, from) {
            (Some(to), _) => at(to, &kept),
            (None, Some(_)) => at(now, &kept),
            (None, None) => match kept.pop() {
                Some(latest) => At::Snapshot(Box::new(latest)),
                None => return Err(no_snapshot(definition, "no snapshot to compare")),
            },
        };
        let date = match &later {
            At::Snapshot(record) => record.as_of,
            At::Moment(moment) => moment.date(),
        };
        let earlier = match from {
            Some(from) if to.is_some_and(|to| from.nanos() > to.nanos()) => {
                return Err(
                    Error::usage(format!("--from {from} is later than --to {date}"))
                        .hint("--from is the earlier of the two"),
                );
            }
            Some(from) => at(from, &kept),
            None => {
                let before = kept.into_iter().filter(|record| record.as_of < date);
                let latest = before.max_by_key(|record| record.as_of);
                let missing = || no_snapshot(definition, &format!("no snapshot before {date}"));
                At::Snapshot(Box::new(latest.ok_or_else(missing)?))
            }
        };
        Ok((earlier, later))
    }

    /// The members of a definition at one of the dates.
    pub(super) async fn members_at(&self, definition: &Definition, at: At) -> Result<Side> {
        match at {
            At::Snapshot(record) => {
                let several = definition.has_several_labels();
                Ok(Side {
                    members: MembersPlan::of_snapshot(&self.store, &record, several)?,
                    what: format!("snapshot of {}", record.as_of),
                })
            }
            At::Moment(moment) => Ok(Side {
                members: self.evaluated(definition, moment).await?,
                what: format!("as of {moment}"),
            }),
        }
    }
}

fn at(moment: Moment, kept: &[SnapshotRecord]) -> At {
    let of_instant = |record: &&SnapshotRecord| {
        record.as_of == moment.date()
            && record.instant.timestamp_nanos_opt() == Some(moment.nanos())
    };
    match kept.iter().find(of_instant) {
        Some(record) => At::Snapshot(Box::new(record.clone())),
        None => At::Moment(moment),
    }
}

fn no_snapshot(definition: &Definition, what: &str) -> Error {
    let kind = definition.kind();
    Error::new(format!("{kind} '{}' has {what}", definition.name))
        .hint("segql run --as-of DATE keeps one; --from DATE compares with the members at any date")
}
