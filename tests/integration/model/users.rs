//! Users count.

use super::*;

/// Report 4 over all servers, one row for each day of `first..=last`; events before `first` count where the figure looks back.
pub fn users_count(events: &[Event], first: NaiveDate, last: NaiveDate, model_2019: bool, zone: Tz) -> Vec<UsersRow> {
    let sessions = sessions(events).0;
    let servers: BTreeSet<&str> = events.iter().map(|event| event.server.as_str()).collect();
    let statuses: BTreeMap<&str, Vec<Status>> = servers.into_iter().map(|server| (server, statuses(events, server))).collect();

    // Who holds can change at these instants only, so looking at each of them sees every instant of every day.
    let mut instants: BTreeSet<i64> = BTreeSet::new();
    instants.extend(sessions.iter().flat_map(|session| [session.start, session.end]));
    instants.extend(statuses.values().flatten().map(|status| status.at));
    instants.extend(days(first - Days::new(13), last).map(|day| day_start(day, zone)));
    let holders: Vec<(i64, Vec<&Session>)> = instants
        .into_iter()
        .map(|at| {
            (
                at,
                sessions
                    .iter()
                    .filter(|session| holds(session, &statuses[session.server.as_str()], at))
                    .collect(),
            )
        })
        .collect();

    let holding = |from: i64, to: i64| -> BTreeSet<&str> {
        let within = holders.iter().filter(|(at, _)| (from..to).contains(at));
        within
            .flat_map(|(_, sessions)| sessions)
            .map(|session| session.user.as_str())
            .collect()
    };
    let denied = |from: NaiveDate, to: NaiveDate| -> BTreeSet<&str> {
        let within = events
            .iter()
            .filter(|event| event.is_denial() && (from..=to).contains(&wall_clock(event.at, zone).date()));
        within.map(|event| event.user.as_str()).collect()
    };
    let most_hosts = |from: i64, to: i64| -> usize {
        let within = holders.iter().filter(|(at, _)| (from..to).contains(at));
        within.map(|(_, sessions)| distinct_hosts(sessions)).max().unwrap_or(0)
    };

    days(first, last)
        .map(|day| {
            let (start, end) = (day_start(day, zone), day_start(day + Days::new(1), zone));
            let denied_today = denied(day, day);
            let (daily, total) = if model_2019 {
                let daily = &holding(start, end) | &denied_today;
                let total = &holding(i64::MIN, end) | &denied(NaiveDate::MIN, day);
                (daily, total)
            } else {
                (holding(start, end), holding(day_start(day - Days::new(13), zone), end))
            };
            UsersRow {
                day,
                total: total.len() as i64,
                daily: daily.len() as i64,
                denial: denied_today.len() as i64,
                hosts: most_hosts(start, end) as i64,
            }
        })
        .collect()
}
