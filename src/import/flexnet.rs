//! The FlexNet (FlexLM) debug log.
//!
//! ```text
//!  8:55:54 (adskflex) OUT: "64300ACD_F" user@host  (3 licenses)
//!  time     daemon     message
//! ```
//!
//! A line has a time of day but no date, and most lines are noise. Three small parts know one thing each:
//!
//! ```text
//! line ─▶ envelope   time of day (or instant), daemon, message
//!           ├─▶ calendar   which day it is: anchors, midnights, what lies before the first anchor
//!           ├─▶ daemons    who is up, since when, and what a restart ends
//!           └─▶ message    checkouts, checkins, refusals
//! ```

mod calendar;
mod daemons;
mod envelope;
mod message;
mod package;

use std::borrow::Cow;

use self::calendar::Calendar;
use self::daemons::Daemons;
use self::envelope::Envelope;
use self::message::{Message, Request, Verbose};
use self::package::Packages;
use super::{Dialect, Flaw, FlawKind, ImportError, Input, ReadOptions, Sink};
use crate::event::{Event, Kind};
use crate::time::{LocalTimes, Micros};

/// The FlexNet debug log.
#[derive(Debug)]
pub(super) struct FlexNet;

/// How much of a log may lie before the first line that tells a date.
const UNDATED_BYTES: usize = 256 * 1024 * 1024;

impl Dialect for FlexNet {
    fn name(&self) -> &'static str {
        "flexnet"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["flexlm"]
    }

    fn title(&self) -> &'static str {
        "FlexNet (FlexLM) debug log"
    }

    fn recognises(&self, sample: &[u8]) -> bool {
        sample
            .split(|byte| *byte == b'\n')
            .take(2000)
            .any(|line| Envelope::parse(line).is_some())
    }

    fn read(&self, input: &mut Input, options: &ReadOptions, sink: &mut dyn Sink) -> Result<(), ImportError> {
        let mut calendar = Calendar::new(options.date);
        // Lines before the first date wait until it is known how many midnights lie between.
        let mut waiting: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut bytes = 0;
        while !calendar.is_dated() && bytes < UNDATED_BYTES {
            let Some((number, line)) = input.next_whole_line(options.is_final)? else {
                return Err(ImportError::Undated {
                    name: input.name().to_owned(),
                });
            };
            bytes += line.len();
            waiting.push((number, line.to_vec()));
            if let Some(envelope) = Envelope::parse(line) {
                calendar.look_ahead(&envelope, options.zone);
            }
        }
        if !calendar.is_dated() {
            return Err(ImportError::Undated {
                name: input.name().to_owned(),
            });
        }
        let mut reader = Reader {
            calendar,
            times: LocalTimes::new(options.zone),
            daemons: Daemons::default(),
            packages: Packages::default(),
            pending: Pending {
                line: 0,
                at: 0,
                daemon: String::new(),
                request: Request::empty(),
            },
            waits: false,
            sink,
        };
        for (number, line) in waiting {
            reader.line(number, &line)?;
        }
        while let Some((number, line)) = input.next_whole_line(options.is_final)? {
            reader.line(number, line)?;
        }
        reader.finish()
    }
}

/// Reads the lines of one log.
struct Reader<'a> {
    calendar: Calendar,
    times: LocalTimes,
    daemons: Daemons,
    packages: Packages,
    /// A request whose verbose part may be on the next line, and whether there is one.
    pending: Pending,
    waits: bool,
    sink: &'a mut dyn Sink,
}

struct Pending {
    line: u64,
    at: Micros,
    daemon: String,
    request: Request<'static>,
}

impl Reader<'_> {
    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), ImportError> {
        let envelope = Envelope::parse(line);
        let message = envelope.as_ref().map_or(line, |envelope| envelope.message);
        if self.waits && message.trim_ascii_start().starts_with(b"^^^") {
            // The verbose part of the line before.
            if let Some(verbose) = Verbose::parse(&String::from_utf8_lossy(message)) {
                self.pending.request.verbose = Some(verbose.into_owned());
            }
            return self.flush();
        }
        self.flush()?;
        let Some(envelope) = envelope else {
            // Banners, continued lists, blank lines; but a request whose time is damaged is lost.
            return match message::damaged_request(line) {
                true => self.unparsed(
                    number,
                    "the time of the line is damaged; expected H:MM:SS or an RFC 3339 time".to_owned(),
                ),
                false => Ok(()),
            };
        };
        let Some(at) = self.calendar.instant(&envelope, &mut self.times) else {
            return self.unparsed(number, format!("{} does not exist in {}", envelope.clock_text(), self.times.zone()));
        };
        let daemon = String::from_utf8_lossy(envelope.daemon);
        let daemon = daemons::name_of(&daemon);
        let text = match std::str::from_utf8(envelope.message) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) if !message::is_request(envelope.message) => String::from_utf8_lossy(envelope.message),
            Err(_) => {
                self.sink.flaw(Flaw {
                    line: number,
                    kind: FlawKind::Noted,
                    reason: "is not UTF-8; what could not be read was replaced".to_owned(),
                })?;
                String::from_utf8_lossy(envelope.message)
            }
        };
        if let Some((feature, components)) = self.packages.line(&daemon, &text) {
            self.sink.package(&daemon, &feature, &components);
        }
        let message = Message::parse(&text);
        let sink = &mut *self.sink;
        let mut tell = |daemon: &str, up: bool, at: Micros| server_event(sink, daemon, up, at, number);
        match message {
            Message::Noise => self.daemons.noise(&daemon, &text, at, &mut tell)?,
            Message::Status(status) => self.daemons.status(&daemon, status, at, &mut tell)?,
            Message::Bad(reason) => {
                self.daemons.noise(&daemon, &text, at, &mut tell)?;
                self.unparsed(number, reason)?;
            }
            Message::Request(request) => {
                let returns = request.kind == Kind::Checkin;
                self.daemons.request(&daemon, returns, at, &mut tell)?;
                self.pending.line = number;
                self.pending.at = at;
                str::clone_into(&daemon, &mut self.pending.daemon);
                request.clone_into(&mut self.pending.request);
                self.waits = true;
            }
        }
        Ok(())
    }

    /// Ends the log: what waited is handed on, and the store hears until when the log of each daemon goes on.
    fn finish(mut self) -> Result<(), ImportError> {
        self.flush()?;
        let mut until = Vec::new();
        let (sink, line) = (&mut *self.sink, self.pending.line);
        self.daemons
            .finish(&mut |daemon, up, at| server_event(sink, daemon, up, at, line), &mut |daemon, at| {
                until.push((daemon.to_owned(), at))
            })?;
        for (daemon, at) in until {
            self.sink.known_until(&daemon, at);
        }
        Ok(())
    }

    fn unparsed(&mut self, line: u64, reason: String) -> Result<(), ImportError> {
        self.sink.flaw(Flaw {
            line,
            kind: FlawKind::Unparsed,
            reason,
        })
    }

    /// Hands on the request that waited for its verbose part.
    fn flush(&mut self) -> Result<(), ImportError> {
        if !std::mem::take(&mut self.waits) {
            return Ok(());
        }
        let Pending { line, at, daemon, request } = &self.pending;
        let (line, at) = (*line, *at);
        let verbose = request.verbose.as_ref();
        let user = match (&*request.user, verbose) {
            ("", Some(verbose)) => &*verbose.user,
            (user, _) => user,
        };
        if user.is_empty() {
            return self.unparsed(line, "no user, neither before the host nor between the carets".to_owned());
        }
        self.sink.manager(daemon, "FlexNet");
        let event = |kind: Kind, licenses: u32| Event {
            daemon,
            vendor: daemon,
            feature: &request.feature,
            user,
            host: &request.host,
            group_data: &request.group_data,
            licenses,
            handle: verbose.map_or("", |verbose| &verbose.handle),
            project: verbose.map_or("", |verbose| &verbose.project),
            reason_code: request.reason_code,
            reason: &request.reason,
            line,
            ..Event::new(kind, at)
        };
        if let Some(before) = request.upgraded_from {
            // The holder gives back what it has and takes what it wants.
            self.sink.event(&event(Kind::Checkin, before))?;
        }
        self.sink.event(&event(request.kind, request.licenses))
    }
}

fn server_event(sink: &mut dyn Sink, daemon: &str, up: bool, at: Micros, line: u64) -> Result<(), ImportError> {
    sink.manager(daemon, "FlexNet");
    sink.event(&Event {
        daemon,
        line,
        ..Event::new(if up { Kind::ServerUp } else { Kind::ServerDown }, at)
    })
}

#[cfg(test)]
mod tests;
