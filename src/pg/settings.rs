//! What drivers set and ask about their session.
//!
//! The invariant: a setting that would change what an answer looks like is kept by the answers, as `TimeZone` is, or refused unless it
//! is what answers look like anyway. Most others may be anything, and have no effect but that they are told again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::PgError;
use crate::engine::{POSTGRES_VERSION, POSTGRES_VERSION_NUMBER};
use crate::time::Zone;

/// How a setting may be changed.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// To anything.
    Free,
    /// To what means the same.
    Only(&'static [&'static str]),
    /// Not at all.
    Fixed,
    /// It is how long a statement may take.
    Timeout,
    /// It is the zone whose clock instants are told on.
    Zone,
}

struct Setting {
    name: &'static str,
    default: &'static str,
    rule: Rule,
    /// Clients are told of it when they connect, and when it changes.
    told: bool,
}

const fn setting(name: &'static str, default: &'static str, rule: Rule, told: bool) -> Setting {
    Setting { name, default, rule, told }
}

const UTC: &[&str] = &[
    "UTC",
    "Etc/UTC",
    "GMT",
    "Etc/GMT",
    "Z",
    "Zulu",
    "Universal",
    "0",
    "+0",
    "+00",
    "+00:00",
];

/// All there are, by the names that PostgreSQL tells them by.
const SETTINGS: &[Setting] = &[
    setting("application_name", "", Rule::Free, true),
    setting("bytea_output", "hex", Rule::Only(&["hex"]), false),
    setting("client_encoding", "UTF8", Rule::Only(&["UTF8", "UTF-8", "UNICODE"]), true),
    setting("client_min_messages", "notice", Rule::Free, false),
    setting(
        "DateStyle",
        "ISO, MDY",
        Rule::Only(&["ISO", "ISO, MDY", "ISO, YMD", "ISO, DMY", "ISO,MDY", "ISO,YMD"]),
        true,
    ),
    setting("default_transaction_isolation", "serializable", Rule::Free, false),
    setting("default_transaction_read_only", "on", Rule::Free, true),
    setting("extra_float_digits", "1", Rule::Free, false),
    setting("idle_in_transaction_session_timeout", "0", Rule::Free, false),
    setting("in_hot_standby", "off", Rule::Fixed, true),
    setting("integer_datetimes", "on", Rule::Fixed, true),
    setting("IntervalStyle", "postgres", Rule::Only(&["postgres"]), true),
    setting("is_superuser", "off", Rule::Fixed, true),
    setting("jit", "off", Rule::Free, false),
    setting("lc_collate", "C", Rule::Fixed, false),
    setting("lc_ctype", "C", Rule::Fixed, false),
    setting("lc_messages", "C", Rule::Free, false),
    setting("lc_monetary", "C", Rule::Free, false),
    setting("lc_numeric", "C", Rule::Free, false),
    setting("lc_time", "C", Rule::Free, false),
    setting("lock_timeout", "0", Rule::Free, false),
    setting("max_identifier_length", "63", Rule::Fixed, false),
    setting("max_index_keys", "32", Rule::Fixed, false),
    setting("row_security", "on", Rule::Free, false),
    setting("search_path", "public", Rule::Free, false),
    setting("server_encoding", "UTF8", Rule::Fixed, true),
    setting("server_version", POSTGRES_VERSION, Rule::Fixed, true),
    setting("server_version_num", POSTGRES_VERSION_NUMBER, Rule::Fixed, false),
    setting("session_authorization", "", Rule::Fixed, true),
    setting("standard_conforming_strings", "on", Rule::Only(&["on", "true", "yes", "1"]), true),
    setting("statement_timeout", "0", Rule::Timeout, false),
    setting("synchronize_seqscans", "on", Rule::Free, false),
    setting("TimeZone", "UTC", Rule::Zone, true),
    setting("transaction_isolation", "serializable", Rule::Free, false),
    setting("transaction_read_only", "on", Rule::Free, false),
    setting("transaction_deferrable", "off", Rule::Free, false),
];

/// How many settings of their own clients may keep, and how long one may be.
const MOST_OWN: usize = 50;
const MOST_BYTES: usize = 1000;

/// The settings of a session.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Those that are not as they were, by small names.
    changed: BTreeMap<String, String>,
    /// What resetting goes back to.
    initial: BTreeMap<String, String>,
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name.eq_ignore_ascii_case(name))
}

impl Settings {
    /// Those that a session begins with. What is not known, or may not be, is passed over: clients are told how it is.
    pub(super) fn of_startup(given: &[(String, String)]) -> Self {
        let mut settings = Self::default();
        for (name, value) in given {
            match name.as_str() {
                "user" => {
                    settings.changed.insert("session_authorization".to_owned(), value.clone());
                }
                "options" => {
                    for (name, value) in options(value) {
                        let _passed_over = settings.set(&name, Some(&value));
                    }
                }
                name => {
                    let _passed_over = settings.set(name, Some(value));
                }
            }
        }
        settings.initial = settings.changed.clone();
        settings
    }

    /// Changes a setting, and tells what its client must hear of.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<Option<(&'static str, String)>, PgError> {
        let Some(setting) = find(name) else {
            return self.set_own(name, value);
        };
        let key = setting.name.to_lowercase();
        let value = match value {
            None => self.initial.get(&key).cloned().unwrap_or_else(|| setting.default.to_owned()),
            Some(value) => {
                let value = value.trim();
                setting.check(value)?;
                match setting.rule {
                    Rule::Zone => zone_of(value).map_or_else(|| value.to_owned(), |zone| zone.name().to_owned()),
                    // It stays what it is, whatever it is called.
                    Rule::Only(_) => setting.default.to_owned(),
                    Rule::Free | Rule::Fixed | Rule::Timeout => value.to_owned(),
                }
            }
        };
        self.changed.insert(key, value.clone());
        Ok(setting.told.then_some((setting.name, value)))
    }

    /// Settings with a dot are nobody's but the client's.
    fn set_own(&mut self, name: &str, value: Option<&str>) -> Result<Option<(&'static str, String)>, PgError> {
        if !name.contains('.') {
            return Err(unknown(name));
        }
        match value {
            None => {
                self.changed.remove(name);
            }
            Some(value) if value.len() + name.len() > MOST_BYTES || self.changed.len() >= SETTINGS.len() + MOST_OWN => {
                return Err(PgError::new("54000", "there are too many settings, or this one is too long"));
            }
            Some(value) => {
                self.changed.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(None)
    }

    /// Makes all settings what they were in the beginning, and tells what the client must hear of.
    pub(super) fn reset(&mut self) -> Vec<(&'static str, String)> {
        self.changed = self.initial.clone();
        self.told()
    }

    /// What clients are told.
    pub(super) fn told(&self) -> Vec<(&'static str, String)> {
        let told = SETTINGS.iter().filter(|setting| setting.told);
        told.map(|setting| (setting.name, self.value(setting))).collect()
    }

    /// What a setting is called, and is.
    pub(super) fn show(&self, name: &str) -> Result<(String, String), PgError> {
        match find(name) {
            Some(setting) => Ok((setting.name.to_owned(), self.value(setting))),
            None => {
                let value = self.changed.get(name).ok_or_else(|| unknown(name))?;
                Ok((name.to_owned(), value.clone()))
            }
        }
    }

    /// All settings, and what they are.
    pub(super) fn all(&self) -> Vec<(&'static str, String)> {
        SETTINGS.iter().map(|setting| (setting.name, self.value(setting))).collect()
    }

    /// How long a statement may take, if the client says so.
    pub(super) fn timeout(&self) -> Option<Duration> {
        let timeout = self.changed.get("statement_timeout")?;
        duration(timeout).filter(|timeout| !timeout.is_zero())
    }

    /// The zone whose clock instants are told on.
    pub(super) fn zone(&self) -> Option<Zone> {
        self.changed.get("timezone").and_then(|name| zone_of(name))
    }

    fn value(&self, setting: &Setting) -> String {
        let changed = self.changed.get(&setting.name.to_lowercase());
        changed.cloned().unwrap_or_else(|| setting.default.to_owned())
    }
}

impl Setting {
    fn check(&self, value: &str) -> Result<(), PgError> {
        let accepted = match self.rule {
            Rule::Free => value.len() <= MOST_BYTES,
            Rule::Fixed => {
                return Err(PgError::new("55P02", format!("parameter \"{}\" cannot be changed", self.name)));
            }
            Rule::Only(accepted) => accepted.iter().any(|known| known.eq_ignore_ascii_case(value)),
            Rule::Timeout => duration(value).is_some(),
            Rule::Zone => zone_of(value).is_some(),
        };
        if accepted {
            return Ok(());
        }
        let expected = match self.rule {
            Rule::Only(_) => format!("accepted: {}", self.default),
            Rule::Timeout => "accepted: a number of milliseconds, or a text like 5s or 2min".to_owned(),
            Rule::Zone => match value.parse::<Zone>() {
                Err(error) => error.to_string(),
                Ok(_) => "accepted: an IANA time zone, like Europe/Berlin".to_owned(),
            },
            Rule::Free | Rule::Fixed => format!("accepted: at most {MOST_BYTES} bytes"),
        };
        Err(PgError::new(
            "22023",
            format!("invalid value for parameter \"{}\": \"{value}\"; {expected}", self.name),
        ))
    }
}

/// A zone by its name, in whichever case.
fn zone_of(name: &str) -> Option<Zone> {
    if UTC.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Some(Zone::UTC);
    }
    name.parse().ok()
}

fn unknown(name: &str) -> PgError {
    PgError::new("42704", format!("unrecognized configuration parameter \"{name}\""))
}

/// How long a text says: milliseconds, unless it says otherwise.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let millis: u64 = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

/// The settings in `-c name=value --name=value`.
fn options(text: &str) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let assigned = if word == "-c" {
            words.next()
        } else {
            word.strip_prefix("--").or_else(|| word.strip_prefix("-c"))
        };
        if let Some((name, value)) = assigned.and_then(|assigned| assigned.split_once('=')) {
            settings.push((name.to_lowercase().replace('-', "_"), value.replace('\\', "")));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(settings: &[(&str, &str)]) -> Settings {
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::of_startup(&settings)
    }

    #[test]
    fn what_answers_look_like_is_not_changed() {
        let mut settings = given(&[
            ("user", "ada"),
            ("TimeZone", "Europe/Nowhere"),
            ("DateStyle", "ISO"),
            ("nonsense", "x"),
        ]);
        assert_eq!(settings.show("timezone").unwrap(), ("TimeZone".to_owned(), "UTC".to_owned()));
        assert_eq!(settings.show("datestyle").unwrap().1, "ISO, MDY");
        assert_eq!(settings.show("session_authorization").unwrap().1, "ada");
        assert!(settings.set("timezone", Some("Europe/Nowhere")).is_err());
        assert!(settings.set("timezone", Some("utc")).is_ok());
        assert!(settings.set("client_encoding", Some("LATIN1")).is_err());
        assert!(settings.set("server_version", Some("9")).is_err());
        assert!(settings.set("nonsense", Some("x")).is_err() && settings.show("nonsense").is_err());
        assert!(settings.set("my.own", Some("x")).is_ok());
        assert_eq!(settings.show("my.own").unwrap().1, "x");
    }

    #[test]
    fn a_zone_is_kept_and_told() {
        let mut settings = given(&[("TimeZone", "America/Denver")]);
        assert_eq!(settings.zone().map(Zone::name), Some("America/Denver"));
        let told = settings.set("timezone", Some("Europe/Berlin")).unwrap();
        assert_eq!(told, Some(("TimeZone", "Europe/Berlin".to_owned())));
        assert_eq!(settings.show("timezone").unwrap().1, "Europe/Berlin");
        // What a session began with is what it goes back to.
        settings.set("timezone", None).unwrap();
        assert_eq!(settings.zone().map(Zone::name), Some("America/Denver"));
        settings.set("timezone", Some("Etc/UTC")).unwrap();
        assert_eq!(settings.show("timezone").unwrap().1, "UTC");
    }

    #[test]
    fn a_statement_may_take_as_long_as_its_client_says() {
        let mut settings = given(&[("options", "-c statement_timeout=5s -c search_path=public")]);
        assert_eq!(settings.timeout(), Some(Duration::from_secs(5)));
        settings.set("statement_timeout", Some("250")).unwrap();
        assert_eq!(settings.timeout(), Some(Duration::from_millis(250)));
        settings.set("statement_timeout", Some("0")).unwrap();
        assert_eq!(settings.timeout(), None);
        assert!(settings.set("statement_timeout", Some("soon")).is_err());
        settings.reset();
        assert_eq!(settings.timeout(), Some(Duration::from_secs(5)));
        settings.set("statement_timeout", Some("1")).unwrap();
        settings.set("statement_timeout", None).unwrap();
        assert_eq!(settings.timeout(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn what_a_client_must_hear_of_is_told() {
        let mut settings = given(&[]);
        assert_eq!(
            settings.set("application_name", Some("psql")).unwrap(),
            Some(("application_name", "psql".to_owned()))
        );
        assert_eq!(settings.set("extra_float_digits", Some("3")).unwrap(), None);
        assert!(settings.told().contains(&("application_name", "psql".to_owned())));
    }
}
