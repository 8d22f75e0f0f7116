//! What our rules can be told: by `SET segql.…`, and by the session that is built.

use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;

extensions_options! {
    /// Settings of our rules.
    pub(crate) struct ExecSettings {
        /// Fit the tables of aggregations to the cache?
        pub cache_sized: bool, default = true
        /// Rows from which on an aggregation is looked at.
        pub cache_sized_rows: usize, default = 2_000_000
        /// Bytes of the cache they are to fit; 0 for what the machine has.
        pub cache_bytes: usize, default = 0
        /// Bytes that queries may hold; 0 for no limit.
        pub memory_limit: usize, default = 0
        /// Partitions the session was built with.
        pub partitions: usize, default = 0
    }
}

impl ConfigExtension for ExecSettings {
    const PREFIX: &'static str = "segql";
}

impl ExecSettings {
    /// Those of a session; the defaults where none were put in.
    pub(crate) fn of(options: &ConfigOptions) -> Self {
        let known = options.extensions.get::<Self>();
        known.cloned().unwrap_or_default()
    }
}
