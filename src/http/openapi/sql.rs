//! The operations around SQL and queries.

use serde_json::{Value, json};

use super::{FORMATS, essence, formats, objects, responses, schema};

/// `/api/v1/sql`
pub(super) fn sql() -> Value {
    let content: Value = FORMATS
        .iter()
        .map(|format| {
            let body = match format.name() {
                "json" => json!({ "schema": schema::envelope(&json!({ "type": "object" })) }),
                "csv" | "ndjson" | "html" | "svg" => json!({ "schema": { "type": "string" } }),
                _ => json!({ "schema": { "type": "string", "contentMediaType": "application/octet-stream" } }),
            };
            (essence(format.media_type()).to_owned(), body)
        })
        .collect();
    let text = json!({ "type": "string", "minLength": 1, "maxLength": 65_536, "examples": ["SELECT day, count(*) AS n FROM denials GROUP BY day ORDER BY day"] });
    let params = json!({
        "description": "an array for $1, $2 …, or an object for $name",
        "examples": [[3, "2026-03-02"], { "feature": 3 }],
        "oneOf": [{ "type": "array" }, { "type": "object" }],
    });
    let query =
        |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let options = vec![
        query(
            "format",
            "how the answer is written; else Accept decides",
            json!({ "type": "string", "enum": formats() }),
        ),
        query(
            "limit",
            "at most so many rows",
            json!({ "type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32 }),
        ),
        query(
            "timeout",
            "the most seconds that the answer may take",
            json!({ "type": "number", "minimum": 1, "maximum": 86_400 }),
        ),
        query(
            "tz",
            "the IANA zone whose clock times are read from and printed on; UTC without it",
            json!({ "type": "string", "examples": ["Europe/Berlin"] }),
        ),
        query(
            "rn",
            "what the answer is called, where a format shows it",
            json!({ "type": "string", "minLength": 1 }),
        ),
    ];
    let mut asked = options.clone();
    asked.insert(0, query("q", "the SQL: one query", text.clone()));
    asked.insert(
        1,
        query(
            "params",
            "JSON: an array for $1, $2 …, or an object for $name",
            json!({ "type": "string", "contentMediaType": "application/json" }),
        ),
    );
    if let Some(question) = asked.first_mut() {
        question["required"] = json!(true);
        // Addresses are shorter than bodies.
        question["schema"]["maxLength"] = json!(16_384);
    }
    let failing = [400, 401, 403, 406, 413, 429, 503, 504];
    json!({
        "get": {
            "operationId": "get_sql",
            "tags": ["sql"],
            "summary": "Ask a question in SQL",
            "parameters": asked,
            "responses": responses(&content, &failing),
        },
        "post": {
            "operationId": "post_sql",
            "tags": ["sql"],
            "summary": "Ask a question in SQL",
            "parameters": options,
            "requestBody": { "required": true, "content": {
                "text/plain": { "schema": text },
                "application/json": { "schema": {
                    "type": "object",
                    "properties": { "sql": text, "params": params },
                    "required": ["sql"],
                    "additionalProperties": false,
                }},
            }},
            "responses": responses(&content, &[&failing[..], &[415]].concat()),
        },
    })
}

/// `/api/v1/queries`
pub(super) fn queries() -> Value {
    json!({ "get": {
        "operationId": "list_queries",
        "tags": ["sql"],
        "summary": "The caller's queries, reports and SQL, that wait, run and ran",
        "responses": responses(&objects(), &[401, 403, 503]),
    }})
}

/// `/api/v1/queries/{id}`
pub(super) fn query() -> Value {
    json!({ "delete": {
        "operationId": "stop_query",
        "tags": ["sql"],
        "summary": "Stop a query",
        "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }],
        "responses": responses(&objects(), &[400, 401, 403, 404, 503]),
    }})
}
