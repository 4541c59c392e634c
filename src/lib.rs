//! headroom
pub mod app;
pub mod cli;
pub mod engine;
pub mod event;
pub mod functions;
pub mod generate;
pub mod http;
pub mod import;
pub mod output;
pub mod report;
pub mod store;
pub mod time;
pub mod token;
