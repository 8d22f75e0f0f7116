//! What is said of each table function: the reference, completion and hints go by it.

/// A table function of segql's own.
#[derive(Debug, Clone, Copy)]
pub struct TableFunction {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub call: &'static str,
    /// What its rows say, the first sentence by itself.
    pub meaning: &'static str,
    /// A query over the example shop.
    pub example: &'static str,
    /// What it looks at beside the definition that it is given.
    pub(in crate::catalog) reach: Reach,
    /// The views of the project that it reads, by the names of the library's contracts.
    pub(in crate::catalog) reads: &'static [&'static str],
    /// May definitions call it?
    pub(in crate::catalog) in_definitions: bool,
}

/// What has to be looked up for a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// What is named.
    #[default]
    Named,
    /// The tables of entities as well.
    Entities,
    /// And all segments and segmentations of the project.
    Segments,
}

const fn reader(
    name: &'static str,
    call: &'static str,
    reach: Reach,
    meaning: &'static str,
    example: &'static str,
) -> TableFunction {
    TableFunction {
        name,
        call,
        meaning,
        example,
        reach,
        reads: &[],
        in_definitions: false,
    }
}

/// Table functions beside DataFusion's, by name.
pub const TABLE_FUNCTIONS: [TableFunction; 14] = [
    TableFunction {
        in_definitions: true,
        reads: &["orders", "order_lines"],
        ..reader(
            "bought_together",
            "bought_together([min_orders])",
            Reach::Named,
            "Which products are in the same orders: the market basket, for recommendations and \
             cross-selling. For each two products with at least min_orders \
             (2) orders in common a row in each direction: orders with both; support, their share of \
             all orders with products; confidence, their share of the orders with product_a; lift, how many times \
             more often than by chance. Completed orders of known customers, by the lines of \
             orders and order_lines (docs/library/contracts.md).",
            "SELECT * FROM bought_together() LIMIT 5",
        )
    },
    reader(
        "customer_labels",
        "customer_labels([as_of] [, 'entity'])",
        Reach::Segments,
        "Everyone an entity lists, with all that segments say of them. The key, a column for each \
         segmentation (the label; a list where a person may have several), and a BOOLEAN for each \
         segment, each in the order of names. Where a project has several entities one is named.",
        "SELECT lifecycle, inactive_customers, count(*) AS customers FROM customer_labels('customers') GROUP BY ALL",
    ),
    TableFunction {
        in_definitions: true,
        ..reader(
            "members",
            "members('name' [, as_of])",
            Reach::Named,
            "Who is in a segment, segmentation or label at a date, with all columns. The snapshot of \
             the date where there is one, else the definition evaluated at it.",
            "SELECT count(*) FROM members('lifecycle', DATE '2025-09-30') WHERE stage = 'new'",
        )
    },
    TableFunction {
        in_definitions: true,
        reads: &["orders", "order_lines", "products"],
        ..reader(
            "next_best",
            "next_best('product' | 'category' | 'price_band', n [, days])",
            Reach::Named,
            "What to offer whom next: recommendations of up to n items for each customer, for \
             personal offers and cross-selling. The score of an item is the sum \
             of its likeness to what the customer bought, likeness being customers of both by the root \
             of customers of one times customers of the other (at least 2 in common; an item speaks for \
             the 20 most like it); because is the item that speaks for it most. Never what the \
             customer bought less than days (365) days ago, nor products whose stock is 0 where there is \
             a view products. Whoever bought nothing that goes with anything is left out.",
            "SELECT * FROM next_best('category', 1) LIMIT 5",
        )
    },
    TableFunction {
        in_definitions: true,
        ..reader(
            "previous_members",
            "previous_members('name')",
            Reach::Named,
            "Who was in a segment at its latest snapshot before the as-of. The key, the label (NULL \
             for a segment) and the date of the snapshot, as_of; no rows before the first. The only \
             way a definition may look at its own past.",
            "SELECT count(*) FROM previous_members('inactive_customers')",
        )
    },
    reader(
        "profile",
        "profile('table' [, 'outcome'])",
        Reach::Named,
        "What each column of a view, source, segment or table holds. Counts (distinct_count without \
         NULL), the least and greatest value, the mean, quantiles (linear interpolation), a histogram of \
         ten bins of equal width and the ten most frequent values; values are texts as the column \
         writes them, and NULL where the type has none. Of what is personal or sensitive only counts are told. With an outcome (a \
         BOOLEAN or 0-1 column of the table, or a segment whose key the table has) \
         information_value says how well the column tells rows with it from those without.",
        "SELECT column_name, median, information_value FROM profile('customer_orders', 'inactive_customers')",
    ),
    reader(
        "segment_combinations",
        "segment_combinations([as_of])",
        Reach::Segments,
        "How many are in precisely these segments and no others. The segments and labels as a list \
         of names in their order, the largest combination first; whoever is in none is not counted.",
        "SELECT * FROM segment_combinations() LIMIT 5",
    ),
    reader(
        "segment_diff",
        "segment_diff('name', from, to)",
        Reach::Named,
        "Who entered, left, stayed or moved between two dates. One row per key: the key under its \
         own name, change ('entered', 'left', 'stayed', 'moved'), from_label and to_label, which are \
         NULL for a segment. Where a person may have several labels, one row per key and label.",
        "SELECT change, count(*) AS customers FROM segment_diff('lifecycle', '2025-09-30', '2025-12-31') GROUP BY change",
    ),
    reader(
        "segment_history",
        "segment_history('name')",
        Reach::Named,
        "Size, entries and exits at each snapshot in the store. One row per date, and per label of a \
         segmentation, also of labels that nobody had at that date; entered and left_count compare \
         with the snapshot before, and at the first one everybody entered.",
        "SELECT * FROM segment_history('inactive_customers')",
    ),
    TableFunction {
        reads: &["orders", "benchmarks"],
        ..reader(
            "segment_impact",
            "segment_impact('name', event_date, days)",
            Reach::Entities,
            "What a decision did to each label. Completed orders of those who had the label on the eve of \
             the event, in so many days before it and from it on; the same for the weeks 364 days \
             earlier and whoever had the label on that eve; change = after / before - 1 of revenue, \
             difference = change - last_year_change; NULL where there is nothing to divide by. Market \
             figures come from the view `benchmarks`, where the project has it.",
            "SELECT label, change, last_year_change, difference FROM segment_impact('lifecycle', '2025-11-01', 28)",
        )
    },
    TableFunction {
        reads: &["orders", "costs"],
        ..reader(
            "segment_metrics",
            "segment_metrics('name', from, to [, 'outcome'])",
            Reach::Entities,
            "How those who were members at one date did until another. Per label, who has none included: \
             customers and their share of the entity, converted and conversion (completed orders, else rows \
             of the view or members of the segment that is the outcome), orders, revenue and its share of all, averages, cost \
             and profit (NULL without a view `costs`), and retention = bought_again / bought_before, after \
             `from` and up to `to`; NULL where there is nothing to divide by.",
            "SELECT label, customers, conversion, revenue, retention FROM segment_metrics('lifecycle', '2025-09-30', '2025-12-31')",
        )
    },
    reader(
        "segment_migration",
        "segment_migration('segmentation', from, to [, 'day' | 'week' | 'month'])",
        Reach::Named,
        "How many went from which label to which. Between two dates, or between each and the next of \
         a series, where months from the end of a month end months. A label is NULL for who was not \
         there at that date; where a person may have several, each is kept, gained or lost by itself.",
        "SELECT * FROM segment_migration('lifecycle', '2025-10-31', '2025-12-31', 'month')",
    ),
    reader(
        "segment_overlap",
        "segment_overlap([as_of])",
        Reach::Segments,
        "How far each two segments or labels of one entity have the same members. Sizes, how many \
         are in both, jaccard = both / either, and lift = both * N / (size_a * size_b), where N is how \
         many the entity lists; each pair once, in the order of names.",
        "SELECT * FROM segment_overlap() ORDER BY lift DESC NULLS LAST LIMIT 5",
    ),
    reader(
        "segment_profile",
        "segment_profile('name' [, 'table'])",
        Reach::Entities,
        "What members are like, beside everyone. Each value of each attribute of the entity's table, \
         or of the table named: its share among members, among all, and over_index = 100 * share / \
         base_share. Attributes are the columns that sources declare demographic, else the texts and \
         truth values with at most 50 values; never what is personal or sensitive. NULL is a value.",
        "SELECT * FROM segment_profile('inactive_customers')",
    ),
];

/// The table function of a name, whatever its case.
pub(in crate::catalog) fn find(name: &str) -> Option<&'static TableFunction> {
    TABLE_FUNCTIONS
        .iter()
        .find(|function| function.name.eq_ignore_ascii_case(name))
}
