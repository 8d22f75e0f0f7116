//! How fast the functions are, in rows and in bytes read and written a second, beside what the
//! memory of this machine gives (`memory`): `cargo bench -p segql-udfs`.
//!
//! Each is called as a query calls it, batch by batch, over columns that no cache holds.

mod aggregates;
mod calls;
mod columns;
mod memory;
mod scores;
mod splits;
mod times;

fn main() {
    divan::main();
}
