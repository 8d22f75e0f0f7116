//! The segments and labels of a group, each with the place of its bit.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};

use super::Counted;

/// Labels that nobody declared are found as rows come, so that their places differ
/// from run to run; results go by names.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<String>,
    places: HashMap<String, u32>,
    /// The bit of everyone there is.
    pub(super) everyone: Option<u32>,
}

impl Names {
    /// The names that are known from the start.
    pub(super) fn of(group: &[Counted]) -> Self {
        let mut names = Self::default();
        for counted in group {
            match counted {
                Counted::Everyone => names.everyone = Some(names.place("")),
                Counted::Segment(name) => {
                    names.place(name);
                }
                Counted::Labels(name, labels) => {
                    for label in labels {
                        names.place(&label_name(name, label));
                    }
                }
            }
        }
        names
    }

    pub(super) fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }

    /// The places of all segments and labels with their names, in the order of names.
    pub(super) fn sorted(&self) -> Vec<(usize, &str)> {
        let all = self.names.iter().enumerate();
        let all = all.filter(|(place, _)| Some(*place as u32) != self.everyone);
        let mut all: Vec<_> = all.map(|(place, name)| (place, name.as_str())).collect();
        all.sort_by_key(|(_, name)| *name);
        all
    }
}

/// What a label is called outside its segmentation.
pub(super) fn label_name(segmentation: &str, label: &str) -> String {
    format!("{segmentation}:{label}")
}

/// The labels of one segmentation that a task has met, so that it need not ask again.
#[derive(Debug, Default)]
pub(super) struct Labels(HashMap<String, u32>);

impl Labels {
    /// The place of each row's bit; none without a label.
    pub(super) fn places(
        &mut self,
        batch: &RecordBatch,
        place_of: impl Fn(&str) -> u32,
    ) -> Vec<Option<u32>> {
        let labels = batch.column(1).as_string_view();
        let mut places = Vec::with_capacity(labels.len());
        let mut last: Option<(&str, u32)> = None;
        for label in labels.iter() {
            let Some(label) = label else {
                places.push(None);
                continue;
            };
            let place = match last {
                Some((known, place)) if known == label => place,
                _ => self.place(label, &place_of),
            };
            last = Some((label, place));
            places.push(Some(place));
        }
        places
    }

    fn place(&mut self, label: &str, place_of: impl Fn(&str) -> u32) -> u32 {
        if let Some(place) = self.0.get(label) {
            return *place;
        }
        let place = place_of(label);
        self.0.insert(label.to_owned(), place);
        place
    }
}
