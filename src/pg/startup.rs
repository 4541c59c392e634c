//! How a connection begins: encryption is declined, settings are read, and whoever it is shows a token.
//!
//! The invariant: nobody asks anything before it is known who it is, and nobody takes long to say so.

use std::net::SocketAddr;
use std::sync::Arc;

use pgwire::messages::PgWireBackendMessage as Reply;
use pgwire::messages::startup::{Authentication, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, SecretKey};

use super::Server;
use super::cancel::Place;
use super::error::PgError;
use super::message::{self, Opening};
use super::settings::Settings;
use super::wire::Wire;
use crate::access::{Caller, Role};
use crate::token;

/// How long the first message may be.
const OPENING_BYTES: usize = 10_000;
/// How long a password may be, in its message.
const PASSWORD_BYTES: usize = 1000;
/// How often it may be asked whether there is encryption, in one way or another.
const MOST_QUESTIONS: usize = 2;

/// A client that is let in.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) settings: Settings,
    pub(super) badge: Badge,
    pub(super) place: Place,
}

/// Who somebody is: what was shown, and from where.
#[derive(Debug)]
pub(super) struct Badge {
    peer: SocketAddr,
    password: Option<Password>,
}

/// What was shown as a password. It is not shown again.
struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(secret)")
    }
}

impl Badge {
    /// Who this is now: tokens come and go while a connection lasts.
    pub(super) fn check(&self, server: &Server) -> Result<Caller, PgError> {
        let snapshot = server.app.snapshot()?;
        let grants = snapshot.grants();
        let caller = match &self.password {
            _ if grants.is_empty() => self
                .peer
                .ip()
                .to_canonical()
                .is_loopback()
                .then(Caller::local)
                .ok_or_else(|| PgError::fatal("28000", "the store has no token; only callers on this machine are answered"))?,
            None => return Err(unknown()),
            Some(Password(shown)) => {
                let known = token::find(shown, grants.iter().map(|grant| &grant.hash)).and_then(|place| grants.get(place));
                let grant = known.ok_or_else(unknown)?;
                Caller::new(&grant.name, grant.access.clone())
            }
        };
        let role = caller.access().role();
        if role.may_query() {
            return Ok(caller);
        }
        let (role, needed) = (role.name(), Role::Analyst.name());
        Err(PgError::fatal(
            "42501",
            format!("a token with the role {role} may not write queries; accepted: {needed}"),
        ))
    }
}

fn unknown() -> PgError {
    PgError::fatal("28P01", "password authentication failed; the password is a token of the store")
}

/// Lets a client in. Nothing where it came for something else, or went away.
pub(super) async fn welcome(server: &Arc<Server>, wire: &mut Wire, peer: SocketAddr) -> Result<Option<Guest>, PgError> {
    let mut questions = 0;
    let (minor, given) = loop {
        let Some(opening) = wire.opening(OPENING_BYTES).await? else {
            return Ok(None);
        };
        match Opening::read(opening)? {
            Opening::Encryption if questions < MOST_QUESTIONS => {
                questions += 1;
                wire.decline();
                wire.flush().await?;
            }
            Opening::Encryption => return Ok(None),
            Opening::Cancel { pid, key } => {
                server.board.cancel(pid, key);
                return Ok(None);
            }
            Opening::Startup { minor, settings } => break (minor, settings),
        }
    };
    if server.stopping.is_cancelled() {
        return Err(super::session::stopping());
    }
    let place = server.board.join()?;
    // What is not known of a later version is said to be so.
    let options: Vec<String> = given
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| name.starts_with("_pq_."))
        .collect();
    if minor > 0 || !options.is_empty() {
        wire.put(&Reply::NegotiateProtocolVersion(NegotiateProtocolVersion::new(0, options)))?;
    }
    let mut badge = Badge { peer, password: None };
    if !server.app.snapshot()?.grants().is_empty() {
        wire.put(&Reply::Authentication(Authentication::CleartextPassword))?;
        wire.flush().await?;
        let Some((kind, content)) = wire.next(PASSWORD_BYTES).await? else {
            return Ok(None);
        };
        badge.password = Some(Password(message::password(kind, content)?));
    }
    let caller = badge.check(server)?;
    tracing::debug!(who = %caller.name(), %peer, "a PostgreSQL client is let in");
    let settings = Settings::of_startup(&given);
    wire.put(&Reply::Authentication(Authentication::Ok))?;
    for (name, value) in settings.told() {
        wire.put(&Reply::ParameterStatus(ParameterStatus::new(name.to_owned(), value)))?;
    }
    let (pid, key) = place.pid_and_key();
    wire.put(&Reply::BackendKeyData(BackendKeyData::new(pid, SecretKey::I32(key))))?;
    Ok(Some(Guest { settings, badge, place }))
}
