//! The file of a report: front matter and SQL.
//!
//! ```sql
//! /*
//! name = "denials"                                        -- TOML: what the report is called, takes and says
//! …
//! */
//! SELECT … FROM denials WHERE at >= $from AND at < $until -- SQL: how it is computed
//! ```
//!
//! The SQL has one column for each of the front matter's, by handle; a report of features has a column `fid` besides. It may
//! use the report's parameters as `$name`, and:
//!
//! | placeholder | is |
//! |---|---|
//! | `$tz` | the zone of the report |
//! | `$sd`, `$ed` | the first and last day |
//! | `$from`, `$until` | the first instant of the first day, and the first one after the last |
//! | `IN ($feature)`, `IN ($server)` | the features that were asked for, the servers that may be seen |

use serde::{Deserialize, Serialize};

use super::{ChartSpec, Column, ColumnType, Param, ParamType, ReportError};

/// What a report is called, takes and says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The name; also of its file.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// What it says, in one sentence.
    pub summary: String,
    /// The path below `/api/v1`, with `{feature}` and `{format}`.
    pub path: String,
    /// Older paths.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Which days it covers.
    pub range: Range,
    /// The natural order: handles of columns.
    pub order: Vec<String>,
    /// What is drawn of it.
    #[serde(default)]
    pub chart: Option<ChartSpec>,
    /// Its own parameters.
    #[serde(default, rename = "param")]
    pub params: Vec<Param>,
    /// Its columns, in the order of exports.
    #[serde(rename = "column")]
    pub columns: Vec<Column>,
    /// How it is computed.
    #[serde(skip)]
    pub sql: String,
}

/// Which days a report covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Range {
    /// It knows no days.
    None,
    /// Those from `sd` to `ed`, which must be given.
    Days,
    /// Those from the first known one to yesterday; `sd`, `ed` and `today` change that.
    History,
}

impl Definition {
    /// Reads a report's file.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, ReportError> {
        let wrong = |reason: String| ReportError::Definition {
            report: name.to_owned(),
            reason,
        };
        let (front, sql) = text
            .strip_prefix("/*\n")
            .and_then(|text| text.split_once("\n*/\n"))
            .ok_or_else(|| wrong("does not begin with front matter between /* and */".to_owned()))?;
        let mut definition: Self = toml::from_str(front).map_err(|error| wrong(error.to_string()))?;
        if definition.name != name {
            return Err(wrong(format!("is called {:?}", definition.name)));
        }
        if let Some(unknown) = definition.order.iter().find(|handle| definition.column(handle).is_none()) {
            return Err(wrong(format!("is ordered by {unknown:?}, which is no column")));
        }
        if let Some(unknown) = definition.drawn().find(|handle| definition.column(handle).is_none()) {
            return Err(wrong(format!("draws {unknown:?}, which is no column")));
        }
        let bare = |column: &&Column| column.kind == ColumnType::Enumeration && column.values.is_empty();
        if let Some(column) = definition.columns.iter().find(bare) {
            return Err(wrong(format!("has an enumeration {:?} without values", column.name)));
        }
        for param in &mut definition.params {
            // Both names are accepted everywhere.
            for name in ["grat", "granularity"] {
                if param.kind == ParamType::Granularity && !param.is_called(name) {
                    param.aliases.push(name.to_owned());
                }
            }
        }
        let days = match definition.range {
            Range::None => Vec::new(),
            Range::Days => vec![
                Param::new("sd", ParamType::Date, true, "first day"),
                Param::new("ed", ParamType::Date, true, "last day, included"),
            ],
            Range::History => vec![
                Param::new("sd", ParamType::Date, false, "first day; else the first one known"),
                Param::new("ed", ParamType::Date, false, "last day, included; else yesterday"),
                Param::new("today", ParamType::Boolean, false, "1 for today as well"),
            ],
        };
        let feature = Param::new("feature", ParamType::Features, true, "which features");
        let features = definition.of_features().then_some(feature);
        definition.params.splice(0..0, features.into_iter().chain(days));
        sql.clone_into(&mut definition.sql);
        Ok(definition)
    }

    /// The column of a handle.
    #[must_use]
    pub fn column(&self, handle: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == handle)
    }

    /// The handles of the columns that its chart is drawn from.
    pub fn drawn(&self) -> impl Iterator<Item = &str> {
        self.chart.iter().flat_map(ChartSpec::handles)
    }

    /// Whether it is about features that the path names.
    #[must_use]
    pub fn of_features(&self) -> bool {
        self.path.contains("{feature}")
    }
}
