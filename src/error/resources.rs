//! What to say when memory ran out: which operator asked, who holds how much.

use super::Error;

/// The words of SQL for DataFusion's names of those who hold memory.
const OPERATORS: [(&str, &str); 19] = [
    ("GroupedHashAggregateStream", "GROUP BY"),
    ("SingleHashAggregateStream", "GROUP BY"),
    ("PartialHashAggregateStream", "GROUP BY"),
    ("FinalHashAggregateStream", "GROUP BY"),
    ("PartialReduceHashAggregateStream", "GROUP BY"),
    ("OrderedFinalAggregateStream", "GROUP BY"),
    ("OrderedPartialAggregateStream", "GROUP BY"),
    ("AggregateStream", "an aggregate"),
    ("ExternalSorterMerge", "ORDER BY"),
    ("ExternalSorter", "ORDER BY"),
    ("SortPreservingMergeExec", "ORDER BY"),
    ("PartitionedTopKRank", "ORDER BY with LIMIT"),
    ("PartitionedTopK", "ORDER BY with LIMIT"),
    ("TopK", "ORDER BY with LIMIT"),
    ("HashJoinInput", JOIN),
    ("NestedLoopJoinLoad", "JOIN without equal keys"),
    ("CrossJoinExec", "CROSS JOIN"),
    ("SMJStream", "JOIN of sorted rows"),
    ("RepartitionExec", "rows on their way between threads"),
];

/// The join that keeps one side whole in memory.
const JOIN: &str = "JOIN";

/// DataFusion's text, of which only this much is known: who asked stands behind
/// "failed for", what was asked behind "allocate additional", holders are lines
/// `  name#3(can spill: true) consumed 14.3 MB, peak 14.3 MB`.
pub(super) fn out_of_memory(text: &str) -> Error {
    let asked = between(text, "allocate additional ", " for ");
    let who = between(text, " failed for ", " with ")
        .or_else(|| between(text, &format!("{} for ", asked.unwrap_or("?")), " with "));
    let (Some(who), Some(asked)) = (who, asked) else {
        return Error::new(format!("out of memory: {text}")).hint(MORE);
    };
    let who = operator(who);
    let mut message = format!("out of memory: {who} needs {asked} more");
    let holders: Vec<String> = text.lines().filter_map(holder).take(3).collect();
    if !holders.is_empty() {
        message.push_str(&format!("; most is held by {}", holders.join(", ")));
    }
    let error = Error::new(message).hint(MORE);
    match who.as_str() {
        JOIN => error.hint(
            "SET datafusion.optimizer.prefer_hash_join = false; makes joins sort, and spill to disk",
        ),
        _ => error,
    }
}

const MORE: &str = "raise --memory-limit, or give the query fewer rows or columns to hold at once";

/// What to do about an error of a file in DataFusion's own temporary folder.
pub(super) fn temporary_folder(text: &str) -> Option<String> {
    text.contains("/datafusion-").then(|| {
        "there belongs what does not fit into memory; --temp-dir names another folder".to_owned()
    })
}

fn between<'t>(text: &'t str, before: &str, behind: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(behind)?.0)
}

fn holder(line: &str) -> Option<String> {
    let (name, rest) = line.trim().split_once("#")?;
    let size = between(rest, ") consumed ", ", peak")?;
    let nothing = size.starts_with("0.0 ");
    (!nothing).then(|| format!("{} ({size})", operator(name)))
}

/// `GroupedHashAggregateStream[3] (sum(x))` → `GROUP BY`; own names stay.
pub(super) fn operator(name: &str) -> String {
    let bare = name.split(['[', '#', '(']).next().unwrap_or(name).trim();
    let known = OPERATORS.iter().find(|(theirs, _)| *theirs == bare);
    known.map_or(bare, |(_, word)| word).to_owned()
}

/// The largest holders in a report of DataFusion's, largest first.
pub fn holders(report: &str) -> Vec<String> {
    report.lines().filter_map(holder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_who_asked_and_who_holds() {
        let text = "Additional allocation failed for HashJoinInput[1] with top memory consumers \
                    (across reservations) as:\n  HashJoinInput[0]#0(can spill: false) consumed \
                    107.4 MB, peak 107.4 MB,\n  TopK[1]#3(can spill: false) consumed 0.0 B, peak \
                    49.6 MB.\nError: Failed to allocate additional 57.2 MB for HashJoinInput[1] \
                    with 49.6 MB already allocated for this reservation - 33.8 MB remain \
                    available for the total memory pool: fair(pool_size: 190.7 MB)";
        let error = out_of_memory(text);
        assert_eq!(
            error.message(),
            "out of memory: JOIN needs 57.2 MB more; most is held by JOIN (107.4 MB)"
        );
        assert!(error.to_string().contains("prefer_hash_join"), "{error}");
    }

    #[test]
    fn a_text_of_another_shape_is_shown_as_it_is() {
        let error = out_of_memory("The limit of 5 bytes was hit");
        assert_eq!(
            error.message(),
            "out of memory: The limit of 5 bytes was hit"
        );
    }
}
