//! `rfm_score(recency_days, frequency, monetary [, bins]) OVER (…)`: scores within a partition.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{
    Documentation, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion_functions_window_common::expr::ExpressionArgs;
use datafusion_functions_window_common::field::WindowUDFFieldArgs;
use datafusion_functions_window_common::partition::PartitionEvaluatorArgs;
use datafusion_macros::user_doc;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;

use crate::arguments::Call;
use crate::math::quantile::cut_points;
use crate::math::rfm::Cuts;
use crate::scores::{Measures, bins_argument, check_bins_type, check_measures, score_type};
use crate::types::plain_or;

const CALL: Call = Call {
    name: "rfm_score",
    usage: "rfm_score(recency_days, frequency, monetary [, bins]) OVER ()",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "Recency, frequency and monetary scores of every row among those of its \
        partition, as STRUCT{r, f, m, score}: 1 to `bins`, 5 best by default, score = r·100 + \
        f·10 + m. Cut points are exact quantiles with linear interpolation (type 7 of Hyndman & \
        Fan 1996); f and m are 1 + the number of cuts strictly below the value, r is bins − the \
        number of cuts strictly below the recency. So equal values always share a score, and \
        neither an ORDER BY in the window nor a frame changes it. Where many values are equal a \
        bin may stay empty. A row with a NULL measure gets NULL and enters no cut; NaN is an error.",
    syntax_example = "rfm_score(recency_days, frequency, monetary [, bins]) OVER ([PARTITION BY …])",
    sql_example = r#"```sql
> SELECT name, s['r'] AS r, s['f'] AS f, s['m'] AS m, s['score'] AS score
  FROM (SELECT name, rfm_score(days, orders, spent) OVER () AS s
        FROM (VALUES ('Ada', 1, 9, 500.0), ('Bo', 20, 1, 20.0), ('Cy', 35, 1, 25.0),
                     ('Di', 90, 2, 60.0), ('Ed', 400, 1, 10.0), ('Flo', 8, NULL, 5.0))
             AS t(name, days, orders, spent)) AS scored
  ORDER BY name;
+------+---+---+---+-------+
| name | r | f | m | score |
+------+---+---+---+-------+
| Ada  | 5 | 5 | 5 | 555   |
| Bo   | 4 | 1 | 2 | 412   |
| Cy   | 3 | 1 | 3 | 313   |
| Di   | 2 | 4 | 4 | 244   |
| Ed   | 1 | 1 | 1 | 111   |
| Flo  |   |   |   |       |
+------+---+---+---+-------+
```"#,
    argument(name = "recency_days", description = "Days since the last purchase."),
    argument(name = "frequency", description = "Number of purchases."),
    argument(name = "monetary", description = "Sum of money."),
    argument(
        name = "bins",
        description = "Constant whole number, 2 to 9; default 5."
    ),
    related_udf(name = "segment_of"),
    related_udf(name = "rfm_cuts"),
    related_udf(name = "rfm_score_with")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RfmScore {
    signature: Signature,
}

impl Default for RfmScore {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl WindowUDFImpl for RfmScore {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types
            .iter()
            .map(|seen| plain_or(seen, DataType::Float64))
            .collect())
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<&DataType> = args.input_fields().iter().map(|f| f.data_type()).collect();
        CALL.check_count(types.len(), 3..=4)?;
        check_measures(&CALL, &types)?;
        check_bins_type(&CALL, &types)?;
        Ok(Field::new(args.name(), score_type(), true).into())
    }

    /// Only the measures are computed for the rows: the bins are read once, from the plan.
    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        args.input_exprs().iter().take(3).cloned().collect()
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Scoring {
            bins: bins_argument(&CALL, args.input_exprs())?,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The number of bins that a call scores with; none if it is of another function, or is refused
/// when it is run.
pub(crate) fn bins_of(function: &WindowUDF, args: &[Arc<dyn PhysicalExpr>]) -> Option<usize> {
    function.inner().downcast_ref::<RfmScore>()?;
    bins_argument(&CALL, args).ok()
}

/// The measures of the rows, from the arguments of a call.
pub(crate) fn measures(arguments: &[ArrayRef]) -> Result<Measures> {
    Measures::of(CALL.name, arguments)
}

/// Scores a whole partition at once, whatever the frame.
#[derive(Debug)]
struct Scoring {
    bins: usize,
}

impl PartitionEvaluator for Scoring {
    fn evaluate_all(&mut self, values: &[ArrayRef], _num_rows: usize) -> Result<ArrayRef> {
        let measures = measures(values)?;
        let cuts = measures
            .complete()
            .map(|mut values| cut_points(&mut values, self.bins));
        let cuts = match &cuts {
            [Some(recency), Some(frequency), Some(monetary)] => Some(Cuts {
                recency,
                frequency,
                monetary,
            }),
            _ => None,
        };
        Ok(Arc::new(measures.score_all(cuts)?))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Decimal128Array, Float64Array, Int16Array, UInt64Array};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Constant, plan_error_with, scores};

    type Row = (Option<f64>, Option<f64>, Option<f64>);

    fn evaluate(bins: usize, rows: &[Row]) -> Result<Vec<Option<[i32; 4]>>> {
        let column = |at: fn(&Row) -> Option<f64>| -> ArrayRef {
            Arc::new(Float64Array::from_iter(rows.iter().map(at)))
        };
        let arrays = [
            column(|row| row.0),
            column(|row| row.1),
            column(|row| row.2),
        ];
        Scoring { bins }
            .evaluate_all(&arrays, rows.len())
            .map(|array| scores(&array))
    }

    fn row(recency: f64, frequency: f64, monetary: f64) -> Row {
        (Some(recency), Some(frequency), Some(monetary))
    }

    #[test]
    fn ten_customers_in_quintiles() {
        // Distinct values 1 to 10: the cuts are 2.8, 4.6, 6.4, 8.2, two customers a bin.
        let rows: Vec<Row> = (1..=10)
            .map(f64::from)
            .map(|i| row(i, i, 11.0 - i))
            .collect();
        let got = evaluate(5, &rows).unwrap();
        let expected = [515, 515, 424, 424, 333, 333, 242, 242, 151, 151];
        assert_eq!(
            got.iter()
                .map(|score| score.unwrap()[3])
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(got[0], Some([5, 1, 5, 515]));
    }

    #[test]
    fn heavy_ties_leave_bins_empty_and_are_not_renumbered() {
        // Six of ten bought once: frequency cuts 1, 1, 1, 2.2 (numpy), so twice scores 4.
        let bought = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 9.0];
        let rows: Vec<Row> = bought.into_iter().map(|f| row(7.0, f, 7.0)).collect();
        let f: Vec<i32> = evaluate(5, &rows)
            .unwrap()
            .iter()
            .map(|score| score.unwrap()[1])
            .collect();
        assert_eq!(f, [1, 1, 1, 1, 1, 1, 1, 4, 5, 5]);
    }

    #[test]
    fn one_row_equal_rows_no_rows() {
        // No cut lies strictly below: the best recency, the lowest of the others.
        assert_eq!(
            evaluate(5, &[row(3.0, 4.0, 5.0)]).unwrap(),
            [Some([5, 1, 1, 511])]
        );
        assert_eq!(
            evaluate(9, &[row(-1.0, 0.0, 0.0); 4]).unwrap(),
            [Some([9, 1, 1, 911]); 4]
        );
        assert_eq!(evaluate(5, &[]).unwrap(), []);
    }

    #[test]
    fn a_null_measure_gives_null_and_enters_no_cut() {
        let rows = [
            row(1.0, 1.0, 1.0),
            (None, Some(1e9), Some(1e9)),
            row(2.0, 2.0, 2.0),
            (Some(0.0), None, None),
        ];
        assert_eq!(
            evaluate(2, &rows).unwrap(),
            [Some([2, 1, 1, 211]), None, Some([1, 2, 2, 122]), None]
        );
        assert_eq!(
            evaluate(2, &[(None, Some(1.0), Some(1.0))]).unwrap(),
            [None]
        );
        let nan = evaluate(2, &[row(f64::NAN, 1.0, 1.0)])
            .unwrap_err()
            .to_string();
        assert!(nan.contains("rfm_score cannot place NaN"), "{nan}");
    }

    #[test]
    fn other_numeric_types() {
        let arrays: [ArrayRef; 3] = [
            Arc::new(Int16Array::from(vec![1, 2])),
            Arc::new(UInt64Array::from(vec![1, 2])),
            Arc::new(
                Decimal128Array::from(vec![101, 102])
                    .with_precision_and_scale(9, 2)
                    .unwrap(),
            ),
        ];
        let array = Scoring { bins: 2 }.evaluate_all(&arrays, 2).unwrap();
        assert_eq!(scores(&array), [Some([2, 1, 1, 211]), Some([1, 2, 2, 122])]);
        assert_eq!(array.data_type(), &score_type());
    }

    #[test]
    fn the_number_of_bins() {
        let udf = WindowUDF::from(RfmScore::default());
        let evaluator = |bins: Option<Arc<dyn PhysicalExpr>>| {
            let mut exprs: Vec<_> = (0..3).map(|_| Constant::column()).collect();
            exprs.extend(bins);
            udf.partition_evaluator_factory(PartitionEvaluatorArgs::new(&exprs, &[], false, false))
        };
        assert_eq!(
            format!("{:?}", evaluator(None).unwrap()),
            "Scoring { bins: 5 }"
        );
        assert_eq!(
            format!("{:?}", evaluator(Some(Constant::of(9))).unwrap()),
            "Scoring { bins: 9 }"
        );
        for bins in [1, 10] {
            let error = evaluator(Some(Constant::of(bins)))
                .unwrap_err()
                .strip_backtrace();
            assert!(
                error.ends_with(&format!(
                    "rfm_score needs bins as a whole number, 2 to 9, but got {bins}"
                )),
                "{error}"
            );
        }
        assert!(
            evaluator(Some(Constant::column()))
                .unwrap_err()
                .to_string()
                .contains("as a constant")
        );
    }

    #[test]
    fn errors_in_plain_words() {
        let udf = WindowUDF::from(RfmScore::default());
        let planned = |types: &[DataType]| plan_error_with(types, |args| udf.call(args));
        let whole = DataType::Int64;
        let time = planned(&[DataType::Date32, whole.clone(), whole.clone()]);
        assert_eq!(
            time,
            "Error during planning: rfm_score needs a number as recency_days, but its first argument is DATE; write days_since(…) of it"
        );
        assert!(planned(&[whole.clone(), whole.clone()]).contains("takes 3 or 4 arguments, but got 2; write rfm_score(recency_days, frequency, monetary [, bins]) OVER ()"));
        let bins = planned(&[whole.clone(), whole.clone(), whole, DataType::Utf8]);
        assert!(bins.ends_with("rfm_score needs bins as a whole number, but its fourth argument is TEXT; write a number from 2 to 9"), "{bins}");
    }

    fn customers() -> impl Strategy<Value = Vec<Row>> {
        let measure = || prop::option::weighted(0.9, (-4i32..12).prop_map(|v| f64::from(v) / 2.0));
        prop::collection::vec((measure(), measure(), measure()), 0..60)
    }

    proptest! {
        #[test]
        fn scores_are_monotone(rows in customers(), bins in 2usize..=9) {
            let got = evaluate(bins, &rows).unwrap();
            for (a, score_a) in rows.iter().zip(&got) {
                for (b, score_b) in rows.iter().zip(&got) {
                    let (Some(x), Some(y)) = (score_a, score_b) else { continue };
                    prop_assert!(a.0 > b.0 || x[0] >= y[0], "fewer days, no worse r");
                    prop_assert!(a.1 < b.1 || x[1] >= y[1], "more purchases, no worse f");
                    prop_assert!(a.2 < b.2 || x[2] >= y[2], "more money, no worse m");
                }
            }
            for score in got.iter().flatten() {
                prop_assert!(score[..3].iter().all(|part| (1..=bins as i32).contains(part)));
                prop_assert_eq!(score[3].to_string(), format!("{}{}{}", score[0], score[1], score[2]));
            }
        }

        #[test]
        fn the_order_of_rows_does_not_matter(rows in customers(), by in 0usize..60, bins in 2usize..=9) {
            let got = evaluate(bins, &rows).unwrap();
            let by = if rows.is_empty() { 0 } else { by % rows.len() };
            let mut turned = rows.clone();
            turned.rotate_left(by);
            turned.reverse();
            let mut expected = got;
            expected.rotate_left(by);
            expected.reverse();
            prop_assert_eq!(evaluate(bins, &turned).unwrap(), expected);
        }

        /// By definition: a bin number is one more than the quantiles that lie strictly below.
        #[test]
        fn scores_follow_the_definition(values in prop::collection::vec(0u8..20, 1..40)) {
            let rows: Vec<Row> = values.iter().map(|v| row(1.0, f64::from(*v), 1.0)).collect();
            let mut sorted: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            sorted.sort_by(f64::total_cmp);
            // In fifths of a rank, so that all is whole: 5 * quantile(i/5).
            let fives = |i: usize| {
                let (at, rest) = ((sorted.len() - 1) * i / 5, (sorted.len() - 1) * i % 5);
                let next = sorted[(at + 1).min(sorted.len() - 1)];
                5.0 * sorted[at] + rest as f64 * (next - sorted[at])
            };
            for (value, score) in values.iter().zip(evaluate(5, &rows).unwrap()) {
                let below = (1..5).filter(|i| fives(*i) < 5.0 * f64::from(*value)).count();
                prop_assert_eq!(score.unwrap()[1], below as i32 + 1);
            }
        }
    }
}
