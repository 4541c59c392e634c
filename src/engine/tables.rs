//! The public schema: the tables that SQL sees.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use datafusion::common::plan_datafusion_err;
use datafusion::datasource::MemTable;
use datafusion::error::{DataFusionError, Result};

use super::EngineError;
use super::fenced::{FencedTable, fenced_list};
use super::partitions::{Partitions, day_field};
use super::plans::Plans;
use super::view::View;
use crate::event::{Table, TableColumn, instant_type};
use crate::store::{FeatureState, Id, ServerState, Snapshot};
use crate::time::Micros;

/// A table that SQL sees, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicTable {
    /// Its name.
    pub name: &'static str,
    /// What its rows are, in one line.
    pub meaning: &'static str,
    /// Its columns, in order.
    pub columns: Vec<TableColumn>,
}

/// A table that is not kept by days: few rows, made of what the snapshot knows.
struct List {
    name: &'static str,
    meaning: &'static str,
    columns: fn(&Snapshot) -> Vec<ListColumn>,
}

/// A column with its rows.
struct ListColumn {
    name: &'static str,
    nullable: bool,
    meaning: &'static str,
    rows: ArrayRef,
}

const LISTS: [List; 3] = [
    List {
        name: "servers",
        meaning: "license servers; one with several vendor daemons has a row for each",
        columns: servers,
    },
    List {
        name: "features",
        meaning: "features of license servers, each version by itself",
        columns: features,
    },
    List {
        name: "uptime",
        meaning: "when license servers were up, one row an interval",
        columns: uptime,
    },
];

/// Every table that SQL sees.
#[must_use]
pub fn public_tables() -> Vec<PublicTable> {
    let by_day = Table::ALL.into_iter().filter(|table| table.public()).map(|table| {
        let day = TableColumn {
            field: day_field().as_ref().clone(),
            meaning: "the calendar day, in the store's zone, that the row is of; it chooses the files that are read",
        };
        PublicTable {
            name: table.name(),
            meaning: table.meaning(),
            columns: table.columns().into_iter().chain([day]).collect(),
        }
    });
    let nothing = Snapshot::empty(Path::new("/"));
    let lists = LISTS.iter().map(|list| {
        let columns = (list.columns)(&nothing).into_iter().map(|column| TableColumn {
            field: column.field(),
            meaning: column.meaning,
        });
        PublicTable {
            name: list.name,
            meaning: list.meaning,
            columns: columns.collect(),
        }
    });
    by_day.chain(lists).collect()
}

/// The names of the tables that are not kept by days.
pub fn list_names() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|list| list.name)
}

/// The rows of a table that is not kept by days.
///
/// # Errors
///
/// When there is no such table.
pub fn list_rows(name: &str, snapshot: &Snapshot) -> std::result::Result<RecordBatch, EngineError> {
    match LISTS.iter().find(|list| list.name == name) {
        Some(list) => Ok(list.rows(snapshot).map_err(DataFusionError::from)?),
        None => Err(plan_datafusion_err!("there is no table {name}").into()),
    }
}

impl List {
    fn rows(&self, snapshot: &Snapshot) -> std::result::Result<RecordBatch, ArrowError> {
        let columns = (self.columns)(snapshot);
        let schema = Schema::new(columns.iter().map(ListColumn::field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|column| column.rows).collect())
    }
}

impl ListColumn {
    fn field(&self) -> Field {
        Field::new(self.name, self.rows.data_type().clone(), self.nullable)
    }
}

/// The tables of one snapshot.
#[derive(Debug)]
pub(super) struct Tables {
    snapshot: Arc<Snapshot>,
    providers: Vec<(&'static str, Arc<dyn TableProvider>)>,
    plans: Plans,
}

impl Tables {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Result<Self> {
        let mut providers: Vec<(&'static str, Arc<dyn TableProvider>)> = Vec::new();
        for table in Table::ALL.into_iter().filter(|table| table.public()) {
            providers.push((table.name(), Arc::new(Partitions::new(table, Arc::clone(&snapshot)))));
        }
        for list in &LISTS {
            let batch = list.rows(&snapshot)?;
            let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
            providers.push((list.name, Arc::new(table)));
        }
        Ok(Self {
            snapshot,
            providers,
            plans: Plans::new(),
        })
    }

    pub(super) const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The plans that asked for them.
    pub(super) const fn plans(&self) -> &Plans {
        &self.plans
    }

    pub(super) fn provider(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let found = self.providers.iter().find(|(known, _)| *known == name);
        found.map(|(_, provider)| Arc::clone(provider))
    }

    /// Returns a table as a view shows it, behind a barrier.
    pub(super) fn fenced(&self, name: &str, view: &View) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(list) = LISTS.iter().find(|list| list.name == name) {
            return fenced_list(&list.rows(&self.snapshot)?, view).map(Some);
        }
        let table = Table::from_name(name).filter(|table| table.public());
        Ok(table.map(|table| Arc::new(FencedTable::new(table, Arc::clone(&self.snapshot), view.clone())) as Arc<dyn TableProvider>))
    }

    pub(super) fn providers(&self) -> impl Iterator<Item = (&'static str, Arc<dyn TableProvider>)> + '_ {
        self.providers.iter().map(|(name, provider)| (*name, Arc::clone(provider)))
    }
}

const fn required(name: &'static str, meaning: &'static str, rows: ArrayRef) -> ListColumn {
    ListColumn {
        name,
        nullable: false,
        meaning,
        rows,
    }
}

const fn optional(name: &'static str, meaning: &'static str, rows: ArrayRef) -> ListColumn {
    ListColumn {
        name,
        nullable: true,
        meaning,
        rows,
    }
}

/// A text that is not known is null.
fn known(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn servers(snapshot: &Snapshot) -> Vec<ListColumn> {
    let all = snapshot.servers();
    let has_features = |id| snapshot.features().iter().any(|feature| feature.feature.server == id);
    let texts = |text: fn(&ServerState) -> Option<String>| -> ArrayRef { Arc::new(all.iter().map(text).collect::<StringArray>()) };
    let unknown = |kind: DataType| arrow::array::new_null_array(&kind, all.len());
    let numbers: Int32Array = all.iter().map(|state| Some(state.server.id)).collect();
    let zones: StringArray = all.iter().map(|_| Some(snapshot.zone().name())).collect();
    let redundant: BooleanArray = all.iter().map(|_| Some(false)).collect();
    let has_features: BooleanArray = all.iter().map(|state| Some(has_features(state.server.id))).collect();
    vec![
        required("server_id", "its number, which never changes", Arc::new(numbers)),
        required("name", "its name", texts(|state| Some(state.server.name.clone()))),
        optional("vendor", "the vendor daemon", texts(|state| known(&state.server.daemon))),
        required("zone", "the zone of the store's days", Arc::new(zones)),
        optional("host", "the host it runs on", unknown(DataType::Utf8)),
        optional("port", "the port it listens on", unknown(DataType::Int32)),
        optional("description", "what somebody says of it", unknown(DataType::Utf8)),
        optional(
            "manager",
            "the license manager, like FlexNet",
            texts(|state| known(&state.server.manager)),
        ),
        required(
            "gathering",
            "how its usage comes in: `Imported`",
            texts(|_| Some("Imported".to_owned())),
        ),
        required(
            "status",
            "`OFFLINE` when the last thing known of it is that it went down, else `ONLINE`",
            texts(|state| Some(if state.down { "OFFLINE" } else { "ONLINE" }.to_owned())),
        ),
        required("redundant", "whether it is one of a redundant set", Arc::new(redundant)),
        required("has_features", "whether any feature is known of it", Arc::new(has_features)),
    ]
}

fn features(snapshot: &Snapshot) -> Vec<ListColumn> {
    let all = snapshot.features();
    let texts = |text: fn(&FeatureState) -> Option<String>| -> ArrayRef { Arc::new(all.iter().map(text).collect::<StringArray>()) };
    let numbers: Int32Array = all.iter().map(|state| Some(state.feature.id)).collect();
    let servers: Int32Array = all.iter().map(|state| Some(state.feature.server)).collect();
    let totals: Int32Array = all.iter().map(|state| state.total).collect();
    let expires: Date32Array = all.iter().map(|state| state.expires.map(|day| day.0)).collect();
    vec![
        required("feature_id", "its number, which never changes", Arc::new(numbers)),
        required("server_id", "its license server, by its number in `servers`", Arc::new(servers)),
        required("name", "its name", texts(|state| Some(state.feature.name.clone()))),
        optional("version", "its version", texts(|state| known(&state.feature.version))),
        optional(
            "vendor",
            "its vendor, or the vendor's daemon",
            texts(|state| known(&state.feature.vendor)),
        ),
        required("type", "how it is licensed: `Floating`", texts(|_| Some("Floating".to_owned()))),
        optional("total", "how many licenses there are, as last told", Arc::new(totals)),
        optional("expires", "the last day of its license, as last told", Arc::new(expires)),
        optional(
            "package",
            "the features that a package consists of, with blanks between",
            texts(|state| known(&state.feature.package)),
        ),
    ]
}

fn uptime(snapshot: &Snapshot) -> Vec<ListColumn> {
    let all = snapshot.servers().iter();
    let intervals: Vec<(Id, (Micros, Micros))> = all
        .flat_map(|state| state.uptime.iter().map(|interval| (state.server.id, *interval)))
        .collect();
    let instants = |instant: fn(&(Id, (Micros, Micros))) -> Micros| -> ArrayRef {
        let instants: TimestampMicrosecondArray = intervals.iter().map(|interval| Some(instant(interval))).collect();
        Arc::new(instants.with_data_type(instant_type()))
    };
    let servers: Int32Array = intervals.iter().map(|(server, _)| Some(*server)).collect();
    vec![
        required("server_id", "the license server, by its number in `servers`", Arc::new(servers)),
        required("started", "since when it was up", instants(|(_, (started, _))| *started)),
        required("ended", "until when, not included", instants(|(_, (_, ended))| *ended)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_and_column_means_something_and_is_what_sql_sees() {
        let tables = Tables::new(Snapshot::empty(Path::new("/"))).unwrap();
        let told = public_tables();
        assert_eq!(told.len(), tables.providers().count());
        for ((name, provider), table) in tables.providers().zip(&told) {
            assert_eq!(name, table.name);
            let fields: Vec<&Field> = table.columns.iter().map(|column| &column.field).collect();
            assert_eq!(
                provider.schema().fields().iter().map(AsRef::as_ref).collect::<Vec<&Field>>(),
                fields
            );
            for meaning in table.columns.iter().map(|column| column.meaning).chain([table.meaning]) {
                assert!(
                    !meaning.is_empty() && !meaning.contains(['\n', '|']) && !meaning.ends_with('.'),
                    "{name}: {meaning:?}"
                );
            }
        }
    }
}
