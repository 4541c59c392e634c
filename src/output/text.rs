//! Bytes that are being written: what many short pieces are put together in, without asking for room a byte at a time.

use std::mem::take;

/// How much is copied at once; see [`Text::put`].
pub(super) const BLOCK: usize = 32;
/// How much more room there is whenever there is too little, at least.
const ROOM: usize = 16 * 1024;

/// Two digits for each number below a hundred.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Bytes that are being written. Those behind `len` are room, and mean nothing.
#[derive(Debug)]
pub(super) struct Text {
    bytes: Vec<u8>,
    len: usize,
}

impl Text {
    /// Goes on behind what is there, with room for so many bytes.
    pub(super) fn after(out: &mut Vec<u8>, room: usize) -> Self {
        let mut bytes = take(out);
        let len = bytes.len();
        bytes.resize(len + room, 0);
        Self { bytes, len }
    }

    /// What was written.
    pub(super) fn done(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        bytes.truncate(self.len);
        bytes
    }

    /// How many bytes there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Room for so many bytes, so far behind what is written: as an array, since only what has a size that is known beforehand is
    /// copied without a call. There is always some.
    #[inline]
    fn room<const N: usize>(&mut self, behind: usize) -> Option<&mut [u8; N]> {
        self.make_room(behind + N);
        self.bytes.get_mut(self.len + behind..)?.first_chunk_mut()
    }

    #[inline]
    fn make_room(&mut self, size: usize) {
        if self.bytes.len() - self.len < size {
            self.grow(size);
        }
    }

    #[cold]
    fn grow(&mut self, size: usize) {
        let more = size.max(self.bytes.len() / 2).max(ROOM);
        self.bytes.resize(self.bytes.len() + more, 0);
    }

    /// Writes the `len` bytes from `start` on.
    ///
    /// Whole blocks are copied, and what is too much of the last one is written over by what follows: that is far quicker than
    /// to copy just so many bytes. It takes a `source` that goes on for a block behind them; one that does not is copied as it is.
    #[inline]
    pub(super) fn put(&mut self, source: &[u8], start: usize, len: usize) {
        match source.get(start..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            Some(block) if len <= BLOCK => self.put_first(*block, len),
            _ => self.put_blocks(source, start, len),
        }
    }

    /// The same for what is longer than a block, or stands at the end of its source.
    fn put_blocks(&mut self, source: &[u8], start: usize, len: usize) {
        let mut copied = 0;
        while copied < len {
            let Some(block) = source.get(start + copied..).and_then(<[u8]>::first_chunk::<BLOCK>) else {
                return self.put_all(&source[start..start + len]);
            };
            if let Some(room) = self.room(copied) {
                *room = *block;
            }
            copied += BLOCK;
        }
        self.len += len;
    }

    /// Writes bytes.
    #[inline]
    pub(super) fn put_all(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Writes the first `len` of these bytes.
    #[inline]
    pub(super) fn put_first<const N: usize>(&mut self, bytes: [u8; N], len: usize) {
        if let Some(room) = self.room(0) {
            *room = bytes;
        }
        self.len += len;
    }

    /// Writes a whole number.
    #[inline]
    pub(super) fn put_integer(&mut self, number: i64) {
        if (0..10_000).contains(&number) {
            let number = number as usize;
            let ([a, b], [c, d]) = (PAIRS[number / 100], PAIRS[number % 100]);
            let zeros = usize::from(number < 1000) + usize::from(number < 100) + usize::from(number < 10);
            // Zeros in front fall off.
            let digits = u32::from_le_bytes([a, b, c, d]) >> (8 * zeros);
            self.put_first(digits.to_le_bytes(), 4 - zeros);
        } else {
            self.put_all(itoa::Buffer::new().format(number).as_bytes());
        }
    }
}

/// A time of the day, from its second: `HH:MM:SS`.
#[inline]
pub(super) const fn clock(second: u32) -> [u8; 8] {
    let [hours, minutes, seconds] = [
        PAIRS[(second / 3600 % 100) as usize],
        PAIRS[(second / 60 % 60) as usize],
        PAIRS[(second % 60) as usize],
    ];
    [hours[0], hours[1], b':', minutes[0], minutes[1], b':', seconds[0], seconds[1]]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_numbers_have_no_zeros_in_front() {
        let mut out = Vec::new();
        let mut text = Text::after(&mut out, 0);
        let numbers = -10..10_100;
        numbers.clone().for_each(|number| text.put_integer(number));
        let expected: String = numbers.map(|number| number.to_string()).collect();
        assert_eq!(text.done(), expected.as_bytes());
    }

    #[test]
    fn clocks_show_every_second() {
        for second in 0..86_400 {
            let shown = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            assert_eq!(clock(second), shown.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn pieces_stand_one_after_the_other(
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), 0usize..40), 0..300),
            numbers in prop::collection::vec(prop_oneof![any::<i64>(), -1200i64..11_000], 0..20),
            before in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let (mut out, mut expected) = (before.clone(), before);
            let mut text = Text::after(&mut out, 7);
            for (piece, start) in &pieces {
                let start = (*start).min(piece.len());
                text.put(piece, start, piece.len() - start);
                expected.extend_from_slice(&piece[start..]);
                let half = piece.len() / 2;
                text.put(piece, 0, half);
                expected.extend_from_slice(&piece[..half]);
            }
            for number in numbers {
                text.put_integer(number);
                expected.extend_from_slice(number.to_string().as_bytes());
            }
            prop_assert_eq!(text.len(), expected.len());
            prop_assert_eq!(text.done(), expected);
        }
    }
}
