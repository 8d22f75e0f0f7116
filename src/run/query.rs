//! One statement → its outcome.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::TableReference;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement as PlanStatement};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::TryStreamExt;

use super::{Engine, RunRequest, copy};
use crate::catalog::{Binder, Definition, Graph, Inputs, Reference, SharedTables};
use crate::error::{Error, Exit, Result};
use crate::plan::Selection;
use crate::statement::{Kind, Options, Parsed, Statement};

/// What a statement led to.
pub enum Outcome {
    /// Rows to show.
    Rows(SendableRecordBatchStream),
    /// A plan, as text of several lines.
    Plan(String),
    /// Done; nothing to show. What is worth saying goes to the messages.
    Done(Option<String>),
}

impl Outcome {
    /// Rows that are there already.
    pub(super) fn of(batch: RecordBatch) -> Self {
        let schema = batch.schema();
        let once = futures::stream::once(async move { Ok(batch) });
        Self::Rows(Box::pin(RecordBatchStreamAdapter::new(schema, once)))
    }
}

impl Engine {
    /// Runs a statement. Definitions are only noted down: what they mention is
    /// looked up when they are used.
    pub async fn execute(&mut self, parsed: &Parsed) -> Result<Outcome> {
        let outcome = self.execute_inner(parsed).await;
        outcome.map_err(|error| error.within(&parsed.script))
    }

    async fn execute_inner(&mut self, parsed: &Parsed) -> Result<Outcome> {
        match &parsed.statement {
            Statement::Create(_) => self.create(parsed).await,
            Statement::Drop(drop) => {
                let known = self.catalog.get(&drop.name.text, &[drop.kind]);
                if drop.if_exists && known.is_err() {
                    return Ok(Outcome::Done(None));
                }
                let removed = self.catalog.remove(&drop.name.text, drop.kind);
                removed.map_err(|error| error.at(drop.name.span))?;
                Ok(Outcome::Done(None))
            }
            Statement::ShowSetting { setting, span } => {
                let value = self.setting(setting).map_err(|error| error.at(*span))?;
                let names = StringArray::from(vec![format!("segql.{setting}")]);
                let values = StringArray::from(vec![value]);
                let batch = RecordBatch::try_from_iter([
                    ("name", Arc::new(names) as _),
                    ("value", Arc::new(values) as _),
                ])?;
                Ok(Outcome::of(batch))
            }
            Statement::Show(listing) => self.show(*listing).await,
            Statement::Describe(name) => {
                let described = self.describe(&name.text).await;
                described.map_err(|error| error.at(name.span))
            }
            Statement::Diff(create) => self.diff_statement(create, parsed).await,
            Statement::Include(names) => {
                for name in names {
                    let included = self.catalog.include(&name.text);
                    included.map_err(|error| error.at(name.span))?;
                }
                self.declare_parameters()?;
                Ok(Outcome::Done(None))
            }
            Statement::Set {
                setting,
                value,
                span,
            } => {
                self.set(setting, value).map_err(|error| error.at(*span))?;
                Ok(Outcome::Done(None))
            }
            Statement::Materialize { name, to, options } => {
                let done = self
                    .materialize_one(&name.text, to.as_deref(), options)
                    .await;
                done.map_err(|error| match error.place() {
                    Some(_) => error,
                    None => error.at(name.span),
                })
            }
            Statement::Sql(statement) => {
                let plan = self
                    .plan(statement.as_ref().clone(), &parsed.script)
                    .await?;
                // The session's zone is ours to keep: days are reckoned in it.
                if let LogicalPlan::Statement(PlanStatement::SetVariable(set)) = &plan
                    && set.variable == "datafusion.execution.time_zone"
                {
                    self.set("time_zone", &set.value)?;
                    return Ok(Outcome::Done(None));
                }
                self.run_plan(plan).await
            }
        }
    }

    /// Notes a definition down. What it breaks above it is named at once; it is
    /// kept all the same, as the next statement may mend it.
    async fn create(&mut self, parsed: &Parsed) -> Result<Outcome> {
        let definition = Definition::new(parsed, self.base()?, false)?;
        self.check_function_name(&definition)?;
        let name = definition.name.clone();
        let bare = TableReference::bare(name.as_str());
        let is_table = self.session.table_exist(bare).unwrap_or(false);
        if is_table && definition.id() == name {
            return Err(definition.error(format!("table '{name}' is defined already")));
        }
        let id = definition.id();
        let known = self.catalog.find_id(&id).is_some();
        if known && definition.create.if_not_exists {
            return Ok(Outcome::Done(Some(format!("{name} is there already"))));
        }
        let mut trial = self.catalog.clone();
        trial.add(definition)?;
        // A circle would make every later statement fail.
        Graph::new(&trial).order([name.as_str()])?;
        self.catalog = trial;
        match known {
            true => Ok(Outcome::Done(self.broken_above(&id).await?)),
            false => Ok(Outcome::Done(None)),
        }
    }

    /// What builds on a definition and cannot be planned any more, in a message.
    async fn broken_above(&self, id: &str) -> Result<Option<String>> {
        let above = Graph::new(&self.catalog).above(id);
        let mut broken = vec![];
        for dependant in above.iter().filter_map(|id| self.catalog.find_id(id)) {
            if let Err(error) = self.plans(dependant).await {
                let message = error.message();
                let context = format!("{} {}: ", dependant.kind(), dependant.name);
                let message = message.strip_prefix(&context).unwrap_or(message);
                broken.push(format!(
                    "{} cannot be planned any more: {message}",
                    dependant.name
                ));
            }
        }
        Ok((!broken.is_empty()).then(|| broken.join("\n")))
    }

    /// Can a definition be planned as things are?
    async fn plans(&self, definition: &Definition) -> Result<()> {
        if definition.kind() == Kind::Function {
            return Ok(());
        }
        let evaluation = self.evaluation()?;
        let world = self.world(&evaluation);
        let mentions = [Reference::to(&definition.name)];
        let mut all = definition.references.clone();
        all.extend(mentions);
        let inputs = Inputs::collect(world, &all).await?;
        let binder = Binder::new(world, &inputs, &SharedTables::new())?;
        match definition.kind().has_members() {
            true => binder.members(definition).map(|_| ()),
            false => binder.definition(definition).map(|_| ()),
        }
    }

    async fn run_plan(&self, plan: LogicalPlan) -> Result<Outcome> {
        refuse_reset_of_memory(&plan)?;
        let silent = matches!(
            plan,
            LogicalPlan::Ddl(_)
                | LogicalPlan::Statement(_)
                | LogicalPlan::Copy(_)
                | LogicalPlan::Dml(_)
        ) && !matches!(plan, LogicalPlan::Statement(PlanStatement::Execute(_)));
        let is_explained = matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_));
        if let LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(table)) = &plan
            && self.catalog.find(table.name.table()).is_some()
        {
            return Err(Error::new(format!(
                "'{}' is defined already",
                table.name.table()
            )));
        }
        let (plan, pending) = copy::stage(plan)?;
        let frame = self.session.execute_logical_plan(plan).await?;
        let rows = self.watched(frame.execute_stream().await?);
        if silent {
            // COPY and INSERT do their work as their rows are read.
            rows.try_collect::<Vec<_>>().await?;
            pending.map_or(Ok(()), copy::Pending::commit)?;
            return Ok(Outcome::Done(None));
        }
        if is_explained {
            let batches: Vec<RecordBatch> = rows.try_collect().await?;
            return Ok(Outcome::Plan(plan_text(&batches)?));
        }
        Ok(Outcome::Rows(rows))
    }

    async fn materialize_one(
        &mut self,
        name: &str,
        to: Option<&str>,
        options: &Options,
    ) -> Result<Outcome> {
        if let Some(file) = to {
            let written = self.members_to_file(name, &self.base()?.join(file)).await;
            let rows = written.map_err(|error| error.exit(Exit::Failed))?;
            return Ok(Outcome::Done(Some(format!(
                "{name}: {rows} members in '{file}'"
            ))));
        }
        let kinds = [
            crate::statement::Kind::Segment,
            crate::statement::Kind::Segmentation,
        ];
        let name = self.catalog.get(name, &kinds)?.name.clone();
        let request = RunRequest {
            selection: Selection::of(name),
            restate: options.flag("restate")?.unwrap_or(false),
            force: options.flag("force")?.unwrap_or(false),
            ..RunRequest::default()
        };
        let mut report = self.run(&request, &mut |_| {}).await?;
        if let Some((_, error)) = report.errors.pop_first() {
            return Err(error.exit(Exit::Failed));
        }
        let node = report.record.nodes.last().map(|node| {
            let rows = node.rows.unwrap_or(0);
            format!("{}: {rows} members ({})", node.name, node.status.word())
        });
        Ok(Outcome::Done(node))
    }
}

/// The rows of EXPLAIN one below the other: a heading, then its plan.
fn plan_text(batches: &[RecordBatch]) -> Result<String> {
    let mut text = String::new();
    for batch in batches {
        let kinds = cast(batch.column(0), &DataType::Utf8)?;
        let plans = cast(batch.column(1), &DataType::Utf8)?;
        let rows = kinds
            .as_string::<i32>()
            .iter()
            .zip(plans.as_string::<i32>());
        for (kind, plan) in rows {
            let kind = kind.unwrap_or_default();
            text.push_str(&format!("{kind}\n"));
            for line in plan.unwrap_or_default().lines() {
                text.push_str(&format!("  {line}\n"));
            }
        }
    }
    Ok(text)
}

/// DataFusion would put a greedy pool in the place of the fair one.
fn refuse_reset_of_memory(plan: &LogicalPlan) -> Result<()> {
    match plan {
        LogicalPlan::Statement(PlanStatement::SetVariable(set))
            if set.variable == "datafusion.runtime.memory_limit" =>
        {
            Err(Error::usage("the memory limit is set when segql starts")
                .hint("use --memory-limit, or memory_limit in segql.toml"))
        }
        _ => Ok(()),
    }
}
