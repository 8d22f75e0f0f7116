//! Customer-segmentation functions for any Apache DataFusion program.
//!
//! | function | kind | meaning |
//! |---|---|---|
//! | `as_of()` · `as_of_ts()` | scalar | the date and the instant everything is evaluated at |
//! | `days_since(x [, ref [, time_zone]])` | scalar | whole calendar days |
//! | `hours_since(x [, ref [, time_zone]])` | scalar | elapsed hours |
//! | `quantile_cuts(x, bins)` | aggregate | exact cut points of equally filled bins |
//! | `width_cuts(low, high, bins)` | scalar | cut points of equal width |
//! | `bin_of(x, cuts [, side])` | scalar | the bin of a value |
//! | `rfm_score(recency_days, frequency, monetary [, bins]) OVER (…)` | window | RFM scores |
//! | `rfm_cuts(recency_days, frequency, monetary [, bins])` | aggregate | RFM cut points to keep |
//! | `rfm_score_with(recency_days, frequency, monetary, cuts)` | scalar | scores from kept cuts |
//! | `segment_of(score [, scheme])` | scalar | the name of the RFM segment |
//! | `bucket(key, salt, n)` · `holdout(key, salt, fraction)` | scalar | stable random splits |
//! | `favourite(value [, weight])` · `affinity(value, weight)` | aggregate | what somebody cares for most, and how much for each |
//! | `gini(x)` | aggregate | how unequal values are |
//! | `purchase_rhythm(ts [, time_zone])` | aggregate | gaps between days with a purchase |
//! | `is_email(text)` · `normalize_email(text)` · `normalize_phone(text, country)` · `hashed_contact(text)` | scalar | contact data |
//!
//! Every function carries its reference documentation (`documentation()`), with an example that
//! is run by a test. [`register_all`] puts them into a session; [`scalar_functions_at`] and
//! [`aggregate_functions_at`] bind those that know the time to one [`Clock`], where the settings of [`SegqlConfig`] are not enough.
//! [`exact_aggregates`] are a `sum` and an `avg` that neither wrap nor depend on the order of rows,
//! and the functions of variance, covariance, correlation and regression, likewise.
//!
//! ```
//! use datafusion_expr::registry::{FunctionRegistry, MemoryFunctionRegistry};
//!
//! let mut registry = MemoryFunctionRegistry::new(); // or a SessionContext
//! segql_udfs::register_all(&mut registry)?;
//! assert!(registry.udf("days_since").is_ok());
//! # Ok::<(), datafusion_common::DataFusionError>(())
//! ```
//!
//! The functions are laid out one a file below `scalar/`, `aggregate/` and `window/`, over plain
//! arithmetic in `math/`. Adding one is a new file and a line in the list beside it.

use datafusion_common::Result;
use datafusion_expr::registry::FunctionRegistry;

mod aggregate;
mod arguments;
mod clock;
mod columns;
mod config;
mod contact;
mod cuts;
mod keys;
mod math;
mod names;
mod numeric;
#[cfg(test)]
mod properties;
mod scalar;
mod scores;
pub mod scoring;
#[cfg(test)]
mod testing;
mod times;
mod types;
mod window;

pub use aggregate::{aggregate_functions_at, all_aggregate, exact_aggregates};
pub use clock::Clock;
pub use config::SegqlConfig;
pub use math::scheme;
pub use scalar::{all_scalar, scalar_functions_at};
pub use window::all_window;

/// Registers every function, replacing those of the same name.
///
/// The functions that know the time take it from the session: see [`SegqlConfig`], and
/// [`scalar_functions_at`] for another way.
///
/// # Errors
/// If the registry does not take functions.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for function in all_scalar() {
        registry.register_udf(function)?;
    }
    for function in all_aggregate() {
        registry.register_udaf(function)?;
    }
    for function in all_window() {
        registry.register_udwf(function)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use datafusion_expr::Documentation;

    use super::*;

    fn documented() -> Vec<(String, Option<Documentation>)> {
        let scalar = all_scalar()
            .into_iter()
            .map(|f| (f.name().to_owned(), f.documentation().cloned()));
        let aggregate = all_aggregate()
            .into_iter()
            .map(|f| (f.name().to_owned(), f.documentation().cloned()));
        let window = all_window()
            .into_iter()
            .map(|f| (f.name().to_owned(), f.documentation().cloned()));
        scalar.chain(aggregate).chain(window).collect()
    }

    #[test]
    fn names_are_unique_across_kinds() {
        // A scalar function hides a window function of the same name without a word.
        let names = documented();
        let unique: BTreeSet<&String> = names.iter().map(|(name, _)| name).collect();
        assert_eq!(unique.len(), names.len());
        assert_eq!(names.len(), 21);
    }

    #[test]
    fn every_function_is_documented_with_an_example() {
        for (name, documentation) in documented() {
            let doc = documentation.unwrap_or_else(|| panic!("{name} has no documentation"));
            assert!(doc.syntax_example.starts_with(&name), "{name}");
            let example = doc
                .sql_example
                .unwrap_or_else(|| panic!("{name} has no example"));
            assert!(
                example.starts_with("```sql\n> ") && example.ends_with("+\n```"),
                "{name}"
            );
            // A table whose lines differ in width was typed, and not printed.
            let table = example.lines().filter(|line| line.starts_with(['|', '+']));
            let widths: BTreeSet<usize> = table.map(|line| line.chars().count()).collect();
            assert_eq!(widths.len(), 1, "{name}");
            assert!(example.contains(&format!("{name}(")), "{name}");
            assert!(
                !doc.description.contains("  "),
                "{name}: the text has a hole"
            );
            for related in doc.related_udfs.into_iter().flatten() {
                assert!(
                    documented().iter().any(|(name, _)| *name == related),
                    "{name} -> {related}"
                );
            }
        }
    }

    #[test]
    fn the_list_in_the_crate_docs_is_complete() {
        let docs: String = include_str!("lib.rs")
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        for (name, _) in documented() {
            assert!(docs.contains(&format!("`{name}(")), "{name}");
        }
    }

    #[test]
    fn bound_functions_are_those_that_know_the_time() {
        let clock = Clock::parse("2026-01-31", "UTC").unwrap();
        let names: Vec<String> = scalar_functions_at(&clock)
            .iter()
            .map(|f| f.name().to_owned())
            .collect();
        assert_eq!(names, ["as_of", "as_of_ts", "days_since", "hours_since"]);
        let bound = aggregate_functions_at(&clock);
        let names: Vec<&str> = bound.iter().map(|function| function.name()).collect();
        assert_eq!(names, ["purchase_rhythm"]);
    }
}
