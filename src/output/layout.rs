//! Owns how a table fits a terminal: which columns are drawn, how wide, and the
//! cutting and padding of texts. Refuses to know what the texts mean.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Below this no table is legible; a narrower terminal gets lines of this width.
const NARROWEST: usize = 20;
/// A space at either side and the line after it.
const FRAME: usize = 3;

/// One column as drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The column with this number, so many cells wide.
    Column(usize, usize),
    /// Stands for the columns left out here.
    Gap,
}

/// What a column asks for, in terminal cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// The width at which nothing is cut.
    pub(super) full: usize,
    /// The width below which the column would rather be left out; at most `full`.
    pub(super) least: usize,
}

/// The columns to draw, from left to right. Wide columns give way first; then
/// columns are left out from the middle. Never wider than `width` (if that is
/// at least 20); with no width, everything in full.
pub(super) fn fit(wishes: &[Wish], width: Option<usize>) -> Vec<Slot> {
    let all: Vec<usize> = (0..wishes.len()).collect();
    let room = width.map_or(usize::MAX, |width| width.max(NARROWEST) - 1);
    if let Some(slots) = share(wishes, &all, room) {
        return slots;
    }
    if wishes.len() == 1 {
        return vec![Slot::Column(0, room - FRAME)];
    }
    let room = room - (FRAME + 1);
    let (left, right) = ends(wishes, room);
    let shown: Vec<usize> = (0..left)
        .chain(wishes.len() - right..wishes.len())
        .collect();
    let mut slots =
        share(wishes, &shown, room).unwrap_or_else(|| vec![Slot::Column(0, room - FRAME)]);
    slots.insert(left, Slot::Gap);
    slots
}

/// How many columns from the left and from the right fit at their least; one at
/// least from the left, and never all.
fn ends(wishes: &[Wish], room: usize) -> (usize, usize) {
    let (mut left, mut right) = (1, 0);
    let mut used = wishes[0].least + FRAME;
    while left + right + 1 < wishes.len() {
        let next = if right < left {
            wishes.len() - 1 - right
        } else {
            left
        };
        used += wishes[next].least + FRAME;
        if used > room {
            break;
        }
        if right < left { right += 1 } else { left += 1 }
    }
    (left, right)
}

/// The columns `shown` within `room`, all cut at the same width where they must
/// be, or `None` when not even their least fits.
fn share(wishes: &[Wish], shown: &[usize], room: usize) -> Option<Vec<Slot>> {
    let cut = |cap: usize| {
        let width = move |wish: &Wish| wish.full.min(cap).max(wish.least);
        shown
            .iter()
            .map(move |&i| Slot::Column(i, width(&wishes[i])))
    };
    let fits = |cap: usize| cut(cap).map(Slot::outer).sum::<usize>() <= room;
    let widest = shown.iter().map(|&i| wishes[i].full).max().unwrap_or(0);
    (0..=widest.min(room))
        .rev()
        .find(|&cap| fits(cap))
        .map(|cap| cut(cap).collect())
}

impl Slot {
    fn outer(self) -> usize {
        self.width() + FRAME
    }

    /// The cells between the spaces at either side.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Column(_, width) => width,
            Self::Gap => 1,
        }
    }
}

/// The cells a text takes on a terminal; 2 for most of CJK and emoji, 0 for
/// combining marks.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text within `room` cells, the last of them `…` if anything was cut off.
pub(super) fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if text.len() <= room || text.width() <= room {
        return Cow::Borrowed(text);
    }
    let mut end = 0;
    for (i, c) in text.char_indices() {
        // Marks stay with what they modify, so a cut is only looked for before the rest.
        if c.width() == Some(0) {
            continue;
        }
        if text[..i].width() + 1 > room {
            break;
        }
        end = i;
    }
    Cow::Owned(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Slot::{Column, Gap};

    fn wishes(pairs: &[(usize, usize)]) -> Vec<Wish> {
        pairs
            .iter()
            .map(|&(full, least)| Wish { full, least })
            .collect()
    }

    #[test]
    fn without_a_width_nothing_gives_way() {
        assert_eq!(
            fit(&wishes(&[(5, 5), (900, 10)]), None),
            [Column(0, 5), Column(1, 900)]
        );
        assert_eq!(fit(&[], Some(80)), []);
    }

    #[test]
    fn the_widest_column_gives_way_first() {
        // │ + 8 + 33 = 42 wide
        assert_eq!(
            fit(&wishes(&[(5, 5), (30, 10)]), Some(42)),
            [Column(0, 5), Column(1, 30)]
        );
        assert_eq!(
            fit(&wishes(&[(5, 5), (30, 10)]), Some(41)),
            [Column(0, 5), Column(1, 29)]
        );
        assert_eq!(
            fit(&wishes(&[(30, 30), (30, 10)]), Some(50)),
            [Column(0, 30), Column(1, 13)]
        );
    }

    #[test]
    fn then_columns_are_left_out_of_the_middle() {
        let ten = wishes(&[(8, 8); 10]);
        assert_eq!(
            fit(&ten, Some(38)),
            [Column(0, 8), Column(1, 8), Gap, Column(9, 8)]
        );
        assert_eq!(fit(&ten, Some(37)), [Column(0, 8), Gap, Column(9, 8)]);
        assert_eq!(
            fit(&wishes(&[(90, 90), (90, 90)]), Some(30)),
            [Column(0, 22), Gap]
        );
        assert_eq!(fit(&wishes(&[(90, 90)]), Some(1)), [Column(0, 16)]);
    }

    #[test]
    fn cutting_counts_cells_not_bytes() {
        assert_eq!(cut("Wójcik", 6), "Wójcik");
        assert_eq!(cut("Wójcik", 5), "Wójc…");
        assert_eq!(cut("客户细分", 8), "客户细分");
        assert_eq!(cut("客户细分", 7), "客户细…");
        assert_eq!(cut("客户细分", 6), "客户…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(cut("👩‍👩‍👧‍👦 family", 4), "👩‍👩‍👧‍👦 …");
        assert_eq!(cut("abc", 1), "…");
    }
}
