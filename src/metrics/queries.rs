//! What is counted of queries: who waits, who runs, how they end, and what they take.
//!
//! The invariant: whoever waits or runs is counted for as long as the [`Waiting`] or the [`Running`] lives, so that no way out of
//! a query leaves it counted; a query that ends without a word was cancelled.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::{Labels, Metrics};

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryOutcome {
    /// Its last row was made.
    Done,
    /// It failed in another way than those below.
    Failed,
    /// Its time was over.
    TimedOut,
    /// Nobody wanted its rows any more, or somebody ended it.
    Cancelled,
    /// It needed more memory than it may take.
    OutOfMemory,
}

impl QueryOutcome {
    const ALL: [Self; 5] = [Self::Done, Self::Failed, Self::TimedOut, Self::Cancelled, Self::OutOfMemory];

    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::OutOfMemory => "out_of_memory",
        }
    }
}

/// Why a query was not even begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryRefusal {
    /// Its caller has too many: status 429.
    TooMany,
    /// All callers together have too many, or it waited too long: status 503.
    Unavailable,
}

impl QueryRefusal {
    const ALL: [Self; 2] = [Self::TooMany, Self::Unavailable];

    const fn status(self) -> &'static str {
        match self {
            Self::TooMany => "429",
            Self::Unavailable => "503",
        }
    }
}

/// What is read of the engine at each scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryValue {
    /// Bytes of memory that queries have reserved.
    Memory,
    /// Bytes of memory that they may reserve together.
    MemoryLimit,
    /// Bytes that they keep on the disk.
    Spill,
}

type Read = Box<dyn Fn() -> u64 + Send + Sync>;

/// A value that somebody else knows.
#[derive(Clone)]
struct Watched {
    name: &'static str,
    help: &'static str,
    read: Arc<OnceLock<Read>>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Watched {
    fn new(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            read: Arc::default(),
        }
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let metric = encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?;
        match self.read.get() {
            Some(read) => ConstGauge::new(read()).encode(metric),
            None => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Queries {
    waiting: Gauge,
    running: Gauge,
    admitted: Counter,
    refused: Family<Labels<1>, Counter>,
    ended: Family<Labels<1>, Counter>,
    watched: [Watched; 3],
}

impl Default for Queries {
    fn default() -> Self {
        let queries = Self {
            waiting: Gauge::default(),
            running: Gauge::default(),
            admitted: Counter::default(),
            refused: Family::default(),
            ended: Family::default(),
            watched: [
                Watched::new("headroom_query_memory_bytes", "Memory that queries have reserved."),
                Watched::new("headroom_query_memory_limit_bytes", "Memory that queries may reserve together."),
                Watched::new("headroom_query_spill_bytes", "What queries keep on the disk."),
            ],
        };
        for refusal in QueryRefusal::ALL {
            drop(queries.refused.get_or_create(&[("status", refusal.status().into())]));
        }
        for outcome in QueryOutcome::ALL {
            drop(queries.ended.get_or_create(&[("outcome", outcome.name().into())]));
        }
        queries
    }
}

impl Queries {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "headroom_queries_waiting",
            "Queries that wait until they may run",
            self.waiting.clone(),
        );
        registry.register("headroom_queries_running", "Queries that run", self.running.clone());
        registry.register("headroom_queries_admitted", "Queries that were let run", self.admitted.clone());
        registry.register(
            "headroom_queries_refused",
            "Queries that were not let run, by the status of the answer",
            self.refused.clone(),
        );
        registry.register("headroom_queries", "Queries that ended, by outcome", self.ended.clone());
        for watched in &self.watched {
            registry.register_collector(Box::new(watched.clone()));
        }
    }
}

/// A query that waits until it may run, for as long as this lives.
#[derive(Debug)]
#[must_use = "a query waits for as long as this lives"]
pub struct Waiting(Gauge);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A query that runs, for as long as this lives.
#[derive(Debug)]
#[must_use = "a query runs for as long as this lives"]
pub struct Running {
    running: Gauge,
    ended: Family<Labels<1>, Counter>,
    outcome: QueryOutcome,
}

impl Running {
    /// The query has ended like this.
    pub fn ends(mut self, outcome: QueryOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.running.dec();
        self.ended.get_or_create(&[("outcome", self.outcome.name().into())]).inc();
    }
}

impl Metrics {
    /// A query waits until it may run.
    pub fn query_waits(&self) -> Waiting {
        self.queries.waiting.inc();
        Waiting(self.queries.waiting.clone())
    }

    /// A query may run, and does.
    pub fn query_starts(&self) -> Running {
        self.queries.admitted.inc();
        self.queries.running.inc();
        Running {
            running: self.queries.running.clone(),
            ended: self.queries.ended.clone(),
            outcome: QueryOutcome::Cancelled,
        }
    }

    /// A query may not run.
    pub fn query_refused(&self, refusal: QueryRefusal) {
        self.queries.refused.get_or_create(&[("status", refusal.status().into())]).inc();
    }

    /// Says how to read a value, which has no sample until then. What is said first stays.
    pub fn watch(&self, value: QueryValue, read: impl Fn() -> u64 + Send + Sync + 'static) {
        let _known_already = self.queries.watched[value as usize].read.set(Box::new(read));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Exposition, Readings};
    use super::*;

    /// The samples of queries, by name and labels.
    fn sample(metrics: &Metrics, name: &str) -> Option<u64> {
        let text = metrics.write(&Readings::default(), Exposition::Text).unwrap();
        let mut samples = text.lines().filter_map(|line| line.rsplit_once(' '));
        samples.find(|(known, _)| *known == name).map(|(_, value)| value.parse().unwrap())
    }

    #[test]
    fn a_query_counts_where_it_is() {
        let metrics = Metrics::new(std::iter::empty());
        let all = |metrics: &Metrics| {
            ["waiting", "running", "admitted_total"].map(|name| sample(metrics, &format!("headroom_queries_{name}")).unwrap())
        };
        let ended = |outcome: QueryOutcome| sample(&metrics, &format!("headroom_queries_total{{outcome=\"{}\"}}", outcome.name()));
        assert_eq!(all(&metrics), [0, 0, 0]);
        let (waiting, leaves) = (metrics.query_waits(), metrics.query_waits());
        assert_eq!(all(&metrics), [2, 0, 0]);
        drop(leaves);
        drop(waiting);
        let running = metrics.query_starts();
        assert_eq!(all(&metrics), [0, 1, 1]);
        running.ends(QueryOutcome::TimedOut);
        assert_eq!(all(&metrics), [0, 0, 1]);
        drop(metrics.query_starts());
        assert_eq!(all(&metrics), [0, 0, 2]);
        assert_eq!(
            QueryOutcome::ALL.map(|outcome| ended(outcome).unwrap()),
            [0, 0, 1, 1, 0],
            "without a word it was cancelled"
        );
    }

    #[test]
    fn refusals_have_their_status() {
        let metrics = Metrics::new(std::iter::empty());
        metrics.query_refused(QueryRefusal::TooMany);
        metrics.query_refused(QueryRefusal::TooMany);
        assert_eq!(sample(&metrics, "headroom_queries_refused_total{status=\"429\"}"), Some(2));
        assert_eq!(sample(&metrics, "headroom_queries_refused_total{status=\"503\"}"), Some(0));
    }

    #[test]
    fn a_value_is_read_when_it_is_asked_for() {
        use std::sync::atomic::{AtomicU64, Ordering};
        let metrics = Metrics::new(std::iter::empty());
        let names = [
            "headroom_query_memory_bytes",
            "headroom_query_memory_limit_bytes",
            "headroom_query_spill_bytes",
        ];
        assert_eq!(names.map(|name| sample(&metrics, name)), [None; 3]);
        let bytes = Arc::new(AtomicU64::new(1));
        for (value, place) in [(QueryValue::Memory, 1), (QueryValue::MemoryLimit, 2), (QueryValue::Spill, 3)] {
            let bytes = Arc::clone(&bytes);
            metrics.watch(value, move || bytes.load(Ordering::Relaxed) * place);
        }
        assert_eq!(names.map(|name| sample(&metrics, name)), [Some(1), Some(2), Some(3)]);
        bytes.store(10, Ordering::Relaxed);
        assert_eq!(names.map(|name| sample(&metrics, name)), [Some(10), Some(20), Some(30)]);
    }
}
