//! Schemes that name RFM segments: ordered rules over the scores, of which the first match wins.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use datafusion_common::utils::datafusion_strsim::normalized_levenshtein;

use super::scheme_rules::built_in;

/// One rule of a scheme: the scores it takes, ends included, and the segment it gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The name of the segment. Several rules may name the same.
    pub segment: String,
    /// Recency scores.
    pub r: RangeInclusive<u8>,
    /// Frequency scores.
    pub f: RangeInclusive<u8>,
    /// Monetary scores.
    pub m: RangeInclusive<u8>,
}

impl Rule {
    fn matches(&self, [r, f, m]: [u8; 3]) -> bool {
        self.r.contains(&r) && self.f.contains(&f) && self.m.contains(&m)
    }
}

/// A named, ordered list of rules over scores from 1 to `bins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// The name by which `segment_of` knows it.
    pub name: String,
    /// The highest score.
    pub bins: u8,
    /// Whether the monetary score matters; where not, recency and frequency are enough.
    pub uses_monetary: bool,
    /// The rules, of which the first match wins.
    pub rules: Vec<Rule>,
    /// The segment of scores that no rule takes; `None` where the rules take all.
    pub otherwise: Option<String>,
}

impl Scheme {
    /// Every possible triple of scores, in order.
    pub fn cells(&self) -> impl Iterator<Item = [u8; 3]> + use<> {
        let bins = self.bins;
        let scores = move || 1..=bins;
        scores().flat_map(move |r| scores().flat_map(move |f| scores().map(move |m| [r, f, m])))
    }

    /// The place in `rules` of the first that takes the scores.
    pub fn first_match(&self, cell: [u8; 3]) -> Option<usize> {
        self.rules.iter().position(|rule| rule.matches(cell))
    }

    /// The segment of the scores; `None` where no rule takes them and there is no other.
    pub fn segment(&self, cell: [u8; 3]) -> Option<&str> {
        match self.first_match(cell) {
            Some(rule) => Some(&self.rules[rule].segment),
            None => self.otherwise.as_deref(),
        }
    }

    /// The rules that can never apply, as those before them take all their scores.
    pub fn unreachable_rules(&self) -> Vec<&Rule> {
        let reached: BTreeSet<usize> = self
            .cells()
            .filter_map(|cell| self.first_match(cell))
            .collect();
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(at, _)| !reached.contains(at))
            .map(|(_, rule)| rule)
            .collect()
    }
}

/// The schemes that `segment_of` knows, the default first.
pub fn schemes() -> &'static [Scheme] {
    static SCHEMES: LazyLock<Vec<Scheme>> = LazyLock::new(built_in);
    &SCHEMES
}

/// A name that no scheme has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScheme {
    /// The name that was asked for.
    pub name: String,
    /// The scheme whose name is most like it, where one is.
    pub similar: Option<&'static str>,
}

impl fmt::Display for UnknownScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the scheme '{}'.", self.name)?;
        if let Some(similar) = self.similar {
            write!(f, " Did you mean '{similar}'?")?;
        }
        let names: Vec<&str> = schemes()
            .iter()
            .map(|scheme| scheme.name.as_str())
            .collect();
        write!(f, " Schemes: {}", names.join(", "))
    }
}

impl std::error::Error for UnknownScheme {}

/// The scheme of a name.
///
/// # Errors
/// If there is none; the error knows the most similar name.
pub fn by_name(name: &str) -> Result<&'static Scheme, UnknownScheme> {
    if let Some(scheme) = schemes().iter().find(|scheme| scheme.name == name) {
        return Ok(scheme);
    }
    let likeness = |scheme: &'static Scheme| {
        (
            normalized_levenshtein(&scheme.name, &name.to_lowercase()),
            scheme.name.as_str(),
        )
    };
    let most = schemes()
        .iter()
        .map(likeness)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let similar = most
        .filter(|(likeness, _)| *likeness > 0.5)
        .map(|(_, name)| name);
    Err(UnknownScheme {
        name: name.to_owned(),
        similar,
    })
}

/// A scheme as a table, one look-up a row.
#[derive(Debug)]
pub(crate) struct Lookup {
    bins: i64,
    segments: Vec<Option<String>>,
}

/// A score that a scheme does not know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange {
    pub(crate) score: i64,
    pub(crate) bins: i64,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scores from 1 to {}, but got {}", self.bins, self.score)
    }
}

impl Lookup {
    pub(crate) fn of(scheme: &Scheme) -> Self {
        let segments = scheme
            .cells()
            .map(|cell| scheme.segment(cell).map(str::to_owned));
        Self {
            bins: i64::from(scheme.bins),
            segments: segments.collect(),
        }
    }

    /// The place of scores in [`Self::segments`].
    #[inline]
    pub(crate) fn place(&self, scores: [i64; 3]) -> Result<usize, OutOfRange> {
        let mut at = 0;
        for score in scores {
            if !(1..=self.bins).contains(&score) {
                return Err(OutOfRange {
                    score,
                    bins: self.bins,
                });
            }
            at = at * self.bins + (score - 1);
        }
        Ok(at as usize)
    }

    /// The segments by place; `None` where no rule takes the scores.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Option<&str>> {
        self.segments.iter().map(Option::as_deref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(name: &str) -> &'static Scheme {
        schemes().iter().find(|scheme| scheme.name == name).unwrap()
    }

    fn takers(scheme: &Scheme, cell: [u8; 3]) -> usize {
        scheme
            .rules
            .iter()
            .filter(|rule| rule.matches(cell))
            .count()
    }

    #[test]
    fn rf10_takes_each_of_its_25_cells_exactly_once() {
        let rf10 = &schemes()[0];
        assert_eq!(
            (rf10.name.as_str(), rf10.rules.len(), rf10.uses_monetary),
            ("rf10", 10, false)
        );
        assert_eq!(rf10.cells().count(), 125);
        assert!(rf10.cells().all(|cell| takers(rf10, cell) == 1));
        assert_eq!(rf10.otherwise, None);
        let cells = [
            (11, "hibernating"),
            (25, "cant_lose"),
            (23, "at_risk"),
            (32, "about_to_sleep"),
            (33, "need_attention"),
            (44, "loyal"),
            (35, "loyal"),
            (41, "promising"),
            (51, "new"),
            (42, "potential_loyalist"),
            (53, "potential_loyalist"),
            (54, "champions"),
        ];
        for (cell, segment) in cells {
            assert_eq!(
                rf10.segment([cell / 10, cell % 10, 3]),
                Some(segment),
                "{cell}"
            );
        }
    }

    #[test]
    fn rfm_r_leaves_ten_cells_to_others() {
        let rfm_r = scheme("rfm_r");
        let others = rfm_r.cells().filter(|cell| takers(rfm_r, *cell) == 0);
        assert_eq!(others.count(), 10);
        assert_eq!(rfm_r.segment([5, 5, 5]), Some("Champions"));
        assert_eq!(rfm_r.segment([1, 1, 1]), Some("Lost"));
        assert_eq!(rfm_r.segment([5, 5, 1]), Some("Others"));
        assert_eq!(
            rfm_r.segment([4, 4, 4]),
            Some("Potential Loyalist"),
            "before Loyal Customers"
        );
        assert!(rfm_r.unreachable_rules().is_empty());
    }

    #[test]
    fn four_rules_of_rfm_r_2018_cannot_be_reached() {
        let unreachable = scheme("rfm_r_2018").unreachable_rules();
        let names: Vec<&str> = unreachable
            .iter()
            .map(|rule| rule.segment.as_str())
            .collect();
        assert_eq!(names, ["New", "Promising", "Can't Lose", "Lost"]);
        assert_eq!(scheme("rfm_r_2018").rules.len(), 11);
    }

    #[test]
    fn pymc4_names_46_cells_once() {
        let pymc4 = scheme("pymc4");
        assert_eq!(pymc4.bins, 4);
        assert_eq!(
            pymc4
                .cells()
                .filter(|cell| takers(pymc4, *cell) == 1)
                .count(),
            46
        );
        assert_eq!(
            pymc4
                .cells()
                .filter(|cell| takers(pymc4, *cell) == 0)
                .count(),
            64 - 46
        );
        assert_eq!(pymc4.segment([4, 4, 4]), Some("Premium"));
        assert_eq!(pymc4.segment([2, 4, 3]), Some("Repeat"));
        assert_eq!(pymc4.segment([1, 3, 4]), Some("Top Spender"));
        assert_eq!(pymc4.segment([2, 1, 4]), Some("At Risk"));
        assert_eq!(pymc4.segment([3, 1, 1]), Some("Inactive"));
        assert_eq!(pymc4.segment([1, 2, 1]), Some("Other"));
    }

    #[test]
    fn the_table_says_what_the_rules_say() {
        for scheme in schemes() {
            let lookup = Lookup::of(scheme);
            let segments: Vec<Option<&str>> = lookup.segments().collect();
            for cell in scheme.cells() {
                let place = lookup.place(cell.map(i64::from)).unwrap();
                assert_eq!(segments[place], scheme.segment(cell));
            }
            let bins = i64::from(scheme.bins);
            for score in [0, -1, bins + 1, i64::MAX] {
                assert_eq!(lookup.place([1, score, 1]), Err(OutOfRange { score, bins }));
            }
        }
    }
}
