//! A request for a report: what was typed becomes what is meant.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use datafusion::scalar::ScalarValue;

use super::bind::{Binding, Bindings};
use super::filter::{self, Condition};
use super::order::{self, Ordering};
use super::{Calendars, Column, ColumnType, Definition, Param, ParamType, Range, ReportError, Selection, Value, features};
use crate::engine::View;
use crate::store::Snapshot;
use crate::suggest;
use crate::time::{Day, Granularity, MOST_PERIODS, Micros, Zone};

/// The parameters that every report takes.
pub static STANDARD: LazyLock<Vec<Param>> = LazyLock::new(|| {
    let optional = |name: &str, kind, summary: &str| Param::new(name, kind, false, summary);
    vec![
        optional("rn", ParamType::Text, "name of the report, where a format shows one"),
        optional(
            "fieldsVisibility",
            ParamType::Visibility,
            "which columns are shown: those with 1, as written; or all but those with 0",
        )
        .or("fieldVisibility"),
        optional(
            "columns",
            ParamType::Handles,
            "which columns are shown, in this order, in every format",
        ),
        optional(
            "columnNames",
            ParamType::Titles,
            "what columns are called in csv, xlsx, pdf and html",
        ),
        optional("filter", ParamType::Conditions, "only rows that meet all of these conditions"),
        optional("orderBy", ParamType::Text, "handle of the column to order by"),
        optional("orderDirection", ParamType::Direction, "direction of orderBy; else ASC"),
        optional("order", ParamType::Orderings, "several columns to order by"),
        optional("limit", ParamType::Count, "at most so many rows"),
        optional("offset", ParamType::Offset, "leave out so many rows first"),
        optional("tz", ParamType::Zone, "zone of days, hours and printed times; else the store's"),
        optional(
            "bom",
            ParamType::Boolean,
            "1 for a byte order mark before csv, by which spreadsheets know UTF-8",
        ),
        Param {
            values: ["envelope", "array"].map(str::to_owned).into(),
            ..optional("shape", ParamType::Enumeration, "array for json without the envelope: rows alone")
        },
        optional(
            "timeout",
            ParamType::Seconds,
            "the most that the answer may take; else what the server allows",
        ),
    ]
});

/// What a request is understood against.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The store as it is now.
    pub snapshot: &'a Snapshot,
    /// What the caller may see of it.
    pub view: &'a View,
    /// The present.
    pub now: Micros,
    /// The calendars of holidays that a request may name.
    pub calendars: &'a Calendars,
    /// True for every day up to the present; false for a page, which ends with the days that are known unless it was asked for
    /// others.
    pub whole: bool,
}

impl Scope<'_> {
    /// The first instant known of any license server that the caller sees.
    fn first(self) -> Option<Micros> {
        let servers = self.snapshot.servers().iter();
        servers
            .filter(|state| self.view.sees(state.server.id))
            .filter_map(|state| state.first)
            .min()
    }

    /// The last instant known of any license server that the caller sees.
    fn last(self) -> Option<Micros> {
        let servers = self.snapshot.servers().iter();
        servers
            .filter(|state| self.view.sees(state.server.id))
            .filter_map(|state| state.last)
            .max()
    }

    /// Whether there is such a feature, for all that the caller may know.
    pub(super) fn has_feature(self, id: i32) -> bool {
        self.snapshot.feature(id).is_some_and(|state| self.view.sees(state.feature.server))
    }
}

/// A request that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The zone of days, hours and printed times.
    pub zone: Zone,
    /// The length of periods, if the report has any.
    pub granularity: Option<Granularity>,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// Leave out so many rows first.
    pub offset: u64,
    /// What the caller calls the report.
    pub title: Option<String>,
    /// How long the answer may take, if the caller says so.
    pub timeout: Option<Duration>,
    /// The days it covers, where it covers any.
    pub days: Option<(Day, Day)>,
    /// Rows are of several features and say of which.
    pub several_features: bool,
    /// Which columns documents have.
    pub selection: Selection,
    /// The last of the days that anything is known of, where the report goes on to the present.
    pub known_until: Option<Day>,
    /// CSV begins with a byte order mark.
    pub bom: bool,
    /// JSON is an array of rows, without an envelope.
    pub bare: bool,
    /// What was asked, by the names of the parameters, defaults included.
    pub facts: Vec<(String, String)>,
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Vec<Ordering>,
    pub(super) bindings: Bindings,
}

impl Request {
    /// Understands the parameters of a request, each given once.
    ///
    /// # Errors
    ///
    /// [`ReportError`] names the first parameter that is missing, malformed, contradictory or unknown.
    pub fn parse(definition: &Definition, given: &[(String, String)], scope: Scope<'_>) -> Result<Self, ReportError> {
        let (mut values, facts) = read(definition, given)?;
        let zone = match values.remove("tz") {
            Some(Value::Zone(zone)) => zone,
            _ => scope.snapshot.zone(),
        };
        let mut request = Self {
            zone,
            granularity: None,
            limit: integer(values.remove("limit").as_ref()),
            offset: integer(values.remove("offset").as_ref()).unwrap_or(0),
            timeout: match values.remove("timeout") {
                Some(Value::Duration(timeout)) => Some(timeout),
                _ => None,
            },
            title: match values.remove("rn") {
                Some(Value::Text(title)) => Some(title),
                _ => None,
            },
            days: None,
            several_features: false,
            known_until: None,
            bom: values.remove("bom") == Some(Value::Boolean(true)),
            bare: values.remove("shape") == Some(Value::Text("array".to_owned())),
            selection: Selection::default(),
            facts,
            conditions: Vec::new(),
            order: Vec::new(),
            bindings: Bindings::new(),
        };
        for value in values.values_mut() {
            if let Value::Instant(at) = value {
                *value = Value::Date(zone.day_of(*at));
            }
        }
        request.bind_range(definition, &mut values, scope)?;
        request.bind_sets(&mut values, scope)?;
        if let Some(Value::Granularity(granularity)) = values.values().find(|value| matches!(value, Value::Granularity(_))) {
            request.granularity = Some(*granularity);
        }
        request.read_options(definition, &mut values, given)?;
        request.bind("tz", Value::Zone(zone).scalar());
        for param in &definition.params {
            let mut value = values.remove(&param.name);
            if let (ParamType::Holidays, Some(Value::Text(text))) = (param.kind, &mut value) {
                *text = scope.calendars.resolve(&param.name, text)?.to_string();
            }
            let scalar = value.map_or_else(|| null_of(param.kind), |value| value.scalar());
            if !request.bindings.contains_key(&param.name) {
                request.bind(&param.name, scalar);
            }
        }
        Ok(request)
    }

    /// The numbers of the features that were asked for; nothing where all were, or where the report is of none.
    #[must_use]
    pub fn features(&self) -> Option<Vec<i32>> {
        let number = |value: &ScalarValue| match value {
            ScalarValue::Int32(number) => *number,
            _ => None,
        };
        match self.bindings.get("feature") {
            Some(Binding::Set(features)) => Some(features.iter().filter_map(number).collect()),
            _ => None,
        }
    }

    /// The columns of the report's rows, in order.
    #[must_use]
    pub fn columns(&self, definition: &Definition) -> Vec<Column> {
        let leading = if self.several_features { Column::of_features() } else { Vec::new() };
        let mut columns: Vec<Column> = leading.into_iter().chain(definition.columns.iter().cloned()).collect();
        for column in &mut columns {
            if let (ColumnType::Period, Some(granularity)) = (column.kind, self.granularity) {
                column.kind = ColumnType::PeriodOf(granularity);
            }
        }
        columns
    }

    /// The options that are about columns, of whichever report.
    fn read_options(&mut self, definition: &Definition, values: &mut Values, given: &[(String, String)]) -> Result<(), ReportError> {
        let columns = self.columns(definition);
        let mut text = |name: &str| match values.remove(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        let (visibility, chosen, titles) = (text("fieldsVisibility"), text("columns"), text("columnNames"));
        let (filter, order_by, order) = (text("filter"), text("orderBy"), text("order"));
        // Messages call the parameter what the caller does.
        let called = given.iter().map(|(name, _)| name.as_str()).find(|name| *name == "fieldVisibility");
        let visibility = visibility.as_deref().map(|text| (called.unwrap_or("fieldsVisibility"), text));
        self.selection = Selection::parse(visibility, chosen.as_deref(), titles.as_deref(), &columns)?;
        if let Some(filter) = filter {
            self.conditions = filter::parse(&filter, &columns, self.zone)?;
        }
        let direction = match values.remove("orderDirection") {
            Some(Value::Boolean(ascending)) => Some(ascending),
            _ => None,
        };
        let contradiction = |reason: &str| ReportError::Contradiction { reason: reason.to_owned() };
        self.order = match (order, order_by, direction) {
            (Some(_), Some(_), _) | (Some(_), None, Some(_)) => {
                return Err(contradiction(
                    "parameter \"order\" and \"orderBy\" or \"orderDirection\" both order; accepted: one of the two ways",
                ));
            }
            (None, None, Some(_)) => {
                return Err(contradiction(
                    "parameter \"orderDirection\" needs \"orderBy\"; accepted: both, or orderBy alone",
                ));
            }
            (Some(order), None, None) => order::parse(&order, &columns)?,
            (None, Some(handle), direction) => order::parse_old(&handle, direction.unwrap_or(true), &columns)?,
            (None, None, None) => Vec::new(),
        };
        Ok(())
    }

    fn bind(&mut self, name: &str, value: ScalarValue) {
        self.bindings.insert(name.to_owned(), Binding::One(value));
    }

    fn bind_range(&mut self, definition: &Definition, values: &mut Values, scope: Scope<'_>) -> Result<(), ReportError> {
        let mut day = |name: &str| match values.remove(name) {
            Some(Value::Date(day)) => Some(day),
            _ => None,
        };
        let (first, last) = (day("sd"), day("ed"));
        if let (Some(first), Some(last)) = (first, last)
            && first > last
        {
            return Err(ReportError::Contradiction {
                reason: format!("parameter \"sd\" ({first}) is after \"ed\" ({last}); accepted: sd on or before ed"),
            });
        }
        let open = first.is_none() && last.is_none();
        let (first, last) = match (definition.range, first, last) {
            (Range::Days, Some(first), Some(last)) => (first, last),
            (Range::History, first, last) => {
                let today = self.zone.day_of(scope.now);
                let with_today = values.get("today") == Some(&Value::Boolean(true));
                let end = if with_today { today } else { today.previous() };
                let last = last.map_or(end, |last| last.min(end));
                // Where nothing is known, no day is.
                let known = scope.first().map_or_else(|| last.next(), |at| self.zone.day_of(at));
                let until = scope.last().map(|at| self.zone.day_of(at)).filter(|_| open && !with_today);
                self.known_until = until.filter(|until| *until < last);
                let last = self.known_until.filter(|_| !scope.whole).unwrap_or(last);
                (first.map_or(known, |first| first.max(known)), last)
            }
            _ => return Ok(()),
        };
        self.days = Some((first, last));
        if let Some(Value::Granularity(granularity)) = values.get("grat")
            && granularity.at_most(first.to(last).len()) > MOST_PERIODS
        {
            return Err(ReportError::Contradiction {
                reason: format!(
                    "parameter \"grat\" ({}) makes too many periods of \"sd\" to \"ed\" ({first} to {last}); accepted: at most {MOST_PERIODS}",
                    granularity.name()
                ),
            });
        }
        self.bind("sd", Value::Date(first).scalar());
        self.bind("ed", Value::Date(last).scalar());
        let instant = |day| ScalarValue::TimestampMicrosecond(Some(self.zone.start_of(day)), Some("UTC".into()));
        let (from, until) = (instant(first), instant(last.next()));
        self.bind("from", from);
        self.bind("until", until);
        Ok(())
    }

    fn bind_sets(&mut self, values: &mut Values, scope: Scope<'_>) -> Result<(), ReportError> {
        let features = match values.remove("feature") {
            Some(Value::Features(Some(asked))) => {
                let mut found = features::resolve(&asked, scope)?;
                self.several_features = found.len() > 1;
                found.sort_unstable();
                found.dedup();
                Some(Binding::Set(found.into_iter().map(ScalarValue::from).collect()))
            }
            Some(Value::Features(None)) => {
                self.several_features = true;
                Some(Binding::Everything)
            }
            _ => None,
        };
        self.bindings.extend(features.map(|features| ("feature".to_owned(), features)));
        // Every server's usage is imported so far.
        let none = values.get("gathering") == Some(&Value::Text("realtime".to_owned()));
        let servers = if none { Binding::Set(Vec::new()) } else { Binding::Everything };
        self.bindings.insert("server".to_owned(), servers);
        Ok(())
    }
}

/// Values by the names of their parameters.
type Values = BTreeMap<String, Value>;

/// Reads every parameter by its own name, and says what was given.
fn read(definition: &Definition, given: &[(String, String)]) -> Result<(Values, Vec<(String, String)>), ReportError> {
    let mut values = Values::new();
    let mut facts = Vec::new();
    let all = || definition.params.iter().chain(STANDARD.iter());
    for (name, text) in given {
        let param = all()
            .find(|param| param.is_called(name))
            .ok_or_else(|| ReportError::UnknownParameter {
                name: name.chars().take(200).collect(),
                known: all().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", "),
                hint: suggest::hint(name, all().flat_map(Param::names)),
            })?;
        facts.push((param.name.clone(), text.clone()));
        if values.insert(param.name.clone(), param.parse(name, text)?).is_some() {
            return Err(ReportError::Contradiction {
                reason: format!("parameter {name:?} is given more than once; accepted: once, under one of its names"),
            });
        }
    }
    for param in all() {
        if values.contains_key(&param.name) {
            continue;
        }
        if let Some(default) = &param.default {
            values.insert(param.name.clone(), param.parse(&param.name, default)?);
            facts.push((param.name.clone(), default.clone()));
        } else if param.required {
            return Err(ReportError::Missing {
                name: param.name.clone(),
                expected: format!("{}, {}", param.summary, param.expected()),
            });
        }
    }
    Ok((values, facts))
}

fn integer(value: Option<&Value>) -> Option<u64> {
    match value {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

fn null_of(kind: ParamType) -> ScalarValue {
    match kind {
        ParamType::Date => ScalarValue::Date32(None),
        ParamType::Boolean => ScalarValue::Boolean(None),
        ParamType::Count | ParamType::Offset => ScalarValue::Int64(None),
        _ => ScalarValue::Utf8(None),
    }
}
