//! The caches of the machine.

use std::sync::LazyLock;

/// Where a machine does not say: what most servers have.
const USUAL_L2: usize = 1 << 20;

/// Bytes of the second-level cache of a core.
pub(in crate::exec) fn l2_bytes() -> usize {
    static BYTES: LazyLock<usize> = LazyLock::new(|| {
        let known = if cfg!(target_os = "linux") {
            linux()
        } else {
            None
        };
        known.filter(|bytes| *bytes > 0).unwrap_or(USUAL_L2)
    });
    *BYTES
}

/// As Linux lists the caches of the first core.
fn linux() -> Option<usize> {
    let listed = std::fs::read_dir("/sys/devices/system/cpu/cpu0/cache").ok()?;
    listed.flatten().find_map(|cache| {
        let read = |name: &str| std::fs::read_to_string(cache.path().join(name)).ok();
        match read("level")?.trim() {
            "2" => bytes(read("size")?.trim()),
            _ => None,
        }
    })
}

/// `2048K` or `1M` as bytes.
fn bytes(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(['K', 'M']);
    let unit = match text.strip_prefix(digits)? {
        "K" => 1 << 10,
        "M" => 1 << 20,
        _ => 1,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_linux_writes_them() {
        assert_eq!(bytes("2048K"), Some(2 << 20));
        assert_eq!(bytes("1M"), Some(1 << 20));
        assert_eq!(bytes("32768"), Some(32_768));
        assert_eq!(bytes("a lot"), None);
        assert!(l2_bytes() > 0);
    }
}
