//! What headroom promises, from outside: real files, real sockets, the real program.
//!
//! `model` is an independent, naive reading of the definitions; everything that counts is compared with it. `support` has
//! stores that vanish and servers that stop.

#![expect(unreachable_pub, reason = "a test binary has nothing that others reach")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod access;
mod cli;
mod conformance;
mod containment;
mod contract;
mod crash;
mod docs;
mod doors;
mod examples;
mod export;
mod fence;
mod files;
mod formats;
mod golden;
mod history;
mod idempotence;
mod intake;
mod logs;
mod model;
mod names;
mod operations;
mod properties;
mod quality;
mod readers;
mod refinement;
mod rollups;
mod server;
mod shapes;
mod sources;
mod sql;
mod support;
mod totals;
mod wire;
