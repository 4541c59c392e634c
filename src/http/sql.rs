//! SQL over HTTP.
//!
//! ```text
//!   GET  /api/v1/sql?q=SELECT…&params=[…]&format=csv
//!   POST /api/v1/sql?format=csv      text/plain: the SQL · application/json: {"sql":…,"params":…} · a form: as in GET
//! ```

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::{ApiError, Shared, body, negotiation, parameters, trace};
use crate::access::{Caller, Role};
use crate::app::{Answer, SqlAsk};
use crate::engine::{Dialect, Parameters, Question};
use crate::output::{self, Disposition, Format};
use crate::report::{Column, columns_of, seconds};
use crate::time::{ParseTimeError, Zone};

/// What may be said besides the SQL.
const PARAMETERS: &str = "q, params, format, limit, timeout, tz, rn";
/// The SQL is limited further; this is for its parameters as well.
const BODY_BYTES: usize = 1024 * 1024;
const COLUMNS: HeaderName = HeaderName::from_static("x-columns");
/// What proxies let pass.
const COLUMNS_BYTES: usize = 4096;

/// Answers a question.
pub(super) async fn answer(State(shared): State<Shared>, caller: Caller, request: Request) -> Result<Response, ApiError> {
    if !caller.access().role().may_query() {
        return Err(ApiError::not_allowed("write queries", caller.access().role(), Role::Analyst));
    }
    trace::learn_report(request.extensions(), "sql");
    let (parts, content) = request.into_parts();
    let said = Said::read(&parts, content).await?;
    let format = match &said.format {
        Some(name) => output::find(name).ok_or_else(|| ApiError::unknown_format(name))?,
        None => negotiation::format(&parts.headers).ok_or_else(ApiError::not_acceptable)?,
    };
    let question = Question {
        sql: said.sql.ok_or_else(|| ApiError::missing_parameter("q", "SQL: one query"))?,
        parameters: said.parameters,
        dialect: Dialect::Own,
        limit: None,
        zone: said.zone,
    };
    if parts.method == Method::HEAD {
        let described = shared.app.describe_sql(question, &caller).await?;
        let (columns, _) = columns_of(&described.schema);
        return Ok(headers(format, &columns)?.into_response());
    }
    let ask = SqlAsk {
        question,
        format,
        caller: &caller,
        limit: said.limit,
        time: said.timeout,
        title: said.title,
    };
    let Answer { rendering, columns } = shared.app.sql(ask).await?;
    let mut headers = headers(format, &columns)?;
    body::announce(&mut headers, &rendering);
    Ok((headers, body::of(rendering)).into_response())
}

/// What a request says.
#[derive(Debug, Default)]
struct Said {
    sql: Option<String>,
    parameters: Parameters,
    format: Option<String>,
    limit: Option<u64>,
    timeout: Option<std::time::Duration>,
    title: Option<String>,
    zone: Option<Zone>,
}

/// The body of a request in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    sql: String,
    #[serde(default)]
    params: Option<Parameters>,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    limit: Option<u64>,
    #[serde(default)]
    timeout: Option<f64>,
    #[serde(default)]
    tz: Option<String>,
}

impl Said {
    async fn read(parts: &Parts, content: Body) -> Result<Self, ApiError> {
        let mut said = Self::default();
        let mut seen = Vec::new();
        for (name, value) in parameters::of_query(parts.uri.query())? {
            said.take(&mut seen, &name, value)?;
        }
        if parts.method != Method::POST {
            return Ok(said);
        }
        let bytes = parameters::bytes(content, BODY_BYTES).await?;
        let kind = parts
            .headers
            .get(header::CONTENT_TYPE)
            .map(|kind| kind.to_str().unwrap_or_default());
        let kind = kind.map(|kind| negotiation::essence(kind).to_ascii_lowercase());
        match kind.as_deref() {
            None if bytes.is_empty() => {}
            None | Some("text/plain" | "application/sql") => {
                let sql =
                    String::from_utf8(bytes.to_vec()).map_err(|error| ApiError::unreadable_body(&format!("it is no UTF-8: {error}")))?;
                said.take(&mut seen, "q", sql)?;
            }
            Some("application/json") => {
                let posted: Posted = serde_json::from_slice(&bytes)
                    .map_err(|error| ApiError::unreadable_body(&format!("expected {{\"sql\":…,\"params\":…}}: {error}")))?;
                said.take_json(&mut seen, posted)?;
            }
            Some("application/x-www-form-urlencoded") => {
                for (name, value) in parameters::parse(&bytes)? {
                    said.take(&mut seen, &name, value)?;
                }
            }
            Some(kind) => {
                return Err(ApiError::unknown_body_type(
                    kind,
                    "text/plain (the SQL), application/json ({\"sql\":…,\"params\":…}), application/x-www-form-urlencoded (q=…)",
                ));
            }
        }
        Ok(said)
    }

    fn take_json(&mut self, seen: &mut Vec<String>, posted: Posted) -> Result<(), ApiError> {
        self.take(seen, "q", posted.sql)?;
        if let Some(parameters) = posted.params {
            once(seen, "params")?;
            self.parameters = parameters;
        }
        let rest = [
            ("format", posted.format),
            ("limit", posted.limit.map(|limit| limit.to_string())),
            ("timeout", posted.timeout.map(|timeout| timeout.to_string())),
            ("tz", posted.tz),
        ];
        for (name, value) in rest {
            if let Some(value) = value {
                self.take(seen, name, value)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, seen: &mut Vec<String>, name: &str, value: String) -> Result<(), ApiError> {
        once(seen, name)?;
        let malformed = |expected: &str| ApiError::malformed_parameter(name, &value, expected);
        match name {
            "q" => self.sql = Some(value),
            "params" => {
                let expected = "JSON: an array for $1, $2 …, or an object for $name";
                self.parameters = serde_json::from_str(&value).map_err(|_error| malformed(expected))?;
            }
            "format" => self.format = Some(value),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| *limit > 0);
                self.limit = Some(limit.ok_or_else(|| malformed("a whole number greater than zero"))?);
            }
            "timeout" => self.timeout = Some(seconds(&value).ok_or_else(|| malformed("a number of seconds greater than zero"))?),
            "tz" => {
                self.zone = Some(value.parse().map_err(|error: ParseTimeError| {
                    let told = error.to_string();
                    malformed(told.split_once(" is not ").map_or(told.as_str(), |(_, expected)| expected))
                })?);
            }
            "rn" if !value.is_empty() => self.title = Some(value),
            "rn" => return Err(malformed("a text that is not empty")),
            _ => return Err(ApiError::unknown_parameter(name, PARAMETERS)),
        }
        Ok(())
    }
}

fn once(seen: &mut Vec<String>, name: &str) -> Result<(), ApiError> {
    if seen.iter().any(|known| known == name) {
        return Err(ApiError::repeated_parameter(name));
    }
    seen.push(name.to_owned());
    Ok(())
}

/// The headers of an answer, as far as they are known before it.
fn headers(format: &dyn Format, columns: &[Column]) -> Result<HeaderMap, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let text = |text: String| HeaderValue::from_str(&text).map_err(|error| ApiError::internal(&error));
    let disposition = match format.disposition() {
        Disposition::Read => None,
        Disposition::Shown => Some("inline"),
        Disposition::Saved => Some("attachment"),
    };
    if let Some(disposition) = disposition {
        headers.insert(
            header::CONTENT_DISPOSITION,
            text(format!("{disposition}; filename=\"query.{}\"", Format::name(format)))?,
        );
    }
    let told = columns
        .iter()
        .map(|column| json!({ "name": column.name, "type": column.kind.name() }));
    let told = in_ascii(&serde_json::Value::from_iter(told).to_string());
    if told.len() <= COLUMNS_BYTES {
        headers.insert(COLUMNS, text(told)?);
    }
    Ok(headers)
}

/// JSON without letters that headers do not carry.
fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_carry_any_name() {
        let json = json!([{ "name": "größe \u{1F600}\u{7f}" }]).to_string();
        let ascii = in_ascii(&json);
        assert!(ascii.is_ascii() && HeaderValue::from_str(&ascii).is_ok(), "{ascii}");
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&json).unwrap(), serde_json::from_str(&ascii).unwrap());
        assert_eq!(before, after);
    }
}
