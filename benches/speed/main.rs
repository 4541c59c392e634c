//! How fast it is: every report, every format that goes out and every one that comes in, and the kernels.
//!
//! ```sh
//! cargo bench                      # everything
//! cargo bench -- users-count/30    # what contains these words
//! cargo bench -- encoders/csv
//! cargo bench -- import/flexnet
//! cargo bench -- kernels/
//! ```

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

mod encoders;
mod imports;
mod kernels;
mod reports;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, kernels::kernels, encoders::encoders, imports::imports, reports::reports);
criterion_main!(benches);
