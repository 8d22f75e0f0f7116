//! How the values of a column are reckoned with, by its type.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::{Expr, cast, lit, when};
use datafusion::prelude::{abs, ident, isnan, round};

/// A column of the table.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: DataType,
    kind: Kind,
    /// Personal or sensitive: nothing is said of its values.
    pub(super) is_closed: bool,
}

enum Kind {
    /// Whole numbers, and decimals as whole numbers of their last digit.
    Exact {
        scale: i8,
    },
    Float,
    /// Days since 1970.
    Date,
    /// Microseconds since 1970.
    Timestamp,
    /// Texts and truth values.
    Plain,
    /// Lists, structs, bytes and the like, whose values are not shown.
    Other,
}

/// Beyond so many digits a decimal is no whole number that two digits can be added to.
const MOST_DIGITS: u8 = 36;

impl Kind {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Dictionary(_, inner) => Self::of(inner),
            it if it.is_integer() => Self::Exact { scale: 0 },
            DataType::Decimal32(digits, scale)
            | DataType::Decimal64(digits, scale)
            | DataType::Decimal128(digits, scale)
            | DataType::Decimal256(digits, scale)
                if *digits <= MOST_DIGITS && *scale >= 0 =>
            {
                Self::Exact { scale: *scale }
            }
            it if it.is_numeric() => Self::Float,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(..) => Self::Timestamp,
            it if it.is_nested() || it.is_binary() => Self::Other,
            DataType::FixedSizeBinary(_) | DataType::Interval(_) => Self::Other,
            _ => Self::Plain,
        }
    }
}

impl Column {
    pub(super) fn new(name: &str, data_type: &DataType, is_closed: bool) -> Self {
        Self {
            name: name.to_owned(),
            data_type: data_type.clone(),
            kind: Kind::of(data_type),
            is_closed,
        }
    }

    /// Can its values be told apart and shown?
    pub(super) fn is_shown(&self) -> bool {
        !self.is_closed && !matches!(self.kind, Kind::Other)
    }

    /// Is it a number or a time, and open?
    pub(super) fn is_measure(&self) -> bool {
        self.is_shown() && !matches!(self.kind, Kind::Plain)
    }

    pub(super) fn is_nested(&self) -> bool {
        self.data_type.is_nested()
    }

    fn digits(&self) -> u8 {
        match self.data_type {
            DataType::Decimal128(digits, _) | DataType::Decimal256(digits, _) => digits,
            _ => 0,
        }
    }

    fn is_number(&self) -> bool {
        self.is_shown() && matches!(self.kind, Kind::Exact { .. } | Kind::Float)
    }

    /// The value itself.
    pub(super) fn value(&self) -> Expr {
        let column = ident(self.name.as_str());
        match (&self.kind, &self.data_type) {
            (_, DataType::Dictionary(_, inner)) => cast(column, inner.as_ref().clone()),
            _ => column,
        }
    }

    /// The value as a DOUBLE; NULL where it is infinite or no number.
    pub(super) fn measure(&self) -> Option<Expr> {
        let double = |expr| cast(expr, DataType::Float64);
        Some(match self.kind {
            Kind::Exact { scale: 0 } => double(self.value()),
            Kind::Exact { scale } => {
                let shift = lit(10_f64.powi(i32::from(scale)));
                round(vec![double(self.value()) * shift])
            }
            Kind::Float => {
                let value = double(self.value());
                let endless = abs(value.clone()).eq(lit(f64::INFINITY));
                let strange = isnan(value.clone()).or(endless);
                when(strange, lit(datafusion::common::ScalarValue::Float64(None)))
                    .otherwise(value)
                    .ok()?
            }
            Kind::Date => {
                let days = cast(self.value(), DataType::Date32);
                double(cast(days, DataType::Int32))
            }
            Kind::Timestamp => {
                let zone = match &self.data_type {
                    DataType::Timestamp(_, zone) => zone.clone(),
                    _ => None,
                };
                let micros = DataType::Timestamp(TimeUnit::Microsecond, zone);
                double(cast(cast(self.value(), micros), DataType::Int64))
            }
            Kind::Plain | Kind::Other => return None,
        })
    }

    /// What the text of a measure is made by: a name for the type, and for exact numbers
    /// how many digits of hundredths of a measure stand behind the point.
    pub(super) fn writing(&self) -> (String, i64) {
        match (&self.kind, &self.data_type) {
            (Kind::Exact { scale }, _) => ("exact".to_owned(), i64::from(*scale) + 2),
            (Kind::Date, _) => ("date".to_owned(), 0),
            (Kind::Timestamp, DataType::Timestamp(_, Some(zone))) => {
                let zone = zone.replace(['\'', '"'], "");
                (format!("Timestamp(Microsecond, Some(\"{zone}\"))"), 0)
            }
            (Kind::Timestamp, _) => ("Timestamp(Microsecond, None)".to_owned(), 0),
            _ => ("float".to_owned(), 0),
        }
    }

    /// SQL for the mean of the column `c`, or its measure `u`.
    pub(super) fn mean(&self, value: &str, measure: &str) -> Option<String> {
        match &self.kind {
            _ if !self.is_number() => None,
            // The mean has four digits more than the values.
            Kind::Exact { scale: scale @ 1.. } if self.digits() > 34 => {
                let wide = format!("CAST({value} AS DECIMAL(76, {scale}))");
                Some(trimmed(&format!("avg({wide})")))
            }
            Kind::Exact { scale: 1.. } => Some(trimmed(&format!("avg({value})"))),
            Kind::Exact { .. } => Some(format!("CAST(avg({value}) AS VARCHAR)")),
            _ => Some(format!("CAST(avg({measure}) AS VARCHAR)")),
        }
    }
}

/// A decimal as a text without zeros at its end.
fn trimmed(decimal: &str) -> String {
    format!("CAST(regexp_replace(CAST({decimal} AS VARCHAR), '\\.?0+$', '') AS VARCHAR)")
}
