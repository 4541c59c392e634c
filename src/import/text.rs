//! Text as Windows tools and log rotation leave it, as UTF-8.
//!
//! ```text
//!   bytes ─▶ NULs at the beginning ─▶ byte order mark ─▶ UTF-16, with a mark or without ─▶ UTF-8
//! ```
//!
//! PowerShell writes UTF-16; editors put a byte order mark before UTF-8; a log that was truncated while its writer went on begins
//! with NULs. The invariant: what begins like none of these passes unchanged, also what is no text at all.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many bytes it is recognised by.
const LOOK: usize = 4096;

/// What was changed, told while the file is read.
#[derive(Debug, Default)]
pub(super) struct Changes {
    nuls: AtomicU64,
    utf16: AtomicBool,
}

impl Changes {
    /// Returns the changes in words, for the summary of the import.
    pub(super) fn notes(&self) -> Vec<String> {
        let nuls = self.nuls.load(Ordering::Relaxed);
        let nuls = (nuls > 0).then(|| format!("the file begins with {nuls} NUL bytes, as a truncated log does; they were skipped"));
        let utf16 = self.utf16.load(Ordering::Relaxed);
        let utf16 = utf16.then(|| "the file is UTF-16; it was read as text".to_owned());
        nuls.into_iter().chain(utf16).collect()
    }
}

/// Reads bytes as UTF-8.
pub(super) struct AsText<R> {
    inner: R,
    changes: Arc<Changes>,
    /// Bytes that are ready, and how many of them were given.
    ready: Vec<u8>,
    given: usize,
    encoding: Encoding,
}

enum Encoding {
    /// Nothing was read yet.
    Unknown,
    /// As it comes.
    Utf8,
    /// Pairs of bytes; the least byte comes first, or not. The rest waits for its other half.
    Utf16 { least_first: bool, rest: Vec<u8> },
}

impl<R: Read> AsText<R> {
    pub(super) const fn new(inner: R, changes: Arc<Changes>) -> Self {
        Self {
            inner,
            changes,
            ready: Vec::new(),
            given: 0,
            encoding: Encoding::Unknown,
        }
    }

    /// Reads the beginning and finds out what it is.
    fn recognise(&mut self) -> io::Result<()> {
        let mut begin = Vec::new();
        let mut nuls = 0_u64;
        // A truncated log may begin with as many NULs as it had bytes.
        while begin.is_empty() {
            if self.inner.by_ref().take(LOOK as u64).read_to_end(&mut begin)? == 0 {
                break;
            }
            if begin.starts_with(&[0, 0]) || nuls > 0 {
                let text = begin.iter().position(|byte| *byte != 0).unwrap_or(begin.len());
                nuls += text as u64;
                begin.drain(..text);
            }
        }
        self.changes.nuls.store(nuls, Ordering::Relaxed);
        let (mark, least_first) = match begin[..] {
            [0xef, 0xbb, 0xbf, ..] => (3, None),
            [0xff, 0xfe, ..] => (2, Some(true)),
            [0xfe, 0xff, ..] => (2, Some(false)),
            _ => (0, utf16_without_mark(&begin)),
        };
        begin.drain(..mark);
        match least_first {
            None => {
                self.encoding = Encoding::Utf8;
                self.ready = begin;
            }
            Some(least_first) => {
                self.changes.utf16.store(true, Ordering::Relaxed);
                self.encoding = Encoding::Utf16 {
                    least_first,
                    rest: Vec::new(),
                };
                self.decode(&begin);
            }
        }
        Ok(())
    }

    /// Adds the text of pairs of bytes to what is ready. Halves of characters without their other half become `U+FFFD`.
    fn decode(&mut self, bytes: &[u8]) {
        let Encoding::Utf16 { least_first, rest } = &mut self.encoding else {
            return;
        };
        rest.extend_from_slice(bytes);
        let unit = |pair: &[u8]| match *least_first {
            true => u16::from_le_bytes([pair[0], pair[1]]),
            false => u16::from_be_bytes([pair[0], pair[1]]),
        };
        let mut whole = rest.len() / 2 * 2;
        // The first half of a character waits for the second.
        if whole >= 2 && (0xd800..0xdc00).contains(&unit(&rest[whole - 2..whole])) {
            whole -= 2;
        }
        let text = char::decode_utf16(rest[..whole].chunks_exact(2).map(unit));
        let mut encoded = [0; 4];
        for character in text {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.ready.extend_from_slice(character.encode_utf8(&mut encoded).as_bytes());
        }
        rest.drain(..whole);
    }
}

/// Returns whether the least byte comes first, where bytes are pairs without a mark: nearly every other byte of a log in UTF-16 is 0.
fn utf16_without_mark(begin: &[u8]) -> Option<bool> {
    let pairs = begin.chunks_exact(2).take(256);
    let count = pairs.len();
    if count < 4 {
        return None;
    }
    let (mut first, mut second) = (0, 0);
    for pair in pairs {
        first += usize::from(pair[0] == 0);
        second += usize::from(pair[1] == 0);
    }
    if second * 10 >= count * 8 && first * 20 < count {
        Some(true)
    } else if first * 10 >= count * 8 && second * 20 < count {
        Some(false)
    } else {
        None
    }
}

impl<R: Read> Read for AsText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.encoding, Encoding::Unknown) {
            self.recognise()?;
        }
        while self.given == self.ready.len() {
            if matches!(self.encoding, Encoding::Utf8) {
                return self.inner.read(buffer);
            }
            self.ready.clear();
            self.given = 0;
            let mut bytes = vec![0; 64 * 1024];
            let read = self.inner.read(&mut bytes)?;
            if read == 0 {
                return Ok(0);
            }
            self.decode(&bytes[..read]);
        }
        let given = buffer.len().min(self.ready.len() - self.given);
        buffer[..given].copy_from_slice(&self.ready[self.given..self.given + given]);
        self.given += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let few = buffer.len().min(1);
            self.0.read(&mut buffer[..few])
        }
    }

    fn text(bytes: &[u8]) -> (Vec<u8>, Vec<String>) {
        let changes = Arc::new(Changes::default());
        let mut slowly = Vec::new();
        AsText::new(Slowly(bytes), Arc::clone(&changes)).read_to_end(&mut slowly).unwrap();
        let mut text = Vec::new();
        AsText::new(bytes, Arc::default()).read_to_end(&mut text).unwrap();
        assert_eq!(slowly, text);
        (text, changes.notes())
    }

    #[test]
    fn marks_and_utf_16_are_read_as_text() {
        let log = "10:00:00 (x) OUT: \"Maß 🙂\" jürgen@w1\r\n";
        let little: Vec<u8> = log.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = log.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, bytes) in [(&[0xff, 0xfe][..], &little), (&[], &little), (&[0xfe, 0xff], &big), (&[], &big)] {
            let (read, notes) = text(&[mark, bytes].concat());
            assert_eq!(String::from_utf8(read).unwrap(), log);
            assert!(notes[0].contains("UTF-16"), "{notes:?}");
        }
        let (read, notes) = text(&[&[0xef, 0xbb, 0xbf], log.as_bytes()].concat());
        assert_eq!((String::from_utf8(read).unwrap().as_str(), notes.len()), (log, 0));
    }

    #[test]
    fn nuls_at_the_beginning_are_skipped() {
        for nuls in [2, 4095, 4096, 70_000] {
            let (read, notes) = text(&[vec![0; nuls], b"10:00:00 (x) y\n".to_vec()].concat());
            assert_eq!(read, b"10:00:00 (x) y\n");
            assert!(notes[0].contains(&format!(" {nuls} NUL")), "{notes:?}");
        }
    }

    #[test]
    fn anything_else_passes_unchanged() {
        for bytes in [
            &b""[..],
            b"a",
            b"\0",
            b"PAR1\0\0\x15\x04",
            b"plain text\0with one",
            "caf\u{e9}".as_bytes(),
        ] {
            assert_eq!(text(bytes), (bytes.to_vec(), Vec::new()), "{bytes:?}");
        }
    }
}
