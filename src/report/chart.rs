//! What is drawn of a report: which columns, and how. The front matter says it, `output` draws it.

use serde::{Deserialize, Serialize};

/// What is drawn of a report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChartSpec {
    /// How.
    pub kind: ChartForm,
    /// The handle of the column that goes to the right.
    pub x: String,
    /// Those that go up; each is a line of its own. A date and time that goes up goes by its time of day.
    pub y: Vec<String>,
    /// The column that dots are as large as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The column of percentages of time with at least so much: where it falls to 5 and to 1, a mark says how much was enough for
    /// 95 % and for 99 % of the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<String>,
}

/// How a chart shows its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartForm {
    /// A curve that keeps its height until the next row.
    Steps,
    /// A bar for each row.
    Bars,
    /// A line for each column.
    Lines,
    /// A dot for each row.
    Points,
}

impl ChartSpec {
    /// The handles of all columns that it is drawn from.
    pub fn handles(&self) -> impl Iterator<Item = &str> {
        let rest = self.y.iter().chain(&self.weight).chain(&self.shares);
        std::iter::once(&self.x).chain(rest).map(String::as_str)
    }
}
