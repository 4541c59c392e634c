//! Imports over HTTP: the body is the file, the answer is the summary.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use tracing::Span;

use super::{ApiError, Shared, parameters};
use crate::access::{Access, Names, Role};
use crate::app::{App, AppError};
use crate::import::{ImportError, ImportOptions, Input, Tally, dialect_names, find_dialect};
use crate::metrics::ImportOutcome;
use crate::store::StoreError;

const PARAMETERS: &str = "server, timezone, format, date, strict, final, dry-run, allow-any-time, longest-session-days, name";

/// Takes the body into the store, as `headroom import` takes a file.
pub(super) async fn post(
    State(shared): State<Shared>,
    access: Access,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    if !access.role().may_import() {
        return Err(ApiError::not_allowed("import", access.role(), Role::Admin));
    }
    if access.names() == Names::Pseudonym {
        return Err(ApiError::pseudonym_import());
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if kind.starts_with("multipart/") {
        return Err(ApiError::unknown_body_type(
            kind,
            "the bytes of the file as they are (curl --data-binary @FILE)",
        ));
    }
    let (name, options) = options(query.as_deref())?;
    let options = ImportOptions {
        servers: access.servers().map(<[String]>::to_vec),
        ..options
    };
    let file = spool(body).await?;
    let span = Span::current();
    let imported = tokio::task::spawn_blocking(move || span.in_scope(|| import(&shared.app, &name, file, &options)));
    let tally = imported.await.map_err(|error| ApiError::internal(&error))??;
    Ok(([(header::CONTENT_TYPE, "application/json")], tally.to_json()).into_response())
}

/// Imports a file, and counts that.
fn import(app: &App, name: &str, file: std::fs::File, options: &ImportOptions) -> Result<Tally, AppError> {
    let begun = Instant::now();
    let input = Input::file(name, file).map_err(AppError::from);
    let imported = input.and_then(|input| app.import(input, options));
    let (outcome, events) = match &imported {
        Ok(tally) => (ImportOutcome::Done, tally.total_events() - tally.duplicates),
        Err(AppError::Import(ImportError::Store(StoreError::Busy { .. })) | AppError::Store(StoreError::Busy { .. })) => {
            (ImportOutcome::Busy, 0)
        }
        Err(AppError::Import(ImportError::Store(_)) | AppError::Store(_)) => (ImportOutcome::Failed, 0),
        Err(AppError::Import(_)) => (ImportOutcome::Refused, 0),
        Err(AppError::Report(_) | AppError::Engine(_) | AppError::Encoding(_) | AppError::Query(_)) => (ImportOutcome::Failed, 0),
    };
    app.metrics().import_ends(outcome, events, begun.elapsed());
    imported
}

fn options(query: Option<&str>) -> Result<(String, ImportOptions), ApiError> {
    let mut options = ImportOptions::default();
    let mut file = "upload".to_owned();
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in parameters::of_query(query)? {
        if seen.contains(&name) {
            return Err(ApiError::repeated_parameter(&name));
        }
        let malformed = |expected: &str| ApiError::malformed_parameter(&name, &value, expected);
        match name.as_str() {
            "server" if !value.trim().is_empty() => options.server = Some(value.trim().to_owned()),
            "name" if !value.is_empty() => file = value,
            "server" | "name" => return Err(malformed("a text that is not empty")),
            "timezone" => {
                options.zone = Some(
                    value
                        .parse()
                        .map_err(|_unknown| malformed("an IANA time zone like Europe/Berlin"))?,
                )
            }
            "date" => options.date = Some(value.parse().map_err(|_wrong| malformed("a date like 2017-01-20 (YYYY-MM-DD)"))?),
            "format" => {
                let known = dialect_names();
                options.format = Some(find_dialect(&value).ok_or_else(|| malformed(&format!("one of {known}")))?);
            }
            "longest-session-days" => {
                options.longest_session_days = Some(value.parse().map_err(|_wrong| malformed("a number of days like 400"))?);
            }
            "strict" | "final" | "dry-run" | "allow-any-time" => {
                let is_set = match value.as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(malformed("true, false, 1 or 0")),
                };
                match name.as_str() {
                    "strict" => options.strict = is_set,
                    "final" => options.is_final = is_set,
                    "dry-run" => options.dry_run = is_set,
                    _ => options.any_time = is_set,
                }
            }
            _ => return Err(ApiError::unknown_parameter(&name, PARAMETERS)),
        }
        seen.push(name);
    }
    Ok((file, options))
}

/// Writes the body to a file without a name, which is gone when it is closed.
async fn spool(body: Body) -> Result<std::fs::File, ApiError> {
    let failed = |error: std::io::Error| ApiError::internal(&error);
    let mut file = tempfile::tempfile().map_err(failed)?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| ApiError::broken_body(&error))?;
        // A page cache write; what is slow here is the network.
        file.write_all(&chunk).map_err(failed)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(file)
}
