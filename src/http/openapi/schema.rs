//! Types of parameters and columns as JSON Schema.

use serde_json::{Map, Value, json};

use crate::report::{Column, ColumnType, Definition, Param, ParamType};
use crate::time::Granularity;

/// A parameter in the path or in the query.
pub(super) fn parameter(param: &Param, place: &str) -> Value {
    json!({
        "name": param.name,
        "in": place,
        "required": place == "path" || param.required,
        "description": description(param),
        "schema": of_param(param),
    })
}

/// A parameter as a field of a form.
pub(super) fn described(param: &Param) -> Value {
    let mut schema = of_param(param);
    schema["description"] = description(param).into();
    schema
}

fn description(param: &Param) -> String {
    let aliases: Vec<String> = param.aliases.iter().map(|alias| format!("`{alias}`")).collect();
    let also = if aliases.is_empty() {
        String::new()
    } else {
        format!("; also called {}", aliases.join(", "))
    };
    format!("{}: {}{also}", param.summary, param.expected())
}

fn of_param(param: &Param) -> Value {
    let mut schema = match param.kind {
        ParamType::Date => json!({
            "type": "string",
            "anyOf": [{ "format": "date" }, { "format": "date-time" }, { "pattern": "^[0-9]{11,15}$" }],
            "examples": ["2026-03-02"],
        }),
        ParamType::Weekdays => json!({ "type": "string", "minLength": 1, "examples": ["mon-fri", "1,3,5"] }),
        ParamType::Holidays => json!({ "type": "string", "minLength": 1, "examples": ["2026-01-01,2026-12-24..2026-12-26"] }),
        ParamType::Time => json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" }),
        ParamType::ClosingTime => json!({ "type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" }),
        ParamType::Granularity => {
            let names = Granularity::ALL.iter().map(|granularity| granularity.name().to_owned());
            let numbers = Granularity::ALL.iter().map(|granularity| (*granularity as u8).to_string());
            json!({ "type": "string", "enum": names.chain(numbers).collect::<Vec<_>>() })
        }
        ParamType::Boolean => json!({ "type": "string", "enum": ["true", "false", "1", "0"] }),
        ParamType::Direction => json!({ "type": "string", "enum": ["ASC", "DESC"] }),
        ParamType::Count => json!({ "type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32 }),
        ParamType::Offset => json!({ "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 }),
        ParamType::Seconds => json!({ "type": "number", "minimum": 1, "maximum": 86_400 }),
        ParamType::Text => json!({ "type": "string", "minLength": 1 }),
        ParamType::Enumeration => json!({ "type": "string", "enum": param.values }),
        ParamType::Zone => json!({ "type": "string", "examples": ["Europe/Berlin"] }),
        ParamType::Features => {
            json!({ "type": "string", "minLength": 1, "examples": ["3", "3,7,12", "solver", "flex01/solver", "all"] })
        }
        ParamType::Handles => json!({ "type": "string", "pattern": "^[a-z]+(,[a-z]+)*$" }),
        ParamType::Conditions | ParamType::Orderings | ParamType::Visibility | ParamType::Titles => {
            json!({ "type": "string", "contentMediaType": "application/json" })
        }
    };
    if let Some(default) = &param.default {
        schema["default"] = default.as_str().into();
    }
    schema
}

/// A row of a report in JSON; which columns it has is the caller's choice.
pub(super) fn row(definition: &Definition) -> Value {
    let leading = if definition.of_features() {
        Column::of_features()
    } else {
        Vec::new()
    };
    let columns = leading.iter().chain(&definition.columns);
    let properties: Map<String, Value> = columns.map(|column| (column.name.clone(), of_column(column))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn of_column(column: &Column) -> Value {
    let mut schema = match column.kind {
        ColumnType::Text | ColumnType::Period | ColumnType::PeriodOf(_) => json!({ "type": ["string", "null"] }),
        ColumnType::Enumeration => {
            let values = column.values.iter().map(|value| json!(value)).chain([Value::Null]);
            json!({ "enum": values.collect::<Vec<_>>() })
        }
        ColumnType::Integer => json!({ "type": ["integer", "null"] }),
        ColumnType::Float | ColumnType::Number => json!({ "type": ["number", "null"] }),
        ColumnType::Boolean => json!({ "type": ["boolean", "null"] }),
        ColumnType::Date => json!({ "type": ["string", "null"], "format": "date" }),
        ColumnType::DateTime | ColumnType::Timestamp => {
            json!({ "type": ["string", "null"], "pattern": "^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}$" })
        }
    };
    schema["title"] = column.title.as_str().into();
    schema["description"] = column.summary.as_str().into();
    schema
}

/// The envelope around rows.
pub(super) fn envelope(row: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "success": { "const": true },
            "msg": { "type": "string" },
            "data": { "type": "array", "items": row },
            "code": { "type": "null" },
            "totalCount": { "type": "integer", "minimum": 0 },
            "quality": { "type": "object", "description": "what is doubtful about the figures; missing where nothing is" },
        },
        "required": ["success", "msg", "data", "code", "totalCount"],
        "additionalProperties": false,
    })
}

/// The envelope of an error.
pub(super) fn error() -> Value {
    json!({
        "type": "object",
        "properties": {
            "success": { "const": false },
            "msg": { "type": "string", "description": "what is wrong, and what is accepted" },
            "data": { "type": "array", "maxItems": 0 },
            "code": { "type": "integer", "description": "a number that never changes its meaning" },
            "totalCount": { "const": 0 },
        },
        "required": ["success", "msg", "data", "code", "totalCount"],
        "additionalProperties": false,
    })
}
