//! Graphs of definitions drawn at random: order, results, circles and depth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use segql::catalog::{Catalog, Definition, Graph};
use segql::error::{Result, Script};
use segql::run::{Engine, Outcome, Setup};
use segql::statement;

use crate::command::run;
use crate::dice::Dice;

/// Names that quoting, folding and Unicode could trip over.
const NAMES: [&str; 16] = [
    "Alfa",
    "alfa",
    "it's",
    "say \"hi\"",
    "Zażółć gęślą jaźń",
    "клиенты",
    "Клиенты",
    "SELECT",
    "x;y",
    "two -- dashes",
    "日本",
    "İstanbul",
    "straße",
    "$dollar",
    "50% off",
    "a, b",
];

/// The name of what every graph stands on: one row, `k = 1, n = 0`.
const BASE: &str = "base";

/// More paths than this from a definition to the base would only cost time.
const MOST_PATHS: i64 = 12;

/// Who builds on whom; each value is the sum of the values below it plus 1, and 1 on the base.
struct Drawn {
    builds_on: BTreeMap<&'static str, BTreeSet<&'static str>>,
    values: BTreeMap<&'static str, i64>,
    segments: BTreeSet<&'static str>,
}

impl Drawn {
    fn acyclic(dice: &mut Dice) -> Self {
        let mut names = NAMES;
        dice.shuffle(&mut names);
        let count = 2 + dice.below(NAMES.len() - 1);
        let mut drawn = Drawn {
            builds_on: BTreeMap::new(),
            values: BTreeMap::new(),
            segments: BTreeSet::new(),
        };
        for (at, name) in names[..count].iter().copied().enumerate() {
            let (mut below, mut value) = (BTreeSet::new(), 1);
            for _ in 0..dice.below(4).min(at) {
                let parent = names[dice.below(at)];
                let more = drawn.values[parent];
                if value + more <= MOST_PATHS && below.insert(parent) {
                    value += more;
                }
            }
            drawn.builds_on.insert(name, below);
            drawn.values.insert(name, value);
            if dice.below(2) == 0 {
                drawn.segments.insert(name);
            }
        }
        drawn
    }

    fn below(&self, name: &str) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&'static str> = self.builds_on[name].iter().copied().collect();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(&self.builds_on[next]);
            }
        }
        found
    }

    /// The text of a definition: all it builds on joined by their key.
    fn text(&self, name: &str) -> String {
        let create = match self.segments.contains(name) {
            true => format!("CREATE SEGMENT {} WITH (key = 'k') AS", quoted(name)),
            false => format!("CREATE VIEW {} AS", quoted(name)),
        };
        let mut below: Vec<&str> = self.builds_on[name].iter().copied().collect();
        if below.is_empty() {
            below.push(BASE);
        }
        let sum: Vec<String> = (0..below.len()).map(|at| format!("p{at}.n")).collect();
        let joined = below.iter().enumerate().map(|(at, name)| match at {
            0 => format!("{} AS p0", quoted(name)),
            _ => format!("JOIN {} AS p{at} ON p{at}.k = p0.k", quoted(name)),
        });
        let joined: Vec<String> = joined.collect();
        let (sum, joined) = (sum.join(" + "), joined.join(" "));
        format!("{create} SELECT p0.k AS k, {sum} + 1 AS n FROM {joined};\n")
    }

    /// All definitions, in an order that has nothing to do with the graph's.
    fn catalog(&self, dice: &mut Dice) -> Catalog {
        let mut texts: Vec<String> = self.builds_on.keys().map(|name| self.text(name)).collect();
        texts.push(format!(
            "CREATE VIEW {BASE} AS SELECT column1 AS k, column2 AS n FROM (VALUES (1, 0)) AS t;\n"
        ));
        dice.shuffle(&mut texts);
        catalog(&texts.concat())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn catalog(text: &str) -> Catalog {
    let script = Arc::new(Script::new("graph.sql", text));
    let mut catalog = Catalog::default();
    for parsed in statement::parse(&script).expect("splits") {
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}: {text}"));
        let definition = Definition::new(&parsed, PathBuf::from("/"), true);
        let added = definition.and_then(|definition| catalog.add(definition));
        added.unwrap_or_else(|error| panic!("{error}: {text}"));
    }
    catalog
}

fn engine(catalog: &Catalog) -> Engine {
    let setup = Setup {
        catalog: catalog.clone(),
        as_of: Some("2026-01-31".to_owned()),
        ..Setup::default()
    };
    let now = "2026-02-15T12:00:00Z".parse().expect("an instant");
    Engine::new(setup, now).expect("an engine")
}

async fn rows(engine: &mut Engine, sql: &str) -> Result<Vec<RecordBatch>> {
    let script = Arc::new(Script::new("test", sql));
    let mut batches = vec![];
    for parsed in statement::parse(&script)? {
        if let Outcome::Rows(rows) = engine.execute(&parsed?).await? {
            batches = rows.try_collect().await?;
        }
    }
    Ok(batches)
}

/// A runtime with the stack that the command gives itself.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build()
        .expect("a runtime")
}

/// On a worker thread, which has that stack; the thread that blocks has its own.
pub(crate) fn on_a_worker<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = runtime();
    runtime
        .block_on(runtime.spawn(work))
        .expect("does not panic")
}

#[test]
fn every_definition_comes_behind_what_it_builds_on() {
    let mut dice = Dice(1);
    for round in 0..300 {
        let drawn = Drawn::acyclic(&mut dice);
        let catalog = drawn.catalog(&mut dice);
        let graph = Graph::new(&catalog);
        let order = graph.order(drawn.builds_on.keys().copied());
        let order = order.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let place: BTreeMap<&str, usize> = order.iter().copied().zip(0..).collect();
        assert_eq!(place.len(), order.len(), "round {round}: each once");
        assert_eq!(order.len(), drawn.builds_on.len() + 1, "round {round}: all");
        for (name, below) in &drawn.builds_on {
            let late = below.iter().find(|it| place[**it] > place[*name]);
            assert_eq!(late, None, "round {round}: before {name}");
            assert!(place[BASE] < place[*name], "round {round}: {name}");
            let mut found = graph.below(name);
            assert!(found.remove(BASE), "round {round}: {name}");
            assert_eq!(found, drawn.below(name), "round {round}: below {name}");
        }
        assert!(graph.faults(|_| false).is_empty(), "round {round}");
    }
}

#[test]
fn every_definition_gives_its_value() {
    let mut dice = Dice(2);
    let graphs = (0..20).map(|_| {
        let drawn = Drawn::acyclic(&mut dice);
        let catalog = drawn.catalog(&mut dice);
        (drawn, catalog)
    });
    let graphs: Vec<_> = graphs.collect();
    on_a_worker(async move {
        for (round, (drawn, catalog)) in graphs.iter().enumerate() {
            let mut engine = engine(catalog);
            for (name, value) in &drawn.values {
                let sql = format!("SELECT CAST(n AS BIGINT) AS n FROM {}", quoted(name));
                let batches = rows(&mut engine, &sql).await;
                let batches =
                    batches.unwrap_or_else(|error| panic!("round {round}, {name}: {error}"));
                let values = batches.iter().flat_map(|batch| {
                    batch
                        .column(0)
                        .as_primitive::<Int64Type>()
                        .values()
                        .to_vec()
                });
                let values: Vec<i64> = values.collect();
                assert_eq!(values, [*value], "round {round}: {name}");
            }
        }
    });
}

/// Draws a graph and turns one path back: whom it turns, whom that then builds on, the graph.
fn with_a_circle(dice: &mut Dice) -> (&'static str, &'static str, Drawn) {
    loop {
        let mut drawn = Drawn::acyclic(dice);
        let names: Vec<&'static str> = drawn.builds_on.keys().copied().collect();
        let to = names[dice.below(names.len())];
        let below: Vec<&'static str> = drawn.below(to).into_iter().collect();
        if below.is_empty() {
            continue;
        }
        let from = below[dice.below(below.len())];
        drawn.builds_on.get_mut(from).expect("drawn").insert(to);
        return (from, to, drawn);
    }
}

#[test]
fn a_circle_is_named_edge_by_edge() {
    let mut dice = Dice(3);
    for round in 0..300 {
        let (from, to, drawn) = with_a_circle(&mut dice);
        let catalog = drawn.catalog(&mut dice);
        let graph = Graph::new(&catalog);
        let error = graph.order(drawn.builds_on.keys().copied());
        let error = error.expect_err("a circle");
        let (_, path) = error
            .message()
            .rsplit_once("in a circle: ")
            .unwrap_or_else(|| panic!("round {round}: {error}"));
        let path: Vec<&str> = path.split(" → ").collect();
        assert_eq!(path.first(), path.last(), "round {round}: {path:?}");
        let members: BTreeSet<&str> = path.iter().copied().collect();
        assert_eq!(members.len(), path.len() - 1, "round {round}: {path:?}");
        let edges: Vec<(&str, &str)> = path.windows(2).map(|it| (it[0], it[1])).collect();
        for (above, below) in &edges {
            assert!(
                drawn.builds_on[*above].contains(*below),
                "round {round}: {above} → {below}"
            );
        }
        // Without the edge put in there is no circle, so it is in every one.
        assert!(edges.contains(&(from, to)), "round {round}: {path:?}");
        let place = error.place().is_some();
        assert!(place, "round {round}: the error says where");

        // Faults are told of members, and of nobody who has nothing to do with it.
        let faults = graph.faults(|_| false);
        assert!(!faults.is_empty(), "round {round}");
        for name in faults.keys() {
            let concerned = drawn.below(name).contains(to);
            assert!(concerned, "round {round}: {name} does not rest on {path:?}");
        }
    }
}

#[test]
fn what_does_not_rest_on_a_circle_works() {
    let mut dice = Dice(4);
    let graphs: Vec<_> = (0..12)
        .map(|_| {
            let (_, to, drawn) = with_a_circle(&mut dice);
            let catalog = drawn.catalog(&mut dice);
            (to, drawn, catalog)
        })
        .collect();
    on_a_worker(async move {
        for (round, (to, drawn, catalog)) in graphs.iter().enumerate() {
            let mut engine = engine(catalog);
            for name in drawn.builds_on.keys() {
                let rests_on_it = drawn.below(name).contains(to);
                let sql = format!("SELECT n FROM {}", quoted(name));
                match rows(&mut engine, &sql).await {
                    Ok(_) => assert!(!rests_on_it, "round {round}: {name}"),
                    Err(error) => {
                        assert!(rests_on_it, "round {round}: {name}: {error}");
                        let told = error.message().contains("in a circle: ");
                        assert!(told, "round {round}: {name}: {error}");
                    }
                }
            }
        }
    });
}

#[test]
fn a_diamond_is_no_circle() {
    let catalog = catalog(
        "CREATE VIEW top AS SELECT l.n + r.n AS n FROM lft AS l CROSS JOIN rgt AS r;
         CREATE VIEW rgt AS SELECT n + 2 AS n FROM bottom;
         CREATE VIEW lft AS SELECT n + 1 AS n FROM bottom;
         CREATE VIEW bottom AS SELECT 10 AS n;",
    );
    let order = Graph::new(&catalog).order(["top"]).expect("no circle");
    assert_eq!(order, ["bottom", "lft", "rgt", "top"]);
    let here = tempfile::tempdir().expect("a folder");
    let script =
        "CREATE VIEW bottom AS SELECT 10 AS n; CREATE VIEW lft AS SELECT n + 1 AS n FROM bottom;
         CREATE VIEW rgt AS SELECT n + 2 AS n FROM bottom;
         SELECT l.n + r.n AS n FROM lft AS l CROSS JOIN rgt AS r";
    let ran = run(here.path(), &["--format", "csv", "-c", script]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "n\n23\n"), "{}", ran.err);
}
