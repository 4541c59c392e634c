//! Refused requests: their class, and whether anyone really went without.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::DayInput;
use crate::event::{Kind, ReasonClass};
use crate::store::rows::{DenialRow, EventRow, Id, NO_NUMBER};
use crate::store::strings::Strings;
use crate::time::{Micros, SECOND};

/// A denial is not a true one when the same user gets a license of the same feature within this time.
pub(crate) const SHORTAGE_WINDOW: Micros = 5 * SECOND;

/// The checkouts of the first seconds of a day: the name of the feature, the user, the instant and the license server.
pub(crate) type Head = Vec<(u32, String, Micros, Id)>;

/// Returns the denials of a day, in the order of its events; their [`DenialRow::granted_by`] are numbers in `granted_by`.
pub(super) fn of_day(input: &DayInput<'_>, granted_by: &mut Strings) -> Vec<DenialRow> {
    let denied = || input.events.iter().filter(|event| event.kind.of_denial());
    let class = |event: &EventRow| {
        let code = (event.reason_code != NO_NUMBER).then_some(event.reason_code);
        ReasonClass::of(event.kind, code, input.strings.get(event.reason))
    };
    let grants = Grants::of_day(input, denied().filter(|event| class(event).of_shortage()));
    denied()
        .map(|event| {
            let class = class(event);
            let servers = if class.of_shortage() { grants.after(input, event) } else { &[] };
            DenialRow {
                at: event.at,
                server: event.server,
                feature: event.feature,
                user: event.user,
                host: event.host,
                licenses: event.licenses,
                class,
                is_true: class.of_shortage() && servers.is_empty(),
                reason_code: event.reason_code,
                reason: event.reason,
                granted_by: granted_by.intern(&server_numbers(servers)),
            }
        })
        .collect()
}

/// The instants and license servers of checkouts, by the name of the feature and the user. Only users who were short of a
/// license are looked up.
struct Grants(FxHashMap<(u32, u32), Vec<(Micros, Id)>>);

impl Grants {
    fn of_day<'a>(input: &DayInput<'_>, short: impl Iterator<Item = &'a EventRow>) -> Self {
        let mut got: FxHashMap<(u32, u32), Vec<(Micros, Id)>> =
            short.map(|event| ((name_of(input, event), event.user), Vec::new())).collect();
        if got.is_empty() {
            return Self(got);
        }
        let checkouts = input
            .events
            .iter()
            .filter(|event| matches!(event.kind, Kind::Checkout | Kind::Session));
        for event in checkouts {
            if let Some(times) = got.get_mut(&(name_of(input, event), event.user)) {
                times.push((event.at, event.server));
            }
        }
        let mut after_midnight: FxHashMap<(u32, &str), Vec<(Micros, Id)>> = FxHashMap::default();
        for (name, user, at, server) in input.next_head {
            after_midnight.entry((*name, user)).or_default().push((*at, *server));
        }
        // Each list is its own, so that it does not matter in which order they are completed.
        got.iter_mut().for_each(|((name, user), times)| {
            times.extend(after_midnight.get(&(*name, input.strings.get(*user))).into_iter().flatten());
            times.sort_unstable();
        });
        Self(got)
    }

    /// Returns the checkouts of the denied user within the shortage window after the denial.
    fn after(&self, input: &DayInput<'_>, denial: &EventRow) -> &[(Micros, Id)] {
        let Some(times) = self.0.get(&(name_of(input, denial), denial.user)) else {
            return &[];
        };
        let from = times.partition_point(|(at, _)| *at < denial.at);
        let until = times.partition_point(|(at, _)| *at <= denial.at + SHORTAGE_WINDOW);
        &times[from..until]
    }
}

fn name_of(input: &DayInput<'_>, event: &EventRow) -> u32 {
    input.name_of_feature.get(&event.feature).copied().unwrap_or_default()
}

/// The numbers of the servers, ascending, each once, with commas between.
fn server_numbers(grants: &[(Micros, Id)]) -> String {
    let servers: BTreeSet<Id> = grants.iter().map(|(_, server)| *server).collect();
    servers.iter().map(Id::to_string).collect::<Vec<_>>().join(",")
}
