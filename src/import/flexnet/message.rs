//! What a message says.
//!
//! ```text
//! OUT: "feat" (00F2 6F5A 8ADE F6BD ) user name@host  [data] (3 licenses) (INACTIVE) ^^^ 1.0 … ^^^
//!      feature  signature            identity         groups, in any number        verbose part
//! ```
//!
//! Names may hold blanks and quotes. An identity ends at two blanks, or where a group begins after its `@`; it is split at
//! its last `@`.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::event::Kind;

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message<'a> {
    /// Nothing about licenses or servers.
    Noise,
    /// A daemon started or stopped.
    Status(Status<'a>),
    /// Somebody wanted, got or gave back a license.
    Request(Request<'a>),
    /// It began like a request, but went on like nothing.
    Bad(String),
}

/// A daemon started or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status<'a> {
    /// The daemon that speaks has started.
    Started,
    /// The daemon that speaks stops.
    Stops,
    /// The daemon that speaks shuts another one down.
    ShutsDown(&'a str),
}

/// Somebody wanted, got or gave back a license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) kind: Kind,
    pub(super) feature: Cow<'a, str>,
    pub(super) user: Cow<'a, str>,
    pub(super) host: Cow<'a, str>,
    pub(super) group_data: Cow<'a, str>,
    pub(super) licenses: u32,
    /// For an upgrade: how many licenses the holder had.
    pub(super) upgraded_from: Option<u32>,
    pub(super) reason_code: Option<i32>,
    pub(super) reason: Cow<'a, str>,
    pub(super) verbose: Option<Verbose<'a>>,
}

/// The verbose part of a message: `^^^ ver user ip pid handle in_use out_of project … ^^^`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verbose<'a> {
    pub(super) handle: Cow<'a, str>,
    pub(super) project: Cow<'a, str>,
}

const REQUESTS: [(&str, Kind); 7] = [
    ("OUT: ", Kind::Checkout),
    ("IN: ", Kind::Checkin),
    ("DENIED: ", Kind::Denial),
    ("UNSUPPORTED: ", Kind::Unsupported),
    ("QUEUED: ", Kind::Queued),
    ("DEQUEUED: ", Kind::Dequeued),
    ("UPGRADE: ", Kind::Checkout),
];

/// Whether a message begins like a request.
pub(super) fn is_request(message: &[u8]) -> bool {
    REQUESTS.iter().any(|(word, _)| message.starts_with(word.as_bytes()))
}

impl<'a> Message<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        for (word, kind) in REQUESTS {
            if let Some(rest) = text.strip_prefix(word) {
                return match Request::parse(kind, rest) {
                    Some(request) if word == "UPGRADE: " && request.upgraded_from.is_none() => {
                        Self::Bad(format!("{word}without (N->M licenses)"))
                    }
                    Some(request) => Self::Request(request),
                    None => Self::Bad(format!("{word}without a quoted feature and a user")),
                };
            }
        }
        Status::parse(text).map_or(Self::Noise, Self::Status)
    }
}

impl<'a> Status<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let started =
            text.contains(" started on ") || text.starts_with("FlexNet Licensing version") || text.starts_with("FLEXnet Licensing version");
        if started && !text.starts_with("(@") {
            return Some(Self::Started);
        }
        if text.starts_with("EXITING DUE TO SIGNAL") || text.starts_with("Lost communications with lmgrd") {
            return Some(Self::Stops);
        }
        let rest = text.strip_prefix("Shutting down")?;
        // `Shutting down adskflex pid=3372 …` is about another daemon.
        if rest.contains(" pid=") {
            return Some(Self::ShutsDown(rest.split_ascii_whitespace().next().unwrap_or_default()));
        }
        Some(Self::Stops)
    }
}

impl<'a> Request<'a> {
    fn parse(kind: Kind, text: &'a str) -> Option<Self> {
        let text = text.trim_ascii_start().strip_prefix('"')?;
        let carets = memchr::memchr(b'^', text.as_bytes()).and_then(|_| text.find("^^^"));
        let (text, verbose) = match carets {
            Some(carets) => (text[..carets].trim_ascii_end(), Verbose::parse(&text[carets + 3..])),
            None => (text, None),
        };
        // The closing quote is the last one before the identity, since names may hold quotes.
        let quotes_until =
            memchr::memchr(b'@', text.as_bytes()).unwrap_or_else(|| pairs(text, *b"\" ").next().map_or(text.len(), |quote| quote + 2));
        let close = pairs(&text[..quotes_until], *b"\" ").next_back()?;
        let (feature, mut rest) = (&text[..close], text[close + 2..].trim_ascii_start());
        while rest.starts_with('(') {
            rest = rest[group_end(rest)?..].trim_ascii_start(); // a signature
        }
        let (identity, mut groups) = split_identity(rest);
        let (user, host) = match memchr::memrchr(b'@', identity.as_bytes()) {
            Some(at) => (&identity[..at], &identity[at + 1..]),
            None => (identity, ""),
        };
        if feature.is_empty() || user.is_empty() {
            return None;
        }
        let mut request = Self {
            kind,
            feature: feature.into(),
            user: user.trim_ascii().into(),
            host: host.trim_ascii().into(),
            group_data: Cow::Borrowed(""),
            licenses: 1,
            upgraded_from: None,
            reason_code: None,
            reason: Cow::Borrowed(""),
            verbose,
        };
        loop {
            groups = groups.trim_ascii_start();
            if groups.is_empty() {
                return Some(request);
            }
            let end = match groups.as_bytes()[0] {
                b'(' | b'[' => group_end(groups).unwrap_or(groups.len()),
                // A requested version in quotes, or a word that means nothing here.
                _ => memchr::memchr(b' ', groups.as_bytes()).unwrap_or(groups.len()),
            };
            request.group(&groups[..end]);
            groups = &groups[end..];
        }
    }

    /// Takes up what a group says: `[data]`, `(3 licenses)`, `(1->2 licenses)`, `(INACTIVE)`, `(Reason. (-4,342))`.
    fn group(&mut self, group: &'a str) {
        if let Some(data) = group.strip_prefix('[') {
            self.group_data = data.strip_suffix(']').unwrap_or(data).trim_ascii().into();
            return;
        }
        let Some(inside) = group.strip_prefix('(') else {
            return;
        };
        let inside = inside.strip_suffix(')').unwrap_or(inside).trim_ascii();
        if let Some(count) = inside.strip_suffix(" licenses").or_else(|| inside.strip_suffix(" license")) {
            let (before, count) = count
                .split_once("->")
                .map_or((None, count), |(before, count)| (Some(before), count));
            if let Ok(count) = count.trim_ascii().parse::<u32>()
                && (1..=i32::MAX.unsigned_abs()).contains(&count)
            {
                self.licenses = count;
                self.upgraded_from = before.and_then(|before| before.trim_ascii().parse().ok());
                return;
            }
        }
        if inside == "INACTIVE" || inside == "SHUTDOWN" || !self.kind.of_denial() && self.kind != Kind::Queued {
            return;
        }
        // The number stands in the last parentheses: (-4,342) or (-5,346:11001 "…").
        let (words, code) = match inside.rsplit_once('(') {
            Some((words, code)) => (
                words.trim_ascii(),
                code.split([',', ':', ')']).next().and_then(|code| code.trim_ascii().parse().ok()),
            ),
            None => (inside, None),
        };
        if code.is_some() || self.reason.is_empty() {
            self.reason_code = code;
            self.reason = if code.is_some() { words.into() } else { inside.into() };
        }
    }

    /// Puts all of it into a request that owns its texts, and keeps their memory.
    pub(super) fn clone_into(&self, owned: &mut Request<'static>) {
        let keep = |text: &str, owned: &mut Cow<'static, str>| text.clone_into(owned.to_mut());
        owned.kind = self.kind;
        keep(&self.feature, &mut owned.feature);
        keep(&self.user, &mut owned.user);
        keep(&self.host, &mut owned.host);
        keep(&self.group_data, &mut owned.group_data);
        owned.licenses = self.licenses;
        owned.upgraded_from = self.upgraded_from;
        owned.reason_code = self.reason_code;
        keep(&self.reason, &mut owned.reason);
        owned.verbose = self.verbose.clone().map(Verbose::into_owned);
    }

    /// A request that says nothing, to be overwritten.
    pub(super) const fn empty() -> Request<'static> {
        Request {
            kind: Kind::Checkout,
            feature: Cow::Borrowed(""),
            user: Cow::Borrowed(""),
            host: Cow::Borrowed(""),
            group_data: Cow::Borrowed(""),
            licenses: 1,
            upgraded_from: None,
            reason_code: None,
            reason: Cow::Borrowed(""),
            verbose: None,
        }
    }
}

impl<'a> Verbose<'a> {
    /// Reads what stands between `^^^` and `^^^`. The user may hold blanks, so fields are counted from the address.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii_start().trim_start_matches('^');
        let inside = text.split_once("^^^").map_or(text, |(inside, _)| inside);
        let words: Vec<&str> = inside.split_ascii_whitespace().collect();
        let address = words.iter().position(|word| word.parse::<IpAddr>().is_ok()).unwrap_or(2);
        let handle = words.get(address + 2)?;
        Some(Self {
            handle: (*handle).into(),
            project: words.get(address + 5).copied().unwrap_or_default().into(),
        })
    }

    pub(super) fn into_owned(self) -> Verbose<'static> {
        Verbose {
            handle: Cow::Owned(self.handle.into_owned()),
            project: Cow::Owned(self.project.into_owned()),
        }
    }
}

/// Splits `user@host` from the groups after it.
fn split_identity(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let followed_by = |blank: &usize, what: &[u8]| bytes.get(blank + 1).is_some_and(|next| what.contains(next));
    let blanks = || memchr::memchr_iter(b' ', bytes);
    let end = blanks().find(|blank| followed_by(blank, b" ")).unwrap_or(text.len());
    let at = memchr::memchr(b'@', &bytes[..end]).unwrap_or(0);
    let group = blanks().find(|blank| (at..end).contains(blank) && followed_by(blank, b"[("));
    let end = group.unwrap_or(end);
    (text[..end].trim_ascii(), &text[end..])
}

/// Where two ASCII characters follow each other. Texts are so short that a loop beats every clever search.
fn pairs(text: &str, pair: [u8; 2]) -> impl DoubleEndedIterator<Item = usize> + '_ {
    let places = text.as_bytes().windows(2).enumerate();
    places.filter_map(move |(place, found)| (found == pair).then_some(place))
}

/// Where the group that a text begins with ends; groups nest.
fn group_end(text: &str) -> Option<usize> {
    let (open, close) = if text.starts_with('[') { (b'[', b']') } else { (b'(', b')') };
    let mut depth = 0;
    for (place, byte) in text.bytes().enumerate() {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(place + 1);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Request<'_> {
        match Message::parse(text) {
            Message::Request(request) => request,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn identity(text: &str) -> [String; 3] {
        let request = request(text);
        [request.feature, request.user, request.host].map(Cow::into_owned)
    }

    #[test]
    fn identities_may_hold_blanks_domains_and_at_signs() {
        assert_eq!(identity(r#"OUT: "f" user@host"#), ["f", "user", "host"]);
        assert_eq!(identity(r#"OUT: "f" John Doe@WS 12  (3 licenses)"#), ["f", "John Doe", "WS 12"]);
        assert_eq!(identity(r#"IN: "f" jo@corp.com@ws1  (INACTIVE)"#), ["f", "jo@corp.com", "ws1"]);
        assert_eq!(identity(r#"OUT: "f" DOM\jo@ws1 [a@b:c] (3 licenses)"#), ["f", r"DOM\jo", "ws1"]);
        assert_eq!(identity(r#"OUT: "f" (00F2 6F5A 8ADE F6BD ) u@h"#), ["f", "u", "h"]);
    }

    #[test]
    fn features_may_hold_quotes_and_markup() {
        assert_eq!(identity(r#"OUT: "a "b" c" u@h"#), [r#"a "b" c"#, "u", "h"]);
        assert_eq!(identity(r#"OUT: "</script>" u@h"#), ["</script>", "u", "h"]);
    }

    #[test]
    fn groups_stack() {
        let out = request(r#"OUT: "MSCONE" user@host [MSCONE:NASTRAN] (13 licenses)"#);
        assert_eq!((out.licenses, &*out.group_data), (13, "MSCONE:NASTRAN"));
        let back = request(r#"IN: "f" user@host [d] (2 licenses) (SHUTDOWN)"#);
        assert_eq!((back.licenses, &*back.group_data, &*back.reason), (2, "d", ""));
    }

    #[test]
    fn denials_have_a_number_and_words() {
        let denied = request(r#"DENIED: "feat" user@host  (Licensed number of users already reached. (-4,342))"#);
        assert_eq!(
            (denied.reason_code, &*denied.reason),
            (Some(-4), "Licensed number of users already reached.")
        );
        let denied = request(r#"DENIED: "feat" user@host  (25 licenses) (Users are queued for this feature. (-24,332))"#);
        assert_eq!((denied.licenses, denied.reason_code), (25, Some(-24)));
        let denied =
            request(r#"DENIED: "feat" USER  "v2022.06" (License server system does not support this version of this feature. (-25,334))"#);
        assert_eq!((&*denied.user, &*denied.host, denied.reason_code), ("USER", "", Some(-25)));
        let missing = request(r#"UNSUPPORTED: "feat" (PORT_AT_HOST_PLUS   ) user@host  (No such feature exists. (-5,346))"#);
        assert_eq!(
            (missing.kind, &*missing.user, missing.reason_code),
            (Kind::Unsupported, "user", Some(-5))
        );
    }

    #[test]
    fn an_upgrade_knows_both_counts() {
        let upgrade = request(r#"UPGRADE: "f1" user@host (1->2 licenses)"#);
        assert_eq!((upgrade.upgraded_from, upgrade.licenses), (Some(1), 2));
        assert!(matches!(Message::parse(r#"UPGRADE: "f1" user@host"#), Message::Bad(_)));
    }

    #[test]
    fn the_verbose_part_has_the_handle() {
        let out = request(r#"OUT: "f1" jo@ws ^^^ 1.0 jo doe 127.0.0.1 29865 0x12CE 1 3 apollo 11 19 2026/1/1 10:00:00 0 ^^^"#);
        let verbose = out.verbose.unwrap();
        assert_eq!((&*verbose.handle, &*verbose.project, &*out.host), ("0x12CE", "apollo", "ws"));
    }

    #[test]
    fn half_a_request_is_bad_and_the_rest_is_noise() {
        for bad in [r#"OUT: "f"#, "OUT: f u@h", r#"IN: "f" "#, r#"OUT: "" u@h"#] {
            assert!(matches!(Message::parse(bad), Message::Bad(_)), "{bad}");
        }
        for noise in ["", "TIMESTAMP 4/8/2019", "OUTING", "Done rereading"] {
            assert_eq!(Message::parse(noise), Message::Noise, "{noise}");
        }
        assert_eq!(Message::parse("Server started on S for:"), Message::Status(Status::Started));
        assert_eq!(Message::parse("EXITING DUE TO SIGNAL 15"), Message::Status(Status::Stops));
        assert_eq!(
            Message::parse("Shutting down adskflex pid=1"),
            Message::Status(Status::ShutsDown("adskflex"))
        );
    }
}
