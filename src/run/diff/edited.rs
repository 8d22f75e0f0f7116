//! The definitions as they would be, before anything is saved.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast;

use crate::catalog::{Definition, Graph, split_label};
use crate::error::{Error, Result, Script};
use crate::run::Engine;
use crate::statement::{self, Body, Create, Kind, Parsed, SqlStatement, Statement};

impl Engine {
    /// An engine with what a text says in the place of what is defined, and the
    /// definition that is compared.
    pub(super) fn edited(
        &self,
        present: &Definition,
        script: &Arc<Script>,
    ) -> Result<(Self, Arc<Definition>)> {
        let parsed = statement::parse(script)?;
        let mut parsed = parsed.into_iter().collect::<Result<Vec<_>>>()?;
        if let [only] = parsed.as_slice()
            && let Some(create) = of_query(present, only)
        {
            return self.rewritten(present, create, only);
        }
        let mut engine = self.clone();
        let mut edited = vec![];
        for parsed in &mut parsed {
            let Statement::Create(create) = &mut parsed.statement else {
                return Err(no_definition(present).at(Some(parsed.span)));
            };
            create.or_replace = true;
            let known = self.catalog.get(&create.name.text, &[create.kind]).ok();
            if let Some(known) = known {
                create.options.inherit_defaults(&known.create.options);
                create.name.text.clone_from(&known.name);
            }
            let mut definition = Definition::new(parsed, present.base.clone(), false)?;
            definition.is_trial = !known.is_some_and(|it| it.is_same_view(&definition.text));
            edited.push((definition.id(), definition.kind()));
            engine.catalog.add(definition)?;
        }
        let name = compared(&engine, present, &edited)?;
        Graph::new(&engine.catalog).order([name.as_str()])?;
        let found = Arc::clone(
            engine
                .catalog
                .get(&name, &[Kind::Segment, Kind::Segmentation])?,
        );
        Ok((engine, found))
    }

    /// The same with one definition rewritten; what it does not say stays as it is.
    pub(super) fn rewritten(
        &self,
        present: &Definition,
        mut create: Create,
        parsed: &Parsed,
    ) -> Result<(Self, Arc<Definition>)> {
        if split_label(&create.name.text).1.is_some() {
            return Err(Error::new(format!(
                "'{}' is a label, which has no definition of its own",
                create.name.text
            ))
            .at(create.name.span)
            .hint(format!("compare the segmentation: {}", present.name)));
        }
        create.name.text.clone_from(&present.name);
        create.kind = present.kind();
        create.or_replace = true;
        create.options.inherit(&present.create.options);
        if let Body::Query { labels, .. } = &mut create.body
            && let Body::Query { labels: known, .. } = &present.create.body
        {
            match present.kind() {
                Kind::Segmentation if labels.is_empty() => labels.clone_from(known),
                Kind::Segment if !labels.is_empty() => {
                    return Err(Error::new("a segment has no LABELS").at(create.name.span));
                }
                _ => {}
            }
        }
        if present.kind() == Kind::Segment && matches!(create.body, Body::Priority(_)) {
            return Err(
                Error::new("a segment has no PRIORITY, a segmentation has").at(create.name.span)
            );
        }
        let parsed = Parsed {
            statement: Statement::Create(Box::new(create)),
            ..parsed.clone()
        };
        let definition = Definition::new(&parsed, present.base.clone(), false)?;
        let mut engine = self.clone();
        engine.catalog.add(definition)?;
        Graph::new(&engine.catalog).order([present.name.as_str()])?;
        let kinds = [present.kind()];
        let found = Arc::clone(engine.catalog.get(&present.name, &kinds)?);
        Ok((engine, found))
    }
}

/// A query alone is the edited query of the definition.
fn of_query(present: &Definition, parsed: &Parsed) -> Option<Create> {
    let Statement::Sql(statement) = &parsed.statement else {
        return None;
    };
    let SqlStatement::Statement(statement) = statement.as_ref() else {
        return None;
    };
    let ast::Statement::Query(query) = statement.as_ref() else {
        return None;
    };
    let mut name = present.create.name.clone();
    name.span = None;
    Some(Create {
        name,
        options: statement::Options::default(),
        body: Body::Query {
            query: query.clone(),
            columns: vec![],
            labels: vec![],
        },
        ..present.create.clone()
    })
}

/// Which of the definitions is compared with the present one: the one of its name; a
/// segment of another, where it is the only one; else the present one over what was
/// edited below it.
fn compared(engine: &Engine, present: &Definition, edited: &[(String, Kind)]) -> Result<String> {
    if edited.iter().any(|(id, _)| *id == present.id()) {
        return Ok(present.name.clone());
    }
    let mut others = edited.iter().filter(|(_, kind)| kind.has_members());
    if let (Some((other, _)), None) = (others.next(), others.next()) {
        return Ok(other.clone());
    }
    let below = Graph::new(&engine.catalog).below(&present.name);
    let mut ids = edited.iter().map(|(id, _)| id.as_str());
    match ids.any(|id| below.contains(id)) {
        true => Ok(present.name.clone()),
        false => Err(no_definition(present)),
    }
}

fn no_definition(present: &Definition) -> Error {
    Error::new(format!(
        "this defines neither {} nor anything that it builds on",
        present.name
    ))
    .hint("give a query, or CREATE statements for it or what it builds on")
}
