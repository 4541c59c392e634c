//! What a report says in a column.

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use crate::time::Granularity;

/// A column of a report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The handle: its name in JSON, and in the SQL of the report.
    pub name: String,
    /// The full name, for people.
    pub title: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Where it is shown.
    #[serde(default)]
    pub visibility: Visibility,
    /// For an enumeration: the texts that there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What it means.
    pub summary: String,
    /// Of an answer to SQL: the type it has in formats for programs.
    #[serde(skip)]
    pub native: Option<DataType>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// A text.
    Text,
    /// One of few texts.
    Enumeration,
    /// A whole number.
    Integer,
    /// A number; two decimals in text formats, all of them elsewhere.
    Float,
    /// A number with all its digits: only in answers to SQL.
    #[serde(skip)]
    Number,
    /// `true` or `false`.
    Boolean,
    /// A calendar day.
    Date,
    /// An instant, shown in the zone of the report.
    DateTime,
    /// A time as it is, on the clock of its own zone, if it has one: only in answers to SQL.
    #[serde(skip)]
    Timestamp,
    /// A calendar period, as its first wall-clock time.
    Period,
    /// A calendar period of this length: what [`ColumnType::Period`] becomes in a request.
    #[serde(skip)]
    PeriodOf(Granularity),
}

impl ColumnType {
    /// What it is called in documents and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Enumeration => "enumeration",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime | Self::Timestamp => "date and time",
            Self::Period | Self::PeriodOf(_) => "period",
        }
    }
}

/// Where a column is shown when the caller does not choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everywhere.
    #[default]
    Shown,
    /// In JSON; in an export only when it is asked for.
    Hidden,
    /// In JSON alone.
    Json,
    /// Nowhere, until the caller names it: compatible clients never see it.
    Named,
}

impl Column {
    /// The columns that a report of several features has before its own.
    #[must_use]
    pub fn of_features() -> Vec<Self> {
        let column = |name: &str, title: &str, kind, summary: &str| Self {
            name: name.to_owned(),
            title: title.to_owned(),
            kind,
            visibility: Visibility::Shown,
            values: Vec::new(),
            summary: summary.to_owned(),
            native: None,
        };
        vec![
            column("fid", "Feature ID", ColumnType::Integer, "the number of the feature"),
            column("fns", "Feature Name", ColumnType::Text, "the name of the feature"),
            column("lsn", "License Server", ColumnType::Text, "the name of its license server"),
        ]
    }
}
