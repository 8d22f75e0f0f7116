//! A named input: where its files are, what is in them, how they are read.
//!
//! Opening a source fixes its list of files and its schema, so that everything
//! planned afterwards sees the same input. Nothing here knows of dates,
//! segments or the catalog: who sees which rows is decided where it is planned.

mod agree;
mod columns;
mod csv;
mod csv_columns;
mod detect;
mod drift;
mod earliest;
mod files;
mod format;
mod guess;
mod numbered;
mod open;
mod options;
mod partitions;
mod shapes;
mod table;
mod widen;

pub use csv::Fault;
pub use earliest::Until;
pub use files::{InputFile, changed, looks_like_path};
pub use format::SourceFormat;
pub use open::{FILE_COLUMN, LINE_COLUMN, OpenSource};
pub use options::{BadRow, NullTime, SourceOptions};
pub use table::FilesTable;
pub(crate) use table::upwards;
