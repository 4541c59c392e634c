//! Time at each level of licenses in use.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::error::Result;

use super::columns::numbers;
use super::kept::LevelsOfDay;
use super::{Days, failed};
use crate::event::Table;
use crate::kernel::{Histogram, Sweeper, quarter_of};
use crate::store::{Id, PartitionFile};
use crate::time::{Day, Micros, Window};

/// More rows than this are read a feature at a time.
const AT_ONCE: usize = 2_000_000;

/// Which features, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct LevelsAsked {
    /// In order.
    pub(in crate::engine) features: Vec<Id>,
    /// Working hours: in order, apart from each other.
    pub(in crate::engine) windows: Vec<Window>,
}

/// What one thread has come to: a histogram for each feature.
#[derive(Default)]
struct Part {
    histograms: Vec<Histogram>,
    sweeper: Sweeper,
}

impl Days {
    /// How long how many licenses were in use, for each feature that was.
    pub(in crate::engine) async fn levels(self: &Arc<Self>, asked: LevelsAsked) -> Result<Vec<(Id, Histogram)>> {
        let (Some(first), Some(last)) = (asked.windows.first(), asked.windows.last()) else {
            return Ok(Vec::new());
        };
        let zone = self.snapshot.zone();
        let range = zone.day_of(first.start())..=zone.day_of(last.end() - 1);
        let days = self.snapshot.files(Table::Sessions).range(range).map(|(day, _)| *day).collect();
        let features = asked.features.clone();
        let parts = self.each(days, move |this, day, part: &mut Part| {
            part.histograms.resize_with(asked.features.len(), Histogram::default);
            this.levels_of_day(day, &asked, part)
        });
        let mut sums: Vec<Histogram> = features.iter().map(|_| Histogram::default()).collect();
        for part in parts.await? {
            for (sum, histogram) in sums.iter_mut().zip(&part.histograms) {
                sum.merge(histogram);
            }
        }
        let used = features.into_iter().zip(sums).filter(|(_, histogram)| histogram.greatest() > 0);
        Ok(used.collect())
    }

    fn levels_of_day(&self, day: Day, asked: &LevelsAsked, part: &mut Part) -> Result<()> {
        let Some(window) = self.window(day) else {
            return Ok(());
        };
        let from = asked.windows.partition_point(|asked| asked.end() <= window.start());
        let inside = asked.windows[from..]
            .iter()
            .map_while(|asked| asked.intersect(window.start(), window.end()));
        let windows: Vec<Window> = inside.collect();
        if windows.is_empty() {
            return Ok(());
        }
        let quarters: Option<Vec<Range<i32>>> = windows
            .iter()
            .map(|hours| Some(quarter_of(window, hours.start())?..quarter_of(window, hours.end())?))
            .collect();
        match (self.rollup(Table::Levels, day), quarters) {
            (Some(file), Some(quarters)) => self.add_rollup(file, &asked.features, &quarters, &mut part.histograms),
            _ => match self.file(Table::Sessions, day) {
                Some(file) => self.add_pieces(file, (window, &windows), &asked.features, part),
                None => Ok(()),
            },
        }
    }

    fn add_rollup(&self, file: &PartitionFile, features: &[Id], quarters: &[Range<i32>], histograms: &mut [Histogram]) -> Result<()> {
        let kept = &self.shared.kept;
        let mut missing = Vec::new();
        for (place, feature) in features.iter().enumerate() {
            match kept.known_levels(file, *feature) {
                Some(levels) => levels.add(quarters, &mut histograms[place]),
                None => missing.push((place, *feature)),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let opened = self.opened(file)?;
        for (_, feature) in &missing {
            if opened.rows_of(*feature).is_none() {
                // That there is nothing is worth knowing, too.
                kept.keep_levels(file, *feature, LevelsOfDay::default());
            }
        }
        missing.retain(|(_, feature)| opened.rows_of(*feature).is_some());
        let ranges: Vec<Range<usize>> = missing.iter().filter_map(|(_, feature)| opened.rows_of(*feature)).collect();
        if ranges.is_empty() {
            return Ok(());
        }
        let columns = ["quarter", "level", "micros"];
        let batch = opened.read(&columns, Some(&ranges), &self.scanned).map_err(failed)?;
        let mut begin = 0;
        for ((place, feature), range) in missing.iter().zip(&ranges) {
            let levels = LevelsOfDay::read(&batch.slice(begin, range.len()))?;
            begin += range.len();
            kept.keep_levels(file, *feature, levels).add(quarters, &mut histograms[*place]);
        }
        Ok(())
    }

    fn add_pieces(&self, file: &PartitionFile, (day, windows): (Window, &[Window]), features: &[Id], part: &mut Part) -> Result<()> {
        let opened = self.opened(file)?;
        let wanted = features.iter().enumerate();
        let wanted: Vec<(usize, Range<usize>)> = wanted
            .filter_map(|(place, feature)| Some((place, opened.rows_of(*feature)?)))
            .collect();
        let mut rest = &wanted[..];
        while !rest.is_empty() {
            let mut rows = 0;
            let fitting = rest.iter().take_while(|(_, range)| {
                rows += range.len();
                rows <= AT_ONCE
            });
            let (now, later) = rest.split_at(fitting.count().max(1));
            rest = later;
            let ranges: Vec<Range<usize>> = now.iter().map(|(_, range)| range.clone()).collect();
            let columns = ["started", "ended", "licenses"];
            let batch = opened.read(&columns, Some(&ranges), &self.scanned).map_err(failed)?;
            let pieces = InUse::of(&batch)?;
            let mut begin = 0;
            for (place, range) in now {
                let rows = begin..begin + range.len();
                begin = rows.end;
                let histogram = &mut part.histograms[*place];
                part.sweeper
                    .stretches((day, windows), pieces.rows(rows), |level, from, to| histogram.add(level, to - from));
            }
        }
        Ok(())
    }
}

/// Since when, until when and how many licenses the pieces of a batch hold.
struct InUse<'a> {
    started: &'a [Micros],
    ended: &'a [Micros],
    licenses: &'a [i32],
}

impl<'a> InUse<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self> {
        Ok(Self {
            started: numbers::<TimestampMicrosecondType>(batch, "started")?,
            ended: numbers::<TimestampMicrosecondType>(batch, "ended")?,
            licenses: numbers::<Int32Type>(batch, "licenses")?,
        })
    }

    fn rows(&self, rows: Range<usize>) -> impl ExactSizeIterator<Item = (Micros, Micros, i32)> + Clone + use<'a> {
        let instants = self.started[rows.clone()].iter().zip(&self.ended[rows.clone()]);
        let pieces = instants.zip(&self.licenses[rows]);
        pieces.map(|((started, ended), licenses)| (*started, *ended, *licenses))
    }
}

impl LevelsOfDay {
    /// The rows of one feature: by quarter and level.
    fn read(batch: &RecordBatch) -> Result<Self> {
        let levels = numbers::<Int64Type>(batch, "level")?;
        let times = numbers::<Int64Type>(batch, "micros")?;
        let mut quarters = Vec::new();
        for (row, quarter) in (0..).zip(numbers::<Int32Type>(batch, "quarter")?) {
            while i64::from(*quarter) >= quarters.len() as i64 {
                quarters.push(row);
            }
        }
        quarters.push(levels.len() as u32);
        Ok(Self {
            quarters,
            levels: levels.to_vec(),
            times: times.iter().map(|time| *time as u32).collect(),
        })
    }

    /// Adds the time within ranges of quarters.
    fn add(&self, ranges: &[Range<i32>], histogram: &mut Histogram) {
        let Some(end) = self.quarters.last() else {
            return;
        };
        let begin = |quarter: i32| *self.quarters.get(quarter.unsigned_abs() as usize).unwrap_or(end) as usize;
        for range in ranges {
            let rows = begin(range.start)..begin(range.end);
            for (level, time) in self.levels[rows.clone()].iter().zip(&self.times[rows]) {
                histogram.add(*level, Micros::from(*time));
            }
        }
    }
}
