//! `SHOW …`: what there is, mostly by queries over segql's own relations.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};

use super::{Engine, Outcome};
use crate::catalog::{library_listing, segment_listing, session_tables};
use crate::error::{Error, Result, Script};
use crate::statement::{self, Kind, Listing, Statement};

impl Engine {
    pub(super) async fn show(&mut self, listing: Listing) -> Result<Outcome> {
        let query = match listing {
            Listing::Libraries => return Ok(Outcome::of(library_listing()?)),
            Listing::Tables => return self.tables(),
            Listing::Kind(Kind::Source) => {
                "SELECT name, location, key, event_time, description FROM segql.sources ORDER BY 1"
            }
            Listing::Kind(Kind::Entity) => {
                "SELECT name, table_name, key, description FROM segql.entities ORDER BY 1"
            }
            Listing::Kind(Kind::Check) => "SELECT name, description FROM segql.checks ORDER BY 1",
            Listing::FrozenViews => {
                "SELECT name, as_of, status, rows, frozen_at FROM segql.frozen ORDER BY 1"
            }
            // The parser leaves SHOW FUNCTIONS to DataFusion.
            Listing::Kind(Kind::View | Kind::Function) => {
                "SELECT DISTINCT name FROM segql.lineage WHERE kind = 'view' ORDER BY 1"
            }
            Listing::Kind(kind @ (Kind::Segment | Kind::Segmentation)) => {
                let batch = segment_listing(&self.catalog, kind == Kind::Segmentation)?;
                return Ok(Outcome::of(batch));
            }
        };
        self.rows(query).await
    }

    /// Everything that can be selected from, planned or not.
    fn tables(&self) -> Result<Outcome> {
        let defined = self.catalog.all().filter(|it| it.id() == it.name);
        let mut all: Vec<(String, &str)> = defined
            .map(|it| (it.name.clone(), it.kind().word()))
            .collect();
        all.extend(
            session_tables(&self.session)
                .into_iter()
                .map(|name| (name, "table")),
        );
        all.sort();
        let names: StringArray = all.iter().map(|(name, _)| Some(name.as_str())).collect();
        let kinds: StringArray = all.iter().map(|(_, kind)| Some(*kind)).collect();
        Ok(Outcome::of(RecordBatch::try_from_iter([
            ("name", Arc::new(names) as _),
            ("kind", Arc::new(kinds) as _),
        ])?))
    }

    /// The rows of a query of our own.
    pub(super) async fn rows(&mut self, query: &str) -> Result<Outcome> {
        let script = Arc::new(Script::new("segql", query));
        let parsed = statement::parse(&script)?.remove(0)?;
        let Statement::Sql(inner) = parsed.statement else {
            return Err(Error::new("not a query"));
        };
        let plan = self.plan(*inner, &script).await?;
        Ok(Outcome::Rows(self.stream(&plan).await?))
    }
}
