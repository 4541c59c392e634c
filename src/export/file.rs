//! Files that are there as a whole or not at all, whatever happens meanwhile.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::ExportError;

/// Where a file is written before it is there: a name that readers of folders pass over.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    path.with_file_name(name)
}

/// How long a file is, if it is there.
pub(super) fn length(path: &Path) -> Option<u64> {
    let metadata = fs::metadata(path).ok()?;
    metadata.is_file().then_some(metadata.len())
}

/// A file that is being written.
pub(super) struct Sink {
    out: BufWriter<File>,
    path: PathBuf,
}

impl Sink {
    fn create(path: PathBuf) -> Result<Self, ExportError> {
        let file = File::create(&path).map_err(ExportError::io("create", &path))?;
        Ok(Self {
            out: BufWriter::with_capacity(256 * 1024, file),
            path,
        })
    }

    /// Writes bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.out.write_all(bytes).map_err(ExportError::io("write", &self.path))
    }

    /// Makes what was written durable, and says how much it is.
    fn finish(self) -> Result<u64, ExportError> {
        let synced = self.out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
            file.sync_all()?;
            Ok(file.metadata()?.len())
        });
        synced.map_err(ExportError::io("write", &self.path))
    }
}

/// Writes a file below a folder, in the place of the one that was there. Returns its length; it is durable by then, and so is its
/// name.
pub(super) fn write_whole(root: &Path, path: &Path, write: impl FnOnce(&mut Sink) -> Result<(), ExportError>) -> Result<u64, ExportError> {
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder).map_err(ExportError::io("create", folder))?;
    let partial = partial(path);
    let written = Sink::create(partial.clone()).and_then(|mut sink| {
        write(&mut sink)?;
        sink.finish()
    });
    if written.is_err() {
        let _already_failing = fs::remove_file(&partial);
    }
    let bytes = written?;
    fs::rename(&partial, path).map_err(ExportError::io("rename", &partial))?;
    for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(ExportError::io("sync", folder))?;
    }
    Ok(bytes)
}

/// Removes a file, and says whether it was there.
pub(super) fn remove(path: &Path) -> Result<bool, ExportError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ExportError::io("remove", path)(error)),
    }
}
