//! The tokens of a store: hashes, and what whoever shows them may see and do.
//!
//! They are in the catalog alone, so that they change while somebody else imports; a token that is revoked opens nothing from
//! that moment on.

use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::StoreError;
use super::catalog::{Catalog, Change, Reading, unreadable};
use crate::access::{Access, Names, Role};
use crate::time::Micros;

/// How long the name of a token may be.
pub(super) const MOST_CHARACTERS: usize = 100;

/// What the store keeps of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The name it is listed and revoked by.
    pub name: String,
    /// The SHA-256 of the token.
    pub hash: [u8; 32],
    /// What its bearer may see and do.
    pub access: Access,
    /// When it was made.
    pub created: Micros,
}

/// The tokens of a store.
#[derive(Debug)]
pub struct Tokens {
    catalog: Catalog,
}

impl Tokens {
    /// Opens the tokens of a store.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] without a store.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            catalog: Catalog::open(root)?,
        })
    }

    /// All tokens, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// When the catalog cannot be read.
    pub fn all(&mut self) -> Result<Vec<Grant>, StoreError> {
        self.catalog.read()?.grants()
    }

    /// Adds a token. The license servers that it is to see must be known, unless the store knows none yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::TokenTaken`] if the name is in use, [`StoreError::TokenName`] if it is none,
    /// [`StoreError::ServerUnknown`] for a server that is not there.
    pub fn put(&mut self, grant: &Grant) -> Result<(), StoreError> {
        let change = self.catalog.change()?;
        change.put_token(grant)?;
        change.commit()
    }

    /// Removes a token.
    ///
    /// # Errors
    ///
    /// [`StoreError::TokenUnknown`] if there is none of that name.
    pub fn delete(&mut self, name: &str) -> Result<(), StoreError> {
        let change = self.catalog.change()?;
        change.delete_token(name)?;
        change.commit()
    }
}

impl Reading<'_> {
    /// All tokens, in the order in which they were made.
    pub(crate) fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        let mut grants = self
            .0
            .prepare("SELECT name, hash, created, role, servers, names FROM tokens ORDER BY id")?;
        let grants = grants.query_map([], |row| {
            // What cannot be understood opens nothing: an error, rather than a guess.
            let (role, servers, names): (String, Option<String>, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
            let role = Role::from_name(&role).ok_or_else(|| unreadable(3, format!("no role is called {role:?}")))?;
            let names = Names::from_name(&names).ok_or_else(|| unreadable(5, format!("names are not {names:?}")))?;
            let servers = servers.map(|servers| serde_json::from_str(&servers)).transpose();
            let servers = servers.map_err(|error| unreadable(4, error.to_string()))?;
            Ok(Grant {
                name: row.get(0)?,
                hash: row.get(1)?,
                access: Access::new(role, servers, names),
                created: row.get(2)?,
            })
        })?;
        Ok(grants.collect::<Result<_, _>>()?)
    }
}

impl Change<'_> {
    fn put_token(&self, grant: &Grant) -> Result<(), StoreError> {
        let Grant {
            name,
            hash,
            access,
            created,
        } = grant;
        if name.is_empty() || name.chars().count() > MOST_CHARACTERS || name.chars().any(char::is_control) {
            return Err(StoreError::TokenName {
                name: name.chars().take(MOST_CHARACTERS).collect(),
            });
        }
        let taken = self
            .0
            .query_row("SELECT 1 FROM tokens WHERE name = ?1", [name], |_| Ok(()))
            .optional()?;
        if taken.is_some() {
            return Err(StoreError::TokenTaken { name: name.clone() });
        }
        let known = self.server_names()?;
        let stranger = access.servers().unwrap_or_default().iter().find(|server| !known.contains(server));
        if let (Some(stranger), false) = (stranger, known.is_empty()) {
            return Err(StoreError::ServerUnknown {
                name: stranger.clone(),
                known,
            });
        }
        let servers = access.servers().map(|servers| serde_json::to_string(servers).unwrap_or_default());
        let insert = "INSERT INTO tokens (name, hash, created, role, servers, names) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (role, names) = (access.role().name(), access.names().name());
        self.0.execute(insert, params![name, hash, created, role, servers, names])?;
        Ok(())
    }

    fn delete_token(&self, name: &str) -> Result<(), StoreError> {
        match self.0.execute("DELETE FROM tokens WHERE name = ?1", [name])? {
            0 => Err(StoreError::TokenUnknown { name: name.to_owned() }),
            _ => Ok(()),
        }
    }

    fn server_names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.0.prepare("SELECT DISTINCT name FROM servers ORDER BY name")?;
        let names = names.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}
