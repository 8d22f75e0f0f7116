//! `segql functions` and SHOW LIBRARIES: whoever knows a segment from a guide finds it.

use std::path::Path;

use segql::catalog::{Found, look_up, reference};

use crate::command::run;

/// What guides for shop owners and marketers call segments, and where each is.
const GUIDES: [(&str, &str); 52] = [
    ("new customers", "lifecycle.stages:new"),
    ("regular customers", "lifecycle.stages:regular"),
    ("abandoned carts", "carts.abandoned"),
    ("interested in a category", "affinity.interests"),
    ("inactive customers", "lifecycle.stages:inactive"),
    ("inactive", "lifecycle.stages:inactive"),
    ("abandoned", "carts.abandoned"),
    ("winback", "lifecycle.stages:inactive"),
    ("won back", "lifecycle.stages:won_back"),
    ("lapsing", "lifecycle.stages:lapsing"),
    ("one-time", "lifecycle.stages:one_time"),
    ("prospects", "lifecycle.prospects"),
    ("persona", "personas.main"),
    ("business or private", "b2b.kinds"),
    ("industry", "b2b.industries"),
    ("lead source", "leads.sources"),
    ("referral", "leads.sources"),
    ("ads", "leads.sources"),
    ("organic", "leads.sources"),
    ("social", "leads.sources"),
    ("lead status", "leads.statuses"),
    ("new lead", "leads.statuses:new"),
    ("in talks", "leads.statuses:in_talks"),
    ("draft contract", "leads.statuses:draft_contract"),
    ("lead won", "leads.statuses:won"),
    ("lead lost", "leads.statuses:lost"),
    ("how often", "rfm.segments"),
    ("how much", "value"),
    ("dog owner", "affinity.dog_owners"),
    ("dog", "affinity.dog_owners"),
    ("age", "demographic.ages"),
    ("gender", "demographic.genders"),
    ("families", "demographic.families"),
    ("country", "geographic.countries"),
    ("city", "geographic.cities"),
    ("language", "geographic.languages"),
    ("lifestyle", "psychographic.lifestyles"),
    ("motive", "motives.main"),
    ("newsletter", "engagement.email"),
    ("site visits", "engagement.visits"),
    ("e-mail", "engagement.email"),
    ("sms", "engagement.sms"),
    ("webinar", "intent.signals"),
    ("trial", "intent.signals"),
    ("newsletter sign-ups", "intent.signals"),
    ("cross-sell", "affinity.cross_sell"),
    ("up-sell", "value.up_sell"),
    ("discount hunters", "value.discount_hunters"),
    ("champions", "rfm.segments"),
    ("duplicates", "contactability.duplicates"),
    ("valid address", "contactability.email"),
    ("reachable", "contactability.channels"),
];

/// Rows of a listing as CSV.
fn listed(arguments: &[&str]) -> Vec<String> {
    let ran = run(Path::new("."), &[arguments, &["--format", "csv"]].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.out.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn segments_of_the_guides_are_found_in_their_words() {
    let all = reference().expect("manifests parse");
    let mut missed = vec![];
    for (words, name) in GUIDES {
        let found = match look_up(&all, words) {
            Ok(Found::Named(entries) | Found::Several(entries)) => entries,
            Err(error) => panic!("{words}: {error}"),
        };
        let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
        // Among the first ten, not last of a long list.
        if !names.iter().take(10).any(|it| *it == name) {
            missed.push(format!("{words}: {name} in {names:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn kinds_of_criteria_are_libraries() {
    let shown = listed(&["-c", "SHOW LIBRARIES"]);
    for kind in [
        "demographic",
        "geographic",
        "psychographic",
        "engagement",
        "intent",
        "loyalty",
        "personas",
        "leads",
    ] {
        let row = shown
            .iter()
            .find(|row| row.starts_with(&format!("{kind},")));
        let row = row.unwrap_or_else(|| panic!("{kind} in {shown:?}"));
        assert!(row.contains(&format!("{kind}.")), "its segments: {row}");
        let page = run(Path::new("."), &["functions", kind]);
        assert!(
            page.out.starts_with(&format!("{kind}: library\n")),
            "{}",
            page.out
        );
    }
}

#[test]
fn a_name_is_told_of_in_full_and_words_may_stand_apart() {
    let page = run(Path::new("."), &["functions", "lifecycle.stages"]);
    assert_eq!(page.code, 0, "{}", page.err);
    for part in [
        "lifecycle.stages: segmentation\n\n  SELECT * FROM lifecycle.stages\n",
        "\n  action: inactive: one good win-back offer, then rest\n",
        "\n  $lifecycle_inactive_days = 180: inactive after more than so many days",
        "CREATE SEGMENTATION lifecycle.stages WITH (",
    ] {
        assert!(page.out.contains(part), "{part} in {}", page.out);
    }
    let statement = run(Path::new("."), &["functions", "create", "segment"]);
    assert!(
        statement.out.starts_with("CREATE SEGMENT: statement\n"),
        "{}",
        statement.out
    );
    let one = listed(&["functions", "abandoned", "carts"]);
    assert_eq!(one, listed(&["functions", "Abandoned Carts"]));
    assert!(one[0].starts_with("carts.abandoned,segment,"), "{one:?}");
}

#[test]
fn everything_is_listed_once_and_as_a_relation() {
    let all = listed(&["functions"]);
    for start in [
        "days_since,function,",
        "rfm_score,window function,",
        "members,table function,",
        "segql.members,relation,",
        "CREATE SEGMENT,statement,",
        "rfm,library,",
        "features.customers,view,",
        "base.orders,contract,",
        "carts.stages:open,label,",
    ] {
        assert!(all.iter().any(|row| row.starts_with(start)), "{start}");
    }
    assert_eq!(listed(&["-c", "SELECT * FROM segql.functions"]), all);
    let wrong = run(Path::new("."), &["functions", "rmf_score"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("did you mean 'rfm_score'?"),
        "{}",
        wrong.err
    );
    assert_eq!(wrong.out, "");
}
