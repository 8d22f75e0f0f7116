//! `bin_of(x, cuts [, side])`: the bin a value falls into.

use std::sync::Arc;

use arrow::array::{Array, Float64Array, Int32Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{Call, known, types};
use crate::columns::{answer, rows};
use crate::cuts::{CutLists, is_cuts, list_type};
use crate::math::bins::Closed;
use crate::numeric::to_doubles;
use crate::types::{is_number, is_text, plain_or};

const CALL: Call = Call {
    name: "bin_of",
    usage: "bin_of(x, cuts [, 'left' or 'right'])",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "The bin, 1 to the number of cuts + 1, that `x` falls into. Bins are closed on \
        the named side: 'right' (the default, as pandas `qcut`) counts the cuts strictly below \
        `x`, so that a value equal to a cut stays in the lower bin; 'left' (as the R package \
        `rfm`) also counts those equal to it. Equal values always share a bin, and repeated cuts \
        leave bins empty. NULL for NULL. Cuts that do not ascend, NULL among them, and NaN are \
        errors.",
    syntax_example = "bin_of(x, cuts [, side])",
    sql_example = r#"```sql
> SELECT x, bin_of(x, make_array(10, 20)) AS bin, bin_of(x, make_array(10, 20), 'left') AS left_closed
  FROM (VALUES (5), (10), (20), (21)) AS t(x)
  ORDER BY x;
+----+-----+-------------+
| x  | bin | left_closed |
+----+-----+-------------+
| 5  | 1   | 1           |
| 10 | 1   | 2           |
| 20 | 2   | 3           |
| 21 | 3   | 3           |
+----+-----+-------------+
```"#,
    argument(name = "x", description = "Number."),
    argument(
        name = "cuts",
        description = "Ascending list of numbers: of `quantile_cuts`, \
        `width_cuts`, or written by hand."
    ),
    argument(name = "side", description = "Constant 'right' (default) or 'left'."),
    related_udf(name = "quantile_cuts"),
    related_udf(name = "width_cuts")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BinOf {
    signature: Signature,
}

impl Default for BinOf {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

fn side(value: &ScalarValue) -> Result<Closed> {
    match CALL.text("the closed side", value)? {
        "right" => Ok(Closed::Right),
        "left" => Ok(Closed::Left),
        other => plan_err!("bin_of needs 'left' or 'right' as the closed side, but got '{other}'"),
    }
}

fn bins(x: &Float64Array, cuts: &ColumnarValue, closed: Closed) -> Result<Int32Array> {
    let lists = match cuts {
        ColumnarValue::Scalar(cuts) => CutLists::of(CALL.name, &cuts.to_array()?)?,
        ColumnarValue::Array(cuts) => CutLists::of(CALL.name, cuts)?,
    };
    let one = match cuts {
        ColumnarValue::Scalar(_) => Some(lists.row(0)?),
        // Wrong cuts are an error only in rows with a value.
        ColumnarValue::Array(_) => lists.are_one().then(|| lists.row(0).ok()).flatten(),
    };
    match one {
        Some(Some(cuts)) => {
            let bins = closed.bins(x.values(), cuts);
            return Ok(Int32Array::new(bins.into(), x.nulls().cloned()));
        }
        Some(None) => return Ok(Int32Array::new_null(x.len())),
        None => {}
    }
    let bin = |(row, x): (usize, Option<f64>)| match x {
        Some(x) => Ok(lists.row(row)?.map(|cuts| closed.bin(x, cuts))),
        None => Ok(None),
    };
    x.iter().enumerate().map(bin).collect()
}

impl ScalarUDFImpl for BinOf {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let nulls = [DataType::Float64, list_type(), DataType::Utf8];
        let null_as = |position: usize| nulls.get(position).cloned().unwrap_or(DataType::Null);
        Ok(types
            .iter()
            .enumerate()
            .map(|(i, seen)| plain_or(seen, null_as(i)))
            .collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = types(&args);
        CALL.check_count(types.len(), 2..=3)?;
        if !is_number(&plain_or(types[0], DataType::Float64)) {
            let mend = "write bin_of(CAST(x AS DOUBLE), cuts)";
            return Err(CALL.wrong_type(0, "a number", types[0], mend));
        }
        if !is_cuts(types[1]) {
            let mend = "write bin_of(x, make_array(10, 20))";
            return Err(CALL.wrong_type(1, "a list of numbers", types[1], mend));
        }
        if let Some(seen) = types
            .get(2)
            .filter(|seen| !is_text(&plain_or(seen, DataType::Utf8)))
        {
            return Err(CALL.wrong_type(2, "the closed side", seen, "write 'left' or 'right'"));
        }
        if let Some(value) = known(&args, 2) {
            side(value)?;
        }
        Ok(Field::new(CALL.name, DataType::Int32, true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let closed = match args.args.get(2) {
            Some(value) => side(CALL.constant("the closed side", value)?)?,
            None => Closed::Right,
        };
        let x = args.args[0].to_array(rows(&args.args, args.number_rows))?;
        let bins = bins(&to_doubles(CALL.name, &x)?, &args.args[1], closed)?;
        answer(&args.args, Arc::new(bins))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array};
    use datafusion_expr::ScalarUDF;
    use proptest::prelude::*;

    use super::*;
    use crate::cuts::{list_array, list_scalar};
    use crate::testing;

    fn call(args: Vec<ColumnarValue>, rows: usize) -> Result<Vec<Option<i32>>> {
        let udf = ScalarUDF::from(BinOf::default());
        testing::call(&udf, args, rows).map(|bins| testing::small_ints(&bins))
    }

    fn numbers(values: Vec<Option<i64>>) -> ColumnarValue {
        ColumnarValue::Array(Arc::new(Int64Array::from(values)) as ArrayRef)
    }

    fn constant(cuts: &[f64]) -> ColumnarValue {
        ColumnarValue::Scalar(list_scalar(Some(cuts.to_vec())))
    }

    #[test]
    fn constant_cuts() {
        let x = || numbers(vec![Some(10), None, Some(11), Some(-1)]);
        let cuts = || constant(&[10.0]);
        let side = |side: &str| ColumnarValue::Scalar(ScalarValue::from(side));
        assert_eq!(
            call(vec![x(), cuts()], 4).unwrap(),
            [Some(1), None, Some(2), Some(1)]
        );
        assert_eq!(
            call(vec![x(), cuts(), side("left")], 4).unwrap(),
            [Some(2), None, Some(2), Some(1)]
        );
        assert_eq!(
            call(vec![x(), cuts(), side("right")], 4).unwrap()[0],
            Some(1)
        );
        let none = ColumnarValue::Scalar(ScalarValue::Null);
        assert_eq!(call(vec![x(), none], 4).unwrap(), [None; 4]);
        assert_eq!(call(vec![x(), constant(&[])], 4).unwrap()[0], Some(1));
    }

    #[test]
    fn cuts_of_every_row() {
        let cuts = list_array([Some(vec![1.0]), None, Some(vec![1.0, 2.0]), Some(vec![])]);
        let x = numbers(vec![Some(2), Some(2), Some(3), Some(4)]);
        let bins = call(vec![x, ColumnarValue::Array(Arc::new(cuts))], 4).unwrap();
        assert_eq!(bins, [Some(2), None, Some(3), Some(1)]);
    }

    #[test]
    fn errors() {
        let one = || numbers(vec![Some(1)]);
        let error = |args| call(args, 1).unwrap_err().strip_backtrace();
        assert!(error(vec![one(), constant(&[2.0, 1.0])]).contains("ascending order"));
        let side = ColumnarValue::Scalar(ScalarValue::from("middle"));
        assert!(error(vec![one(), constant(&[1.0]), side]).ends_with("but got 'middle'"));
        let nan = ColumnarValue::Scalar(ScalarValue::from(f64::NAN));
        assert!(error(vec![nan, constant(&[1.0])]).contains("NaN"));
        let planned =
            testing::plan_error(&BinOf::default().into(), &[DataType::Int8, DataType::Int64]);
        assert!(planned.ends_with("bin_of needs a list of numbers, but its second argument is BIGINT; write bin_of(x, make_array(10, 20))"), "{planned}");
    }

    proptest! {
        /// pandas.cut by its definition: the bin is the only one whose edges enclose the value.
        #[test]
        fn the_edges_of_the_bin_enclose_the_value(
            x in -20i64..20, mut cuts in prop::collection::vec(-20i8..20, 0..8),
        ) {
            cuts.sort();
            let cuts: Vec<f64> = cuts.into_iter().map(f64::from).collect();
            let edges = [&[f64::NEG_INFINITY], &cuts[..], &[f64::INFINITY]].concat();
            let bin = call(vec![numbers(vec![Some(x)]), constant(&cuts)], 1).unwrap()[0].unwrap() as usize;
            let x = x as f64;
            prop_assert!(edges[bin - 1] < x && x <= edges[bin]);
        }
    }
}
