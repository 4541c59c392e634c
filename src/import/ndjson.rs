//! Neutral events as NDJSON: one JSON object a line.

mod plain;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};

use super::neutral::{Field, Record, Records, Value};
use super::{Dialect, Flaw, FlawKind, ImportError, Input, ReadOptions, Sink};

/// One JSON object a line.
#[derive(Debug)]
pub(super) struct Ndjson;

impl Dialect for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["jsonl", "json", "neutral"]
    }

    fn title(&self) -> &'static str {
        "neutral events, one JSON object a line"
    }

    fn recognises(&self, sample: &[u8]) -> bool {
        let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
        sample.trim_ascii_start().starts_with(b"{")
    }

    fn read(&self, input: &mut Input, options: &ReadOptions, sink: &mut dyn Sink) -> Result<(), ImportError> {
        let mut records = Records::new(options.zone);
        let mut unknown: BTreeSet<String> = BTreeSet::new();
        while let Some((number, line)) = input.next_line()? {
            let line = if number == 1 {
                line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
            } else {
                line
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Some(record) = plain::read(line) {
                match records.event(&record, number) {
                    Ok(event) => sink.event(&event)?,
                    Err(reason) => sink.flaw(Flaw {
                        line: number,
                        kind: FlawKind::Unparsed,
                        reason,
                    })?,
                }
                continue;
            }
            let flaw = |kind, reason| Flaw {
                line: number,
                kind,
                reason,
            };
            let parsed = match serde_json::from_slice::<Line<'_>>(line) {
                Ok(parsed) => parsed,
                Err(error) => {
                    sink.flaw(flaw(FlawKind::Unparsed, format!("not a JSON object of an event: {error}")))?;
                    continue;
                }
            };
            for name in parsed.unknown {
                if unknown.insert(name.clone()) {
                    sink.flaw(flaw(
                        FlawKind::Noted,
                        format!("field {name:?} is unknown and left out, here and below"),
                    ))?;
                }
            }
            match records.event(&parsed.record, number) {
                Ok(event) => sink.event(&event)?,
                Err(reason) => sink.flaw(flaw(FlawKind::Unparsed, reason))?,
            }
        }
        Ok(())
    }
}

/// A line: the fields that are known, and the names of those that are not.
struct Line<'a> {
    record: Record<'a>,
    unknown: Vec<String>,
}

impl<'de> Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor)
    }
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
        let mut line = Line {
            record: Record::new(),
            unknown: Vec::new(),
        };
        while let Some(name) = map.next_key::<Text<'de>>()? {
            if let Some(field) = Field::from_name(&name.0) {
                match map.next_value::<Scalar<'de>>()? {
                    Scalar::Value(value) => line.record.set(field, value),
                    Scalar::Owned(text) => line.record.set_owned(field, text),
                }
            } else {
                map.next_value::<IgnoredAny>()?;
                line.unknown.push(name.0.into_owned());
            }
        }
        Ok(line)
    }
}

/// A text, borrowed from the line where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value that a field may have.
enum Scalar<'a> {
    Value(Value<'a>),
    /// A text with escapes.
    Owned(String),
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, an integer or null")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Value(Value::text(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Owned(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Value(Value::Number(number)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        i64::try_from(number)
            .map(|number| Scalar::Value(Value::Number(number)))
            .map_err(|_too_large| E::custom(format!("{number} is too large")))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar<'de>, E> {
        Err(E::custom(format!("{number} is not an integer")))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Value(Value::Missing))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Scalar<'de>, A::Error> {
        Err(A::Error::custom("an object where a text or integer was expected"))
    }
}
