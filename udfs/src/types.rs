//! What data types are called in SQL, and the classes of types that the functions take.

use arrow::datatypes::DataType;

/// The name that a user would write in `CAST(… AS …)`.
pub(crate) fn sql_name(data_type: &DataType) -> String {
    use DataType::*;
    let name = match data_type {
        Null => "NULL",
        Boolean => "BOOLEAN",
        Int8 => "TINYINT",
        Int16 => "SMALLINT",
        Int32 => "INT",
        Int64 => "BIGINT",
        UInt8 => "TINYINT UNSIGNED",
        UInt16 => "SMALLINT UNSIGNED",
        UInt32 => "INT UNSIGNED",
        UInt64 => "BIGINT UNSIGNED",
        Float16 | Float32 => "FLOAT",
        Float64 => "DOUBLE",
        Date32 | Date64 => "DATE",
        Timestamp(_, None) => "TIMESTAMP",
        Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        Time32(_) | Time64(_) => "TIME",
        Duration(_) | Interval(_) => "INTERVAL",
        Utf8 | LargeUtf8 | Utf8View => "TEXT",
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => "BYTEA",
        Struct(_) => "STRUCT",
        Map(_, _) => "MAP",
        Union(_, _) => "UNION",
        Decimal32(p, s) => return format!("DECIMAL({p}, {s})"),
        Decimal64(p, s) => return format!("DECIMAL({p}, {s})"),
        Decimal128(p, s) | Decimal256(p, s) => return format!("DECIMAL({p}, {s})"),
        List(item)
        | LargeList(item)
        | ListView(item)
        | LargeListView(item)
        | FixedSizeList(item, _) => return format!("a list of {}", sql_name(item.data_type())),
        Dictionary(_, value) => return sql_name(value),
        RunEndEncoded(_, value) => return sql_name(value.data_type()),
    };
    name.to_owned()
}

/// The type of the values themselves: encodings such as dictionaries are taken off.
pub(crate) fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => plain(value),
        DataType::RunEndEncoded(_, value) => plain(value.data_type()),
        other => other.clone(),
    }
}

/// As [`plain`], with the type that an untyped NULL stands for.
pub(crate) fn plain_or(data_type: &DataType, for_null: DataType) -> DataType {
    match plain(data_type) {
        DataType::Null => for_null,
        other => other,
    }
}

pub(crate) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// A date or a timestamp.
pub(crate) fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _)
    )
}

/// The values of a list that can be read as cut points.
pub(crate) fn list_item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(item.data_type())
        }
        _ => None,
    }
}
