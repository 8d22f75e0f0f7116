//! `segql diff` and `DIFF SEGMENT … AS …`: who enters, leaves and moves between two
//! dates of a segment, or between its definition and an edited one.

mod dates;
mod edited;
mod rows;
mod summary;

use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryLimit;

use super::{Engine, Outcome};
use crate::catalog::{
    Binder, Definition, Inputs, MembersDiff, MembersPlan, Reference, SharedTables, split_label,
};
use crate::error::{Error, Result, Script, suggest};
use crate::session::{Moment, with_sorted_joins};
use crate::statement::{Create, Kind, Parsed};

pub use summary::{DiffLine, DiffSummary};

/// What is compared.
#[derive(Debug, Clone)]
pub enum Compare {
    /// Two dates. Without any, its two latest snapshots; `from` is the snapshot before
    /// `to` unless given, `to` the as-of that holds.
    Dates {
        /// The earlier.
        from: Option<String>,
        /// The later.
        to: Option<String>,
    },
    /// Its definition and that of a text, both at the as-of that holds: a query, or
    /// CREATE statements for it or what it builds on.
    Edited(Arc<Script>),
}

/// How many keys of each kind a statement shows.
const EXAMPLES: usize = 5;

/// The memory with which joins may hold one of their sides.
const ROOM_TO_HOLD: usize = 2 << 30;

/// Two lists of members that were planned and can be compared.
pub struct Difference {
    engine: Engine,
    diff: MembersDiff,
    /// Whose members they are.
    pub name: String,
    /// What the first list is, in a few words.
    pub from: String,
    /// What the second is.
    pub to: String,
}

/// One of the two.
struct Side {
    members: MembersPlan,
    what: String,
}

impl Engine {
    /// Plans the comparison of a segment, a segmentation, or a label of one.
    pub async fn diff(&self, name: &str, compare: &Compare) -> Result<Difference> {
        let definition = self.with_members(name)?;
        let (before, after) = match compare {
            Compare::Dates { from, to } => {
                let (from, to) = self
                    .dates(&definition, from.as_deref(), to.as_deref())
                    .await?;
                let before = self.members_at(&definition, from).await?;
                (before, self.members_at(&definition, to).await?)
            }
            Compare::Edited(script) => {
                let edited = self.edited(&definition, script);
                let (engine, edited) = edited.map_err(|error| error.within(script))?;
                self.against(&definition, &engine, &edited).await?
            }
        };
        self.difference(name, before, after)
    }

    /// `DIFF SEGMENT name AS query`.
    pub(super) async fn diff_statement(&self, create: &Create, parsed: &Parsed) -> Result<Outcome> {
        let name = &create.name.text;
        let known = self.with_members(name);
        let definition = known.map_err(|error| error.at(create.name.span))?;
        let (engine, edited) = self.rewritten(&definition, create.clone(), parsed)?;
        let (before, after) = self.against(&definition, &engine, &edited).await?;
        let difference = self.difference(name, before, after)?;
        Ok(Outcome::of(difference.summary(EXAMPLES).await?.table()?))
    }

    fn with_members(&self, name: &str) -> Result<Arc<Definition>> {
        let kinds = [Kind::Segment, Kind::Segmentation];
        let found = self.catalog.get(name, &kinds)?;
        let labels = found.labels();
        match split_label(name).1 {
            Some(label) if !labels.is_empty() && !labels.contains(&label) => Err(Error::new(
                format!("segmentation '{}' has no label '{label}'", found.name),
            )
            .hint_if(suggest(label, labels.iter().copied()))
            .hint(format!("its labels are {}", labels.join(", ")))),
            Some(label) if found.kind() == Kind::Segment => Err(Error::new(format!(
                "'{}' is a segment and has no labels such as '{label}'",
                found.name
            ))),
            _ => Ok(Arc::clone(found)),
        }
    }

    /// The present definition beside an edited one.
    async fn against(
        &self,
        present: &Definition,
        engine: &Self,
        edited: &Definition,
    ) -> Result<(Side, Side)> {
        if present.kind() != edited.kind() {
            return Err(edited.error(format!(
                "'{}' is a {}, the edited definition a {}",
                present.name,
                present.kind(),
                edited.kind()
            )));
        }
        let moment = self.moment()?;
        let side = |members, what: &str| Side {
            members,
            what: what.to_owned(),
        };
        Ok((
            side(self.evaluated(present, moment).await?, "as defined"),
            side(engine.evaluated(edited, moment).await?, "as edited"),
        ))
    }

    /// The members of a definition, evaluated at a moment.
    async fn evaluated(&self, definition: &Definition, moment: Moment) -> Result<MembersPlan> {
        let mut evaluation = self.evaluation()?;
        evaluation.moment = moment;
        let world = self.world(&evaluation);
        let inputs = Inputs::collect(world, &[Reference::to(&definition.name)]).await?;
        Binder::new(world, &inputs, &SharedTables::new())?.members(definition)
    }

    /// A comparison may be as large as the largest segments: where memory is scarce its
    /// joins go on in temporary files.
    fn to_compare(&self) -> Self {
        let pool = &self.session.runtime_env().memory_pool;
        match pool.memory_limit() {
            MemoryLimit::Finite(bytes) if bytes < ROOM_TO_HOLD => {
                self.with_session(with_sorted_joins(&self.session))
            }
            _ => self.clone(),
        }
    }

    fn difference(&self, name: &str, before: Side, after: Side) -> Result<Difference> {
        let (mut old, mut new) = (before.members, after.members);
        if let Some(label) = split_label(name).1 {
            old = old.with_label(label)?;
            new = new.with_label(label)?;
        }
        Ok(Difference {
            engine: self.to_compare(),
            diff: MembersDiff::new(&old, &new)?,
            name: name.to_owned(),
            from: before.what,
            to: after.what,
        })
    }
}
