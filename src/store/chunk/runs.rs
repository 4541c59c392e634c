//! Numbers as Parquet packs them: runs of one number, and groups of eight.

/// Numbers as runs: of one number, or of any eight times so many, packed.
pub(super) struct Runs {
    width: u32,
    bytes: Vec<u8>,
    /// Up to eight numbers of which it is not decided how they are written.
    group: [u32; 8],
    waiting: usize,
    last: u32,
    repeats: usize,
    /// The packed run that is being written: where it says how long it is, and how many groups it has.
    packed_at: Option<usize>,
    packed: u8,
}

/// The most groups of a packed run.
const MOST_GROUPS: u8 = 63;

impl Runs {
    pub(super) const fn new(width: u32) -> Self {
        Self {
            width,
            bytes: Vec::new(),
            group: [0; 8],
            waiting: 0,
            last: 0,
            repeats: 0,
            packed_at: None,
            packed: 0,
        }
    }

    #[inline]
    pub(super) fn put(&mut self, number: u32) {
        if self.last == number {
            self.repeats += 1;
            if self.repeats > 8 {
                return;
            }
        } else {
            if self.repeats >= 8 {
                self.repeated();
            }
            self.repeats = 1;
            self.last = number;
        }
        self.group[self.waiting] = number;
        self.waiting += 1;
        if self.waiting < 8 {
            return;
        }
        if self.repeats >= 8 {
            // A run of this number begins.
            self.waiting = 0;
            self.end_packed();
        } else {
            self.pack();
            if self.packed == MOST_GROUPS {
                self.end_packed();
            }
            self.repeats = 0;
        }
    }

    /// Puts numbers, as groups where no group is begun.
    pub(super) fn put_each(&mut self, mut numbers: &[u32]) {
        loop {
            if self.waiting == 0
                && let Some((group, rest)) = numbers.split_first_chunk()
            {
                self.put_group(group);
                numbers = rest;
            } else if let Some((number, rest)) = numbers.split_first() {
                self.put(*number);
                numbers = rest;
            } else {
                return;
            }
        }
    }

    /// Puts eight numbers while none waits: there is a run of one number, or none is begun.
    fn put_group(&mut self, group: &[u32; 8]) {
        let first = group[0];
        let same = group.iter().all(|number| *number == first);
        if self.repeats > 0 {
            if same && first == self.last {
                self.repeats += group.len();
            } else {
                group.iter().for_each(|number| self.put(*number));
            }
            return;
        }
        if same {
            self.repeats = group.len();
            self.last = first;
            self.end_packed();
        } else {
            self.group = *group;
            self.last = group[group.len() - 1];
            self.pack();
            if self.packed == MOST_GROUPS {
                self.end_packed();
            }
        }
    }

    /// Puts a number so many times.
    pub(super) fn put_all(&mut self, number: u32, times: usize) {
        // A run of one number has begun by then, at the latest with the ninth of them after a full group.
        let (first, rest) = (times.min(16), times.saturating_sub(16));
        (0..first).for_each(|_| self.put(number));
        self.repeats += rest;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.packed == 0 && self.repeats > 0 && (self.waiting == 0 || self.repeats == self.waiting) {
            self.repeated();
        } else if self.packed > 0 || self.waiting > 0 {
            if self.waiting > 0 {
                self.group[self.waiting..].fill(0);
                self.pack();
            }
            self.end_packed();
        }
        self.bytes
    }

    fn repeated(&mut self) {
        let mut header = self.repeats << 1;
        while header > 0x7f {
            self.bytes.push(header as u8 | 0x80);
            header >>= 7;
        }
        self.bytes.push(header as u8);
        let bytes = self.last.to_le_bytes();
        self.bytes.extend_from_slice(&bytes[..self.width.div_ceil(8) as usize]);
        self.waiting = 0;
        self.repeats = 0;
    }

    /// Adds a group to the packed run.
    fn pack(&mut self) {
        if self.packed_at.is_none() {
            self.packed_at = Some(self.bytes.len());
            self.bytes.push(0);
        }
        let (mut bits, mut filled) = (0_u128, 0);
        for number in self.group {
            bits |= u128::from(number) << filled;
            filled += self.width;
            if filled >= u64::BITS {
                self.bytes.extend_from_slice(&(bits as u64).to_le_bytes());
                bits >>= u64::BITS;
                filled -= u64::BITS;
            }
        }
        // Eight numbers of any width end where a byte does.
        self.bytes.extend_from_slice(&bits.to_le_bytes()[..filled as usize / 8]);
        self.packed += 1;
        self.waiting = 0;
    }

    fn end_packed(&mut self) {
        if let Some(at) = self.packed_at.take() {
            self.bytes[at] = self.packed << 1 | 1;
        }
        self.packed = 0;
    }
}
