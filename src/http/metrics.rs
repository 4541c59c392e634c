//! Metrics over HTTP: what was counted, and what the process, the store and its licenses are like now.
//!
//! The invariant: of features and license servers a caller reads only those that it sees, by name; of users and hosts, nothing.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};
use tracing::Span;

use super::error::chain;
use super::{ApiError, Shared};
use crate::access::Access;
use crate::app::App;
use crate::engine::View;
use crate::event::Table;
use crate::metrics::{self, Exposition, Readings};
use crate::store::Snapshot;

/// Answers a scrape.
pub(super) async fn get(State(shared): State<Shared>, access: Access, headers: HeaderMap) -> Result<Response, ApiError> {
    let exposition = accepted(&headers);
    let span = Span::current();
    // The first scrape after an import reads files.
    let told = tokio::task::spawn_blocking(move || {
        span.in_scope(|| {
            let mut readings = Readings::default();
            let snapshot = shared.app.snapshot()?;
            // How much there is, and what is done with it, tells of servers that are hidden.
            if access.servers().is_some() {
                read_licenses(&mut readings, &snapshot, &View::of(&access, &snapshot));
                return readings.write(exposition).map_err(|error| ApiError::internal(&error));
            }
            read_process(&mut readings);
            read_queries(&mut readings, &shared.app);
            read_store(&mut readings, &snapshot, &View::of(&access, &snapshot));
            tell(&shared.app, &readings, exposition)
        })
    });
    let text = told.await.map_err(|error| ApiError::internal(&error))??;
    Ok(([(header::CONTENT_TYPE, exposition.media_type())], text).into_response())
}

fn tell(app: &App, readings: &Readings, exposition: Exposition) -> Result<String, ApiError> {
    let written = app.metrics().write(readings, exposition);
    written.map_err(|error| ApiError::internal(&error))
}

/// What a scraper that names the newer format gets; everybody else gets the older one.
fn accepted(headers: &HeaderMap) -> Exposition {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    if accepted.any(|accept| accept.contains("application/openmetrics-text")) {
        Exposition::OpenMetrics
    } else {
        Exposition::Text
    }
}

fn read_process(readings: &mut Readings) {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let labels = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("profile", profile.to_owned())];
    readings.counts("headroom_build_info", "The program, always 1", std::iter::once((labels, 1)));
    let (Ok(id), Ok(mut system)) = (get_current_pid(), System::new()) else {
        return;
    };
    let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, wanted);
    let Some(process) = system.process(id) else {
        return;
    };
    readings.count("process_resident_memory_bytes", "Memory of the process", process.memory());
    let seconds = process.accumulated_cpu_time() as f64 / 1e3;
    readings.counter("process_cpu_seconds", "Time on processors that the process took", seconds);
    if let Some(files) = process.open_files() {
        readings.count("process_open_fds", "File descriptors that the process has open", files as u64);
    }
    readings.counter(
        "headroom_panics",
        "Panics of the process; each ended what it happened in",
        metrics::panics() as f64,
    );
    let help = "When the process was started, in seconds since 1970";
    readings.count("process_start_time_seconds", help, process.start_time());
}

fn read_queries(readings: &mut Readings, app: &App) {
    let queries = app.queries();
    let (waiting, running) = queries.counts();
    readings.count("headroom_queries_waiting", "Queries that wait until they may run", waiting as u64);
    readings.count("headroom_queries_running", "Queries that run", running as u64);
    let ended = queries.ended().into_iter().map(|(state, count)| (state.name(), count));
    readings.counters("headroom_queries", "Queries that ended, by outcome", "outcome", ended);
    let (used, limit) = app.memory();
    readings.count("headroom_query_memory_bytes", "Memory that queries have taken", used);
    readings.count("headroom_query_memory_limit_bytes", "Memory that queries may take together", limit);
    let help = "What the queries that run have put on the disk";
    readings.count("headroom_query_spill_bytes", help, queries.spilled());
}

fn read_store(readings: &mut Readings, snapshot: &Snapshot, view: &View) {
    let of_tables = |value: fn(&Snapshot, Table) -> u64| {
        Table::ALL
            .into_iter()
            .map(move |table| ([("table", table.name().to_owned())], value(snapshot, table)))
    };
    let bytes = |snapshot: &Snapshot, table| snapshot.files(table).values().map(|file| file.bytes).sum();
    let rows = |snapshot: &Snapshot, table| snapshot.files(table).values().map(|file| file.rows).sum();
    let files = |snapshot: &Snapshot, table| snapshot.files(table).len() as u64;
    readings.counts("headroom_store_bytes", "Bytes of live files by table", of_tables(bytes));
    readings.counts("headroom_store_files", "Live files by table", of_tables(files));
    readings.counts("headroom_store_rows", "Rows of live files by table", of_tables(rows));
    let days = snapshot.files(Table::Events).len() as u64;
    readings.count("headroom_store_days", "Days that have events", days);
    let help = "A number that grows with every change of the store";
    readings.count("headroom_store_generation", help, snapshot.generation());
    read_licenses(readings, snapshot, view);
}

fn read_licenses(readings: &mut Readings, snapshot: &Snapshot, view: &View) {
    let visible = || snapshot.servers().iter().filter(|state| view.sees(state.server.id));
    if let Some(last) = visible().filter_map(|state| state.last).max() {
        let help = "The last instant known of any visible license server, in seconds since 1970";
        readings.gauge("headroom_store_latest_timestamp_seconds", help, last as f64 / 1e6);
    }
    let mut servers: BTreeMap<&str, bool> = BTreeMap::new();
    for state in visible() {
        *servers.entry(&state.server.name).or_default() |= !state.down;
    }
    let up = servers.into_iter().map(|(name, up)| ([("app", name.to_owned())], u64::from(up)));
    let help = "Whether a license server is up: 0 where the last thing known of it, and of all its daemons, is that it went down";
    readings.counts("flexlm_server_status", help, up);
    read_features(readings, snapshot, view);
}

/// What is told of a feature. Those of several daemons of one license server that have one name and version are one: scrapers
/// know nothing of daemons.
#[derive(Default)]
struct Licenses {
    /// Nothing where it is not known of all of them.
    issued: Option<u64>,
    used: u64,
}

fn read_features(readings: &mut Readings, snapshot: &Snapshot, view: &View) {
    let in_use = snapshot.in_use();
    if let Err(error) = &in_use {
        tracing::error!(error = %chain(error), "licenses in use are not known");
    }
    let mut features: BTreeMap<[&str; 3], Licenses> = BTreeMap::new();
    for state in snapshot.features().iter().filter(|state| view.sees(state.feature.server)) {
        let Some(server) = snapshot.server(state.feature.server) else {
            continue;
        };
        let issued = state.total.map(|total| u64::from(total.unsigned_abs()));
        let used = in_use.as_ref().ok().and_then(|in_use| in_use.get(&state.feature.id)).copied();
        let used = used.unwrap_or_default();
        features
            .entry([&server.server.name, &state.feature.name, &state.feature.version])
            .and_modify(|known| {
                known.issued = known.issued.zip(issued).map(|(known, more)| known + more);
                known.used += used;
            })
            .or_insert(Licenses { issued, used });
    }
    let labels = |[app, name, version]: &[&str; 3]| {
        [
            ("app", (*app).to_owned()),
            ("name", (*name).to_owned()),
            ("version", (*version).to_owned()),
        ]
    };
    let issued = features
        .iter()
        .filter_map(|(names, licenses)| Some((labels(names), licenses.issued?)));
    let help = "Licenses of a feature (name, version) that a license server (app) has; no sample where that is not known";
    readings.counts("flexlm_feature_issued", help, issued);
    if in_use.is_ok() {
        let used = features.iter().map(|(names, licenses)| (labels(names), licenses.used));
        let help = "Licenses of a feature (name, version) in use at the last instant known of its license server (app)";
        readings.counts("flexlm_feature_used", help, used);
    }
}
