//! A store in a bucket is checked, pruned, renamed in and made to forget as one in a folder.

use super::client::{Client, MARCH};
use super::http::ask;
use super::server::server;
use crate::small_project::{nodes, spender, write};

#[test]
fn a_bucket_is_looked_after_as_a_folder_is() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "looked-after");
    let succeeded = |arguments: &[&str]| {
        let ran = client.run(&[arguments, &["--format", "csv"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.out
    };
    assert_eq!(client.materialise(MARCH, &[]).code, 0);
    spender(client.path(), "spent > 60");
    assert_eq!(client.materialise(MARCH, &["spender", "--restate"]).code, 0);
    let sound = "condition,segment,as_of,file,problem,mend\n";
    assert_eq!(succeeded(&["store", "check"]), sound);
    succeeded(&["store", "rename", "spender", "rich"]);
    assert_eq!(succeeded(&["store", "check"]), sound);
    let members = "SELECT segment, key FROM segql.members WHERE segment IN ('rich', 'spender')";
    assert_eq!(client.rows(members), "rich,12\n");
    let erased = succeeded(&["forget", "12"]);
    assert!(
        erased.contains("version,rich,2025-03-31,_segql/versions/rich/"),
        "{erased}"
    );
    assert!(
        erased.contains("snapshot,rich,2025-03-31,rich/as_of=2025-03-31/"),
        "{erased}"
    );
    assert_eq!(client.rows(members), "");
    assert_eq!(succeeded(&["store", "check"]), sound);
    assert_eq!(
        succeeded(&["forget", "12"]),
        "what,segment,as_of,file,rows\n"
    );
    let removed = succeeded(&["store", "prune", "--keep", "0"]);
    assert_eq!(
        removed
            .lines()
            .filter(|it| it.starts_with("version,rich,"))
            .count(),
        2
    );
    assert_eq!(succeeded(&["store", "check"]), sound);
    // Removed, as by whoever else writes to the bucket.
    let file = "rich/as_of=2025-03-31/members.parquet";
    ask(server.port, "DELETE", &format!("/looked-after/seg/{file}"));
    let ran = client.run(&["store", "check", "--format", "csv"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let lost = format!("damaged,rich,2025-03-31,{file},is missing; its version in _segql is whole");
    assert!(ran.out.contains(&lost), "{}", ran.out);
}

#[test]
fn a_frozen_view_is_kept_in_a_bucket() {
    let Some(server) = server() else { return };
    let client = Client::new(server, "frozen");
    let text = "CREATE FROZEN VIEW habits AS OF '2025-03-31' AS \
        SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id;\n\
        CREATE SEGMENT steady AS SELECT customer_id, orders FROM habits WHERE orders >= 2;\n";
    write(client.path(), "sql/frozen.sql", text);
    let first = client.materialise(MARCH, &["steady"]);
    assert_eq!(nodes(&first), ["steady: success 2"], "{}", first.err);
    assert!(first.err.contains("habits: frozen as of"), "{}", first.err);
    let kept = "SELECT status, rows, file FROM segql.frozen";
    let told = client.rows(kept);
    let begin = "frozen,3,s3://frozen/seg/_segql/frozen/habits/";
    assert!(told.starts_with(begin), "{told}");
    // The source says something else now, what is kept does not.
    let orders = "order_id,customer_id,ordered_at,amount\n1,10,2025-01-05 10:00:00,20.00\n";
    write(client.path(), "data/orders.csv", orders);
    assert_eq!(client.rows(kept), told);
    let members = "SELECT customer_id, orders FROM steady ORDER BY 1";
    assert_eq!(client.rows(members), "10,2\n12,3\n");
    let erased = client.run(&["forget", "12", "--format", "csv"]);
    assert_eq!(erased.code, 0, "{}", erased.err);
    let line = "\nfrozen view,,,_segql/frozen/habits/";
    assert!(erased.out.contains(line), "{}", erased.out);
    assert_eq!(client.rows(members), "10,2\n");
    let names = client.own("frozen");
    assert_eq!(names.len(), 2, "a record and its rows: {names:?}");
    let anew = client.materialise(MARCH, &["steady", "--refreeze", "habits", "--restate"]);
    assert_eq!(nodes(&anew), ["steady: success 0"], "{}", anew.err);
    let check = client.run(&["store", "check", "--format", "csv"]);
    assert_eq!(
        (check.code, check.out.lines().count()),
        (0, 1),
        "{}",
        check.out
    );
}
