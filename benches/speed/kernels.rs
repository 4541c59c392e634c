//! The kernels over the pieces of one busy day, and over a year of users.
//!
//! `seconds` has pieces that begin and end with whole seconds, as license servers tell them; `microseconds` has the same ones a
//! little later, which have to be sorted.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use headroom::kernel::{Activity, LevelOfQuarter, Peaks, Stay, Sweeper, levels_of_quarters};
use headroom::time::{DAY, Day, Micros, SECOND, Window};

const PIECES: usize = 120_000;
const HOLDERS: usize = 3_000;
const DAYS: i32 = 365;
const USERS: u32 = 5_000;

/// A benchmark a kernel and kind of piece.
pub(crate) fn kernels(criterion: &mut Criterion) {
    let day = Window::new(0, DAY).unwrap();
    let mut group = criterion.benchmark_group("kernels");
    group.throughput(Throughput::Elements(PIECES as u64));
    for (kind, late) in [("seconds", 0), ("microseconds", 250_001)] {
        let stays = stays(late);
        let pieces = stays.iter().map(|stay| (stay.started, stay.ended, 1));
        group.bench_function(BenchmarkId::new("stretches", kind), |bencher| {
            let mut sweeper = Sweeper::default();
            bencher.iter(|| {
                let mut count = 0;
                sweeper.stretches((day, &[day]), pieces.clone(), |level, from, to| {
                    black_box((level, from, to));
                    count += 1;
                });
                count
            });
        });
        group.bench_function(BenchmarkId::new("levels_of_quarters", kind), |bencher| {
            let (mut sweeper, mut rows) = (Sweeper::default(), Vec::<LevelOfQuarter>::new());
            bencher.iter(|| {
                rows.clear();
                levels_of_quarters(day, &mut rows, |each| sweeper.stretches((day, &[day]), pieces.clone(), each));
                black_box(rows.len())
            });
        });
        group.bench_function(BenchmarkId::new("peaks", kind), |bencher| {
            let mut peaks = Peaks::default();
            bencher.iter(|| black_box(peaks.of(&[day], HOLDERS, stays.iter().copied())));
        });
    }
    let activity = activity();
    group.throughput(Throughput::Elements(DAYS as u64));
    group.bench_function("changes of a fortnight", |bencher| bencher.iter(|| black_box(activity.changes())));
    group.finish();
}

/// Pieces in the order of their starts, each of up to two hours, so many microseconds late.
fn stays(late: Micros) -> Vec<Stay> {
    let stay = |piece: usize| {
        let started = (piece * 86_000 / PIECES) as i64 * SECOND + late;
        Stay {
            started,
            ended: (started + (1 + piece as i64 * 7_919 % 7_200) * SECOND).min(DAY),
            holder: (piece * 104_729 % HOLDERS) as u32,
        }
    };
    (0..PIECES).map(stay).collect()
}

/// On each day of a year three of four users.
fn activity() -> Activity {
    let mut activity = Activity::default();
    for day in 0..DAYS {
        let place = activity.place(Day(day));
        for user in (0..USERS).filter(|user| (user + day.unsigned_abs()) % 4 != 0) {
            activity.set(place, user);
        }
    }
    activity
}
