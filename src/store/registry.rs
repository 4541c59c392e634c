//! Servers and features by name: ids that never change.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::names::{precedes, says_more};
use super::rows::Id;
use super::strings::same;

/// A license server; for a server with several vendor daemons, one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its number, from one.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The vendor daemon; empty where the source knows none.
    pub daemon: String,
    /// The license manager, like "FlexNet"; empty where the source does not say.
    pub manager: String,
}

impl Server {
    /// Its name, or `name/daemon` where it has a daemon.
    pub(crate) fn full_name(&self) -> String {
        if self.daemon.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.name, self.daemon)
        }
    }
}

/// A feature of a license server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Its number, from one.
    pub id: Id,
    /// Its server's number.
    pub server: Id,
    /// Its name.
    pub name: String,
    /// Its version; empty where the source knows none.
    pub version: String,
    /// Its vendor; empty where the source knows none.
    pub vendor: String,
    /// The features it consists of, separated by blanks; empty for what is no package.
    pub package: String,
}

/// All servers and features, found by name without building a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    servers: Vec<Server>,
    features: Vec<Feature>,
    servers_by_name: HashTable<usize>,
    features_by_name: HashTable<usize>,
    /// The place of the server that was last asked for.
    last_server: usize,
}

impl Registry {
    /// A registry of what the catalog knows; numbers go on from there.
    pub(crate) fn new(servers: Vec<Server>, features: Vec<Feature>) -> Self {
        let mut registry = Self::default();
        for server in servers {
            let hash = FxBuildHasher.hash_one((&*server.name, &*server.daemon));
            let place = registry.servers.len();
            registry.servers.push(server);
            registry.servers_by_name.insert_unique(hash, place, server_hash(&registry.servers));
        }
        for feature in features {
            let hash = FxBuildHasher.hash_one((feature.server, &*feature.name, &*feature.version));
            let place = registry.features.len();
            registry.features.push(feature);
            registry
                .features_by_name
                .insert_unique(hash, place, feature_hash(&registry.features));
        }
        registry
    }

    /// The number of a server, new or known.
    pub(crate) fn server(&mut self, name: &str, daemon: &str) -> Id {
        let Self {
            servers,
            servers_by_name,
            last_server,
            ..
        } = self;
        if let Some(last) = servers.get(*last_server)
            && same(&last.name, name)
            && same(&last.daemon, daemon)
        {
            return last.id;
        }
        let hash = FxBuildHasher.hash_one((name, daemon));
        let is_it = |place: &usize| same(&servers[*place].name, name) && same(&servers[*place].daemon, daemon);
        match servers_by_name.entry(hash, is_it, server_hash(servers)) {
            Entry::Occupied(known) => {
                *last_server = *known.get();
                servers[*last_server].id
            }
            Entry::Vacant(vacant) => {
                vacant.insert(servers.len());
                let id = servers.last().map_or(1, |server| server.id + 1);
                servers.push(Server {
                    id,
                    name: name.to_owned(),
                    daemon: daemon.to_owned(),
                    manager: String::new(),
                });
                id
            }
        }
    }

    /// The number of a feature, new or known. Of several vendors the first by name counts.
    pub(crate) fn feature(&mut self, server: Id, name: &str, version: &str, vendor: &str) -> Id {
        let Self {
            features,
            features_by_name,
            ..
        } = self;
        let hash = FxBuildHasher.hash_one((server, name, version));
        let is_it = |place: &usize| {
            let feature = &features[*place];
            feature.server == server && same(&feature.name, name) && same(&feature.version, version)
        };
        match features_by_name.entry(hash, is_it, feature_hash(features)) {
            Entry::Occupied(known) => {
                let feature = &mut features[*known.get()];
                if !same(&feature.vendor, vendor) && precedes(vendor, &feature.vendor) {
                    vendor.clone_into(&mut feature.vendor);
                }
                feature.id
            }
            Entry::Vacant(vacant) => {
                vacant.insert(features.len());
                let id = features.last().map_or(1, |feature| feature.id + 1);
                features.push(Feature {
                    id,
                    server,
                    name: name.to_owned(),
                    version: version.to_owned(),
                    vendor: vendor.to_owned(),
                    package: String::new(),
                });
                id
            }
        }
    }

    /// Returns the vendor daemons of a license server that have a feature, in order of their names.
    pub(crate) fn daemons_of(&self, server: &str, feature: &str) -> Vec<String> {
        let of_name = self.servers.iter().filter(|known| known.name == server && !known.daemon.is_empty());
        let has_it = |id: Id| self.features.iter().any(|known| known.server == id && known.name == feature);
        let mut daemons: Vec<String> = of_name.filter(|known| has_it(known.id)).map(|known| known.daemon.clone()).collect();
        daemons.sort_unstable();
        daemons
    }

    /// Says which license manager a server runs. Of several the first by name counts.
    pub(crate) fn set_manager(&mut self, server: Id, manager: &str) {
        let last = self.servers.get(self.last_server);
        if last.is_some_and(|last| last.id == server && same(&last.manager, manager)) {
            return;
        }
        if let Some(server) = self.servers.iter_mut().find(|known| known.id == server)
            && precedes(manager, &server.manager)
        {
            manager.clone_into(&mut server.manager);
        }
    }

    /// Says what a package consists of. Of several lists the longest counts.
    pub(crate) fn set_package(&mut self, feature: Id, components: &str) {
        if let Some(feature) = self.features.iter_mut().find(|known| known.id == feature)
            && says_more(components, &feature.package)
        {
            components.clone_into(&mut feature.package);
        }
    }

    /// All servers, by number.
    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// All features, by number.
    pub(crate) fn features(&self) -> &[Feature] {
        &self.features
    }

    /// A number for each name: features of one name share it, whichever server serves them.
    pub(crate) fn name_of_feature(&self) -> FxHashMap<Id, u32> {
        let mut names = super::strings::Strings::new();
        self.features
            .iter()
            .map(|feature| (feature.id, names.intern(&feature.name)))
            .collect()
    }
}

fn server_hash(servers: &[Server]) -> impl Fn(&usize) -> u64 + '_ {
    |place| FxBuildHasher.hash_one((&*servers[*place].name, &*servers[*place].daemon))
}

fn feature_hash(features: &[Feature]) -> impl Fn(&usize) -> u64 + '_ {
    |place| {
        let feature = &features[*place];
        FxBuildHasher.hash_one((feature.server, &*feature.name, &*feature.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let mut registry = Registry::default();
        let server = registry.server("flex01", "adskflex");
        assert_eq!(registry.server("flex01", "MLM"), server + 1);
        let feature = registry.feature(server, "MAP", "1.0", "");
        assert_eq!(registry.feature(server, "MAP", "2.0", ""), feature + 1);
        let mut again = Registry::new(registry.servers().to_vec(), registry.features().to_vec());
        assert_eq!(again.server("flex01", "adskflex"), server);
        assert_eq!(again.feature(server, "MAP", "1.0", "Autodesk"), feature);
        assert_eq!(again.features()[0].vendor, "Autodesk");
        assert_eq!(again.feature(server + 1, "MAP", "1.0", ""), feature + 2);
    }
}
