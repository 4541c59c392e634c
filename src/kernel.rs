//! Kernels: what is computed over the pieces of one day, without sorting them.
//!
//! ```text
//!   pieces of a day ─▶ stretches (level, from, to) ─▶ Histogram          time at each level inside windows
//!                                                  ─▶ levels of quarters  the same for every quarter of an hour, kept as a rollup
//!                   ─▶ peaks                                             the most holders at one instant
//!                   ─▶ Activity, a bit a day and holder                  users of a day, of a fortnight, of ever
//! ```
//!
//! A day has 86,400 seconds, and license servers tell seconds: an array with a place for each of them is cheaper than sorting
//! hundreds of thousands of edges (`seconds`). Pieces that begin or end between seconds are sorted. The same kernels make rollups when days
//! are derived and answer reports where there are none, so that the two cannot differ in what they mean.

mod activity;
mod bits;
mod histogram;
mod peak;
mod quarters;
mod seconds;
mod stretches;

pub use self::activity::{Activity, Change};
pub(crate) use self::bits::ones;
pub(crate) use self::histogram::Histogram;
pub use self::peak::{Peaks, Stay};
pub(crate) use self::quarters::quarter_of;
pub use self::quarters::{LevelOfQuarter, levels_of_quarters};
pub use self::stretches::Sweeper;
