//! The most hosts at one instant, by day.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray as _;
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::{Days, NameColumn, Rows, failed, parts_of};
use crate::event::Table;
use crate::kernel::{Peaks, Stay};
use crate::store::{Id, Opened, PartitionFile, Strings};
use crate::time::{Day, Zone};

/// Whose hosts, on the days of which zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct PeaksAsked {
    pub(in crate::engine) rows: Rows,
    pub(in crate::engine) zone: Zone,
}

/// What one thread has come to.
#[derive(Default)]
struct Part {
    peaks: BTreeMap<Day, i64>,
    kernel: Peaks,
}

impl Part {
    fn note(&mut self, day: Day, peak: i64) {
        if peak > 0 {
            let known = self.peaks.entry(day).or_default();
            *known = peak.max(*known);
        }
    }
}

impl Days {
    /// The peak of each day on which any host held anything.
    pub(in crate::engine) async fn peaks(self: &Arc<Self>, asked: PeaksAsked) -> Result<BTreeMap<Day, i64>> {
        let days = self.days_of(&asked.rows);
        let parts = self.each(days, move |this, day, part: &mut Part| this.peaks_of_day(day, &asked, part));
        let mut all = Part::default();
        for part in parts.await? {
            for (day, peak) in part.peaks {
                // Two days of the store may have parts of one day of another zone: its peak is in one of them.
                all.note(day, peak);
            }
        }
        Ok(all.peaks)
    }

    fn peaks_of_day(&self, day: Day, asked: &PeaksAsked, part: &mut Part) -> Result<()> {
        let (Some(window), Some(file)) = (self.window(day), self.file(Table::Sessions, day)) else {
            return Ok(());
        };
        if asked.zone == self.snapshot.zone()
            && asked.rows.covers(window)
            && let Some(rollup) = self.rollup(Table::HostPeaks, day)
            && let Some(server) = self.known_peak(&asked.rows)
        {
            let peaks = self.shared.kept.peaks(rollup, || self.read_peaks(rollup))?;
            let peak = peaks.iter().find(|(of, _)| *of == server).map_or(0, |(_, peak)| *peak);
            part.note(day, peak);
            return Ok(());
        }
        self.add_peaks(file, day, asked, part)
    }

    /// Whose peak is kept: that of all servers, or of one. Those of several cannot be added up.
    fn known_peak(&self, rows: &Rows) -> Option<Option<Id>> {
        let Some(servers) = &rows.servers else {
            return Some(None);
        };
        let mut all = self.snapshot.servers().iter().map(|state| state.server.id);
        if all.all(|server| servers.contains(&server)) {
            return Some(None);
        }
        (servers.len() == 1).then(|| servers.first().copied())
    }

    fn read_peaks(&self, file: &PartitionFile) -> Result<Vec<(Option<Id>, i64)>> {
        let opened = Opened::open(&self.snapshot, file, &self.scanned).map_err(failed)?;
        let batch = opened
            .read(&["server_id", "hosts", "hosts_of_all"], None, &self.scanned)
            .map_err(failed)?;
        let [servers, hosts, of_all] = batch.columns() else {
            return exec_err!("a file of peaks has other columns than it should");
        };
        match (
            servers.as_primitive_opt::<Int32Type>(),
            hosts.as_primitive_opt::<Int32Type>(),
            of_all.as_primitive_opt::<Int32Type>(),
        ) {
            (Some(servers), Some(hosts), Some(of_all)) => {
                let of_servers = servers.values().iter().map(|server| Some(*server)).zip(hosts.values());
                let all = of_all.values().first().map(|hosts| (None, hosts));
                Ok(all
                    .into_iter()
                    .chain(of_servers)
                    .map(|(server, hosts)| (server, i64::from(*hosts)))
                    .collect())
            }
            _ => exec_err!("a file of peaks has columns of other types than it should"),
        }
    }

    fn add_peaks(&self, file: &PartitionFile, day: Day, asked: &PeaksAsked, part: &mut Part) -> Result<()> {
        let (Some(window), rows) = (self.window(day), &asked.rows) else {
            return Ok(());
        };
        let servers = rows.servers.is_some().then_some("server_id");
        let columns: Vec<&str> = ["started", "ended"].into_iter().chain(servers).chain(["host"]).collect();
        let opened = self.opened(file)?;
        let batch = opened.read(&columns, None, &self.scanned).map_err(failed)?;
        let instants = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
        };
        let servers = batch
            .column_by_name("server_id")
            .and_then(|column| column.as_primitive_opt::<Int32Type>());
        let (Some(started), Some(ended), Some(names)) = (instants("started"), instants("ended"), batch.column_by_name("host")) else {
            return exec_err!("a file of sessions has other columns than it should");
        };
        let names = NameColumn::of(names)?;
        // One name may have several places.
        let mut known = Strings::new();
        let numbers: Vec<u32> = names.texts.iter().map(|name| known.intern(name.unwrap_or_default())).collect();
        let all = rows.covers(window);
        let places = names.places.iter().enumerate();
        let stays = places.filter_map(|(row, place)| {
            let holder = numbers[usize::try_from(*place).ok()?];
            let (started, ended) = (started.value(row), ended.value(row));
            let meant = (all || rows.has(started, ended)) && servers.is_none_or(|servers| rows.has_server(servers.value(row)));
            meant.then_some(Stay { started, ended, holder })
        });
        let (days, parts) = parts_of(window, asked.zone);
        let peaks = part.kernel.of(&parts, known.len(), stays);
        for (day, peak) in days.into_iter().zip(peaks) {
            part.note(day, peak);
        }
        Ok(())
    }
}
