//! Neutral events as CSV: RFC 4180 with a header, columns in any order.

use crate::suggest::near;

use super::neutral::{Field, Record, Records, Value};
use super::{Dialect, Flaw, FlawKind, ImportError, Input, ReadOptions, Sink};

/// RFC 4180 with a header.
#[derive(Debug)]
pub(super) struct Csv;

impl Dialect for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn title(&self) -> &'static str {
        "neutral events, CSV with a header"
    }

    fn recognises(&self, sample: &[u8]) -> bool {
        let header = columns(sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample));
        [Field::Time, Field::Event]
            .iter()
            .all(|needed| header.iter().any(|name| name == needed.name()))
    }

    fn read(&self, input: &mut Input, options: &ReadOptions, sink: &mut dyn Sink) -> Result<(), ImportError> {
        let name = input.name().to_owned();
        let mut records = Records::new(options.zone);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // A carriage return before it is cut off below: the reader would count the line too late.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(input.reader());
        let mut cells = csv::ByteRecord::new();
        let mut header: Option<Vec<Option<Field>>> = None;
        loop {
            let more = reader.read_byte_record(&mut cells).map_err(|error| ImportError::Read {
                name: name.clone(),
                source: error.into(),
            })?;
            if !more {
                return Ok(());
            }
            let line = first_line(&cells, reader.position().line());
            without_carriage_return(&mut cells);
            if cells.len() == 1 && cells.get(0).is_some_and(<[u8]>::is_empty) {
                continue; // a blank line
            }
            let Some(fields) = &header else {
                header = Some(read_header(&name, &cells, sink)?);
                continue;
            };
            let mut flaw = |reason| {
                sink.flaw(Flaw {
                    line,
                    kind: FlawKind::Unparsed,
                    reason,
                })
            };
            if cells.len() != fields.len() {
                flaw(format!("has {} cells where the header has {}", cells.len(), fields.len()))?;
                continue;
            }
            // All cells lie in one text; one that cuts a character in two is no text itself.
            let all = std::str::from_utf8(cells.as_slice()).ok();
            let cell = |place| all?.get(cells.range(place)?);
            let mut record = Record::new();
            let mut readable = all.is_some();
            for (place, field) in fields.iter().enumerate() {
                match (cell(place), field) {
                    (Some(text), Some(field)) => record.set(*field, Value::text(text)),
                    (Some(_), None) => {}
                    (None, _) => readable = false,
                }
            }
            if !readable {
                flaw("is not UTF-8".to_owned())?;
                continue;
            }
            match records.event(&record, line) {
                Ok(event) => sink.event(&event)?,
                Err(reason) => flaw(reason)?,
            }
        }
    }
}

/// Returns the line that a record begins on, from the line that the reader is on after it: blank lines before it and lines within its
/// cells are counted too.
fn first_line(cells: &csv::ByteRecord, now: u64) -> u64 {
    let before = cells.position().map_or(0, csv::Position::line);
    let within = memchr::memchr_iter(b'\n', cells.as_slice()).count() as u64;
    // The last record may lack its line end.
    let ended = u64::from(now - before > within);
    now - within - ended
}

/// Cuts off the carriage return of a line that ends like those of Windows.
fn without_carriage_return(cells: &mut csv::ByteRecord) {
    let last = cells.len().checked_sub(1).and_then(|last| cells.get(last));
    if let Some(cell) = last
        && let Some(cut) = cell.strip_suffix(b"\r")
    {
        let cut = cut.to_vec();
        cells.truncate(cells.len() - 1);
        cells.push_field(&cut);
    }
}

/// The fields of the columns; those that are unknown are told once.
fn read_header(name: &str, cells: &csv::ByteRecord, sink: &mut dyn Sink) -> Result<Vec<Option<Field>>, ImportError> {
    let mut fields = Vec::with_capacity(cells.len());
    for (place, cell) in cells.iter().enumerate() {
        let cell = if place == 0 {
            cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell)
        } else {
            cell
        };
        let title = String::from_utf8_lossy(cell.trim_ascii()).into_owned();
        let field = Field::from_name(&title);
        match field {
            Some(field) if fields.contains(&Some(field)) => {
                return Err(ImportError::Columns {
                    name: name.to_owned(),
                    reason: format!("column {title:?} is there twice"),
                });
            }
            Some(_) => {}
            None => sink.flaw(Flaw {
                line: 1,
                kind: FlawKind::Noted,
                reason: format!("column {title:?} is unknown and left out"),
            })?,
        }
        fields.push(field);
    }
    for needed in [Field::Time, Field::Event] {
        if !fields.contains(&Some(needed)) {
            return Err(ImportError::Columns {
                name: name.to_owned(),
                reason: format!("column {:?} is missing from the header", needed.name()),
            });
        }
    }
    Ok(fields)
}

/// Names that people give to fields that are called otherwise here.
const MEANT: [(&str, Field); 10] = [
    ("at", Field::Time),
    ("timestamp", Field::Time),
    ("date", Field::Time),
    ("kind", Field::Event),
    ("action", Field::Event),
    ("type", Field::Event),
    ("username", Field::User),
    ("hostname", Field::Host),
    ("count", Field::Licenses),
    ("quantity", Field::Licenses),
];

/// Returns what is wrong with a text that is nearly one of neutral events: its separator, or the names of its columns.
pub(super) fn near_miss(sample: &[u8]) -> Option<String> {
    let header = sample.split(|byte| *byte == b'\n').next().unwrap_or_default();
    for (separator, name) in [(b';', "semicolons"), (b'\t', "tabs")] {
        let cells: Vec<&[u8]> = header.split(|byte| *byte == separator).map(<[u8]>::trim_ascii).collect();
        if [Field::Time, Field::Event]
            .iter()
            .all(|needed| cells.contains(&needed.name().as_bytes()))
        {
            return Some(format!("its columns are separated by {name}; expected commas"));
        }
    }
    let titles = columns(sample);
    // A header that has nothing to do with events is of something else.
    if titles.iter().filter(|title| Field::from_name(title).is_some()).count() < 2 {
        return None;
    }
    let missing = |needed: &&Field| !titles.iter().any(|title| title == needed.name());
    let told = [Field::Time, Field::Event];
    let told = told.iter().filter(missing).map(|needed| {
        let meant = titles.iter().find(|title| {
            let lower = title.to_ascii_lowercase();
            let known = MEANT.iter().any(|(name, field)| field == needed && *name == lower);
            known || Field::from_name(title).is_none() && !near(&lower, [needed.name()]).is_empty()
        });
        let hint = meant.map_or_else(String::new, |title| format!("; column {title:?} may be meant"));
        format!("column {:?} is missing from the header{hint}", needed.name())
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn columns(sample: &[u8]) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(sample);
    let mut header = csv::StringRecord::new();
    match reader.read_record(&mut header) {
        Ok(true) => header.iter().map(|name| name.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}
