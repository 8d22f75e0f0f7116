//! The rules of the built-in schemes, as data.

use std::ops::RangeInclusive;

use super::scheme::{Rule, Scheme};

type Scores = RangeInclusive<u8>;

/// Ten segments over recency and frequency that take each of the 25 cells exactly once.
const RF10: [(&str, Scores, Scores); 10] = [
    ("hibernating", 1..=2, 1..=2),
    ("at_risk", 1..=2, 3..=4),
    ("cant_lose", 1..=2, 5..=5),
    ("about_to_sleep", 3..=3, 1..=2),
    ("need_attention", 3..=3, 3..=3),
    ("loyal", 3..=4, 4..=5),
    ("promising", 4..=4, 1..=1),
    ("new", 5..=5, 1..=1),
    ("potential_loyalist", 4..=5, 2..=3),
    ("champions", 5..=5, 4..=5),
];

/// The R package rfm 0.3.0.
const RFM_R: [(&str, Scores, Scores, Scores); 10] = [
    ("Champions", 5..=5, 5..=5, 5..=5),
    ("Potential Loyalist", 3..=5, 3..=5, 2..=5),
    ("Loyal Customers", 2..=4, 2..=4, 2..=4),
    ("Promising", 3..=4, 1..=3, 3..=5),
    ("New Customers", 4..=5, 1..=3, 1..=5),
    ("Can't Lose Them", 1..=2, 3..=4, 4..=5),
    ("At Risk", 1..=2, 2..=5, 4..=5),
    ("Need Attention", 1..=3, 3..=5, 3..=5),
    ("About To Sleep", 2..=3, 1..=3, 1..=4),
    ("Lost", 1..=1, 1..=5, 1..=5),
];

/// The older vignette of the same package, in which frequency and monetary share a range.
const RFM_R_2018: [(&str, Scores, Scores); 11] = [
    ("Champions", 4..=5, 4..=5),
    ("Loyal", 2..=5, 3..=5),
    ("Potential Loyalist", 3..=5, 1..=3),
    ("New", 4..=5, 1..=1),
    ("Promising", 3..=4, 1..=1),
    ("Need Attention", 2..=3, 2..=3),
    ("About To Sleep", 2..=3, 1..=2),
    ("At Risk", 1..=2, 2..=5),
    ("Can't Lose", 1..=1, 4..=5),
    ("Hibernating", 1..=2, 1..=2),
    ("Lost", 1..=2, 1..=2),
];

/// PyMC-Marketing's segments over quartiles, cell by cell.
const PYMC4: [(&str, &[u16]); 5] = [
    ("Premium", &[334, 443, 444, 344, 434, 433, 343, 333]),
    ("Repeat", &[244, 234, 232, 332, 143, 233, 243]),
    (
        "Top Spender",
        &[
            424, 414, 144, 314, 324, 124, 224, 423, 413, 133, 323, 313, 134,
        ],
    ),
    (
        "At Risk",
        &[422, 223, 212, 122, 222, 132, 322, 312, 412, 123, 214],
    ),
    ("Inactive", &[411, 111, 113, 114, 112, 211, 311]),
];

/// Every built-in scheme, the default first.
pub(super) fn built_in() -> Vec<Scheme> {
    let rf10 = RF10.map(|(segment, r, f)| rule(segment, r, f, 1..=5));
    let rfm_r = RFM_R.map(|(segment, r, f, m)| rule(segment, r, f, m));
    let rfm_r_2018 = RFM_R_2018.map(|(segment, r, f_m)| rule(segment, r, f_m.clone(), f_m));
    let pymc4 = PYMC4
        .iter()
        .flat_map(|(segment, cells)| cells.iter().map(|at| cell(segment, *at)));
    vec![
        Scheme {
            uses_monetary: false,
            ..scheme("rf10", 5, rf10.to_vec(), None)
        },
        scheme("rfm_r", 5, rfm_r.to_vec(), Some("Others")),
        scheme("rfm_r_2018", 5, rfm_r_2018.to_vec(), Some("Others")),
        scheme("pymc4", 4, pymc4.collect(), Some("Other")),
    ]
}

fn rule(segment: &str, r: Scores, f: Scores, m: Scores) -> Rule {
    Rule {
        segment: segment.to_owned(),
        r,
        f,
        m,
    }
}

fn cell(segment: &str, at: u16) -> Rule {
    let digit = |place: u16| {
        let digit = u8::try_from(at / place % 10).expect("a digit is below 10");
        digit..=digit
    };
    rule(segment, digit(100), digit(10), digit(1))
}

fn scheme(name: &str, bins: u8, rules: Vec<Rule>, otherwise: Option<&str>) -> Scheme {
    Scheme {
        name: name.to_owned(),
        bins,
        uses_monetary: true,
        rules,
        otherwise: otherwise.map(str::to_owned),
    }
}
