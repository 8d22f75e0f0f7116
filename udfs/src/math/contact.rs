//! Addresses and numbers as people type them.

/// Can this be an e-mail address? One `@`; before it 1 to 64 bytes without blanks, quotes,
/// brackets and the like, no dot at an end or beside another; behind it, as DNS has them, two
/// or more labels of 1 to 63 bytes, letters and digits of any script, with hyphens inside, the
/// last one not of digits; 254 bytes at most in all (RFC 5321, 4.5.3.1).
pub(crate) fn is_email(text: &str) -> bool {
    let text = text.trim();
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]".contains(c);
    let name_fits = (1..=64).contains(&name.len())
        && !name.contains(is_odd)
        && name.split('.').all(|part| !part.is_empty());
    let labels = || domain.split('.');
    let last = labels().next_back().unwrap_or_default();
    text.len() <= 254
        && name_fits
        && domain.contains('.')
        && labels().all(is_label)
        && !last.chars().all(|c| c.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

/// Calling code of a country (ITU-T E.164) and the digits that are dialled before a number
/// within it and left out from abroad.
const COUNTRIES: [(&str, &str, &str); 46] = [
    ("AL", "355", "0"),
    ("AT", "43", "0"),
    ("AU", "61", "0"),
    ("BA", "387", "0"),
    ("BE", "32", "0"),
    ("BG", "359", "0"),
    ("BR", "55", "0"),
    ("CA", "1", "1"),
    ("CH", "41", "0"),
    ("CN", "86", "0"),
    ("CY", "357", ""),
    ("CZ", "420", ""),
    ("DE", "49", "0"),
    ("DK", "45", ""),
    ("EE", "372", ""),
    ("ES", "34", ""),
    ("FI", "358", "0"),
    ("FR", "33", "0"),
    ("GB", "44", "0"),
    ("GR", "30", ""),
    ("HR", "385", "0"),
    ("HU", "36", "06"),
    ("IE", "353", "0"),
    ("IN", "91", "0"),
    ("IS", "354", ""),
    ("IT", "39", ""),
    ("JP", "81", "0"),
    ("LT", "370", "0"),
    ("LU", "352", ""),
    ("LV", "371", ""),
    ("MD", "373", "0"),
    ("ME", "382", "0"),
    ("MK", "389", "0"),
    ("MT", "356", ""),
    ("NL", "31", "0"),
    ("NO", "47", ""),
    ("PL", "48", ""),
    ("PT", "351", ""),
    ("RO", "40", "0"),
    ("RS", "381", "0"),
    ("SE", "46", "0"),
    ("SI", "386", "0"),
    ("SK", "421", "0"),
    ("TR", "90", "0"),
    ("UA", "380", "0"),
    ("US", "1", "1"),
];

/// Writes a number as E.164 has it, `+48501234567`, over what `phone` held. False where it
/// cannot be one: a sign that belongs to no number, or not 7 to 15 digits in all. A number
/// without `+` or `00` in front belongs to `country`; of one that is not known, or none, such a
/// number cannot be told.
pub(crate) fn e164(text: &str, country: Option<&str>, phone: &mut String) -> bool {
    phone.clear();
    let text = text.trim();
    let (mut is_abroad, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    for c in rest.chars() {
        match c {
            '0'..='9' => phone.push(c),
            // What people put between digits; a no-break space is one of them.
            ' ' | '.' | '/' | '-' | '(' | ')' | '\u{a0}' | '\u{2011}' | '\u{2013}' => {}
            _ => return false,
        }
    }
    if !is_abroad && phone.starts_with("00") {
        phone.drain(..2);
        is_abroad = true;
    }
    if !is_abroad && !put_code(phone, country) {
        return false;
    }
    let fits = (7..=15).contains(&phone.len()) && !phone.starts_with('0');
    phone.insert(0, '+');
    fits
}

/// The country's code in the place of what is dialled within it.
fn put_code(phone: &mut String, country: Option<&str>) -> bool {
    let country = country.unwrap_or_default().trim();
    let known = COUNTRIES
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(country));
    let Some((_, code, trunk)) = known else {
        return false;
    };
    if !trunk.is_empty() && phone.starts_with(trunk) {
        phone.drain(..trunk.len());
    }
    phone.insert_str(0, code);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let long = format!("{}@example.com", "a".repeat(64));
        let valid = [
            "ola@example.com",
            " Ola.Nowak+shop@sklep.example.pl ",
            "иван@пример.бг",
            "o'brien@example.co.uk",
            "a@xn--80ak6aa92e.com",
            long.as_str(),
        ];
        for text in valid {
            assert!(is_email(text), "{text}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let whole = format!("a@{}.com", "abcdefghi.".repeat(25).trim_end_matches('.'));
        let invalid = [
            "",
            "@example.com",
            "ola@",
            "ola at example.com",
            "ola@example",
            "o..la@example.com",
            ".ola@example.com",
            "ola.@example.com",
            "a@b@example.com",
            "ola@-a.com",
            "ola@a-.com",
            "ola@example..com",
            "ola@127.0.0.1",
            "o la@example.com",
            "<ola@example.com>",
            long.as_str(),
            whole.as_str(),
        ];
        for text in invalid {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn numbers() {
        let mut phone = String::new();
        for (text, country, expected) in [
            ("+48 501-234-567", None, Some("+48501234567")),
            ("0048 501 234 567", Some("DE"), Some("+48501234567")),
            ("501 234 567", Some("pl "), Some("+48501234567")),
            ("07700 900123", Some("GB"), Some("+447700900123")),
            ("(06 1) 234-5678", Some("HU"), Some("+3612345678")),
            ("1 (212) 555-0123", Some("US"), Some("+12125550123")),
            ("212.555.0123", Some("US"), Some("+12125550123")),
            ("06 1234 5678", Some("IT"), Some("+390612345678")),
            ("501 234 567", None, None),
            ("501 234 567", Some("XX"), None),
            ("+123456", None, None),
            ("+1234567890123456", None, None),
            ("+0048501234567", None, None),
            ("++48501234567", None, None),
            ("call me", Some("PL"), None),
            ("", Some("PL"), None),
        ] {
            let found = e164(text, country, &mut phone).then_some(phone.as_str());
            assert_eq!(found, expected, "{text} {country:?}");
        }
    }
}
