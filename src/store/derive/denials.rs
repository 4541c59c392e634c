//! Refused requests: their class, and whether anyone really went without.

use rustc_hash::FxHashMap;

use super::DayInput;
use crate::event::{Kind, ReasonClass};
use crate::store::rows::{DenialRow, EventRow, NO_NUMBER};
use crate::time::{Micros, SECOND};

/// A denial is not a true one when the same user gets a license of the same feature within this time.
pub(crate) const SHORTAGE_WINDOW: Micros = 5 * SECOND;

/// Who got a license in the first seconds of a day: the name of the feature, the user, and when.
pub(crate) type Head = Vec<(u32, String, Micros)>;

/// The denials of a day, in the order of its events.
pub(super) fn of_day(input: &DayInput<'_>) -> Vec<DenialRow> {
    let name = |event: &EventRow| input.name_of_feature.get(&event.feature).copied().unwrap_or_default();
    let denied = || input.events.iter().filter(|event| event.kind.of_denial());
    let class = |event: &EventRow| {
        let code = (event.reason_code != NO_NUMBER).then_some(event.reason_code);
        ReasonClass::of(event.kind, code, input.strings.get(event.reason))
    };

    // Checkouts are looked up only for those who were short of a license.
    let mut got: FxHashMap<(u32, u32), Vec<Micros>> = denied()
        .filter(|event| class(event).of_shortage())
        .map(|event| ((name(event), event.user), Vec::new()))
        .collect();
    if !got.is_empty() {
        for event in input
            .events
            .iter()
            .filter(|event| matches!(event.kind, Kind::Checkout | Kind::Session))
        {
            if let Some(times) = got.get_mut(&(name(event), event.user)) {
                times.push(event.at);
            }
        }
        let mut after_midnight: FxHashMap<(u32, &str), Vec<Micros>> = FxHashMap::default();
        for (name, user, at) in input.next_head {
            after_midnight.entry((*name, user)).or_default().push(*at);
        }
        // Each list is its own, so that it does not matter in which order they are completed.
        got.iter_mut().for_each(|((name, user), times)| {
            times.extend(after_midnight.get(&(*name, input.strings.get(*user))).into_iter().flatten());
            times.sort_unstable();
        });
    }

    let helped = |event: &EventRow| {
        got.get(&(name(event), event.user)).is_some_and(|times| {
            let next = times.partition_point(|at| *at < event.at);
            times.get(next).is_some_and(|at| *at <= event.at + SHORTAGE_WINDOW)
        })
    };
    denied()
        .map(|event| {
            let class = class(event);
            DenialRow {
                at: event.at,
                server: event.server,
                feature: event.feature,
                user: event.user,
                host: event.host,
                licenses: event.licenses,
                class,
                is_true: class.of_shortage() && !helped(event),
            }
        })
        .collect()
}
