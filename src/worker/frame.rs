//! Frames: what a worker says.
//!
//! ```text
//!   kind (1 byte) · lane (1 byte) · length (4 bytes, big-endian) · content
//! ```
//!
//! Columns and rows are Arrow IPC streams in pieces, a lane each; the rest is JSON.
//!
//! A stream knows one dictionary of a column at a time, and says another one whenever it comes. Rows of several files come in
//! turns, each with the dictionaries of its own, and dictionaries may be as large as the rows: files have lanes of their own, so
//! that a dictionary is said once.

use std::io::{IoSlice, Write};
use std::mem::take;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayData, ArrayRef, AsArray as _, RecordBatch};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::convert::try_schema_from_ipc_buffer;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use bytes::BufMut as _;
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
        self.say_in(0, kind, content)
    }

    /// Says something in a lane.
    pub(super) fn say_in(&mut self, lane: u8, kind: Kind, content: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(content.len()).map_err(std::io::Error::other)?;
        let [a, b, c, d] = length.to_be_bytes();
        let head = [kind.code(), lane, a, b, c, d];
        // At once: who listens is woken once.
        let mut parts = [IoSlice::new(&head), IoSlice::new(content)];
        let mut left = &mut parts[..];
        while !left.is_empty() {
            match self.out.write_vectored(left) {
                Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.flush()
    }

    pub(super) fn progress(&mut self, report: Report) -> std::io::Result<()> {
        self.say(Kind::Progress, &serde_json::to_vec(&report)?)
    }

    pub(super) fn failure(&mut self, failure: &Failure) -> std::io::Result<()> {
        self.say(Kind::Failure, &serde_json::to_vec(failure)?)
    }
}

/// How many files may take turns without their dictionaries being said again.
const LANES: usize = 4;

/// Rows as pieces of streams.
pub(super) struct Packer {
    schema: SchemaRef,
    lanes: Vec<Lane>,
    turn: u64,
}

/// A stream.
struct Lane {
    writer: StreamWriter<Vec<u8>>,
    /// The dictionaries of the last rows.
    dictionaries: Vec<ArrayData>,
    /// When it was used last.
    used: u64,
}

impl Packer {
    pub(super) fn new(schema: &SchemaRef) -> Result<Self, ArrowError> {
        Ok(Self {
            schema: Arc::clone(schema),
            lanes: vec![Lane::new(schema)?],
            turn: 0,
        })
    }

    /// The columns.
    pub(super) fn columns(&mut self) -> Vec<u8> {
        self.lanes.iter_mut().flat_map(|lane| take(lane.writer.get_mut())).collect()
    }

    /// Packs rows; `say` is told what is packed, and in which lane.
    pub(super) fn pack<E: From<ArrowError>>(&mut self, batch: &RecordBatch, say: impl FnOnce(u8, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let dictionaries = dictionaries(batch);
        let place = self.lane_of(&dictionaries)?;
        self.turn += 1;
        let lane = &mut self.lanes[place];
        lane.used = self.turn;
        lane.dictionaries = dictionaries;
        lane.writer.write(batch)?;
        let packed = lane.writer.get_mut();
        say(place as u8, packed)?;
        packed.clear();
        packed.shrink_to(MOST_KEPT);
        Ok(())
    }

    /// The lane that knows these dictionaries: else a new one, or the one that was not used for longest.
    fn lane_of(&mut self, dictionaries: &[ArrayData]) -> Result<usize, ArrowError> {
        if let Some(known) = self.lanes.iter().position(|lane| lane.knows(dictionaries)) {
            return Ok(known);
        }
        if self.lanes.len() < LANES {
            self.lanes.push(Lane::new(&self.schema)?);
            return Ok(self.lanes.len() - 1);
        }
        let oldest = self.lanes.iter().enumerate().min_by_key(|(_, lane)| lane.used);
        Ok(oldest.map_or(0, |(place, _)| place))
    }
}

/// How much room for rows is kept from one frame to the next.
const MOST_KEPT: usize = 2 * 1024 * 1024;

impl Lane {
    fn new(schema: &SchemaRef) -> Result<Self, ArrowError> {
        Ok(Self {
            writer: StreamWriter::try_new(Vec::new(), schema)?,
            dictionaries: Vec::new(),
            used: 0,
        })
    }

    /// Whether it knows these dictionaries; one that was never used knows any.
    fn knows(&self, dictionaries: &[ArrayData]) -> bool {
        self.used == 0
            || self
                .dictionaries
                .iter()
                .zip(dictionaries)
                .all(|(known, dictionary)| known.ptr_eq(dictionary))
    }
}

/// The dictionaries of the columns of a batch.
fn dictionaries(batch: &RecordBatch) -> Vec<ArrayData> {
    let of = |column: &ArrayRef| Some(column.as_any_dictionary_opt()?.values().to_data());
    batch.columns().iter().filter_map(of).collect()
}

/// Pieces of streams as rows.
#[derive(Debug, Default)]
pub(super) struct Unpacker(Vec<StreamDecoder>);

impl Unpacker {
    /// The columns that a piece is about.
    pub(super) fn columns(&mut self, content: Vec<u8>) -> Result<SchemaRef, ArrowError> {
        // The decoder itself looks at columns only when it has seen what follows them.
        let schema = try_schema_from_ipc_buffer(&content)?;
        self.unpack(0, content)?;
        Ok(Arc::new(schema))
    }

    /// The rows in a piece of a lane.
    pub(super) fn unpack(&mut self, lane: u8, content: Vec<u8>) -> Result<Vec<RecordBatch>, ArrowError> {
        let lane = usize::from(lane);
        if lane >= LANES {
            return Err(ArrowError::IpcError(format!("rows in lane {lane}")));
        }
        if lane >= self.0.len() {
            self.0.resize_with(lane + 1, StreamDecoder::new);
        }
        let mut content = Buffer::from_vec(content);
        let mut batches = Vec::new();
        while !content.is_empty() {
            batches.extend(self.0[lane].decode(&mut content)?);
        }
        Ok(batches)
    }
}

/// A frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) lane: u8,
    pub(super) content: Vec<u8>,
}

/// The next frame; nothing where the speaker is gone.
pub(super) async fn next(source: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<Frame>> {
    let mut head = [0; 6];
    if source.read(&mut head[..1]).await? == 0 {
        return Ok(None);
    }
    source.read_exact(&mut head[1..]).await?;
    let [code, lane, length @ ..] = head;
    let kind = Kind::of(code).ok_or_else(|| std::io::Error::other(format!("a frame of kind {code}")))?;
    let length = u32::from_be_bytes(length) as usize;
    // Filled as it is: nobody reads what was not written.
    let mut content = Vec::with_capacity(length);
    while content.len() < length {
        let left = length - content.len();
        if source.read_buf(&mut (&mut content).limit(left)).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(Frame { kind, lane, content }))
}

/// A schema alone, packed.
pub(super) fn columns(schema: &SchemaRef) -> Result<Vec<u8>, ArrowError> {
    Ok(Packer::new(schema)?.columns())
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int64Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn batch(texts: &[&str]) -> RecordBatch {
        let texts: DictionaryArray<Int32Type> = texts.iter().copied().collect();
        let numbers: Int64Array = (0..texts.len() as i64).collect();
        RecordBatch::try_from_iter([("t", Arc::new(texts) as ArrayRef), ("n", Arc::new(numbers))]).unwrap()
    }

    fn say_rows(packer: &mut Packer, batch: &RecordBatch, speaker: &mut Speaker<&mut Vec<u8>>) {
        packer
            .pack::<ArrowError>(batch, |lane, rows| Ok(speaker.say_in(lane, Kind::Rows, rows)?))
            .unwrap();
    }

    #[tokio::test]
    async fn what_is_said_is_heard() {
        let (first, second) = (batch(&["a", "b", "a"]), batch(&["c"]));
        let mut said = Vec::new();
        let mut speaker = Speaker::new(&mut said);
        let mut packer = Packer::new(&first.schema()).unwrap();
        speaker.say(Kind::Columns, &packer.columns()).unwrap();
        for batch in [&first, &second] {
            say_rows(&mut packer, batch, &mut speaker);
        }
        speaker.failure(&Failure::Failed("no".to_owned())).unwrap();
        speaker.say(Kind::End, &[]).unwrap();

        let mut source = &said[..];
        let mut unpacker = Unpacker::default();
        let frame = next(&mut source).await.unwrap().unwrap();
        assert_eq!(
            (frame.kind, unpacker.columns(frame.content).unwrap()),
            (Kind::Columns, first.schema())
        );
        for batch in [first, second] {
            let frame = next(&mut source).await.unwrap().unwrap();
            assert_eq!(
                (frame.kind, unpacker.unpack(frame.lane, frame.content).unwrap()),
                (Kind::Rows, vec![batch])
            );
        }
        let frame = next(&mut source).await.unwrap().unwrap();
        assert_eq!(frame.kind, Kind::Failure);
        assert_eq!(
            serde_json::from_slice::<Failure>(&frame.content).unwrap(),
            Failure::Failed("no".to_owned())
        );
        let end = Frame {
            kind: Kind::End,
            lane: 0,
            content: Vec::new(),
        };
        assert_eq!(next(&mut source).await.unwrap(), Some(end));
        assert_eq!(next(&mut source).await.unwrap(), None);
    }

    #[tokio::test]
    async fn rows_of_files_that_take_turns_say_their_dictionaries_once() {
        let names: Vec<String> = (0..1000).map(|name| format!("name {name}")).collect();
        let files: Vec<RecordBatch> = (0..6)
            .map(|file| batch(&names[file..].iter().map(String::as_str).collect::<Vec<_>>()))
            .collect();
        // Three take turns, then all of them: more than there are lanes.
        let turns = (0..30).map(|turn| turn % 3).chain((0..30).map(|turn| turn % 6));
        let mut said = Vec::new();
        let mut sizes = Vec::new();
        let mut packer = Packer::new(&files[0].schema()).unwrap();
        let columns = packer.columns();
        for turn in turns.clone() {
            let before = said.len();
            let part = files[turn].slice(turn, 5);
            say_rows(&mut packer, &part, &mut Speaker::new(&mut said));
            sizes.push(said.len() - before);
        }
        assert!(sizes[..3].iter().all(|size| *size > 10_000), "{sizes:?}");
        assert!(sizes[3..30].iter().all(|size| *size < 2_000), "{sizes:?}");

        let mut source = &said[..];
        let mut unpacker = Unpacker::default();
        unpacker.columns(columns).unwrap();
        for turn in turns {
            let frame = next(&mut source).await.unwrap().unwrap();
            let rows = unpacker.unpack(frame.lane, frame.content).unwrap();
            assert_eq!(rows, vec![files[turn].slice(turn, 5)]);
        }
        assert!(unpacker.unpack(LANES as u8, Vec::new()).is_err());
    }

    #[tokio::test]
    async fn half_a_frame_is_none() {
        let mut said = Vec::new();
        Speaker::new(&mut said).say(Kind::Rows, b"some rows").unwrap();
        for length in 1..said.len() {
            assert!(next(&mut &said[..length]).await.is_err(), "{length}");
        }
        assert!(next(&mut &b"x\0\0\0\0\0"[..]).await.is_err());
    }
}
