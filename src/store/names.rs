//! The servers and features that an import names, and what all imports together say of them.
//!
//! The invariant: what the registry says of a server or feature follows from the imports that name it, in whatever order they came. Of
//! several managers or vendors the first by name counts, of several packages the longest.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::catalog::{Change, Reading, unreadable};
use super::registry::{Feature, Registry, Server};
use super::rows::Id;

/// What an import names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    /// Servers, and their license managers as far as the import says.
    servers: BTreeMap<Id, String>,
    /// Features, and their vendors and packages as far as the import says.
    features: BTreeMap<Id, (String, String)>,
    /// Features that something else than a `capacity` names.
    #[serde(default)]
    used: BTreeSet<Id>,
}

/// Names while events come in, by the million.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    servers: BTreeMap<Id, String>,
    /// By the feature's number.
    features: Vec<Option<(String, String)>>,
    /// Whether something else than a `capacity` named it, likewise.
    used: Vec<bool>,
}

impl Naming {
    pub(crate) fn server(&mut self, id: Id, manager: &str) {
        let known = self.servers.entry(id).or_default();
        if precedes(manager, known) {
            manager.clone_into(known);
        }
    }

    pub(crate) fn feature(&mut self, id: Id, vendor: &str) {
        let known = &mut self.of_feature(id).0;
        if precedes(vendor, known) {
            vendor.clone_into(known);
        }
    }

    /// Notes that something else than a `capacity` names a feature.
    pub(crate) fn used(&mut self, id: Id) {
        let place = usize::try_from(id).unwrap_or_default();
        if self.used.len() <= place {
            self.used.resize(place + 1, false);
        }
        self.used[place] = true;
    }

    /// The features that something else than a `capacity` names.
    pub(crate) fn all_used(&self) -> impl Iterator<Item = Id> + '_ {
        let used = (0..).zip(&self.used);
        used.filter_map(|(id, used)| used.then_some(id))
    }

    pub(crate) fn package(&mut self, id: Id, components: &str) {
        let known = &mut self.of_feature(id).1;
        if says_more(components, known) {
            components.clone_into(known);
        }
    }

    fn of_feature(&mut self, id: Id) -> &mut (String, String) {
        let place = usize::try_from(id).unwrap_or_default();
        if self.features.len() <= place {
            self.features.resize(place + 1, None);
        }
        self.features[place].get_or_insert_default()
    }

    /// All that was named.
    pub(crate) fn finish(self) -> Names {
        let used = self.all_used().collect();
        let features = (0..).zip(self.features);
        Names {
            used,
            servers: self.servers,
            features: features.filter_map(|(id, named)| Some((id, named?))).collect(),
        }
    }
}

/// Whether a name takes the place of one that is known.
pub(crate) fn precedes(name: &str, known: &str) -> bool {
    !name.is_empty() && (known.is_empty() || name < known)
}

/// Whether a list of components takes the place of one that is known.
pub(crate) fn says_more(components: &str, known: &str) -> bool {
    (components.len(), known) > (known.len(), components)
}

impl Names {
    fn add(&mut self, other: Self) {
        self.used.extend(other.used);
        for (id, manager) in other.servers {
            let known = self.servers.entry(id).or_default();
            if precedes(&manager, known) {
                *known = manager;
            }
        }
        for (id, (vendor, components)) in other.features {
            let known = self.features.entry(id).or_default();
            if precedes(&vendor, &known.0) {
                known.0 = vendor;
            }
            if says_more(&components, &known.1) {
                known.1 = components;
            }
        }
    }
}

impl Reading<'_> {
    /// What all imports name together, without one of them.
    fn names_without(&self, import: i64) -> Result<Names, StoreError> {
        let mut statement = self.0.prepare(
            "SELECT names FROM name_sets WHERE id IN (SELECT name_set FROM imports WHERE undone IS NULL AND id <> ?1 AND name_set IS NOT NULL)",
        )?;
        let mut rows = statement.query([import])?;
        let mut names = Names::default();
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            names.add(serde_json::from_str(&text).map_err(|error| unreadable(0, error.to_string()))?);
        }
        Ok(names)
    }

    /// The features that something else than a `capacity` names, without one import. Of what was imported before that was noted, all
    /// features count.
    pub(crate) fn used_features_without(&self, import: i64) -> Result<BTreeSet<Id>, StoreError> {
        let lasting: Id = self.meta("lasting_features")?.parse().unwrap_or_default();
        let mut used = self.names_without(import)?.used;
        used.extend(1..=lasting);
        Ok(used)
    }

    /// The registry without what only one import names.
    pub(crate) fn registry_without(&self, import: i64) -> Result<Registry, StoreError> {
        let names = self.names_without(import)?;
        let lasting = |key: &str| -> Result<Id, StoreError> { Ok(self.meta(key)?.parse().unwrap_or_default()) };
        let (lasting_servers, lasting_features) = (lasting("lasting_servers")?, lasting("lasting_features")?);
        let all = self.registry()?;
        let server = |server: &Server| {
            let manager = names.servers.get(&server.id);
            let lasts = server.id <= lasting_servers;
            (lasts || manager.is_some()).then(|| Server {
                manager: manager.filter(|_| !lasts).unwrap_or(&server.manager).clone(),
                ..server.clone()
            })
        };
        let feature = |feature: &Feature| {
            let named = names.features.get(&feature.id);
            let lasts = feature.id <= lasting_features;
            (lasts || named.is_some()).then(|| {
                let mut feature = feature.clone();
                if let Some((vendor, package)) = named.filter(|_| !lasts) {
                    vendor.clone_into(&mut feature.vendor);
                    package.clone_into(&mut feature.package);
                }
                feature
            })
        };
        Ok(Registry::new(
            all.servers().iter().filter_map(server).collect(),
            all.features().iter().filter_map(feature).collect(),
        ))
    }
}

impl Change<'_> {
    /// Notes what an import names.
    pub(crate) fn put_names(&self, import: i64, names: &Names) -> Result<(), StoreError> {
        let text = serde_json::to_string(names).unwrap_or_default();
        let known: Option<i64> = self
            .0
            .query_row("SELECT id FROM name_sets WHERE names = ?1", [&text], |row| row.get(0))
            .optional()?;
        let set = match known {
            Some(set) => set,
            None => {
                self.0.execute("INSERT INTO name_sets (names) VALUES (?1)", [&text])?;
                self.0.last_insert_rowid()
            }
        };
        self.0
            .execute("UPDATE imports SET name_set = ?2 WHERE id = ?1", params![import, set])?;
        Ok(())
    }

    /// Makes the registry the one that is given: what it lacks is forgotten.
    pub(crate) fn replace_registry(&self, before: &Registry, after: &Registry) -> Result<(), StoreError> {
        let features: BTreeSet<Id> = after.features().iter().map(|kept| kept.id).collect();
        for feature in before.features().iter().filter(|feature| !features.contains(&feature.id)) {
            self.0.execute("DELETE FROM features WHERE id = ?1", [feature.id])?;
        }
        let servers: BTreeSet<Id> = after.servers().iter().map(|kept| kept.id).collect();
        for server in before.servers().iter().filter(|server| !servers.contains(&server.id)) {
            self.0.execute("DELETE FROM import_servers WHERE server_id = ?1", [server.id])?;
            self.0.execute("DELETE FROM servers WHERE id = ?1", [server.id])?;
        }
        self.put_registry(after)
    }
}
