//! The session settings `segql.as_of` and `segql.time_zone`.

use datafusion_common::config::ConfigExtension;
use datafusion_common::extensions_options;

extensions_options! {
    /// Settings of the functions that know the time, for a session that binds no [`Clock`].
    ///
    /// Insert it into a session's options; afterwards `SET segql.as_of = '2026-01-31'` works:
    ///
    /// ```
    /// use datafusion_common::config::ConfigOptions;
    /// use segql_udfs::SegqlConfig;
    /// let mut options = ConfigOptions::default();
    /// options.extensions.insert(SegqlConfig::default());
    /// options.set("segql.as_of", "2026-01-31")?;
    /// # Ok::<(), datafusion_common::DataFusionError>(())
    /// ```
    ///
    /// [`Clock`]: crate::Clock
    pub struct SegqlConfig {
        /// The date (the end of that day) or RFC 3339 instant that as_of() returns; empty: the start of the query
        pub as_of: String, default = String::new()
        /// The time zone in which dates are told; empty: datafusion.execution.time_zone, or UTC
        pub time_zone: String, default = String::new()
    }
}

impl ConfigExtension for SegqlConfig {
    const PREFIX: &'static str = "segql";
}
