//! SQL that writes measures as the types of their columns write values.

use std::collections::BTreeSet;

use super::column::Column;

/// Whole numbers of the last digit, `X`, which may have hundredths between them: the
/// digits, the point before the last `places`, and no zeros around.
/// A DOUBLE does not tell whole numbers apart from 2^53 on: there it is written as one.
const EXACT: &str = "
CASE WHEN abs(X) >= 9007199254740992.0 THEN CAST(X / power(10.0, places - 2) AS VARCHAR)
ELSE CASE WHEN X < 0 THEN '-' ELSE '' END
  || regexp_replace(regexp_replace(
       left(lpad(DIGITS, 40, '0'), 40 - places) || '.' || right(lpad(DIGITS, 40, '0'), places),
       '\\.?0+$', ''), '^0+([0-9])', '\\1') END";

/// Numbers beyond what hundredths of a DOUBLE can tell are whole.
const DIGITS: &str = "
CASE WHEN X = floor(X) THEN CAST(TRY_CAST(abs(X) AS DECIMAL(38, 0)) AS VARCHAR) || '00'
     ELSE CAST(TRY_CAST(round(abs(X) * 100) AS DECIMAL(38, 0)) AS VARCHAR) END";

/// Writes the measures of these columns, by the columns `kind` and `places` beside them.
pub(super) struct Writing {
    times: BTreeSet<String>,
}

impl Writing {
    pub(super) fn of(columns: &[Column]) -> Self {
        let kinds = columns.iter().map(|it| it.writing().0);
        let times = kinds.filter(|it| it.starts_with("Timestamp"));
        Self {
            times: times.collect(),
        }
    }

    /// The text of a measure; between two days or microseconds that of the earlier, or of
    /// the later for the edge of a bin, which is the least that may lie above.
    pub(super) fn text(&self, measure: &str, is_edge: bool) -> String {
        let whole = if is_edge { "ceil" } else { "floor" };
        let exact = EXACT.replace("DIGITS", DIGITS).replace('X', measure);
        let times = self.times.iter().map(|kind| {
            format!(
                "WHEN '{kind}' THEN CAST(arrow_cast(TRY_CAST({whole}({measure}) AS BIGINT), '{kind}') AS VARCHAR)"
            )
        });
        let times: Vec<String> = times.collect();
        format!(
            "CAST(CASE kind WHEN 'exact' THEN {exact}
             WHEN 'date' THEN CAST(arrow_cast(TRY_CAST({whole}({measure}) AS INT), 'Date32') AS VARCHAR)
             {} ELSE CAST({measure} AS VARCHAR) END AS VARCHAR)",
            times.join(" ")
        )
    }
}
