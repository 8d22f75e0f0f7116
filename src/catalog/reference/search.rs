//! Found by words, as somebody types them who does not know the name.

use super::Entry;

/// Words that say nothing by themselves.
const SMALL: [&str; 17] = [
    "a", "an", "and", "are", "at", "by", "for", "from", "how", "in", "of", "on", "or", "the", "to",
    "who", "with",
];

/// From how many letters on a word may be the beginning of one: `ad` is no address.
const BEGINNING_LETTERS: usize = 4;

/// From how many letters on a word is looked for across the gaps between words, so that
/// `winback` finds `win-back` and `win back`.
const JOINED_LETTERS: usize = 6;

/// Entries that have all words, those with more of them in the name first, then in the meaning.
pub(super) fn with_words<'r>(all: &'r [Entry], asked: &str) -> Vec<&'r Entry> {
    let mut wanted = words(asked);
    let is_small = |it: &String| SMALL.contains(&it.as_str());
    if !wanted.iter().all(is_small) {
        wanted.retain(|it| !is_small(it));
    }
    let mut found: Vec<(usize, usize, &Entry)> = vec![];
    for entry in all {
        let (name, meaning) = (Text::of(&entry.name), Text::of(&entry.meaning));
        let all_of_it = format!("{} {} {}", entry.name, entry.meaning, entry.words);
        let everything = Text::of(&all_of_it);
        if !wanted.is_empty() && wanted.iter().all(|word| everything.has(word)) {
            let lacks = |text: &Text| wanted.iter().filter(|word| !text.has(word)).count();
            found.push((lacks(&name), lacks(&meaning), entry));
        }
    }
    found.sort_by_key(|(in_name, in_meaning, _)| (*in_name, *in_meaning));
    found.into_iter().map(|(_, _, entry)| entry).collect()
}

/// A text as it is searched.
struct Text {
    words: Vec<String>,
    joined: String,
}

impl Text {
    fn of(text: &str) -> Self {
        let words = words(text);
        Self {
            joined: words.concat(),
            words,
        }
    }

    fn has(&self, word: &str) -> bool {
        let letters = word.chars().count();
        self.words
            .iter()
            .any(|it| it == word || letters >= BEGINNING_LETTERS && it.starts_with(word))
            || letters >= JOINED_LETTERS && self.joined.contains(word)
    }
}

/// The words of a text in small letters, each as one of its kind: `Carts` is `cart`.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|it| !it.is_empty()).map(singular).collect()
}

fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|it| it.len() > 2) {
        return format!("{stem}y");
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 1 && !stem.ends_with('s') && !stem.ends_with('u') => {
            stem.to_owned()
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, meaning: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            meaning: meaning.to_owned(),
            ..Entry::default()
        }
    }

    fn found(asked: &str) -> Vec<String> {
        let all = [
            entry(
                "carts.stages",
                "Whoever has a cart waiting, or an abandoned one",
            ),
            entry("carts.abandoned", "A cart that nobody came back to"),
            entry("interests", "Categories that somebody cares for"),
            entry("quiet", "One offer to win-back"),
        ];
        let names = with_words(&all, asked).into_iter();
        names.map(|it| it.name.clone()).collect()
    }

    #[test]
    fn words_are_found_whatever_their_number_case_and_order() {
        assert_eq!(found("Abandoned cart"), ["carts.abandoned", "carts.stages"]);
        assert_eq!(
            found("carts abandoned"),
            ["carts.abandoned", "carts.stages"]
        );
        assert_eq!(found("a category"), ["interests"]);
        assert_eq!(found("winback"), ["quiet"]);
        assert_eq!(found("win back"), ["quiet"]);
        assert_eq!(found("abandon").len(), 2);
        assert!(
            found("aba").is_empty(),
            "a beginning of three letters says nothing"
        );
    }

    #[test]
    fn all_words_are_needed_and_small_ones_only_alone() {
        assert!(found("abandoned category").is_empty());
        assert_eq!(
            found("customers who have an abandoned cart").len(),
            0,
            "have"
        );
        assert_eq!(found("the abandoned").len(), 2);
        assert_eq!(found("or"), ["carts.stages"]);
        assert!(found("").is_empty());
        assert!(found(" … ").is_empty());
    }
}
