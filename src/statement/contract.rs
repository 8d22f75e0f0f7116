//! `CREATE TABLE base.orders (…)` in the library: what is asked of a view.
//!
//! A column's type says what kind of values it may hold, `NOT NULL` that there is
//! always one, `DEFAULT` what it reads as where the view has no such column, and
//! `COMMENT` what it means. Nothing else may be said.

use datafusion::sql::sqlparser::ast::{
    self, ColumnDef, ColumnOption, DataType, Expr, Spanned, Value,
};

use super::options::Options;
use super::parse::object_name;
use super::{Body, Create, Kind, Parsed, SqlStatement, Statement};
use crate::error::{Error, Result, Span};

/// A column that libraries ask of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// What it may hold.
    pub values: Values,
    /// Is a NULL in it an error?
    pub never_null: bool,
    /// What it reads as where there is no such column; without one whatever reads
    /// it fails.
    pub default: Option<Value>,
    /// What it means.
    pub meaning: String,
}

/// What a column may hold; whoever has a narrower type keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// `ID`: whole numbers, texts or UUIDs that name somebody or something.
    Id,
    /// `TEXT`.
    Text,
    /// `NUMERIC`: numbers of any type.
    Number,
    /// `MONEY`: numbers, in the currency that the column `currency` names.
    Money,
    /// `BIGINT`: whole numbers.
    Whole,
    /// `BOOLEAN`.
    Flag,
    /// `TIMESTAMP`: a DATE, or a TIMESTAMP with or without time zone.
    Time,
}

impl Values {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Values::Id => "ID",
            Values::Text => "TEXT",
            Values::Number => "NUMERIC",
            Values::Money => "MONEY",
            Values::Whole => "BIGINT",
            Values::Flag => "BOOLEAN",
            Values::Time => "TIMESTAMP",
        }
    }

    fn of(data_type: &DataType) -> Result<Self> {
        let word = data_type.to_string().to_uppercase();
        let all = [
            Values::Id,
            Values::Text,
            Values::Number,
            Values::Money,
            Values::Whole,
            Values::Flag,
            Values::Time,
        ];
        let found = all.into_iter().find(|known| known.word() == word);
        found.ok_or_else(|| Error::new(format!("'{word}' is no type of a contract's column")))
    }
}

/// Reads a table of `sql/base` as a view with these columns; whatever else a library
/// says stays.
pub fn contract(parsed: Parsed) -> Result<Parsed> {
    let Statement::Sql(sql) = &parsed.statement else {
        return Ok(parsed);
    };
    let SqlStatement::Statement(inner) = sql.as_ref() else {
        return Ok(parsed);
    };
    let ast::Statement::CreateTable(table) = inner.as_ref() else {
        return Ok(parsed);
    };
    let columns: Vec<Asked> = table.columns.iter().map(asked).collect::<Result<_>>()?;
    let create = Create {
        kind: Kind::View,
        name: object_name(&table.name)?,
        or_replace: false,
        if_not_exists: false,
        frozen: None,
        options: Options::default(),
        body: Body::Contract(columns),
    };
    Ok(Parsed {
        statement: Statement::Create(Box::new(create)),
        ..parsed
    })
}

fn asked(column: &ColumnDef) -> Result<Asked> {
    let mut asked = Asked {
        name: column.name.value.clone(),
        values: Values::of(&column.data_type)?,
        never_null: false,
        default: None,
        meaning: String::new(),
    };
    for option in &column.options {
        match &option.option {
            ColumnOption::NotNull => asked.never_null = true,
            ColumnOption::Default(Expr::Value(value)) => {
                asked.default = Some(value.value.clone());
            }
            ColumnOption::Comment(text) => asked.meaning.clone_from(text),
            other => {
                return Err(Error::new(format!("a contract does not know {other}"))
                    .at(Span::from_parser(column.span())));
            }
        }
    }
    match asked.meaning.is_empty() {
        true => Err(Error::new(format!("column {} has no comment", asked.name))),
        false => Ok(asked),
    }
}
