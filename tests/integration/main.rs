//! What headroom promises, from outside: real files, real sockets, the real program.
//!
//! `model` is an independent, naive reading of the definitions; everything that counts is compared with it. `support` has
//! stores that vanish and servers that stop.

mod cli;
mod contract;
mod crash;
mod examples;
mod golden;
mod idempotence;
mod model;
mod properties;
mod server;
mod support;
