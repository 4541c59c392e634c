//! What every format has in common, and the list of all of them.

use std::fmt;

use super::{ImportError, Input};
use crate::event::Event;
use crate::time::{Day, Micros, Zone};

/// Every format, in the order in which content is recognised: the narrowest first.
pub const DIALECTS: &[&dyn Dialect] = &[
    &super::parquet::Parquet,
    &super::ndjson::Ndjson,
    &super::flexnet::FlexNet,
    &super::csv::Csv,
];

/// A format of usage events.
pub trait Dialect: fmt::Debug + Sync {
    /// The name on the command line and in messages; lower-case.
    fn name(&self) -> &'static str;

    /// Other names that people use for it.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// What it is, in one line.
    fn title(&self) -> &'static str;

    /// Whether the first bytes of a file (decompressed, up to 64 KiB) look like it.
    fn recognises(&self, sample: &[u8]) -> bool;

    /// Reads all of a file.
    ///
    /// # Errors
    ///
    /// When the file as a whole makes no sense, or the sink fails. A bad line is a [`Flaw`].
    fn read(&self, input: &mut Input, options: &ReadOptions, sink: &mut dyn Sink) -> Result<(), ImportError>;
}

/// What a dialect must be told.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    /// The zone of times without an offset.
    pub zone: Zone,
    /// The day of the first line, if the file does not say it.
    pub date: Option<Day>,
    /// The file is complete: a last line without its line end is a whole line.
    pub is_final: bool,
}

/// Where a dialect puts what it reads. A server that is empty is the one that the import was told.
pub trait Sink {
    /// So many more rows were read, of a format that has no lines.
    fn rows(&mut self, rows: u64);

    /// An event was read.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn event(&mut self, event: &Event<'_>) -> Result<(), ImportError>;

    /// Something is wrong with a line.
    ///
    /// # Errors
    ///
    /// When a bad line is an error.
    fn flaw(&mut self, flaw: Flaw) -> Result<(), ImportError>;

    /// A server runs a license manager.
    fn manager(&mut self, daemon: &str, manager: &str);

    /// A feature is a package of others; their names are separated by blanks.
    fn package(&mut self, daemon: &str, feature: &str, components: &str);

    /// The daemon's log goes on until `at`: its last line with a time, whatever the line says. Told once for each daemon, when the
    /// source ends; of several instants the latest counts.
    fn known_until(&mut self, daemon: &str, at: Micros) {
        let _nothing_to_note = (daemon, at);
    }
}

/// Something that is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The line, counted from one.
    pub line: u64,
    /// How bad it is.
    pub kind: FlawKind,
    /// What is wrong, and what was expected.
    pub reason: String,
}

/// How bad a flaw is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawKind {
    /// The line is lost.
    Unparsed,
    /// The line is lost because its day is unknown.
    Undated,
    /// The line was read, but something in it was left out or replaced.
    Noted,
}

/// The dialect of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Dialect> {
    let matches = |known: &&str| known.eq_ignore_ascii_case(name);
    DIALECTS
        .iter()
        .copied()
        .find(|dialect| matches(&dialect.name()) || dialect.aliases().iter().any(matches))
}

/// The names of all dialects.
#[must_use]
pub fn names() -> String {
    DIALECTS.iter().map(|dialect| dialect.name()).collect::<Vec<_>>().join(", ")
}

/// The dialect that recognises a file.
pub(super) fn recognise(input: &mut Input) -> Result<&'static dyn Dialect, ImportError> {
    let name = input.name().to_owned();
    let sample = input.sample()?;
    if sample.is_empty() {
        return Err(ImportError::Empty { name });
    }
    if let Some(dialect) = DIALECTS.iter().find(|dialect| dialect.recognises(sample)) {
        return Ok(*dialect);
    }
    if let Some(reason) = super::csv::near_miss(sample) {
        return Err(ImportError::Columns { name, reason });
    }
    if looks_binary(sample) {
        Err(ImportError::Binary { name })
    } else {
        Err(ImportError::Unrecognised { name })
    }
}

/// Text has no NUL and hardly any control characters; an encrypted log is full of both.
fn looks_binary(sample: &[u8]) -> bool {
    let control = sample.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)).count();
    sample.contains(&0) || control * 50 > sample.len() || std::str::from_utf8(sample).is_err() && control > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_nobody_elses() {
        let mut names: Vec<&str> = DIALECTS
            .iter()
            .flat_map(|dialect| [&[dialect.name()], dialect.aliases()].concat())
            .collect();
        assert!(
            names
                .iter()
                .all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        );
        let before = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), before);
        assert!(
            DIALECTS
                .iter()
                .all(|dialect| find(dialect.name()).is_some_and(|found| found.name() == dialect.name()))
        );
    }

    #[test]
    fn no_dialect_recognises_what_it_cannot_read() {
        for sample in [&b""[..], b"hello world\n", b"\x00\x01\x02", b"a,b,c\n1,2,3\n", b"[1,2]"] {
            assert!(DIALECTS.iter().all(|dialect| !dialect.recognises(sample)), "{sample:?}");
        }
    }

    #[test]
    fn encrypted_bytes_are_binary_and_french_is_not() {
        assert!(looks_binary(&[0x12, 0x34, 0x00, 0xff]));
        assert!(!looks_binary("10:00:00 (x) d\u{e9}marr\u{e9}\n".as_bytes()));
    }
}
