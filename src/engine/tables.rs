//! The public schema: the tables that SQL sees.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::Result;

use super::partitions::Partitions;
use crate::event::{Table, instant_type};
use crate::store::Snapshot;

/// The tables of one snapshot.
#[derive(Debug)]
pub(super) struct Tables {
    snapshot: Arc<Snapshot>,
    providers: Vec<(&'static str, Arc<dyn TableProvider>)>,
}

impl Tables {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Result<Self> {
        let mut providers: Vec<(&'static str, Arc<dyn TableProvider>)> = Vec::new();
        for table in Table::ALL.into_iter().filter(|table| table.public()) {
            providers.push((table.name(), Arc::new(Partitions::new(table, Arc::clone(&snapshot)))));
        }
        for (name, batch) in [
            ("servers", servers(&snapshot)?),
            ("features", features(&snapshot)?),
            ("uptime", uptime(&snapshot)?),
        ] {
            let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
            providers.push((name, Arc::new(table)));
        }
        Ok(Self { snapshot, providers })
    }

    pub(super) const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    pub(super) fn provider(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let found = self.providers.iter().find(|(known, _)| *known == name);
        found.map(|(_, provider)| Arc::clone(provider))
    }

    pub(super) fn providers(&self) -> impl Iterator<Item = (&'static str, Arc<dyn TableProvider>)> + '_ {
        self.providers.iter().map(|(name, provider)| (*name, Arc::clone(provider)))
    }
}

fn batch(columns: Vec<(&str, bool, ArrayRef)>) -> std::result::Result<RecordBatch, ArrowError> {
    let field = |(name, nullable, array): &(&str, bool, ArrayRef)| Field::new(*name, array.data_type().clone(), *nullable);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, _, array)| array).collect())
}

/// `servers(server_id, name, vendor, zone, host, port, description, manager, gathering, status, has_features)`
fn servers(snapshot: &Snapshot) -> std::result::Result<RecordBatch, ArrowError> {
    let all = snapshot.servers();
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let has_features = |id| snapshot.features().iter().any(|feature| feature.feature.server == id);
    batch(vec![
        (
            "server_id",
            false,
            Arc::new(all.iter().map(|state| Some(state.server.id)).collect::<Int32Array>()),
        ),
        (
            "name",
            false,
            Arc::new(all.iter().map(|state| Some(&*state.server.name)).collect::<StringArray>()),
        ),
        (
            "vendor",
            true,
            Arc::new(all.iter().map(|state| known(&state.server.daemon)).collect::<StringArray>()),
        ),
        (
            "zone",
            false,
            Arc::new(all.iter().map(|_| Some(snapshot.zone().name())).collect::<StringArray>()),
        ),
        ("host", true, arrow::array::new_null_array(&DataType::Utf8, all.len())),
        ("port", true, arrow::array::new_null_array(&DataType::Int32, all.len())),
        ("description", true, arrow::array::new_null_array(&DataType::Utf8, all.len())),
        (
            "manager",
            true,
            Arc::new(all.iter().map(|state| known(&state.server.manager)).collect::<StringArray>()),
        ),
        (
            "gathering",
            false,
            Arc::new(all.iter().map(|_| Some("Imported")).collect::<StringArray>()),
        ),
        (
            "status",
            false,
            Arc::new(
                all.iter()
                    .map(|state| Some(if state.down { "OFFLINE" } else { "ONLINE" }))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "redundant",
            false,
            Arc::new(all.iter().map(|_| Some(false)).collect::<BooleanArray>()),
        ),
        (
            "has_features",
            false,
            Arc::new(
                all.iter()
                    .map(|state| Some(has_features(state.server.id)))
                    .collect::<BooleanArray>(),
            ),
        ),
    ])
}

/// `features(feature_id, server_id, name, version, vendor, type, total, expires, package)`
fn features(snapshot: &Snapshot) -> std::result::Result<RecordBatch, ArrowError> {
    let all = snapshot.features();
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    batch(vec![
        (
            "feature_id",
            false,
            Arc::new(all.iter().map(|state| Some(state.feature.id)).collect::<Int32Array>()),
        ),
        (
            "server_id",
            false,
            Arc::new(all.iter().map(|state| Some(state.feature.server)).collect::<Int32Array>()),
        ),
        (
            "name",
            false,
            Arc::new(all.iter().map(|state| Some(&*state.feature.name)).collect::<StringArray>()),
        ),
        (
            "version",
            true,
            Arc::new(all.iter().map(|state| known(&state.feature.version)).collect::<StringArray>()),
        ),
        (
            "vendor",
            true,
            Arc::new(all.iter().map(|state| known(&state.feature.vendor)).collect::<StringArray>()),
        ),
        (
            "type",
            false,
            Arc::new(all.iter().map(|_| Some("Floating")).collect::<StringArray>()),
        ),
        ("total", true, Arc::new(all.iter().map(|state| state.total).collect::<Int32Array>())),
        (
            "expires",
            true,
            Arc::new(all.iter().map(|state| state.expires.map(|day| day.0)).collect::<Date32Array>()),
        ),
        (
            "package",
            true,
            Arc::new(all.iter().map(|state| known(&state.feature.package)).collect::<StringArray>()),
        ),
    ])
}

/// `uptime(server_id, started, ended)`
fn uptime(snapshot: &Snapshot) -> std::result::Result<RecordBatch, ArrowError> {
    let intervals = || {
        snapshot
            .servers()
            .iter()
            .flat_map(|state| state.uptime.iter().map(|interval| (state.server.id, *interval)))
    };
    let instants = |values: TimestampMicrosecondArray| -> ArrayRef { Arc::new(values.with_data_type(instant_type())) };
    batch(vec![
        (
            "server_id",
            false,
            Arc::new(intervals().map(|(server, _)| Some(server)).collect::<Int32Array>()),
        ),
        (
            "started",
            false,
            instants(intervals().map(|(_, (started, _))| Some(started)).collect()),
        ),
        ("ended", false, instants(intervals().map(|(_, (_, ended))| Some(ended)).collect())),
    ])
}
