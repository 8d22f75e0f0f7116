//! Planning: names bound to definitions, with the as-of, zone and variables of
//! this very use put in as typed literals.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::TableReference;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    AggregateUDF, Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF, TableSource,
};
use datafusion::sql::parser::{CopyToSource, Statement as SqlStatement};
use datafusion::sql::planner::{SqlToRel, object_name_to_table_reference};
use datafusion::sql::sqlparser::ast::{self, Query};

use super::inputs::{Inputs, World, not_found};
use super::scope::Scope;
use super::shared_table::{SharedTable, SharedTables};
use super::{
    Definition, Graph, Reference, any_case, column_names, contract, explain_error, file_column,
    macros, members, priority, relation_name, row_keys, split_label, total_order, using_columns,
    visibility,
};
use crate::error::{Error, Result, Script};
use crate::session::{Moment, Variables};
use crate::statement::{Body, Kind};

/// What a definition is evaluated with.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The as-of instant and its zone.
    pub moment: Moment,
    /// Values of `$name`.
    pub variables: Variables,
}

/// Plans queries and definitions for one evaluation.
pub struct Binder<'a> {
    pub(super) world: World<'a>,
    pub(super) inputs: &'a Inputs,
    pub(super) evaluation: &'a Evaluation,
    pub(super) state: Arc<SessionState>,
    pub(super) functions: HashMap<String, Arc<ScalarUDF>>,
    pub(super) aggregates: HashMap<String, Arc<AggregateUDF>>,
    /// What was computed for this evaluation.
    pub(super) shared: SharedTables,
    /// What was planned for it.
    planned: RefCell<HashMap<String, Arc<dyn TableSource>>>,
}

impl<'a> Binder<'a> {
    /// A binder for the evaluation of a world; `shared` holds what was computed
    /// for it.
    pub fn new(world: World<'a>, inputs: &'a Inputs, shared: &SharedTables) -> Result<Self> {
        let evaluation = world.evaluation;
        let moment = &evaluation.moment;
        let clock = segql_udfs::Clock::new(moment.nanos(), moment.zone().name())?;
        let functions = segql_udfs::scalar_functions_at(&clock)
            .into_iter()
            .map(|function| (function.name().to_owned(), function))
            .collect();
        let aggregates = segql_udfs::aggregate_functions_at(&clock)
            .into_iter()
            .map(|function| (function.name().to_owned(), function))
            .collect();
        Ok(Self {
            world,
            inputs,
            evaluation,
            state: inputs.state(world.session),
            functions,
            aggregates,
            shared: shared.clone(),
            planned: RefCell::default(),
        })
    }

    /// From now on a table stands in the place of a definition that nothing planned so
    /// far builds on.
    pub fn put(&mut self, name: &str, shared: SharedTable) {
        self.shared.insert(name.to_owned(), shared);
    }

    /// Plans any statement of DataFusion's.
    pub fn statement(&self, statement: SqlStatement, script: &Script) -> Result<LogicalPlan> {
        let mentions = super::of_statement(&statement)?;
        let names = || present(&mentions);
        self.plan_below(names())?;
        let mut statement = statement;
        let mut hidden = vec![];
        match &mut statement {
            SqlStatement::Statement(inner) => hidden = self.prepare(inner.as_mut(), names())?,
            SqlStatement::CopyTo(copy) => {
                if let CopyToSource::Query(query) = &mut copy.source {
                    hidden = self.prepare(query.as_mut(), names())?;
                }
            }
            SqlStatement::Explain(explain) => {
                if let SqlStatement::Statement(inner) = explain.statement.as_mut() {
                    hidden = self.prepare(inner.as_mut(), names())?;
                }
            }
            _ => {}
        }
        let scope = Scope {
            binder: self,
            mentions: &mentions,
            hidden,
            given: &[],
            in_definition: false,
        };
        let planned = SqlToRel::new(&scope).statement_to_plan(statement.clone());
        planned.map_err(|error| {
            let error = Error::from(error);
            let error = match &statement {
                SqlStatement::Statement(tree) => explain_error::complete(error, tree, &self.state),
                _ => error,
            };
            error.within(script)
        })
    }

    /// Puts variables in, tells columns of one name apart, finds columns whatever
    /// their case and takes `_file` and `_line` out of wildcards; gives those that
    /// the tree asks for.
    fn prepare<'n, T: ast::VisitMut + ast::Visit>(
        &self,
        tree: &mut T,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<&'static str>> {
        self.evaluation.variables.put_into(tree)?;
        // Columns are called as typed, so before macros are put in; these may
        // mention variables as well.
        column_names::complete(tree);
        macros::expand(tree, self.world.catalog)?;
        self.evaluation.variables.put_into(tree)?;
        using_columns::qualify(tree);
        any_case::match_columns(tree, &self.columns_of(names));
        let hidden = file_column::mentioned(tree);
        if !hidden.is_empty() {
            let is_source = |name: &ast::ObjectName| {
                let Ok(name) = object_name_to_table_reference(name.clone(), true) else {
                    return false;
                };
                let name = relation_name(&name);
                match self.world.catalog.find(&name) {
                    Some(definition) => definition.kind() == Kind::Source,
                    None => self.inputs.files.contains_key(&name),
                }
            };
            file_column::hide_from_wildcards(tree, &hidden, &is_source)?;
        }
        Ok(hidden)
    }

    /// The columns of these relations; one that cannot be planned has none.
    fn columns_of<'n>(&self, names: impl Iterator<Item = &'n str>) -> any_case::Columns {
        let columns = |name: &str| {
            let schema = self.relation(name).ok()?.schema();
            let fields = schema.fields().iter().map(|field| field.name().clone());
            Some(fields.collect())
        };
        names
            .filter_map(|name| Some((name.to_owned(), columns(name)?)))
            .collect()
    }

    /// Plans what these names rest on from the ground up, so that planning one
    /// never nests, however deep definitions do.
    fn plan_below<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<()> {
        // What a frozen view rests on is looked at with its own date, if at all.
        let is_frozen = |name: &str| {
            self.world
                .catalog
                .find(name)
                .is_some_and(|it| it.is_frozen())
        };
        let is_known = |name: &str| {
            let planned = self.planned.borrow();
            self.shared.contains_key(name) || planned.contains_key(name) || is_frozen(name)
        };
        let graph = Graph::new(self.world.catalog);
        for name in graph.order_above(names, &is_known)? {
            if let Some(definition) = self.world.catalog.find(name) {
                self.source_of(definition)?;
            }
        }
        Ok(())
    }

    /// The plan of a definition: its rows as selecting FROM its name sees them.
    pub fn definition(&self, definition: &Definition) -> Result<LogicalPlan> {
        self.refuse_circle(definition)?;
        if let Some(plan) = self.frozen(definition)? {
            return Ok(plan);
        }
        self.plan_below(present(&definition.references))?;
        self.plan(definition).map_err(|error| {
            // What is wrong with the project's view is no fault of the library's text.
            if matches!(definition.create.body, Body::Contract(_)) {
                return error;
            }
            let lacking = contract::missing_column(self, definition, &error);
            let error = lacking.unwrap_or(error).within(&definition.script);
            match error.place() {
                Some(_) => error,
                None => {
                    let named = format!("{} {}", definition.kind(), definition.name);
                    error
                        .context(named)
                        .at(definition.create.name.span)
                        .within(&definition.script)
                }
            }
        })
    }

    /// By a name in quotes, which is not planned at once, a definition may build on
    /// itself as well.
    fn refuse_circle(&self, definition: &Definition) -> Result<()> {
        let quoted = definition.references.iter().filter(|it| it.by_text);
        let quoted = quoted.filter(|it| !it.previous).map(|it| it.name.as_str());
        Graph::new(self.world.catalog).order(quoted).map(|_| ())
    }

    fn plan(&self, definition: &Definition) -> Result<LogicalPlan> {
        match &definition.create.body {
            Body::Location(_) => self.source(definition, &[]),
            Body::Table { table, .. } => {
                let source = self.relation(&table.text)?;
                Ok(LogicalPlanBuilder::scan(
                    TableReference::bare(table.text.as_str()),
                    source,
                    None,
                )?
                .build()?)
            }
            Body::Priority(segments) => {
                let plan = priority::plan(self, definition, segments)?;
                members::with_otherwise(self, definition, plan)
            }
            Body::Contract(asked) => contract::plan(self, definition, asked),
            Body::Macro { .. } => Err(definition.error(format!(
                "function {} is called, not selected from",
                definition.name
            ))),
            Body::Query { query, columns, .. } => {
                let plan = self.query(query, definition)?;
                if !definition.is_nondeterministic() {
                    total_order::check(self, definition, &plan)?;
                }
                let plan = rename(plan, columns)?;
                match definition.kind() {
                    Kind::Segmentation => members::with_otherwise(self, definition, plan),
                    _ => Ok(plan),
                }
            }
        }
    }

    fn query(&self, query: &Query, definition: &Definition) -> Result<LogicalPlan> {
        let mut query = query.clone();
        let hidden = self.prepare(&mut query, present(&definition.references))?;
        let statement = ast::Statement::Query(Box::new(query));
        let scope = Scope {
            binder: self,
            mentions: &definition.references,
            hidden,
            given: &[],
            in_definition: true,
        };
        let planned = SqlToRel::new(&scope).sql_statement_to_plan(statement.clone());
        planned.map_err(|error| explain_error::complete(error.into(), &statement, &self.state))
    }

    pub(super) fn source(&self, definition: &Definition, hidden: &[&str]) -> Result<LogicalPlan> {
        let (source, options) = match self.inputs.sources.get(&definition.name) {
            Some(Ok(found)) => found,
            Some(Err(error)) => return Err(error.clone()),
            None => return Err(definition.error("the source was not opened")),
        };
        let plan = source.plan(&definition.name, hidden)?;
        let moment = &self.evaluation.moment;
        let seen = visibility::as_of(plan, &definition.name, source, options, moment)?;
        visibility::in_session_zone(seen, moment)
    }

    /// A definition as a relation, computed or planned once for this evaluation.
    pub(super) fn source_of(&self, definition: &Definition) -> Result<Arc<dyn TableSource>> {
        if let Some(known) = self.planned.borrow().get(&definition.name) {
            return Ok(Arc::clone(known));
        }
        let name = definition.name.as_str();
        let table = match self.shared.get(name) {
            Some(shared) => {
                let rows = Arc::clone(&shared.table);
                let rows = LogicalPlanBuilder::scan(TableReference::bare(name), rows, None)?;
                known_as(name, rows.build()?, None)?
            }
            None => {
                let plan = self.definition(definition)?;
                known_as(name, plan, Some(definition.text.clone()))?
            }
        };
        self.planned
            .borrow_mut()
            .insert(definition.name.clone(), Arc::clone(&table));
        Ok(table)
    }

    /// The columns of a definition, which does not have to be planned for them.
    pub fn schema_of(&self, definition: &Definition) -> Result<SchemaRef> {
        let planned = self.planned.borrow().get(&definition.name).cloned();
        match planned {
            Some(table) => Ok(table.schema()),
            None => self.outlined_schema(definition),
        }
    }

    /// Whatever a name selects from.
    pub fn relation(&self, name: &str) -> Result<Arc<dyn TableSource>> {
        let (base, label) = split_label(name);
        if let Some(definition) = self.world.catalog.find(base) {
            let source = self.source_of(definition)?;
            return match label {
                None => Ok(source),
                Some(label) => members::label_of(self, definition, source, label),
            };
        }
        if let Some(table) = self.inputs.tables.get(name) {
            return table.clone();
        }
        let known = self
            .inputs
            .known_names(self.world.catalog, self.world.session);
        Err(not_found(name, &known))
    }
}

/// The names of what is selected FROM as it is: only that is planned at once. Of
/// what table functions name, a snapshot may do.
fn present(references: &[Reference]) -> impl Iterator<Item = &str> {
    let now = references.iter().filter(|it| !it.by_text);
    now.map(|reference| reference.name.as_str())
}

/// A plan as something to select from.
pub(super) fn as_source(plan: LogicalPlan, text: Option<String>) -> Arc<dyn TableSource> {
    provider_as_source(Arc::new(ViewTable::new(plan, text)))
}

/// The rows of a definition as something to select from: whatever it is called
/// where it is used, this is what it is.
pub(super) fn known_as(
    name: &str,
    plan: LogicalPlan,
    text: Option<String>,
) -> Result<Arc<dyn TableSource>> {
    let marked = LogicalPlanBuilder::from(plan).alias(row_keys::mark(name))?;
    Ok(as_source(marked.build()?, text))
}

fn rename(plan: LogicalPlan, columns: &[ast::Ident]) -> Result<LogicalPlan> {
    if columns.is_empty() {
        return Ok(plan);
    }
    let found = plan.schema().columns();
    if found.len() != columns.len() {
        return Err(Error::new(format!(
            "the view names {} columns, its query returns {}",
            columns.len(),
            found.len()
        )));
    }
    let renamed = found.into_iter().zip(columns).map(|(column, ident)| {
        let name = match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_lowercase(),
        };
        Expr::Column(column).alias(name)
    });
    Ok(LogicalPlanBuilder::from(plan).project(renamed)?.build()?)
}
