//! Rollups: what the sessions and denials of a day come to, so that reports over years need not add them up again.
//!
//! ```text
//!   sessions ─▶ levels      feature, quarter of an hour, level → time        utilization
//!            ─▶ user_days   server, user → held, denied                      users of a day, of a fortnight, of ever
//!   denials  ─▶ user_days
//!   sessions ─▶ host_peaks  server → most hosts at one instant, of it and of all      hosts
//! ```
//!
//! The invariant: they say nothing that the pieces of the day do not, and follow from them alone.

use std::collections::BTreeSet;

use crate::kernel::{LevelOfQuarter, Peaks, Stay, Sweeper, levels_of_quarters};
use crate::store::rows::{DenialRow, HostPeakRow, Id, LevelRow, SessionRow, UserDayRow};
use crate::store::strings::Strings;
use crate::time::Window;

/// The rollups of one day; all rows are sorted.
#[derive(Debug, Default)]
pub(crate) struct Rollups {
    pub(crate) levels: Vec<LevelRow>,
    pub(crate) user_days: Vec<UserDayRow>,
    pub(crate) host_peaks: Vec<HostPeakRow>,
}

impl Rollups {
    /// Sums up the rows of a day, which are in the order of their files.
    pub(crate) fn of_day(day: Window, sessions: &[SessionRow], denials: &[DenialRow], strings: &Strings) -> Self {
        Self {
            levels: levels(day, sessions),
            user_days: user_days(sessions, denials, strings),
            host_peaks: host_peaks(day, sessions, strings.len()),
        }
    }
}

fn levels(day: Window, sessions: &[SessionRow]) -> Vec<LevelRow> {
    let (mut sweeper, mut of_feature, mut levels) = (Sweeper::default(), Vec::<LevelOfQuarter>::new(), Vec::new());
    for pieces in sessions.chunk_by(|a, b| a.feature == b.feature) {
        of_feature.clear();
        let edges = pieces.iter().map(|piece| (piece.started, piece.ended, piece.licenses));
        levels_of_quarters(day, &mut of_feature, |each| sweeper.stretches((day, &[day]), edges, each));
        levels.extend(of_feature.iter().map(|row| LevelRow {
            feature: pieces[0].feature,
            quarter: row.quarter,
            level: row.level,
            time: row.time,
        }));
    }
    levels
}

const HELD: u8 = 1;
const DENIED: u8 = 2;

fn user_days(sessions: &[SessionRow], denials: &[DenialRow], strings: &Strings) -> Vec<UserDayRow> {
    // A piece without an instant holds nothing.
    let held = sessions.iter().filter(|piece| piece.started < piece.ended);
    let seen = held.map(|piece| (piece.server, piece.user, HELD));
    let seen = seen.chain(denials.iter().map(|denial| (denial.server, denial.user, DENIED)));
    let (mut servers, mut marks): (Vec<Id>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let mut last = 0;
    for (server, user, mark) in seen {
        if servers.get(last) != Some(&server) {
            last = servers.iter().position(|known| *known == server).unwrap_or_else(|| {
                servers.push(server);
                marks.push(vec![0; strings.len()]);
                servers.len() - 1
            });
        }
        marks[last][user as usize] |= mark;
    }
    let mut rows: Vec<UserDayRow> = servers
        .iter()
        .zip(&marks)
        .flat_map(|(server, marks)| {
            // Number 0 is nobody.
            let marked = (0..).zip(marks).filter(|(user, mark)| *user != 0 && **mark != 0);
            marked.map(|(user, mark)| UserDayRow {
                server: *server,
                user,
                held: mark & HELD != 0,
                denied: mark & DENIED != 0,
            })
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        let texts = || strings.get(a.user).cmp(strings.get(b.user));
        a.server.cmp(&b.server).then_with(texts)
    });
    rows
}

fn host_peaks(day: Window, sessions: &[SessionRow], holders: usize) -> Vec<HostPeakRow> {
    let servers: BTreeSet<Id> = sessions.iter().map(|piece| piece.server).collect();
    let mut peaks = Peaks::default();
    let mut peak_of = |server: Option<Id>| {
        let of_server = |piece: &&SessionRow| server.is_none_or(|server| server == piece.server);
        // Number 0 is no host.
        let held = sessions.iter().filter(of_server).filter(|piece| piece.host != 0);
        let stays = held.map(|piece| Stay {
            started: piece.started,
            ended: piece.ended,
            holder: piece.host,
        });
        let peak = peaks.of(&[day], holders, stays).first().copied().unwrap_or(0);
        i32::try_from(peak).unwrap_or(i32::MAX)
    };
    let hosts_of_all = peak_of(None);
    let of_server = |server: &Id| HostPeakRow {
        server: *server,
        hosts: if servers.len() == 1 { hosts_of_all } else { peak_of(Some(*server)) },
        hosts_of_all,
    };
    servers.iter().map(of_server).filter(|row| row.hosts > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ReasonClass;
    use crate::time::{HOUR, MINUTE, Micros};

    #[test]
    fn a_day_is_summed_up() {
        let mut strings = Strings::new();
        let [ann, ben, pc, ws] = ["ann", "ben", "pc", "ws"].map(|name| strings.intern(name));
        let day = Window::new(0, 24 * HOUR).unwrap();
        let piece = |feature: Id, server: Id, user: u32, host: u32, from: Micros, to: Micros, licenses: i32| SessionRow {
            started: from * MINUTE,
            ended: to * MINUTE,
            session_started: from * MINUTE,
            continues: false,
            server,
            feature,
            user,
            host,
            licenses,
        };
        let sessions = [
            piece(1, 1, ben, pc, 0, 20, 1),
            piece(1, 1, ben, ws, 10, 12, 2),
            piece(2, 4, ann, ws, 11, 15, 1),
            piece(2, 4, 0, 0, 30, 30, 1),
        ];
        let denials = [DenialRow {
            at: 5,
            server: 4,
            feature: 2,
            user: ben,
            host: pc,
            licenses: 1,
            class: ReasonClass::Other,
            is_true: false,
            reason_code: 0,
            reason: 0,
            granted_by: 0,
        }];
        let rollups = Rollups::of_day(day, &sessions, &denials, &strings);
        let level = |feature, quarter, level, minutes| LevelRow {
            feature,
            quarter,
            level,
            time: minutes * MINUTE,
        };
        assert_eq!(
            rollups.levels,
            [level(1, 0, 1, 13), level(1, 0, 3, 2), level(1, 1, 1, 5), level(2, 0, 1, 4)]
        );
        let user = |server, user, held, denied| UserDayRow {
            server,
            user,
            held,
            denied,
        };
        assert_eq!(
            rollups.user_days,
            [user(1, ben, true, false), user(4, ann, true, false), user(4, ben, false, true)]
        );
        let peak = |server, hosts| HostPeakRow {
            server,
            hosts,
            hosts_of_all: 2,
        };
        assert_eq!(rollups.host_peaks, [peak(1, 2), peak(4, 1)]);
    }
}
