//! The fence: what a query cannot see is not in its tables.
//!
//! ```text
//!   plan of a report ─▶ … ─▶ TableScan          for everybody
//!   bound            ─▶ … ─▶ Projection          user_name, host, … as pseudonyms, where names are hidden
//!                            └ Filter            server_id IN (…), where servers are
//!                              └ TableScan
//! ```
//!
//! The invariant: no query reaches a row or a name that its caller may not see, whoever wrote it, since it is the tables that are
//! fenced and not the queries. A table that cannot be fenced is an error.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use datafusion::common::{Column, DFSchema, internal_datafusion_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan, lit};
use datafusion::scalar::ScalarValue;

use crate::access::{Access, Names};
use crate::event::Table;
use crate::functions::{NameKind, Pseudonyms, VisibleGrants};
use crate::store::{Id, Snapshot};

/// What a query may see of a snapshot.
#[derive(Debug, Clone)]
pub struct View {
    /// The visible servers; all where there is nothing.
    servers: Option<BTreeSet<Id>>,
    /// What names are replaced by, where they are.
    pseudonyms: Option<Pseudonyms>,
}

impl View {
    /// Sees all there is.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            servers: None,
            pseudonyms: None,
        }
    }

    /// Whether it hides nothing.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.servers.is_none() && self.pseudonyms.is_none()
    }

    /// What an access opens of a snapshot.
    #[must_use]
    pub fn of(access: &Access, snapshot: &Snapshot) -> Self {
        let visible = || {
            let servers = snapshot.servers().iter().map(|state| &state.server);
            servers.filter(|server| access.sees(&server.name)).map(|server| server.id).collect()
        };
        Self {
            servers: access.servers().map(|_| visible()),
            pseudonyms: match access.names() {
                Names::Plain => None,
                Names::Pseudonym => Some(Pseudonyms::new(snapshot.secret())),
            },
        }
    }

    /// Whether a license server is visible.
    #[must_use]
    pub fn sees(&self, server: Id) -> bool {
        self.servers.as_ref().is_none_or(|servers| servers.contains(&server))
    }

    /// The license servers of a snapshot that are visible.
    #[must_use]
    pub fn servers(&self, snapshot: &Snapshot) -> Vec<Id> {
        let servers = snapshot.servers().iter().map(|state| state.server.id);
        servers.filter(|server| self.sees(*server)).collect()
    }

    /// The visible servers; nothing where all are.
    pub(super) const fn visible(&self) -> Option<&BTreeSet<Id>> {
        self.servers.as_ref()
    }

    /// Returns the change that the view makes to a column of a table.
    pub(super) fn mask(&self, table: &str, column: &str) -> Mask {
        if let Some(pseudonyms) = &self.pseudonyms {
            if let Some(kind) = kind_of_name(table, column) {
                return Mask::Pseudonym(kind, pseudonyms.clone());
            }
            if may_hold_names(table, column) {
                return Mask::Blank;
            }
        }
        match (&self.servers, table, column) {
            (Some(servers), "denials", "is_true") => Mask::Truth(VisibleGrants::new(servers)),
            (Some(servers), "denials", "granted_by") => Mask::Grants(VisibleGrants::new(servers)),
            _ => Mask::Plain,
        }
    }

    /// Puts the fence above a table. What comes out has the very columns that the table has.
    pub(super) fn fence(&self, scan: TableScan) -> Result<LogicalPlan, DataFusionError> {
        if self.is_everything() {
            return Ok(LogicalPlan::TableScan(scan));
        }
        // Whoever reads a part of the table may leave out what the fence needs.
        if scan.projection.is_some() || !scan.filters.is_empty() || scan.fetch.is_some() {
            return internal_err!("a part of table {} cannot be fenced", scan.table_name);
        }
        let name = scan.table_name.clone();
        let schema = Arc::clone(&scan.projected_schema);
        let mut plan = LogicalPlanBuilder::from(LogicalPlan::TableScan(scan));
        if let Some(servers) = &self.servers {
            let Ok((qualifier, field)) = schema.qualified_field_with_unqualified_name("server_id") else {
                return internal_err!("table {name} does not say of which server its rows are");
            };
            let server = Expr::Column(Column::from((qualifier, field)));
            let visible: Vec<Expr> = servers.iter().map(|server| lit(*server)).collect();
            plan = plan.filter(if visible.is_empty() {
                lit(false)
            } else {
                server.in_list(visible, false)
            })?;
        }
        if let Some(pseudonyms) = &self.pseudonyms {
            let columns = schema.iter().map(|(qualifier, field)| {
                let column = Expr::Column(Column::from((qualifier, field)));
                let shown = match kind_of_name(name.table(), field.name()) {
                    Some(kind) => pseudonyms.function(kind).call(vec![column]),
                    None if may_hold_names(name.table(), field.name()) => lit(ScalarValue::try_from(field.data_type())?),
                    None => return Ok(column),
                };
                Ok(shown.alias_qualified(qualifier.cloned(), field.name()))
            });
            plan = plan.project(columns.collect::<Result<Vec<_>, DataFusionError>>()?)?;
        }
        if let Some(servers) = &self.servers
            && name.table() == Table::Denials.name()
        {
            plan = plan.project(denials_in_sight(&schema, servers)?)?;
        }
        let plan = plan.build()?;
        if plan.schema() != &schema {
            return internal_err!("the fence changed the columns of table {name}");
        }
        Ok(plan)
    }
}

/// A change that the fence makes to a column.
#[derive(Debug, Clone)]
pub(super) enum Mask {
    /// None.
    Plain,
    /// Names become pseudonyms.
    Pseudonym(NameKind, Pseudonyms),
    /// Texts that may hold names become null.
    Blank,
    /// A denial is a true one as far as visible servers tell.
    Truth(VisibleGrants),
    /// Servers that are not visible are left out.
    Grants(VisibleGrants),
}

impl Mask {
    /// The columns that it reads besides its own.
    pub(super) const fn inputs(&self) -> &'static [&'static str] {
        match self {
            Self::Truth(_) => &["reason_class", "granted_by"],
            _ => &[],
        }
    }

    /// Returns the column of a batch as the caller sees it.
    pub(super) fn apply(&self, name: &str, batch: &RecordBatch) -> Result<ArrayRef, DataFusionError> {
        let column = |name: &str| {
            let column = batch.column_by_name(name).cloned();
            column.ok_or_else(|| internal_datafusion_err!("column {name} is missing"))
        };
        Ok(match self {
            Self::Plain => column(name)?,
            Self::Pseudonym(kind, pseudonyms) => pseudonyms.of_column(*kind, &column(name)?)?,
            Self::Blank => new_null_array(column(name)?.data_type(), batch.num_rows()),
            Self::Truth(visible) => Arc::new(visible.truth(&column("reason_class")?, &column("granted_by")?)?),
            Self::Grants(visible) => Arc::new(visible.grants(&column("granted_by")?)?),
        })
    }
}

/// The columns of denials, as a view of some servers shows them.
fn denials_in_sight(schema: &DFSchema, servers: &BTreeSet<Id>) -> Result<Vec<Expr>, DataFusionError> {
    let column = |name: &str| {
        let (qualifier, field) = schema.qualified_field_with_unqualified_name(name)?;
        Ok::<_, DataFusionError>(Expr::Column(Column::from((qualifier, field))))
    };
    let visible = VisibleGrants::new(servers);
    let columns = schema.iter().map(|(qualifier, field)| {
        let shown = match field.name().as_str() {
            "is_true" => visible
                .of_truth()
                .call(vec![column("is_true")?, column("reason_class")?, column("granted_by")?]),
            "granted_by" => visible.of_grants().call(vec![column("granted_by")?]),
            name => return column(name),
        };
        Ok(shown.alias_qualified(qualifier.cloned(), field.name()))
    });
    columns.collect()
}

/// What a column names that not everybody may know. The host of a license server is nobody's.
fn kind_of_name(table: &str, column: &str) -> Option<NameKind> {
    match column {
        "user_name" => Some(NameKind::User),
        "host" | "display" if table != "servers" => Some(NameKind::Host),
        "group_data" => Some(NameKind::Group),
        _ => None,
    }
}

/// Whether a column holds texts of which nobody knows what they say.
fn may_hold_names(table: &str, column: &str) -> bool {
    match table {
        "events" => matches!(column, "handle" | "reason" | "project" | "source"),
        "denials" => column == "reason",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
    use datafusion::sql::parser::DFParserBuilder;

    use super::super::tables::Tables;
    use super::super::{Engine, EngineOptions, bind_tables};
    use super::*;
    use crate::report::{Catalog, ParamType, Request, Scope, Wanted};
    use crate::store::Secret;

    fn views() -> [View; 5] {
        let pseudonyms = || Some(Pseudonyms::new(&Secret::of_bytes([7; 32])));
        let view = |servers: Option<&[Id]>, pseudonyms| View {
            servers: servers.map(|servers| servers.iter().copied().collect()),
            pseudonyms,
        };
        [
            View::everything(),
            view(Some(&[2, 5, 6, 7, 8]), None),
            view(Some(&[]), None),
            view(None, pseudonyms()),
            view(Some(&[2]), pseudonyms()),
        ]
    }

    fn compiled(engine: &Engine, sql: &str) -> LogicalPlan {
        let statement = DFParserBuilder::new(sql).build().unwrap().parse_statements().unwrap().pop_front();
        engine.compile(statement.unwrap()).unwrap()
    }

    /// Checks that every step of a plan says the columns that those below it give. Returns how many tables it reads, and how
    /// many of them with pseudonyms.
    fn check(plan: &LogicalPlan) -> (usize, usize) {
        let (mut tables, mut hidden) = (0, 0);
        plan.apply_with_subqueries(|node| {
            let again = node.clone().recompute_schema()?;
            assert_eq!(again.schema(), node.schema(), "{}", node.display());
            tables += usize::from(matches!(node, LogicalPlan::TableScan(_)));
            hidden += usize::from(matches!(node, LogicalPlan::Projection(_)) && node.display().to_string().contains("pseudonym("));
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        (tables, hidden)
    }

    #[test]
    fn every_table_keeps_its_columns_behind_the_fence() {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let tables = Tables::new(Snapshot::empty(Path::new("/"))).unwrap();
        for view in views() {
            for (name, provider) in tables.providers() {
                let plan = compiled(&engine, &format!("SELECT * FROM {name} AS t"));
                let fenced = bind_tables(plan.clone(), &tables, &view).unwrap();
                assert_eq!(fenced.schema(), plan.schema(), "{name}");
                let has_names = provider.schema().field_with_name("user_name").is_ok();
                let hides = usize::from(has_names && view.pseudonyms.is_some());
                assert_eq!(check(&fenced), (1, hides), "{name}\n{}", fenced.display_indent());
            }
        }
    }

    #[test]
    fn every_report_keeps_its_columns_behind_the_fence() {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let catalog = Catalog::compile(&engine).unwrap();
        let snapshot = Snapshot::empty(Path::new("/"));
        let tables = Tables::new(Arc::clone(&snapshot)).unwrap();
        for report in catalog.reports() {
            let required = report.definition().params.iter().filter(|param| param.required);
            let given = required.map(|param| {
                let value = match param.kind {
                    ParamType::Date => "2026-03-02",
                    ParamType::Time | ParamType::ClosingTime => "09:00",
                    ParamType::Granularity => "DAY",
                    ParamType::Features => "all",
                    kind => panic!("{kind:?}"),
                };
                (param.name.clone(), value.to_owned())
            });
            let given: Vec<(String, String)> = given.collect();
            for view in views() {
                let scope = Scope {
                    snapshot: &snapshot,
                    view: &view,
                    now: 0,
                    calendars: &crate::report::Calendars::default(),
                    whole: true,
                };
                let request = Request::parse(report.definition(), &given, scope).unwrap();
                let columns = request.columns(report.definition()).into_iter().map(|column| column.name).collect();
                let plan = report.plan(&request, &Wanted { columns, rows: None }).unwrap();
                let name = &report.definition().name;
                let fenced = bind_tables(plan.clone(), &tables, &view).unwrap();
                assert_eq!(fenced.schema(), plan.schema(), "{name}");
                assert_eq!(check(&fenced).0, check(&plan).0, "{name}");
                engine.state.optimize(&fenced).unwrap();
            }
        }
    }

    #[test]
    fn the_fence_hides_no_bounds_from_the_tables_and_reads_no_more_columns() {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let tables = Tables::new(Snapshot::empty(Path::new("/"))).unwrap();
        let plan = compiled(
            &engine,
            "SELECT licenses FROM denials WHERE at >= TIMESTAMP '2026-03-02' AND feature_id = 3",
        );
        let [.., view] = views();
        let optimized = engine.state.optimize(&bind_tables(plan, &tables, &view).unwrap()).unwrap();
        let mut scans = Vec::new();
        optimized
            .apply(|node| {
                if let LogicalPlan::TableScan(scan) = node {
                    let filters: Vec<String> = scan.filters.iter().map(ToString::to_string).collect();
                    let columns: Vec<&String> = scan.projected_schema.fields().iter().map(|field| field.name()).collect();
                    scans.push(format!("{columns:?} {filters:?}"));
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .unwrap();
        let [scan] = &scans[..] else { panic!("{scans:?}") };
        assert!(scan.starts_with(r#"["at", "server_id", "feature_id", "licenses"]"#), "{scan}");
        assert!(
            scan.contains("denials.at >= ") && scan.contains("denials.feature_id = ") && scan.contains("denials.server_id = "),
            "{scan}"
        );
    }

    #[test]
    fn a_part_of_a_table_is_no_table() {
        let tables = Tables::new(Snapshot::empty(Path::new("/"))).unwrap();
        let source = datafusion::datasource::provider_as_source(tables.provider("denials").unwrap());
        let [everything, view, ..] = views();
        let part = LogicalPlanBuilder::scan("denials", source, Some(vec![0])).unwrap().build().unwrap();
        let LogicalPlan::TableScan(part) = part else { panic!("{part}") };
        assert!(everything.fence(part.clone()).is_ok());
        assert!(view.fence(part).unwrap_err().to_string().contains("denials"));
    }
}
