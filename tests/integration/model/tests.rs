//! The model reproduces the worked examples, and what the definitions say of special cases.

use chrono_tz::{America, Europe, Pacific};

use super::*;

const UTC: Tz = Tz::UTC;

#[test]
fn denials_of_the_worked_example() {
    let events = example_denials();
    let (first, last) = (day("2015-01-01"), day("2015-01-02"));

    let rows: Vec<_> = denials(&events, "s", "f", "1", first, last, UTC)
        .into_iter()
        .map(|row| (row.at, row.licenses, row.user, row.host))
        .collect();
    let expected = [
        (at("2015-01-01 08:59:59"), 1, "alice".to_owned(), "ws1".to_owned()),
        (at("2015-01-01 09:00:00"), 2, "bob".to_owned(), "ws2".to_owned()),
        (at("2015-01-02 23:59:59"), 1, "alice".to_owned(), "ws1".to_owned()),
    ];
    assert_eq!(rows, expected);

    let grouped = |granularity| grouped_denials(&events, "s", "f", "1", first, last, granularity, UTC);
    assert_eq!(grouped(1), [("2015".to_owned(), 4)]);
    assert_eq!(grouped(2), [("2015-Q1".to_owned(), 4)]);
    assert_eq!(grouped(3), [("2015-01".to_owned(), 4)]);
    assert_eq!(grouped(4), [("2014-12-29-2015-01-04".to_owned(), 4)]);
    assert_eq!(grouped(5), [("2015-01-01".to_owned(), 3), ("2015-01-02".to_owned(), 1)]);

    let hours = grouped(6);
    assert_eq!(hours.len(), 48);
    assert_eq!(hours.iter().filter(|(_, denied)| *denied == 0).count(), 45);
    for (text, denied) in [("2015-01-01 08:00", 1), ("2015-01-01 09:00", 2), ("2015-01-02 23:00", 1)] {
        assert!(hours.contains(&(text.to_owned(), denied)), "{text} in {hours:?}");
    }
}

#[test]
fn a_denial_is_true_unless_a_license_follows_within_five_seconds() {
    let denial = |code| Event {
        reason_code: Some(code),
        ..event(Kind::Denial, "2015-01-01 10:00:00", "alice", "h")
    };
    let truth = |events: &[Event]| {
        let found = denials(events, "s", "f", "1", day("2015-01-01"), day("2015-01-01"), UTC);
        (found[0].class, found[0].is_true)
    };
    assert_eq!(truth(&[denial(-4)]), ("capacity", true));
    assert_eq!(truth(&[denial(-24)]), ("queued", true));
    for (code, class) in [
        (-5, "not_entitled"),
        (-21, "not_entitled"),
        (-25, "not_entitled"),
        (-38, "excluded"),
        (-97, "other"),
    ] {
        assert_eq!(truth(&[denial(code)]), (class, false));
    }
    let unsupported = Event {
        kind: Kind::Unsupported,
        ..denial(-4)
    };
    assert_eq!(truth(&[unsupported]), ("not_entitled", false));

    let relief = Event {
        server: "other".to_owned(),
        version: "2".to_owned(),
        ..event(Kind::Checkout, "2015-01-01 10:00:05", "alice", "h")
    };
    let too_late = Event {
        at: relief.at + 1,
        ..relief.clone()
    };
    let too_early = Event {
        at: at("2015-01-01 10:00:00") - 1,
        ..relief.clone()
    };
    let another_user = Event {
        user: "bob".to_owned(),
        ..relief.clone()
    };
    assert_eq!(truth(&[denial(-4), relief]), ("capacity", false));
    assert_eq!(truth(&[denial(-4), too_late, too_early, another_user]), ("capacity", true));
}

#[test]
fn denials_are_cut_by_the_wall_clock() {
    // 25 October 2015: Berlin shows 02:30 at 00:30 UTC and again at 01:30 UTC.
    let autumn = [
        event(Kind::Denial, "2015-10-25 00:30:00", "a", "h"),
        event(Kind::Denial, "2015-10-25 01:30:00", "a", "h"),
    ];
    let hours = grouped_denials(&autumn, "s", "f", "1", day("2015-10-25"), day("2015-10-25"), 6, Europe::Berlin);
    assert_eq!(hours.len(), 24);
    assert_eq!(hours[2], ("2015-10-25 02:00".to_owned(), 2));

    let spring = grouped_denials(&autumn, "s", "f", "1", day("2015-03-29"), day("2015-03-29"), 6, Europe::Berlin);
    assert_eq!(spring.len(), 24);
    assert_eq!(spring[2], ("2015-03-29 02:00".to_owned(), 0));
}

#[test]
fn utilization_of_the_worked_example() {
    let events = example_utilization();
    let (first, last) = (day("2015-01-01"), day("2015-01-02"));
    let figures = utilization(&events, "s", "f", "1", first, last, 9 * 60, 17 * 60, UTC, &|_| true);
    assert_eq!(figures.levels, [17 * HOUR / 2, 7 * HOUR, 3 * HOUR / 2]);
    assert_eq!(figures.denominator_literal, 16 * HOUR);
    assert_eq!(figures.denominator_uptime, 12 * HOUR);

    // Per cent with two decimals, half away from zero, as whole hundredths.
    let percent = |denominator: i64| -> Vec<i64> {
        figures
            .levels
            .iter()
            .map(|level| (2 * 10_000 * level + denominator) / (2 * denominator))
            .collect()
    };
    assert_eq!(percent(figures.denominator_literal), [5313, 4375, 938]);
    assert_eq!(percent(figures.denominator_uptime), [7083, 5833, 1250]);
}

#[test]
fn windows_may_be_overnight_or_a_whole_day() {
    let events = example_utilization();
    let one = |st: u32, et: u32| {
        utilization(
            &events,
            "s",
            "f",
            "1",
            day("2015-01-01"),
            day("2015-01-01"),
            st * 60,
            et * 60,
            UTC,
            &|_| true,
        )
    };

    // 22:00 – 06:00 next day: only c holds.
    let overnight = one(22, 6);
    assert_eq!(
        (overnight.levels, overnight.denominator_literal, overnight.denominator_uptime),
        (vec![8 * HOUR], 8 * HOUR, 8 * HOUR)
    );
    // 08:00 – 08:00: a, b and c from the first until the next day's 08:00.
    let whole = one(8, 8);
    assert_eq!(whole.denominator_literal, 24 * HOUR);
    assert_eq!(whole.levels, [24 * HOUR, 8 * HOUR, 5 * HOUR / 2]);
    assert_eq!(one(0, 24), one(0, 0));
}

#[test]
fn a_window_follows_the_clock_change() {
    let up = [
        event(Kind::ServerUp, "2015-01-01 00:00:00", "", ""),
        event(Kind::ServerDown, "2016-01-01 00:00:00", "", ""),
    ];
    let length = |date: &str, st, et| {
        let figures = utilization(&up, "s", "f", "1", day(date), day(date), st, et, Europe::Berlin, &|_| true);
        assert_eq!(figures.denominator_literal, i64::from(et - st) * MINUTE);
        figures.denominator_uptime
    };
    assert_eq!(length("2015-03-29", 0, 1440), 23 * HOUR);
    assert_eq!(length("2015-10-25", 0, 1440), 25 * HOUR);
    // The skipped hour is empty, and an edge inside of it is the jump.
    assert_eq!(length("2015-03-29", 120, 180), 0);
    assert_eq!(length("2015-03-29", 150, 240), HOUR);
    // The repeated hour begins and ends at its first occurrence.
    assert_eq!(length("2015-10-25", 120, 150), HOUR / 2);
    assert_eq!(length("2015-10-25", 150, 180), 3 * HOUR / 2);
}

#[test]
fn a_boundary_is_the_first_instant_not_before_its_label() {
    let cases = [
        (Europe::Berlin, "2015-03-29"),
        (Europe::Berlin, "2015-10-25"),
        (America::Sao_Paulo, "2015-10-18"),
        (America::Sao_Paulo, "2015-02-22"),
        (America::St_Johns, "2010-11-07"),
        (Pacific::Apia, "2011-12-30"),
        (UTC, "2015-01-01"),
    ];
    for (zone, date) in cases {
        for minutes in (0..2 * DAY_MINUTES).step_by(30) {
            let label = day(date).and_time(NaiveTime::MIN) - TimeDelta::hours(12) + TimeDelta::minutes(i64::from(minutes));
            assert_eq!(boundary(label, zone), first_instant_not_before(label, zone), "{label} in {zone}");
        }
    }
}

#[test]
fn users_count_of_the_worked_example() {
    let mut events = vec![
        event(Kind::Checkout, "2015-01-01 23:00:00", "alice", "h1"),
        event(Kind::Checkin, "2015-01-02 01:00:00", "alice", "h1"),
        event(Kind::Checkout, "2015-01-01 23:30:00", "bob", "h2"),
        event(Kind::Checkin, "2015-01-01 23:45:00", "bob", "h2"),
        event(Kind::Denial, "2015-01-03 12:00:00", "bob", "h2"),
        event(Kind::Checkout, "2015-01-02 00:30:00", "carol", "h1"),
        event(Kind::Checkin, "2015-01-02 02:00:00", "carol", "h1"),
    ];
    let rows = |events: &[Event], model_2019| -> Vec<_> {
        let rows = users_count(events, day("2015-01-01"), day("2015-01-03"), model_2019, UTC);
        rows.into_iter()
            .map(|row| (row.day.to_string(), row.total, row.daily, row.denial, row.hosts))
            .collect()
    };
    let (first, second, third) = ("2015-01-01".to_owned(), "2015-01-02".to_owned(), "2015-01-03".to_owned());
    let mut expected = [(first, 2, 2, 0, 2), (second, 3, 2, 0, 1), (third, 3, 0, 1, 0)];
    assert_eq!(rows(&events, false), expected);
    expected[2].2 = 1;
    assert_eq!(rows(&events, true), expected);

    // A session of no length makes nobody active, and a host without a name is none.
    events.push(event(Kind::Checkout, "2015-01-03 10:00:00", "dave", "h3"));
    events.push(event(Kind::Checkin, "2015-01-03 10:00:00", "dave", "h3"));
    assert_eq!(rows(&events, true), expected);
    events.push(event(Kind::Checkout, "2015-01-03 10:00:00", "carol", ""));
    events.push(event(Kind::Checkin, "2015-01-03 10:00:01", "carol", ""));
    expected[2].2 = 2;
    assert_eq!(rows(&events, true), expected);
}

#[test]
fn users_count_looks_back_fourteen_days_or_for_ever() {
    let events = [
        event(Kind::Checkout, "2015-01-01 10:00:00", "alice", "h1"),
        event(Kind::Checkin, "2015-01-01 11:00:00", "alice", "h1"),
        event(Kind::Denial, "2015-01-01 12:00:00", "bob", "h1"),
    ];
    let totals = |model_2019| -> Vec<i64> {
        users_count(&events, day("2015-01-13"), day("2015-01-15"), model_2019, UTC)
            .into_iter()
            .map(|row| row.total)
            .collect()
    };
    assert_eq!(totals(false), [1, 1, 0]);
    assert_eq!(totals(true), [2, 2, 2]);
}

#[test]
fn a_checkin_without_a_handle_ends_the_oldest() {
    let events = [
        event(Kind::Checkout, "2015-01-01 10:00:00", "a", "h"),
        event(Kind::Checkout, "2015-01-01 11:00:00", "a", "h"),
        event(Kind::Checkin, "2015-01-01 12:00:00", "a", "h"),
        event(Kind::Checkin, "2015-01-01 13:00:00", "a", "h"),
        event(Kind::Checkin, "2015-01-01 14:00:00", "a", "h"),
    ];
    let (found, counts) = sessions(&events);
    assert_eq!(spans(&found), ["10:00-12:00", "11:00-13:00"]);
    let expected = Counts {
        orphans: 1,
        ambiguous: 1,
        sessions: 2,
        ..Counts::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn a_handle_comes_before_age() {
    let handled = |kind, time, handle: &str| Event {
        handle: handle.to_owned(),
        ..event(kind, time, "a", "h")
    };
    let events = [
        handled(Kind::Checkout, "2015-01-01 10:00:00", "1"),
        handled(Kind::Checkout, "2015-01-01 11:00:00", "2"),
        handled(Kind::Checkout, "2015-01-01 11:30:00", ""),
        // By handle, though of another user.
        Event {
            user: "b".to_owned(),
            ..handled(Kind::Checkin, "2015-01-01 12:00:00", "2")
        },
        // No such handle is open: the one without a handle, unambiguously, and then nothing.
        handled(Kind::Checkin, "2015-01-01 13:00:00", "9"),
        handled(Kind::Checkin, "2015-01-01 14:00:00", "9"),
        // Without a handle: whatever is equal.
        handled(Kind::Checkin, "2015-01-01 15:00:00", ""),
    ];
    let (found, counts) = sessions(&events);
    assert_eq!(spans(&found), ["10:00-15:00", "11:00-12:00", "11:30-13:00"]);
    assert_eq!((counts.orphans, counts.ambiguous, counts.open), (1, 0, 0));
}

#[test]
fn within_an_instant_checkins_come_first() {
    // Written out of order on purpose: the file's order within an instant does not matter.
    let events = [
        event(Kind::Checkout, "2015-01-01 11:00:00", "a", "h"),
        event(Kind::Checkin, "2015-01-01 11:00:00", "a", "h"),
        event(Kind::Checkout, "2015-01-01 10:00:00", "a", "h"),
        event(Kind::Checkin, "2015-01-01 12:00:00", "b", "h"),
        event(Kind::Checkout, "2015-01-01 12:00:00", "b", "h"),
    ];
    let (found, counts) = sessions(&events);
    assert_eq!(spans(&found), ["10:00-11:00", "11:00-12:00", "12:00-12:00"]);
    assert_eq!((counts.orphans, counts.ambiguous, counts.open), (0, 0, 1));
    assert_eq!(found.iter().map(|session| session.open).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn a_restart_ends_what_is_open_but_not_what_is_paired() {
    let paired = Event {
        end: Some(at("2015-01-01 20:00:00")),
        ..event(Kind::Session, "2015-01-01 09:00:00", "b", "h")
    };
    let events = [
        paired,
        event(Kind::Checkout, "2015-01-01 10:00:00", "a", "h"),
        event(Kind::ServerDown, "2015-01-01 12:00:00", "", ""),
        // Opened while down: stays, but is not in use, until the server comes up.
        event(Kind::Checkout, "2015-01-01 13:00:00", "a", "h"),
        event(Kind::ServerDown, "2015-01-01 14:00:00", "", ""),
        event(Kind::ServerUp, "2015-01-01 15:00:00", "", ""),
        event(Kind::Checkout, "2015-01-01 15:00:00", "a", "h"),
        // A restart in one instant.
        event(Kind::ServerUp, "2015-01-01 16:00:00", "", ""),
        event(Kind::ServerDown, "2015-01-01 16:00:00", "", ""),
    ];
    let (found, counts) = sessions(&events);
    assert_eq!(spans(&found), ["09:00-20:00", "10:00-12:00", "13:00-15:00", "15:00-16:00"]);
    assert_eq!(
        found.iter().map(|session| session.truncated).collect::<Vec<_>>(),
        [false, true, true, true]
    );
    assert_eq!((counts.truncated, counts.open, counts.orphans, counts.sessions), (3, 0, 0, 4));

    let up: Vec<_> = uptime(&events, "s")
        .into_iter()
        .map(|(start, end)| (clock(start), clock(end)))
        .collect();
    let expected = [("09:00".to_owned(), "12:00".to_owned()), ("15:00".to_owned(), "20:00".to_owned())];
    assert_eq!(up, expected);

    let day = day("2015-01-01");
    let figures = utilization(&events, "s", "f", "1", day, day, 0, DAY_MINUTES, UTC, &|_| true);
    assert_eq!(figures.levels, [8 * HOUR, 3 * HOUR]);
    assert_eq!(figures.denominator_uptime, 8 * HOUR);
}

#[test]
fn uptime_by_the_first_and_the_last_status() {
    let capacity = event(Kind::Capacity, "2015-01-01 08:00:00", "", "");
    let up = event(Kind::ServerUp, "2015-01-01 09:00:00", "", "");
    let down = event(Kind::ServerDown, "2015-01-01 10:00:00", "", "");
    let last = event(Kind::Denial, "2015-01-01 11:00:00", "a", "h");
    let hours = |events: &[Event]| -> Vec<(i64, i64)> {
        let midnight = at("2015-01-01 00:00:00");
        uptime(events, "s")
            .into_iter()
            .map(|(start, end)| ((start - midnight) / HOUR, (end - midnight) / HOUR))
            .collect()
    };
    assert_eq!(hours(&[capacity.clone(), last.clone()]), [(8, 11)]);
    assert_eq!(hours(&[capacity.clone(), down.clone(), last.clone()]), [(8, 10)]);
    assert_eq!(hours(&[capacity.clone(), up.clone(), last.clone()]), [(9, 11)]);
    assert_eq!(hours(&[capacity, up, down, last.clone()]), [(9, 10)]);
    assert_eq!(hours(&[last]), []);
    assert_eq!(hours(&[]), []);
}

#[test]
fn ndjson_leaves_absent_fields_out() {
    let denial = Event {
        at: at("2015-01-01 10:00:00") + 1_500,
        display: "tab\t\"q\" \\".to_owned(),
        reason_code: Some(-4),
        ..event(Kind::Denial, "2015-01-01 10:00:00", "a", "h")
    };
    let paired = Event {
        end: Some(at("2015-01-01 12:00:00")),
        licenses: 2,
        handle: "7f".to_owned(),
        ..event(Kind::Session, "2015-01-01 11:00:00", "a", "")
    };
    let up = Event {
        server: "s".to_owned(),
        ..Event::new(Kind::ServerUp, at("2015-01-01 09:00:00"))
    };
    let expected = concat!(
        r#"{"time":"2015-01-01T10:00:00.001500Z","event":"denial","server":"s","feature":"f","version":"1","user":"a","#,
        r#""host":"h","display":"tab\u0009\"q\" \\","licenses":1,"reason_code":-4}"#,
        "\n",
        r#"{"time":"2015-01-01T11:00:00Z","event":"session","end":"2015-01-01T12:00:00Z","server":"s","feature":"f","#,
        r#""version":"1","user":"a","handle":"7f","licenses":2}"#,
        "\n",
        r#"{"time":"2015-01-01T09:00:00Z","event":"server_up","server":"s"}"#,
        "\n",
    );
    assert_eq!(to_ndjson(&[denial, paired, up]), expected);
}

fn example_denials() -> Vec<Event> {
    vec![
        event(Kind::Denial, "2015-01-02 23:59:59", "alice", "ws1"),
        event(Kind::Denial, "2015-01-01 08:59:59", "alice", "ws1"),
        Event {
            licenses: 2,
            ..event(Kind::Denial, "2015-01-01 09:00:00", "bob", "ws2")
        },
        event(Kind::Denial, "2015-01-03 00:00:00", "alice", "ws1"),
    ]
}

fn example_utilization() -> Vec<Event> {
    let two = |kind, time| Event {
        licenses: 2,
        ..event(kind, time, "b", "h")
    };
    vec![
        event(Kind::ServerUp, "2015-01-01 00:00:00", "", ""),
        event(Kind::Checkout, "2015-01-01 08:00:00", "a", "h"),
        two(Kind::Checkout, "2015-01-01 10:00:00"),
        event(Kind::Checkin, "2015-01-01 10:30:00", "a", "h"),
        event(Kind::Checkout, "2015-01-01 16:00:00", "c", "h"),
        two(Kind::Checkin, "2015-01-01 18:00:00"),
        event(Kind::Checkin, "2015-01-02 09:30:00", "c", "h"),
        event(Kind::ServerDown, "2015-01-02 13:00:00", "", ""),
    ]
}

/// An event of version 1 of feature `f` on server `s`, at a UTC time.
fn event(kind: Kind, time: &str, user: &str, host: &str) -> Event {
    Event {
        server: "s".to_owned(),
        feature: "f".to_owned(),
        version: "1".to_owned(),
        user: user.to_owned(),
        host: host.to_owned(),
        ..Event::new(kind, at(time))
    }
}

fn at(time: &str) -> i64 {
    NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S")
        .unwrap()
        .and_utc()
        .timestamp_micros()
}

fn day(date: &str) -> NaiveDate {
    date.parse().unwrap()
}

fn clock(at: i64) -> String {
    wall_clock(at, UTC).format("%H:%M").to_string()
}

/// Each session as `10:00-12:00`.
fn spans(sessions: &[Session]) -> Vec<String> {
    sessions
        .iter()
        .map(|session| format!("{}-{}", clock(session.start), clock(session.end)))
        .collect()
}
