//! Arrays as parameters: `{1,2,NULL}` as text, or a head and items in binary.

use pgwire::api::Type;
use serde_json::Value;

use super::super::error::PgError;
use super::malformed;

/// How many items an array may have.
const MOST_ITEMS: usize = 100_000;

/// Arrays, and what their items are.
const ARRAYS: &[(Type, Type)] = &[
    (Type::BOOL_ARRAY, Type::BOOL),
    (Type::INT2_ARRAY, Type::INT2),
    (Type::INT4_ARRAY, Type::INT4),
    (Type::INT8_ARRAY, Type::INT8),
    (Type::OID_ARRAY, Type::OID),
    (Type::FLOAT4_ARRAY, Type::FLOAT4),
    (Type::FLOAT8_ARRAY, Type::FLOAT8),
    (Type::NUMERIC_ARRAY, Type::NUMERIC),
    (Type::TEXT_ARRAY, Type::TEXT),
    (Type::VARCHAR_ARRAY, Type::VARCHAR),
    (Type::BPCHAR_ARRAY, Type::BPCHAR),
    (Type::NAME_ARRAY, Type::NAME),
    (Type::UUID_ARRAY, Type::UUID),
    (Type::DATE_ARRAY, Type::DATE),
    (Type::TIME_ARRAY, Type::TIME),
    (Type::TIMESTAMP_ARRAY, Type::TIMESTAMP),
    (Type::TIMESTAMPTZ_ARRAY, Type::TIMESTAMPTZ),
    (Type::INTERVAL_ARRAY, Type::INTERVAL),
];

/// What the items of an array are; nothing of what is no array.
pub(super) fn item(kind: &Type) -> Option<Type> {
    let known = ARRAYS.iter().find(|(array, _)| array == kind);
    known.map(|(_, item)| item.clone())
}

/// Reads an array in text.
pub(super) fn of_text(item: &Type, text: &str) -> Result<Value, PgError> {
    let wrong = || {
        PgError::new(
            "22P02",
            format!("malformed array literal: {text:?}; expected a list like {{1,2,NULL}}"),
        )
    };
    // Bounds may stand before it: [1:2]={1,2}.
    let list = text.trim();
    let list = if list.starts_with('[') {
        list.split_once('=').ok_or_else(wrong)?.1
    } else {
        list
    };
    let list = list.strip_prefix('{').and_then(|list| list.strip_suffix('}')).ok_or_else(wrong)?;
    let mut items = Vec::new();
    if list.trim().is_empty() {
        return Ok(Value::Array(items));
    }
    let mut letters = list.chars().peekable();
    loop {
        while letters.next_if(|c| c.is_whitespace()).is_some() {}
        let mut value = String::new();
        let quoted = letters.next_if_eq(&'"').is_some();
        let mut closed = !quoted;
        while let Some(c) = letters.peek().copied() {
            match c {
                '\\' => {
                    letters.next();
                    value.push(letters.next().ok_or_else(wrong)?);
                }
                '"' if quoted => {
                    letters.next();
                    closed = true;
                    break;
                }
                ',' if !quoted => break,
                '{' | '}' | '"' if !quoted => return Err(wrong()),
                c => {
                    value.push(c);
                    letters.next();
                }
            }
        }
        if !closed || (!quoted && value.trim().is_empty()) {
            return Err(wrong());
        }
        items.push(if quoted {
            super::of_text(item, &value)?
        } else if value.trim().eq_ignore_ascii_case("null") {
            Value::Null
        } else {
            super::of_text(item, value.trim_end())?
        });
        if items.len() > MOST_ITEMS {
            return Err(too_long());
        }
        while letters.next_if(|c| c.is_whitespace()).is_some() {}
        match letters.next() {
            None => return Ok(Value::Array(items)),
            Some(',') => {}
            Some(_) => return Err(wrong()),
        }
    }
}

/// Reads an array in binary: how many dimensions, whether there are nulls, the type of items, the length and first place of each
/// dimension, and each item behind its length.
pub(super) fn of_bytes(kind: &Type, item: &Type, bytes: &[u8]) -> Result<Value, PgError> {
    let mut rest = bytes;
    let mut number = || -> Result<i32, PgError> {
        let (number, after) = rest.split_first_chunk::<4>().ok_or_else(|| malformed(kind))?;
        rest = after;
        Ok(i32::from_be_bytes(*number))
    };
    let dimensions = number()?;
    let (_nulls, of) = (number()?, number()?);
    // What the items are said to be decides how they are read.
    let item = u32::try_from(of).ok().and_then(Type::from_oid).unwrap_or_else(|| item.clone());
    let count = match dimensions {
        0 => 0,
        1 => {
            let count = number()?;
            number()?;
            usize::try_from(count).map_err(|_negative| malformed(kind))?
        }
        _ => return Err(PgError::new("0A000", "arrays of arrays are not accepted as parameters")),
    };
    if count > MOST_ITEMS {
        return Err(too_long());
    }
    let mut items = Vec::new();
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(|| malformed(kind))?;
        rest = after;
        items.push(match usize::try_from(i32::from_be_bytes(*length)) {
            Err(_null) => Value::Null,
            Ok(length) => {
                let (value, after) = rest.split_at_checked(length).ok_or_else(|| malformed(kind))?;
                rest = after;
                if self::item(&item).is_some() {
                    return Err(malformed(kind));
                }
                super::of_bytes(&item, value)?
            }
        });
    }
    if !rest.is_empty() {
        return Err(malformed(kind));
    }
    Ok(Value::Array(items))
}

fn too_long() -> PgError {
    PgError::new("54000", format!("an array has too many items; at most {MOST_ITEMS} are accepted"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read;
    use super::*;

    #[test]
    fn arrays_in_text_are_read() {
        let of = |kind: Type, text: &str| read(&kind, false, text.as_bytes());
        assert_eq!(of(Type::INT4_ARRAY, "{1, 2,NULL}").unwrap(), json!([1, 2, null]));
        assert_eq!(of(Type::INT4_ARRAY, "{}").unwrap(), json!([]));
        assert_eq!(of(Type::INT8_ARRAY, "[0:1]={1,2}").unwrap(), json!([1, 2]));
        assert_eq!(
            of(Type::TEXT_ARRAY, r#"{a,"b,c","say \"hi\"",null,"NULL",größe}"#).unwrap(),
            json!(["a", "b,c", "say \"hi\"", null, "NULL", "größe"])
        );
        assert_eq!(of(Type::BOOL_ARRAY, "{t,f}").unwrap(), json!([true, false]));
        for text in ["", "1,2", "{1,2", "{1,,2}", "{1,}", "{{1},{2}}", "{\"a}", "{\"a\"b}", "{one}"] {
            assert!(of(Type::INT4_ARRAY, text).is_err(), "{text}");
        }
    }

    #[test]
    fn arrays_in_binary_are_read_and_no_byte_beyond_them() {
        let mut bytes = Vec::new();
        for word in [1, 1, 23, 3, 1, 4, 7, -1, 4, -8] {
            bytes.extend(i32::to_be_bytes(word));
        }
        let of = |bytes: &[u8]| read(&Type::INT4_ARRAY, true, bytes);
        assert_eq!(of(&bytes).unwrap(), json!([7, null, -8]));
        for length in 0..bytes.len() {
            assert!(of(&bytes[..length]).is_err(), "{length}");
        }
        assert!(of(&[&bytes[..], &[0]].concat()).is_err());
        let words = |words: &[i32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(of(&words(&[0, 0, 23])).unwrap(), json!([]));
        assert!(of(&words(&[2, 0, 23, 1, 1, 1, 1, 4, 7])).is_err());
        assert!(of(&words(&[1, 0, 23, i32::MAX, 1])).is_err());
        assert!(of(&words(&[1, 0, 1007, 1, 1, 12, 0, 0, 23])).is_err());
    }
}
