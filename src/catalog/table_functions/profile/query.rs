//! The SQL of a profile over columns c0, c1, … (the values), u0, u1, … (their measures)
//! and t0, t1, … (their texts).

use super::column::Column;
use super::outcome::Outcome;
use super::writing::Writing;

/// How many bins of equal width a histogram has.
const BINS: i64 = 10;

/// How many of the most frequent values are shown.
const TOP: i64 = 10;

/// Quantiles: their name, that of their measure, and their place among twentieths.
const QUANTILES: [(&str, &str, usize); 5] = [
    ("p05", "q05", 1),
    ("p25", "q25", 5),
    ("median", "q50", 10),
    ("p75", "q75", 15),
    ("p95", "q95", 19),
];

/// Columns that are counted in one pass, whose groups are told apart by bits.
const AT_ONCE: usize = 16;

const ROWS: &str = "
WITH first AS (SELECT count(*) AS n FIRST FROM base),
told AS (SELECT unnest(make_array(TOLD)) AS it FROM first),
measured AS (
  SELECT columns.*, told.it['rows'] AS rows, told.it['nulls'] AS nulls,
         told.it['distinct'] AS distinct_count, told.it['min'] AS min, told.it['max'] AS max,
         told.it['mean'] AS mean, told.it['lo'] AS lo, told.it['hi'] AS hi, told.it['p05'] AS q05,
         told.it['p25'] AS q25, told.it['p50'] AS q50, told.it['p75'] AS q75,
         told.it['p95'] AS q95
  FROM columns JOIN told ON told.it['number'] = columns.number),
written AS (SELECT *, WRITTEN, make_array(CUTS) AS edges FROM measured),
histograms AS (HISTOGRAMS),
tops AS (TOPS),
values_told AS (VALUES_TOLD)
SELECT column_name, type, rows, nulls, CAST(nulls AS DOUBLE) / nullif(rows, 0) AS null_share,
       distinct_count, min, max, mean, p05, p25, median, p75, p95,
       CASE WHEN lo IS NULL THEN NULL WHEN lo = hi THEN make_array(BIN_1)
            ELSE make_array(BINS) END AS histogram,
       tops.top AS top_values, values_told.information_value
FROM written
LEFT JOIN histograms ON histograms.number = written.number
LEFT JOIN tops ON tops.number = written.number
LEFT JOIN values_told ON values_told.number = written.number
ORDER BY written.number";

/// The columns with their numbers.
type Numbered<'c> = (usize, &'c Column);

pub(super) fn query(columns: &[Column], outcome: Option<&Outcome>) -> String {
    let all: Vec<Numbered<'_>> = columns.iter().enumerate().collect();
    let measures: Vec<_> = all
        .iter()
        .filter(|(_, it)| it.is_measure())
        .copied()
        .collect();
    let shown: Vec<_> = all
        .iter()
        .filter(|(_, it)| it.is_shown())
        .copied()
        .collect();
    let told: Vec<String> = all.iter().map(|it| told(*it)).collect();
    let first: String = all.iter().map(|it| first(*it)).collect();
    let bins: Vec<String> = (1..=BINS).map(bin).collect();
    let writing = Writing::of(columns);
    let quantiles =
        QUANTILES.map(|(name, column, _)| format!("{} AS {name}", writing.text(column, false)));
    let edges = (0..=BINS).map(|k| match k {
        0 => writing.text("lo", true),
        BINS => writing.text("hi", true),
        _ => {
            let part = format!("(lo / 256 + (hi / 256 - lo / 256) * {k} / {BINS})");
            writing.text(&format!("({part} * 256)"), true)
        }
    });
    let edges: Vec<String> = edges.collect();
    let worth = match outcome {
        Some(outcome) => outcome.information(&shown),
        None => "SELECT 0 AS number, CAST(NULL AS DOUBLE) AS information_value WHERE false".into(),
    };
    ROWS.replace("FIRST", &first)
        .replace("VALUES_TOLD", &worth)
        .replace("TOLD", &told.join(", "))
        .replace("HISTOGRAMS", &histograms(&measures))
        .replace("TOPS", &tops(&shown))
        .replace("WRITTEN", &quantiles.join(", "))
        .replace("CUTS", &edges.join(", "))
        .replace("BIN_1", &bins[0])
        .replace("BINS", &bins.join(", "))
}

fn bin(k: i64) -> String {
    format!(
        "named_struct('low', edges[{k}], 'high', edges[{}], \
         'count', coalesce(histograms.h{k}, 0))",
        k + 1
    )
}

/// What one aggregate over the table finds of a column.
fn first((at, column): Numbered<'_>) -> String {
    let mut found = format!(", count(c{at}) AS n{at}");
    if !column.is_nested() {
        found += &format!(", count(DISTINCT c{at}) AS d{at}");
    }
    if column.is_shown() {
        found += &format!(", min(c{at}) AS low{at}, max(c{at}) AS high{at}");
    }
    if column.is_measure() {
        found += &format!(
            ", min(u{at}) AS lo{at}, max(u{at}) AS hi{at}, quantile_cuts(u{at}, 20) AS q{at}"
        );
    }
    if let Some(mean) = column.mean(&format!("c{at}"), &format!("u{at}")) {
        found += &format!(", {mean} AS mean{at}");
    }
    found
}

/// The same as a row of its own.
fn told((at, column): Numbered<'_>) -> String {
    let null = || "CAST(NULL AS VARCHAR)".to_owned();
    let mut fields = vec![
        format!("'number', {at}, 'rows', n, 'nulls', n - n{at}"),
        match column.is_nested() {
            true => "'distinct', CAST(NULL AS BIGINT)".to_owned(),
            false => format!("'distinct', d{at}"),
        },
    ];
    for (name, value) in [("min", "low"), ("max", "high")] {
        let text = match column.is_shown() {
            true => format!("CAST({value}{at} AS VARCHAR)"),
            false => null(),
        };
        fields.push(format!("'{name}', {text}"));
    }
    let mean = column.mean("", "").map(|_| format!("mean{at}"));
    fields.push(format!("'mean', {}", mean.unwrap_or_else(null)));
    let measure = |value: String| match column.is_measure() {
        true => value,
        false => "CAST(NULL AS DOUBLE)".to_owned(),
    };
    fields.push(format!("'lo', {}", measure(format!("lo{at}"))));
    fields.push(format!("'hi', {}", measure(format!("hi{at}"))));
    for (_, column, place) in QUANTILES {
        let name = column.replace('q', "p");
        fields.push(format!("'{name}', {}", measure(format!("q{at}[{place}]"))));
    }
    format!("named_struct({})", fields.join(", "))
}

/// How many values lie in each bin. Of a 256th ten times the difference of any two floats
/// is finite, and no digit is lost.
fn histograms(measures: &[Numbered<'_>]) -> String {
    let ends = measures
        .iter()
        .map(|(at, _)| format!("min(u{at}) AS lo{at}, max(u{at}) AS hi{at}"));
    let ends: Vec<String> = ends.collect();
    let bins = |(at, _): &Numbered<'_>| {
        format!(
            "CASE WHEN u{at} IS NULL THEN NULL WHEN hi{at} / 256 = lo{at} / 256 THEN 1 \
             ELSE least({BINS}, 1 + CAST(floor((u{at} / 256 - lo{at} / 256) * {BINS} \
             / (hi{at} / 256 - lo{at} / 256)) AS BIGINT)) END AS b{at}"
        )
    };
    let rows = |part: &[Numbered<'_>]| {
        let bins: Vec<String> = part.iter().map(bins).collect();
        format!(
            "(SELECT {} FROM base CROSS JOIN (SELECT {} FROM base) AS ends)",
            bins.join(", "),
            ends.join(", ")
        )
    };
    let sums = (1..=BINS).map(|k| format!("sum(n) FILTER (WHERE value = {k}) AS h{k}"));
    let sums = sums.map(|it| {
        let (sum, name) = it.rsplit_once(" AS ").unwrap_or((&it, ""));
        format!("CAST({sum} AS BIGINT) AS {name}")
    });
    let sums: Vec<String> = sums.collect();
    format!(
        "SELECT number, {} FROM ({}) AS binned GROUP BY number",
        sums.join(", "),
        grouped(
            measures,
            "b",
            "CAST(NULL AS BIGINT)",
            "count(*) AS n",
            &rows
        )
    )
}

/// The most frequent values, of equal ones the smaller text first.
fn tops(shown: &[Numbered<'_>]) -> String {
    let rows = |_: &[Numbered<'_>]| "base".to_owned();
    format!(
        "SELECT number, array_agg(named_struct('value', value, 'count', n) ORDER BY place) AS top
         FROM (SELECT number, value, n,
                      row_number() OVER (PARTITION BY number ORDER BY n DESC, value) AS place
               FROM ({}) AS counted WHERE value IS NOT NULL) AS ranked
         WHERE place <= {TOP} GROUP BY number",
        grouped(shown, "t", "CAST(NULL AS VARCHAR)", "count(*) AS n", &rows)
    )
}

/// `number`, `value` and these counts of each different value of each column.
pub(super) fn grouped(
    columns: &[Numbered<'_>],
    letter: &str,
    null: &str,
    counts: &str,
    rows: &dyn Fn(&[Numbered<'_>]) -> String,
) -> String {
    let parts = columns.chunks(AT_ONCE).map(|part| {
        let each = |text: &dyn Fn(usize) -> String, between: &str| {
            let texts: Vec<String> = part.iter().map(|(at, _)| text(*at)).collect();
            texts.join(between)
        };
        let whens = each(
            &|at| format!("WHEN grouping({letter}{at}) = 0 THEN {at}"),
            " ",
        );
        let value = each(&|at| format!("{letter}{at}"), ", ");
        let sets = each(&|at| format!("({letter}{at})"), ", ");
        format!(
            "SELECT CASE {whens} END AS number, coalesce({value}) AS value, {counts} \
             FROM {} GROUP BY GROUPING SETS ({sets})",
            rows(part)
        )
    });
    let parts: Vec<String> = parts.collect();
    match parts.is_empty() {
        false => parts.join(" UNION ALL "),
        true => format!("SELECT 0 AS number, {null} AS value, {counts} FROM base WHERE false"),
    }
}
