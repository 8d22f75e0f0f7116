//! Owns the SQL word for each Arrow type. Refuses to read types from SQL.

use datafusion::arrow::datatypes::{DataType, Field};

/// The type as SQL calls it: `VARCHAR`, `DECIMAL(12,2)`, `VARCHAR[]`,
/// `STRUCT(r INTEGER, f INTEGER)`. What only Arrow tells apart (units of time,
/// views, dictionaries) is not shown.
pub fn sql_type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => format!("{}[]", sql_type_name(item.data_type())),
        DataType::FixedSizeList(item, size) => {
            format!("{}[{size}]", sql_type_name(item.data_type()))
        }
        DataType::Struct(fields) => format!("STRUCT({})", named(fields.iter().map(AsRef::as_ref))),
        DataType::Union(fields, _) => format!(
            "UNION({})",
            named(fields.iter().map(|(_, field)| field.as_ref()))
        ),
        DataType::Map(entries, _) => map_name(entries),
        DataType::Dictionary(_, value) => sql_type_name(value),
        DataType::RunEndEncoded(_, values) => sql_type_name(values.data_type()),
        scalar => scalar_name(scalar).to_owned(),
    }
}

fn scalar_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Null => "NULL",
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "TINYINT UNSIGNED",
        DataType::UInt16 => "SMALLINT UNSIGNED",
        DataType::UInt32 => "INTEGER UNSIGNED",
        DataType::UInt64 => "BIGINT UNSIGNED",
        DataType::Float16 | DataType::Float32 => "REAL",
        DataType::Float64 => "DOUBLE",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Time32(_) | DataType::Time64(_) => "TIME",
        DataType::Timestamp(_, None) => "TIMESTAMP",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMPTZ",
        DataType::Duration(_) | DataType::Interval(_) => "INTERVAL",
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "BYTEA",
        _ => "VARCHAR",
    }
}

fn map_name(entries: &Field) -> String {
    match entries.data_type() {
        DataType::Struct(fields) => {
            let types: Vec<_> = fields
                .iter()
                .map(|field| sql_type_name(field.data_type()))
                .collect();
            format!("MAP({})", types.join(", "))
        }
        other => format!("MAP({})", sql_type_name(other)),
    }
}

fn named<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let fields: Vec<_> = fields
        .map(|field| {
            format!(
                "{} {}",
                identifier(field.name()),
                sql_type_name(field.data_type())
            )
        })
        .collect();
    fields.join(", ")
}

/// The name as SQL needs it written to find it again.
fn identifier(name: &str) -> String {
    let plain = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.chars().all(plain) && name.starts_with(|c: char| !c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{IntervalUnit, TimeUnit};
    use std::sync::Arc;

    #[test]
    fn scalars() {
        let zone = Some(Arc::from("Europe/Warsaw"));
        for (data_type, name) in [
            (DataType::Utf8, "VARCHAR"),
            (DataType::Utf8View, "VARCHAR"),
            (DataType::LargeUtf8, "VARCHAR"),
            (DataType::Int64, "BIGINT"),
            (DataType::Int32, "INTEGER"),
            (DataType::UInt64, "BIGINT UNSIGNED"),
            (DataType::Float64, "DOUBLE"),
            (DataType::Boolean, "BOOLEAN"),
            (DataType::Null, "NULL"),
            (DataType::Date32, "DATE"),
            (DataType::Decimal128(12, 2), "DECIMAL(12,2)"),
            (DataType::Decimal256(50, -3), "DECIMAL(50,-3)"),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), "TIMESTAMP"),
            (DataType::Timestamp(TimeUnit::Second, zone), "TIMESTAMPTZ"),
            (DataType::Interval(IntervalUnit::MonthDayNano), "INTERVAL"),
            (DataType::BinaryView, "BYTEA"),
            (
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                "VARCHAR",
            ),
        ] {
            assert_eq!(sql_type_name(&data_type), name);
        }
    }

    #[test]
    fn nested_types_name_their_parts() {
        let text = Field::new("text", DataType::Utf8, true);
        let parts = vec![
            Field::new("r", DataType::Int32, true),
            Field::new("label", DataType::Struct(vec![text.clone()].into()), true),
        ];
        let entry = DataType::Struct(
            vec![
                Field::new("key", DataType::Int32, false),
                Field::new("value", DataType::Float64, true),
            ]
            .into(),
        );
        let names = [
            DataType::Struct(parts.into()),
            DataType::List(Arc::new(text)),
            DataType::Map(Arc::new(Field::new("entries", entry, false)), false),
        ]
        .map(|data_type| sql_type_name(&data_type));
        assert_eq!(
            names,
            [
                "STRUCT(r INTEGER, label STRUCT(text VARCHAR))",
                "VARCHAR[]",
                "MAP(INTEGER, DOUBLE)"
            ]
        );
    }

    #[test]
    fn odd_field_names_are_quoted() {
        let fields = vec![
            Field::new("Kwota netto", DataType::Int32, true),
            Field::new("a\"b", DataType::Utf8, true),
            Field::new("1st", DataType::Utf8, true),
        ];
        let name = sql_type_name(&DataType::Struct(fields.into()));
        assert_eq!(
            name,
            "STRUCT(\"Kwota netto\" INTEGER, \"a\"\"b\" VARCHAR, \"1st\" VARCHAR)"
        );
    }
}
