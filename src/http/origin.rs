//! Names of hosts, origins of pages and networks of proxies, as headers and options write them.
//!
//! The invariant: a text that is not exactly of the grammar is no host, no origin and no network; nothing is guessed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host and a port, as the header `Host` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case, without a dot at its end.
    Name(String),
}

impl Authority {
    /// Reads `host` or `host:port`; IPv6 addresses stand in brackets.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            (Host::Address(address.into()), rest)
        } else {
            let end = text.find(':').unwrap_or(text.len());
            let (host, rest) = text.split_at(end);
            (Host::read(host)?, rest)
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Self { host, port })
    }

    /// Whether it is an IP address, `localhost`, or one of these names.
    pub(super) fn is_ours(&self, names: &[String]) -> bool {
        match &self.host {
            Host::Address(_) => true,
            Host::Name(name) => name == "localhost" || names.iter().any(|known| known.trim_end_matches('.').eq_ignore_ascii_case(name)),
        }
    }
}

impl Host {
    fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = !name.is_empty() && name.len() <= 253 && name.bytes().all(plain);
        is_name.then(|| Self::Name(name.to_ascii_lowercase()))
    }
}

/// The origin of a page: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    host: Host,
    port: u16,
}

impl Origin {
    /// Whether a page of this origin came from that host: the scheme is not known where a proxy ends TLS.
    pub(super) fn is_of(&self, authority: &Authority) -> bool {
        let port = authority.port.unwrap_or_else(|| default_port(self.secure));
        self.host == authority.host && self.port == port
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("{text:?} is no origin; expected: http:// or https://, a host and perhaps a port, like https://grafana.example:3000")
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(expected)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(expected()),
        };
        let Authority { host, port } = Authority::read(rest).ok_or_else(expected)?;
        Ok(Self {
            secure,
            host,
            port: port.unwrap_or_else(|| default_port(secure)),
        })
    }
}

/// An IP address, or all that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether an address is one of the network.
    pub(super) fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => same(ours.to_bits().into(), theirs.to_bits().into(), 32, self.prefix),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => same(ours.to_bits(), theirs.to_bits(), 128, self.prefix),
            _ => false,
        }
    }
}

/// Whether numbers of `bits` bits have the same first `prefix` ones.
const fn same(left: u128, right: u128, bits: u32, prefix: u32) -> bool {
    match (left ^ right).checked_shr(bits - prefix) {
        Some(rest) => rest == 0,
        None => true,
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is no network; expected: an IP address, or one with the length of its prefix, like 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_error| expected())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_error| expected())?,
            None => most,
        };
        if prefix > most {
            return Err(expected());
        }
        Ok(Self { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ours(host: &str) -> bool {
        Authority::read(host).is_some_and(|host| host.is_ours(&["headroom.example".to_owned()]))
    }

    #[test]
    fn hosts_are_addresses_localhost_and_names_of_the_configuration() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "192.168.1.7:1",
            "[::1]",
            "[::1]:8080",
            "[fe80::1]:80",
            "localhost",
            "LocalHost:99",
            "localhost.",
            "localhost:",
            "headroom.example",
            "HEADROOM.example.:443",
        ] {
            assert!(is_ours(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.localhost",
            "user@localhost",
            "localhost:80:80",
            "localhost:65536",
            "localhost:+80",
            "localhost:x",
            "::1",
            "[::1",
            "[127.0.0.1]",
            "[::1]x",
            "localhost/",
            "localhost localhost",
            "localhost,evil.example",
            "headroom.example..",
            "xheadroom.example",
        ] {
            assert!(!is_ours(host), "{host}");
        }
    }

    #[test]
    fn a_page_is_of_the_host_that_it_came_from() {
        let of = |origin: &str, host: &str| origin.parse::<Origin>().unwrap().is_of(&Authority::read(host).unwrap());
        assert!(
            of("http://localhost:8080", "localhost:8080") && of("https://a.example", "A.example") && of("http://a.example", "a.example:80")
        );
        assert!(of("http://[::1]:8080", "[0::1]:8080"));
        assert!(!of("http://localhost:8081", "localhost:8080") && !of("http://127.0.0.1:8080", "localhost:8080"));
        assert!(!of("https://a.example", "a.example:80") && !of("http://b.example", "a.example"));
        for wrong in [
            "null",
            "*",
            "",
            "localhost",
            "ftp://localhost",
            "http://",
            "http://a/b",
            "http://a/",
            "http://u@a",
            "http://a http://b",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_hold_what_begins_alike() {
        let holds = |network: &str, address: &str| network.parse::<Network>().unwrap().holds(address.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.0.1") && holds("127.0.0.1", "127.0.0.1") && holds("0.0.0.0/0", "8.8.8.8"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3") && holds("2001:db8::/32", "2001:db8:ffff::1") && holds("::/0", "::1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1") && !holds("127.0.0.1", "127.0.0.2") && !holds("0.0.0.0/0", "::1"));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "a/8", "::/129", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
