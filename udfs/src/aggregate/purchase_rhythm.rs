//! `purchase_rhythm(ts [, time_zone])`: the gaps between the days with a purchase.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion_common::{Result, plan_err};
use datafusion_expr::expr::AggregateFunction;
use datafusion_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, Expr, GroupsAccumulator, Signature, Volatility,
    lit,
};
use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
use datafusion_macros::user_doc;

use super::buckets::Buckets;
use super::distinct::Fixed;
use super::gathered::{
    Gathered, Groups, Lone, check_distinct, counting, each_row, sliding, state_fields,
};
use crate::arguments::Call;
use crate::clock::ClockSource;
use crate::math::calendar::parse_zone;
use crate::math::rhythm::{Rhythm, rhythm};
use crate::times::map_days;
use crate::types::{is_text, is_time, plain_or};

const CALL: Call = Call {
    name: "purchase_rhythm",
    usage: "purchase_rhythm(ts [, time_zone])",
};

#[user_doc(
    doc_section(label = "Behaviour Functions"),
    description = "How regularly somebody buys, as STRUCT{median_gap_days, cv, purchases}: of the \
        gaps in calendar days between one day with a purchase and the next the median, and the \
        coefficient of variation (population standard deviation by mean: 0 like clockwork, above 1 \
        no rhythm); purchases is the number of such days, as several purchases on one day are one. \
        On a single day the first two are NULL. NULLs are ignored; without times the result is \
        NULL. Timestamps with a time zone fall on their day in the session's zone, or in \
        `time_zone`; timestamps without one are local wall clock.",
    syntax_example = "purchase_rhythm(ts [, time_zone])",
    sql_example = r#"```sql
> SELECT r['median_gap_days'] AS median_gap_days, round(r['cv'], 3) AS cv, r['purchases'] AS purchases
  FROM (SELECT purchase_rhythm(bought) AS r
        FROM (VALUES (DATE '2026-01-01'), (DATE '2026-01-31'), (DATE '2026-01-31'),
                     (DATE '2026-02-10'), (DATE '2026-03-02')) AS t(bought)) AS found;
+-----------------+-------+-----------+
| median_gap_days | cv    | purchases |
+-----------------+-------+-----------+
| 20.0            | 0.408 | 4         |
+-----------------+-------+-----------+
```"#,
    argument(
        name = "ts",
        description = "Date or timestamp, of any unit, with or without zone."
    ),
    argument(
        name = "time_zone",
        description = "Constant IANA name, such as 'Europe/Warsaw'."
    ),
    related_udf(name = "days_since")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PurchaseRhythm {
    signature: Signature,
    source: ClockSource,
}

impl PurchaseRhythm {
    pub(super) fn new(source: ClockSource) -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Stable),
            source,
        }
    }

    /// The zone whose days count; none where no time has one.
    fn zone(&self, args: &AccumulatorArgs<'_>) -> Result<Tz> {
        if let Some(zone) = args.exprs.get(1) {
            let zone = CALL.physical_constant("the time zone", zone)?;
            return parse_zone(CALL.text("the time zone", &zone)?);
        }
        if let ClockSource::Bound(clock) = &self.source {
            return parse_zone(clock.time_zone());
        }
        match args.expr_fields[0].data_type() {
            // The session's zone is put in by the optimiser, which leaves windows as they are.
            DataType::Timestamp(_, Some(_)) => plan_err!(
                "purchase_rhythm does not know the time zone here; write purchase_rhythm(ts, \
                 'Europe/Warsaw')"
            ),
            _ => parse_zone("UTC"),
        }
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("median_gap_days", DataType::Float64, true),
        Field::new("cv", DataType::Float64, true),
        Field::new("purchases", DataType::Int64, true),
    ])
}

impl AggregateUDFImpl for PurchaseRhythm {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let times = types.iter().take(1);
        let times = times.map(|seen| plain_or(seen, DataType::Date32));
        let zones = types.iter().skip(1);
        let zones = zones.map(|seen| plain_or(seen, DataType::Utf8));
        Ok(times.chain(zones).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        CALL.check_count(types.len(), 1..=2)?;
        if !is_time(&plain_or(&types[0], DataType::Date32)) {
            let mend = "write purchase_rhythm(CAST(ts AS DATE))";
            return Err(CALL.wrong_type(0, "a date or a timestamp", &types[0], mend));
        }
        if let Some(zone) = types.get(1)
            && !is_text(&plain_or(zone, DataType::Utf8))
        {
            let mend = "write purchase_rhythm(ts, 'Europe/Warsaw')";
            return Err(CALL.wrong_type(1, "the name of a time zone", zone, mend));
        }
        Ok(DataType::Struct(fields()))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(args.name, &[("days", DataType::Int64)]))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        check_distinct(&CALL, &args)?;
        let days = Days(self.zone(&args)?);
        Ok(Box::new(Lone::new(CALL.name, days)))
    }

    fn create_sliding_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        sliding(&CALL)
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        check_distinct(&CALL, &args)?;
        let zone = self.zone(&args)?;
        Ok(Box::new(Groups::new(move || Ok(Days(zone)))?))
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        let ClockSource::Session = self.source else {
            return None;
        };
        Some(Box::new(|mut call: AggregateFunction, info| {
            if call.params.args.len() == 1 {
                let zone = ClockSource::Session.time_zone(info.config_options());
                call.params.args.push(lit(&*zone));
            }
            Ok(Expr::AggregateFunction(call))
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The different days, as a zone has them.
struct Days(Tz);

impl Gathered for Days {
    type Kept = Fixed<Int64Type>;

    fn update(
        &mut self,
        to: &mut Buckets<Self::Kept>,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let counting = counting(&values[..1], filter);
        let days = map_days(&values[0], self.0, |day| day)?;
        each_row(groups.len(), counting.as_ref(), |row| {
            to.push(groups[row], |_| days.value(row));
            Ok(())
        })
    }

    fn merge(
        &mut self,
        to: &mut Buckets<Self::Kept>,
        values: &[ArrayRef],
        groups: &[usize],
    ) -> Result<()> {
        let days = values[0].as_primitive::<Int64Type>().values();
        for (group, day) in groups.iter().zip(days) {
            to.push(*group, |_| *day);
        }
        Ok(())
    }

    fn answer(&self, kept: &mut Buckets<Self::Kept>) -> Result<ArrayRef> {
        let mut found: Vec<Option<Rhythm>> = Vec::with_capacity(kept.groups());
        kept.each_group(|days, _| found.push(rhythm(days)));
        let each = || found.iter().map(|it| it.as_ref());
        let medians = each().map(|it| it?.median_gap_days);
        let cvs = each().map(|it| it?.cv);
        let purchases = each().map(|it| Some(it?.purchases));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(medians.collect::<Float64Array>()),
            Arc::new(cvs.collect::<Float64Array>()),
            Arc::new(purchases.collect::<Int64Array>()),
        ];
        let nulls: NullBuffer = each().map(|it| it.is_some()).collect();
        Ok(Arc::new(StructArray::try_new(
            fields(),
            columns,
            Some(nulls),
        )?))
    }

    fn cells(&self, kept: &mut Buckets<Self::Kept>) -> Result<Vec<ArrayRef>> {
        let mut days = Vec::with_capacity(kept.settle());
        kept.each_group(|sorted, _| days.extend_from_slice(sorted));
        Ok(vec![Arc::new(Int64Array::from(days))])
    }
}
