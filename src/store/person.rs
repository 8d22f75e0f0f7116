//! One person's rows in the files of a store.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, Scalar, StringArray,
};
use datafusion::arrow::compute::kernels::cmp;
use datafusion::arrow::compute::{cast, filter_record_batch, not, nullif, or};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::object_store::path::Path as StorePath;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::async_reader::{
    ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder,
};
use futures::TryStreamExt;

use super::pages::Pages;
use super::write::DEFINITION_KEY;
use super::{SnapshotRecord, Store, footer};
use crate::error::Result;

/// Rows that are read at once.
const BATCH_ROWS: usize = 8192;

/// Whom to forget. Nothing that is shown or kept says the key.
pub struct Person<'p> {
    /// The key as text.
    pub key: &'p str,
    /// The key column of the entity; none when nobody says what people are.
    pub column: Option<&'p str>,
    /// Is this snapshot about people of the entity?
    pub is_of: &'p (dyn Fn(&SnapshotRecord) -> bool + Send + Sync),
}

/// What of a file is about people of the entity.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct About {
    /// Columns by which a row is a person's.
    rows: Vec<usize>,
    /// Columns that name a person in a row that is somebody else's.
    cells: Vec<usize>,
}

impl Person<'_> {
    /// Which columns of a file name people: the key of a snapshot about them, and in any
    /// other file whatever is called as the entity's key is.
    pub(super) fn about(&self, schema: &Schema, record: Option<&SnapshotRecord>) -> About {
        let mut about = About::default();
        for (place, field) in schema.fields().iter().enumerate() {
            let called_so = |key: &str| field.name().eq_ignore_ascii_case(key);
            let is_named = self.column.is_some_and(called_so);
            let (is_row, is_cell) = match record {
                Some(record) if *field.name() == record.key => ((self.is_of)(record), false),
                Some(record) => (false, is_named && !(self.is_of)(record)),
                // The key comes first in what segql writes.
                None => (is_named || self.column.is_none() && place == 0, false),
            };
            about.rows.extend(is_row.then_some(place));
            about.cells.extend(is_cell.then_some(place));
        }
        about
    }

    /// Which rows have the key in one of these columns.
    fn find(&self, batch: &RecordBatch, columns: &[usize]) -> Result<BooleanArray> {
        let mut found = BooleanArray::from(vec![false; batch.num_rows()]);
        for column in columns {
            found = or(&found, &is_key(batch.column(*column), self.key)?)?;
        }
        Ok(found)
    }
}

impl Store {
    /// How many rows of a file name the person.
    pub(super) async fn count_rows(
        &self,
        person: &Person<'_>,
        path: &StorePath,
        record: Option<&SnapshotRecord>,
    ) -> Result<u64> {
        let builder = self.rows(path).await?;
        let about = person.about(builder.schema(), record);
        let columns: Vec<usize> = [&about.rows[..], &about.cells].concat();
        if columns.is_empty() {
            return Ok(0);
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
        let mut rows = builder.with_projection(mask).build()?;
        let mut count = 0;
        while let Some(batch) = rows.try_next().await? {
            let places: Vec<usize> = (0..batch.num_columns()).collect();
            count += person.find(&batch, &places)?.true_count() as u64;
        }
        Ok(count)
    }

    /// The rows of a file without the person.
    pub(super) async fn others<'p>(
        &self,
        person: &'p Person<'p>,
        path: &StorePath,
        record: Option<&SnapshotRecord>,
    ) -> Result<Others<'p>> {
        let builder = self.rows(path).await?;
        let about = person.about(builder.schema(), record);
        let fields = builder.schema().fields().iter().enumerate();
        let fields: Vec<Field> = fields
            .map(|(place, field)| {
                let is_emptied = about.cells.contains(&place);
                let field = field.as_ref().clone();
                let nullable = field.is_nullable() || is_emptied;
                field.with_nullable(nullable)
            })
            .collect();
        let footer = builder.metadata();
        Ok(Others {
            schema: Arc::new(Schema::new(fields)),
            definition: footer::entry(footer, DEFINITION_KEY).unwrap_or_default(),
            rows: builder.build()?,
            person,
            about,
        })
    }

    async fn rows(&self, path: &StorePath) -> Result<ParquetRecordBatchStreamBuilder<Pages>> {
        let pages = Pages::new(Arc::clone(&self.objects), path.clone());
        let builder = ParquetRecordBatchStreamBuilder::new(pages).await?;
        Ok(builder.with_batch_size(BATCH_ROWS))
    }
}

/// The rows of everybody else.
pub(super) struct Others<'p> {
    pub(super) schema: SchemaRef,
    /// What the file's footer says of its definition.
    pub(super) definition: String,
    rows: ParquetRecordBatchStream<Pages>,
    person: &'p Person<'p>,
    about: About,
}

impl Others<'_> {
    /// The next rows, and the person's among them.
    pub(super) async fn next(&mut self) -> Result<Option<(RecordBatch, RecordBatch)>> {
        let Some(batch) = self.rows.try_next().await? else {
            return Ok(None);
        };
        let own = self.person.find(&batch, &self.about.rows)?;
        let theirs = filter_record_batch(&batch, &own)?;
        let rest = filter_record_batch(&batch, &not(&own)?)?;
        let mut columns = rest.columns().to_vec();
        for place in &self.about.cells {
            let named = is_key(&columns[*place], self.person.key)?;
            columns[*place] = nullif(&columns[*place], &named)?;
        }
        let rest = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        Ok(Some((rest, theirs)))
    }
}

/// Which values are this key: '17' and 17 are the same. NULL is nobody's.
fn is_key(values: &ArrayRef, key: &str) -> Result<BooleanArray> {
    let nobody = || BooleanArray::from(vec![false; values.len()]);
    let found = match values.data_type() {
        DataType::FixedSizeBinary(16) => {
            let Some(id) = uuid(key) else {
                return Ok(nobody());
            };
            let values = values.as_fixed_size_binary();
            values.iter().map(|it| it.map(|it| it == id)).collect()
        }
        data_type if data_type.is_integer() || is_text(data_type) => {
            let text = cast(values, &DataType::Utf8)?;
            cmp::eq(&text, &Scalar::new(StringArray::from(vec![key])))?
        }
        _ => return Ok(nobody()),
    };
    match found.null_count() {
        0 => Ok(found),
        _ => Ok(found.iter().map(|it| Some(it == Some(true))).collect()),
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The bytes of a UUID as people write it.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|it| *it != b'-')
        .map(|it| char::from(it).to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    match digits.len() {
        32 => bytes.try_into().ok(),
        _ => None,
    }
}

/// A text in which a key stood as a word of its own, without it.
pub(super) fn without(text: &str, key: &str) -> Option<String> {
    if key.is_empty() {
        return None;
    }
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut done, mut rest, mut found) = (String::new(), text, false);
    while let Some(at) = rest.find(key) {
        let end = at + key.len();
        let before = rest[..at].chars().next_back().or(done.chars().next_back());
        let is_own = !is_word(before) && !is_word(rest[end..].chars().next());
        done.push_str(&rest[..at]);
        done.push_str(match is_own {
            true => "…",
            false => &rest[at..end],
        });
        found |= is_own;
        rest = &rest[end..];
    }
    done.push_str(rest);
    found.then_some(done)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{FixedSizeBinaryArray, Int64Array};

    use super::*;

    fn places(values: ArrayRef, key: &str) -> Vec<usize> {
        let found = is_key(&values, key).expect("compares");
        assert_eq!(found.null_count(), 0);
        (0..found.len()).filter(|it| found.value(*it)).collect()
    }

    #[test]
    fn keys_are_compared_as_text() {
        let numbers = || Arc::new(Int64Array::from(vec![Some(17), None, Some(170)])) as ArrayRef;
        assert_eq!(places(numbers(), "17"), [0]);
        assert_eq!(places(numbers(), "017"), [0; 0]);
        let texts = Arc::new(StringArray::from(vec![Some("a"), None, Some("A")])) as ArrayRef;
        assert_eq!(places(texts, "a"), [0]);
        let id = [
            0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17,
            0x40, 0,
        ];
        let ids = FixedSizeBinaryArray::try_from_iter([[0; 16], id].iter()).expect("ids");
        let ids = Arc::new(ids) as ArrayRef;
        assert_eq!(places(ids, "123E4567-e89b-12d3-a456-426614174000"), [1]);
    }

    #[test]
    fn a_key_is_taken_out_of_a_text_where_it_is_a_word() {
        let text = "more than one row for some keys: 17, 171, 18";
        let expected = "more than one row for some keys: …, 171, 18";
        assert_eq!(without(text, "17").as_deref(), Some(expected));
        assert_eq!(
            without("a-b, a-bc, (a-b)", "a-b").as_deref(),
            Some("…, a-bc, (…)")
        );
        assert_eq!(without("aaa", "a"), None);
        assert_eq!(without("x", ""), None);
    }
}
