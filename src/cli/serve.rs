//! `headroom serve`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::doors::DoorArgs;
use super::limits::LimitArgs;
use super::{StoreArgs, calendars, say};
use crate::app::{App, AppOptions};
use crate::telemetry::LogFormat;
use crate::{http, metrics, pg};

/// How long a stopped server waits for its own threads.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// More than processors: a request that is being understood must not keep others from being heard.
const HTTP_THREADS: usize = 8;

/// Answer report queries over HTTP
///
/// The store may be imported to meanwhile, by this server or by another process, and need not be there yet. Without a token
/// in it, only callers on this machine are answered.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// How lines of the log on standard error are written; `HEADROOM_LOG` says which there are, like warn,headroom=info
    #[arg(long, env = "HEADROOM_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    #[command(flatten)]
    pub(super) listen: ListenArgs,
}

/// Where and how to listen.
#[derive(Debug, Args)]
pub(super) struct ListenArgs {
    /// Address and port; port 0 is any free one
    #[arg(long, env = "HEADROOM_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address and port for clients of PostgreSQL: psql, drivers, dashboards. Their password is a token; there is no TLS
    #[arg(long, env = "HEADROOM_PG", value_name = "ADDRESS")]
    pg: Option<SocketAddr>,
    /// How long answers that have begun may take after SIGTERM
    #[arg(long, env = "HEADROOM_GRACE_SECONDS", value_name = "SECONDS", default_value_t = 30)]
    grace_seconds: u64,
    #[arg(long = "calendar", value_name = "NAME=FILE", value_parser = calendars::pair, help = calendars::HELP)]
    calendars: Vec<(String, PathBuf)>,
    #[command(flatten)]
    doors: DoorArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

impl ServeArgs {
    pub(super) const fn log_format(&self) -> LogFormat {
        self.log_format
    }

    pub(super) fn run(self) -> anyhow::Result<()> {
        self.listen.serve(&self.store.store, |address| {
            say(format_args!("serving {} on http://{address}", self.store.store.display()));
        })
    }
}

impl ListenArgs {
    /// Serves a store until the process is told to stop. `ready` is told the address.
    pub(super) fn serve(&self, store: &Path, ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
        metrics::count_panics();
        let (options, scratch) = self.limits.options()?;
        let options = AppOptions {
            // SQL of others runs in processes of its own, made from this very program.
            worker: Some(std::env::current_exe()?),
            calendars: calendars::read(&self.calendars)?,
            ..options
        };
        let app = Arc::new(App::new(store, options)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(HTTP_THREADS)
            .enable_all()
            .build()?;
        let served = runtime.block_on(async {
            let listener = bind(self.listen).await?;
            let address = listener.local_addr()?;
            http::check_exposure(&app, address)?;
            let pg = match self.pg {
                Some(pg) => Some(bind(pg).await?),
                None => None,
            };
            let pg_address = pg.as_ref().map(TcpListener::local_addr).transpose()?;
            if let Some(address) = pg_address {
                http::check_exposure(&app, address)?;
            }
            let stopping = CancellationToken::new();
            ignore_hangup()?;
            let stop = {
                let (signal, stopping) = (stop_signal()?, stopping.clone());
                async move {
                    signal.await;
                    stopping.cancel();
                }
            };
            ready(address);
            if let Some(address) = pg_address {
                say(format_args!("serving clients of PostgreSQL on {address}"));
            }
            let grace = Duration::from_secs(self.grace_seconds);
            let clients = async {
                match pg {
                    Some(listener) => pg::serve(Arc::clone(&app), listener, stopping, grace).await,
                    None => Ok(()),
                }
            };
            tokio::try_join!(http::serve(Arc::clone(&app), self.doors.options(), listener, stop, grace), clients)?;
            anyhow::Ok(())
        });
        // What waits for a socket is dropped at once, and says so in the log; what computes is left behind.
        runtime.shutdown_timeout(LAST_WORDS);
        drop(scratch);
        served
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}"))
}

/// Stays when a terminal is closed, or somebody asks to read the configuration again: tokens and the store are read anew with
/// every request, and options change with a restart.
#[expect(clippy::disallowed_methods, reason = "it listens for as long as the process runs")]
fn ignore_hangup() -> std::io::Result<()> {
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP changes nothing: tokens and the store are always read anew; options change with a restart");
        }
    });
    Ok(())
}

/// Done when the process is told to stop: SIGTERM, or Ctrl-C.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
