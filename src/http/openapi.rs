//! What there is to ask, as an OpenAPI 3.1 document, and a page to read and try it: both from the catalog of reports.

mod imports;
mod schema;
mod sql;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{CODES, Shared, negotiation::essence};
use crate::access::Role;
use crate::output::FORMATS;
use crate::report::{Definition, Param, STANDARD};

/// Where the document is.
pub(super) const PATH: &str = "/api/v1/openapi.json";

/// The page, which loads nothing from elsewhere.
pub(super) fn page<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let config = Config::from(PATH)
        .validator_url("none")
        .persist_authorization(true)
        .try_it_out_enabled(true);
    SwaggerUi::new("/docs").config(config).into()
}

/// The document.
pub(super) async fn get(State(shared): State<Shared>) -> Response {
    let definitions = shared.app.catalog().reports().map(crate::report::Report::definition);
    axum::Json(document(definitions)).into_response()
}

fn document<'a>(definitions: impl Iterator<Item = &'a Definition>) -> Value {
    let mut paths = Map::new();
    for definition in definitions {
        for path in std::iter::once(&definition.path).chain(&definition.aliases) {
            paths.insert(format!("/api/v1{path}"), report(definition, path, true));
        }
        if let Some(negotiated) = definition.path.strip_suffix("/{format}") {
            paths.insert(format!("/api/v1{negotiated}"), report(definition, negotiated, false));
        }
    }
    paths.insert(
        "/api/v1/reports".to_owned(),
        json!({ "get": {
            "operationId": "reports",
            "tags": ["catalog"],
            "summary": "Every report, its parameters, columns and formats",
            "responses": responses(&objects(), &[401, 403, 503]),
        }}),
    );
    paths.insert("/api/v1/reports/{name}/sql".to_owned(), source());
    paths.insert("/api/v1/sql".to_owned(), sql::sql());
    paths.insert("/api/v1/queries".to_owned(), sql::queries());
    paths.insert("/api/v1/queries/{id}".to_owned(), sql::query());
    paths.insert("/api/v1/import".to_owned(), import());
    paths.insert("/api/v1/imports".to_owned(), imports::list());
    paths.insert("/api/v1/imports/{number}".to_owned(), imports::undo());
    paths.insert("/api/v1/tokens".to_owned(), tokens());
    paths.insert("/api/v1/tokens/{name}".to_owned(), token());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "headroom",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "bearer": [] }],
        "tags": [
            { "name": "reports", "description": "Each report has its own parameters and those that all have" },
            { "name": "sql", "description": "Questions of one's own, and the queries that run" },
            { "name": "catalog", "description": "What there is to ask" },
            { "name": "store", "description": "What comes in" },
            { "name": "tokens", "description": "Who may ask" },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "apiKey", "in": "header", "name": "X-Auth-token" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
            "schemas": { "Error": schema::error() },
        },
    })
}

fn report(definition: &Definition, path: &str, named: bool) -> Value {
    let in_path = |param: &&Param| path.contains(&format!("{{{}}}", param.name));
    let all = || definition.params.iter().chain(STANDARD.iter());
    let mut of_path: Vec<Value> = all().filter(in_path).map(|param| schema::parameter(param, "path")).collect();
    if named {
        of_path.push(json!({
            "name": "format",
            "in": "path",
            "required": true,
            "description": "how the report is written",
            "schema": { "type": "string", "enum": formats() },
        }));
    }
    let of_query = all().filter(|param| !in_path(param));
    let query: Vec<Value> = of_path
        .iter()
        .cloned()
        .chain(of_query.clone().map(|param| schema::parameter(param, "query")))
        .collect();
    let required: Vec<&str> = of_query
        .clone()
        .filter(|param| param.required)
        .map(|param| param.name.as_str())
        .collect();
    let fields: Map<String, Value> = of_query.map(|param| (param.name.clone(), schema::described(param))).collect();
    let form = json!({ "application/x-www-form-urlencoded": { "schema": {
        "type": "object",
        "properties": fields,
        "required": required,
        "additionalProperties": false,
    }}});
    let content: Value = FORMATS
        .iter()
        .map(|format| (essence(format.media_type()).to_owned(), body(definition, format.name())))
        .collect();
    let id = path.trim_matches('/').replace(['/', '{', '}', '-'], "_");
    let mut failing = vec![304, 400, 401, 403, 404, 429, 503, 504];
    if !named {
        failing.push(406);
    }
    let get = json!({
        "operationId": format!("get_{id}"),
        "tags": ["reports"],
        "summary": definition.title,
        "description": definition.summary,
        "parameters": query,
        "responses": responses(&content, &failing),
    });
    failing.retain(|status| *status != 304);
    failing.extend([413, 415]);
    let post = json!({
        "operationId": format!("post_{id}"),
        "tags": ["reports"],
        "summary": format!("{}, asked with a form", definition.title),
        "description": definition.summary,
        "parameters": of_path,
        "requestBody": { "content": form, "required": !required.is_empty() },
        "responses": responses(&content, &failing),
    });
    json!({ "get": get, "post": post })
}

fn formats() -> Vec<&'static str> {
    let of = |format: &&'static dyn crate::output::Format| {
        std::iter::once(format.name())
            .chain(format.aliases().iter().copied())
            .collect::<Vec<_>>()
    };
    FORMATS.iter().flat_map(of).collect()
}

/// What an answer in a format is.
fn body(definition: &Definition, format: &str) -> Value {
    match format {
        "json" => {
            let row = schema::row(definition);
            json!({ "schema": { "anyOf": [schema::envelope(&row), { "type": "array", "items": row }] } })
        }
        "csv" | "ndjson" | "html" | "svg" => json!({ "schema": { "type": "string" } }),
        _ => json!({ "schema": { "type": "string", "contentMediaType": "application/octet-stream" } }),
    }
}

/// The usual envelope around objects of whatever keys.
fn objects() -> Value {
    json!({ "application/json": { "schema": schema::envelope(&json!({ "type": "object" })) } })
}

/// The answers that an operation gives: when it went well, and when not.
fn responses(content: &Value, failing: &[u16]) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({ "description": "the answer", "content": content }));
    for status in failing {
        if *status == 304 {
            responses.insert("304".to_owned(), json!({ "description": "the caller has this very answer" }));
            continue;
        }
        let meanings: Vec<String> = CODES
            .iter()
            .filter(|(_, known, _)| known.as_u16() == *status)
            .map(|(code, _, meaning)| format!("{code}: {meaning}"))
            .collect();
        let error = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
        responses.insert(status.to_string(), json!({ "description": meanings.join("; "), "content": error }));
    }
    Value::Object(responses)
}

fn source() -> Value {
    json!({ "get": {
        "operationId": "report_sql",
        "tags": ["catalog"],
        "summary": "The SQL of a report, to start a query from",
        "description": "Its parameters are `$name`; comments at the top say their types and meanings, and values to try.",
        "parameters": [{ "name": "name", "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }],
        "responses": responses(&json!({ "text/plain": { "schema": { "type": "string" } } }), &[400, 401, 403, 404, 503]),
    }})
}

fn import() -> Value {
    let text = |name: &str, description: &str| json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string", "minLength": 1 } });
    json!({ "post": {
        "operationId": "import",
        "tags": ["store"],
        "summary": "Take a file into the store",
        "parameters": [
            text("server", "name of the license server; else that of the file"),
            text("timezone", "zone of the file's times"),
            text("format", "format of the file; else what it looks like"),
            text("date", "day of its first line, where it says none"),
            text("strict", "true to refuse a file with any bad line"),
            text("allow-any-time", "true to accept events of before 1990 and of the future, and sessions of any length"),
            text("longest-session-days", "longest session that is accepted, in days; 400 unless given"),
            text("dry-run", "true to be told the summary and change nothing"),
            text("final", "true to read the last line of a log also where it has no line end"),
            text("name", "what the file is called"),
        ],
        "requestBody": { "required": true, "content": { "application/octet-stream": { "schema": { "type": "string", "contentMediaType": "application/octet-stream" } } } },
        "responses": responses(&json!({ "application/json": { "schema": { "type": "object" } } }), &[400, 401, 403, 415, 503]),
    }})
}

fn tokens() -> Value {
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    let form = json!({ "application/x-www-form-urlencoded": { "schema": {
        "type": "object",
        "properties": {
            "name": { "type": "string", "minLength": 1, "description": "what it is listed and revoked by" },
            "role": { "type": "string", "enum": roles, "description": "what it may do; else admin" },
            "servers": { "type": "string", "minLength": 1, "description": "names of the license servers it sees, with commas between; else all" },
            "names": { "type": "string", "enum": ["plain", "pseudonym"], "description": "how it sees users and hosts; else plain" },
        },
        "required": ["name"],
        "additionalProperties": false,
    }}});
    json!({
        "get": {
            "operationId": "list_tokens",
            "tags": ["tokens"],
            "summary": "Every token, without what opens anything",
            "responses": responses(&objects(), &[401, 403, 503]),
        },
        "post": {
            "operationId": "make_token",
            "tags": ["tokens"],
            "summary": "Make a token, which is told this once",
            "requestBody": { "content": form, "required": true },
            "responses": responses(&objects(), &[400, 401, 403, 409, 413, 415, 503]),
        },
    })
}

fn token() -> Value {
    json!({ "delete": {
        "operationId": "revoke_token",
        "tags": ["tokens"],
        "summary": "Revoke a token",
        "parameters": [{ "name": "name", "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }],
        "responses": responses(&objects(), &[400, 401, 403, 404, 409, 503]),
    }})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Catalog;

    #[test]
    fn every_path_of_every_report_is_there() {
        let definitions = Catalog::definitions().unwrap();
        let document = document(definitions.iter());
        for report in &definitions {
            for path in std::iter::once(&report.path).chain(&report.aliases) {
                assert!(document["paths"][format!("/api/v1{path}")]["get"].is_object(), "{path}");
            }
        }
    }

    #[test]
    fn operations_are_told_apart() {
        let definitions = Catalog::definitions().unwrap();
        let document = document(definitions.iter());
        let operations = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values());
        let mut ids: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        let before = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), before);
    }
}
