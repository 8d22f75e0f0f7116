//! `bucket` and `holdout` see one key at a time: neighbours, order and batches do not matter.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::scalar;
use crate::testing::{call, ints};

const SALTS: [&str; 4] = ["spring", "", "a:b", "wiosna żółw"];

/// The first 15 hexadecimal digits, by way of the text that a warehouse would cut.
fn hash(salt: &str, key: i64) -> i64 {
    let mut text = String::new();
    for byte in Sha256::digest(format!("{salt}:{key}").as_bytes()) {
        write!(text, "{byte:02x}").unwrap();
    }
    i64::from_str_radix(&text[..15], 16).unwrap()
}

fn bucket(keys: ArrayRef, salt: &str, parts: i64) -> Vec<Option<i64>> {
    let rows = keys.len();
    let salt = ColumnarValue::Scalar(ScalarValue::from(salt));
    let parts = ColumnarValue::Scalar(ScalarValue::from(parts));
    let args = vec![ColumnarValue::Array(keys), salt, parts];
    ints(&call(&scalar("bucket"), args, rows).unwrap())
}

fn holdout(keys: ArrayRef, salt: &str, fraction: f64) -> Vec<Option<bool>> {
    let rows = keys.len();
    let salt = ColumnarValue::Scalar(ScalarValue::from(salt));
    let fraction = ColumnarValue::Scalar(ScalarValue::from(fraction));
    let args = vec![ColumnarValue::Array(keys), salt, fraction];
    let withheld = call(&scalar("holdout"), args, rows).unwrap();
    withheld.as_boolean().iter().collect()
}

fn whole(keys: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(keys.to_vec()))
}

fn texts(keys: &[Option<i64>]) -> ArrayRef {
    let texts = keys.iter().map(|key| key.map(|key| key.to_string()));
    Arc::new(texts.collect::<StringArray>())
}

proptest! {
    #[test]
    fn every_key_has_the_part_of_its_hash(
        keys in prop::collection::vec(prop::option::weighted(0.9, any::<i64>()), 0..40),
        salt in 0..SALTS.len(), parts in 1i64..=i64::MAX, thousandths in 0i64..=1024,
    ) {
        let salt = SALTS[salt];
        let parts = parts.min(1 << (parts % 60));
        let expected: Vec<_> = keys.iter().map(|key| key.map(|key| hash(salt, key) % parts)).collect();
        prop_assert_eq!(&bucket(whole(&keys), salt, parts), &expected);
        prop_assert_eq!(&bucket(texts(&keys), salt, parts), &expected);
        // A fraction of 1024 is exact: h / 2^60 < k / 1024 is h < k · 2^50.
        let expected: Vec<_> = keys.iter().map(|key| key.map(|key| hash(salt, key) < thousandths << 50)).collect();
        let fraction = thousandths as f64 / 1024.0;
        prop_assert_eq!(&holdout(whole(&keys), salt, fraction), &expected);
        prop_assert_eq!(&holdout(texts(&keys), salt, fraction), &expected);
    }

    #[test]
    fn order_batches_and_neighbours_do_not_matter(
        mut keys in prop::collection::vec(prop::option::weighted(0.9, 0i64..1000), 1..40),
        batch in 1usize..9,
    ) {
        let column = whole(&keys);
        let mut buckets = bucket(whole(&keys), "s", 10);
        let mut withheld = holdout(whole(&keys), "s", 0.3);
        for from in (0..keys.len()).step_by(batch) {
            let to = (from + batch).min(keys.len());
            let slice = || column.slice(from, to - from);
            prop_assert_eq!(bucket(slice(), "s", 10), buckets[from..to].to_vec());
            prop_assert_eq!(holdout(slice(), "s", 0.3), withheld[from..to].to_vec());
        }
        keys.reverse();
        buckets.reverse();
        withheld.reverse();
        prop_assert_eq!(bucket(whole(&keys), "s", 10), buckets);
        prop_assert_eq!(holdout(whole(&keys), "s", 0.3), withheld);
    }
}
