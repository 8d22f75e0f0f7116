//! Runs in this process over a table that counts how often it is read.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use datafusion::arrow::array::{Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use segql::run::{Engine, RunReport, RunRequest, Setup, Sharing};
use segql::session::{MemoryBudget, Resources};
use segql::store::NodeStatus;

use crate::dice::Dice;
use crate::graphs::{catalog, on_a_worker};

/// A table that counts how often it is read.
#[derive(Debug)]
struct Counted {
    rows: MemTable,
    scans: Arc<AtomicUsize>,
}

#[async_trait]
impl TableProvider for Counted {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        self.scans.fetch_add(1, Ordering::Relaxed);
        self.rows.scan(session, projection, filters, limit).await
    }
}

pub(crate) const CUSTOMERS: usize = 3_000;
const EVENTS: usize = 20_000;

/// Events of customers: whole numbers only, and a text that is a number for group `a` only.
pub(crate) fn events() -> RecordBatch {
    let mut dice = Dice(11);
    let customers: Vec<i64> = (0..EVENTS).map(|_| dice.below(CUSTOMERS) as i64).collect();
    let amounts: Int64Array = (0..EVENTS).map(|_| Some(dice.below(500) as i64)).collect();
    let texts = customers.iter().map(|it| match it % 3 {
        0 => "7".to_owned(),
        _ => format!("no number, but {it}"),
    });
    RecordBatch::try_from_iter([
        (
            "text",
            Arc::new(texts.map(Some).collect::<StringArray>()) as _,
        ),
        ("amount", Arc::new(amounts) as _),
        ("customer_id", Arc::new(Int64Array::from(customers)) as _),
    ])
    .expect("a batch")
}

/// What a run is given.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) text: String,
    pub(crate) threads: usize,
    pub(crate) memory: Option<usize>,
    pub(crate) store: PathBuf,
    pub(crate) as_of: &'static str,
    pub(crate) sharing: Sharing,
}

/// What came of it: the report, in which order the nodes were told of, the scans.
pub(crate) struct Came {
    pub(crate) report: RunReport,
    pub(crate) told: Vec<String>,
    pub(crate) scans: usize,
}

pub(crate) fn run(given: &Given) -> Came {
    let given = given.clone();
    on_a_worker(async move {
        let setup = Setup {
            catalog: catalog(&given.text),
            resources: Resources {
                threads: NonZeroUsize::new(given.threads),
                watch_process: false,
                memory: given
                    .memory
                    .map_or(MemoryBudget::Unlimited, MemoryBudget::Bytes),
                temp_dir: None,
            },
            store: Some(given.store.into()),
            as_of: Some(given.as_of.to_owned()),
            ..Setup::default()
        };
        let engine = Engine::new(setup, "2026-02-15T12:00:00Z".parse().expect("an instant"));
        let engine = engine.expect("an engine");
        let scans = Arc::new(AtomicUsize::new(0));
        let rows = events();
        let counted = Counted {
            rows: MemTable::try_new(rows.schema(), vec![vec![rows]]).expect("a table"),
            scans: Arc::clone(&scans),
        };
        let session = engine.session();
        session
            .register_table("events", Arc::new(counted))
            .expect("registers");
        let request = RunRequest {
            sharing: given.sharing,
            ..RunRequest::default()
        };
        let mut told = vec![];
        let report = engine
            .run(&request, &mut |node| told.push(node.name.clone()))
            .await
            .expect("runs");
        let scans = scans.load(Ordering::Relaxed);
        Came {
            report,
            told,
            scans,
        }
    })
}

/// The text, run on two threads into a store of its own.
pub(crate) fn given(text: &str, store: &Path) -> Given {
    Given {
        text: text.to_owned(),
        threads: 2,
        store: store.to_owned(),
        as_of: "2026-01-31",
        ..Given::default()
    }
}

/// Every file for everyone in a store, by segment.
pub(crate) fn members(store: &Path, as_of: &str) -> BTreeMap<String, Vec<u8>> {
    let segments = std::fs::read_dir(store).expect("a store").flatten();
    segments
        .filter(|entry| entry.file_name() != "_segql")
        .map(|entry| {
            let path = entry.path().join(format!("as_of={as_of}/members.parquet"));
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("members"))
        })
        .collect()
}

pub(crate) fn statuses(came: &Came) -> Vec<(String, NodeStatus)> {
    let nodes = came.report.record.nodes.iter();
    nodes.map(|it| (it.name.clone(), it.status)).collect()
}

pub(crate) fn all_succeed(came: &Came) {
    let bad = statuses(came);
    let bad: Vec<_> = bad
        .iter()
        .filter(|it| it.1 != NodeStatus::Success)
        .collect();
    assert!(bad.is_empty(), "{bad:?}: {:?}", came.report.errors);
}
