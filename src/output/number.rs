//! Numbers with two decimals, rounded half away from zero.
//!
//! What is rounded is the decimal number that a reader would write for the float (its shortest form): 1.005 is stored as
//! 1.00499999999999989, and is still 1.01.

use std::io::Write as _;

use super::text::Text;

/// Writes a number with at most two decimals and at least one; what is no number is nothing.
pub(super) fn write(number: f64, out: &mut Vec<u8>) {
    match Rounded::of(number) {
        Rounded::Nothing => {}
        Rounded::Large(number) => {
            // Writing to memory cannot fail.
            let _infallible = write!(out, "{number:.1}");
        }
        Rounded::Hundredths { negative, hundredths } => {
            if negative {
                out.push(b'-');
            }
            let (whole, tenths, rest) = (hundredths / 100, hundredths / 10 % 10, hundredths % 10);
            let _infallible = if rest == 0 {
                write!(out, "{whole}.{tenths}")
            } else {
                write!(out, "{whole}.{tenths}{rest}")
            };
        }
    }
}

/// The same as [`write()`], where many are written.
pub(super) fn put(number: f64, text: &mut Text) {
    match Rounded::of(number) {
        Rounded::Nothing => {}
        Rounded::Large(number) => text.put_all(format!("{number:.1}").as_bytes()),
        Rounded::Hundredths { negative, hundredths } => {
            text.put_first([b'-'], usize::from(negative));
            text.put_integer((hundredths / 100) as i64);
            let digit = |digit: u64| b'0' + (digit % 10) as u8;
            let rest = digit(hundredths);
            text.put_first([b'.', digit(hundredths / 10), rest], if rest == b'0' { 2 } else { 3 });
        }
    }
}

/// What is left of a number.
enum Rounded {
    /// It is none.
    Nothing,
    /// It is too large to have decimals.
    Large(f64),
    /// So many hundredths; zero is not negative.
    Hundredths { negative: bool, hundredths: u64 },
}

impl Rounded {
    fn of(number: f64) -> Self {
        if !number.is_finite() {
            return Self::Nothing;
        }
        let scaled = number.abs() * 100.0;
        if scaled > 1e15 {
            return Self::Large(number);
        }
        let hundredths = if (scaled.fract() - 0.5).abs() < 1e-3 {
            round_shortest(number.abs())
        } else {
            scaled.round() as u64
        };
        Self::Hundredths {
            negative: number < 0.0 && hundredths > 0,
            hundredths,
        }
    }
}

/// A number rounded to two decimals.
pub(super) fn rounded(number: f64) -> f64 {
    let mut text = Vec::new();
    write(number, &mut text);
    String::from_utf8_lossy(&text).parse().unwrap_or(number)
}

/// The hundredths of a number, decided by the third decimal of its shortest form.
fn round_shortest(number: f64) -> u64 {
    let text = number.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let digit = |place: usize| decimals.as_bytes().get(place).map_or(0, |digit| u64::from(digit - b'0'));
    let hundredths = whole.parse::<u64>().unwrap_or(0) * 100 + digit(0) * 10 + digit(1);
    hundredths + u64::from(digit(2) >= 5)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(number: f64) -> String {
        let mut out = Vec::new();
        write(number, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(text(9.375), "9.38");
        assert_eq!(text(1.005), "1.01");
        assert_eq!(text(-1.005), "-1.01");
        assert_eq!(text(0.005), "0.01");
        assert_eq!(text(0.004_999), "0.0");
        assert_eq!(text(-0.004), "0.0");
        assert_eq!(text(2.675), "2.68");
    }

    #[test]
    fn whole_numbers_keep_one_decimal() {
        assert_eq!(text(7.0), "7.0");
        assert_eq!(text(12.5), "12.5");
        assert_eq!(text(58.333_333_333), "58.33");
        assert_eq!(text(99.999), "100.0");
        assert_eq!(text(f64::NAN), "");
    }

    proptest! {
        #[test]
        fn many_are_written_as_one_is(numbers in prop::collection::vec(prop_oneof![
            any::<f64>(),
            -1e4..1e4,
            -2e13..2e13,
            (-100_000_000i64..100_000_000).prop_map(|n| n as f64 / 1000.0),
            Just(-0.0),
            Just(f64::NAN),
            Just(f64::NEG_INFINITY),
        ], 0..50)) {
            let mut out = Vec::new();
            let mut many = Text::after(&mut out, 0);
            let mut expected = String::new();
            for number in numbers {
                put(number, &mut many);
                expected.push_str(&text(number));
            }
            prop_assert_eq!(String::from_utf8(many.done()).unwrap(), expected);
        }

        /// A quotient of whole numbers is rounded as exact arithmetic rounds it.
        #[test]
        fn quotients_are_rounded_exactly(numerator in 0u64..4_000_000_000_000, denominator in 1u64..40_000_000_000) {
            let rounded = (u128::from(numerator) * 200 + u128::from(denominator)) / (u128::from(denominator) * 2);
            prop_assume!(rounded < 100_000_000_000);
            let exact = format!("{}.{:02}", rounded / 100, rounded % 100);
            let exact = exact.strip_suffix('0').unwrap_or(&exact);
            prop_assert_eq!(text(numerator as f64 / denominator as f64), exact);
        }
    }
}
