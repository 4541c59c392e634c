//! Sessions: which checkin ends which checkout, and who holds what at an instant.

use super::*;

/// Every session of every server in order of (server, feature, version, start, end, …), and what pairing them came across.
pub fn sessions(events: &[Event]) -> (Vec<Session>, Counts) {
    let features: BTreeSet<(&str, &str, &str)> = events
        .iter()
        .filter(|event| matches!(event.kind, Kind::Checkout | Kind::Checkin | Kind::Session))
        .map(|event| (event.server.as_str(), event.feature.as_str(), event.version.as_str()))
        .collect();

    let mut sessions = Vec::new();
    let mut counts = Counts::default();
    for (server, feature, version) in features {
        sessions.extend(sessions_of_feature(events, server, feature, version, &mut counts));
    }
    sessions.sort();
    counts.sessions = sessions.len() - counts.parts;
    (sessions, counts)
}

/// Plays the events of one feature, and the status events of its server, instant by instant.
pub(super) fn sessions_of_feature(events: &[Event], server: &str, feature: &str, version: &str, counts: &mut Counts) -> Vec<Session> {
    let own: Vec<&Event> = events.iter().filter(|event| event.is_of(server, feature, version)).collect();
    let statuses = statuses(events, server);
    let mut instants: BTreeSet<i64> = BTreeSet::new();
    instants.extend(own.iter().map(|event| event.at));
    instants.extend(statuses.iter().map(|status| status.at));

    let mut sessions = Vec::new();
    // Oldest first.
    let mut open: Vec<Event> = Vec::new();
    let mut down = false;
    for now in instants {
        let mut unmatched = Vec::new();
        for checkin in at_instant(&own, Kind::Checkin, now) {
            match take_checkout(&mut open, checkin, counts) {
                Some(checkout) => sessions.push(session(&checkout, now)),
                None => unmatched.push(checkin),
            }
        }

        for status in statuses.iter().filter(|status| status.at == now) {
            if status.up || !down {
                counts.truncated += open.len();
                sessions.extend(open.drain(..).map(|checkout| Session {
                    truncated: true,
                    ..session(&checkout, now)
                }));
            }
            down = !status.up;
        }

        open.extend(at_instant(&own, Kind::Checkout, now).into_iter().cloned());
        for paired in at_instant(&own, Kind::Session, now) {
            sessions.push(session(paired, paired.end.unwrap_or(now).max(now)));
        }

        // Whatever was open before did not match these checkins, so only a checkout of this instant can.
        for checkin in unmatched {
            match take_checkout(&mut open, checkin, counts) {
                Some(checkout) => sessions.push(session(&checkout, now)),
                None => match give_back_some(&mut open, checkin, counts) {
                    Some(part) => sessions.push(session(&part, now)),
                    None => counts.orphans += 1,
                },
            }
        }
    }

    counts.open += open.len();
    let last_known = last_instant_known(events, server);
    sessions.extend(open.into_iter().map(|checkout| Session {
        open: true,
        ..session(&checkout, last_known)
    }));
    sessions
}

/// Gives back some of the licenses of the oldest checkout of the same holder that has more. Returns that part of the checkout; the
/// rest stays open.
fn give_back_some(open: &mut [Event], checkin: &Event, counts: &mut Counts) -> Option<Event> {
    let has_more = |checkout: &&mut Event| {
        let may_lack_handle = checkin.handle.is_empty() || checkout.handle.is_empty();
        let same = checkout.user == checkin.user && checkout.host == checkin.host && checkout.display == checkin.display;
        may_lack_handle && same && checkout.licenses > checkin.licenses
    };
    let mut fitting: Vec<&mut Event> = open.iter_mut().filter(has_more).collect();
    if fitting.len() > 1 {
        counts.ambiguous += 1;
    }
    let checkout = fitting.first_mut()?;
    let part = Event {
        licenses: checkin.licenses,
        ..checkout.clone()
    };
    checkout.licenses -= checkin.licenses;
    counts.parts += 1;
    Some(part)
}

/// Takes the checkout that `checkin` ends out of `open`: by handle where there is one, else the oldest equal one.
pub(super) fn take_checkout(open: &mut Vec<Event>, checkin: &Event, counts: &mut Counts) -> Option<Event> {
    let has_handle = !checkin.handle.is_empty();
    if has_handle && let Some(index) = open.iter().position(|checkout| checkout.handle == checkin.handle) {
        return Some(open.remove(index));
    }

    let holder = |event: &Event| (event.user.clone(), event.host.clone(), event.display.clone(), event.licenses);
    let is_candidate = |checkout: &Event| {
        let may_lack_handle = !has_handle || checkout.handle.is_empty();
        may_lack_handle && holder(checkout) == holder(checkin)
    };
    let candidates: Vec<usize> = (0..open.len()).filter(|&index| is_candidate(&open[index])).collect();
    if candidates.len() > 1 {
        counts.ambiguous += 1;
    }
    candidates.first().map(|&index| open.remove(index))
}

/// The events of one kind at one instant in the order they take effect; identical ones keep the order of the file.
pub(super) fn at_instant<'a>(own: &[&'a Event], kind: Kind, now: i64) -> Vec<&'a Event> {
    let mut found: Vec<&Event> = own.iter().copied().filter(|event| event.kind == kind && event.at == now).collect();
    found.sort_by(|a, b| (&a.user, &a.host, &a.handle, a.licenses, &a.display).cmp(&(&b.user, &b.host, &b.handle, b.licenses, &b.display)));
    found
}

/// The session that `checkout` began, ended in the ordinary way.
pub(super) fn session(checkout: &Event, end: i64) -> Session {
    Session {
        server: checkout.server.clone(),
        feature: checkout.feature.clone(),
        version: checkout.version.clone(),
        start: checkout.at,
        end,
        user: checkout.user.clone(),
        host: checkout.host.clone(),
        licenses: checkout.licenses,
        open: false,
        truncated: false,
    }
}

/// Whether the session's licenses are in use at `at`. `statuses` are those of the session's server.
pub(super) fn holds(session: &Session, statuses: &[Status], at: i64) -> bool {
    session.start <= at && at < session.end && !is_down(statuses, at)
}

pub(super) fn distinct_hosts(sessions: &[&Session]) -> usize {
    let hosts: BTreeSet<&str> = sessions
        .iter()
        .map(|session| session.host.as_str())
        .filter(|host| !host.is_empty())
        .collect();
    hosts.len()
}
