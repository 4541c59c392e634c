//! Access: what a caller may see and do.
//!
//! Everybody who asks has an [`Access`]: that of the token that was shown, or everything, for the command line and for callers
//! on the machine of a store without tokens. What it hides does not exist for its caller: see `engine::View`.

use std::sync::Arc;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Imports, makes and revokes tokens, and does all that the others do.
    Admin,
    /// Writes queries of its own, and reads reports.
    Analyst,
    /// Reads reports.
    Viewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Analyst, Self::Viewer];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::Viewer => "viewer",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it may take files into the store.
    #[must_use]
    pub const fn may_import(self) -> bool {
        matches!(self, Self::Admin)
    }

    /// Whether it may list, make and revoke tokens.
    #[must_use]
    pub const fn may_manage_tokens(self) -> bool {
        matches!(self, Self::Admin)
    }

    /// Whether it may write queries of its own.
    #[must_use]
    pub const fn may_query(self) -> bool {
        matches!(self, Self::Admin | Self::Analyst)
    }
}

/// How users and hosts are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Names {
    /// As they were recorded.
    Plain,
    /// By names that are always the same and say nothing.
    Pseudonym,
}

impl Names {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Pseudonym];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Pseudonym => "pseudonym",
        }
    }

    /// The way of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|names| names.name() == name)
    }
}

/// What a caller may see and do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Access {
    role: Role,
    servers: Option<Arc<[String]>>,
    names: Names,
}

impl Access {
    /// An access to the license servers of these names, with all their daemons, or to every server there ever is.
    #[must_use]
    pub fn new(role: Role, servers: Option<Vec<String>>, names: Names) -> Self {
        let servers = servers.map(|mut servers| {
            servers.sort_unstable();
            servers.dedup();
            servers.into()
        });
        Self { role, servers, names }
    }

    /// May do and see all there is.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            role: Role::Admin,
            servers: None,
            names: Names::Plain,
        }
    }

    /// What the caller may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The names of the license servers that the caller sees; nothing where it sees all.
    #[must_use]
    pub fn servers(&self) -> Option<&[String]> {
        self.servers.as_deref()
    }

    /// How the caller sees users and hosts.
    #[must_use]
    pub const fn names(&self) -> Names {
        self.names
    }

    /// Whether the caller sees the license server of a name.
    #[must_use]
    pub fn sees(&self, server: &str) -> bool {
        self.servers().is_none_or(|servers| servers.iter().any(|known| known == server))
    }

    /// Whether it sees all that another one sees, and names as plainly.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let servers = match (self.servers(), other.servers()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(others)) => others.iter().all(|server| self.sees(server)),
        };
        servers && (self.names == Names::Plain || other.names == Names::Pseudonym)
    }
}

/// Who asks: a name to call it by, and what it may see and do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: Arc<str>,
    access: Access,
}

impl Caller {
    /// Whoever holds the token of that name.
    #[must_use]
    pub fn new(name: &str, access: Access) -> Self {
        Self { name: name.into(), access }
    }

    /// Somebody on the machine of the store, without a token.
    #[must_use]
    pub fn local() -> Self {
        Self::new("local", Access::everything())
    }

    /// What to call it by.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it may see and do.
    #[must_use]
    pub const fn access(&self) -> &Access {
        &self.access
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(servers: Option<&[&str]>, names: Names) -> Access {
        let servers = servers.map(|servers| servers.iter().map(|server| (*server).to_owned()).collect());
        Access::new(Role::Viewer, servers, names)
    }

    #[test]
    fn a_server_is_seen_by_its_whole_name() {
        let access = of(Some(&["flex02", "flex01", "flex02"]), Names::Plain);
        assert_eq!(access.servers().unwrap(), ["flex01", "flex02"]);
        assert!(access.sees("flex01") && !access.sees("flex0") && !access.sees("flex011") && !access.sees("FLEX01"));
        assert!(!of(Some(&[]), Names::Plain).sees("flex01"));
        assert!(Access::everything().sees("whatever comes"));
    }

    #[test]
    fn nobody_covers_more_than_is_seen() {
        let (all, one) = (of(None, Names::Plain), of(Some(&["flex01"]), Names::Plain));
        let (hidden, one_hidden) = (of(None, Names::Pseudonym), of(Some(&["flex01"]), Names::Pseudonym));
        assert!(all.covers(&one) && all.covers(&hidden) && one.covers(&one_hidden) && one.covers(&one));
        assert!(!one.covers(&all) && !hidden.covers(&one) && !one.covers(&hidden) && !one_hidden.covers(&one));
        assert!(!one.covers(&of(Some(&["flex01", "flex02"]), Names::Plain)));
    }

    #[test]
    fn roles_may_what_they_are_for() {
        let may = |role: Role| (role.may_import(), role.may_manage_tokens(), role.may_query());
        assert_eq!(
            Role::ALL.map(may),
            [(true, true, true), (false, false, true), (false, false, false)]
        );
        assert!(Role::ALL.iter().all(|role| Role::from_name(role.name()) == Some(*role)));
        assert!(Names::ALL.iter().all(|names| Names::from_name(names.name()) == Some(*names)));
        assert_eq!((Role::from_name("Admin"), Names::from_name("")), (None, None));
    }
}
