//! SVG: the report's chart.

use arrow::array::RecordBatch;

use super::plot::Plot;
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format};
use crate::chart::svg;
use crate::report::Family;

/// The chart of a report.
#[derive(Debug)]
pub(super) struct Svg;

impl Format for Svg {
    fn name(&self) -> &'static str {
        "svg"
    }

    fn media_type(&self) -> &'static str {
        "image/svg+xml"
    }

    fn family(&self) -> Family {
        Family::Picture
    }

    fn disposition(&self) -> Disposition {
        Disposition::Shown
    }

    fn draws(&self) -> bool {
        true
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(SvgEncoder {
            title: document.title.clone(),
            description: document.summary.clone(),
            plot: Some(Plot::new(document)),
        })
    }
}

struct SvgEncoder {
    title: String,
    description: String,
    /// Until it is drawn.
    plot: Option<Plot>,
}

impl Encoder for SvgEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(plot) = &mut self.plot {
            plot.add(batch)?;
        }
        Ok(())
    }

    fn end(&mut self, _: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        if let Some(plot) = self.plot.take() {
            svg::write(&plot.draw(), &self.title, &self.description, out);
        }
        Ok(Ending::Whole)
    }
}
