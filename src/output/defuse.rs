//! Texts that a spreadsheet would run as formulas: users choose their own names.

use std::borrow::Cow;

/// The text as it may stand in a spreadsheet: with an apostrophe in front where it would be a formula.
pub(super) fn defused(text: &str) -> Cow<'_, str> {
    if text.bytes().next().is_some_and(begins_formula) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a text that begins with this byte would be a formula.
pub(super) const fn begins_formula(byte: u8) -> bool {
    matches!(byte, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
}
