//! Values of parameters, out of the texts and bytes that drivers send.
//!
//! They become JSON, as the engine takes them: numbers, truths, and texts for all the rest, which it reads as what their places ask
//! for.

mod array;

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use pgwire::api::Type;
use serde_json::{Number, Value};

use super::error::PgError;

/// The value of a parameter of a type; `binary` says how it is written.
pub(super) fn read(kind: &Type, binary: bool, bytes: &[u8]) -> Result<Value, PgError> {
    if binary {
        of_bytes(kind, bytes)
    } else {
        of_text(kind, text(bytes)?)
    }
}

fn text(bytes: &[u8]) -> Result<&str, PgError> {
    std::str::from_utf8(bytes).map_err(|error| PgError::new("22021", format!("a value is no UTF-8: {error}")))
}

fn of_text(kind: &Type, text: &str) -> Result<Value, PgError> {
    if let Some(item) = array::item(kind) {
        return array::of_text(&item, text);
    }
    let wrong = || PgError::new("22P02", format!("invalid input syntax for type {}: {text:?}", kind.name()));
    let trimmed = text.trim();
    match *kind {
        Type::BOOL => match trimmed.to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => Ok(Value::Bool(true)),
            "f" | "false" | "n" | "no" | "off" | "0" => Ok(Value::Bool(false)),
            _ => Err(wrong()),
        },
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => trimmed.parse::<i64>().map(Value::from).map_err(|_error| wrong()),
        Type::FLOAT4 | Type::FLOAT8 => trimmed.parse().map(number).map_err(|_error| wrong()),
        Type::NUMERIC => decimal(trimmed).ok_or_else(wrong),
        _ => Ok(Value::from(text)),
    }
}

/// A fraction. What is none is left to the engine, which knows whether its place takes it.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| Value::from(value.to_string()), Value::Number)
}

/// A decimal number: as a number where that loses nothing, else as a text.
fn decimal(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::from(whole));
    }
    let value: f64 = text.parse().ok()?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    Some(if digits <= 15 { number(value) } else { Value::from(text) })
}

fn of_bytes(kind: &Type, bytes: &[u8]) -> Result<Value, PgError> {
    if let Some(item) = array::item(kind) {
        return array::of_bytes(kind, &item, bytes);
    }
    match *kind {
        Type::BOOL => Ok(Value::Bool(bytes_of::<1>(kind, bytes)? != [0])),
        Type::INT2 => Ok(Value::from(i16::from_be_bytes(bytes_of(kind, bytes)?))),
        Type::INT4 => Ok(Value::from(i32::from_be_bytes(bytes_of(kind, bytes)?))),
        Type::INT8 => Ok(Value::from(i64::from_be_bytes(bytes_of(kind, bytes)?))),
        Type::OID => Ok(Value::from(u32::from_be_bytes(bytes_of(kind, bytes)?))),
        Type::FLOAT4 => Ok(number(f64::from(f32::from_be_bytes(bytes_of(kind, bytes)?)))),
        Type::FLOAT8 => Ok(number(f64::from_be_bytes(bytes_of(kind, bytes)?))),
        Type::NUMERIC => numeric(kind, bytes),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::CHAR => Ok(Value::from(text(bytes)?)),
        Type::DATE => {
            let days = i64::from(i32::from_be_bytes(bytes_of(kind, bytes)?));
            let day = EPOCH.and_then(|epoch| {
                let distance = Days::new(days.unsigned_abs());
                if days < 0 {
                    epoch.checked_sub_days(distance)
                } else {
                    epoch.checked_add_days(distance)
                }
            });
            day.map(|day| Value::from(day.to_string())).ok_or_else(|| out_of_range(kind))
        }
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(bytes_of(kind, bytes)?);
            let at = EPOCH.and_then(|epoch| epoch.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::microseconds(micros)));
            let at = at.ok_or_else(|| out_of_range(kind))?;
            let zone = if *kind == Type::TIMESTAMPTZ { "Z" } else { "" };
            Ok(Value::from(format!("{}{zone}", at.format("%Y-%m-%dT%H:%M:%S%.6f"))))
        }
        Type::TIME => {
            let micros = i64::from_be_bytes(bytes_of(kind, bytes)?);
            let (time, days) = NaiveTime::MIN.overflowing_add_signed(TimeDelta::microseconds(micros));
            if days != 0 {
                return Err(out_of_range(kind));
            }
            Ok(Value::from(time.format("%H:%M:%S%.6f").to_string()))
        }
        Type::INTERVAL => interval(kind, bytes),
        Type::UUID => {
            let hex: String = bytes_of::<16>(kind, bytes)?.iter().map(|byte| format!("{byte:02x}")).collect();
            let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
            Ok(Value::from(parts.join("-")))
        }
        _ => Err(PgError::new(
            "0A000",
            format!("parameters of type {} are not accepted in binary; send a text", kind.name()),
        )),
    }
}

/// The day that dates and instants are counted from.
const EPOCH: Option<NaiveDate> = NaiveDate::from_ymd_opt(2000, 1, 1);

fn bytes_of<const N: usize>(kind: &Type, bytes: &[u8]) -> Result<[u8; N], PgError> {
    <[u8; N]>::try_from(bytes).map_err(|_length| malformed(kind))
}

fn malformed(kind: &Type) -> PgError {
    PgError::new("22P03", format!("incorrect binary data format for type {}", kind.name()))
}

fn out_of_range(kind: &Type) -> PgError {
    PgError::new("22008", format!("a value of type {} is out of range", kind.name()))
}

/// How many digits of a decimal number are read.
const MOST_DIGITS: i32 = 100;

/// Groups of four digits: how many, the power of the first, the sign, how many digits are shown after the point.
fn numeric(kind: &Type, bytes: &[u8]) -> Result<Value, PgError> {
    let words: Vec<u16> = bytes
        .chunks(2)
        .map(|word| word.iter().fold(0, |all, byte| all << 8 | u16::from(*byte)))
        .collect();
    let [count, weight, sign, scale, groups @ ..] = &words[..] else {
        return Err(malformed(kind));
    };
    if !bytes.len().is_multiple_of(2) || usize::from(*count) != groups.len() || groups.iter().any(|group| *group > 9999) {
        return Err(malformed(kind));
    }
    let sign = match sign {
        0 => "",
        0x4000 => "-",
        0xc000 => return Ok(Value::from("NaN")),
        _ => return Err(out_of_range(kind)),
    };
    let weight = i32::from(weight.cast_signed());
    let places = i32::from(*scale);
    if weight > MOST_DIGITS / 4 || places > MOST_DIGITS {
        return Err(out_of_range(kind));
    }
    let group = |power: i32| {
        let index = usize::try_from(weight - power).ok();
        index.and_then(|index| groups.get(index)).copied().unwrap_or(0)
    };
    let whole: String = (0..=weight).rev().map(|power| format!("{:04}", group(power))).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction: String = (1..=(places + 3) / 4).map(|power| format!("{:04}", group(-power))).collect();
    let fraction = fraction.get(..usize::from(*scale)).unwrap_or_default();
    let point = if fraction.is_empty() { "" } else { "." };
    decimal(&format!("{sign}{whole}{point}{fraction}")).ok_or_else(|| malformed(kind))
}

/// Microseconds, days and months.
fn interval(kind: &Type, bytes: &[u8]) -> Result<Value, PgError> {
    let bytes = bytes_of::<16>(kind, bytes)?;
    let (micros, rest) = bytes.split_at(8);
    let (days, months) = rest.split_at(4);
    let micros = i64::from_be_bytes(bytes_of(kind, micros)?);
    let (days, months) = (
        i32::from_be_bytes(bytes_of(kind, days)?),
        i32::from_be_bytes(bytes_of(kind, months)?),
    );
    Ok(Value::from(format!("{months} months {days} days {micros} microseconds")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_what_their_types_say() {
        let read = |kind: Type, text: &str| read(&kind, false, text.as_bytes()).unwrap();
        assert_eq!(read(Type::BOOL, "t"), json!(true));
        assert_eq!(read(Type::INT8, "-7"), json!(-7));
        assert_eq!(read(Type::FLOAT8, "1.5"), json!(1.5));
        assert_eq!(read(Type::FLOAT8, "NaN"), json!("NaN"));
        assert_eq!(read(Type::NUMERIC, "12"), json!(12));
        assert_eq!(read(Type::NUMERIC, "12.50"), json!(12.5));
        assert_eq!(read(Type::NUMERIC, "12345678901234.50001"), json!("12345678901234.50001"));
        assert_eq!(read(Type::UNKNOWN, "2026-03-02"), json!("2026-03-02"));
        for (kind, text) in [(Type::INT4, "one"), (Type::BOOL, "maybe"), (Type::FLOAT8, "")] {
            assert!(super::read(&kind, false, text.as_bytes()).is_err(), "{kind}");
        }
        assert!(super::read(&Type::TEXT, false, &[0xff]).is_err());
    }

    #[test]
    fn bytes_are_what_their_types_say() {
        let read = |kind: Type, bytes: &[u8]| read(&kind, true, bytes).unwrap();
        assert_eq!(read(Type::INT2, &[0xff, 0xfe]), json!(-2));
        assert_eq!(read(Type::INT8, &7_i64.to_be_bytes()), json!(7));
        assert_eq!(read(Type::FLOAT8, &0.25_f64.to_be_bytes()), json!(0.25));
        assert_eq!(read(Type::BOOL, &[1]), json!(true));
        assert_eq!(read(Type::TEXT, "größe".as_bytes()), json!("größe"));
        assert_eq!(read(Type::DATE, &9557_i32.to_be_bytes()), json!("2026-03-02"));
        assert_eq!(read(Type::DATE, &(-1_i32).to_be_bytes()), json!("1999-12-31"));
        let micros = 9557_i64 * 86_400_000_000 + 9 * 3_600_000_000 + 250_000;
        assert_eq!(read(Type::TIMESTAMPTZ, &micros.to_be_bytes()), json!("2026-03-02T09:00:00.250000Z"));
        assert_eq!(read(Type::TIMESTAMP, &micros.to_be_bytes()), json!("2026-03-02T09:00:00.250000"));
        // 1234567.0050: 123, 4567, 50 with four digits shown.
        assert_eq!(
            read(Type::NUMERIC, &[0, 3, 0, 1, 0, 0, 0, 4, 0, 123, 0x11, 0xd7, 0, 50]),
            json!(1_234_567.005)
        );
        assert_eq!(read(Type::NUMERIC, &[0, 1, 0xff, 0xff, 0x40, 0, 0, 2, 0x09, 0xc4]), json!(-0.25));
        assert_eq!(read(Type::NUMERIC, &[0, 0, 0, 0, 0, 0, 0, 0]), json!(0));
        for kind in [
            Type::INT4,
            Type::FLOAT8,
            Type::DATE,
            Type::TIMESTAMPTZ,
            Type::NUMERIC,
            Type::BOOL,
            Type::INTERVAL,
            Type::UUID,
        ] {
            assert!(super::read(&kind, true, &[1, 2, 3]).is_err(), "{kind}");
        }
        assert!(super::read(&Type::DATE, true, &i32::MAX.to_be_bytes()).is_err());
        assert!(super::read(&Type::TIMESTAMP, true, &i64::MAX.to_be_bytes()).is_err());
        assert!(super::read(&Type::POINT, true, &[0; 16]).is_err());
    }
}
