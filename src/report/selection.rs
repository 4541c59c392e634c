//! Which columns a document has, in which order, under which titles.

use serde_json::Value;

use super::json::{brief, members};
use super::{Column, ReportError, Visibility};
use crate::suggest;

/// What the caller says about columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    choice: Choice,
    /// Handles, and what their columns are called instead.
    titles: Vec<(String, String)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Choice {
    /// Nothing: the format decides.
    #[default]
    Format,
    /// `fieldsVisibility` with ones: these.
    Shown(Vec<String>),
    /// `fieldsVisibility` with zeros alone: those that the format has, without these.
    Hidden(Vec<String>),
    /// `columns`: these, in every format.
    Columns(Vec<String>),
}

/// Which columns a format has when the caller does not choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Every column, whatever `fieldsVisibility` says: the envelope that compatible clients read.
    Envelope,
    /// Every column, for programs.
    Records,
    /// The columns that people want to see.
    Export,
    /// Those, and the number that a row begins with, by which people ask for more.
    Page,
    /// Those that the report's chart is drawn from, whatever the caller chooses.
    Picture,
}

impl Selection {
    /// Understands the three parameters; each may be missing.
    pub(super) fn parse(
        visibility: Option<(&str, &str)>,
        columns: Option<&str>,
        titles: Option<&str>,
        known: &[Column],
    ) -> Result<Self, ReportError> {
        let choice = match (visibility, columns) {
            (Some((name, _)), Some(_)) => {
                return Err(ReportError::Contradiction {
                    reason: format!("parameters {name:?} and \"columns\" both choose columns; accepted: one of them"),
                });
            }
            (Some((name, text)), None) => read_visibility(name, text, known)?,
            (None, Some(text)) => Choice::Columns(read_handles(text, known)?),
            (None, None) => Choice::Format,
        };
        let titles = titles.map(|text| read_titles(text, known)).transpose()?;
        Ok(Self {
            choice,
            titles: titles.unwrap_or_default(),
        })
    }

    /// The columns of a document.
    #[must_use]
    pub fn of(&self, columns: &[Column], family: Family) -> Vec<Column> {
        let usual = |column: &&Column| match column.visibility {
            Visibility::Shown => true,
            Visibility::Hidden if family == Family::Page => columns.first().is_some_and(|first| first.name == column.name),
            Visibility::Hidden => family != Family::Export,
            Visibility::Json => !matches!(family, Family::Export | Family::Page),
            Visibility::Named => false,
        };
        let these = |handles: &[String]| -> Vec<Column> {
            let find = |handle: &String| columns.iter().find(|column| column.name == *handle).cloned();
            handles.iter().filter_map(find).collect()
        };
        let mut chosen: Vec<Column> = match (&self.choice, family) {
            (_, Family::Picture) => Vec::new(),
            (Choice::Columns(handles), _) => these(handles),
            (Choice::Format, _) | (_, Family::Envelope) => columns.iter().filter(usual).cloned().collect(),
            (Choice::Shown(handles), _) => these(handles),
            (Choice::Hidden(handles), _) => {
                let shown = columns.iter().filter(usual).filter(|column| !handles.contains(&column.name));
                shown.cloned().collect()
            }
        };
        for (handle, title) in &self.titles {
            if let Some(column) = chosen.iter_mut().find(|column| column.name == *handle) {
                column.title.clone_from(title);
            }
        }
        chosen
    }
}

fn known_handle<'a>(name: &str, handle: &str, known: &'a [Column]) -> Result<&'a Column, ReportError> {
    let found = known.iter().find(|column| column.name == handle);
    found.ok_or_else(|| {
        let handles: Vec<&str> = known.iter().map(|column| column.name.as_str()).collect();
        let hint = suggest::hint(handle, handles.iter().copied());
        malformed(name, handle, format!("one of the columns {}{hint}", handles.join(", ")))
    })
}

fn malformed(name: &str, value: &str, expected: impl Into<String>) -> ReportError {
    ReportError::Malformed {
        name: name.to_owned(),
        value: brief(value),
        expected: expected.into(),
    }
}

fn read_visibility(name: &str, text: &str, known: &[Column]) -> Result<Choice, ReportError> {
    let (mut shown, mut hidden) = (Vec::new(), Vec::new());
    for (handle, value) in members(name, text, "{\"ldt\":\"1\",\"un\":\"0\"}")? {
        known_handle(name, &handle, known)?;
        if shown.contains(&handle) || hidden.contains(&handle) {
            return Err(malformed(name, &handle, "a column that was not named before"));
        }
        match visible(&value) {
            Some(true) => shown.push(handle),
            Some(false) => hidden.push(handle),
            None => {
                return Err(malformed(
                    &format!("{name}.{handle}"),
                    &value.to_string(),
                    "\"1\", \"0\", 1, 0, true or false",
                ));
            }
        }
    }
    let nothing_left = |column: &Column| column.visibility != Visibility::Shown || hidden.contains(&column.name);
    if shown.is_empty() && known.iter().all(nothing_left) {
        return Err(malformed(name, text, "an object that leaves a column visible"));
    }
    Ok(if shown.is_empty() {
        Choice::Hidden(hidden)
    } else {
        Choice::Shown(shown)
    })
}

fn visible(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) if number.as_u64() == Some(1) => Some(true),
        Value::Number(number) if number.as_u64() == Some(0) => Some(false),
        Value::String(text) => super::param::truth(text),
        _ => None,
    }
}

fn read_handles(text: &str, known: &[Column]) -> Result<Vec<String>, ReportError> {
    let mut handles: Vec<String> = Vec::new();
    for handle in text.split(',') {
        known_handle("columns", handle, known)?;
        if handles.iter().any(|before| before == handle) {
            return Err(malformed("columns", handle, "a column that was not named before"));
        }
        handles.push(handle.to_owned());
    }
    Ok(handles)
}

fn read_titles(text: &str, known: &[Column]) -> Result<Vec<(String, String)>, ReportError> {
    let mut titles: Vec<(String, String)> = Vec::new();
    for (handle, title) in members("columnNames", text, "{\"ldt\":\"When\"}")? {
        known_handle("columnNames", &handle, known)?;
        let Some(text) = title.as_str().filter(|title| !title.is_empty()) else {
            return Err(malformed(
                &format!("columnNames.{handle}"),
                &title.to_string(),
                "a text that is not empty",
            ));
        };
        if titles.iter().any(|(before, _)| *before == handle) {
            return Err(malformed("columnNames", &handle, "a column that was not named before"));
        }
        titles.push((handle, text.to_owned()));
    }
    Ok(titles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ColumnType;

    fn known() -> Vec<Column> {
        let column = |name: &str, visibility| Column {
            name: name.to_owned(),
            title: name.to_uppercase(),
            kind: ColumnType::Text,
            visibility,
            values: Vec::new(),
            summary: String::new(),
            native: None,
        };
        vec![
            column("a", Visibility::Shown),
            column("b", Visibility::Hidden),
            column("c", Visibility::Shown),
            column("d", Visibility::Json),
        ]
    }

    fn handles(visibility: Option<&str>, columns: Option<&str>, family: Family) -> String {
        let selection = Selection::parse(visibility.map(|text| ("fieldsVisibility", text)), columns, None, &known()).unwrap();
        selection.of(&known(), family).into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn families_differ_only_where_the_caller_does_not_choose() {
        assert_eq!(handles(None, None, Family::Envelope), "abcd");
        assert_eq!(handles(None, None, Family::Records), "abcd");
        assert_eq!(handles(None, None, Family::Export), "ac");
        for family in [Family::Envelope, Family::Records, Family::Export] {
            assert_eq!(handles(None, Some("d,a"), family), "da");
        }
    }

    #[test]
    fn ones_are_shown_as_written_and_zeros_are_left_out() {
        let ones = Some(r#"{"c":"1","a":"0","b":1}"#);
        assert_eq!(handles(ones, None, Family::Export), "cb");
        assert_eq!(handles(ones, None, Family::Records), "cb");
        assert_eq!(handles(ones, None, Family::Envelope), "abcd");
        assert_eq!(handles(Some(r#"{"c":false}"#), None, Family::Export), "a");
        assert_eq!(handles(Some("{}"), None, Family::Export), "ac");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |visibility: Option<&str>, columns, titles| {
            Selection::parse(visibility.map(|text| ("fieldsVisibility", text)), columns, titles, &known())
                .unwrap_err()
                .to_string()
        };
        assert!(refused(Some(r#"{"x":1}"#), None, None).contains("\"x\""));
        assert!(refused(Some(r#"{"a":2}"#), None, None).contains("fieldsVisibility.a"));
        assert!(refused(Some(r#"{"a":1,"a":0}"#), None, None).contains("not named before"));
        assert!(refused(Some(r#"{"a":0,"c":0}"#), None, None).contains("visible"));
        assert!(refused(Some("[]"), None, None).contains("JSON object"));
        assert!(refused(Some("{}"), Some("a"), None).contains("both"));
        assert!(refused(None, Some("a,,c"), None).contains("\"\""));
        assert!(refused(None, Some("a,a"), None).contains("not named before"));
        assert!(refused(None, None, Some(r#"{"a":""}"#)).contains("columnNames.a"));
    }

    #[test]
    fn titles_are_those_of_the_caller() {
        let selection = Selection::parse(None, None, Some(r#"{"a":"When"}"#), &known()).unwrap();
        let titles: Vec<String> = selection
            .of(&known(), Family::Export)
            .into_iter()
            .map(|column| column.title)
            .collect();
        assert_eq!(titles, ["When", "C"]);
    }
}
