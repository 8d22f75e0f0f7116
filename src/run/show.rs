//! `SHOW …`: queries over segql's own relations.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};

use super::{Engine, Outcome};
use crate::catalog::libraries;
use crate::error::{Error, Result, Script};
use crate::statement::{self, Kind, Listing, Statement};

impl Engine {
    pub(super) async fn show(&mut self, listing: Listing) -> Result<Outcome> {
        if listing == Listing::Libraries {
            let names: StringArray = libraries().into_iter().map(Some).collect();
            let batch = RecordBatch::try_from_iter([("name", Arc::new(names) as _)])?;
            return Ok(Outcome::of(batch));
        }
        let query = match listing {
            Listing::Tables | Listing::Libraries => {
                "SELECT table_name AS name, table_type AS kind FROM information_schema.tables \
                 WHERE table_schema = 'public' ORDER BY 1"
            }
            Listing::Kind(Kind::Source) => {
                "SELECT name, location, key, event_time, description FROM segql.sources ORDER BY 1"
            }
            Listing::Kind(Kind::Entity) => {
                "SELECT name, table_name, key, description FROM segql.entities ORDER BY 1"
            }
            Listing::Kind(Kind::Check) => "SELECT name, description FROM segql.checks ORDER BY 1",
            Listing::Kind(Kind::View) => {
                "SELECT DISTINCT name FROM segql.lineage WHERE kind = 'view' ORDER BY 1"
            }
            Listing::Kind(Kind::Segmentation) => {
                "SELECT name, description, tags, action FROM segql.segments \
                 WHERE kind = 'segmentation' ORDER BY 1"
            }
            Listing::Kind(Kind::Segment) => {
                "SELECT name, kind, description, tags, action FROM segql.segments ORDER BY 1"
            }
        };
        self.rows(query).await
    }

    /// The rows of a query of our own.
    pub(super) async fn rows(&mut self, query: &str) -> Result<Outcome> {
        let script = Arc::new(Script::new("segql", query));
        let parsed = statement::parse(&script)?.remove(0)?;
        let Statement::Sql(inner) = parsed.statement else {
            return Err(Error::new("not a query"));
        };
        let plan = self.plan(*inner, &script).await?;
        let stream = self
            .session
            .execute_logical_plan(plan)
            .await?
            .execute_stream()
            .await?;
        Ok(Outcome::Rows(stream))
    }
}
