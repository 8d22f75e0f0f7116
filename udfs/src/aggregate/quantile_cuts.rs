//! `quantile_cuts(x, bins)`: exact cut points of bins with equally many rows.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, not_impl_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
use datafusion_macros::user_doc;

use super::collected::{Collected, Sliding};
use crate::arguments::Call;
use crate::cuts::list_type;
use crate::numeric::{to_doubles, valid};
use crate::types::{is_number, plain_or};

const CALL: Call = Call {
    name: "quantile_cuts",
    usage: "quantile_cuts(x, bins)",
};
const BINS: std::ops::RangeInclusive<i64> = 2..=1000;

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "The `bins - 1` cut points that divide the values into bins of equally many \
        rows, as a LIST of DOUBLE in ascending order, for `bin_of`: the exact quantiles at i/bins \
        with linear interpolation (type 7 of Hyndman & Fan 1996, as NumPy, R and `quantile_cont` \
        of DuckDB). NULLs are ignored; without values the result is NULL; NaN is an error. Takes \
        every numeric type, read as DOUBLE. Keeps all values in memory, accounted for.",
    syntax_example = "quantile_cuts(x, bins)",
    sql_example = r#"```sql
> SELECT quantile_cuts(x, 4) AS quartiles
  FROM (VALUES (1), (2), (3), (4), (NULL)) AS t(x);
+-------------------+
| quartiles         |
+-------------------+
| [1.75, 2.5, 3.25] |
+-------------------+
```"#,
    argument(name = "x", description = "Number."),
    argument(name = "bins", description = "Constant whole number, 2 to 1000."),
    related_udf(name = "bin_of"),
    related_udf(name = "width_cuts")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct QuantileCuts {
    signature: Signature,
}

impl Default for QuantileCuts {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

fn bins(args: &AccumulatorArgs<'_>) -> Result<usize> {
    if args.is_distinct {
        return not_impl_err!(
            "quantile_cuts does not take DISTINCT; select the distinct values first"
        );
    }
    let bins = CALL.physical_constant("bins", &args.exprs[1])?;
    Ok(CALL.whole_number("bins", &bins, BINS)? as usize)
}

impl AggregateUDFImpl for QuantileCuts {
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
        CALL.check_count(types.len(), 2..=2)?;
        if !is_number(&plain_or(&types[0], DataType::Float64)) {
            let mend = "write quantile_cuts(CAST(x AS DOUBLE), bins)";
            return Err(CALL.wrong_type(0, "a number", &types[0], mend));
        }
        if !plain_or(&types[1], DataType::Int64).is_integer() {
            return plan_err!(
                "quantile_cuts needs bins as a whole number, 2 to 1000; write quantile_cuts(x, 5)"
            );
        }
        Ok(list_type())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "values");
        Ok(vec![Arc::new(Field::new(name, list_type(), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Gathering {
            bins: bins(&args)?,
            values: Collected::default(),
        }))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(InFrame {
            bins: bins(&args)?,
            values: Sliding::default(),
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
    values: Collected,
}

impl Accumulator for Gathering {
    fn update_batch(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        self.values
            .extend(valid(&to_doubles(CALL.name, &arrays[0])?));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.values.cuts(self.bins))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.values.state()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.values.merge(&states[0]);
        Ok(())
    }
}

/// For a window frame whose start moves.
#[derive(Debug)]
struct InFrame {
    bins: usize,
    values: Sliding,
}

impl Accumulator for InFrame {
    fn update_batch(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        self.values
            .extend(valid(&to_doubles(CALL.name, &arrays[0])?));
        Ok(())
    }

    fn retract_batch(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        self.values
            .drop_oldest(arrays[0].len() - arrays[0].null_count())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.values.cuts(self.bins))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        not_impl_err!("a window frame has no partial state")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        not_impl_err!("a window frame has no partial state")
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Float32Array, Float64Array, Int64Array, UInt8Array};
    use datafusion_expr::AggregateUDF;

    use super::*;
    use crate::testing::{Constant, accumulator, lists, plan_error_with, sliding_accumulator};

    fn udf() -> AggregateUDF {
        QuantileCuts::default().into()
    }

    fn gather(bins: i64) -> Box<dyn Accumulator> {
        accumulator(
            &udf(),
            &[DataType::Float64, DataType::Int64],
            vec![Constant::column(), Constant::of(bins)],
        )
        .unwrap()
    }

    fn numbers(values: &[f64]) -> Vec<ArrayRef> {
        vec![Arc::new(Float64Array::from(values.to_vec()))]
    }

    fn cuts(accumulator: &mut dyn Accumulator) -> Option<Vec<f64>> {
        lists(&accumulator.evaluate().unwrap().to_array().unwrap()).remove(0)
    }

    #[test]
    fn every_numeric_type_and_nulls() {
        let arrays: [ArrayRef; 5] = [
            Arc::new(Int64Array::from(vec![
                Some(4),
                None,
                Some(1),
                Some(3),
                Some(2),
            ])),
            Arc::new(UInt8Array::from(vec![1, 2, 3, 4])),
            Arc::new(Float32Array::from(vec![
                Some(2.0),
                Some(1.0),
                Some(4.0),
                Some(3.0),
                None,
            ])),
            Arc::new(Float64Array::from(vec![3.0, 4.0, 1.0, 2.0])),
            Arc::new(
                Decimal128Array::from(vec![100, 200, 300, 400])
                    .with_precision_and_scale(9, 2)
                    .unwrap(),
            ),
        ];
        for array in arrays {
            let mut gathering = gather(4);
            gathering.update_batch(&[array]).unwrap();
            assert_eq!(cuts(&mut *gathering), Some(vec![1.75, 2.5, 3.25]));
        }
    }

    #[test]
    fn nothing_gives_null() {
        let mut gathering = gather(5);
        assert_eq!(cuts(&mut *gathering), None);
        gathering
            .update_batch(&[Arc::new(Float64Array::from(vec![None, None]))])
            .unwrap();
        assert_eq!(cuts(&mut *gathering), None);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let mut whole = gather(3);
        let mut merged = gather(3);
        for part in [&[5.0, 1.0, 9.0][..], &[], &[2.0, 2.0, 7.5, -3.0]] {
            let mut partial = gather(3);
            partial.update_batch(&numbers(part)).unwrap();
            whole.update_batch(&numbers(part)).unwrap();
            let state = partial.state().unwrap();
            merged.merge_batch(&[state[0].to_array().unwrap()]).unwrap();
        }
        // R: quantile(c(5, 1, 9, 2, 2, 7.5, -3), c(1/3, 2/3)) is 2 and 5.
        assert_eq!(cuts(&mut *merged), Some(vec![2.0, 5.0]));
        assert_eq!(cuts(&mut *merged), cuts(&mut *whole));
    }

    #[test]
    fn a_growing_and_a_sliding_frame() {
        let mut growing = gather(2);
        growing.update_batch(&numbers(&[3.0])).unwrap();
        assert_eq!(cuts(&mut *growing), Some(vec![3.0]));
        growing.update_batch(&numbers(&[9.0, 1.0])).unwrap();
        assert_eq!(cuts(&mut *growing), Some(vec![3.0]));

        let types = [DataType::Float64, DataType::Int64];
        let mut sliding =
            sliding_accumulator(&udf(), &types, vec![Constant::column(), Constant::of(2)]).unwrap();
        sliding.update_batch(&numbers(&[9.0, 1.0, 5.0])).unwrap();
        assert_eq!(cuts(&mut *sliding), Some(vec![5.0]));
        sliding.retract_batch(&numbers(&[9.0])).unwrap();
        sliding
            .update_batch(&[Arc::new(Float64Array::from(vec![None, Some(7.0)]))])
            .unwrap();
        assert_eq!(cuts(&mut *sliding), Some(vec![5.0]));
        sliding.retract_batch(&numbers(&[1.0, 5.0])).unwrap();
        assert_eq!(cuts(&mut *sliding), Some(vec![7.0]));
        assert!(sliding.retract_batch(&numbers(&[1.0, 5.0])).is_err());
    }

    #[test]
    fn memory_is_accounted() {
        let mut gathering = gather(5);
        let empty = gathering.size();
        gathering.update_batch(&numbers(&[1.0; 10_000])).unwrap();
        assert!(gathering.size() >= empty + 80_000);
    }

    #[test]
    fn bins_must_be_a_constant_within_reason() {
        let types = [DataType::Float64, DataType::Int64];
        let error = |bins| {
            accumulator(&udf(), &types, vec![Constant::column(), bins])
                .unwrap_err()
                .strip_backtrace()
        };
        assert!(
            error(Constant::of(1))
                .ends_with("quantile_cuts needs bins as a whole number, 2 to 1000, but got 1")
        );
        assert!(error(Constant::of(1001)).ends_with("but got 1001"));
        assert!(
            error(Constant::column()).ends_with(
                "quantile_cuts needs bins as a constant, but it is computed from the rows"
            )
        );
    }

    #[test]
    fn errors_in_plain_words() {
        let planned = |types: &[DataType]| plan_error_with(types, |args| udf().call(args));
        assert_eq!(
            planned(&[DataType::Utf8, DataType::Int64]),
            "Error during planning: quantile_cuts needs a number, but its first argument is TEXT; \
             write quantile_cuts(CAST(x AS DOUBLE), bins)"
        );
        assert!(
            planned(&[DataType::Int64])
                .ends_with("takes 2 arguments, but got 1; write quantile_cuts(x, bins)")
        );
        let nan = gather(2)
            .update_batch(&numbers(&[1.0, f64::NAN]))
            .unwrap_err()
            .to_string();
        assert!(nan.contains("quantile_cuts cannot place NaN"), "{nan}");
    }
}
