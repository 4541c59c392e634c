//! Random options, as they are sent and as they are meant.

use headroom::report::ColumnType;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{Cell, Whole};

/// Options before they meet the columns and rows of a report.
#[derive(Debug, Clone)]
pub(super) struct Draw {
    clauses: Vec<Clause>,
    order: Vec<(Index, bool)>,
    /// Whether the order says ASC where it need not, and uses the newer parameter where it need not.
    wordy: (bool, bool),
    page: (Option<Index>, Option<Index>),
    selection: Selection,
}

/// One condition: a column, an operator of its type, and a value like that of a row.
#[derive(Debug, Clone)]
struct Clause {
    column: Index,
    row: Index,
    operator: Index,
    twist: u8,
    old: bool,
}

/// Which columns are shown.
#[derive(Debug, Clone)]
enum Selection {
    Nothing,
    /// `columns`
    List(Vec<Index>),
    /// `fieldsVisibility` with ones, in between some zeros.
    Ones(Vec<(Index, bool)>),
    /// `fieldsVisibility` with zeros alone.
    Zeros(Vec<Index>),
}

pub(super) fn draw() -> impl Strategy<Value = Draw> {
    let index = any::<Index>;
    let clause = (index(), index(), index(), any::<u8>(), any::<bool>()).prop_map(|(column, row, operator, twist, old)| Clause {
        column,
        row,
        operator,
        twist,
        old,
    });
    let selection = prop_oneof![
        2 => Just(Selection::Nothing),
        1 => proptest::collection::vec(index(), 1..5).prop_map(Selection::List),
        1 => proptest::collection::vec((index(), proptest::bool::weighted(0.8)), 1..5).prop_map(Selection::Ones),
        1 => proptest::collection::vec(index(), 1..4).prop_map(Selection::Zeros),
    ];
    let clauses = prop_oneof![1 => Just(0), 4 => Just(1), 2 => Just(2), 1 => Just(3)]
        .prop_flat_map(move |count| proptest::collection::vec(clause.clone(), count));
    let order = proptest::collection::vec((index(), any::<bool>()), 0..4);
    let page = (proptest::option::weighted(0.3, index()), proptest::option::weighted(0.3, index()));
    (clauses, order, any::<(bool, bool)>(), page, selection).prop_map(|(clauses, order, wordy, page, selection)| Draw {
        clauses,
        order,
        wordy,
        page,
        selection,
    })
}

/// Options of a request.
pub(super) struct Options {
    /// What is sent.
    given: Vec<(&'static str, String)>,
    /// Columns and what they must be.
    pub(super) tests: Vec<(usize, Test)>,
    /// Columns, and whether they are in reverse.
    pub(super) order: Vec<(usize, bool)>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) selection: Shown,
}

impl Options {
    /// The parameters of a request and these.
    pub(super) fn added_to<'a>(&'a self, given: &'a [(String, String)]) -> Vec<(&'a str, &'a str)> {
        let own = self.given.iter().map(|(name, text)| (*name, text.as_str()));
        super::borrowed(given).into_iter().chain(own).collect()
    }
}

/// What a condition means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// The printed text has this in it, in any case.
    Part(String),
    /// The printed text is this, or is not.
    Text(Comparison, String),
    Number(Comparison, f64),
    /// A calendar day, or an instant by its day.
    Day(Comparison, chrono::NaiveDate),
    /// A wall-clock time in the zone of the report.
    Moment(Comparison, chrono::NaiveDateTime),
    AnyOf(Vec<String>),
    Truth(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Comparison {
    const ALL: [Self; 6] = [
        Self::Equal,
        Self::Less,
        Self::Greater,
        Self::Unequal,
        Self::LessOrEqual,
        Self::GreaterOrEqual,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::Unequal => "ne",
            Self::Less => "lt",
            Self::Greater => "gt",
            Self::LessOrEqual => "le",
            Self::GreaterOrEqual => "ge",
        }
    }
}

/// Which columns are shown, by place: in JSON, in formats for programs, in exports.
pub(super) struct Shown {
    json: Option<Vec<usize>>,
    chosen: Option<Vec<usize>>,
    hidden: Vec<usize>,
}

/// The columns that are shown without being named.
fn usual(whole: &Whole) -> Vec<usize> {
    (0..whole.columns.len()).filter(|place| !whole.columns[*place].named).collect()
}

impl Shown {
    pub(super) fn in_json(&self, whole: &Whole) -> Vec<usize> {
        self.json.clone().unwrap_or_else(|| usual(whole))
    }

    pub(super) fn in_data(&self, whole: &Whole) -> Vec<usize> {
        self.but_hidden(usual(whole))
    }

    pub(super) fn in_export(&self, whole: &Whole) -> Vec<usize> {
        self.but_hidden((0..whole.columns.len()).filter(|place| whole.columns[*place].visible).collect())
    }

    fn but_hidden(&self, all: Vec<usize>) -> Vec<usize> {
        let shown = || all.into_iter().filter(|place| !self.hidden.contains(place)).collect();
        self.chosen.clone().unwrap_or_else(shown)
    }
}

impl Draw {
    /// The same, of all rows that match and all columns.
    pub(super) fn without_page(&self) -> Self {
        Self {
            page: (None, None),
            selection: Selection::Nothing,
            ..self.clone()
        }
    }

    /// What these options are for a report.
    pub(super) fn options(&self, whole: &Whole) -> Options {
        let columns = whole.columns.len();
        let mut given = Vec::new();
        let clauses: Vec<_> = self.clauses.iter().map(|clause| clause.meant(whole)).collect();
        if !clauses.is_empty() {
            let elements: Vec<&Value> = clauses.iter().map(|(_, _, element)| element).collect();
            given.push(("filter", json!(elements).to_string()));
        }
        let mut order: Vec<(usize, bool)> = Vec::new();
        for (column, reverse) in &self.order {
            if order.iter().all(|(known, _)| *known != column.index(columns)) {
                order.push((column.index(columns), *reverse));
            }
        }
        given.extend(self.order_of(whole, &order));
        let (limit, offset) = (
            self.page.0.map(|index| index.index(whole.rows.len() + 3) + 1),
            self.page.1.map(|index| index.index(whole.rows.len() + 3)),
        );
        given.extend(limit.map(|limit| ("limit", limit.to_string())));
        given.extend(offset.map(|offset| ("offset", offset.to_string())));
        Options {
            tests: clauses.into_iter().map(|(column, test, _)| (column, test)).collect(),
            order,
            limit,
            offset: offset.unwrap_or(0),
            selection: self.selection.of(whole, &mut given),
            given,
        }
    }

    fn order_of(&self, whole: &Whole, order: &[(usize, bool)]) -> Vec<(&'static str, String)> {
        let (says_direction, newer) = self.wordy;
        let direction = |reverse: bool| if reverse { "DESC" } else { "ASC" };
        match order {
            [(column, reverse)] if !newer => {
                let by = ("orderBy", whole.columns[*column].handle.clone());
                let direction = (*reverse || says_direction).then(|| ("orderDirection", direction(*reverse).to_owned()));
                std::iter::once(by).chain(direction).collect()
            }
            [] => Vec::new(),
            several => {
                let element = |(column, reverse): &(usize, bool)| {
                    let mut element = json!({"property": whole.columns[*column].handle});
                    if *reverse || says_direction {
                        element["direction"] = direction(*reverse).into();
                    }
                    element
                };
                vec![("order", several.iter().map(element).collect::<Value>().to_string())]
            }
        }
    }
}

impl Selection {
    fn of(&self, whole: &Whole, given: &mut Vec<(&'static str, String)>) -> Shown {
        let mut shown = Shown {
            json: None,
            chosen: None,
            hidden: Vec::new(),
        };
        let distinct = |indices: &mut dyn Iterator<Item = &Index>| {
            let mut places: Vec<usize> = Vec::new();
            for place in indices.map(|index| index.index(whole.columns.len())) {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            places
        };
        let handle = |place: &usize| whole.columns[*place].handle.as_str();
        match self {
            Self::Nothing => {}
            Self::List(indices) => {
                let places = distinct(&mut indices.iter());
                given.push(("columns", places.iter().map(handle).collect::<Vec<_>>().join(",")));
                shown.chosen = Some(places.clone());
                shown.json = Some(places);
            }
            Self::Ones(marked) => {
                let places = distinct(&mut marked.iter().map(|(index, _)| index));
                // At least the first is shown.
                let is_one = |place: &usize| {
                    *place == places[0] || marked.iter().any(|(index, one)| index.index(whole.columns.len()) == *place && *one)
                };
                let pair = |place: &usize| format!("{}:{}", json!(handle(place)), if is_one(place) { "\"1\"" } else { "\"0\"" });
                given.push((
                    "fieldsVisibility",
                    format!("{{{}}}", places.iter().map(pair).collect::<Vec<_>>().join(",")),
                ));
                shown.chosen = Some(places.iter().copied().filter(|place| is_one(place)).collect());
            }
            Self::Zeros(indices) => {
                let places = distinct(&mut indices.iter());
                let pair = |place: &usize| format!("{}:0", json!(handle(place)));
                let text = format!("{{{}}}", places.iter().map(pair).collect::<Vec<_>>().join(","));
                let left = (0..whole.columns.len())
                    .filter(|place| whole.columns[*place].visible && !places.contains(place))
                    .count();
                // Hiding everything is refused.
                if left > 0 {
                    given.push(("fieldVisibility", text));
                    shown.hidden = places;
                }
            }
        }
        shown
    }
}

impl Clause {
    /// The column, what it must be, and the element that says so.
    fn meant(&self, whole: &Whole) -> (usize, Test, Value) {
        let place = self.column.index(whole.columns.len());
        let column = &whole.columns[place];
        let row = (!whole.rows.is_empty()).then(|| self.row.get(&whole.rows));
        let cell = row.map_or(&Cell::Null, |row| &row.cells[place]);
        let printed = row.and_then(|row| row.told.0[place].1.as_str()).unwrap_or_default();
        let comparison = |known: usize| Comparison::ALL[self.operator.index(known)];
        let handle = column.handle.as_str();
        let (test, operator, value) = match column.kind {
            ColumnType::Text | ColumnType::Period => return self.of_text(place, handle, printed),
            ColumnType::Integer | ColumnType::Float => return self.of_number(place, handle, cell),
            ColumnType::Date | ColumnType::DateTime if self.old => {
                let part = part_of(printed, self.twist);
                let element = json!({"type": "string", "field": handle, "value": part});
                return (place, Test::Part(part), element);
            }
            ColumnType::Date | ColumnType::DateTime => {
                let comparison = comparison(3);
                let (test, value) = moment(cell, comparison, self.twist);
                (test, comparison.name(), value)
            }
            ColumnType::Enumeration => {
                let members = members(handle, printed);
                let chosen: Vec<String> = members
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| self.twist >> bit & 1 == 1)
                    .map(|(_, member)| (*member).to_owned())
                    .collect();
                let value = match &chosen[..] {
                    [one] if self.twist > 127 => json!(one.to_lowercase()),
                    several => json!(several),
                };
                (Test::AnyOf(chosen), "eq", value)
            }
            ColumnType::Boolean => {
                let wanted = self.twist % 2 == 1;
                let value = [
                    json!(wanted),
                    json!(u8::from(wanted)),
                    json!(wanted.to_string()),
                    json!(u8::from(wanted).to_string()),
                ];
                (Test::Truth(wanted), "eq", value[usize::from(self.twist / 2 % 4)].clone())
            }
            other => panic!("{handle} is {other:?}"),
        };
        let mut element = json!({"property": handle, "value": value});
        if operator != "eq" || self.twist.is_multiple_of(3) {
            element["operator"] = operator.into();
        }
        (place, test, element)
    }

    fn of_text(&self, place: usize, handle: &str, printed: &str) -> (usize, Test, Value) {
        let exact = if self.twist.is_multiple_of(4) {
            part_of(printed, self.twist)
        } else {
            printed.to_owned()
        };
        let part = part_of(printed, self.twist);
        let operators = if self.old { 2 } else { 5 };
        let (test, value, operator) = match self.operator.index(operators) {
            0 => (Test::Part(part.clone()), part, None),
            1 => (Test::Text(Comparison::Equal, exact.clone()), exact, Some("eq")),
            2 => (Test::Text(Comparison::Unequal, exact.clone()), exact, Some("ne")),
            3 => (Test::Part(part.clone()), part, Some("contains")),
            _ => (Test::Part(part.clone()), part, Some("like")),
        };
        let mut element = if self.old {
            json!({"type": "string", "field": handle, "value": value})
        } else {
            json!({"property": handle, "value": value})
        };
        if let Some(operator) = operator {
            element[if self.old { "comparison" } else { "operator" }] = operator.into();
        }
        (place, test, element)
    }

    fn of_number(&self, place: usize, handle: &str, cell: &Cell) -> (usize, Test, Value) {
        let exact = match cell {
            Cell::Integer(number) => *number as f64,
            Cell::Float(number) => *number,
            _ => 1.0,
        };
        let wanted = match self.twist % 8 {
            0..4 => exact,
            4 => exact + 1.0,
            5 => exact - 0.5,
            6 => (exact * 100.0).round() / 100.0,
            _ => -exact,
        };
        let value = match (self.twist / 8 % 3, wanted.fract() == 0.0) {
            (0, _) => json!(wanted),
            (1, true) => json!(wanted as i64),
            _ => json!(format!("{wanted}")),
        };
        let comparison = Comparison::ALL[self.operator.index(if self.old { 3 } else { 6 })];
        let (mut element, operator) = if self.old {
            (json!({"type": "numeric", "field": handle, "value": value}), "comparison")
        } else {
            (json!({"property": handle, "value": value}), "operator")
        };
        if comparison != Comparison::Equal || self.twist.is_multiple_of(3) {
            element[operator] = comparison.name().into();
        }
        (place, Test::Number(comparison, wanted), element)
    }
}

/// A part of a text, or something that is none.
fn part_of(text: &str, twist: u8) -> String {
    let characters: Vec<char> = text.chars().collect();
    let from = usize::from(twist / 16) % (characters.len() + 1);
    let part: String = characters[from..].iter().take(usize::from(twist % 5) + 1).collect();
    match twist % 6 {
        0 => text.to_owned(),
        1 => part.to_uppercase(),
        2 => part.to_lowercase(),
        3 => format!("{part}%"),
        _ => part,
    }
}

/// A day or a wall-clock time near that of a cell.
fn moment(cell: &Cell, comparison: Comparison, twist: u8) -> (Test, Value) {
    let near = |day: chrono::NaiveDate| match twist % 4 {
        0 => day.succ_opt().unwrap(),
        1 => day.pred_opt().unwrap(),
        _ => day,
    };
    match cell {
        Cell::Date(day) => (Test::Day(comparison, near(*day)), json!(near(*day).to_string())),
        Cell::Instant(micros, zone) => {
            let wall = chrono::DateTime::from_timestamp_micros(*micros)
                .unwrap()
                .with_timezone(zone)
                .naive_local();
            if twist < 128 {
                let day = near(wall.date());
                return (Test::Day(comparison, day), json!(day.to_string()));
            }
            let formats = ["%Y-%m-%d %H:%M:%S%.6f", "%Y-%m-%dT%H:%M:%S%.6f", "%Y-%m-%d %H:%M:%S"];
            let text = wall.format(formats[usize::from(twist % 3)]).to_string();
            let read = chrono::NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S%.f").unwrap();
            (Test::Moment(comparison, read), json!(text))
        }
        _ => {
            let day = chrono::NaiveDate::from_ymd_opt(2024, 3, 10).unwrap();
            (Test::Day(comparison, day), json!(day.to_string()))
        }
    }
}

/// The members of an enumeration.
fn members<'a>(handle: &str, printed: &'a str) -> Vec<&'a str> {
    match handle {
        "ftype" => vec!["Floating", "Node-locked", "Token"],
        "gtn" => vec!["Realtime", "Imported"],
        "lss" => vec!["ONLINE", "OFFLINE", "VERIFYING", "DISABLED"],
        _ if printed.is_empty() => Vec::new(),
        _ => vec![printed],
    }
}
