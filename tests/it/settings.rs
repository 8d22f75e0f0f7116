//! What `segql.toml`, flags and the environment say: projects upward, defaults,
//! targets, formats, variables.

use std::path::Path;

use crate::command::{Ran, run, segql};
use crate::small_project::{AS_OF, json, march, nodes, project, replace, rows_with, write};

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
    assert_eq!(rows_with(here.path(), query, &[]), expected);
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
    let ask = |query: &str, more: &[&str]| rows_with(here.path(), query, more);
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
