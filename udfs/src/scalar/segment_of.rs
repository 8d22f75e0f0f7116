//! `segment_of(score [, scheme])`: the name of the RFM segment.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion_common::{
    DataFusionError, Result, ScalarValue, exec_datafusion_err, plan_datafusion_err, plan_err,
};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{Call, known, types};
use crate::columns::{answer, rows};
use crate::math::scheme::{Lookup, OutOfRange, Scheme, by_name, schemes};
use crate::names::pick;
use crate::scores::score_type;
use crate::types::{is_text, plain, plain_or};

const CALL: Call = Call {
    name: "segment_of",
    usage: "segment_of(score [, scheme]), segment_of(r, f, m [, scheme]) or segment_of(r, f)",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "The name of the RFM segment that scores fall into, as TEXT. Schemes: 'rf10' \
        (the default: ten segments over recency and frequency, every cell exactly once), 'rfm_r' \
        (the R package rfm 0.3.0), 'rfm_r_2018' (its older vignette) and 'pymc4' (PyMC-Marketing, \
        quartiles); in each the first matching rule wins. NULL where a score is NULL. A score \
        outside the scheme's bins (1 to 5, pymc4 1 to 4) and an unknown scheme are errors.",
    syntax_example = "segment_of(score [, scheme])",
    alternative_syntax = "segment_of(r, f, m [, scheme])",
    alternative_syntax = "segment_of(r, f)",
    sql_example = r#"```sql
> SELECT r, f, m, segment_of(r, f) AS segment, segment_of(r, f, m, 'rfm_r') AS rfm_r
  FROM (VALUES (5, 5, 5), (5, 1, 1), (2, 5, 4), (1, 1, 1)) AS t(r, f, m)
  ORDER BY r DESC, f DESC;
+---+---+---+-------------+---------------+
| r | f | m | segment     | rfm_r         |
+---+---+---+-------------+---------------+
| 5 | 5 | 5 | champions   | Champions     |
| 5 | 1 | 1 | new         | New Customers |
| 2 | 5 | 4 | cant_lose   | At Risk       |
| 1 | 1 | 1 | hibernating | Lost          |
+---+---+---+-------------+---------------+
```"#,
    argument(
        name = "score",
        description = "STRUCT{r, f, m, …} of `rfm_score` or \
        `rfm_score_with`."
    ),
    argument(name = "r", description = "Recency score, a whole number, 5 best."),
    argument(name = "f", description = "Frequency score."),
    argument(name = "m", description = "Monetary score."),
    argument(
        name = "scheme",
        description = "Constant name of a scheme; default 'rf10'."
    ),
    related_udf(name = "rfm_score"),
    related_udf(name = "rfm_score_with")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SegmentOf {
    signature: Signature,
}

impl Default for SegmentOf {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

/// The ways to call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Struct,
    Pair,
    Triple,
}

impl Form {
    /// Tells the form and the place of the scheme by number and type of the arguments.
    fn of(types: &[&DataType]) -> Result<(Self, Option<usize>)> {
        CALL.check_count(types.len(), 1..=4)?;
        let text = |at: usize| is_text(&plain(types[at]));
        let first = plain(types[0]);
        let (form, scheme) = match types.len() {
            1 => (Self::Struct, None),
            2 if matches!(first, DataType::Struct(_)) || text(1) => (Self::Struct, Some(1)),
            2 => (Self::Pair, None),
            3 if text(2) => {
                return plan_err!(
                    "segment_of takes a scheme after a score or after r, f and m; write \
                     segment_of(r, f, m, scheme)"
                );
            }
            3 => (Self::Triple, None),
            _ => (Self::Triple, Some(3)),
        };
        form.check(types)?;
        if let Some(at) = scheme.filter(|at| !text(*at) && !types[*at].is_null()) {
            return Err(CALL.wrong_type(at, "the name of a scheme", types[at], "write 'rf10'"));
        }
        Ok((form, scheme))
    }

    fn check(self, types: &[&DataType]) -> Result<()> {
        let scores = match self {
            Self::Struct => return check_struct(types[0]),
            Self::Pair => 2,
            Self::Triple => 3,
        };
        for (position, seen) in types.iter().enumerate().take(scores) {
            if !plain_or(seen, DataType::Int64).is_integer() {
                let mend = format!("write CAST({} AS INT)", ["r", "f", "m"][position]);
                return Err(CALL.wrong_type(position, "whole numbers as scores", seen, &mend));
            }
        }
        Ok(())
    }
}

fn check_struct(seen: &DataType) -> Result<()> {
    let whole = |name: &str| match seen {
        DataType::Struct(fields) => fields
            .find(name)
            .is_some_and(|(_, f)| f.data_type().is_integer() || f.data_type().is_null()),
        _ => seen.is_null(),
    };
    if ["r", "f", "m"].into_iter().all(whole) {
        return Ok(());
    }
    let needs = "a score (STRUCT with whole numbers r, f and m)";
    Err(CALL.wrong_type(0, needs, seen, &format!("write {}", CALL.usage)))
}

fn scheme(value: Option<&ScalarValue>) -> Result<&'static Scheme> {
    let name = match value {
        Some(value) => CALL.text("the scheme", value)?,
        None => return Ok(&schemes()[0]),
    };
    by_name(name).map_err(|unknown| plan_datafusion_err!("segment_of does not know {unknown}"))
}

/// The scores in columns; in a struct they are NULL with it.
fn scores(form: Form, args: &[ArrayRef]) -> Result<Vec<Int64Array>> {
    let columns: Vec<ArrayRef> = match form {
        Form::Pair => args[..2].to_vec(),
        Form::Triple => args[..3].to_vec(),
        Form::Struct if args[0].data_type().is_null() => vec![Arc::clone(&args[0])],
        Form::Struct => {
            let whole = args[0].as_struct();
            let part = |name| whole.column_by_name(name).cloned();
            let part =
                |name| part(name).ok_or_else(|| exec_datafusion_err!("a score has no {name}"));
            ["r", "f", "m"]
                .into_iter()
                .map(part)
                .collect::<Result<_>>()?
        }
    };
    let whole_numbers = |column: &ArrayRef| {
        Ok(cast(column, &DataType::Int64)?
            .as_primitive::<Int64Type>()
            .clone())
    };
    columns.iter().map(whole_numbers).collect()
}

fn segments(scheme: &Scheme, scores: &[Int64Array], whole: &ArrayRef) -> Result<StringArray> {
    let lookup = Lookup::of(scheme);
    let mut names: Vec<Option<&str>> = lookup.segments().collect();
    let null = names.len();
    names.push(None);
    let parts = scores.iter().map(Array::nulls);
    let nulls = NullBuffer::union_many(parts.chain([whole.nulls()]));
    // An untyped NULL is one part. Without m the scheme does not look at it: any score will do.
    let missing = if scores.len() < 3 { vec![1; whole.len()] } else { vec![] };
    let part = |at: usize| scores.get(at).map_or(&*missing, |score| score.values());
    let (r, f, m) = (part(0), part(1), part(2));
    let mut places = Vec::with_capacity(whole.len());
    for row in 0..whole.len() {
        let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let place = match lookup.place([r[row], f[row], m[row]]) {
            _ if is_null => null,
            Ok(place) => place,
            Err(error) => return Err(out_of_range(scheme, &error)),
        };
        places.push(place);
    }
    pick(&names, &places)
}

fn out_of_range(scheme: &Scheme, error: &OutOfRange) -> DataFusionError {
    exec_datafusion_err!(
        "segment_of needs, for the scheme '{}', {error}; score with {} bins or name another scheme",
        scheme.name,
        error.bins
    )
}

impl ScalarUDFImpl for SegmentOf {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let null_as = match types.len() {
            1 => score_type(),
            _ => DataType::Null,
        };
        Ok(types
            .iter()
            .map(|seen| plain_or(seen, null_as.clone()))
            .collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (_, at) = Form::of(&types(&args))?;
        if let Some(value) = at.and_then(|at| known(&args, at)) {
            scheme(Some(value))?;
        }
        Ok(Field::new(CALL.name, DataType::Utf8, true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<&DataType> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type())
            .collect();
        let (form, at) = Form::of(&types)?;
        let named = at
            .map(|at| CALL.constant("the scheme", &args.args[at]))
            .transpose()?;
        let scheme = scheme(named)?;
        let rows = rows(&args.args, args.number_rows);
        let arrays = args
            .args
            .iter()
            .map(|arg| arg.to_array(rows))
            .collect::<Result<Vec<_>>>()?;
        let segments = segments(scheme, &scores(form, &arrays)?, &arrays[0])?;
        answer(&args.args, Arc::new(segments))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int8Array, Int32Array, StructArray, UInt64Array};
    use arrow::buffer::NullBuffer;
    use datafusion_expr::ScalarUDF;

    use super::*;
    use crate::testing;

    fn call(args: Vec<ColumnarValue>, rows: usize) -> Result<Vec<Option<String>>> {
        let udf = ScalarUDF::from(SegmentOf::default());
        let array = testing::call(&udf, args, rows)?;
        Ok(array
            .as_string::<i32>()
            .iter()
            .map(|name| name.map(str::to_owned))
            .collect())
    }

    fn int(value: i64) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(value))
    }

    fn text(value: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(value))
    }

    fn some(name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    fn score(rows: &[[i32; 3]], nulls: Option<NullBuffer>) -> ColumnarValue {
        let part = |at: usize| -> ArrayRef {
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row[at])))
        };
        let DataType::Struct(fields) = score_type() else {
            unreachable!()
        };
        let parts = vec![part(0), part(1), part(2), part(0)];
        ColumnarValue::Array(Arc::new(StructArray::new(fields, parts, nulls)))
    }

    #[test]
    fn every_form() {
        let rows = score(
            &[[5, 5, 1], [1, 1, 1], [0, 0, 0]],
            Some(vec![true, true, false].into()),
        );
        assert_eq!(
            call(vec![rows.clone()], 3).unwrap(),
            [some("champions"), some("hibernating"), None]
        );
        assert_eq!(
            call(vec![rows, text("rfm_r")], 3).unwrap(),
            [some("Others"), some("Lost"), None]
        );
        assert_eq!(call(vec![int(5), int(1)], 1).unwrap(), [some("new")]);
        assert_eq!(
            call(vec![int(4), int(1), int(5)], 1).unwrap(),
            [some("promising")]
        );
        assert_eq!(
            call(vec![int(4), int(4), int(4), text("pymc4")], 1).unwrap(),
            [some("Premium")]
        );
    }

    #[test]
    fn columns_of_any_whole_type_and_nulls() {
        let r: ArrayRef = Arc::new(Int8Array::from(vec![Some(5), None, Some(3)]));
        let f: ArrayRef = Arc::new(UInt64Array::from(vec![Some(4), Some(1), Some(3)]));
        let args = vec![ColumnarValue::Array(r), ColumnarValue::Array(f)];
        assert_eq!(
            call(args, 3).unwrap(),
            [some("champions"), None, some("need_attention")]
        );
        let null = || ColumnarValue::Scalar(ScalarValue::Null);
        assert_eq!(call(vec![null()], 2).unwrap(), [None, None]);
        assert_eq!(call(vec![null(), int(1)], 1).unwrap(), [None]);
        assert_eq!(call(vec![null(), text("rfm_r")], 1).unwrap(), [None]);
        assert_eq!(call(vec![int(1), int(1), null()], 1).unwrap(), [None]);
    }

    #[test]
    fn scores_outside_the_bins_name_value_and_scheme() {
        let error = |args| call(args, 1).unwrap_err().strip_backtrace();
        let six = error(vec![int(6), int(1)]);
        assert!(
            six.contains("for the scheme 'rf10', scores from 1 to 5, but got 6"),
            "{six}"
        );
        let five = error(vec![int(1), int(1), int(5), text("pymc4")]);
        assert!(
            five.contains("'pymc4', scores from 1 to 4, but got 5"),
            "{five}"
        );
        assert!(error(vec![int(0), int(1)]).contains("but got 0"));
    }

    #[test]
    fn unknown_schemes_and_wrong_types() {
        let error = |args| call(args, 1).unwrap_err().strip_backtrace();
        let near = error(vec![int(1), int(1), int(1), text("rfmr")]);
        assert!(
            near.ends_with(
                "scheme 'rfmr'. Did you mean 'rfm_r'? Schemes: rf10, rfm_r, rfm_r_2018, pymc4"
            ),
            "{near}"
        );
        assert!(error(vec![int(1), int(1), int(1), text("kmeans")]).contains("'kmeans'. Schemes:"));
        assert!(error(vec![int(1), int(1), text("rfm_r")]).contains("segment_of(r, f, m, scheme)"));
        let planned = |types: &[DataType]| testing::plan_error(&SegmentOf::default().into(), types);
        assert!(planned(&[DataType::Int32]).contains(
            "needs a score (STRUCT with whole numbers r, f and m), but its first argument is INT"
        ));
        assert!(
            planned(&[DataType::Float64, DataType::Int32])
                .ends_with("its first argument is DOUBLE; write CAST(r AS INT)")
        );
        assert!(planned(&[]).contains("takes 1 to 4 arguments, but got 0"));
        let varying: ArrayRef = Arc::new(StringArray::from(vec!["rf10"]));
        let args = vec![int(1), int(1), int(1), ColumnarValue::Array(varying)];
        assert!(error(args).contains("needs the scheme as a constant"));
    }
}
