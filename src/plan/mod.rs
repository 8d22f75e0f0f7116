//! What a run does and in which order: pure, prints and writes nothing.

mod common;
mod grown;
mod interned;
mod select;
mod share;

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Graph};
use crate::error::Result;

pub use common::{Common, common, for_each_scan, in_its_place, replace_scans};
pub use grown::{Alike, Groups, Grown, each_carriable, grown};
pub use interned::works;
pub use select::{Known, Selection, select};

/// The work of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlan {
    /// Segments and segmentations to materialise, each behind what it builds on.
    pub nodes: Vec<String>,
    /// Definitions that several of them would compute again and again, each
    /// behind what it builds on.
    pub shared: BTreeSet<String>,
}

impl RunPlan {
    /// Orders the chosen and finds what they share.
    pub fn new(catalog: &Catalog, chosen: &BTreeSet<String>) -> Result<Self> {
        let graph = Graph::new(catalog);
        // What builds on a circle cannot be ordered: it comes last, to be told.
        let names = || chosen.iter().map(String::as_str);
        let order = match graph.order(names()) {
            Ok(order) => order,
            Err(_) => graph.order(names().filter(|name| graph.order([*name]).is_ok()))?,
        };
        let sound: BTreeSet<&str> = order.iter().copied().collect();
        let unsound = chosen.iter().filter(|name| !sound.contains(name.as_str()));
        Ok(Self {
            shared: share::shared(catalog, &order, chosen),
            nodes: order
                .into_iter()
                .filter(|name| chosen.contains(*name))
                .map(str::to_owned)
                .chain(unsound.cloned())
                .collect(),
        })
    }
}
