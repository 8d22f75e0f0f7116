//! Which files of a source may hold rows that are seen at a moment. A file of later
//! days changes nothing about earlier ones, so it is no input of theirs.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::Field;
use datafusion::common::ScalarValue;

use super::InputFile;

/// What is known of the first time in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Earliest {
    /// No row is earlier; NULL where there are no rows.
    Exactly(ScalarValue),
    /// Some row is as early; whether others are earlier nobody looked.
    AtMost(ScalarValue),
    /// Some row has no time, or cannot be read: seen at every date, or an error at each.
    Always,
}

impl Earliest {
    /// Do all rows come after this time? None when it takes a look into the file.
    pub(super) fn is_after(&self, time: &ScalarValue) -> Option<bool> {
        let is_later = |first: &ScalarValue| {
            first.is_null() || first.partial_cmp(time) == Some(Ordering::Greater)
        };
        match self {
            Self::Exactly(first) => Some(is_later(first)),
            Self::AtMost(first) if is_later(first) => None,
            Self::AtMost(_) | Self::Always => Some(false),
        }
    }
}

/// A column of times, and the moment in its own type.
pub struct Until<'a> {
    /// The column.
    pub column: &'a str,
    /// The last time that is seen.
    pub time: ScalarValue,
}

/// What was found of files and columns so far, for as long as a source is open.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstTimes(Arc<Mutex<HashMap<(usize, String), Earliest>>>);

impl FirstTimes {
    /// What a footer tells, or the folders on the way to a file.
    pub(super) fn add(&self, file: usize, column: &str, earliest: Earliest) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((file, column.to_owned()), earliest);
    }

    /// What the folders on the way to the files say of a column that they give.
    pub(super) fn add_folders(&self, files: &[InputFile], key: &Field) {
        for (index, file) in files.iter().enumerate() {
            let mut keys = file.partitions.iter();
            let value = keys.find(|(name, _)| name == key.name());
            let value = value.map(|(_, value)| value.clone());
            let value = value.map(|it| ScalarValue::try_from_string(it, key.data_type()));
            let known = value.and_then(|it| it.ok().map(Earliest::Exactly));
            self.add(index, key.name(), known.unwrap_or(Earliest::Always));
        }
    }

    fn known(&self, file: usize, column: &str) -> Option<Earliest> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(file, column.to_owned())).cloned()
    }

    /// Do all rows of a file come after this time? `look` reads the file, where it can
    /// be read for times alone.
    pub(super) fn is_after(
        &self,
        file: usize,
        until: &Until<'_>,
        look: impl FnOnce() -> Option<Earliest>,
    ) -> bool {
        let Until { column, time } = until;
        let known = self.known(file, column);
        if let Some(answer) = known.and_then(|it| it.is_after(time)) {
            return answer;
        }
        let Some(found) = look() else {
            return false;
        };
        let answer = found.is_after(time);
        self.add(file, column, found);
        answer.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i32) -> ScalarValue {
        ScalarValue::Date32(Some(days))
    }

    #[test]
    fn only_what_was_read_to_its_end_is_known_to_come_later() {
        assert_eq!(Earliest::Exactly(day(5)).is_after(&day(4)), Some(true));
        assert_eq!(Earliest::Exactly(day(5)).is_after(&day(5)), Some(false));
        let no_rows = ScalarValue::Date32(None);
        assert_eq!(Earliest::Exactly(no_rows).is_after(&day(9)), Some(true));
        assert_eq!(Earliest::AtMost(day(5)).is_after(&day(5)), Some(false));
        assert_eq!(Earliest::AtMost(day(5)).is_after(&day(4)), None);
        assert_eq!(Earliest::Always.is_after(&day(-99)), Some(false));
    }

    #[test]
    fn a_file_is_read_once_for_dates_before_its_first_row() {
        let times = FirstTimes::default();
        let reads = std::cell::Cell::new(0);
        let is_after = |limit: i32| {
            let until = Until {
                column: "day",
                time: day(limit),
            };
            times.is_after(0, &until, || {
                reads.set(reads.get() + 1);
                Some(match limit < 5 {
                    true => Earliest::Exactly(day(5)),
                    false => Earliest::AtMost(day(7)),
                })
            })
        };
        assert!(!is_after(8));
        assert!(!is_after(7));
        assert!(is_after(3));
        assert!(is_after(4));
        assert!(!is_after(5));
        assert_eq!(reads.get(), 2);
    }
}
