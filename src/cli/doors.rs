//! Options of a server about whom it answers, and how long it waits for them.

use std::time::Duration;

use clap::Args;
use clap::builder::{RangedU64ValueParser, TypedValueParser as _};

use crate::http::{ConnectionLimits, HttpOptions, Network, Origin};

/// Whom to answer, and how long to wait for them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connections")]
pub(super) struct DoorArgs {
    /// Name of this server, as browsers and programs write it; may be repeated. IP addresses and localhost are always accepted
    #[arg(long = "host-name", env = "HEADROOM_HOST_NAMES", value_name = "NAME", value_delimiter = ',')]
    host_names: Vec<String>,
    /// Origin whose pages may ask, like `https://grafana.example`; may be repeated
    #[arg(
        long = "allow-origin",
        env = "HEADROOM_ALLOW_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    allow_origins: Vec<Origin>,
    /// Address or network of a proxy that is believed when it says which host was asked for; may be repeated
    #[arg(
        long = "trusted-proxy",
        env = "HEADROOM_TRUSTED_PROXIES",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    trusted_proxies: Vec<Network>,
    /// Connections that may be open; where there are more, the one that waited longest for its client is closed
    #[arg(long, env = "HEADROOM_MAX_CONNECTIONS", value_name = "COUNT", default_value = "1024", value_parser = count())]
    max_connections: usize,
    /// Connections that may be open from one address
    #[arg(long, env = "HEADROOM_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", default_value = "512", value_parser = count())]
    max_connections_per_address: usize,
    /// How long the head of a request may take
    #[arg(long, env = "HEADROOM_HEADER_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "10", value_parser = seconds())]
    header_timeout_seconds: u64,
    /// How long the body of a request may bring nothing; all of it may take as long as it takes
    #[arg(long, env = "HEADROOM_BODY_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "30", value_parser = seconds())]
    body_timeout_seconds: u64,
    /// How long a connection may stay open between requests
    #[arg(long, env = "HEADROOM_IDLE_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "60", value_parser = seconds())]
    idle_timeout_seconds: u64,
}

fn count() -> impl clap::builder::TypedValueParser<Value = usize> {
    RangedU64ValueParser::<u64>::new().range(1..=1_000_000).try_map(usize::try_from)
}

fn seconds() -> impl clap::builder::TypedValueParser<Value = u64> {
    RangedU64ValueParser::<u64>::new().range(1..=86_400)
}

impl DoorArgs {
    pub(super) fn options(&self) -> HttpOptions {
        HttpOptions {
            hosts: self.host_names.clone(),
            origins: self.allow_origins.clone(),
            proxies: self.trusted_proxies.clone(),
            connections: ConnectionLimits {
                connections: self.max_connections,
                per_address: self.max_connections_per_address,
                head: Duration::from_secs(self.header_timeout_seconds),
                body: Duration::from_secs(self.body_timeout_seconds),
                idle: Duration::from_secs(self.idle_timeout_seconds),
            },
        }
    }
}
