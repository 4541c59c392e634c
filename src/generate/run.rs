//! The site at work: requests are served or refused, licenses come back, servers restart, totals change.
//!
//! Whatever is to happen later waits in one heap, ordered by instant and then by the order in which events of one instant
//! take effect; so that a license given back in a second can be given out in the same second, and never the other way round.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chance::Dice;
use super::names::TRADES;
use super::quota::Quota;
use super::recorder::Recorder;
use super::rhythm::{self, Rhythm};
use super::site::{Request, Site};
use super::{Plan, Totals};
use crate::event::Kind;
use crate::time::{Day, HOUR, MINUTE, Micros, SECOND};

/// What is to happen; ordered as [`Kind`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Return(Holding),
    Down(usize),
    Up(usize),
    NewTotal(usize),
    /// A refused request comes back; it was refused so many times.
    Retry(Request, u8),
}

/// Licenses that were given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Holding {
    request: Request,
    handle: u32,
    /// How often the server had started; one that started again knows nothing of it.
    starts: u32,
}

/// A feature's licenses.
#[derive(Debug, Clone, Copy)]
struct Licenses {
    total: u32,
    in_use: u32,
}

/// A server's state.
#[derive(Debug, Clone, Copy, Default)]
struct Server {
    up: bool,
    starts: u32,
    handles: u32,
}

/// The site at work.
pub(super) struct Run<'a, E> {
    plan: &'a Plan,
    site: &'a Site,
    rhythm: &'a Rhythm,
    recorder: Recorder<'a, E>,
    dice: Dice,
    pending: BinaryHeap<Reverse<(Micros, Step)>>,
    licenses: Vec<Licenses>,
    servers: [Server; TRADES.len()],
    midnight: Micros,
    quota: Quota,
    instants: Vec<Micros>,
}

impl<'a, E> Run<'a, E> {
    /// The site before its first day.
    pub(super) fn new(plan: &'a Plan, site: &'a Site, rhythm: &'a Rhythm, recorder: Recorder<'a, E>) -> Self {
        let licenses = |feature: &super::site::Feature| Licenses {
            total: feature.licenses,
            in_use: 0,
        };
        Self {
            plan,
            site,
            rhythm,
            recorder,
            dice: Dice::new(plan.seed),
            pending: BinaryHeap::new(),
            licenses: site.features.iter().map(licenses).collect(),
            servers: Default::default(),
            midnight: 0,
            quota: Quota::new(plan, site),
            instants: Vec::new(),
        }
    }

    /// How much was recorded.
    pub(super) const fn totals(&self) -> Totals {
        self.recorder.totals()
    }

    /// The next day.
    pub(super) fn day(&mut self, day: Day) -> Result<(), E> {
        self.midnight = self.plan.zone.start_of(day);
        if day == self.plan.first {
            self.open()?;
        }
        self.schedule(day);
        let mut instants = std::mem::take(&mut self.instants);
        let count = self.quota.on(day, &mut self.dice);
        self.rhythm.requests(&mut self.dice, (day, self.plan.zone), count, &mut instants);
        for at in &instants {
            self.advance(*at)?;
            let request = self.site.request(&mut self.dice);
            self.ask(*at, request)?;
        }
        self.instants = instants;
        self.advance(rhythm::end_of(day, self.plan.zone) - 1)
    }

    /// The servers start and say what they have.
    fn open(&mut self) -> Result<(), E> {
        for server in 0..self.servers.len() {
            self.start(self.midnight, server)?;
        }
        for (feature, licenses) in self.licenses.iter().enumerate() {
            self.recorder.capacity(self.midnight, feature, licenses.total)?;
        }
        Ok(())
    }

    /// What happens besides requests. The days are fixed, to be in every plan that is long enough; the hours are not.
    fn schedule(&mut self, day: Day) {
        let number = day.0 - self.plan.first.0;
        let zone = self.plan.zone;
        let mut plan = |at: Micros, step: Step| self.pending.push(Reverse((at, step)));
        for (server, place) in (0..TRADES.len()).zip(0..) {
            let within =
                |dice: &mut Dice, hour: Micros, hours: u32| zone.instant(day, hour * HOUR + i64::from(dice.below(hours * 3_600)) * SECOND);
            // Maintenance, before work or in the evening.
            if (number + 7 * place) % 21 == 5 {
                let hour = if self.dice.one_in(2) { 5 } else { 18 };
                let down = within(&mut self.dice, hour, 1);
                plan(down, Step::Down(server));
                plan(down + i64::from(self.dice.between(120, 900)) * SECOND, Step::Up(server));
            }
            // A crash, in the middle of the day.
            if (number + 11 * place) % 33 == 20 {
                plan(within(&mut self.dice, 10, 6), Step::Up(server));
            }
        }
        if number % 14 == 9 {
            let features = self.licenses.len() as u32;
            for _change in 0..=features / 50 {
                let feature = self.dice.below(features) as usize;
                plan(
                    zone.instant(day, 7 * HOUR + i64::from(self.dice.below(60)) * MINUTE),
                    Step::NewTotal(feature),
                );
            }
        }
    }

    /// Lets everything happen that is due, up to and including an instant.
    fn advance(&mut self, until: Micros) -> Result<(), E> {
        while let Some(Reverse((at, _step))) = self.pending.peek()
            && *at <= until
            && let Some(Reverse((at, step))) = self.pending.pop()
        {
            match step {
                Step::Return(holding) => self.take_back(at, &holding)?,
                Step::Down(server) => self.stop(at, server)?,
                Step::Up(server) => self.start(at, server)?,
                Step::NewTotal(feature) => self.change_total(at, feature)?,
                Step::Retry(request, refused) => self.serve(at, request, refused)?,
            }
        }
        Ok(())
    }

    /// A first request.
    fn ask(&mut self, at: Micros, request: Request) -> Result<(), E> {
        if self.dice.one_in(2_000) && self.servers[self.site.features[request.feature].server].up {
            return self.recorder.unlicensed(at, &request);
        }
        self.serve(at, request, 0)
    }

    /// Gives out licenses, or refuses to.
    fn serve(&mut self, at: Micros, request: Request, refused: u8) -> Result<(), E> {
        let server = &mut self.servers[self.site.features[request.feature].server];
        if !server.up {
            // Nobody is there to record that it was asked.
            return Ok(());
        }
        let licenses = &mut self.licenses[request.feature];
        let free = licenses.total.saturating_sub(licenses.in_use);
        if request.licenses > free {
            return self.refuse(at, request, refused);
        }
        // The last few are set aside for some users. Others are refused, and served at once from the next pool they try.
        if request.licenses + licenses.total / 50 >= free && refused == 0 && self.dice.one_in(12) {
            self.retry(at, 1, request, 1);
            return self.recorder.refusal(at, &request);
        }
        licenses.in_use += request.licenses;
        server.handles = server.handles.wrapping_add(self.dice.between(1, 4));
        let holding = Holding {
            request,
            handle: server.handles,
            starts: server.starts,
        };
        let returned = at + self.rhythm.length(&mut self.dice, at - self.midnight);
        self.pending.push(Reverse((returned, Step::Return(holding))));
        self.recorder.holding(Kind::Checkout, at, &request, holding.handle)
    }

    /// Refuses a request; whoever made it may try again within seconds, or later, or have had enough.
    fn refuse(&mut self, at: Micros, request: Request, refused: u8) -> Result<(), E> {
        if refused < 3 {
            match self.dice.below(100) {
                0..30 => self.retry(at, 1, request, refused + 1),
                30..60 => self.retry(at, 240, request, refused + 1),
                _ => {}
            }
        }
        self.recorder.refusal(at, &request)
    }

    /// Puts a request off by one to five times so many seconds.
    fn retry(&mut self, at: Micros, pace: u32, request: Request, refused: u8) {
        let pause = i64::from(self.dice.between(pace, 5 * pace + 1)) * SECOND;
        self.pending.push(Reverse((at + pause, Step::Retry(request, refused))));
    }

    fn take_back(&mut self, at: Micros, holding: &Holding) -> Result<(), E> {
        let request = &holding.request;
        if self.servers[self.site.features[request.feature].server].starts != holding.starts {
            return Ok(());
        }
        self.licenses[request.feature].in_use -= request.licenses;
        self.recorder.holding(Kind::Checkin, at, request, holding.handle)
    }

    fn stop(&mut self, at: Micros, server: usize) -> Result<(), E> {
        self.forget(server);
        self.servers[server].up = false;
        self.recorder.server(Kind::ServerDown, at, server)
    }

    fn start(&mut self, at: Micros, server: usize) -> Result<(), E> {
        self.forget(server);
        self.servers[server].up = true;
        self.recorder.server(Kind::ServerUp, at, server)
    }

    /// A server that stops or starts knows of no session any more.
    fn forget(&mut self, server: usize) {
        self.servers[server].starts += 1;
        for (feature, licenses) in self.site.features.iter().zip(&mut self.licenses) {
            if feature.server == server {
                licenses.in_use = 0;
            }
        }
    }

    /// Licenses are bought, or given up as far as they are not in use.
    fn change_total(&mut self, at: Micros, feature: usize) -> Result<(), E> {
        let licenses = &mut self.licenses[feature];
        let percent = self.dice.between(90, 116);
        let wanted = u64::from(self.site.features[feature].licenses) * u64::from(percent) / 100;
        let total = u32::try_from(wanted).unwrap_or(u32::MAX).max(licenses.in_use);
        if total == licenses.total || !self.servers[self.site.features[feature].server].up {
            return Ok(());
        }
        licenses.total = total;
        self.recorder.capacity(at, feature, total)
    }
}
