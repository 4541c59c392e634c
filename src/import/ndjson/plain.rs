//! Lines as nearly all are, read without a parser of JSON.
//!
//! ```text
//! {"time":"2026-03-01T08:00:00Z","event":"checkout","feature":"MAP","licenses":2}
//! ```
//!
//! That is: one object; names that are known; texts without escapes; integers of up to 18 digits, and `null`; blanks at most
//! between them. Whatever else a line holds, right or wrong, it is left to the parser, which is the one that says what is wrong.

use crate::import::neutral::{Field, Record, Value};

/// The record of a line; nothing if it is not as simple as that.
pub(super) fn read(line: &[u8]) -> Option<Record<'_>> {
    let line = std::str::from_utf8(line).ok()?;
    let mut record = Record::new();
    let mut rest = skip(skip(line).strip_prefix('{')?);
    loop {
        let (field, after) = Field::quoted(rest.strip_prefix('"')?)?;
        rest = skip(skip(after).strip_prefix(':')?);
        if let Some(text) = rest.strip_prefix('"') {
            let end = text_end(text.as_bytes())?;
            record.set(field, Value::text(text.get(..end)?));
            rest = text.get(end + 1..)?;
        } else if let Some(after) = rest.strip_prefix("null") {
            record.set(field, Value::Missing);
            rest = after;
        } else {
            let (number, after) = integer(rest)?;
            record.set(field, Value::Number(number));
            rest = after;
        }
        rest = skip(rest);
        if let Some(after) = rest.strip_prefix(',') {
            rest = skip(after);
        } else {
            return (rest.strip_prefix('}').map(skip) == Some("")).then_some(record);
        }
    }
}

#[inline]
fn skip(text: &str) -> &str {
    if text.starts_with(' ') {
        text.trim_start_matches(' ')
    } else {
        text
    }
}

/// Where the closing quote of a text is; nothing if an escape, or what JSON forbids in texts, comes before it.
fn text_end(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut from = 0;
    // Eight bytes at a time, until one of them is a quote, a backslash or a control character: the lowest bit that is set
    // tells the first. A borrow may set higher ones.
    while let Some((eight, _)) = text[from..].split_first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
        let control = eight.wrapping_sub(ONES * 0x20) & !eight & HIGH;
        let special = zero(eight ^ (ONES * u64::from(b'"'))) | zero(eight ^ (ONES * u64::from(b'\\'))) | control;
        if special != 0 {
            from += special.trailing_zeros() as usize / 8;
            break;
        }
        from += 8;
    }
    let place = from + text[from..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    (text[place] == b'"').then_some(place)
}

/// An integer as JSON writes it, of up to 18 digits, and what follows it.
fn integer(text: &str) -> Option<(i64, &str)> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = digits.split_at(length);
    let plain = matches!(length, 1..=18) && (!digits.starts_with('0') || length == 1 && !negative);
    let ends = rest.starts_with([',', '}', ' ']);
    if !plain || !ends {
        return None;
    }
    let number = digits.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some((if negative { -number } else { number }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Line;
    use super::*;

    fn texts() -> impl Strategy<Value = String> {
        let simple = "[ -~]{0,20}".prop_map(|text| text.replace(['"', '\\'], "_"));
        prop_oneof![simple, "\\PC{0,12}", any::<String>(), Just(String::new())]
    }

    fn values() -> impl Strategy<Value = String> {
        prop_oneof![
            texts().prop_map(|text| format!("\"{text}\"")),
            texts().prop_map(|text| serde_json::to_string(&text).unwrap()),
            any::<i64>().prop_map(|number| number.to_string()),
            (-30_i64..30).prop_map(|number| number.to_string()),
            prop::sample::select(vec![
                "null",
                "true",
                "-0",
                "00",
                "01",
                "1.0",
                "1e3",
                "-",
                "",
                "{}",
                "[1]",
                "nullx",
                "18446744073709551616"
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn lines() -> impl Strategy<Value = String> {
        let names = prop_oneof![
            8 => prop::sample::select(Field::ALL.map(Field::name).to_vec()).prop_map(str::to_owned),
            1 => texts(),
        ];
        let gap = || prop::sample::select(vec!["", "", "", " ", "  ", "\t"]);
        let member = (names, values(), gap(), gap(), gap()).prop_map(|(name, value, a, b, c)| format!("{a}\"{name}\"{b}:{c}{value}"));
        let ends = prop::sample::select(vec!["}", "}", "}", "} ", ",}", "", "}}", " } x"]);
        (prop::collection::vec(member, 0..6), ends).prop_map(|(members, end)| format!("{{{}{end}", members.join(",")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn whatever_it_reads_the_parser_reads_the_same(lines in prop::collection::vec(lines(), 1..4)) {
            for line in &lines {
                if let Some(record) = read(line.as_bytes()) {
                    let parsed = serde_json::from_str::<Line<'_>>(line);
                    prop_assert!(parsed.is_ok(), "{line}");
                    let parsed = parsed.unwrap();
                    prop_assert_eq!(format!("{:?}", parsed.record), format!("{record:?}"));
                    prop_assert_eq!(parsed.unknown.len(), 0);
                }
            }
        }

        #[test]
        fn a_text_ends_where_its_first_quote_is(text in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'a')], 0..40)) {
            let naive = text.iter().enumerate().find(|(_, byte)| **byte == b'"' || **byte == b'\\' || **byte < 0x20);
            prop_assert_eq!(text_end(&text), naive.filter(|(_, byte)| **byte == b'"').map(|(place, _)| place));
        }
    }

    #[test]
    fn the_usual_lines_are_simple() {
        for line in [
            r#"{"time":"2026-03-01T08:00:00Z","event":"checkout","feature":"MAP","licenses":2,"handle":null}"#,
            r#"{"time": "2026-03-01 08:00:00", "event": "denial", "reason_code": -4, "user": "zoë"} "#,
        ] {
            assert!(read(line.as_bytes()).is_some(), "{line}");
        }
        for line in [r#"{"user":"a\tb"}"#, r#"{"who":"a"}"#, r#"{"licenses":1.5}"#, "{}", "[]", ""] {
            assert!(read(line.as_bytes()).is_none(), "{line}");
        }
    }
}
