//! Frames: what a worker says.
//!
//! ```text
//!   kind (1 byte) · length (4 bytes, big-endian) · content
//! ```
//!
//! Columns and rows are an Arrow IPC stream in pieces; the rest is JSON.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::convert::try_schema_from_ipc_buffer;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::Failure;

/// A frame; what is in it is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The columns of the rows that follow, or of parameters.
    Columns,
    /// Rows.
    Rows,
    /// How far the query has come.
    Progress,
    /// There was an error; nothing follows.
    Failure,
    /// All is said.
    End,
}

impl Kind {
    const ALL: [(u8, Self); 5] = [
        (b'c', Self::Columns),
        (b'r', Self::Rows),
        (b'p', Self::Progress),
        (b'f', Self::Failure),
        (b'e', Self::End),
    ];

    fn code(self) -> u8 {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or(0, |(code, _)| *code)
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind)
    }
}

/// How far a query has come, in numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) scanned: u64,
    pub(super) spilled: u64,
    pub(super) memory: u64,
}

/// Says things.
#[derive(Debug)]
pub(super) struct Speaker<W: Write> {
    out: W,
}

impl<W: Write> Speaker<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out }
    }

    pub(super) fn say(&mut self, kind: Kind, content: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(content.len()).map_err(std::io::Error::other)?;
        self.out.write_all(&[kind.code()])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(content)?;
        self.out.flush()
    }

    pub(super) fn progress(&mut self, report: Report) -> std::io::Result<()> {
        self.say(Kind::Progress, &serde_json::to_vec(&report)?)
    }

    pub(super) fn failure(&mut self, failure: &Failure) -> std::io::Result<()> {
        self.say(Kind::Failure, &serde_json::to_vec(failure)?)
    }
}

/// Rows as pieces of a stream.
pub(super) struct Packer(StreamWriter<Vec<u8>>);

impl Packer {
    pub(super) fn new(schema: &SchemaRef) -> Result<Self, ArrowError> {
        Ok(Self(StreamWriter::try_new(Vec::new(), schema)?))
    }

    /// What has been packed since the last time.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.0.get_mut())
    }

    pub(super) fn pack(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        self.0.write(batch)?;
        Ok(self.take())
    }
}

/// Pieces of a stream as rows.
#[derive(Debug, Default)]
pub(super) struct Unpacker(StreamDecoder);

impl Unpacker {
    /// The columns that a piece is about.
    pub(super) fn columns(&mut self, content: Vec<u8>) -> Result<SchemaRef, ArrowError> {
        // The decoder itself looks at columns only when it has seen what follows them.
        let schema = try_schema_from_ipc_buffer(&content)?;
        self.unpack(content)?;
        Ok(Arc::new(schema))
    }

    /// The rows in a piece.
    pub(super) fn unpack(&mut self, content: Vec<u8>) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut content = Buffer::from_vec(content);
        let mut batches = Vec::new();
        while !content.is_empty() {
            batches.extend(self.0.decode(&mut content)?);
        }
        Ok(batches)
    }
}

/// The next frame; nothing where the speaker is gone.
pub(super) async fn next(source: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<(Kind, Vec<u8>)>> {
    let mut code = [0];
    if source.read(&mut code).await? == 0 {
        return Ok(None);
    }
    let kind = Kind::of(code[0]).ok_or_else(|| std::io::Error::other(format!("a frame of kind {}", code[0])))?;
    let mut content = vec![0; source.read_u32().await? as usize];
    source.read_exact(&mut content).await?;
    Ok(Some((kind, content)))
}

/// A schema alone, packed.
pub(super) fn columns(schema: &SchemaRef) -> Result<Vec<u8>, ArrowError> {
    Ok(Packer::new(&Arc::clone(schema))?.take())
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, DictionaryArray, Int64Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn batch(texts: &[&str]) -> RecordBatch {
        let texts: DictionaryArray<Int32Type> = texts.iter().copied().collect();
        let numbers: Int64Array = (0..texts.len() as i64).collect();
        RecordBatch::try_from_iter([("t", Arc::new(texts) as ArrayRef), ("n", Arc::new(numbers))]).unwrap()
    }

    #[tokio::test]
    async fn what_is_said_is_heard() {
        let (first, second) = (batch(&["a", "b", "a"]), batch(&["c"]));
        let mut said = Vec::new();
        let mut speaker = Speaker::new(&mut said);
        let mut packer = Packer::new(&first.schema()).unwrap();
        speaker.say(Kind::Columns, &packer.take()).unwrap();
        for batch in [&first, &second] {
            speaker.say(Kind::Rows, &packer.pack(batch).unwrap()).unwrap();
        }
        speaker.failure(&Failure::Failed("no".to_owned())).unwrap();
        speaker.say(Kind::End, &[]).unwrap();

        let mut source = &said[..];
        let mut unpacker = Unpacker::default();
        let (kind, content) = next(&mut source).await.unwrap().unwrap();
        assert_eq!((kind, unpacker.columns(content).unwrap()), (Kind::Columns, first.schema()));
        for batch in [first, second] {
            let (kind, content) = next(&mut source).await.unwrap().unwrap();
            assert_eq!((kind, unpacker.unpack(content).unwrap()), (Kind::Rows, vec![batch]));
        }
        let (kind, content) = next(&mut source).await.unwrap().unwrap();
        assert_eq!(kind, Kind::Failure);
        assert_eq!(
            serde_json::from_slice::<Failure>(&content).unwrap(),
            Failure::Failed("no".to_owned())
        );
        assert_eq!(next(&mut source).await.unwrap(), Some((Kind::End, Vec::new())));
        assert_eq!(next(&mut source).await.unwrap(), None);
    }

    #[tokio::test]
    async fn half_a_frame_is_none() {
        let mut said = Vec::new();
        Speaker::new(&mut said).say(Kind::Rows, b"some rows").unwrap();
        for length in 1..said.len() {
            assert!(next(&mut &said[..length]).await.is_err(), "{length}");
        }
        assert!(next(&mut &b"x\0\0\0\0"[..]).await.is_err());
    }
}
