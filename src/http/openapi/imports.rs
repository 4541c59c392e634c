//! The operations around imports.

use serde_json::{Value, json};

use super::{responses, schema};

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// An object of these properties, all of them required.
fn object(properties: &Value) -> Value {
    let names: Vec<String> = properties.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

/// `/api/v1/imports`
pub(super) fn list() -> Value {
    let instant = |kind: Value| json!({ "type": kind, "pattern": "^-?[0-9]{4,}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$" });
    let maybe = || instant(json!(["string", "null"]));
    let import = object(&json!({
        "number": { "type": "integer", "minimum": 1 },
        "at": instant(json!("string")),
        "file": { "type": "string" },
        "servers": texts(),
        "zone": { "type": "string" },
        "dialect": { "type": "string" },
        "first": maybe(),
        "last": maybe(),
        "events": count(),
        "undatedLines": count(),
        "unparsedLines": count(),
        "supersededBy": { "type": ["integer", "null"] },
        "undone": maybe(),
    }));
    json!({ "get": {
        "operationId": "list_imports",
        "tags": ["store"],
        "summary": "Every import of license servers that the caller sees",
        "description": "Instants are in the store's zone. An import that also has servers that the caller does not see is left out.",
        "responses": responses(&json!({ "application/json": { "schema": schema::envelope(&import) } }), &[400, 401, 403, 503]),
    }})
}

/// `/api/v1/imports/{number}`
pub(super) fn undo() -> Value {
    let undone = object(&json!({
        "number": { "type": "integer", "minimum": 1 },
        "file": { "type": "string" },
        "events": count(),
        "days": count(),
        "servers": texts(),
        "features": texts(),
        "dryRun": { "type": "boolean" },
    }));
    json!({ "delete": {
        "operationId": "undo_import",
        "tags": ["store"],
        "summary": "Take away what only one import told, as if it had never been",
        "parameters": [
            { "name": "number", "in": "path", "required": true, "description": "number of the import", "schema": { "type": "integer", "minimum": 1 } },
            { "name": "dry-run", "in": "query", "description": "true to change nothing, and only tell what would be taken away", "schema": { "type": "string", "enum": ["true", "false", "1", "0"] } },
        ],
        "responses": responses(&json!({ "application/json": { "schema": schema::envelope(&undone) } }), &[400, 401, 403, 404, 409, 503]),
    }})
}
