//! Denials, one by one and by period.

use super::*;

/// Report 1 with the *ext* class and truth of each denial, in order of (at, user, host, licenses).
pub fn denials(events: &[Event], server: &str, feature: &str, version: &str, first: NaiveDate, last: NaiveDate, zone: Tz) -> Vec<Denial> {
    let mut denials: Vec<Denial> = events
        .iter()
        .filter(|event| event.is_denial() && event.is_of(server, feature, version))
        .filter(|event| (first..=last).contains(&wall_clock(event.at, zone).date()))
        .map(|event| Denial {
            at: event.at,
            licenses: event.licenses,
            user: event.user.clone(),
            host: event.host.clone(),
            is_true: is_true_denial(events, event),
            class: reason_class(event),
        })
        .collect();
    denials.sort_by(|a, b| (a.at, &a.user, &a.host, a.licenses).cmp(&(b.at, &b.user, &b.host, b.licenses)));
    denials
}

/// Report 2: the denied licenses of every period that `first..=last` touches; `granularity` is the number of `grat`.
pub fn grouped_denials(
    events: &[Event],
    server: &str,
    feature: &str,
    version: &str,
    first: NaiveDate,
    last: NaiveDate,
    granularity: u8,
    zone: Tz,
) -> Vec<(String, i64)> {
    let mut periods: Vec<String> = days(first, last)
        .flat_map(|day| (0..24).map(move |hour| period(hour_of_day(day, hour), granularity)))
        .collect();
    periods.dedup();

    let denied: Vec<(String, i64)> = denials(events, server, feature, version, first, last, zone)
        .into_iter()
        .map(|denial| (period(wall_clock(denial.at, zone), granularity), i64::from(denial.licenses)))
        .collect();
    let denied_in = |text: &str| -> i64 {
        denied
            .iter()
            .filter(|(period, _)| period == text)
            .map(|(_, licenses)| licenses)
            .sum()
    };
    periods
        .into_iter()
        .map(|text| {
            let licenses = denied_in(&text);
            (text, licenses)
        })
        .collect()
}

pub(super) fn reason_class(denial: &Event) -> &'static str {
    match (denial.kind, denial.reason_code) {
        (Kind::Unsupported, _) => "not_entitled",
        (_, Some(-4)) => "capacity",
        (_, Some(-24)) => "queued",
        (_, Some(-5 | -21 | -25)) => "not_entitled",
        (_, Some(-38 | -39 | -87)) => "excluded",
        _ => "other",
    }
}

/// Nobody gave the user a license of that name, whatever the version and the server, soon enough.
pub(super) fn is_true_denial(events: &[Event], denial: &Event) -> bool {
    let relieved = events.iter().any(|event| {
        matches!(event.kind, Kind::Checkout | Kind::Session)
            && event.user == denial.user
            && event.feature == denial.feature
            && (denial.at..=denial.at + TRUE_DENIAL_WAIT).contains(&event.at)
    });
    matches!(reason_class(denial), "capacity" | "queued") && !relieved
}
