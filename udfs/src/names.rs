//! Columns of text in which few names repeat.

use arrow::array::StringArray;
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use datafusion_common::{Result, exec_datafusion_err};

/// Names of up to so many bytes are copied at this width, and what is too much is written over:
/// moves of a fixed size are neither a call nor a branch.
const WIDTH: usize = 24;

/// The name at each of `picks`; they are places in `names`, of which some may stand for NULL.
pub(crate) fn pick(names: &[Option<&str>], picks: &[usize]) -> Result<StringArray> {
    let lengths: Vec<usize> = names.iter().map(|name| name.map_or(0, str::len)).collect();
    if lengths.iter().any(|length| *length > WIDTH) {
        return Ok(picks.iter().map(|place| names[*place]).collect());
    }
    let total: usize = picks.iter().map(|place| lengths[*place]).sum();
    i32::try_from(total)
        .map_err(|_| exec_datafusion_err!("a batch holds more than 2 GiB of names"))?;
    let padded: Vec<[u8; WIDTH]> = names.iter().map(|name| pad(*name)).collect();
    let mut text: Vec<u8> = Vec::with_capacity(total + WIDTH);
    let mut offsets = Vec::with_capacity(picks.len() + 1);
    offsets.push(0);
    for place in picks {
        let end = text.len() + lengths[*place];
        text.extend_from_slice(&padded[*place]);
        text.truncate(end);
        offsets.push(end as i32);
    }
    let offsets = OffsetBuffer::new(offsets.into());
    Ok(StringArray::try_new(
        offsets,
        text.into(),
        nulls(names, picks),
    )?)
}

fn pad(name: Option<&str>) -> [u8; WIDTH] {
    let mut padded = [0; WIDTH];
    let name = name.unwrap_or_default().as_bytes();
    padded[..name.len()].copy_from_slice(name);
    padded
}

fn nulls(names: &[Option<&str>], picks: &[usize]) -> Option<NullBuffer> {
    if names.iter().all(Option::is_some) {
        return None;
    }
    let valid = BooleanBuffer::collect_bool(picks.len(), |row| names[picks[row]].is_some());
    Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn names_of_any_length_and_null() {
        let long = "a name that is longer than the width of the fast copy";
        let wide = "żółw".repeat(3);
        for names in [
            vec![Some("at_risk"), Some(""), None, Some(wide.as_str())],
            vec![Some("at_risk"), Some(long), None, Some("")],
            vec![Some(&long[..WIDTH]), None, Some("x"), Some("y")],
        ] {
            let picks = [3, 0, 0, 2, 1, 3, 2, 0];
            let found = pick(&names, &picks).unwrap();
            let found: Vec<Option<&str>> = found.iter().collect();
            assert_eq!(found, picks.map(|place| names[place]));
        }
    }

    #[test]
    fn no_row_and_no_null() {
        assert_eq!(pick(&[Some("a"), None], &[]).unwrap().len(), 0);
        let full = pick(&[Some("a"), None], &[0, 0]).unwrap();
        assert!(full.nulls().is_none());
    }
}
