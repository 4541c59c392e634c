//! The pieces of a rendering as a body, and the headers that they have in common.
//!
//! A failure cuts the body, so that no reader takes it for whole. After the last piece, a reader that said `TE: trailers` is told
//! what the answer came to: what no header can know and many formats have no place for.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use futures::{StreamExt as _, stream};
use http_body::Frame;
use http_body_util::StreamBody;

use super::ApiError;
use crate::app::{Rendering, Totals};
use crate::output::{Disposition, Format};

const ROWS: HeaderName = HeaderName::from_static("x-row-count");
const SCANNED: HeaderName = HeaderName::from_static("x-bytes-scanned");
const SPILLED: HeaderName = HeaderName::from_static("x-bytes-spilled");
/// What the query is known by, as long as it runs.
pub(super) const QUERY: HeaderName = HeaderName::from_static("x-query-id");

/// What the headers of every answer say about the query behind it.
pub(super) fn announce(headers: &mut HeaderMap, rendering: &Rendering) {
    if let Ok(query) = HeaderValue::from_str(rendering.query()) {
        headers.insert(QUERY, query);
    }
    headers.insert(
        header::TRAILER,
        HeaderValue::from_static("x-row-count, x-bytes-scanned, x-bytes-spilled"),
    );
}

/// Says that an answer is saved or shown under a name, where its format is.
pub(super) fn name(headers: &mut HeaderMap, format: &dyn Format, file: impl FnOnce() -> String) -> Result<(), ApiError> {
    let disposition = match format.disposition() {
        Disposition::Read => return Ok(()),
        Disposition::Shown => "inline",
        Disposition::Saved => "attachment",
    };
    let named = HeaderValue::from_str(&format!("{disposition}; filename=\"{}\"", file()));
    headers.insert(header::CONTENT_DISPOSITION, named.map_err(|error| ApiError::internal(&error))?);
    Ok(())
}

/// The pieces of a rendering, and what it came to.
pub(super) fn of(rendering: Rendering) -> Body {
    let frames = stream::unfold(Some(rendering), async |rendering| {
        let mut rendering = rendering?;
        match rendering.next().await {
            Ok(Some(piece)) => Some((Ok(Frame::<Bytes>::data(piece)), Some(rendering))),
            Ok(None) => Some((Ok(Frame::trailers(told(rendering.totals()))), None)),
            Err(error) => {
                tracing::error!(error = %super::error::chain(&error), "an answer failed after its first byte");
                Some((Err(std::io::Error::other("the answer failed")), None))
            }
        }
    });
    // Compression asks once more after the end.
    Body::new(StreamBody::new(Box::pin(frames.fuse())))
}

fn told(totals: Totals) -> HeaderMap {
    HeaderMap::from_iter([
        (ROWS, HeaderValue::from(totals.rows)),
        (SCANNED, HeaderValue::from(totals.scanned)),
        (SPILLED, HeaderValue::from(totals.spilled)),
    ])
}
