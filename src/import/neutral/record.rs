//! What was found of one event, before anybody says whether it makes sense.

use super::Field;
use crate::time::{Day, Micros};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::import) enum Value<'a> {
    /// Nothing, or an empty text.
    Missing,
    Text(&'a str),
    Number(i64),
    Instant(Micros),
    /// A wall-clock time of the source's zone.
    Local(Micros),
    Date(Day),
}

impl<'a> Value<'a> {
    /// A text; an empty one says nothing.
    #[inline]
    pub(in crate::import) const fn text(text: &'a str) -> Self {
        if text.is_empty() { Self::Missing } else { Self::Text(text) }
    }
}

/// The values of one event.
pub(in crate::import) trait Fields {
    fn get(&self, field: Field) -> Value<'_>;

    #[inline]
    fn text(&self, field: Field) -> Result<&str, String> {
        match self.get(field) {
            Value::Missing => Ok(""),
            Value::Text(text) => Ok(text),
            _ => Err(format!("{} is not a text", field.name())),
        }
    }

    #[inline]
    fn number(&self, field: Field) -> Result<Option<i64>, String> {
        match self.get(field) {
            Value::Missing => Ok(None),
            Value::Number(number) => Ok(Some(number)),
            Value::Text(text) => {
                let number = text
                    .trim()
                    .parse()
                    .map_err(|_not_a_number| format!("{} {text:?} is not an integer", field.name()))?;
                Ok(Some(number))
            }
            _ => Err(format!("{} is not an integer", field.name())),
        }
    }

    #[inline]
    fn date(&self, field: Field) -> Result<Option<Day>, String> {
        match self.get(field) {
            Value::Missing => Ok(None),
            Value::Date(day) => Ok(Some(day)),
            Value::Text(text) => text.parse().map(Some).map_err(|error| format!("{}: {error}", field.name())),
            _ => Err(format!("{} is not a date", field.name())),
        }
    }
}

/// The values of an event of a text, in which they come one after the other. Of two of a field, the later one counts.
#[derive(Debug)]
pub(in crate::import) struct Record<'a> {
    values: [Value<'a>; Field::ALL.len()],
    /// Texts that the source does not hold as they are, which few are.
    owned: Vec<(Field, String)>,
}

impl<'a> Record<'a> {
    pub(in crate::import) const fn new() -> Self {
        Self {
            values: [Value::Missing; Field::ALL.len()],
            owned: Vec::new(),
        }
    }

    #[inline]
    pub(in crate::import) fn set(&mut self, field: Field, value: Value<'a>) {
        match value {
            // Some sources number their handles.
            Value::Number(number) if field == Field::Handle => self.set_owned(field, number.to_string()),
            value => {
                self.values[field as usize] = value;
                self.forget_owned(field);
            }
        }
    }

    pub(in crate::import) fn set_owned(&mut self, field: Field, text: String) {
        self.values[field as usize] = Value::Missing;
        self.forget_owned(field);
        self.owned.push((field, text));
    }

    #[inline]
    fn forget_owned(&mut self, field: Field) {
        if !self.owned.is_empty() {
            self.owned.retain(|(other, _)| *other != field);
        }
    }
}

impl Fields for Record<'_> {
    #[inline]
    fn get(&self, field: Field) -> Value<'_> {
        match self.values[field as usize] {
            Value::Missing if !self.owned.is_empty() => {
                let owned = self.owned.iter().find(|(other, _)| *other == field);
                owned.map_or(Value::Missing, |(_, text)| Value::text(text))
            }
            value => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_field_counts() {
        let mut record = Record::new();
        let mut then = |value: Result<Value<'static>, &str>| {
            match value {
                Ok(value) => record.set(Field::User, value),
                Err(owned) => record.set_owned(Field::User, owned.to_owned()),
            }
            record.set_owned(Field::Host, "h".to_owned());
            assert_eq!(record.text(Field::Host).unwrap(), "h");
            record.text(Field::User).unwrap().to_owned()
        };
        assert_eq!(then(Ok(Value::text("a"))), "a");
        assert_eq!(then(Err("b")), "b");
        assert_eq!(then(Err("c")), "c");
        assert_eq!(then(Ok(Value::Missing)), "");
        assert_eq!(then(Err("")), "");
        assert_eq!(then(Ok(Value::text("d"))), "d");
    }

    #[test]
    fn a_handle_may_be_a_number() {
        let mut record = Record::new();
        record.set(Field::Handle, Value::Number(7));
        assert_eq!(record.text(Field::Handle), Ok("7"));
    }
}
