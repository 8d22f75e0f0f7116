//! `rfm_score_with(recency_days, frequency, monetary, cuts)`: scores from given cut points.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;

use crate::aggregate::cuts_type;
use crate::arguments::{Call, types};
use crate::columns::{answer, rows};
use crate::cuts::{CutLists, is_cuts};
use crate::math::rfm::Cuts;
use crate::scores::{BINS, Measures, check_measures, score_type};
use crate::types::plain_or;

const CALL: Call = Call {
    name: "rfm_score_with",
    usage: "rfm_score_with(recency_days, frequency, monetary, cuts)",
};
const PARTS: [&str; 3] = ["recency", "frequency", "monetary"];

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "The scores of `rfm_score`, from given cut points instead of the quantiles of \
        the rows at hand: a customer then moves by what they did, and not because others did \
        more. A measure with k cuts has k + 1 bins, at most 9; bins are closed on the right. NULL \
        where a measure, the cuts or one of the lists is NULL. Cuts that do not ascend and NaN are \
        errors.",
    syntax_example = "rfm_score_with(recency_days, frequency, monetary, cuts)",
    sql_example = r#"```sql
> SELECT name, s['r'] AS r, s['f'] AS f, s['m'] AS m, s['score'] AS score
  FROM (SELECT name, rfm_score_with(days, orders, spent, named_struct(
                 'recency',   make_array(30, 60, 120, 240),
                 'frequency', make_array(1, 2, 4, 9),
                 'monetary',  make_array(50, 100, 250, 500))) AS s
        FROM (VALUES ('Ada', 12, 10, 800.0), ('Bo', 60, 1, 50.0), ('Cy', 400, 3, NULL))
             AS t(name, days, orders, spent)) AS scored
  ORDER BY name;
+------+---+---+---+-------+
| name | r | f | m | score |
+------+---+---+---+-------+
| Ada  | 5 | 5 | 5 | 555   |
| Bo   | 4 | 1 | 1 | 411   |
| Cy   |   |   |   |       |
+------+---+---+---+-------+
```"#,
    argument(name = "recency_days", description = "Days since the last purchase."),
    argument(name = "frequency", description = "Number of purchases."),
    argument(name = "monetary", description = "Sum of money."),
    argument(
        name = "cuts",
        description = "STRUCT{recency, frequency, monetary} of ascending \
        lists of numbers: of `rfm_cuts`, or written by hand."
    ),
    related_udf(name = "rfm_score"),
    related_udf(name = "rfm_cuts"),
    related_udf(name = "segment_of")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RfmScoreWith {
    signature: Signature,
}

impl Default for RfmScoreWith {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

fn check_cuts(seen: &DataType) -> Result<()> {
    let list = |name: &str| match seen {
        DataType::Struct(fields) => fields
            .find(name)
            .is_some_and(|(_, f)| is_cuts(f.data_type())),
        _ => seen.is_null(),
    };
    if PARTS.into_iter().all(list) {
        return Ok(());
    }
    let mend = "write named_struct('recency', make_array(…), 'frequency', make_array(…), \
                'monetary', make_array(…)), or take them from rfm_cuts";
    let needs = "cuts (STRUCT with lists of numbers recency, frequency and monetary)";
    Err(CALL.wrong_type(3, needs, seen, mend))
}

/// The cuts in a column of structs.
struct CutColumns {
    whole: ArrayRef,
    parts: [CutLists; 3],
}

impl CutColumns {
    fn of(whole: ArrayRef) -> Result<Self> {
        let part = |name: &str| {
            let part = whole.as_struct().column_by_name(name);
            let part = part.ok_or_else(|| exec_datafusion_err!("the cuts have no {name}"))?;
            CutLists::of(CALL.name, part)
        };
        let parts = [part("recency")?, part("frequency")?, part("monetary")?];
        Ok(Self { whole, parts })
    }

    /// Whether the first row speaks for all.
    fn are_one(&self) -> bool {
        self.whole.nulls().is_none() && self.parts.iter().all(CutLists::are_one)
    }

    fn row(&self, row: usize) -> Result<Option<Cuts<'_>>> {
        if self.whole.is_null(row) {
            return Ok(None);
        }
        let [recency, frequency, monetary] = &self.parts;
        let lists = (recency.row(row)?, frequency.row(row)?, monetary.row(row)?);
        let (Some(recency), Some(frequency), Some(monetary)) = lists else {
            return Ok(None);
        };
        let bins = recency.len().max(frequency.len()).max(monetary.len()) + 1;
        if bins > *BINS.end() as usize {
            return exec_err!(
                "rfm_score_with needs at most {} cuts a measure, as a score is one digit, but got {}",
                BINS.end() - 1,
                bins - 1
            );
        }
        Ok(Some(Cuts {
            recency,
            frequency,
            monetary,
        }))
    }
}

impl ScalarUDFImpl for RfmScoreWith {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let null_as = |at| {
            if at < 3 {
                DataType::Float64
            } else {
                cuts_type()
            }
        };
        Ok(types
            .iter()
            .enumerate()
            .map(|(at, seen)| plain_or(seen, null_as(at)))
            .collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(score_type())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = types(&args);
        CALL.check_count(types.len(), 4..=4)?;
        check_measures(&CALL, &types)?;
        check_cuts(types[3])?;
        Ok(Field::new(CALL.name, score_type(), true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = rows(&args.args, args.number_rows);
        let arrays = args.args[..3]
            .iter()
            .map(|arg| arg.to_array(rows))
            .collect::<Result<Vec<_>>>()?;
        let measures = Measures::of(CALL.name, &arrays)?;
        let (cuts, is_constant) = match &args.args[3] {
            ColumnarValue::Scalar(cuts) => (CutColumns::of(cuts.to_array()?)?, true),
            ColumnarValue::Array(cuts) => (CutColumns::of(Arc::clone(cuts))?, false),
        };
        let one = if is_constant {
            Some(cuts.row(0)?)
        } else {
            // Wrong cuts are an error only in rows with all measures.
            cuts.are_one().then(|| cuts.row(0).ok()).flatten()
        };
        let scores = match one {
            Some(cuts) => measures.score_all(cuts)?,
            None => measures.score(|row| cuts.row(row))?,
        };
        answer(&args.args, Arc::new(scores))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, ListArray, StructArray};
    use arrow::datatypes::{Int32Type, Int64Type};
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    use super::*;
    use crate::testing::{self, scores};

    fn ints(lists: Vec<Option<Vec<i64>>>) -> ArrayRef {
        let lists = lists
            .into_iter()
            .map(|list| list.map(|list| list.into_iter().map(Some).collect::<Vec<_>>()));
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))
    }

    /// Cuts as a user writes them: whole numbers, in any order of the parts.
    fn cuts(monetary: ArrayRef, frequency: ArrayRef, recency: ArrayRef) -> StructArray {
        let part = |name: &str, list: ArrayRef| {
            (
                Arc::new(Field::new(name, list.data_type().clone(), true)),
                list,
            )
        };
        StructArray::from(vec![
            part("monetary", monetary),
            part("frequency", frequency),
            part("recency", recency),
        ])
    }

    fn call(measures: [Vec<Option<f64>>; 3], cuts: ColumnarValue) -> Result<Vec<Option<[i32; 4]>>> {
        let rows = measures[0].len();
        let column = |values: Vec<Option<f64>>| {
            ColumnarValue::Array(Arc::new(Float64Array::from(values)) as ArrayRef)
        };
        let mut args: Vec<_> = measures.map(column).into();
        args.push(cuts);
        testing::call(&ScalarUDF::from(RfmScoreWith::default()), args, rows)
            .map(|array| scores(&array))
    }

    fn constant(cuts: StructArray) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::Struct(Arc::new(cuts)))
    }

    #[test]
    fn constant_cuts_with_different_bins() {
        let cuts = || {
            cuts(
                ints(vec![Some(vec![50])]),
                ints(vec![Some(vec![1, 2, 4, 9])]),
                ints(vec![Some(vec![30, 60])]),
            )
        };
        let measures = || {
            [
                vec![Some(30.0), Some(61.0), Some(31.0), None],
                vec![Some(1.0), Some(10.0), Some(3.0), Some(1.0)],
                vec![Some(50.0), Some(50.5), Some(0.0), Some(1.0)],
            ]
        };
        let expected = [
            Some([3, 1, 1, 311]),
            Some([1, 5, 2, 152]),
            Some([2, 3, 1, 231]),
            None,
        ];
        assert_eq!(call(measures(), constant(cuts())).unwrap(), expected);
        let repeated = arrow::compute::concat(&[&cuts(), &cuts(), &cuts(), &cuts()]).unwrap();
        assert_eq!(
            call(measures(), ColumnarValue::Array(repeated)).unwrap(),
            expected
        );
    }

    #[test]
    fn null_cuts_give_null() {
        let one = || [vec![Some(1.0)], vec![Some(1.0)], vec![Some(1.0)]];
        let missing = cuts(
            ints(vec![None]),
            ints(vec![Some(vec![1])]),
            ints(vec![Some(vec![1])]),
        );
        assert_eq!(call(one(), constant(missing)).unwrap(), [None]);
        assert_eq!(
            call(one(), ColumnarValue::Scalar(ScalarValue::Null)).unwrap(),
            [None]
        );
    }

    #[test]
    fn wrong_cuts() {
        let one = || [vec![Some(1.0)], vec![Some(1.0)], vec![Some(1.0)]];
        let fine = || ints(vec![Some(vec![1])]);
        let error = |recency: ArrayRef| {
            call(one(), constant(cuts(fine(), fine(), recency)))
                .unwrap_err()
                .strip_backtrace()
        };
        assert!(
            error(ints(vec![Some(vec![3, 1])])).contains("ascending order, but got [3.0, 1.0]")
        );
        assert!(error(ints(vec![Some((1..10).collect())])).contains("at most 8 cuts a measure"));
        let nullable =
            ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![None, Some(1)])]);
        assert!(error(Arc::new(nullable)).contains("not NULL"));
        let nan = call(
            [vec![Some(f64::NAN)], vec![Some(1.0)], vec![Some(1.0)]],
            constant(cuts(fine(), fine(), fine())),
        );
        assert!(
            nan.unwrap_err()
                .to_string()
                .contains("rfm_score_with cannot place NaN")
        );
    }

    #[test]
    fn wrong_types() {
        let planned =
            |types: &[DataType]| testing::plan_error(&RfmScoreWith::default().into(), types);
        let number = DataType::Int64;
        let list = planned(&[
            number.clone(),
            number.clone(),
            number.clone(),
            DataType::new_list(number.clone(), true),
        ]);
        assert!(
            list.contains(
                "its fourth argument is a list of BIGINT; write named_struct('recency', "
            ),
            "{list}"
        );
        let date = planned(&[
            DataType::Date32,
            number.clone(),
            number.clone(),
            cuts_type(),
        ]);
        assert!(date.ends_with("rfm_score_with needs a number as recency_days, but its first argument is DATE; write days_since(…) of it"), "{date}");
        let text = planned(&[number.clone(), number, DataType::Utf8, cuts_type()]);
        assert!(
            text.ends_with("its third argument is TEXT; write CAST(monetary AS DOUBLE)"),
            "{text}"
        );
    }

    #[test]
    fn constants_alone_give_a_constant() {
        let fine = || ints(vec![Some(vec![1])]);
        let value = |value: i64| ColumnarValue::Scalar(ScalarValue::from(value));
        let args = vec![
            value(1),
            value(2),
            value(1),
            constant(cuts(fine(), fine(), fine())),
        ];
        let array = testing::call(&RfmScoreWith::default().into(), args, 3).unwrap();
        assert_eq!(scores(&array), [Some([2, 2, 1, 221]); 3]);
    }
}
