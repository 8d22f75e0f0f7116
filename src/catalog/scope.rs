//! One query's view of the names around it, as the planner asks for them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::file_options::file_type::FileType;
use datafusion::common::{DFSchema, Result as PlanResult, TableReference};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::file_format::format_as_file_type;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use super::binder::{Binder, as_source, known_as};
use super::{Reference, TABLE_FUNCTIONS, relation_name, table_functions, visibility};
use crate::error::{Error, Result};
use crate::statement::Kind;

/// One query's view of the names around it.
pub(super) struct Scope<'b, 'a> {
    pub(super) binder: &'b Binder<'a>,
    /// What it mentions.
    pub(super) mentions: &'b [Reference],
    /// The hidden columns it asks for.
    pub(super) hidden: Vec<&'static str>,
    /// Relations that are given by name, before all others.
    pub(super) given: &'b [(&'b str, Arc<dyn TableSource>)],
    /// Is it the query of a definition?
    pub(super) in_definition: bool,
}

impl Scope<'_, '_> {
    fn state(&self) -> &SessionState {
        &self.binder.state
    }

    /// Fails when the argument of a table function was not looked up, as it does
    /// not stand there in quotes but is computed.
    pub(super) fn check_named(&self, function: &str, name: &str) -> Result<()> {
        let mut named = self.mentions.iter().filter(|it| it.by_text);
        match named.any(|it| it.name == name) {
            true => Ok(()),
            false => Err(Error::new(format!(
                "{function} takes the name of a segment in quotes, not one that is computed ('{name}')"
            ))),
        }
    }

    /// Constant arguments of a table function.
    fn constants(&self, args: Vec<Expr>) -> PlanResult<Vec<Expr>> {
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(self.state().config_options()))
            .with_current_time()
            .build();
        let simplifier = ExprSimplifier::new(context);
        let schema = DFSchema::empty();
        args.into_iter()
            .map(|arg| simplifier.simplify(simplifier.coerce(arg, &schema)?))
            .collect()
    }
}

impl ContextProvider for Scope<'_, '_> {
    fn get_table_source(&self, name: TableReference) -> PlanResult<Arc<dyn TableSource>> {
        let name = relation_name(&name);
        if let Some((_, given)) = self.given.iter().find(|(known, _)| *known == name) {
            return Ok(Arc::clone(given));
        }
        if !self.hidden.is_empty() {
            let definition = self.binder.world.catalog.find(&name);
            if let Some(source) = definition.filter(|it| it.kind() == Kind::Source) {
                let plan = self.binder.source(source, &self.hidden)?;
                return Ok(known_as(&source.name, plan, None)?);
            }
            if let (None, Some(file)) = (definition, self.binder.inputs.files.get(&name)) {
                let moment = &self.binder.evaluation.moment;
                let plan = file.plan(&name, &self.hidden)?;
                let shown = visibility::in_session_zone(plan, moment)?;
                return Ok(as_source(shown, None));
            }
        }
        Ok(self.binder.relation(&name)?)
    }

    fn get_table_function_source(
        &self,
        name: &str,
        args: Vec<Expr>,
    ) -> PlanResult<Arc<dyn TableSource>> {
        let args = self.constants(args)?;
        if let Some(source) = table_functions::source(self, name, &args)? {
            return Ok(source);
        }
        let functions = self.state().table_functions();
        let Some(function) = functions.get(&name.to_lowercase()) else {
            let own = TABLE_FUNCTIONS.iter().map(|function| function.name);
            let known = functions.keys().map(String::as_str).chain(own);
            return Err(Error::new(format!("table function '{name}' not found"))
                .hint_if(crate::error::suggest(name, known))
                .into());
        };
        let args = datafusion::catalog::TableFunctionArgs::new(&args, self.state());
        let provider = function.create_table_provider_with_args(args)?;
        Ok(provider_as_source(provider))
    }

    fn create_cte_work_table(
        &self,
        name: &str,
        schema: SchemaRef,
    ) -> PlanResult<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(
            name, schema,
        ))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state().expr_planners()
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let bound = self.binder.functions.get(name);
        bound
            .or_else(|| self.state().scalar_functions().get(name))
            .cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state().higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let bound = self.binder.aggregates.get(name);
        bound
            .or_else(|| self.state().aggregate_functions().get(name))
            .cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state().window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn get_file_type(&self, ext: &str) -> PlanResult<Arc<dyn FileType>> {
        match self.state().get_file_format_factory(ext) {
            Some(factory) => Ok(format_as_file_type(factory)),
            None => Err(
                Error::new(format!("'{ext}' is no format that can be written"))
                    .hint("formats are csv, json, parquet and arrow")
                    .into(),
            ),
        }
    }

    fn options(&self) -> &ConfigOptions {
        self.state().config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state().scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state()
            .higher_order_functions()
            .keys()
            .cloned()
            .collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state().aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state().window_functions().keys().cloned().collect()
    }
}
