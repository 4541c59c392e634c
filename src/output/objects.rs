//! Rows as JSON objects, for the formats that are made of them.

use super::lines::Spelling;
use crate::report::Column;

/// JSON objects, and what stands before and behind each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objects {
    pub(super) before: &'static [u8],
    pub(super) end: &'static [u8],
}

impl Spelling for Objects {
    const NULL: &'static [u8] = b"null";
    const QUOTE: &'static [u8] = b"\"";
    const NOTHING: &'static [u8] = b"{";

    fn before(&self) -> &'static [u8] {
        self.before
    }

    fn lead(&self, place: usize, column: &Column) -> Vec<u8> {
        let mut lead = vec![if place == 0 { b'{' } else { b',' }];
        Self::write_text(&column.name, &mut lead);
        lead.push(b':');
        lead
    }

    fn end(&self) -> &'static [u8] {
        self.end
    }

    fn is_plain(byte: u8) -> bool {
        (byte >= b' ') & (byte != b'"') & (byte != b'\\')
    }

    fn may_begin(_: u8) -> bool {
        true
    }

    fn write_text(text: &str, out: &mut Vec<u8>) {
        // Writing a text to memory cannot fail.
        let _infallible = serde_json::to_writer(out, text);
    }

    fn number(text: &str) -> &[u8] {
        // No number in JSON's eyes: infinite, or none at all.
        if text.ends_with(|c: char| c.is_ascii_digit()) {
            text.as_bytes()
        } else {
            Self::NULL
        }
    }
}
