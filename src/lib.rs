//! headroom
pub mod engine;
pub mod event;
pub mod functions;
pub mod import;
pub mod report;
pub mod store;
pub mod time;
