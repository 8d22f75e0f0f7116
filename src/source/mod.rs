//! A named input: where its files are, what is in them, how they are read.
//!
//! Opening a source fixes its list of files and its schema, so that everything
//! planned afterwards sees the same input. Nothing here knows of dates,
//! segments or the catalog: who sees which rows is decided where it is planned.

mod agree;
mod columns;
mod detect;
mod exact_decimal;
mod files;
mod format;
mod open;
mod options;
mod table;

pub use files::{InputFile, changed, looks_like_path};
pub use format::SourceFormat;
pub use open::{FILE_COLUMN, OpenSource};
pub use options::{NullTime, SourceOptions};
pub use table::FilesTable;
