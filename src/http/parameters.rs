//! Parameters of a request, from the query and from the form.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, header};
use futures::StreamExt as _;

use super::ApiError;

/// A form of a report is a few hundred bytes.
const FORM_BYTES: usize = 1024 * 1024;
/// More than this is nobody's mistake.
const FORGOTTEN_BYTES: usize = 64 * 1024 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a request for a report: those of the query, and of the form of a POST. Each may be given once.
pub(super) async fn of_report(
    method: &Method,
    query: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<(String, String)>, ApiError> {
    let mut given = of_query(query)?;
    if method == Method::POST {
        let bytes = bytes(body, FORM_BYTES).await?;
        let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default());
        match kind.map(|kind| kind.split(';').next().unwrap_or_default().trim()) {
            None if bytes.is_empty() => {}
            Some(kind) if kind.eq_ignore_ascii_case(FORM) => given.extend(parse(&bytes)?),
            kind => return Err(ApiError::unknown_body_type(kind.unwrap_or_default(), FORM)),
        }
    }
    for (place, (name, _)) in given.iter().enumerate() {
        if given[..place].iter().any(|(before, _)| before == name) {
            return Err(ApiError::repeated_parameter(name));
        }
    }
    Ok(given)
}

/// A body of limited length. The rest of one that is longer is read and forgotten, up to a point: many a client looks for an
/// answer only when it has sent everything.
pub(super) async fn bytes(body: Body, most: usize) -> Result<Bytes, ApiError> {
    let mut pieces = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| ApiError::broken_body(&error))?;
        length += piece.len();
        if length > FORGOTTEN_BYTES {
            break;
        }
        if length <= most {
            bytes.extend_from_slice(&piece);
        }
    }
    if length > most {
        Err(ApiError::form_too_large(most))
    } else {
        Ok(bytes.into())
    }
}

/// The parameters of the query.
pub(super) fn of_query(query: Option<&str>) -> Result<Vec<(String, String)>, ApiError> {
    parse(query.unwrap_or_default().as_bytes())
}

pub(super) fn parse(text: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    serde_urlencoded::from_bytes(text).map_err(|error| ApiError::unreadable_body(&error.to_string()))
}
