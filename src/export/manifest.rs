//! What was exported: lines that are only ever added, each durable before the next file is begun.
//!
//! ```text
//! {"store":"5c1f…","form":1}
//! {"day":"2026-03-01","source":"9a0e…","rows":5120,"bytes":40961}
//! {"day":"2026-03-02","source":"77d3…","rows":4988,"bytes":39720}
//! ```
//!
//! The last line of a day holds. A line that a killed export left half is cut off. The file is locked for as long as it is open.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ExportError;
use crate::store::Snapshot;
use crate::time::Day;

/// Grows whenever files of the same rows get other bytes, so that they are all written anew.
const FORM: u32 = 1;

/// The files of a table in a format.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    file: File,
    entries: BTreeMap<Option<Day>, Entry>,
}

/// A file that was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) day: Option<Day>,
    /// The checksum of what it was made of.
    pub(super) source: [u8; 32],
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// The first line.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Head {
    store: String,
    form: u32,
}

/// Any other line.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    day: Option<String>,
    source: String,
    rows: u64,
    bytes: u64,
}

impl Manifest {
    /// Opens the manifest of a store's export, or begins one.
    pub(super) fn open(path: &Path, snapshot: &Snapshot) -> Result<Self, ExportError> {
        let opened = File::options().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = opened.map_err(ExportError::io("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ExportError::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(ExportError::io("lock", path)(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(ExportError::io("read", path))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        bytes.truncate(whole);
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        let head = Head {
            store: snapshot.secret().label("export"),
            form: FORM,
        };
        let found: Option<Head> = lines.next().map(serde_json::from_str).transpose().map_err(|_no_manifest| {
            // Whatever it is, it is not ours to write over.
            ExportError::Foreign { path: path.to_owned() }
        })?;
        if found.as_ref().is_some_and(|found| found.store != head.store) {
            return Err(ExportError::Foreign { path: path.to_owned() });
        }
        let kept = if found.as_ref() == Some(&head) { whole as u64 } else { 0 };
        let entries = if kept == 0 {
            BTreeMap::new()
        } else {
            lines.filter_map(entry).collect()
        };
        file.set_len(kept)
            .and_then(|()| file.seek(SeekFrom::Start(kept)))
            .map_err(ExportError::io("write", path))?;
        let mut manifest = Self {
            path: path.to_owned(),
            file,
            entries,
        };
        if kept == 0 {
            manifest.append(&head)?;
        }
        Ok(manifest)
    }

    /// What is known of a day's file, if it was made of this.
    pub(super) fn entry(&self, day: Option<Day>, source: &[u8; 32]) -> Option<&Entry> {
        self.entries.get(&day).filter(|entry| entry.source == *source)
    }

    /// Enters a file that is there.
    pub(super) fn enter(&mut self, entry: Entry) -> Result<(), ExportError> {
        self.append(&Line {
            day: entry.day.map(|day| day.to_string()),
            source: entry.source.iter().map(|byte| format!("{byte:02x}")).collect(),
            rows: entry.rows,
            bytes: entry.bytes,
        })?;
        self.entries.insert(entry.day, entry);
        Ok(())
    }

    fn append(&mut self, line: &impl Serialize) -> Result<(), ExportError> {
        let written = serde_json::to_vec(line).map_err(std::io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            self.file.write_all(&text)?;
            self.file.sync_data()
        });
        written.map_err(ExportError::io("write", &self.path))
    }
}

/// What a line says; nothing where it says nothing that this program knows, so that its file is written anew.
fn entry(line: &str) -> Option<(Option<Day>, Entry)> {
    let line: Line = serde_json::from_str(line).ok()?;
    let day = line.day.map(|day| day.parse()).transpose().ok()?;
    let mut source = [0; 32];
    let mut digits = line.source.as_bytes().chunks_exact(2);
    for byte in &mut source {
        *byte = u8::from_str_radix(str::from_utf8(digits.next()?).ok()?, 16).ok()?;
    }
    Some((
        day,
        Entry {
            day,
            source,
            rows: line.rows,
            bytes: line.bytes,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<Manifest, ExportError> {
        Manifest::open(path, &Snapshot::empty(Path::new("/")))
    }

    fn of(day: i32, source: u8) -> Entry {
        Entry {
            day: Some(Day(day)),
            source: [source; 32],
            rows: 3,
            bytes: 4,
        }
    }

    #[test]
    fn the_last_word_of_a_day_holds_and_half_a_word_does_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("m");
        let mut manifest = open(&path).unwrap();
        for entry in [of(1, 1), of(2, 1), of(1, 2)] {
            manifest.enter(entry).unwrap();
        }
        drop(manifest);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut manifest = open(&path).unwrap();
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(manifest.entry(Some(Day(1)), &[1; 32]).is_some(), (2..4).contains(&lines), "{cut}");
            assert_eq!(manifest.entry(Some(Day(2)), &[1; 32]).is_some(), lines >= 3, "{cut}");
            assert_eq!(manifest.entry(Some(Day(1)), &[2; 32]).is_some(), lines >= 4, "{cut}");
            manifest.enter(of(9, 9)).unwrap();
            drop(manifest);
            assert_eq!(open(&path).unwrap().entry(Some(Day(9)), &[9; 32]), Some(&of(9, 9)), "{cut}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("m");
        for text in ["a letter to a friend\n", "{\"store\":\"another\",\"form\":1}\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(open(&path), Err(ExportError::Foreign { .. })), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn another_form_has_everything_written_anew() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("m");
        open(&path).unwrap().enter(of(1, 1)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap().replacen("\"form\":1", "\"form\":0", 1);
        std::fs::write(&path, text).unwrap();
        assert_eq!(open(&path).unwrap().entry(Some(Day(1)), &[1; 32]), None);
    }

    #[test]
    fn two_at_once_are_one_too_many() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("m");
        let held = open(&path).unwrap();
        assert!(matches!(open(&path), Err(ExportError::Busy { .. })));
        drop(held);
        open(&path).unwrap();
    }
}
