//! What a document says besides its rows.

use crate::report::{ChartSpec, Column, Param};
use crate::store::Quality;
use crate::time::{Day, Zone};

/// What a document says besides its rows. A format takes of it what it shows.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it is called: by the caller, or by the report.
    pub title: String,
    /// What it is about: features, days, zone.
    pub subtitle: String,
    /// What the report says, in one sentence.
    pub summary: String,
    /// Its columns, in order, titled as the caller wants them.
    pub columns: Vec<Column>,
    /// The columns that its chart is drawn from.
    pub drawn: Vec<Column>,
    /// Its chart.
    pub chart: Option<ChartSpec>,
    /// Labels and values: what was asked, and when.
    pub facts: Vec<(String, String)>,
    /// The doubts about its figures, where there are any.
    pub quality: Option<Quality>,
    /// The zone of its times.
    pub zone: Zone,
    /// Rows that were left out before the first one.
    pub offset: u64,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// The last day that anything is known of, where rows go on to the present: charts end there.
    pub known_until: Option<Day>,
    /// CSV begins with a byte order mark.
    pub bom: bool,
    /// JSON is an array of rows, without an envelope.
    pub bare: bool,
    /// What else can be asked from where it is shown; nothing where nobody can be asked.
    pub links: Option<Links>,
}

/// What can be asked from where a document is shown.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// What relative addresses of other formats begin with.
    pub formats: String,
    /// The parameters of the request, as they were given.
    pub query: Vec<(String, String)>,
    /// The parameters that a form may ask for.
    pub fields: Vec<Field>,
}

/// A parameter of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// The parameter.
    pub param: Param,
    /// What it was in the request.
    pub value: Option<String>,
}

impl Document {
    /// A document that says nothing besides its rows.
    #[must_use]
    pub const fn of_columns(columns: Vec<Column>) -> Self {
        Self {
            title: String::new(),
            subtitle: String::new(),
            summary: String::new(),
            columns,
            drawn: Vec::new(),
            chart: None,
            facts: Vec::new(),
            quality: None,
            zone: Zone::UTC,
            offset: 0,
            limit: None,
            known_until: None,
            bom: false,
            bare: false,
            links: None,
        }
    }

    /// A document of three columns, for tests.
    #[cfg(test)]
    pub(super) fn example() -> Self {
        Self {
            title: "Example".to_owned(),
            subtitle: "of a document".to_owned(),
            summary: "Nothing in particular.".to_owned(),
            columns: Column::of_features(),
            drawn: Vec::new(),
            chart: None,
            facts: vec![("sd".to_owned(), "2026-03-02".to_owned())],
            quality: None,
            zone: Zone::UTC,
            offset: 0,
            limit: None,
            known_until: None,
            bom: false,
            bare: false,
            links: None,
        }
    }
}
