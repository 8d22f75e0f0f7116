//! A definition that is edited after its rows were kept.

use super::*;

#[test]
fn an_edited_definition_refuses_the_old_rows() {
    let here = project();
    let folder = here.path();
    as_of(folder, "2025-12-31", &[]);
    replace(
        folder,
        "sql/all.sql",
        "spent, 2) AS cuts",
        "spent, 3) AS cuts",
    );
    let refused = as_of(folder, "2026-01-31", &[]);
    assert_eq!(refused.code, 1);
    assert_eq!(nodes(&refused), ["score: skipped -"], "{}", refused.err);
    for expected in [
        "frozen view 'cuts': its definition differs from what was frozen",
        "--> sql/all.sql:6:20",
        "segql run --refreeze cuts computes it anew",
    ] {
        assert!(
            refused.err.contains(expected),
            "{expected}: {}",
            refused.err
        );
    }
    let query = run(folder, &["-c", "SELECT * FROM cuts"]);
    assert_eq!(query.code, 1);
    assert!(query.err.contains("--refreeze cuts"), "{}", query.err);
    let check = run(folder, &["check", "--format", "csv"]);
    assert_eq!(check.code, 1, "{}", check.err);
    assert!(check.out.contains("cuts,frozen,failed,\n"), "{}", check.out);
    assert_eq!(status(folder), "cuts,2024-12-31,edited,3\n");
    // What it is made of is another matter: that is said, and its rows stay.
    replace(
        folder,
        "sql/all.sql",
        "spent, 3) AS cuts",
        "spent, 2) AS cuts",
    );
    replace(
        folder,
        "sql/all.sql",
        "count(*) AS orders",
        "1 + count(*) AS orders",
    );
    assert_eq!(cuts(folder), CUTS);
    let check = run(folder, &["check", "--format", "csv"]);
    assert_eq!(check.code, 0, "{}", check.err);
    assert!(
        check
            .err
            .contains("cuts: rests on what was edited since it was frozen (features)"),
        "{}",
        check.err
    );
    let anew = as_of(folder, "2026-01-31", &["--refreeze", "cuts"]);
    assert_eq!(anew.code, 0, "{}", anew.err);
    assert_eq!(
        cuts(folder),
        "BG,6.0,2.5,20.0\nGB,20.0,2.0,1000.0\nPL,20.0,3.0,150.0\n"
    );
}

#[test]
fn a_variable_with_another_value_is_an_edit() {
    let here = project();
    let folder = here.path();
    replace(
        folder,
        "sql/all.sql",
        "spent, 2) AS cuts",
        "spent, $bins) AS cuts",
    );
    as_of(folder, "2025-12-31", &[]);
    assert_eq!(cuts(folder), CUTS);
    let refused = as_of(folder, "2026-01-31", &["--var", "bins=3"]);
    assert!(
        refused
            .err
            .contains("frozen view 'cuts': $bins is 3, and was 2 when it was frozen"),
        "{}",
        refused.err
    );
}

/// What an edited frozen view would do is seen before it is frozen anew.
#[test]
fn an_edited_frozen_view_can_be_compared() {
    let here = project();
    let folder = here.path();
    as_of(folder, "2025-12-31", &[]);
    write(folder, "data/orders.csv", &format!("{ORDERS}{LATE}"));
    let diff = |text: &str| {
        write(folder, "trial.sql", text);
        let compared = [
            "diff",
            "score",
            "--as-of",
            "2025-12-31",
            "--against",
            "trial.sql",
        ];
        let ran = run(folder, &[&compared[..], &["--format", "csv"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let moved = ran.out.lines().filter(|it| it.starts_with("moved"));
        moved.map(str::to_owned).collect::<Vec<_>>()
    };
    let view = DEFINITIONS.split("CREATE FROZEN").nth(1).expect("the view");
    let view = view.split(';').next().expect("its end");
    // The same text, the same rows.
    assert!(diff(&format!("CREATE FROZEN{view}")).is_empty());
    // A day later 3 has ordered once more: as it would be frozen with the late order.
    let later = view.replace("'2024-12-31'", "'2025-01-01'");
    let moved = diff(&format!("CREATE FROZEN{later}"));
    assert_eq!(moved, ["moved,122,111,,1,4", "moved,122,112,,1,3"]);
    assert_eq!(cuts(folder), CUTS);
}
