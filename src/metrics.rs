//! Metrics: what the program counts while it runs, in the words of Prometheus.
//!
//! ```text
//!   requests, reports, imports ──▶ Metrics ──────┐
//!   queries, store, licenses, process ─▶ Readings ─┴──▶ text, at each scrape
//! ```
//!
//! The invariant: the labels of what is counted come from what the program knows itself (routes, methods, reports, outcomes),
//! never from what a caller wrote, so that there are only so many series.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Names and values of labels.
type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];
/// A histogram for each set of labels.
type Histograms<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// Upper bounds of the time that an answer takes, in seconds.
const ANSWER_SECONDS: [f64; 15] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];
/// Upper bounds of the time that an import takes, in seconds.
const IMPORT_SECONDS: [f64; 9] = [0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0, 1800.0, 7200.0];

/// How many panics there were.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts and logs every panic of the process from now on, in whichever thread.
pub fn count_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let place = panic.location().map(ToString::to_string);
        let reason = panic.payload_as_str().unwrap_or("no reason given");
        tracing::error!(place, reason, "a panic");
    }));
}

/// How many panics there were since they are counted.
#[must_use]
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// What the program counts from its start on.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    in_flight: Gauge,
    errors: Family<Labels<1>, Counter>,
    sent_bytes: Counter,
    report_first_byte: Histograms<1>,
    report_whole: Histograms<1>,
    report_bytes: Family<Labels<1>, Counter>,
    imports: Family<Labels<1>, Counter>,
    import_events: Counter,
    import_seconds: Histogram,
}

/// A request whose answer has ended.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The pattern of its path.
    pub route: &'a str,
    /// Its method.
    pub method: &'static str,
    /// The status of the answer; nothing where the client left before there was one.
    pub status: Option<u16>,
    /// The code of the error that it is, if it is one.
    pub code: Option<u16>,
    /// The bytes of the body that were sent.
    pub bytes: u64,
    /// The report that was computed, if one was.
    pub report: Option<Computed<'a>>,
}

/// A report that was computed and sent.
#[derive(Debug, Clone, Copy)]
pub struct Computed<'a> {
    /// Its name.
    pub name: &'a str,
    /// How long its first byte took.
    pub first_byte: Duration,
    /// How long all of it took, where all of it was sent.
    pub whole: Option<Duration>,
}

/// How an import ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    /// Everything is in the store.
    Done,
    /// The file cannot be imported.
    Refused,
    /// Another process was writing all the time.
    Busy,
    /// It is our fault.
    Failed,
}

impl ImportOutcome {
    const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Busy, Self::Failed];

    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}

impl Metrics {
    /// Counts nothing yet. Every report has its series from the start.
    pub fn new<'a>(reports: impl Iterator<Item = &'a str>) -> Self {
        let answer = || Histogram::new(ANSWER_SECONDS);
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            in_flight: Gauge::default(),
            errors: Family::default(),
            sent_bytes: Counter::default(),
            report_first_byte: Family::new_with_constructor(answer),
            report_whole: Family::new_with_constructor(answer),
            report_bytes: Family::default(),
            imports: Family::default(),
            import_events: Counter::default(),
            import_seconds: Histogram::new(IMPORT_SECONDS),
        };
        for report in reports {
            let labels = [("report", Cow::Owned(report.to_owned()))];
            drop(metrics.report_first_byte.get_or_create(&labels));
            drop(metrics.report_whole.get_or_create(&labels));
            drop(metrics.report_bytes.get_or_create(&labels));
        }
        for outcome in ImportOutcome::ALL {
            drop(metrics.imports.get_or_create(&[("outcome", outcome.name().into())]));
        }
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "headroom_http_requests",
            "Requests whose answer has ended, by pattern of the path, method and class of the status",
            self.requests.clone(),
        );
        registry.register(
            "headroom_http_requests_in_flight",
            "Requests whose answer has not ended",
            self.in_flight.clone(),
        );
        registry.register("headroom_http_errors", "Errors of the API by their code", self.errors.clone());
        registry.register(
            "headroom_http_sent_bytes",
            "Bytes of bodies sent, as they were encoded",
            self.sent_bytes.clone(),
        );
        registry.register(
            "headroom_report_first_byte_seconds",
            "From the request to the first byte of a report",
            self.report_first_byte.clone(),
        );
        registry.register(
            "headroom_report_seconds",
            "From the request to the last byte of a report that was sent as a whole",
            self.report_whole.clone(),
        );
        registry.register(
            "headroom_report_sent_bytes",
            "Bytes of reports sent, as they were encoded",
            self.report_bytes.clone(),
        );
        registry.register("headroom_imports", "Imports over HTTP by outcome", self.imports.clone());
        registry.register(
            "headroom_import_events",
            "Events that imports over HTTP added to the store",
            self.import_events.clone(),
        );
        registry.register(
            "headroom_import_seconds",
            "How long imports over HTTP took that were done, without the upload",
            self.import_seconds.clone(),
        );
        self
    }

    /// A request has come. It is in flight until what this gives is dropped.
    #[must_use]
    pub fn request_begins(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// An answer has ended.
    pub fn request_ends(&self, answered: &Answered<'_>) {
        let class = match answered.status {
            Some(status) => format!("{}xx", status / 100).into(),
            None => Cow::Borrowed("none"),
        };
        let route = Cow::Owned(answered.route.to_owned());
        let labels = [("route", route), ("method", answered.method.into()), ("status", class)];
        self.requests.get_or_create(&labels).inc();
        if let Some(code) = answered.code {
            self.errors.get_or_create(&[("code", code.to_string().into())]).inc();
        }
        self.sent_bytes.inc_by(answered.bytes);
        if let Some(report) = answered.report {
            let labels = [("report", Cow::Owned(report.name.to_owned()))];
            self.report_bytes.get_or_create(&labels).inc_by(answered.bytes);
            self.report_first_byte
                .get_or_create(&labels)
                .observe(report.first_byte.as_secs_f64());
            if let Some(whole) = report.whole {
                self.report_whole.get_or_create(&labels).observe(whole.as_secs_f64());
            }
        }
    }

    /// An import has ended that added so many events to the store.
    pub fn import_ends(&self, outcome: ImportOutcome, events: u64, took: Duration) {
        self.imports.get_or_create(&[("outcome", outcome.name().into())]).inc();
        self.import_events.inc_by(events);
        if outcome == ImportOutcome::Done {
            self.import_seconds.observe(took.as_secs_f64());
        }
    }

    /// Everything that was counted, and what was read besides.
    ///
    /// # Errors
    ///
    /// None: text can always be made longer.
    pub fn write(&self, readings: &Readings, exposition: Exposition) -> Result<String, fmt::Error> {
        write(&[&self.registry, &readings.0], exposition)
    }
}

fn write(registries: &[&Registry], exposition: Exposition) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for registry in registries {
        encode_registry(&mut text, registry)?;
    }
    match exposition {
        Exposition::OpenMetrics => encode_eof(&mut text)?,
        Exposition::Text => text = with_totals(&text)?,
    }
    Ok(text)
}

/// A request whose answer has not ended.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Text,
}

impl Exposition {
    /// What it is called in HTTP.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The one difference of the older format that we meet: a counter is described by the name that its samples have.
fn with_totals(text: &str) -> Result<String, fmt::Error> {
    let is_counter = |line: &str| line.starts_with("# TYPE ") && line.ends_with(" counter");
    let mut written = String::with_capacity(text.len() + text.len() / 32);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let described = line.strip_prefix("# ").and_then(|rest| {
            let of_counter = is_counter(line) || rest.starts_with("HELP ") && lines.peek().is_some_and(|next| is_counter(next));
            let (keyword, rest) = rest.split_once(' ').filter(|_| of_counter)?;
            let (name, rest) = rest.split_once(' ')?;
            Some((keyword, name, rest))
        });
        match described {
            Some((keyword, name, rest)) => writeln!(written, "# {keyword} {name}_total {rest}")?,
            None => writeln!(written, "{line}")?,
        }
    }
    Ok(written)
}

/// Values that are read when somebody asks, and not counted.
#[derive(Debug, Default)]
pub struct Readings(Registry);

impl Readings {
    /// Returns them alone as text, without what is counted.
    ///
    /// # Errors
    ///
    /// None: text can always be made longer.
    pub fn write(&self, exposition: Exposition) -> Result<String, fmt::Error> {
        write(&[&self.0], exposition)
    }

    /// A value.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.0.register(name, help, ConstGauge::new(value));
    }

    /// A count.
    pub fn count(&mut self, name: &str, help: &str, value: u64) {
        self.0.register(name, help, ConstGauge::new(value));
    }

    /// A value that never falls while the process lives; its name gets `_total` at its end.
    pub fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.0.register(name, help, ConstCounter::new(value));
    }

    /// A count that never falls while the process lives, for each value of a label; the name gets `_total` at its end.
    pub fn counters(&mut self, name: &str, help: &str, label: &'static str, values: impl Iterator<Item = (&'static str, u64)>) {
        let family: Family<[(&'static str, &'static str); 1], Counter> = Family::default();
        for (value, count) in values {
            family.get_or_create(&[(label, value)]).inc_by(count);
        }
        self.0.register(name, help, family);
    }

    /// A count for each set of labels.
    pub fn counts<const N: usize>(&mut self, name: &str, help: &str, values: impl Iterator<Item = ([(&'static str, String); N], u64)>) {
        let family: Family<[(&'static str, String); N], Gauge<u64, AtomicU64>> = Family::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(metrics: &Metrics, exposition: Exposition) -> Vec<String> {
        let text = metrics.write(&Readings::default(), exposition).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn has(metrics: &Metrics, line: &str) -> bool {
        told(metrics, Exposition::Text).iter().any(|told| told == line)
    }

    #[test]
    fn the_older_format_names_counters_as_their_samples() {
        let metrics = Metrics::new(std::iter::empty());
        let (open, text) = (told(&metrics, Exposition::OpenMetrics), told(&metrics, Exposition::Text));
        assert_eq!(open.last().unwrap(), "# EOF");
        assert!(open.contains(&"# TYPE headroom_import_events counter".to_owned()));
        assert!(text.contains(&"# TYPE headroom_import_events_total counter".to_owned()));
        let help = "# HELP headroom_import_events_total Events that imports over HTTP added to the store.";
        assert!(text.contains(&help.to_owned()));
        assert!(text.contains(&"# TYPE headroom_http_requests_in_flight gauge".to_owned()));
        let samples = |lines: &[String]| lines.iter().filter(|line| !line.starts_with('#')).cloned().collect::<Vec<_>>();
        let (mut open, mut text) = (samples(&open), samples(&text));
        open.sort_unstable();
        text.sort_unstable();
        assert_eq!(open, text, "the samples are the same");
    }

    #[test]
    fn a_label_ends_no_line() {
        let mut readings = Readings::default();
        readings.counts("x", "X", [([("name", "a\"b\\c\nd 1\n# TYPE y counter".to_owned())], 7)].into_iter());
        let text = Metrics::new(std::iter::empty()).write(&readings, Exposition::Text).unwrap();
        assert!(
            text.ends_with("# TYPE x gauge\nx{name=\"a\\\"b\\\\c\\nd 1\\n# TYPE y counter\"} 7\n"),
            "{text}"
        );
    }

    #[test]
    fn a_request_is_counted_when_it_ends() {
        let metrics = Metrics::new(["denials"].into_iter());
        let in_flight = metrics.request_begins();
        assert!(has(&metrics, "headroom_http_requests_in_flight 1"));
        drop(in_flight);
        assert!(has(&metrics, "headroom_http_requests_in_flight 0"));
        assert!(has(&metrics, "headroom_report_seconds_count{report=\"denials\"} 0"));
        let mut answered = Answered {
            route: "/a/{b}",
            method: "GET",
            status: Some(404),
            code: Some(1201),
            bytes: 10,
            report: None,
        };
        metrics.request_ends(&answered);
        answered.report = Some(Computed {
            name: "denials",
            first_byte: Duration::from_millis(20),
            whole: None,
        });
        (answered.status, answered.code) = (Some(200), None);
        metrics.request_ends(&answered);
        answered.status = None;
        answered.report = None;
        metrics.request_ends(&answered);
        for class in ["4xx", "2xx", "none"] {
            let line = format!("headroom_http_requests_total{{route=\"/a/{{b}}\",method=\"GET\",status=\"{class}\"}} 1");
            assert!(has(&metrics, &line), "{line}");
        }
        assert!(has(&metrics, "headroom_http_errors_total{code=\"1201\"} 1"));
        assert!(has(&metrics, "headroom_http_sent_bytes_total 30"));
        assert!(has(&metrics, "headroom_report_sent_bytes_total{report=\"denials\"} 10"));
        assert!(has(
            &metrics,
            "headroom_report_first_byte_seconds_bucket{le=\"0.01\",report=\"denials\"} 0"
        ));
        assert!(has(
            &metrics,
            "headroom_report_first_byte_seconds_bucket{le=\"0.025\",report=\"denials\"} 1"
        ));
        assert!(has(&metrics, "headroom_report_seconds_count{report=\"denials\"} 0"), "it was cut");
    }

    #[test]
    fn an_import_that_failed_took_no_time() {
        let metrics = Metrics::new(std::iter::empty());
        metrics.import_ends(ImportOutcome::Refused, 0, Duration::from_secs(1));
        metrics.import_ends(ImportOutcome::Done, 16, Duration::from_secs(2));
        assert!(has(&metrics, "headroom_imports_total{outcome=\"refused\"} 1"));
        assert!(has(&metrics, "headroom_imports_total{outcome=\"failed\"} 0"));
        assert!(has(&metrics, "headroom_import_events_total 16"));
        assert!(has(&metrics, "headroom_import_seconds_sum 2.0"));
        assert!(has(&metrics, "headroom_import_seconds_count 1"));
    }
}
