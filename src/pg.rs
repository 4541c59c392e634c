//! The wire of PostgreSQL: queries from psql, drivers and dashboards, with the fences of SQL over HTTP.
//!
//! ```text
//!   socket ─▶ wire (frames, limits) ─▶ startup (token) ─▶ session ─▶ App::sql_rows ─▶ columns ─▶ rows, piece by piece
//!                                           │                └─▶ settings, transactions, cursors: nothing that is stored
//!   another socket ─▶ cancel ───────────────┴──▶ stops what runs
//! ```
//!
//! `pgwire` writes messages and `arrow-pg` the values in them. Connections are ours: what a client may make the server hold or wait
//! for has an end, and what nobody waits for any more is stopped, which a library of handlers leaves open.

mod answer;
mod cancel;
mod columns;
mod command;
mod copy;
mod error;
mod message;
mod portal;
mod session;
mod settings;
mod startup;
mod value;
mod wire;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pgwire::messages::PgWireBackendMessage as Reply;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::cancel::Switchboard;
use self::error::PgError;
use self::session::Session;
use self::wire::Wire;
use crate::app::App;
use crate::http::{ServeError, check_exposure};

/// How many sessions there may be.
pub const MOST_SESSIONS: usize = 200;
/// How many more connections there may be: those that have not said what they want, and those that stop others.
const MOST_ARRIVING: usize = 50;
/// How long a client may take to say who it is.
const ARRIVAL: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer, where no other limit is set.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait when the system has no more sockets.
const BREATH: Duration = Duration::from_millis(100);

/// What all sessions share.
#[derive(Debug)]
struct Server {
    app: Arc<App>,
    board: Arc<Switchboard>,
    stopping: CancellationToken,
    patience: Duration,
}

/// Answers clients until `stopping` is said; then finishes what has begun, for at most `grace`.
///
/// # Errors
///
/// [`ServeError::Open`] when it would answer anybody from anywhere.
pub async fn serve(app: Arc<App>, listener: TcpListener, stopping: CancellationToken, grace: Duration) -> Result<(), ServeError> {
    check_exposure(&app, listener.local_addr()?)?;
    let patience = app.queries().options().patience.unwrap_or(PATIENCE);
    let server = Arc::new(Server {
        app,
        board: Switchboard::new(MOST_SESSIONS),
        stopping: stopping.clone(),
        patience,
    });
    let mut connections = JoinSet::new();
    let mut arrivals = Arrivals::default();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let arrival = arrivals.next();
                    connections.spawn(attend(Arc::clone(&server), socket, peer, arrival));
                }
                Err(error) => {
                    tracing::warn!(%error, "a PostgreSQL client could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stopping.cancelled() => break,
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!("stopped with PostgreSQL clients still waiting for answers");
    }
    Ok(())
}

/// Connections that have not said who they are, the oldest first.
#[derive(Debug, Default)]
struct Arrivals(VecDeque<CancellationToken>);

impl Arrivals {
    /// One more. Where there are too many, the one that took longest is turned away.
    fn next(&mut self) -> CancellationToken {
        // Whoever was let in has cancelled its own.
        self.0.retain(|arrival| !arrival.is_cancelled());
        if self.0.len() >= MOST_ARRIVING
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.cancel();
        }
        let arrival = CancellationToken::new();
        self.0.push_back(arrival.clone());
        arrival
    }
}

/// Attends to one connection until it ends, or until its arrival is called off.
async fn attend(server: Arc<Server>, socket: TcpStream, peer: SocketAddr, arrival: CancellationToken) {
    let Ok(mut wire) = Wire::new(socket, server.patience) else {
        return;
    };
    let welcomed = tokio::select! {
        biased;
        welcomed = tokio::time::timeout(ARRIVAL, startup::welcome(&server, &mut wire, peer)) => welcomed,
        () = arrival.cancelled() => {
            tracing::debug!(%peer, "a PostgreSQL client is turned away: too many have not said who they are");
            return;
        }
    };
    arrival.cancel();
    match welcomed {
        Ok(Ok(Some(guest))) => Session::new(server, wire, guest).serve().await,
        Ok(Ok(None)) => wire.close().await,
        Ok(Err(error)) => {
            tracing::debug!(%error, %peer, "a PostgreSQL client is not let in");
            let _told = wire.put(&Reply::ErrorResponse(error.response()));
            wire.close().await;
        }
        Err(_elapsed) => {
            let error = PgError::fatal("08006", "it took too long to say who is there");
            let _told = wire.put(&Reply::ErrorResponse(error.response()));
            wire.close().await;
        }
    }
}
