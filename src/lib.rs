#![doc = include_str!("../ARCHITECTURE.md")]

pub mod catalog;
pub mod cli;
pub mod error;
mod exec;
pub mod output;
pub mod plan;
pub mod project;
pub mod repl;
pub mod run;
pub mod session;
pub mod source;
pub mod sql_type;
pub mod statement;
pub mod store;
