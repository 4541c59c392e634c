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
    /// The daemon that speaks serves features; a manager has started.
    Serves,
    /// The daemon that speaks is a new process, which says who it is.
    Introduces,
    /// The daemon that speaks reads its license or options file again.
    Rereads,
    /// The daemon that speaks cannot start: another one has its port or its lock.
    GivesUp,
    /// The daemon that speaks stops.
    Stops,
    /// The daemon that speaks starts another one.
    Starts(&'a str),
    /// The daemon that speaks shuts another one down.
    ShutsDown(&'a str),
    /// The daemon that speaks saw another one exit.
    Exited(&'a str),
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
    pub(super) user: Cow<'a, str>,
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

/// Returns whether a line without a readable time is a request all the same: a time, however damaged, a daemon, and its words.
pub(super) fn damaged_request(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let Some(open) = memchr::memchr(b'(', line.get(..48.min(line.len())).unwrap_or_default()) else {
        return false;
    };
    let rest = &line[open..];
    let Some(close) = memchr::memchr(b')', rest) else {
        return false;
    };
    let message = rest[close + 1..].trim_ascii_start();
    line.first().is_some_and(u8::is_ascii_digit) && memchr::memchr(b':', &line[..open]).is_some() && is_request(message)
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
        // Lines about the log itself repeat what others say.
        if text.starts_with("(@") {
            return text.contains("Reread time").then_some(Self::Rereads);
        }
        let begins = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
        if begins(&["FlexNet Licensing version", "FLEXnet Licensing version", "FLEXlm version"]) {
            return Some(Self::Introduces);
        }
        if begins(&["EXITING DUE TO SIGNAL", "Lost communications with lmgrd", "No features to serve"]) {
            return Some(Self::Stops);
        }
        if text.starts_with("Rereading") || text.contains("lmreread") {
            return Some(Self::Rereads);
        }
        if let Some(rest) = text.strip_prefix("Shutting down") {
            // `Shutting down adskflex pid=3372 …` is about another daemon.
            return Some(match rest.contains(" pid=") {
                true => Self::ShutsDown(first_word(rest)),
                false => Self::Stops,
            });
        }
        if let Some(rest) = text.strip_prefix("REStarted ").or_else(|| text.strip_prefix("Started ")) {
            return rest.contains("pid ").then(|| Self::Starts(first_word(rest)));
        }
        if text.contains(" started on ") {
            let serves = text.starts_with("Server started on ") || text.ends_with(')');
            return Some(if serves { Self::Serves } else { Self::Introduces });
        }
        if let Some(name) = text.split_once(" exited with status ").map(|(name, _)| name)
            && !name.is_empty()
            && !name.contains(' ')
        {
            return Some(Self::Exited(name));
        }
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        (says(&["already in use", "already running", "ailed to open the TCP port"]) || says(&["lock file"]) && says(&["open", "lock the"]))
            .then_some(Self::GivesUp)
    }
}

fn first_word(text: &str) -> &str {
    text.split_ascii_whitespace().next().unwrap_or_default()
}

impl<'a> Request<'a> {
    fn parse(kind: Kind, text: &'a str) -> Option<Self> {
        let (count, text) = leading_count(text.trim_ascii_start());
        let carets = memchr::memchr(b'^', text.as_bytes()).and_then(|_| text.find("^^^"));
        let (text, verbose) = match carets {
            Some(carets) => (text[..carets].trim_ascii_end(), Verbose::parse(&text[carets + 3..])),
            None => (text, None),
        };
        let (feature, mut rest) = match text.strip_prefix('"') {
            Some(quoted) => quoted_feature(quoted)?,
            None => bare_feature(text)?,
        };
        while rest.starts_with('(') {
            rest = rest[group_end(rest)?..].trim_ascii_start(); // a signature
        }
        // `DENIED: 3 "feature" to user@host`
        if let (Some(_), Some(identity)) = (count, rest.strip_prefix("to ")) {
            rest = identity;
        }
        let (identity, mut groups) = split_identity(rest);
        let (user, host) = match memchr::memrchr(b'@', identity.as_bytes()) {
            Some(at) => (&identity[..at], &identity[at + 1..]),
            None => (identity, ""),
        };
        // In verbose logs the user may stand between the carets alone.
        if feature.is_empty() || user.is_empty() && !identity.starts_with('@') {
            return None;
        }
        let mut request = Self {
            kind,
            feature: feature.into(),
            user: user.trim_ascii().into(),
            host: host.trim_ascii().into(),
            group_data: Cow::Borrowed(""),
            licenses: count.unwrap_or(1),
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
                // A requested version; the reason may follow without a blank.
                b'"' => memchr::memchr(b'"', &groups.as_bytes()[1..]).map_or(groups.len(), |close| close + 2),
                // A word that means nothing here.
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
        // `(2)` of a verbose log.
        if !inside.is_empty() && inside.len() < 10 && inside.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Ok(count @ 1..) = inside.parse() {
                self.licenses = count;
            }
            return;
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
    /// Reads what stands between `^^^` and `^^^`. User and project may hold blanks: the user ends at the address, and the project
    /// at two numbers and the date after it.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii_start().trim_start_matches('^');
        let inside = text.split_once("^^^").map_or(text, |(inside, _)| inside);
        let words: Vec<&str> = inside.split_ascii_whitespace().collect();
        let address = words.iter().position(|word| word.parse::<IpAddr>().is_ok()).unwrap_or(2);
        let handle = words.get(address + 2)?;
        let project = words.get(address + 5..).unwrap_or_default();
        let is_date = |word: &&str| {
            let numbers = word
                .split(['/', '-'])
                .filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
            numbers.count() == 3
        };
        let is_time = |word: &&str| {
            word.split(':')
                .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
                .count()
                == 3
        };
        let date = (0..project.len())
            .rev()
            .find(|at| is_date(&project[*at]) && project.get(at + 1).is_some_and(is_time));
        let project = match date {
            Some(date) => &project[..date.saturating_sub(2)],
            None => &project[..project.len().min(1)],
        };
        let project = if project == ["N/A"] {
            Cow::Borrowed("")
        } else {
            words_with_blanks(project)
        };
        Some(Self {
            user: words_with_blanks(words.get(1..address).unwrap_or_default()),
            handle: (*handle).into(),
            project,
        })
    }

    pub(super) fn into_owned(self) -> Verbose<'static> {
        Verbose {
            user: Cow::Owned(self.user.into_owned()),
            handle: Cow::Owned(self.handle.into_owned()),
            project: Cow::Owned(self.project.into_owned()),
        }
    }
}

/// Words of a text with one blank between.
fn words_with_blanks<'a>(words: &[&'a str]) -> Cow<'a, str> {
    match words {
        [] => Cow::Borrowed(""),
        [word] => Cow::Borrowed(word),
        words => Cow::Owned(words.join(" ")),
    }
}

/// Splits the number of licenses from what follows: `3 "feature" to user@host`.
fn leading_count(text: &str) -> (Option<u32>, &str) {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return (None, text);
    }
    let counted = text.split_once(' ').and_then(|(count, rest)| {
        let rest = rest.trim_ascii_start();
        let count = count
            .parse()
            .ok()
            .filter(|count: &u32| (1..=i32::MAX.unsigned_abs()).contains(count))?;
        rest.starts_with('"').then_some((Some(count), rest))
    });
    counted.unwrap_or((None, text))
}

/// Splits a quoted feature, whose opening quote is gone, from what follows. The closing quote is the last one before the identity,
/// since names may hold quotes.
fn quoted_feature(text: &str) -> Option<(&str, &str)> {
    let quotes_until =
        memchr::memchr(b'@', text.as_bytes()).unwrap_or_else(|| pairs(text, *b"\" ").next().map_or(text.len(), |quote| quote + 2));
    let close = pairs(&text[..quotes_until], *b"\" ").next_back()?;
    Some((&text[..close], text[close + 2..].trim_ascii_start()))
}

/// Splits a feature without quotes from what follows, where it can be nothing else: one word, then a user without blanks at a host.
fn bare_feature(text: &str) -> Option<(&str, &str)> {
    let (feature, rest) = text.split_once(' ')?;
    let mut identity = rest.trim_ascii_start();
    while identity.starts_with('(') {
        identity = identity[group_end(identity)?..].trim_ascii_start();
    }
    let user_at_host = first_word(identity);
    let is_word = !feature.is_empty() && !feature.contains(['"', '@', '(', '[', '^']);
    (is_word && user_at_host.contains('@')).then_some((feature, rest.trim_ascii_start()))
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
    fn a_verbose_log_tells_the_user_between_the_carets() {
        let out =
            request(r#"OUT: "ansys" @n1 (2) ^^^ 1.0 ada lovelace 10.0.0.7 18272 0x101 2 5 wing study 11 19 27-2-2026 12:44:15 NO ^^^"#);
        let verbose = out.verbose.unwrap();
        assert_eq!((&*out.user, &*out.host, out.licenses), ("", "n1", 2));
        assert_eq!(
            (&*verbose.user, &*verbose.handle, &*verbose.project),
            ("ada lovelace", "0x101", "wing study")
        );
        let out = request(r#"OUT: "ansys" @n1 ^^^ 1.0 ada 10.0.0.7 18300 0x102 3 5 N/A 11 19 27-2-2026 12:50:00 NO ^^^"#);
        assert_eq!(&*out.verbose.unwrap().project, "");
    }

    #[test]
    fn features_without_quotes_and_counts_before_them_are_read() {
        assert_eq!(identity("OUT: MSCONE jo@ws1  (2 licenses)"), ["MSCONE", "jo", "ws1"]);
        assert_eq!(identity("IN: f (00F2 6F5A ) u@h"), ["f", "u", "h"]);
        let denied = request(r#"DENIED: 3 "editor" to dave@design-04"#);
        assert_eq!((&*denied.feature, &*denied.user, denied.licenses), ("editor", "dave", 3));
    }

    #[test]
    fn a_version_may_touch_the_reason() {
        let denied =
            request(r#"DENIED: "f" ada@w1  "v2023.12"(License server system does not support this version of this feature. (-25,334))"#);
        assert_eq!((&*denied.user, &*denied.host, denied.reason_code), ("ada", "w1", Some(-25)));
    }

    #[test]
    fn daemons_say_what_becomes_of_them() {
        for (text, status) in [
            ("FLEXnet Licensing version v11.5.0.0 build 56285 i86_n3", Status::Introduces),
            ("License server system started on licserver", Status::Introduces),
            (
                "FlexNet Licensing (v11.14 build 1 x64_lsb) started on lic (linux) (7/8/2025)",
                Status::Serves,
            ),
            ("Rereading license file... Requested from admin@lic02", Status::Rereads),
            ("(@x-SLOG@) Reread time: Thu May 05 2022 12:00:01", Status::Rereads),
            ("Started rational (pid 780)", Status::Starts("rational")),
            ("REStarted ABAQUSLM (internet tcp_port 45413 pid 177)", Status::Starts("ABAQUSLM")),
            ("ABAQUSLM exited with status 0 signal = 17", Status::Exited("ABAQUSLM")),
            ("No features to serve, exiting", Status::Stops),
            ("The TCP port number in the license, 27000, is already in use.", Status::GivesUp),
            ("Cannot open daemon lock file", Status::GivesUp),
        ] {
            assert_eq!(Message::parse(text), Message::Status(status), "{text}");
        }
    }

    #[test]
    fn half_a_request_is_bad_and_the_rest_is_noise() {
        for bad in [r#"OUT: "f"#, "OUT: f John Doe@h", "OUT: f u", r#"IN: "f" "#, r#"OUT: "" u@h"#] {
            assert!(matches!(Message::parse(bad), Message::Bad(_)), "{bad}");
        }
        for noise in ["", "TIMESTAMP 4/8/2019", "OUTING", "Done rereading"] {
            assert_eq!(Message::parse(noise), Message::Noise, "{noise}");
        }
        assert_eq!(Message::parse("Server started on S for:"), Message::Status(Status::Serves));
        assert_eq!(Message::parse("EXITING DUE TO SIGNAL 15"), Message::Status(Status::Stops));
        assert_eq!(
            Message::parse("Shutting down adskflex pid=1"),
            Message::Status(Status::ShutsDown("adskflex"))
        );
    }
}
