//! Utilization history.

use super::*;

/// Report 3 for one (server, feature, version). `et_minutes <= st_minutes` is a window that ends on the next day. Only the
/// windows that begin on a day that `counts` are kept.
pub fn utilization(
    events: &[Event],
    server: &str,
    feature: &str,
    version: &str,
    first: NaiveDate,
    last: NaiveDate,
    st_minutes: u32,
    et_minutes: u32,
    zone: Tz,
    counts: &dyn Fn(NaiveDate) -> bool,
) -> Utilization {
    let end_minutes = if et_minutes <= st_minutes {
        et_minutes + DAY_MINUTES
    } else {
        et_minutes
    };
    let windows: Vec<(i64, i64)> = days(first, last)
        .filter(|day| counts(*day))
        .map(|day| (minute_of_day(day, st_minutes, zone), minute_of_day(day, end_minutes, zone)))
        .collect();
    let uptime = uptime(events, server);
    let statuses = statuses(events, server);
    let mut sessions = sessions(events).0;
    sessions.retain(|session| session.server == server && session.feature == feature && session.version == version);

    let mut edges: BTreeSet<i64> = BTreeSet::new();
    edges.extend(windows.iter().flat_map(|&(start, end)| [start, end]));
    edges.extend(uptime.iter().flat_map(|&(start, end)| [start, end]));
    edges.extend(sessions.iter().flat_map(|session| [session.start, session.end]));
    edges.extend(statuses.iter().map(|status| status.at));
    let edges: Vec<i64> = edges.into_iter().collect();

    let mut levels: Vec<i64> = Vec::new();
    let mut denominator_uptime = 0;
    for piece in edges.windows(2) {
        let (start, end) = (piece[0], piece[1]);
        if !contains(&windows, start) {
            continue;
        }
        if contains(&uptime, start) {
            denominator_uptime += end - start;
        }
        let in_use: u32 = sessions
            .iter()
            .filter(|session| holds(session, &statuses, start))
            .map(|session| session.licenses)
            .sum();
        for index in 0..in_use as usize {
            if index == levels.len() {
                levels.push(0);
            }
            levels[index] += end - start;
        }
    }
    Utilization {
        levels,
        denominator_literal: windows.len() as i64 * i64::from(end_minutes - st_minutes) * MINUTE,
        denominator_uptime,
    }
}
