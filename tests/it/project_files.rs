//! What a project's files say: `segql.toml`, defaults, variables, targets,
//! `segql.lock`; and what selectors and a dry run make of it.

use std::path::Path;

use crate::command::{Ran, run, segql};
use crate::project::{json, nodes, project, write};

const AS_OF: [&str; 3] = ["run", "--as-of", "2025-03-31"];

/// `segql run` as of the end of March 2025, its record as JSON.
fn march(folder: &Path, more: &[&str]) -> Ran {
    run(folder, &[&AS_OF[..], &["--format", "json"], more].concat())
}

/// The names of the nodes of a run, in order.
fn names(ran: &Ran) -> Vec<String> {
    let short = |node: &String| node.split(": ").next().unwrap_or_default().to_owned();
    nodes(ran).iter().map(short).collect()
}

/// The rows of a query as CSV, without the header.
fn rows(folder: &Path, query: &str, more: &[&str]) -> String {
    let ran = run(
        folder,
        &[&["--format", "csv", "-c", query][..], more].concat(),
    );
    assert_eq!(ran.code, 0, "{query}: {}", ran.err);
    let (_, rows) = ran.out.split_once('\n').expect("a header");
    rows.to_owned()
}

fn replace(folder: &Path, name: &str, old: &str, new: &str) {
    let text = std::fs::read_to_string(folder.join(name)).expect("there");
    assert!(text.contains(old), "{old} in {text}");
    write(folder, name, &text.replace(old, new));
}

#[test]
fn the_nearest_project_upward_is_loaded() {
    let here = project();
    write(here.path(), "sql/deep/er/.keep", "");
    let ran = march(&here.path().join("sql/deep/er"), &["spender"]);
    assert_eq!(nodes(&ran), ["spender: success 2"], "{}", ran.err);
    let snapshot = "store/spender/as_of=2025-03-31/members.parquet";
    assert!(here.path().join(snapshot).is_file());
    // A project inside another is its own.
    write(here.path(), "inner/segql.toml", "name = \"inner\"\n");
    write(
        here.path(),
        "inner/sql/a.sql",
        "CREATE SOURCE orders FROM '../data/orders.csv';\n\
         CREATE SEGMENT everyone WITH (key = 'customer_id') AS SELECT DISTINCT customer_id FROM orders;\n",
    );
    let inner = march(&here.path().join("inner"), &[]);
    assert_eq!(nodes(&inner), ["everyone: success 3"], "{}", inner.err);
    assert!(here.path().join("inner/store/everyone").is_dir());
    // From elsewhere it is named; a folder that is none is told so.
    let above = here.path().parent().expect("a folder");
    let name = here.path().file_name().expect("a name").to_string_lossy();
    let named = march(above, &["--project", &name, "spender"]);
    assert_eq!(nodes(&named), ["spender: unchanged 2"], "{}", named.err);
    let none = march(here.path(), &["--project", "sql"]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(
        none.err.contains("sql/segql.toml") && none.err.contains("segql init DIR makes one"),
        "{}",
        none.err
    );
}

#[test]
fn mistakes_in_segql_toml_are_told() {
    for (text, place, expected) in [
        ("nmae = \"x\"\n", "segql.toml:1:1", "did you mean 'name'?"),
        (
            "[vars]\nmany = 2\n\n[target.dev]\nstroe = \"store\"\n",
            "segql.toml:5:1",
            "no key 'stroe'",
        ),
        (
            "[var]\nmany = 2\n",
            "segql.toml:1:2",
            "did you mean 'vars'?",
        ),
        (
            "[default.\"sql/**\"]\nowner = \"crm\"\n",
            "segql.toml:1:2",
            "did you mean 'defaults'?",
        ),
        ("name = small\n", "segql.toml:1:8", "must be quoted"),
        (
            "[defaults.\"sql/**\"]\nownr = \"crm\"\n",
            "segql.toml",
            "did you mean 'owner'?",
        ),
        (
            "time_zone = \"Europe/Warsav\"\n",
            "",
            "did you mean 'Europe/Warsaw'?",
        ),
        ("memory_limit = \"2 GX\"\n", "", "such as 512MB or 2GB"),
        ("format = \"cvs\"\n", "", "did you mean 'csv'?"),
        ("library = [\"rfn\"]\n", "", "did you mean 'rfm'?"),
        ("[vars]\nx = [1, \"a\"]\n", "segql.toml", "variable 'x'"),
    ] {
        let here = project();
        write(here.path(), "segql.toml", text);
        let ran = run(here.path(), &AS_OF);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}{}", ran.err);
        for part in [place, expected] {
            assert!(ran.err.contains(part), "{part} in {}", ran.err);
        }
        assert!(!here.path().join("store").exists(), "{text}");
    }
}

#[test]
fn defaults_are_for_the_files_of_their_glob() {
    let here = project();
    write(
        here.path(),
        "sql/crm/mail/segments.sql",
        "CREATE SEGMENT once AS SELECT customer_id FROM totals WHERE orders = 1;\n\
         CREATE SEGMENT twice WITH (owner = 'anna') AS SELECT customer_id FROM totals WHERE orders = 2;\n",
    );
    // Of sources, views and entities, which also stand in sql/, nobody asks for min_size.
    write(
        here.path(),
        "segql.toml",
        "[vars]\nmany = 2\n\
         [defaults.\"sql/**\"]\nowner = \"shop\"\nmin_size = 1\n\
         [defaults.\"sql/crm/**\"]\nowner = \"crm\"\ntags = [\"winback\", \"mail\"]\n",
    );
    let query = "SELECT name, owner, tags FROM segql.segments ORDER BY name";
    let expected = "both_of_them,shop,\nonce,crm,\"winback, mail\"\nregular,shop,\nsize,shop,\n\
                    spender,shop,\ntwice,anna,\"winback, mail\"\n";
    assert_eq!(rows(here.path(), query, &[]), expected);
    // Customer 11 bought once, 10 twice.
    let ran = march(here.path(), &["tag:mail"]);
    assert_eq!(
        nodes(&ran),
        ["once: success 1", "twice: success 1"],
        "{}",
        ran.err
    );
    // A guard rail given this way is one.
    replace(here.path(), "segql.toml", "owner = \"crm\"", "min_size = 2");
    let ran = march(here.path(), &["once", "--store", "other"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("once has 1 members, fewer than min_size = 2 allows"),
        "{}",
        ran.err
    );
}

#[test]
fn targets_choose_the_store() {
    let here = project();
    write(
        here.path(),
        "segql.toml",
        "[vars]\nmany = 2\n[target.dev]\nstore = \"store\"\n[target.prod]\nstore = \"kept/prod\"\n",
    );
    let store = |environment: &[(&str, &str)], more: &[&str]| -> String {
        let mut command = segql(here.path());
        command.envs(environment.iter().copied()).args(AS_OF);
        let ran: Ran = command
            .args(["--format", "json", "--dry-run", "spender"])
            .args(more)
            .output()
            .expect("starts")
            .into();
        assert_eq!(ran.code, 0, "{}", ran.err);
        let record = json(&ran);
        let path = record["nodes"][0]["writes"].as_str().expect("a path");
        let root = path.strip_suffix("/spender/as_of=2025-03-31/members.parquet");
        let inside = here.path().canonicalize().expect("a folder");
        let root = Path::new(root.expect("the file of the snapshot"));
        let shown = root.strip_prefix(inside).unwrap_or(root);
        shown.display().to_string()
    };
    assert_eq!(store(&[], &[]), "store");
    assert_eq!(store(&[], &["--target", "prod"]), "kept/prod");
    let prod = [("SEGQL_TARGET", "prod")];
    assert_eq!(store(&prod, &[]), "kept/prod");
    assert_eq!(store(&prod, &["--target", "dev"]), "store");
    assert_eq!(store(&prod, &["--store", "elsewhere"]), "elsewhere");
    let ran = march(here.path(), &["--target", "prd"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean 'prod'?"), "{}", ran.err);
}

#[test]
fn formats_come_from_flag_environment_and_file() {
    let here = project();
    write(
        here.path(),
        "segql.toml",
        "format = \"csv\"\n[vars]\nmany = 2\n",
    );
    let ask = |environment: &[(&str, &str)], more: &[&str]| {
        let mut command = segql(here.path());
        command.envs(environment.iter().copied());
        let ran: Ran = command
            .args(["-c", "SELECT 1 AS a, 'x' AS b"])
            .args(more)
            .output()
            .expect("starts")
            .into();
        ran.out
    };
    assert_eq!(ask(&[], &[]), "a,b\n1,x\n");
    let environment = [("SEGQL_FORMAT", "jsonl")];
    assert_eq!(ask(&environment, &[]), "{\"a\":1,\"b\":\"x\"}\n");
    assert_eq!(ask(&environment, &["--format", "tsv"]), "a\tb\n1\tx\n");
}

/// A project whose variables are of every type.
fn with_variables() -> tempfile::TempDir {
    let here = project();
    write(
        here.path(),
        "segql.toml",
        "[vars]\nmany = 2\nrate = 2.5\nloss = -3\nopen = true\ncountry = \"O'Fallon; --\"\n\
         since = 2025-02-01\ncodes = [\"PL\", \"00-950\"]\nids = [10, 12]\nnobody = []\n\
         days = [2025-01-05, 2025-02-05]\n",
    );
    here
}

#[test]
fn variables_are_values_of_their_type() {
    let here = with_variables();
    let ask = |query: &str, more: &[&str]| rows(here.path(), query, more);
    let all = "SELECT $many + 1, $rate * 2, $loss, NOT $open, $country, $since + INTERVAL '1 day'";
    assert_eq!(ask(all, &[]), "3,5.0,-3,false,O'Fallon; --,2025-02-02\n");
    let lists = "SELECT 'PL' IN ($codes), '00-950' NOT IN ($codes), 1 IN ($nobody), 1 NOT IN ($nobody), \
                 DATE '2025-02-05' IN ($days), 'BG' = ANY($codes)";
    assert_eq!(ask(lists, &[]), "true,false,false,true,true,false\n");
    let picked = "SELECT order_id FROM orders WHERE customer_id IN ($ids) ORDER BY order_id";
    assert_eq!(ask(picked, &[]), "1\n2\n4\n5\n6\n");
    // Names in any case, and a text that is none of a variable.
    assert_eq!(ask("SELECT $MANY, '$many'", &[]), "2,$many\n");
    // What is given on the command line keeps the declared type.
    let given = [
        "--var",
        "country=00950",
        "--var",
        "ids=11",
        "--var",
        "since=2025-03-01",
    ];
    assert_eq!(
        ask("SELECT $country || '!', $since", &given),
        "00950!,2025-03-01\n"
    );
    assert_eq!(ask(picked, &given), "3\n");
    assert_eq!(ask(picked, &["--var", "ids=[11, 10]"]), "1\n2\n3\n");
}

#[test]
fn variables_that_do_not_fit_are_refused() {
    let here = with_variables();
    for (given, expected) in [
        ("many=few", "declared as a number, and 'few' is none"),
        ("ids=10,x", "declared as a number, and 'x' is none"),
        ("open=yes", "declared as true or false, and 'yes' is none"),
        ("since=soon", "and 'soon' is none"),
        ("mnay=2", "did you mean 'many'?"),
        ("many", "'many' is not NAME=VALUE"),
    ] {
        let ran = march(here.path(), &["--var", given]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{given}");
        assert!(ran.err.contains(expected), "{expected} in {}", ran.err);
    }
    // One that nobody declared stops those who use it, with its place.
    write(here.path(), "segql.toml", "[vars]\nmnay = 2\n");
    let ran = march(here.path(), &["regular", "spender"]);
    assert_eq!(nodes(&ran), ["regular: error -", "spender: success 2"]);
    assert!(
        ran.err.contains("'$many' has no value")
            && ran.err.contains("sql/a_segments.sql:2:")
            && ran.err.contains("did you mean 'mnay'?"),
        "{}",
        ran.err
    );
}

#[test]
fn a_variable_matters_to_those_who_use_it() {
    let here = project();
    march(here.path(), &[]);
    // Orders per customer: 10 two, 11 one, 12 three.
    let ran = march(here.path(), &["--var", "many=3", "--restate"]);
    assert_eq!(
        nodes(&ran),
        [
            "regular: success 1",
            "spender: unchanged 2",
            "both_of_them: success 1",
            "size: unchanged 3"
        ],
        "{}",
        ran.err
    );
}

/// The lines of segql.lock about columns.
fn pinned(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("segql.lock")).expect("a lock");
    let lines = text.lines().map(str::trim);
    let columns = lines.filter(|line| line.starts_with("[\""));
    columns.map(str::to_owned).collect()
}

/// A project with a source of codes that are numbers so far.
fn with_codes() -> tempfile::TempDir {
    let here = project();
    write(
        here.path(),
        "data/codes.csv",
        "customer_id,code\n10,7\n11,8\n",
    );
    write(
        here.path(),
        "sql/codes.sql",
        "CREATE SOURCE codes FROM 'data/codes.csv' WITH (key = 'customer_id');\n\
         CREATE SEGMENT coded AS SELECT customer_id, code FROM codes;\n",
    );
    here
}

#[test]
fn the_first_run_pins_the_types_of_columns() {
    let here = with_codes();
    // Looking does not pin.
    run(here.path(), &["check", "--as-of", "2025-03-31"]);
    march(here.path(), &["--dry-run"]);
    rows(here.path(), "SELECT count(*) FROM orders", &[]);
    assert!(!here.path().join("segql.lock").exists());
    // By source and in the order of the files; orders is where the entity comes from.
    march(here.path(), &["coded"]);
    let all = pinned(here.path());
    assert_eq!(
        all[..5],
        [
            "[\"customer_id\", \"BIGINT\"],",
            "[\"code\", \"BIGINT\"],",
            "[\"order_id\", \"BIGINT\"],",
            "[\"customer_id\", \"BIGINT\"],",
            "[\"ordered_at\", \"TIMESTAMP\"],"
        ]
    );
    assert!(all[5].starts_with("[\"amount\", \"DECIMAL("), "{all:?}");
    assert_eq!(all.len(), 6);
    // A run that finds nothing new leaves the file as it is.
    let lock = here.path().join("segql.lock");
    let before = std::fs::read_to_string(&lock).expect("there");
    march(here.path(), &[]);
    assert_eq!(std::fs::read_to_string(&lock).expect("there"), before);
    // A source that is gone falls out.
    std::fs::remove_file(here.path().join("sql/codes.sql")).expect("there");
    march(here.path(), &[]);
    assert_eq!(pinned(here.path()), all[2..]);
}

#[test]
fn a_number_does_not_become_a_text_overnight() {
    let here = with_codes();
    march(here.path(), &[]);
    let members = here
        .path()
        .join("store/coded/as_of=2025-03-31/members.parquet");
    let before = std::fs::read(&members).expect("a snapshot");
    let drifted = "customer_id,code\n10,7\n11,8\n12,A9\n";
    write(here.path(), "data/codes.csv", drifted);
    let ran = march(here.path(), &[]);
    assert_eq!(ran.code, 1);
    assert!(nodes(&ran).contains(&"coded: error -".to_owned()));
    assert!(nodes(&ran).contains(&"regular: unchanged 2".to_owned()));
    assert!(
        ran.err.contains("coded: ") && ran.err.contains("'A9'"),
        "{}",
        ran.err
    );
    assert_eq!(std::fs::read(&members).expect("a snapshot"), before);
    assert_eq!(pinned(here.path())[1], "[\"code\", \"BIGINT\"],");
    // The same in a column of money, for all who read it.
    replace(here.path(), "data/orders.csv", "7.50", "siedem");
    let ran = march(here.path(), &["spender", "regular"]);
    assert_eq!(nodes(&ran), ["regular: unchanged 2", "spender: error -"]);
    assert!(ran.err.contains("'amount': 'siedem'"), "{}", ran.err);
    // Whoever means it says so: in the definition, or by removing the pin.
    replace(here.path(), "data/orders.csv", "siedem", "7.50");
    std::fs::remove_file(here.path().join("segql.lock")).expect("there");
    let ran = march(here.path(), &["coded", "--restate"]);
    assert_eq!(nodes(&ran), ["coded: success 3"], "{}", ran.err);
    assert_eq!(pinned(here.path())[1], "[\"code\", \"VARCHAR\"],");
}

#[test]
fn a_changed_definition_is_looked_into_anew() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    replace(
        here.path(),
        "sql/codes.sql",
        "key = 'customer_id'",
        "key = 'customer_id', columns = 'code VARCHAR'",
    );
    let ran = march(here.path(), &["coded", "--restate"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // What the definition says needs no pin.
    let lock = std::fs::read_to_string(here.path().join("segql.lock")).expect("a lock");
    assert!(!lock.contains("\"code\""), "{lock}");
}

#[test]
fn columns_that_come_and_go() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    // One more: added to the lock, nothing else changes.
    write(
        here.path(),
        "data/codes.csv",
        "customer_id,note,code\n10,a,7\n11,b,8\n",
    );
    let ran = march(here.path(), &["coded"]);
    assert_eq!(nodes(&ran), ["coded: unchanged 2"], "{}", ran.err);
    assert!(pinned(here.path()).contains(&"[\"note\", \"VARCHAR\"],".to_owned()));
    // One less is named, with what is there.
    write(
        here.path(),
        "data/codes.csv",
        "customer_id,note\n10,a\n11,b\n",
    );
    let ran = march(here.path(), &["coded"]);
    assert_eq!(nodes(&ran), ["coded: error -"]);
    assert!(
        ran.err.contains("source codes: column 'code'")
            && ran.err.contains("segql.lock")
            && ran.err.contains("their columns are customer_id, note"),
        "{}",
        ran.err
    );
}

#[test]
fn a_damaged_lock_is_an_error_not_a_guess() {
    let here = with_codes();
    march(here.path(), &["coded"]);
    let lock = std::fs::read_to_string(here.path().join("segql.lock")).expect("there");
    let conflict = format!("<<<<<<< ours\n{lock}=======\n{lock}>>>>>>> theirs\n");
    let longer = format!("{lock}x = 1\n");
    for text in [
        conflict.as_str(),
        "",
        "version = \"one\"\n",
        longer.as_str(),
    ] {
        write(here.path(), "segql.lock", text);
        for command in [&AS_OF[..], &["check"]] {
            let ran = run(here.path(), command);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}");
            assert!(
                ran.err.contains("segql.lock") && ran.err.contains("remove it"),
                "{}",
                ran.err
            );
        }
    }
    std::fs::remove_file(here.path().join("segql.lock")).expect("there");
    let ran = march(here.path(), &["coded"]);
    assert_eq!(nodes(&ran), ["coded: unchanged 2"], "{}", ran.err);
    let anew = std::fs::read_to_string(here.path().join("segql.lock")).expect("written anew");
    assert_eq!(anew, lock);
}

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
    for (selectors, expected) in [
        (&["spendr"][..], "did you mean 'spender'?"),
        (&["spender", "nobody"], "selector 'nobody' matches nothing"),
        (&["tag:winback"], "selector 'tag:winback' matches nothing"),
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
