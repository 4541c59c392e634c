//! The most hosts at one instant, by day.

use arrow::datatypes::Int32Type;
use datafusion::error::Result;

use super::columns::numbers;
use super::pieces::Pieces;
use super::{Days, Rows, failed};
use crate::event::Table;
use crate::kernel::{Peaks, Stay};
use crate::store::{Id, Opened, PartitionFile};
use crate::time::{Day, Micros, Window};

impl Days {
    /// The most hosts on a day of the store, if a rollup says how many they are.
    pub(super) fn known_peak(&self, (day, window): (Day, Window), rows: &Rows) -> Result<Option<i64>> {
        let rollup = self.rollup(Table::HostPeaks, day).filter(|_| rows.covers(window));
        let (Some(rollup), Some(server)) = (rollup, self.server_of_peak(rows)) else {
            return Ok(None);
        };
        let peaks = self.shared.kept.peaks(rollup, || self.read_peaks(rollup))?;
        let peak = peaks.iter().find(|(of, _)| *of == server).map_or(0, |(_, peak)| *peak);
        Ok(Some(peak))
    }

    /// Whose peak is kept: that of all servers, or of one. Those of several cannot be added up.
    fn server_of_peak(&self, rows: &Rows) -> Option<Option<Id>> {
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
        let column = |name| numbers::<Int32Type>(&batch, name);
        let (servers, hosts, of_all) = (column("server_id")?, column("hosts")?, column("hosts_of_all")?);
        let all = of_all.first().map(|hosts| (None, hosts));
        let of_servers = servers.iter().map(|server| Some(*server)).zip(hosts);
        let peaks = all.into_iter().chain(of_servers);
        Ok(peaks.map(|(server, hosts)| (server, i64::from(*hosts))).collect())
    }

    /// The most hosts of pieces at one instant of each of their parts.
    pub(super) fn peaks_of(&self, file: &PartitionFile, pieces: &Pieces, rows: &Rows, kernel: &mut Peaks) -> Result<Vec<i64>> {
        let names = self.names(file, "host")?;
        let numbers = self.shared.hosts.numbers(&names.texts);
        let holders = numbers.iter().max().map_or(0, |most| *most as usize + 1);
        let stay = |place: i32, (started, ended): (Micros, Micros)| {
            let holder = numbers[usize::try_from(place).ok()?];
            Some(Stay { started, ended, holder })
        };
        let places = names.places.iter().copied();
        let peaks = match pieces.all_of(rows)? {
            Some(all) => {
                let stays = places.zip(all).filter_map(|(place, piece)| stay(place, piece));
                kernel.of(&pieces.parts, holders, stays)
            }
            None => {
                let stays = places.zip(pieces.of(rows)?).filter_map(|(place, piece)| stay(place, piece?));
                kernel.of(&pieces.parts, holders, stays)
            }
        };
        Ok(peaks)
    }
}
