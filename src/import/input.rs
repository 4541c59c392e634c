//! A file, decompressed and sniffed, as lines or as bytes.

use std::fs::File;
use std::io::{self, BufRead, Cursor, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::ImportError;
use super::text::{AsText, Changes};

/// How much of a file its format is recognised by.
const SAMPLE: usize = 64 * 1024;
/// The longest line that is read, in bytes. No license manager writes one of a hundredth of it.
pub(super) const MAX_LINE_BYTES: usize = 1024 * 1024;
/// How much is read ahead at a time.
const BLOCK: usize = 1024 * 1024;

/// A file to import.
pub struct Input {
    name: String,
    /// The file as it lies on the disk, if it is no stream and not compressed.
    plain: Option<File>,
    reader: Box<dyn BufRead + Send>,
    read_ahead: Option<JoinHandle<()>>,
    sample: Option<Vec<u8>>,
    read: Arc<AtomicU64>,
    ends: Arc<AtomicU64>,
    changes: Arc<Changes>,
    /// A line that lies in two blocks.
    line: Vec<u8>,
    /// How much of the block is the last line, which the reader has yet to be told.
    taken: usize,
    lines: u64,
    /// The last line has no line end.
    is_unterminated: bool,
    /// Lines that were left out for that.
    unterminated: u64,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`ImportError::Read`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        if path == Path::new("-") {
            return Self::stream("stdin", Box::new(io::stdin()));
        }
        let name = path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let file = File::open(path).and_then(|file| {
            if file.metadata()?.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
            }
            Ok(file)
        });
        let file = file.map_err(|source| ImportError::Read {
            name: path.display().to_string(),
            source,
        })?;
        Self::file(&name, file)
    }

    /// A file that is open already.
    ///
    /// # Errors
    ///
    /// [`ImportError::Read`] if it cannot be read.
    pub fn file(name: &str, file: File) -> Result<Self, ImportError> {
        let plain = file.try_clone().map_err(|source| ImportError::Read {
            name: name.to_owned(),
            source,
        })?;
        Self::new(name, Box::new(file), Some(plain))
    }

    /// Bytes from anywhere.
    ///
    /// # Errors
    ///
    /// [`ImportError::Read`] if their beginning cannot be read.
    pub fn stream(name: &str, bytes: Box<dyn Read + Send>) -> Result<Self, ImportError> {
        Self::new(name, bytes, None)
    }

    fn new(name: &str, mut bytes: Box<dyn Read + Send>, plain: Option<File>) -> Result<Self, ImportError> {
        let read_error = |source| ImportError::Read {
            name: name.to_owned(),
            source,
        };
        let mut magic = Vec::with_capacity(4);
        bytes.by_ref().take(4).read_to_end(&mut magic).map_err(read_error)?;
        let (read, ends) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counted = Counted {
            inner: Cursor::new(magic.clone()).chain(bytes),
            read: Arc::clone(&read),
        };
        let (bytes, plain): (Box<dyn Read + Send>, _) = if magic.starts_with(&[0x1f, 0x8b]) {
            (Box::new(flate2::read::MultiGzDecoder::new(counted)), None)
        } else if magic == [0x28, 0xb5, 0x2f, 0xfd] {
            (Box::new(zstd::stream::read::Decoder::new(counted).map_err(read_error)?), None)
        } else {
            (Box::new(counted), plain)
        };
        let changes = Arc::new(Changes::default());
        let text = Box::new(AsText::new(bytes, Arc::clone(&changes)));
        let (reader, read_ahead) = ReadAhead::start(text, Arc::clone(&ends));
        Ok(Self {
            name: name.to_owned(),
            plain,
            reader: Box::new(reader),
            read_ahead: Some(read_ahead),
            sample: None,
            read,
            ends,
            changes,
            line: Vec::new(),
            taken: 0,
            lines: 0,
            is_unterminated: false,
            unterminated: 0,
        })
    }

    /// The file's name, without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes of the file were read, as they lie on the disk.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// How many lines ended in what was read. A last line without an end is not counted: it may still be written.
    pub(super) fn lines_ended(&self) -> u64 {
        self.ends.load(Ordering::Relaxed)
    }

    /// Returns what was changed to read the file as text, in words.
    pub(super) fn notes(&self) -> Vec<String> {
        self.changes.notes()
    }

    /// Counts the bytes that were read, also from another thread.
    #[must_use]
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// The beginning of the decompressed content; it will be read again.
    pub(super) fn sample(&mut self) -> Result<&[u8], ImportError> {
        self.settle();
        if self.sample.is_none() {
            let mut sample = Vec::new();
            let read = self.reader.by_ref().take(SAMPLE as u64).read_to_end(&mut sample);
            read.map_err(|source| self.error(source))?;
            let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
            self.reader = Box::new(Cursor::new(sample.clone()).chain(rest));
            self.sample = Some(sample);
        }
        Ok(self.sample.as_deref().unwrap_or_default())
    }

    /// The next line without its end, and its number; nothing at the end of the file.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, ImportError> {
        match self.read_line()? {
            true => Ok(Some((self.lines, self.last_line()))),
            false => Ok(None),
        }
    }

    /// Goes on to the next line. Returns whether there is one.
    fn read_line(&mut self) -> Result<bool, ImportError> {
        self.settle();
        let length = match self.reader.fill_buf() {
            Ok([]) => return Ok(false),
            Ok(block) => memchr::memchr(b'\n', block),
            Err(source) => return Err(self.error(source)),
        };
        self.lines += 1;
        if let Some(length) = length {
            self.taken = length + 1;
            return Ok(true);
        }
        self.line.clear();
        let most = MAX_LINE_BYTES as u64 + 1;
        if let Err(source) = self.reader.by_ref().take(most).read_until(b'\n', &mut self.line) {
            return Err(self.error(source));
        }
        if self.line.len() > MAX_LINE_BYTES {
            return Err(ImportError::LongLine {
                name: self.name.clone(),
                line: self.lines,
                most: MAX_LINE_BYTES,
            });
        }
        self.is_unterminated = !self.line.ends_with(b"\n");
        Ok(true)
    }

    /// Returns the next line, like [`Input::next_line`], but no last line without its line end: it may be half a line. Such a line is
    /// counted, and read after all where the file `is_final`.
    pub(super) fn next_whole_line(&mut self, is_final: bool) -> Result<Option<(u64, &[u8])>, ImportError> {
        let is_there = self.read_line()?;
        if !is_there || self.is_unterminated && !is_final {
            self.unterminated += u64::from(is_there);
            return Ok(None);
        }
        Ok(Some((self.lines, self.last_line())))
    }

    /// Returns how many lines were left out since they have no line end.
    pub(super) const fn unterminated_lines(&self) -> u64 {
        self.unterminated
    }

    /// The line that was read last.
    fn last_line(&mut self) -> &[u8] {
        let line = match self.taken.checked_sub(1) {
            Some(length) => match self.reader.fill_buf() {
                Ok(block) => block.get(..length).unwrap_or_default(),
                Err(_) => &[],
            },
            None => self.line.strip_suffix(b"\n").unwrap_or(&self.line),
        };
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Tells the reader what was taken of its block.
    fn settle(&mut self) {
        self.reader.consume(std::mem::take(&mut self.taken));
    }

    /// The decompressed content.
    pub(super) fn reader(&mut self) -> &mut (dyn BufRead + Send) {
        self.settle();
        &mut *self.reader
    }

    /// The decompressed content as a file that can be read at any place. Nobody else reads it.
    pub(super) fn seekable(&mut self) -> Result<File, ImportError> {
        self.settle();
        let spooled = match self.plain.take() {
            Some(mut plain) if plain.metadata().is_ok_and(|metadata| metadata.is_file()) => {
                self.stop_reading();
                let length = plain.seek(SeekFrom::End(0));
                length.map(|length| {
                    self.read.store(length, Ordering::Relaxed);
                    plain
                })
            }
            _ => spool(&mut self.reader),
        };
        spooled.map_err(|source| self.error(source))
    }

    /// Ends reading ahead: its thread shares the place in the file with every other handle of it.
    fn stop_reading(&mut self) {
        self.reader = Box::new(io::empty());
        // It ends once nobody takes its blocks; should it have panicked, there is nothing left that reads.
        let _ended = self.read_ahead.take().map(JoinHandle::join);
    }

    pub(super) fn error(&self, source: io::Error) -> ImportError {
        ImportError::Read {
            name: self.name.clone(),
            source,
        }
    }
}

fn spool(reader: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(reader, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The license server that a file is named after: without what marks compression, rotation and format.
pub(super) fn server_name(file: &str) -> String {
    let mut name = PathBuf::from(file);
    let known = ["gz", "zst", "log", "txt", "ndjson", "jsonl", "json", "csv", "parquet", "old", "bak"];
    while let Some(extension) = name.extension().and_then(|extension| extension.to_str()) {
        let rotation = extension.len() <= 3 && extension.bytes().all(|byte| byte.is_ascii_digit());
        // `log-20160401` is `log`, and a date alone is nothing.
        let cut = undated(extension);
        if !rotation && !cut.is_empty() && !known.iter().any(|known| cut.eq_ignore_ascii_case(known)) {
            break;
        }
        name.set_extension("");
    }
    let name = name.to_string_lossy().into_owned();
    let cut = undated(&name);
    let old = ["_old", "-old", "_bak", "-bak"].iter().find_map(|mark| cut.strip_suffix(mark));
    match old.unwrap_or(cut) {
        "" => name,
        cut => cut.to_owned(),
    }
}

/// Returns a name without the date of a rotation at its end, as in `flex01-20160401` and `flex01_2016-04-01`; nothing is left of a
/// date alone.
fn undated(name: &str) -> &str {
    [10, 8]
        .into_iter()
        .find_map(|length| {
            let at = name.len().checked_sub(length).filter(|at| name.is_char_boundary(*at))?;
            let (before, date) = name.split_at(at);
            match before {
                "" => is_date(date).then_some(""),
                before => before.strip_suffix(['-', '_']).filter(|_| is_date(date)),
            }
        })
        .unwrap_or(name)
}

/// Returns whether a text is `YYYYMMDD` or `YYYY-MM-DD`, of this century or the last.
fn is_date(text: &str) -> bool {
    let digits = text.replace('-', "");
    let dashes = text.len() == 8 || text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    dashes
        && digits.len() == 8
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && ["19", "20"].iter().any(|century| digits.starts_with(century))
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Reads and decompresses on a thread of its own, a few blocks ahead.
struct ReadAhead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Cursor<Vec<u8>>,
    ends: Arc<AtomicU64>,
}

impl ReadAhead {
    fn start(mut bytes: Box<dyn Read + Send>, ends: Arc<AtomicU64>) -> (Self, JoinHandle<()>) {
        let (sender, blocks) = sync_channel(2);
        let thread = std::thread::spawn(move || {
            loop {
                let mut block = Vec::with_capacity(BLOCK);
                let read = bytes.by_ref().take(BLOCK as u64).read_to_end(&mut block);
                let last = !matches!(read, Ok(1..));
                if sender.send(read.map(|_| block)).is_err() || last {
                    break; // nobody listens any more, or there is nothing more to say
                }
            }
        });
        let reader = Self {
            blocks,
            block: Cursor::new(Vec::new()),
            ends,
        };
        (reader, thread)
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for ReadAhead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.block.position() == self.block.get_ref().len() as u64
            && let Ok(block) = self.blocks.recv()
        {
            let block = block?;
            self.ends
                .fetch_add(memchr::memchr_iter(b'\n', &block).count() as u64, Ordering::Relaxed);
            self.block = Cursor::new(block);
        }
        self.block.fill_buf()
    }

    fn consume(&mut self, read: usize) {
        self.block.consume(read);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn servers_are_named_after_files_whatever_became_of_them() {
        for file in [
            "flex01.log",
            "flex01",
            "flex01.log.1",
            "flex01.log.2.gz",
            "flex01.ndjson.zst",
            "flex01.csv",
            "flex01-2016-04-01.log",
            "flex01.log-20160401",
            "flex01.log-20160401.gz",
            "flex01_old.log",
            "flex01.log.old",
            "flex01.log.bak",
            "flex01_20160401.log",
            "flex01.2016-04-01.log.zst",
            "flex01.1.log",
        ] {
            assert_eq!(server_name(file), "flex01", "{file}");
        }
        for own in ["lic.example.com", "server-7", "2016-04-01", "site-12345678"] {
            assert_eq!(server_name(own), own);
        }
    }

    /// A file on a slow disk.
    struct Slow(File);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            std::thread::sleep(std::time::Duration::from_millis(2));
            let most = buffer.len().min(BLOCK / 16);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn a_file_that_is_read_at_any_place_is_read_by_nobody_else() {
        let content: Vec<u8> = (0..8 * BLOCK).map(|place| (place / 4096) as u8 | 1).collect();
        let mut kept = tempfile::tempfile().unwrap();
        kept.write_all(&content).unwrap();
        kept.seek(SeekFrom::Start(0)).unwrap();
        let slow = Slow(kept.try_clone().unwrap());
        let mut input = Input::new("x", Box::new(slow), Some(kept)).unwrap();
        assert_eq!(input.sample().unwrap(), &content[..SAMPLE]);
        let mut file = input.seekable().unwrap();
        for place in [5, 0, 7].map(|block| block * BLOCK) {
            let mut found = vec![0; BLOCK];
            file.seek(SeekFrom::Start(place as u64)).unwrap();
            for part in found.chunks_mut(BLOCK / 64) {
                std::thread::sleep(std::time::Duration::from_millis(1));
                file.read_exact(part).unwrap();
            }
            assert!(found == content[place..place + BLOCK], "other bytes at {place}");
        }
    }

    #[test]
    fn compressed_bytes_are_read_as_they_are() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"one\r\ntwo").unwrap();
        let zst = zstd::encode_all(&b"one\r\ntwo"[..], 1).unwrap();
        for bytes in [gz.finish().unwrap(), zst, b"one\r\ntwo".to_vec()] {
            let length = bytes.len() as u64;
            let mut input = Input::stream("x", Box::new(Cursor::new(bytes))).unwrap();
            assert_eq!(input.sample().unwrap(), b"one\r\ntwo");
            assert_eq!(input.next_line().unwrap(), Some((1, &b"one"[..])));
            assert_eq!(input.next_line().unwrap(), Some((2, &b"two"[..])));
            assert_eq!(input.next_line().unwrap(), None);
            assert_eq!(input.bytes_read(), length);
        }
    }
}
