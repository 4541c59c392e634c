//! A report on its way out, piece by piece.

use arrow::array::RecordBatch;
use bytes::Bytes;

use super::AppError;
use crate::engine::RowStream;
use crate::output::{Encoder, Format};
use crate::report::{Column, Request, Visibility};
use crate::time::Day;

/// A report as bytes. Its first piece is there from the start, so that what fails at once can still be told properly;
/// what fails later ends the pieces with an error, never with an end that looks whole.
pub struct Rendering {
    rows: RowStream,
    encoder: Box<dyn Encoder>,
    page: Page,
    next: Option<Bytes>,
    ended: bool,
    format: &'static dyn Format,
    days: Option<(Day, Day)>,
}

impl std::fmt::Debug for Rendering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendering")
            .field("format", &self.format)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

impl Rendering {
    pub(super) async fn start(
        rows: RowStream,
        columns: Vec<Column>,
        request: &Request,
        format: &'static dyn Format,
    ) -> Result<Self, AppError> {
        let shown = |column: &Column| !format.is_download() || column.visibility == Visibility::Shown;
        let mut encoder = format.encoder(columns.into_iter().filter(shown).collect());
        let mut first = Vec::new();
        encoder.begin(&mut first);
        let mut rendering = Self {
            rows,
            encoder,
            page: Page {
                skip: request.offset,
                take: request.limit,
                total: 0,
                counts: format.counts_rows(),
            },
            next: None,
            ended: false,
            format,
            days: request.days,
        };
        rendering.fill(&mut first).await?;
        rendering.next = Some(first.into());
        Ok(rendering)
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> &'static dyn Format {
        self.format
    }

    /// The days it covers, where it covers any.
    #[must_use]
    pub const fn days(&self) -> Option<(Day, Day)> {
        self.days
    }

    /// The next piece; nothing after the last.
    ///
    /// # Errors
    ///
    /// When the query fails; there is no piece after that.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        if let Some(first) = self.next.take() {
            return Ok(Some(first));
        }
        let mut piece = Vec::new();
        self.fill(&mut piece).await?;
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    /// Writes the next rows, or the end; at least one byte, unless all is written.
    async fn fill(&mut self, out: &mut Vec<u8>) -> Result<(), AppError> {
        let before = out.len();
        while out.len() == before && !self.ended {
            let batch = if self.page.is_full() { None } else { self.rows.next().await? };
            match batch {
                Some(batch) => {
                    if let Some(shown) = self.page.cut(&batch) {
                        self.encoder.rows(&shown, out)?;
                    }
                }
                None => {
                    self.encoder.end(self.page.total, out);
                    self.ended = true;
                }
            }
        }
        Ok(())
    }
}

/// Which rows are shown, and how many there are.
#[derive(Debug)]
struct Page {
    skip: u64,
    take: Option<u64>,
    total: u64,
    /// All rows are counted, shown or not.
    counts: bool,
}

impl Page {
    /// Whether no further row matters.
    fn is_full(&self) -> bool {
        !self.counts && self.take == Some(0)
    }

    /// The rows of a batch that are shown.
    fn cut(&mut self, batch: &RecordBatch) -> Option<RecordBatch> {
        let rows = batch.num_rows() as u64;
        self.total += rows;
        let skipped = self.skip.min(rows);
        self.skip -= skipped;
        let shown = self.take.map_or(rows - skipped, |take| take.min(rows - skipped));
        if let Some(take) = &mut self.take {
            *take -= shown;
        }
        let place = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        (shown > 0).then(|| batch.slice(place(skipped), place(shown)))
    }
}
