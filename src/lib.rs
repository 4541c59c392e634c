//! Analytics of software-license usage: who was refused, when and how often; how many licenses of a feature were in use, for
//! how many of the working hours; how many users and hosts are active.
//!
//! ```text
//!  logs, NDJSON, CSV, Parquet                      GET|POST /api/v1/report/feature/3/denials/csv?sd=…&ed=…
//!          │ import                                                │ http
//!          ▼                                                       ▼
//!   dialect ─▶ events ──commit──▶ store ──snapshot──▶ engine ◀─plan─ report ◀── queries/reports/*.sql
//!                  │                │                   │ rows
//!                  └─ derive ───────┘                   ▼
//!      sessions, denials, by day              output: json, csv, xlsx, svg … ──▶ whoever asked
//! ```
//!
//! | to change | go to |
//! |---|---|
//! | what an event, a session or a denial is | [`event`], and how one follows from the other: `store::derive` |
//! | days, zones, working hours, periods | [`time`] |
//! | a format that comes in | `import/`, and the list [`import::DIALECTS`] |
//! | how files and commits work | [`store`] |
//! | loops over the pieces of a day; what is kept of them as rollups | `kernel/`; `store/derive/rollups.rs` |
//! | what SQL can call | `functions/`, and the list [`functions::FUNCTIONS`] |
//! | how queries run and stop | [`engine`] |
//! | what SQL of others may do, and where it runs | [`engine`]: `engine/sql.rs`; [`worker`] |
//! | how many queries run at once, who waits, what they may use | [`app`]: `app/queries.rs` |
//! | a report | `queries/reports/`: a file is all there is to it; how it is read: [`report`] |
//! | a filter, an order, a choice of columns | [`report`]: `report/filter.rs`, `order.rs`, `selection.rs` |
//! | tables as files for others | [`export`] |
//! | a format that goes out | `output/`, and the list [`output::FORMATS`] |
//! | how a chart looks; how a page of PDF does | [`chart`]; [`paper`] |
//! | routes, errors and their codes | [`http`] |
//! | what psql, drivers and dashboards of PostgreSQL say and hear | [`pg`] |
//! | ids of requests, lines in the log | `http/trace.rs`, [`telemetry`] |
//! | a metric | [`metrics`] for what is counted, `http/metrics.rs` for what is read at each scrape |
//! | who sees and may do what | [`access`], [`token`]; how the tables are fenced: [`engine`] |
//! | a command | `cli/` |
//!
//! Layers call downwards only: `main → cli → http, pg → app → output → report → worker → engine → functions → store → kernel → access, event, time`,
//! `cli → export → output`, `import → store`, and `output → chart, paper`; `metrics` and `telemetry` call nobody, and whoever counts
//! calls `metrics`. `clippy.toml` keeps the walls. [`app`] puts everything together and is the only one that reads the clock.
//!
//! Where this differs from what a reader may expect of the field's models:
//!
//! - There is one engine, not a session for each request: plans are compiled against tables without rows, and the tables of a
//!   snapshot take their places when a plan runs, so that no name is resolved twice.
//! - Reports, whose plans are ours, run in the server's own process and share its caches. SQL that somebody else wrote runs in one that may
//!   die: no guard knows all that a planner or a function may do.
//! - Charts and pages are laid out by our own code: libraries for charts draw well, but none decides as one would by hand where the
//!   marks of a utilization curve or ten thousand bars go, in SVG and PDF alike; and one picture for both needs no second renderer.
//! - The OpenAPI document is plain JSON made from the catalog of reports; there are no handlers of single reports to annotate.
//! - A day of a table is one file, however large. Files are rewritten by day; there is nothing to compact.

pub mod access;
pub mod app;
pub mod chart;
pub mod cli;
pub mod engine;
pub mod event;
pub mod export;
pub mod functions;
pub mod generate;
pub mod http;
pub mod import;
pub mod kernel;
pub mod machine;
pub mod metrics;
pub mod output;
pub mod paper;
pub mod pg;
pub mod report;
pub mod store;
pub mod suggest;
pub mod telemetry;
pub mod time;
pub mod token;
pub mod worker;
