//! A store in a bucket is checked, pruned, renamed in and made to forget as one in a folder.

use super::client::{Client, MARCH};
use super::http::ask;
use super::server::server;
use crate::small_project::spender;

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
