//! `rfm_cuts(recency_days, frequency, monetary [, bins])`: cut points to keep and use again.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion_common::{Result, ScalarValue, not_impl_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
use datafusion_macros::user_doc;

use super::collected::Collected;
use crate::arguments::Call;
use crate::cuts::list_type;
use crate::scores::{Measures, bins_argument, check_bins_type, check_measures};
use crate::types::plain_or;

const CALL: Call = Call {
    name: "rfm_cuts",
    usage: "rfm_cuts(recency_days, frequency, monetary [, bins])",
};
const PARTS: [&str; 3] = ["recency", "frequency", "monetary"];

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "The cut points that `rfm_score` would use for these rows, as STRUCT{recency, \
        frequency, monetary} of lists of `bins - 1` DOUBLE in ascending order, to keep and to \
        score with later (`rfm_score_with`). Exact quantiles with linear interpolation (type 7 of \
        Hyndman & Fan 1996). A row with a NULL measure enters no cut; without rows each list is \
        NULL; NaN is an error.",
    syntax_example = "rfm_cuts(recency_days, frequency, monetary [, bins])",
    sql_example = r#"```sql
> SELECT c['recency'] AS recency, c['frequency'] AS frequency, c['monetary'] AS monetary
  FROM (SELECT rfm_cuts(days, orders, spent, 2) AS c
        FROM (VALUES (3, 9, 120.0), (40, 2, 35.5), (41, 4, 80.0), (7, NULL, 1.0))
             AS t(days, orders, spent)) AS kept;
+---------+-----------+----------+
| recency | frequency | monetary |
+---------+-----------+----------+
| [40.0]  | [4.0]     | [80.0]   |
+---------+-----------+----------+
```"#,
    argument(name = "recency_days", description = "Days since the last purchase."),
    argument(name = "frequency", description = "Number of purchases."),
    argument(name = "monetary", description = "Sum of money."),
    argument(
        name = "bins",
        description = "Constant whole number, 2 to 9; default 5."
    ),
    related_udf(name = "rfm_score"),
    related_udf(name = "rfm_score_with")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RfmCuts {
    signature: Signature,
}

impl Default for RfmCuts {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

/// STRUCT{recency, frequency, monetary} of lists of DOUBLE.
pub(crate) fn cuts_type() -> DataType {
    DataType::Struct(fields())
}

fn fields() -> Fields {
    PARTS
        .into_iter()
        .map(|name| Field::new(name, list_type(), true))
        .collect()
}

impl AggregateUDFImpl for RfmCuts {
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

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        CALL.check_count(types.len(), 3..=4)?;
        let types: Vec<&DataType> = types.iter().collect();
        check_measures(&CALL, &types)?;
        check_bins_type(&CALL, &types)?;
        Ok(cuts_type())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part| {
            Arc::new(Field::new(
                format_state_name(args.name, part),
                list_type(),
                true,
            ))
        };
        Ok(PARTS.into_iter().map(field).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return not_impl_err!(
                "rfm_cuts does not take DISTINCT; select the distinct rows first"
            );
        }
        let bins = bins_argument(&CALL, args.exprs)?;
        Ok(Box::new(Gathering {
            bins,
            measures: Default::default(),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[derive(Debug)]
struct Gathering {
    bins: usize,
    measures: [Collected; 3],
}

impl Accumulator for Gathering {
    fn update_batch(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        let complete = Measures::of(CALL.name, arrays)?.complete();
        for (measure, values) in self.measures.iter_mut().zip(complete) {
            measure.extend(values);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut lists = Vec::with_capacity(PARTS.len());
        for measure in &mut self.measures {
            lists.push(measure.cuts(self.bins).to_array()?);
        }
        let cuts = StructArray::try_new(fields(), lists, None)?;
        Ok(ScalarValue::Struct(Arc::new(cuts)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.measures.iter().map(Collected::size).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.measures.iter_mut().map(Collected::state).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (measure, states) in self.measures.iter_mut().zip(states) {
            measure.merge(states);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Float64Array, Int32Array};
    use datafusion_expr::AggregateUDF;

    use super::*;
    use crate::testing::{Constant, accumulator, lists, plan_error_with};

    fn gather(bins: Option<i64>) -> Box<dyn Accumulator> {
        let mut args: Vec<_> = (0..3).map(|_| Constant::column()).collect();
        args.extend(bins.map(Constant::of));
        let types = vec![DataType::Float64; args.len()];
        accumulator(&AggregateUDF::from(RfmCuts::default()), &types, args).unwrap()
    }

    fn rows(rows: &[(f64, Option<i32>, f64)]) -> Vec<ArrayRef> {
        vec![
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.0))),
            Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.1))),
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2))),
        ]
    }

    fn cuts(accumulator: &mut dyn Accumulator) -> Vec<Option<Vec<f64>>> {
        let array = accumulator.evaluate().unwrap().to_array().unwrap();
        assert_eq!(array.data_type(), &cuts_type());
        let part = |name| lists(array.as_struct().column_by_name(name).unwrap()).remove(0);
        PARTS.map(part).to_vec()
    }

    #[test]
    fn a_row_with_a_null_enters_no_cut() {
        let mut gathering = gather(Some(2));
        let some = [
            (3.0, Some(9), 120.0),
            (40.0, Some(2), 35.5),
            (41.0, Some(4), 80.0),
            (9e9, None, 9e9),
        ];
        gathering.update_batch(&rows(&some)).unwrap();
        assert_eq!(
            cuts(&mut *gathering),
            [Some(vec![40.0]), Some(vec![4.0]), Some(vec![80.0])]
        );
    }

    #[test]
    fn five_bins_by_default_and_null_lists_without_rows() {
        let mut gathering = gather(None);
        assert_eq!(cuts(&mut *gathering), [None, None, None]);
        gathering
            .update_batch(&rows(&[(1.0, Some(1), 1.0)]))
            .unwrap();
        assert_eq!(cuts(&mut *gathering)[0], Some(vec![1.0; 4]));
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let all = [
            (1.0, Some(5), 0.5),
            (2.0, Some(4), 9.0),
            (3.0, Some(1), 2.0),
            (8.0, Some(2), 1.0),
        ];
        let (mut whole, mut merged) = (gather(Some(3)), gather(Some(3)));
        whole.update_batch(&rows(&all)).unwrap();
        for part in all.chunks(3) {
            let mut partial = gather(Some(3));
            partial.update_batch(&rows(part)).unwrap();
            let state = partial.state().unwrap();
            let state: Vec<ArrayRef> = state.iter().map(|list| list.to_array().unwrap()).collect();
            merged.merge_batch(&state).unwrap();
        }
        assert_eq!(cuts(&mut *merged), cuts(&mut *whole));
        // R: quantile(c(1, 2, 3, 8), c(1/3, 2/3))
        assert_eq!(cuts(&mut *merged)[0], Some(vec![2.0, 3.0]));
    }

    #[test]
    fn errors() {
        let udf = AggregateUDF::from(RfmCuts::default());
        let types = vec![DataType::Float64; 4];
        let args = vec![
            Constant::column(),
            Constant::column(),
            Constant::column(),
            Constant::of(10),
        ];
        let error = accumulator(&udf, &types, args)
            .unwrap_err()
            .strip_backtrace();
        assert!(
            error.ends_with("rfm_cuts needs bins as a whole number, 2 to 9, but got 10"),
            "{error}"
        );
        let planned = plan_error_with(
            &[DataType::Float64, DataType::Boolean, DataType::Int8],
            |args| udf.call(args),
        );
        assert!(planned.ends_with("rfm_cuts needs a number as frequency, but its second argument is BOOLEAN; write CAST(frequency AS DOUBLE)"), "{planned}");
        let nan = gather(None)
            .update_batch(&rows(&[(f64::NAN, Some(1), 1.0)]))
            .unwrap_err();
        assert!(nan.to_string().contains("rfm_cuts cannot place NaN"));
    }
}
