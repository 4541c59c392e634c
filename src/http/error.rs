//! Errors as answers: the one place that picks a failing status.
//!
//! Every error is the same JSON envelope with `success: false`, a message that says what is accepted, and a code that never
//! changes its meaning. What is our fault is logged once, here, and tells the caller nothing but an id to ask about.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::connections::Stalled;
use super::envelope::Envelope;
use super::negotiation::essence;
use super::request_id::RequestId;
use super::trace::ErrorCode;
use crate::access::Role;
use crate::app::{AppError, QueryError};
use crate::engine::EngineError;
use crate::import::ImportError;
use crate::output::{self, EncodeError};
use crate::report::ReportError;
use crate::store::StoreError;
use crate::suggest;

/// Every code, its status and its meaning: what the reference publishes.
pub const CODES: &[(u16, StatusCode, &str)] = &[
    (1001, StatusCode::BAD_REQUEST, "a parameter is missing"),
    (1002, StatusCode::BAD_REQUEST, "a parameter is malformed"),
    (
        1003,
        StatusCode::BAD_REQUEST,
        "parameters contradict each other, or one is given twice",
    ),
    (1004, StatusCode::BAD_REQUEST, "a parameter is unknown"),
    (1005, StatusCode::BAD_REQUEST, "the format is unknown"),
    (1006, StatusCode::BAD_REQUEST, "the body cannot be read"),
    (1007, StatusCode::BAD_REQUEST, "the file cannot be imported"),
    (1008, StatusCode::BAD_REQUEST, "the report has too many rows for the format"),
    (1009, StatusCode::BAD_REQUEST, "several features have the name"),
    (1101, StatusCode::UNAUTHORIZED, "the token is missing"),
    (1102, StatusCode::UNAUTHORIZED, "the token is unknown"),
    (
        1103,
        StatusCode::FORBIDDEN,
        "the store has no token, and the caller is not on this machine",
    ),
    (1104, StatusCode::FORBIDDEN, "the token's role does not allow it"),
    (1105, StatusCode::FORBIDDEN, "the request comes from a page of another site"),
    (
        1106,
        StatusCode::FORBIDDEN,
        "the first token of a store is made on the command line",
    ),
    (1201, StatusCode::NOT_FOUND, "the path is unknown"),
    (1202, StatusCode::NOT_FOUND, "the feature is unknown"),
    (1203, StatusCode::NOT_FOUND, "the report is unknown"),
    (1204, StatusCode::NOT_FOUND, "no token has that name"),
    (1205, StatusCode::NOT_FOUND, "no query of the caller's has that id and runs"),
    (1206, StatusCode::NOT_FOUND, "no import has that number"),
    (1301, StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed"),
    (1302, StatusCode::PAYLOAD_TOO_LARGE, "the form is too large"),
    (1303, StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body has a type that is not accepted"),
    (1304, StatusCode::NOT_ACCEPTABLE, "there is no format that Accept accepts"),
    (1305, StatusCode::PAYLOAD_TOO_LARGE, "the SQL is too long"),
    (1306, StatusCode::REQUEST_TIMEOUT, "the body brought nothing for too long"),
    (1307, StatusCode::MISDIRECTED_REQUEST, "the host is not one of this server"),
    (1401, StatusCode::CONFLICT, "a token has that name already"),
    (1402, StatusCode::CONFLICT, "there is no store yet"),
    (1403, StatusCode::CONFLICT, "the import cannot be undone, or was undone already"),
    (1501, StatusCode::SERVICE_UNAVAILABLE, "another process is writing to the store"),
    (1502, StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down"),
    (
        1503,
        StatusCode::SERVICE_UNAVAILABLE,
        "no query could begin in time; the server has too much to do",
    ),
    (
        1504,
        StatusCode::SERVICE_UNAVAILABLE,
        "the query ran out of memory, or of scratch space",
    ),
    (1505, StatusCode::SERVICE_UNAVAILABLE, "the query was stopped by request"),
    (
        1506,
        StatusCode::SERVICE_UNAVAILABLE,
        "the query brought down the process that it ran in",
    ),
    (
        1507,
        StatusCode::SERVICE_UNAVAILABLE,
        "as many connections are being answered as may be open",
    ),
    (
        1601,
        StatusCode::BAD_REQUEST,
        "the SQL is not accepted: it makes no sense, asks for what is not there, or does more than ask",
    ),
    (
        1602,
        StatusCode::BAD_REQUEST,
        "the SQL makes sense, but fails on the rows that it meets",
    ),
    (1701, StatusCode::TOO_MANY_REQUESTS, "as many queries of the caller's wait as may"),
    (1702, StatusCode::GATEWAY_TIMEOUT, "the query took longer than it may"),
    (1901, StatusCode::INTERNAL_SERVER_ERROR, "our fault; the message has a request id"),
];

/// What an error answer says, for pages that say it to a browser.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) code: u16,
    pub(super) message: String,
}

/// An error as an answer.
#[derive(Debug)]
pub struct ApiError {
    code: u16,
    message: String,
}

impl ApiError {
    fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        Self::new(1201, format!("there is nothing at {path:?}"))
    }

    pub(super) fn unknown_method(method: &Method, path: &str) -> Self {
        Self::new(1301, format!("{method} is not accepted at {path:?}; the Allow header says what is"))
    }

    pub(super) fn unknown_format(format: &str) -> Self {
        Self::new(
            1005,
            format!(
                "unknown format {format:?}; accepted: {}{}",
                output::names(),
                suggest::hint(format, output::FORMATS.iter().map(|known| known.name()))
            ),
        )
    }

    pub(super) fn not_acceptable() -> Self {
        let types: Vec<&str> = output::FORMATS.iter().map(|format| essence(format.media_type())).collect();
        Self::new(
            1304,
            format!("no format is one that Accept accepts; there are: {}", types.join(", ")),
        )
    }

    pub(super) fn unreadable_body(reason: &str) -> Self {
        Self::new(1006, format!("the body cannot be read: {reason}"))
    }

    /// The body ended too early, or brought nothing for too long.
    pub(super) fn broken_body(error: &axum::Error) -> Self {
        let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        match causes.find_map(|cause| cause.downcast_ref::<Stalled>()) {
            Some(stalled) => Self::new(1306, stalled.to_string()),
            None => Self::unreadable_body(&error.to_string()),
        }
    }

    pub(super) fn other_site() -> Self {
        Self::new(
            1105,
            "a page of another site may not ask: Origin or Sec-Fetch-Site names one that is not in the configuration (serve --allow-origin)",
        )
    }

    pub(super) fn other_host(what: &str) -> Self {
        Self::new(
            1307,
            format!("{what}; accepted: an IP address, localhost, or a name in the configuration (serve --host-name)"),
        )
    }

    pub(super) fn first_token() -> Self {
        Self::new(
            1106,
            "the store has no token, and the first one shuts out whoever has none: `headroom token create` on its machine makes it",
        )
    }

    pub(super) fn pseudonym_import() -> Self {
        Self::new(
            1104,
            "a token that sees pseudonyms may not import: whoever imports a name could see which pseudonym it has",
        )
    }

    pub(super) fn form_too_large(limit: usize) -> Self {
        Self::new(1302, format!("the form is larger than {limit} bytes"))
    }

    pub(super) fn unknown_body_type(given: &str, accepted: &str) -> Self {
        Self::new(1303, format!("a body of type {given:?} is not accepted; accepted: {accepted}"))
    }

    pub(super) fn token_missing() -> Self {
        Self::new(
            1101,
            "a token is needed, in the header X-Auth-token, as Authorization: Bearer, or as the password of Authorization: Basic",
        )
    }

    pub(super) fn token_unknown() -> Self {
        Self::new(1102, "the token is unknown")
    }

    pub(super) fn not_local() -> Self {
        Self::new(
            1103,
            "the store has no token; only callers on this machine are answered, and none that a proxy speaks for",
        )
    }

    pub(super) fn not_allowed(what: &str, role: Role, needed: Role) -> Self {
        let (role, needed) = (role.name(), needed.name());
        Self::new(1104, format!("a token with the role {role} may not {what}; accepted: {needed}"))
    }

    pub(super) fn beyond_sight() -> Self {
        Self::new(
            1104,
            "a token may make none that sees more than itself does; its own servers and names are in GET /api/v1/tokens",
        )
    }

    pub(super) fn token_taken(error: &StoreError) -> Self {
        Self::new(1401, error.to_string())
    }

    pub(super) fn token_name_unknown(error: &StoreError) -> Self {
        Self::new(1204, error.to_string())
    }

    pub(super) fn import_unknown(message: &str) -> Self {
        Self::new(1206, message)
    }

    pub(super) fn no_store() -> Self {
        Self::new(1402, "there is no store yet; `headroom init` or an import makes one")
    }

    pub(super) fn stopping() -> Self {
        Self::new(1502, "the server is shutting down")
    }

    pub(super) fn unknown_parameter(name: &str, known: &str) -> Self {
        Self::new(1004, format!("unknown parameter {name:?}; accepted: {known}"))
    }

    pub(super) fn missing_parameter(name: &str, expected: &str) -> Self {
        Self::new(1001, format!("parameter {name:?} is missing: {expected}"))
    }

    pub(super) fn malformed_parameter(name: &str, value: &str, expected: &str) -> Self {
        Self::new(1002, format!("parameter {name:?}: {value:?} is not {expected}"))
    }

    pub(super) fn repeated_parameter(name: &str) -> Self {
        Self::new(
            1003,
            format!("parameter {name:?} is given more than once; accepted: once, in the query or in the form"),
        )
    }

    /// Our fault: logged in full, told as the id of the request.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "request failed");
        Self::new(1901, format!("internal error; request id {}", RequestId::current()))
    }

    /// Its published code.
    #[cfg(test)]
    pub(super) const fn code(&self) -> u16 {
        self.code
    }

    fn status(&self) -> StatusCode {
        let known = CODES.iter().find(|(code, ..)| *code == self.code);
        known.map_or(StatusCode::INTERNAL_SERVER_ERROR, |(_, status, _)| *status)
    }
}

/// Says to whoever watches the server, and not to a caller of the API, that it can answer nothing now.
pub(super) fn not_ready(reason: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response()
}

/// The envelope for whoever finds no place.
pub(super) fn too_many_connections() -> String {
    let envelope = Envelope::of_error(1507, "as many connections are being answered as may be open; try again");
    serde_json::to_string(&envelope).unwrap_or_default()
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Report(error) => error.into(),
            AppError::Import(error) => error.into(),
            AppError::Store(error) => error.into(),
            AppError::Engine(error) => error.into(),
            AppError::Encoding(error) => error.into(),
            AppError::Query(error) => error.into(),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let code = match &error {
            QueryError::LineFull { .. } => 1701,
            QueryError::Busy { .. } => 1503,
            QueryError::Stopped => 1505,
            QueryError::Unknown { .. } => 1205,
        };
        Self::new(code, error.to_string())
    }
}

impl From<EncodeError> for ApiError {
    fn from(error: EncodeError) -> Self {
        match &error {
            EncodeError::TooManyRows { .. } => Self::new(1008, error.to_string()),
            EncodeError::Rows(_) | EncodeError::Parquet(_) | EncodeError::Workbook(_) | EncodeError::Pages(_) | EncodeError::Scratch(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        let code = match &error {
            ReportError::Missing { .. } => 1001,
            ReportError::Malformed { .. } => 1002,
            ReportError::Contradiction { .. } => 1003,
            ReportError::UnknownParameter { .. } => 1004,
            ReportError::AmbiguousFeature { .. } => 1009,
            ReportError::UnknownFeature { .. } => 1202,
            ReportError::UnknownReport { .. } => 1203,
            ReportError::Definition { .. } | ReportError::Engine(_) => return Self::internal(&error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Hidden { .. } => Self::new(1104, error.to_string()),
            ImportError::Read { .. }
            | ImportError::Empty { .. }
            | ImportError::Binary { .. }
            | ImportError::Unrecognised { .. }
            | ImportError::LongLine { .. }
            | ImportError::Damaged { .. }
            | ImportError::NoEvent { .. }
            | ImportError::Undated { .. }
            | ImportError::Strict { .. }
            | ImportError::Parquet { .. }
            | ImportError::Columns { .. } => Self::new(1007, chain(&error)),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Busy { .. } => Self::new(1501, "another process is writing to the store; try again"),
            StoreError::ImportUnknown { .. } => Self::new(1206, error.to_string()),
            StoreError::ImportUndone { .. } | StoreError::ImportNotKept { .. } => Self::new(1403, error.to_string()),
            StoreError::Missing { .. }
            | StoreError::Exists { .. }
            | StoreError::Foreign { .. }
            | StoreError::Newer { .. }
            | StoreError::Zone { .. }
            | StoreError::TokenTaken { .. }
            | StoreError::TokenUnknown { .. }
            | StoreError::TokenName { .. }
            | StoreError::ServerUnknown { .. }
            | StoreError::Random { .. }
            | StoreError::Worker
            | StoreError::Io { .. }
            | StoreError::Catalog(_)
            | StoreError::Parquet(_)
            | StoreError::Arrow(_) => Self::internal(&error),
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::TooLong { .. } => 1305,
            EngineError::Refused(_) => 1601,
            EngineError::Failed(_) => 1602,
            EngineError::Exhausted(_) => 1504,
            EngineError::OutOfTime { .. } => 1702,
            EngineError::Stopped => 1505,
            EngineError::Worker(reason) => {
                tracing::warn!(reason, "a query brought down its worker");
                1506
            }
            EngineError::Query(_) | EngineError::Threads(_) | EngineError::Unread | EngineError::Died => {
                return Self::internal(&error);
            }
        };
        Self::new(code, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Envelope::of_error(self.code, &self.message)).into_response();
        response.extensions_mut().insert(ErrorCode(self.code));
        response.extensions_mut().insert(Told {
            code: self.code,
            message: self.message,
        });
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if status == StatusCode::UNAUTHORIZED {
            let headers = response.headers_mut();
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            // So that a browser asks its user.
            let basic = HeaderValue::from_static("Basic realm=\"headroom\", charset=\"UTF-8\"");
            headers.append(header::WWW_AUTHENTICATE, basic);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_nobody_elses_and_fail() {
        let mut codes: Vec<u16> = CODES.iter().map(|(code, ..)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CODES.len());
        assert!(
            CODES
                .iter()
                .all(|(_, status, _)| status.is_client_error() || status.is_server_error())
        );
    }
}
