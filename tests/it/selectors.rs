//! What selectors and a dry run make of a project.

use crate::small_project::{json, march, names, nodes, project, replace, write};

#[test]
fn selectors_choose_by_name_label_tag_kind_and_graph() {
    let here = project();
    write(
        here.path(),
        "sql/more.sql",
        "CREATE SEGMENT \"Duże zamówienia\" WITH (tags = 'winback, mail') AS SELECT customer_id FROM \"size:large\";\n\
         CREATE SEGMENT \"Спящи\" WITH (tags = ARRAY['winback']) AS SELECT customer_id FROM \"Duże zamówienia\";\n",
    );
    let chosen = |selectors: &[&str]| {
        let ran = march(here.path(), &[&["--dry-run"][..], selectors].concat());
        assert_eq!(ran.code, 0, "{selectors:?}: {}", ran.err);
        let mut chosen = names(&ran);
        chosen.sort();
        chosen
    };
    let all = [
        "Duże zamówienia",
        "both_of_them",
        "regular",
        "size",
        "spender",
        "Спящи",
    ];
    let above_size = ["Duże zamówienia", "size", "Спящи"];
    assert_eq!(chosen(&[]), all);
    assert_eq!(chosen(&["*"]), all);
    assert_eq!(chosen(&["orders+"]), all);
    assert_eq!(chosen(&["SPENDER", "regular"]), ["regular", "spender"]);
    assert_eq!(chosen(&["size:large"]), ["size"]);
    assert_eq!(chosen(&["size+"]), above_size);
    assert_eq!(chosen(&["+Спящи"]), above_size);
    assert_eq!(chosen(&["Duże zamówienia"]), ["Duże zamówienia"]);
    assert_eq!(chosen(&["tag:winback"]), ["Duże zamówienia", "Спящи"]);
    assert_eq!(chosen(&["tag:mail"]), ["Duże zamówienia"]);
    assert_eq!(chosen(&["+tag:mail"]), ["Duże zamówienia", "size"]);
    assert_eq!(chosen(&["tag:mail+"]), ["Duże zamówienia", "Спящи"]);
    assert_eq!(chosen(&["kind:segmentation"]), ["size"]);
    assert_eq!(
        chosen(&["--exclude", "size+"]),
        ["both_of_them", "regular", "spender"]
    );
    assert_eq!(
        chosen(&[
            "kind:segment",
            "--exclude",
            "tag:winback",
            "--exclude",
            "regular"
        ]),
        ["both_of_them", "spender"]
    );
}

#[test]
fn a_selector_that_matches_nothing_is_an_error() {
    let here = project();
    let tagged = "CREATE SEGMENT tagged WITH (tags = 'weekly') AS SELECT customer_id FROM totals;";
    write(here.path(), "sql/tagged.sql", tagged);
    for (selectors, expected) in [
        (&["spendr"][..], "did you mean 'spender'?"),
        (&["spender:nope"], "selector 'spender:nope' matches nothing"),
        (&["spender", "nobody"], "selector 'nobody' matches nothing"),
        (&["tag:winback"], "selector 'tag:winback' matches nothing"),
        (&["tag:wekly"], "did you mean 'tag:weekly'"),
        (&["kind:view"], "selector 'kind:view' matches nothing"),
        (
            &["spender", "--exclude", "nobody"],
            "'nobody' matches nothing",
        ),
        (&["spender", "--exclude", "spender"], "is excluded as well"),
    ] {
        let ran = march(here.path(), selectors);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{selectors:?}");
        assert!(ran.err.contains(expected), "{expected} in {}", ran.err);
        assert!(!here.path().join("store").exists(), "nothing is written");
    }
    let ran = march(here.path(), &["tag:winback", "--allow-empty"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn changed_are_those_whose_texts_or_files_did() {
    let here = project();
    let changed = || march(here.path(), &["changed", "--dry-run"]);
    // Without a snapshot everything is new.
    assert_eq!(names(&changed()).len(), 4);
    march(here.path(), &[]);
    let none = changed();
    assert_eq!(none.code, 2);
    assert!(none.err.contains("nothing changed"), "{}", none.err);
    let empty = march(here.path(), &["changed", "--allow-empty"]);
    assert_eq!(empty.code, 0);
    // A text: what builds on it changed as well.
    replace(
        here.path(),
        "sql/a_segments.sql",
        "spent > 40;",
        "spent > 60;",
    );
    assert_eq!(names(&changed()), ["spender", "both_of_them"]);
    march(here.path(), &["changed", "--restate"]);
    assert_eq!(changed().code, 2);
    // A file: whatever reads it, though the new order comes after the as-of.
    let orders = std::fs::read_to_string(here.path().join("data/orders.csv")).expect("there");
    let longer = format!("{orders}7,10,2025-04-02 08:00:00,1.00\n");
    write(here.path(), "data/orders.csv", &longer);
    assert_eq!(names(&changed()).len(), 4);
    let ran = march(here.path(), &["changed"]);
    assert!(
        nodes(&ran).iter().all(|node| node.contains(": unchanged ")),
        "{:?}",
        nodes(&ran)
    );
}

/// The end of a day is another instant where days are reckoned in another zone.
#[test]
fn another_time_zone_changes_everything() {
    let here = project();
    march(here.path(), &[]);
    let text = std::fs::read_to_string(here.path().join("segql.toml")).expect("there");
    let zoned = format!("time_zone = \"Europe/Warsaw\"\n{text}");
    write(here.path(), "segql.toml", &zoned);
    let changed = march(here.path(), &["changed", "--dry-run"]);
    assert_eq!(names(&changed).len(), 4, "{}", changed.err);
}

#[test]
fn failed_are_those_of_the_last_run() {
    let here = project();
    write(
        here.path(),
        "sql/broken.sql",
        "CREATE SEGMENT doubled AS SELECT customer_id FROM orders;\n\
         CREATE SEGMENT above AS SELECT customer_id FROM doubled;\n",
    );
    let ran = march(here.path(), &[]);
    assert_eq!(ran.code, 1);
    let again = march(here.path(), &["failed"]);
    assert_eq!(nodes(&again), ["doubled: error -", "above: skipped -"]);
    replace(
        here.path(),
        "sql/broken.sql",
        "SELECT customer_id FROM orders",
        "SELECT DISTINCT customer_id FROM orders",
    );
    let mended = march(here.path(), &["failed"]);
    assert_eq!(
        nodes(&mended),
        ["doubled: success 3", "above: success 3"],
        "{}",
        mended.err
    );
    let none = march(here.path(), &["failed"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("nothing failed"), "{}", none.err);
}

#[test]
fn a_dry_run_says_what_it_would_read_and_write() {
    let here = project();
    let ran = march(here.path(), &["--dry-run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let record = json(&ran);
    let node = &record["nodes"][1];
    assert_eq!(node["name"], "spender");
    assert_eq!(node["status"], "planned");
    let reads = node["reads"][0].as_str().expect("a source");
    assert!(reads.starts_with("orders (1 file"), "{reads}");
    let writes = node["writes"].as_str().expect("a file");
    assert!(
        writes.ends_with("/store/spender/as_of=2025-03-31/members.parquet"),
        "{writes}"
    );
    let mut left: Vec<_> = std::fs::read_dir(here.path())
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["data", "segql.toml", "sql"], "nothing is written");
    // After a run there is nothing to do; a mistake is found without one.
    march(here.path(), &[]);
    let ran = march(here.path(), &["spender", "--dry-run"]);
    assert_eq!(nodes(&ran), ["spender: unchanged 2"]);
    replace(
        here.path(),
        "sql/a_segments.sql",
        "spent > 40;",
        "spnt > 40;",
    );
    let ran = march(here.path(), &["spender", "--dry-run"]);
    assert_eq!(
        (ran.code, nodes(&ran)),
        (1, vec!["spender: error -".to_owned()])
    );
    assert!(ran.err.contains("did you mean 'spent'?"), "{}", ran.err);
}
