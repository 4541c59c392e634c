//! Made-up license usage that looks like a real site's: for `headroom generate`, `headroom demo` and benches.
//!
//! The same [`Plan`] gives the same events on every machine: chance comes from one seeded stream, and all arithmetic is
//! on integers or on operations that IEEE 754 rounds exactly. Events come in order of time, and no feature ever has more
//! licenses in use than its total. Memory grows with what is open and with one day's requests, never with days.
//!
//! ```text
//!   Plan ──▶ Site     servers, features and their totals, users, hosts        (drawn up once)
//!        ──▶ Rhythm   when requests come, how long licenses are held
//!              │
//!              ▼
//!            Run      one day's requests, merged with what was left pending: checkins, retries, restarts, new totals
//!              │
//!              ▼
//!            Recorder ──▶ emit(&Event)
//! ```
//!
//! A request that finds too few licenses is refused, and users come back: most soon, some later, some never. A server that
//! restarts forgets its sessions, so that their checkins are never recorded. The plan ends at midnight with sessions open.

mod chance;
mod names;
mod ndjson;
mod quota;
mod recorder;
mod rhythm;
mod run;
mod site;

#[cfg(test)]
mod tests;

pub use self::ndjson::write_ndjson_line;

use self::recorder::Recorder;
use self::rhythm::Rhythm;
use self::run::Run;
use self::site::Site;
use crate::event::{Event, Kind};
use crate::time::{Day, Zone};

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many calendar days.
    pub days: u32,
    /// How many events of all kinds on an average day, weekends included. The size of the site follows from it.
    pub events_per_day: u64,
    /// Another seed makes other events of the same site.
    pub seed: u64,
    /// The first day.
    pub first: Day,
    /// The zone whose wall clock the users live by.
    pub zone: Zone,
}

impl Plan {
    /// How many days, but for those that no text of the project can name: past the last year of four digits.
    fn length(&self) -> i32 {
        const LAST: Day = Day(2_932_000);
        let most = LAST.0.saturating_sub(self.first.0).max(0);
        i32::try_from(self.days).map_or(most, |days| days.min(most))
    }

    /// The plan's days, in order.
    fn calendar(&self) -> impl Iterator<Item = Day> + use<> {
        self.first.to(self.first.plus(self.length() - 1))
    }

    /// How many events to aim at.
    fn wanted(&self) -> u64 {
        self.events_per_day.saturating_mul(u64::from(self.days))
    }
}

/// How many events were generated, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals([u64; Kind::ALL.len()]);

impl Totals {
    /// How many of a kind.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> u64 {
        self.0[kind as usize]
    }

    /// How many of all kinds.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    const fn count(&mut self, kind: Kind) {
        self.0[kind as usize] += 1;
    }
}

/// Generates the events of a plan, in order of time.
///
/// ```
/// use headroom::event::Kind;
/// use headroom::generate::{Plan, generate, write_ndjson_line};
/// use headroom::time::Zone;
/// let plan = Plan { days: 7, events_per_day: 1_000, seed: 1, first: "2026-01-05".parse()?, zone: Zone::UTC };
/// let mut file = Vec::new();
/// let totals = generate::<std::io::Error>(&plan, &mut |event| {
///     write_ndjson_line(event, &mut file);
///     Ok(())
/// })?;
/// assert!((6_300..7_700).contains(&totals.all()));
/// assert!(totals.of(Kind::Checkout) > 3_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Whatever `emit` returns; nothing is generated after it.
pub fn generate<E>(plan: &Plan, emit: &mut dyn FnMut(&Event<'_>) -> Result<(), E>) -> Result<Totals, E> {
    let rhythm = Rhythm::new();
    let site = Site::new(plan, &rhythm);
    let mut run = Run::new(plan, &site, &rhythm, Recorder::new(&site, emit));
    for day in plan.calendar() {
        run.day(day)?;
    }
    Ok(run.totals())
}
