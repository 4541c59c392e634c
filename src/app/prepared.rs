//! A request that makes sense, and what its answer will be called, before anything is computed.

use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::{App, AppError, Bid, Rendering, Subject, now};
use crate::access::Caller;
use crate::engine::View;
use crate::output::{Document, Field, Format, Links};
use crate::report::{Column, Family, Report, Request, STANDARD, Scope, Value, Wanted};
use crate::store::{Quality, Snapshot};
use crate::time::{Day, Micros, Zone, wall_clock};

/// What is asked of the application.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The report.
    pub report: &'a str,
    /// Its parameters, as they were given.
    pub given: &'a [(String, String)],
    /// How it is written.
    pub format: &'static dyn Format,
    /// Who asks.
    pub caller: &'a Caller,
    /// Where it is shown, if other things can be asked from there: what relative addresses of other formats begin with.
    pub place: Option<String>,
}

/// A request that makes sense.
#[derive(Debug)]
pub struct Prepared<'a> {
    app: &'a App,
    report: &'a Report,
    snapshot: Arc<Snapshot>,
    caller: Caller,
    subject: Subject,
    view: View,
    request: Request,
    wanted: Wanted,
    document: Document,
    format: &'static dyn Format,
    tag: OnceLock<String>,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(app: &'a App, ask: &Ask<'_>) -> Result<Self, AppError> {
        let report = app.catalog.report(ask.report)?;
        let snapshot = app.snapshot()?;
        let view = View::of(ask.caller.access(), &snapshot);
        let now = now();
        let scope = Scope {
            snapshot: &snapshot,
            view: &view,
            now,
            calendars: &app.calendars,
            whole: ask.format.family() != Family::Page,
        };
        let definition = report.definition();
        let request = Request::parse(definition, ask.given, scope)?;
        let known = request.columns(definition);
        let family = ask.format.family();
        let columns = request.selection.of(&known, family);
        let drawn = if ask.format.draws() {
            drawn(report, &request, &known)
        } else {
            Vec::new()
        };
        let wanted = Wanted {
            columns: columns.iter().chain(&drawn).map(|column| column.name.clone()).collect(),
            rows: request
                .limit
                .filter(|_| !ask.format.counts_rows())
                .map(|limit| limit.saturating_add(request.offset)),
        };
        let document = Document {
            title: request.title.clone().unwrap_or_else(|| definition.title.clone()),
            subtitle: subtitle(&request, &snapshot),
            summary: definition.summary.clone(),
            columns,
            drawn,
            chart: definition.chart.clone(),
            facts: facts(&request, ask.report, now),
            quality: quality(&request, &snapshot, &view),
            zone: request.zone,
            offset: request.offset,
            limit: request.limit,
            known_until: request.known_until,
            bom: request.bom,
            bare: request.bare,
            links: ask.place.clone().map(|formats| links(formats, report, ask.given, request.zone)),
        };
        debug_assert!(family != Family::Picture || document.columns.is_empty());
        Ok(Self {
            app,
            report,
            snapshot,
            caller: ask.caller.clone(),
            subject: Subject::Report {
                report: ask.report.to_owned(),
                parameters: ask.given.iter().cloned().collect(),
            },
            view,
            request,
            wanted,
            document,
            format: ask.format,
            tag: OnceLock::new(),
        })
    }

    /// Returns the tag that caches know the answer by; none for a caller who sees some license servers alone, to whom it would tell
    /// that the store changed elsewhere.
    #[must_use]
    pub fn public_tag(&self) -> Option<&str> {
        self.caller.access().servers().is_none().then(|| self.tag())
    }

    /// What tells this answer from any other: the same tag is the same answer, but for the time of making.
    #[must_use]
    fn tag(&self) -> &str {
        self.tag.get_or_init(|| self.hashed())
    }

    fn hashed(&self) -> String {
        let mut hash = Sha256::new();
        let parts = [
            env!("CARGO_PKG_VERSION").to_owned(),
            format!("{:?}", self.report.definition()),
            format!("{:?} {:?}", self.request, self.wanted),
            format!("{:?} {:?}", self.format.name(), self.document.links),
            format!("{:?}", self.document.quality),
            // Who may see something else gets another answer.
            format!("{:?} {:?}", self.caller.access().servers(), self.caller.access().names()),
        ];
        hash.update(self.snapshot.fingerprint());
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The days it covers, where it covers any.
    #[must_use]
    pub const fn days(&self) -> Option<(Day, Day)> {
        self.request.days
    }

    /// The doubts about its figures, where there are any.
    #[must_use]
    pub const fn quality(&self) -> Option<&Quality> {
        self.document.quality.as_ref()
    }

    /// Runs it. Its first bytes are there when this returns.
    ///
    /// # Errors
    ///
    /// When the first rows cannot be computed.
    pub async fn run(self) -> Result<Rendering, AppError> {
        let tag = self.tag().to_owned();
        let bid = Bid {
            caller: &self.caller,
            subject: self.subject,
            format: self.format.name(),
            time: self.request.timeout,
        };
        let mut running = self.app.queries.begin(bid).await?;
        let make = || self.report.plan(&self.request, &self.wanted);
        let engine = &self.app.engine;
        let rows = engine.run((tag, make), &self.snapshot, &self.view, running.control()).await;
        let rows = rows.map_err(|error| running.fail(error.into()))?;
        Rendering::start(rows, self.document, self.format, running).await
    }
}

/// The columns that a chart is drawn from, and those that tell features apart.
fn drawn(report: &Report, request: &Request, known: &[Column]) -> Vec<Column> {
    let drawn: Vec<&str> = report.definition().drawn().collect();
    let leading = if request.several_features {
        Column::of_features()
    } else {
        Vec::new()
    };
    let is_drawn = |column: &&Column| drawn.contains(&column.name.as_str()) || leading.iter().any(|leading| leading.name == column.name);
    known.iter().filter(|_| !drawn.is_empty()).filter(is_drawn).cloned().collect()
}

/// What is doubtful about the figures. Lists have none.
fn quality(request: &Request, snapshot: &Snapshot, view: &View) -> Option<Quality> {
    let (first, last) = request.days?;
    let servers = match request.features() {
        Some(features) => features
            .iter()
            .filter_map(|id| snapshot.feature(*id).map(|state| state.feature.server))
            .collect(),
        None => view.servers(snapshot),
    };
    let quality = snapshot.quality(&servers, Some((first, last)), request.zone);
    (!quality.is_clean()).then_some(quality)
}

/// What a document is about: features, days, zone.
fn subtitle(request: &Request, snapshot: &Snapshot) -> String {
    let mut parts = Vec::new();
    match request.features() {
        None if request.several_features => parts.push("all features".to_owned()),
        None => {}
        Some(features) => {
            let name = |id: &i32| {
                let state = snapshot.feature(*id)?;
                let server = snapshot.servers().iter().find(|server| server.server.id == state.feature.server)?;
                Some(format!("{} on {}", state.feature.name, server.server.name))
            };
            let names: Vec<String> = features.iter().take(3).filter_map(name).collect();
            let more = features.len().saturating_sub(3);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            parts.push(format!("{}{more}", names.join(", ")));
        }
    }
    match request.days {
        Some((first, last)) if first == last => parts.push(first.to_string()),
        Some((first, last)) if first < last => parts.push(format!("{first} to {last}")),
        _ => {}
    }
    if request.days.is_some() {
        parts.push(format!("times of {}", request.zone.name()));
    }
    parts.join(" · ")
}

/// What was asked, and when.
fn facts(request: &Request, report: &str, now: Micros) -> Vec<(String, String)> {
    let mut facts = vec![("report".to_owned(), report.to_owned())];
    facts.extend(request.facts.iter().filter(|(name, _)| name != "rn" && name != "timeout").cloned());
    if !request.facts.iter().any(|(name, _)| name == "tz") {
        facts.push(("tz".to_owned(), request.zone.name().to_owned()));
    }
    facts.push(("generated at".to_owned(), printed(now, request.zone)));
    facts
}

fn printed(at: Micros, zone: Zone) -> String {
    format!("{} ({})", wall_clock(zone.local(at)), zone.name())
}

/// What can be asked from a page that shows a report.
fn links(formats: String, report: &Report, given: &[(String, String)], zone: Zone) -> Links {
    let in_path = |name: &str| report.definition().path.contains(&format!("{{{name}}}"));
    let params = report
        .definition()
        .params
        .iter()
        .chain(STANDARD.iter())
        .filter(|param| !in_path(&param.name));
    let field = |param: &crate::report::Param| Field {
        param: param.clone(),
        value: given
            .iter()
            .find(|(name, _)| param.is_called(name))
            .map(|(name, value)| match param.parse(name, value) {
                // A field of a form holds a day.
                Ok(Value::Instant(at)) => zone.day_of(at).to_string(),
                _ => value.clone(),
            })
            .or_else(|| param.default.clone()),
    };
    Links {
        formats,
        query: given.iter().filter(|(name, _)| !in_path(name)).cloned().collect(),
        fields: params.map(field).collect(),
    }
}
