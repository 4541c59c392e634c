//! One server, one feature: what sources name less exactly is taken for the feature that is used.
//!
//! ```text
//!   log of the daemon acmed:       flex01/acmed  solver  (no version)      checkouts, denials
//!   capacity, from somewhere else: flex01        solver  2026.1            ─▶ flex01/acmed solver
//! ```
//!
//! Runs keep the events as their sources named them; the events of a day have the aliases resolved. The invariant: aliases follow from
//! the features that all imports name, and from which of them are used, in whatever order they came.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::StoreError;
use super::catalog::{Change, Reading};
use super::facts::DayFacts;
use super::registry::{Feature, Registry};
use super::rows::{EventRows, Id};

/// The features that are taken for others, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Aliases {
    /// The server and the feature that each is taken for.
    targets: BTreeMap<Id, (Id, Id)>,
    /// The servers that these features were named with.
    servers: BTreeSet<Id>,
}

impl Aliases {
    /// Works out the aliases of a registry, some of whose features are used: something else than a `capacity` names them.
    pub(crate) fn of(registry: &Registry, used: &BTreeSet<Id>) -> Self {
        let mut by_name: BTreeMap<(&str, &str), Vec<Named<'_>>> = BTreeMap::new();
        for feature in registry.features() {
            let Ok(place) = registry.servers().binary_search_by_key(&feature.server, |server| server.id) else {
                continue;
            };
            let server = &registry.servers()[place];
            by_name.entry((&server.name, &feature.name)).or_default().push(Named {
                feature,
                daemon: &server.daemon,
                is_used: used.contains(&feature.id),
            });
        }
        let mut aliases = Self::default();
        for same_name in by_name.into_values().filter(|same| same.len() > 1) {
            for named in &same_name {
                if let Some(target) = named.target(&same_name) {
                    aliases.add(named.feature, target);
                }
            }
        }
        aliases.follow();
        aliases
    }

    /// Takes a feature whose target is taken for another one for that one.
    fn follow(&mut self) {
        let known = self.targets.clone();
        for target in self.targets.values_mut() {
            if let Some(next) = known.get(&target.1) {
                *target = *next;
            }
        }
    }

    fn add(&mut self, feature: &Feature, target: &Feature) {
        self.targets.insert(feature.id, (target.server, target.id));
        self.servers.insert(feature.server);
    }

    /// Returns whether a feature is taken for another one.
    pub(crate) fn hides(&self, feature: Id) -> bool {
        self.targets.contains_key(&feature)
    }

    /// Returns whether these aliases hold all of others.
    pub(crate) fn keep(&self, others: &Self) -> bool {
        others
            .targets
            .iter()
            .all(|(feature, target)| self.targets.get(feature) == Some(target))
    }

    /// Returns whether a day may have events of a feature that is taken for another one.
    pub(crate) fn touch(&self, facts: &DayFacts) -> bool {
        self.servers.iter().any(|server| facts.servers.contains_key(server))
    }

    /// Resolves the aliases in the events of a day. An event that both names tell is one event.
    pub(crate) fn resolve(&self, events: EventRows) -> EventRows {
        if self.targets.is_empty() || !events.rows.iter().any(|row| self.hides(row.feature)) {
            return events;
        }
        let (mut moved, kept): (Vec<_>, Vec<_>) = events.rows.into_iter().partition(|row| self.hides(row.feature));
        for row in &mut moved {
            if let Some((server, feature)) = self.targets.get(&row.feature) {
                (row.server, row.feature) = (*server, *feature);
            }
        }
        let mut moved = EventRows {
            rows: moved,
            strings: events.strings.clone(),
        };
        moved.sort();
        let mut resolved = EventRows {
            rows: kept,
            strings: events.strings,
        };
        resolved.merge(&moved);
        resolved
    }
}

/// A feature as a source named it.
struct Named<'a> {
    feature: &'a Feature,
    daemon: &'a str,
    is_used: bool,
}

impl Named<'_> {
    /// Returns the feature that it is taken for; none where it stands for itself.
    fn target<'a>(&self, same_name: &'a [Named<'a>]) -> Option<&'a Feature> {
        let others = || {
            same_name
                .iter()
                .filter(|other| other.feature.id != self.feature.id && other.is_used)
        };
        if self.daemon.is_empty() {
            // Without a daemon, it is the one of the only daemon that has the feature.
            let daemons: BTreeSet<&str> = same_name
                .iter()
                .map(|other| other.daemon)
                .filter(|daemon| !daemon.is_empty() && (self.feature.vendor.is_empty() || *daemon == self.feature.vendor))
                .collect();
            if let (Some(daemon), 1) = (daemons.first(), daemons.len()) {
                return self.version_of(others().filter(|other| other.daemon == *daemon));
            }
        }
        if self.is_used {
            return None;
        }
        self.version_of(others().filter(|other| other.daemon == self.daemon))
    }

    /// Returns the feature of the same version; else the only one whose version, or its own, is not told.
    fn version_of<'a>(&self, others: impl Iterator<Item = &'a Named<'a>>) -> Option<&'a Feature> {
        let version = &self.feature.version;
        let fitting: Vec<&Feature> = others
            .map(|other| other.feature)
            .filter(|other| other.version == *version || other.version.is_empty() || version.is_empty())
            .collect();
        let same = fitting.iter().find(|other| other.version == *version);
        match (same, &fitting[..]) {
            (Some(same), _) => Some(same),
            (None, [only]) => Some(only),
            _ => None,
        }
    }
}

impl Reading<'_> {
    /// The aliases that the events of all days have resolved.
    pub(crate) fn aliases(&self) -> Result<Aliases, StoreError> {
        let sql = "SELECT a.feature_id, f.server_id, a.target_id, t.server_id
                   FROM aliases a JOIN features f ON f.id = a.feature_id JOIN features t ON t.id = a.target_id";
        let mut statement = self.0.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut aliases = Aliases::default();
        while let Some(row) = rows.next()? {
            aliases.targets.insert(row.get(0)?, (row.get(3)?, row.get(2)?));
            aliases.servers.insert(row.get(1)?);
        }
        Ok(aliases)
    }
}

impl Change<'_> {
    /// Notes the aliases that the events of all days have resolved now.
    pub(crate) fn replace_aliases(&self, aliases: &Aliases) -> Result<(), StoreError> {
        self.0.execute("DELETE FROM aliases", [])?;
        let mut insert = self.0.prepare("INSERT INTO aliases (feature_id, target_id) VALUES (?1, ?2)")?;
        for (feature, (_, target)) in &aliases.targets {
            insert.execute(params![feature, target])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `daemon version vendor`, with a star where it is used; returns what each is taken for, by place.
    fn targets(features: &[&str]) -> Vec<Option<usize>> {
        let mut registry = Registry::default();
        let mut used = BTreeSet::new();
        let ids: Vec<Id> = features
            .iter()
            .map(|text| {
                let parts: Vec<&str> = text.trim_end_matches('*').split('/').collect();
                let server = registry.server("flex01", parts[0]);
                let id = registry.feature(server, "solver", parts[1], parts[2]);
                if text.ends_with('*') {
                    used.insert(id);
                }
                id
            })
            .collect();
        let aliases = Aliases::of(&registry, &used);
        let place = |id: &Id| {
            aliases
                .targets
                .get(id)
                .and_then(|(_, target)| ids.iter().position(|id| id == target))
        };
        ids.iter().map(place).collect()
    }

    #[test]
    fn a_feature_without_a_daemon_is_that_of_the_only_daemon() {
        assert_eq!(targets(&["acmed//*", "//"]), [None, Some(0)]);
        assert_eq!(targets(&["//", "acmed//*"]), [Some(1), None]);
        assert_eq!(targets(&["acmed//*", "/2026.1/"]), [None, Some(0)]);
        assert_eq!(targets(&["acmed//*", "//*"]), [None, Some(0)]);
        assert_eq!(targets(&["acmed//*", "bmed//*", "//"]), [None, None, None]);
        assert_eq!(targets(&["acmed//*", "bmed//*", "//bmed"]), [None, None, Some(1)]);
        assert_eq!(targets(&["acmed//*", "//Acme Inc"]), [None, None]);
    }

    #[test]
    fn a_capacity_makes_no_second_feature_beside_the_one_that_is_used() {
        assert_eq!(targets(&["/2026.1/*", "//"]), [None, Some(0)]);
        assert_eq!(targets(&["//*", "/2026.1/"]), [None, Some(0)]);
        assert_eq!(targets(&["/1.0/*", "/2.0/*", "//"]), [None, None, None]);
        assert_eq!(targets(&["/1.0/*", "/2.0/"]), [None, None]);
        assert_eq!(targets(&["/1.0/*", "/2.0/*"]), [None, None]);
    }
}
