//! Window functions within memory: operators that take the place of DataFusion's
//! `WindowAggExec`, which gathers its input on one core, holds it where no limit sees it,
//! and never spills.
//!
//! | operator | of which functions |
//! |---|---|
//! | [`whole::WholeFrameExec`] | those with one answer a partition of the window, and `rfm_score` |
//! | [`counted::CountedWindowExec`] | `ntile`, `percent_rank`, `cume_dist`: they need to know how many rows come |
//! | [`accounted::AccountedExec`] | the rest stays with DataFusion; what it holds is counted |
//!
//! What DataFusion runs in bounded memory (`BoundedWindowAggExec`) is left as it is.

mod accounted;
mod appended;
mod buffer;
mod counted;
mod function;
mod gathered;
mod grouped;
mod held;
mod positions;
mod rule;
mod scores;
mod side_by_side;
mod whole;

pub(super) use rule::{AccountedWindows, Windows};
