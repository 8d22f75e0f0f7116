//! The embedded folders of SQL: a new file in one is a reason to build again.

#![allow(clippy::print_stdout, reason = "this is how cargo is told")]

fn main() {
    for folder in ["sql", "examples/shop/sql"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
