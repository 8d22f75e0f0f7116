//! Sizes in bytes as people write them.

use crate::error::{Error, Result};

const UNITS: [(&str, u64); 10] = [
    ("gib", 1 << 30),
    ("mib", 1 << 20),
    ("kib", 1 << 10),
    ("gb", 1_000_000_000),
    ("mb", 1_000_000),
    ("kb", 1_000),
    ("g", 1 << 30),
    ("m", 1 << 20),
    ("k", 1 << 10),
    ("b", 1),
];

/// `2GB`, `512 MiB`, `1.5g` → bytes.
pub fn parse_size(text: &str) -> Result<usize> {
    let lower = text.trim().to_lowercase();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((lower.strip_suffix(unit)?, *bytes)))
        .unwrap_or((&lower, 1));
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok((number * unit as f64) as usize),
        _ => Err(Error::usage(format!("'{text}' is no size in bytes"))
            .hint("write a number with a unit, such as 512MB or 2GB")),
    }
}

/// Bytes as people read them: `1.5 GB`, in thousands of thousands as typed.
pub(super) fn show_size(bytes: usize) -> String {
    let bytes = bytes as f64;
    match bytes < 1e9 {
        true => format!("{:.1} MB", bytes / 1e6),
        false => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("2GB").expect("a size"), 2_000_000_000);
        assert_eq!(parse_size("1.5 MiB").expect("a size"), 3 << 19);
        assert_eq!(parse_size("64").expect("a size"), 64);
        for wrong in ["", "-1GB", "GB", "lots"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
