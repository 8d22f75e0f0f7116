//! The stable pseudo-random number behind `bucket` and `holdout`: SHA-256, so that any warehouse
//! can reproduce it.

use sha2::{Digest, Sha256};

/// How many bits of the digest are used: its first 15 hexadecimal digits, the most that fits a
/// signed BIGINT in every warehouse.
pub(crate) const BITS: u32 = 60;

/// The first 15 hexadecimal digits of the SHA-256 of `text`, as a number below 2^60.
pub(crate) fn sixty_bits(text: &[u8]) -> u64 {
    let digest = Sha256::digest(text);
    let first: [u8; 8] = digest[..8]
        .try_into()
        .expect("a SHA-256 digest has 32 bytes");
    u64::from_be_bytes(first) >> (u64::BITS - BITS)
}

/// The whole number `t` for which `h < t` says exactly what `h < fraction * 2^60` says.
///
/// The product is exact, as 2^60 only moves the exponent; rounding up keeps the comparison
/// strict for whole `h`.
pub(crate) fn threshold(fraction: f64) -> u64 {
    (fraction * (1u64 << BITS) as f64).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_hashlib() {
        // python3: int(hashlib.sha256(b"spring:17").hexdigest()[:15], 16) and likewise.
        assert_eq!(sixty_bits(b"spring:17"), SPRING_17);
        assert_eq!(sixty_bits(b""), EMPTY);
        assert_eq!(sixty_bits("salt:żółw".as_bytes()), TURTLE);
    }
    const SPRING_17: u64 = 678_531_380_183_203_537;
    const EMPTY: u64 = 1_025_426_827_051_516_353;
    const TURTLE: u64 = 524_582_358_990_431_522;

    #[test]
    fn thresholds() {
        assert_eq!(threshold(0.0), 0);
        assert_eq!(threshold(0.5), 1 << 59);
        assert_eq!(threshold(1.0), 1 << 60);
        // The smallest positive fraction withholds only h = 0.
        assert_eq!(threshold(f64::MIN_POSITIVE), 1);
    }
}
