//! How fast it is: every report, and every format.
//!
//! ```sh
//! cargo bench                      # everything
//! cargo bench -- users-count/30    # what contains these words
//! cargo bench -- encoders/csv
//! ```

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

mod encoders;
mod reports;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, encoders::encoders, reports::reports);
criterion_main!(benches);
