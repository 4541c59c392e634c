//! What the generator promises, counted from its events by a reader that knows nothing of how they were made.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::*;
use crate::event::ReasonClass;
use crate::time::{Micros, SECOND};

fn plan(days: u32, events_per_day: u64, seed: u64) -> Plan {
    Plan {
        days,
        events_per_day,
        seed,
        // A Monday; the clocks change on 2026-03-29.
        first: "2026-03-09".parse().unwrap(),
        zone: "Europe/Berlin".parse().unwrap(),
    }
}

fn each(plan: &Plan, mut see: impl FnMut(&Event<'_>)) -> Totals {
    let emit = &mut |event: &Event<'_>| {
        see(event);
        Ok::<(), Infallible>(())
    };
    match generate(plan, emit) {
        Ok(totals) => totals,
    }
}

fn text(plan: &Plan) -> Vec<u8> {
    let mut out = Vec::new();
    each(plan, |event| write_ndjson_line(event, &mut out));
    out
}

/// The open checkouts of a server, by what a checkin repeats.
type Open = BTreeMap<String, BTreeMap<[String; 5], u32>>;

fn key(event: &Event<'_>) -> [String; 5] {
    [event.feature, event.user, event.host, event.handle, &event.licenses.to_string()].map(str::to_owned)
}

#[test]
fn a_plan_gives_the_same_events_again_and_another_seed_others() {
    assert_eq!(text(&plan(9, 2_000, 1)), text(&plan(9, 2_000, 1)));
    assert_ne!(text(&plan(9, 2_000, 1)), text(&plan(9, 2_000, 2)));
}

/// The same on every machine and with every version of every dependency: a sum over the text that only a deliberate
/// change of the generator may change.
#[test]
fn a_plan_gives_the_events_that_it_always_gave() {
    let fnv = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    assert_eq!(
        text(&plan(28, 1_000, 7)).iter().fold(0xcbf2_9ce4_8422_2325, fnv),
        0x6b46_1075_f16b_c5fe
    );
}

#[test]
fn events_come_in_order_on_full_seconds_of_the_plans_days() {
    let plan = plan(28, 2_000, 1);
    let (mut last, mut lines) = (Micros::MIN, 0);
    let totals = each(&plan, |event| {
        assert!(event.at >= last && event.at % SECOND == 0);
        assert!((0..28).contains(&(plan.zone.day_of(event.at).0 - plan.first.0)));
        (last, lines) = (event.at, lines + 1);
        assert_eq!(event.line, lines);
    });
    assert_eq!(totals.all(), lines);
}

#[test]
fn there_are_about_as_many_events_as_wanted() {
    for (days, events_per_day) in [(28, 5_000), (1, 1_000), (3, 200), (365, 100), (10, 60_000)] {
        let wanted = f64::from(days) * events_per_day as f64;
        let made = each(&plan(days, events_per_day, 3), |_event| ()).all() as f64;
        assert!((made / wanted - 1.0).abs() < 0.1, "{made} of {wanted}");
    }
    assert_eq!(each(&plan(0, 5_000, 1), |_event| ()).all(), 0);
    assert_eq!(each(&plan(5, 0, 1), |_event| ()).of(Kind::Checkout), 0);
}

#[test]
fn no_more_licenses_are_in_use_than_there_are_and_every_checkin_has_its_checkout() {
    for events_per_day in [300, 6_000] {
        let mut open = Open::new();
        let mut used: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
        let mut down = BTreeSet::new();
        each(&plan(42, events_per_day, 5), |event| {
            let server = event.server.to_owned();
            let (total, in_use) = used.entry((server.clone(), event.feature.to_owned())).or_default();
            let held = open.entry(server.clone()).or_default();
            assert!(event.kind == Kind::ServerUp || !down.contains(&server), "{event:?}");
            match event.kind {
                Kind::Capacity => *total = event.licenses,
                Kind::Checkout => {
                    *in_use += event.licenses;
                    *held.entry(key(event)).or_default() += 1;
                }
                Kind::Checkin => {
                    *in_use -= event.licenses;
                    *held.get_mut(&key(event)).unwrap() -= 1;
                    held.retain(|_key, count| *count > 0);
                }
                Kind::ServerDown | Kind::ServerUp => {
                    held.clear();
                    used.iter_mut()
                        .filter(|((of, _), _)| *of == server)
                        .for_each(|(_, (_, in_use))| *in_use = 0);
                    if event.kind == Kind::ServerUp {
                        down.remove(&server);
                    } else {
                        down.insert(server);
                    }
                    return;
                }
                _ => return,
            }
            assert!(in_use <= total, "{event:?}");
        });
    }
}

#[test]
fn there_is_some_of_everything() {
    let plan = plan(28, 5_000, 1);
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let mut started: BTreeMap<[String; 5], Micros> = BTreeMap::new();
    let mut refused: BTreeMap<(String, String), Micros> = BTreeMap::new();
    let mut servers = BTreeSet::new();
    let mut up: BTreeSet<String> = BTreeSet::new();
    each(&plan, |event| {
        let mut see = |what, is: bool| *seen.entry(what).or_default() += u64::from(is);
        let who = (event.user.to_owned(), event.feature.to_owned());
        servers.insert(event.server.to_owned());
        match event.kind {
            Kind::Checkout => {
                started.insert(key(event), event.at);
                see("several licenses", event.licenses > 1);
                see("version", !event.version.is_empty());
                see("handle", !event.handle.is_empty());
                see("no handle", event.handle.is_empty());
                let pause = refused.remove(&who).map_or(Micros::MAX, |at| event.at - at);
                see("soon after a denial", pause <= 5 * SECOND);
                see("later after a denial", (6 * SECOND..1_200 * SECOND).contains(&pause));
            }
            Kind::Checkin => {
                let start = started[&key(event)];
                see("over midnight", plan.zone.day_of(start) != plan.zone.day_of(event.at));
                see("minutes", event.at - start < 600 * SECOND);
                see("hours", event.at - start > 4 * 3_600 * SECOND);
            }
            Kind::Denial => {
                let class = ReasonClass::of(event.kind, event.reason_code, event.reason);
                see("not entitled", class == ReasonClass::NotEntitled);
                see("no license left", class == ReasonClass::Capacity);
                refused.insert(who, event.at);
            }
            Kind::Capacity => see("new total", event.at > plan.zone.start_of(plan.first)),
            Kind::ServerUp => see("crash", !up.insert(event.server.to_owned())),
            Kind::ServerDown => see("clean restart", up.remove(event.server)),
            _ => unreachable!("{event:?}"),
        }
    });
    assert_eq!(servers.len(), 3);
    assert!(seen.values().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn one_server_hands_out_handles_for_everything_and_the_others_for_nothing() {
    each(&plan(7, 2_000, 1), |event| {
        if matches!(event.kind, Kind::Checkout | Kind::Checkin) {
            assert_eq!(event.handle.is_empty(), event.server != "lic-eda");
        }
    });
}

#[test]
fn weekends_are_quiet() {
    let plan = plan(28, 5_000, 1);
    let mut week = [0; 7];
    each(&plan, |event| {
        week[((plan.zone.day_of(event.at).0 - plan.first.0) % 7) as usize] += 1;
    });
    let (work, weekend) = (week[..5].iter().sum::<i32>() / 5, i32::midpoint(week[5], week[6]));
    assert!((work / 12..work / 5).contains(&weekend), "{week:?}");
}

#[test]
fn some_requests_are_refused_whatever_the_size() {
    for (days, events_per_day) in [(28, 1_000), (28, 5_000), (14, 30_000), (7, 100_000)] {
        let totals = each(&plan(days, events_per_day, 1), |_event| ());
        let refused = totals.of(Kind::Denial) as f64 / totals.of(Kind::Checkout) as f64;
        assert!((0.005..0.03).contains(&refused), "{events_per_day}: {refused}");
    }
}

#[test]
fn the_first_error_ends_it() {
    let mut seen = 0;
    let emit = &mut |_event: &Event<'_>| {
        seen += 1;
        if seen == 100 { Err("full") } else { Ok(()) }
    };
    assert_eq!(generate(&plan(28, 5_000, 1), emit), Err("full"));
    assert_eq!(seen, 100);
}
