//! Texts that a spreadsheet would run as formulas: users choose their own names.

use std::borrow::Cow;

/// The text as it may stand in a spreadsheet: with an apostrophe in front where it would be a formula.
pub(super) fn defused(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}
