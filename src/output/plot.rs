//! Rows on their way into a chart.
//!
//! A chart is there when all its rows are, so that they are kept: at most [`MOST_ROWS`] of them, and the chart says how many
//! there were.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::Document;
use super::cell::{Cell, Cells};
use crate::chart::{Axis, Chart, ChartKind, Datum, Drawing, Mark, Scale, Series};
use crate::report::{ChartForm, ChartSpec, Column, ColumnType};
use crate::time::{DAY, Granularity};

/// How many rows are drawn.
pub(super) const MOST_ROWS: u64 = 50_000;
/// How many lines can be told apart.
const MOST_SERIES: usize = 8;
/// The size of a picture.
const SIZE: (f64, f64) = (960.0, 420.0);

/// The rows of a chart.
#[derive(Debug)]
pub(super) struct Plot {
    document: Document,
    series: Vec<Series>,
    /// Series that were left out.
    left_out: Vec<String>,
    rows: u64,
    covers: Vec<Cover>,
    /// The level of the last row, while they come one by one from the first.
    level: Option<f64>,
}

/// How much was enough for a share of the time.
#[derive(Debug)]
struct Cover {
    percent: f64,
    level: Option<f64>,
}

impl Plot {
    pub(super) fn new(document: Document) -> Self {
        Self {
            document,
            series: Vec::new(),
            left_out: Vec::new(),
            rows: 0,
            covers: [95.0, 99.0].map(|percent| Cover { percent, level: None }).into(),
            level: Some(0.0),
        }
    }

    /// The same without a heading, for pages that have one.
    pub(super) fn without_heading(mut self) -> Self {
        self.document.title.clear();
        self.document.subtitle.clear();
        self
    }

    /// Takes rows in.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let Some(spec) = self.document.chart.clone() else {
            return Ok(());
        };
        let drawn = std::mem::take(&mut self.document.drawn);
        let cells = Cells::new(batch, &drawn)?;
        let place = |handle: &str| drawn.iter().position(|column| column.name == handle);
        let rows = usize::try_from(MOST_ROWS.saturating_sub(self.rows)).map_or(usize::MAX, |left| left.min(batch.num_rows()));
        // What is not known yet would be a long line of nothing.
        let end = self
            .document
            .known_until
            .map_or(f64::INFINITY, |last| (i64::from(last.0) * DAY) as f64);
        for row in 0..rows {
            let cell = |handle: &str| place(handle).map_or(Cell::Null, |column| cells.get(row, column));
            let x = to_the_right(cell(&spec.x));
            if x > end {
                continue;
            }
            let weight = spec.weight.as_deref().map_or(1.0, |handle| to_the_right(cell(handle)));
            let feature = match (cell("fns"), cell("lsn")) {
                (Cell::Text(feature), Cell::Text(server)) if place("fid").is_some() => format!("{feature} on {server}"),
                _ => String::new(),
            };
            for handle in &spec.y {
                let name = self.name_of(&drawn, handle, &feature, &spec);
                let y = upwards(cell(handle));
                if let Some(points) = self.points_of(name) {
                    points.push(Datum { x, y, weight });
                }
            }
            if let Some(shares) = &spec.shares {
                self.cover(x, to_the_right(cell(shares)));
            }
        }
        self.rows += batch.num_rows() as u64;
        self.document.drawn = drawn;
        Ok(())
    }

    fn name_of(&self, drawn: &[Column], handle: &str, feature: &str, spec: &ChartSpec) -> String {
        let title = drawn
            .iter()
            .find(|column| column.name == handle)
            .map_or(handle, |column| &column.title);
        match (feature, spec.y.len()) {
            ("", _) => title.to_owned(),
            (feature, 1) => feature.to_owned(),
            (feature, _) => format!("{feature}: {title}"),
        }
    }

    /// The points of a series; nothing where there are too many series already.
    fn points_of(&mut self, name: String) -> Option<&mut Vec<Datum>> {
        let known = self.series.iter().position(|series| series.name == name);
        let place = match known {
            Some(place) => place,
            // Dots of many features are one cloud: what they say is when.
            None if self.series.len() == MOST_SERIES => {
                if !self.left_out.contains(&name) {
                    self.left_out.push(name);
                }
                return None;
            }
            None => {
                self.series.push(Series { name, points: Vec::new() });
                self.series.len() - 1
            }
        };
        Some(&mut self.series[place].points)
    }

    /// The least level that a share of the time does not exceed is the one before the first with less than the rest of it.
    fn cover(&mut self, level: f64, percent: f64) {
        let next = self.level.is_some_and(|before| level == before + 1.0);
        if !next || percent.is_nan() {
            self.level = None;
            return;
        }
        for cover in &mut self.covers {
            if cover.level.is_none() && percent <= 100.0 - cover.percent {
                cover.level = Some(level - 1.0);
            }
        }
        self.level = Some(level);
    }

    /// The chart. `total` is how many rows there are, drawn or not.
    pub(super) fn draw(mut self) -> Drawing {
        let Some(spec) = self.document.chart.take() else {
            let mut chart = self.bare(ChartKind::Lines);
            chart.note = Some("This report is a list: there is nothing to draw.".to_owned());
            return chart.draw(SIZE.0, SIZE.1);
        };
        let column = |handle: &str| self.document.drawn.iter().find(|column| column.name == handle);
        let mut chart = self.bare(match spec.kind {
            ChartForm::Steps => ChartKind::Steps,
            ChartForm::Bars => ChartKind::Bars,
            ChartForm::Lines => ChartKind::Lines,
            ChartForm::Points => ChartKind::Points,
        });
        chart.x = axis(column(&spec.x), false);
        chart.y = match spec.y.as_slice() {
            [one] => axis(column(one), true),
            several => Axis {
                title: String::new(),
                scale: several.first().map_or(Scale::Number, |first| axis(column(first), true).scale),
            },
        };
        if spec.shares.is_some() {
            chart.marks = self.marks();
        }
        chart.note = self.note();
        chart.series = self.series;
        for series in &mut chart.series {
            series.points.sort_by(|a, b| a.x.total_cmp(&b.x));
        }
        chart.draw(SIZE.0, SIZE.1)
    }

    fn bare(&self, kind: ChartKind) -> Chart {
        let axis = || Axis {
            title: String::new(),
            scale: Scale::Number,
        };
        Chart {
            kind,
            title: self.document.title.clone(),
            subtitle: self.document.subtitle.clone(),
            x: axis(),
            y: axis(),
            series: Vec::new(),
            marks: Vec::new(),
            note: None,
        }
    }

    fn marks(&self) -> Vec<Mark> {
        // A curve that does not begin at the first level, or that was cut, says nothing about shares.
        let whole = self.series.len() == 1 && self.level.is_some_and(|level| level > 0.0);
        let last = self.level.filter(|_| self.document.limit.is_none() && self.rows <= MOST_ROWS);
        let mark = |cover: &Cover| {
            let level = cover.level.or(last)?;
            let licenses = if level == 1.0 { "license" } else { "licenses" };
            Some(Mark {
                x: level,
                label: format!("{} % of the time: {level} {licenses}", cover.percent),
            })
        };
        self.covers.iter().filter(|_| whole).filter_map(mark).collect()
    }

    fn note(&self) -> Option<String> {
        let mut notes = Vec::new();
        if self.rows > MOST_ROWS {
            notes.push(format!("Drawn: the first {MOST_ROWS} of {} rows.", self.rows));
        }
        if !self.left_out.is_empty() {
            let all = self.series.len() + self.left_out.len();
            notes.push(format!("Drawn: the first {} of {all} lines.", self.series.len()));
        }
        (!notes.is_empty()).then(|| notes.join(" "))
    }
}

fn axis(column: Option<&Column>, upwards: bool) -> Axis {
    let Some(column) = column else {
        return Axis {
            title: String::new(),
            scale: Scale::Number,
        };
    };
    let scale = match column.kind {
        ColumnType::DateTime if upwards => Scale::TimeOfDay,
        ColumnType::DateTime | ColumnType::Timestamp => Scale::Time,
        ColumnType::Date => Scale::Period(Granularity::Day),
        ColumnType::PeriodOf(granularity) => Scale::Period(granularity),
        ColumnType::Integer => Scale::Count,
        _ => Scale::Number,
    };
    let title = if scale == Scale::TimeOfDay { "Time of day" } else { &column.title };
    Axis {
        title: title.to_owned(),
        scale,
    }
}

/// A cell as a place to the right.
fn to_the_right(cell: Cell<'_>) -> f64 {
    match cell {
        Cell::Integer(number) => number as f64,
        Cell::Float(number) => number,
        Cell::Number(number) => number.parse().unwrap_or(f64::NAN),
        Cell::Date(day) => (i64::from(day.0) * DAY) as f64,
        Cell::DateTime(local) | Cell::Timestamp(local) | Cell::Instant(local, _) | Cell::Period(_, local) => local as f64,
        Cell::Null | Cell::Text(_) | Cell::Boolean(_) => f64::NAN,
    }
}

/// A cell as a height.
fn upwards(cell: Cell<'_>) -> f64 {
    match cell {
        Cell::DateTime(local) => local.rem_euclid(DAY) as f64,
        other => to_the_right(other),
    }
}
