//! headroom
pub mod event;
pub mod import;
pub mod store;
pub mod time;
