//! Numbers with two decimals, rounded half away from zero.
//!
//! What is rounded is the decimal number that a reader would write for the float (its shortest form): 1.005 is stored as
//! 1.00499999999999989, and is still 1.01.

use std::io::Write as _;

/// Writes a number with at most two decimals and at least one; what is no number is nothing.
pub(super) fn write(number: f64, out: &mut Vec<u8>) {
    if !number.is_finite() {
        return;
    }
    let scaled = number.abs() * 100.0;
    let hundredths = if scaled > 1e15 {
        // Too large to have decimals.
        let _infallible = write!(out, "{number:.1}");
        return;
    } else if (scaled.fract() - 0.5).abs() < 1e-3 {
        round_shortest(number.abs())
    } else {
        scaled.round() as u64
    };
    if number < 0.0 && hundredths > 0 {
        out.push(b'-');
    }
    let (whole, tenths, rest) = (hundredths / 100, hundredths / 10 % 10, hundredths % 10);
    let _infallible = if rest == 0 {
        write!(out, "{whole}.{tenths}")
    } else {
        write!(out, "{whole}.{tenths}{rest}")
    };
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
