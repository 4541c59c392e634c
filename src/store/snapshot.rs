//! What a store holds at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::catalog::Catalog;
use super::facts::{FactsByDay, Instants};
use super::lock::{Gate, ReaderLease};
use super::partition::{self, PartitionFile};
use super::quality::Doubts;
use super::registry::{Feature, Server};
use super::rows::Id;
use super::secret::Secret;
use super::tokens::Grant;
use crate::event::Table;
use crate::time::{Day, Micros, Zone};

/// A consistent view of a store: it never changes, and the files it names exist for as long as it does.
#[derive(Debug)]
pub struct Snapshot {
    root: PathBuf,
    zone: Zone,
    generation: u64,
    servers: Vec<ServerState>,
    features: Vec<FeatureState>,
    files: [BTreeMap<Day, PartitionFile>; Table::COUNT],
    grants: Vec<Grant>,
    secret: Secret,
    pub(super) doubts: Doubts,
    fingerprint: [u8; 32],
    pub(super) in_use: OnceLock<BTreeMap<Id, u64>>,
    _lease: Option<ReaderLease>,
}

/// A license server and what is known of it.
#[derive(Debug, Clone)]
pub struct ServerState {
    /// The server.
    pub server: Server,
    /// When it was up: half-open intervals, in order.
    pub uptime: Vec<(Micros, Micros)>,
    /// The first instant known of it.
    pub first: Option<Micros>,
    /// The last instant known of it.
    pub last: Option<Micros>,
    /// The last thing known is that it went down.
    pub down: bool,
}

/// A feature and what is known of it.
#[derive(Debug, Clone)]
pub struct FeatureState {
    /// The feature.
    pub feature: Feature,
    /// The latest total of licenses.
    pub total: Option<i32>,
    /// The last day of its license.
    pub expires: Option<Day>,
}

impl Snapshot {
    /// The view of a store that does not exist yet.
    #[must_use]
    pub fn empty(root: &Path) -> Arc<Self> {
        Arc::new(Self {
            root: root.to_owned(),
            zone: Zone::UTC,
            generation: 0,
            servers: Vec::new(),
            features: Vec::new(),
            files: Default::default(),
            grants: Vec::new(),
            secret: Secret::of_bytes([0; 32]),
            doubts: Doubts::default(),
            fingerprint: [0; 32],
            in_use: OnceLock::new(),
            _lease: None,
        })
    }

    /// Takes a snapshot. The gate is closed meanwhile, so that nobody deletes a file between reading its name and saying
    /// that it is needed.
    pub(crate) fn take(root: &Path, catalog: &mut Catalog) -> Result<Arc<Self>, StoreError> {
        let gate = Gate::close(root)?;
        let reading = catalog.read()?;
        let generation = reading.generation()?;
        let lease = gate.lease(generation)?;
        let mut files: [BTreeMap<Day, PartitionFile>; Table::COUNT] = Default::default();
        for file in reading.files()? {
            files[file.table as usize].insert(file.day, file);
        }
        let secret = reading.secret()?;
        let fingerprint = fingerprint(generation, reading.zone()?, &secret, &files);
        let registry = reading.registry()?;
        let facts = reading.facts()?;
        let marks = reading.marks(&BTreeSet::new())?.of_known(&registry);
        let aliases = reading.aliases()?;
        // A server all of whose features are taken for those of another daemon is none of its own.
        let is_alias = |server: &Server| {
            let mut of_server = registry.features().iter().filter(|feature| feature.server == server.id).peekable();
            of_server.peek().is_some()
                && of_server.all(|feature| aliases.hides(feature.id))
                && !facts.values().any(|day| day.servers.contains_key(&server.id))
        };
        let servers = registry.servers().iter().filter(|server| !is_alias(server));
        let states = servers.map(|server| server_state(server, &facts, &marks));
        let features: Vec<Feature> = registry
            .features()
            .iter()
            .filter(|feature| !aliases.hides(feature.id))
            .cloned()
            .collect();
        Ok(Arc::new(Self {
            root: root.to_owned(),
            zone: reading.zone()?,
            generation,
            servers: states.collect(),
            features: feature_states(&features, &facts),
            files,
            grants: reading.grants()?,
            secret,
            doubts: Doubts::read(&reading)?,
            fingerprint,
            in_use: OnceLock::new(),
            _lease: Some(lease),
        }))
    }

    /// Where the store lies.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The zone whose days the partitions are.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        self.zone
    }

    /// A number that grows with every change of the store.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// All license servers, by number.
    #[must_use]
    pub fn servers(&self) -> &[ServerState] {
        &self.servers
    }

    /// The license server of a number.
    #[must_use]
    pub fn server(&self, id: Id) -> Option<&ServerState> {
        let place = self.servers.binary_search_by_key(&id, |state| state.server.id).ok()?;
        self.servers.get(place)
    }

    /// All features, by number.
    #[must_use]
    pub fn features(&self) -> &[FeatureState] {
        &self.features
    }

    /// The feature of a number.
    #[must_use]
    pub fn feature(&self, id: Id) -> Option<&FeatureState> {
        let place = self.features.binary_search_by_key(&id, |state| state.feature.id).ok()?;
        self.features.get(place)
    }

    /// The partition files of a table, by day.
    #[must_use]
    pub fn files(&self, table: Table) -> &BTreeMap<Day, PartitionFile> {
        &self.files[table as usize]
    }

    /// The rows of a partition file, some ten thousand at a time.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or is no file of its table.
    pub fn read(&self, file: &PartitionFile) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>>, StoreError> {
        partition::read(&self.root, file)
    }

    /// All tokens, and what they open.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// What tells what it holds from anything else a store held.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The secret of the store.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// A store that is made anew may come to the same generation: the checksums of its files tell the two apart, and
/// where names are hidden, its secret.
fn fingerprint(generation: u64, zone: Zone, secret: &Secret, files: &[BTreeMap<Day, PartitionFile>; Table::COUNT]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(generation.to_be_bytes());
    hash.update(zone.name());
    hash.update(secret.bytes());
    for file in files.iter().flat_map(BTreeMap::values) {
        hash.update(file.checksum);
    }
    hash.finalize().into()
}

/// Folds the facts of all days into what is known of a server.
fn server_state(server: &Server, facts: &FactsByDay, marks: &Instants) -> ServerState {
    let of_server = || facts.values().filter_map(|day| day.servers.get(&server.id));
    let first = of_server().map(|facts| facts.first).min();
    let mark = marks.get(&server.id).and_then(BTreeSet::last).copied();
    let last = of_server().map(|facts| facts.last).max().map(|last| mark.unwrap_or(last).max(last));
    let mut uptime = Vec::new();
    let mut changes = facts.values().flat_map(|facts| facts.changes(server.id)).peekable();
    // Up since when: before the first change, a server that goes down first was up since it is known, and so was one
    // that never changes.
    let mut up_since = match changes.peek() {
        Some(change) if change.up => None,
        _ => first,
    };
    let mut down = false;
    for change in changes {
        match (up_since, change.up) {
            (None, true) => up_since = Some(change.at),
            (Some(since), false) => {
                uptime.push((since, change.at));
                up_since = None;
            }
            _ => {}
        }
        down = !change.up;
    }
    if let (Some(since), Some(last)) = (up_since, last) {
        uptime.push((since, last));
    }
    uptime.retain(|(start, end)| start < end);
    ServerState {
        server: server.clone(),
        uptime,
        first,
        last,
        down,
    }
}

fn feature_states(features: &[Feature], facts: &FactsByDay) -> Vec<FeatureState> {
    let mut states: Vec<FeatureState> = features
        .iter()
        .map(|feature| FeatureState {
            feature: feature.clone(),
            total: None,
            expires: None,
        })
        .collect();
    // Days and the changes within one come in order: the last word stays.
    for change in facts.values().flat_map(|day| &day.capacities) {
        if let Ok(place) = states.binary_search_by_key(&change.feature, |state| state.feature.id) {
            states[place].total = Some(change.total);
            states[place].expires = change.expires.map(Day).or(states[place].expires);
        }
    }
    states
}
