//! Who and what there is: servers, features and their totals, users and their hosts.
//!
//! The site grows with the plan's events a day, and only with them: another seed meets the same site. Totals are such that
//! the most popular features run out at the busiest time of a working day and the rest hardly ever do.

use super::Plan;
use super::chance::{Dice, Wheel};
use super::names::{self, TRADES};
use super::rhythm::Rhythm;
use crate::time::Day;

/// A feature that a server has licenses of.
#[derive(Debug)]
pub(super) struct Feature {
    /// Its name.
    pub(super) name: String,
    /// Its version, or nothing.
    pub(super) version: &'static str,
    /// Its vendor.
    pub(super) vendor: &'static str,
    /// The place of its server in [`TRADES`].
    pub(super) server: usize,
    /// How many licenses there are at first.
    pub(super) licenses: u32,
    /// The last day of its license.
    pub(super) expires: Day,
    /// Whether one request takes several licenses as a rule.
    tokens: bool,
    /// Which users use it: the first, and how many from there on.
    users: (u32, u32),
}

/// Who asks for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    /// The place of the feature.
    pub(super) feature: usize,
    /// The place of the user.
    pub(super) user: u32,
    /// The place of the host.
    pub(super) host: u32,
    /// How many licenses.
    pub(super) licenses: u32,
}

/// The made-up site.
#[derive(Debug)]
pub(super) struct Site {
    /// The features, the most popular first.
    pub(super) features: Vec<Feature>,
    /// The names of users.
    pub(super) users: Vec<String>,
    /// The names of hosts.
    pub(super) hosts: Vec<String>,
    popularity: Wheel,
    amounts: [Wheel; 2],
}

/// How many licenses one request takes, with weights: of features as a rule, and of those sold as tokens.
const AMOUNTS: [&[(u32, u32)]; 2] = [&[(1, 97), (2, 3)], &[(1, 50), (4, 25), (8, 15), (13, 10)]];

/// Which part of the requests at the busiest time may be refused: of the most popular quarter, and of the rest.
const REFUSED: [f64; 2] = [0.06, 0.001];

impl Site {
    /// The site of a plan.
    pub(super) fn new(plan: &Plan, rhythm: &Rhythm) -> Self {
        // Clamped, so that nothing is cut off.
        let scaled = |events: u64, least: u64, most: u64| (plan.events_per_day / events).clamp(least, most) as u32;
        let (features, users) = (scaled(700, 12, 300), scaled(40, 20, 5_000));
        // Zipf's law, on whole numbers.
        let popularity = Wheel::new((1..=features).map(|rank| 1_000_000 / rank));
        let amounts = AMOUNTS.map(|amounts| Wheel::new(amounts.iter().map(|(_licenses, weight)| *weight)));
        let held = held_at_peak(plan, rhythm);
        let feature = |((rank, (server, name)), share): ((u32, (usize, String)), f64)| {
            let tokens = rank % 7 == 3;
            let kind = usize::from(tokens);
            let mean: f64 = amounts[kind]
                .shares()
                .zip(AMOUNTS[kind])
                .map(|(share, (licenses, _))| share * f64::from(*licenses))
                .sum();
            let requests = enough(held * share, REFUSED[usize::from(rank >= features / 4)]);
            let trade = &TRADES[server];
            Feature {
                name,
                version: trade.versions[(rank / 3 % 4) as usize],
                vendor: trade.vendors[(rank / 3 % 2) as usize],
                server,
                // Whole and small; and no less than what the largest request takes, with something to spare.
                licenses: ((f64::from(requests) * mean) as u32).saturating_add(if tokens { 12 } else { 1 }),
                expires: plan.first.plus(plan.length() + 10 + (rank * 37 % 350) as i32),
                tokens,
                users: (rank * 97 % users, (users * 2 / (3 + rank / 4)).max(5)),
            }
        };
        Self {
            features: (0..features).zip(names::features()).zip(popularity.shares()).map(feature).collect(),
            users: names::users().take(users as usize).collect(),
            hosts: (0..(users * 3).div_ceil(5)).map(names::host).collect(),
            popularity,
            amounts,
        }
    }

    /// Somebody asks for something.
    pub(super) fn request(&self, dice: &mut Dice) -> Request {
        let place = self.popularity.spin(dice);
        let feature = &self.features[place];
        let (first, count) = feature.users;
        // The lesser of two: some use it a lot, others now and then.
        let user = (first + dice.below(count).min(dice.below(count))) % self.users.len() as u32;
        let kind = usize::from(feature.tokens);
        Request {
            feature: place,
            user,
            host: self.host(dice, user),
            licenses: AMOUNTS[kind][self.amounts[kind].spin(dice)].0,
        }
    }

    /// The host that a user sits at: mostly the usual one, which may be shared.
    fn host(&self, dice: &mut Dice, user: u32) -> u32 {
        let hosts = self.hosts.len() as u32;
        match dice.below(100) {
            0..85 => user * 3 / 5,
            85..97 => (user * 7 + 3) % hosts,
            _ => dice.below(hosts),
        }
    }
}

/// How many requests for all features are served at once at the busiest time of a working day.
fn held_at_peak(plan: &Plan, rhythm: &Rhythm) -> f64 {
    let busiest = plan.calendar().map(Rhythm::busy).max().unwrap_or(0).min(100);
    let week: u64 = plan.calendar().map(|day| u64::from(Rhythm::busy(day))).sum();
    // A request makes two events: a checkout and a checkin.
    let requests = plan.wanted() as f64 / 2.0 * f64::from(busiest) / week.max(1) as f64;
    requests * rhythm.peak()
}

/// The least number of servers at which no more than `refused` of an even load of requests finds all of them taken:
/// Erlang's B formula, by its recurrence, which needs no function but division.
fn enough(load: f64, refused: f64) -> u32 {
    let mut blocked = 1.0;
    let mut servers = 0;
    while blocked > refused && servers < u32::MAX {
        servers += 1;
        blocked = load * blocked / (f64::from(servers) + load * blocked);
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erlangs_table_is_met() {
        // From published tables of Erlang B: 10 erlangs at 1 % need 18, 100 erlangs at 5 % need 105, 2 at 5 % need 5.
        assert_eq!(enough(10.0, 0.01), 18);
        assert_eq!(enough(100.0, 0.05), 105);
        assert_eq!(enough(2.0, 0.05), 5);
        assert_eq!(enough(0.0, 0.05), 1);
    }

    #[test]
    fn the_site_grows_with_the_events_of_a_day() {
        let site = |events_per_day| {
            let plan = Plan {
                days: 7,
                events_per_day,
                seed: 1,
                first: Day(20_000),
                zone: crate::time::Zone::UTC,
            };
            let site = Site::new(&plan, &Rhythm::new());
            (site.features.len(), site.users.len(), site.hosts.len())
        };
        assert_eq!(site(0), (12, 20, 12));
        assert_eq!(site(28_000), (40, 700, 420));
        assert_eq!(site(1_000_000), (300, 5_000, 3_000));
    }
}
