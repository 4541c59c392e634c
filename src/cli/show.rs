//! Progress, for people who watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of bytes that are read on another thread. It shows nothing where standard error is no terminal.
pub(super) fn bytes_bar(name: &str, total: Option<u64>, read: Arc<AtomicU64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total).with_style(style("{msg} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta}")),
        None => ProgressBar::new_spinner().with_style(style("{msg} {spinner} {bytes} {bytes_per_sec}")),
    };
    bar.set_message(name.to_owned());
    let watched = bar.clone();
    std::thread::spawn(move || {
        while !watched.is_finished() {
            // Once days are derived the bar counts those.
            if watched.message().starts_with(DERIVING) {
                return;
            }
            watched.set_position(read.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    bar
}

const DERIVING: &str = "deriving";

/// Turns a bar into one of days that are derived.
pub(super) fn count_days(bar: &ProgressBar, done: usize, total: usize) {
    if !bar.message().starts_with(DERIVING) {
        bar.set_message(DERIVING);
        bar.set_style(style("{msg} [{bar:32}] {pos}/{len} days {eta}"));
        bar.set_length(total as u64);
    }
    bar.set_position(done as u64);
}

/// A bar of steps.
pub(super) fn steps_bar(name: &str, unit: &str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_style(style("{msg} [{bar:32}] {pos}/{len} {prefix} {eta}"));
    bar.set_message(name.to_owned());
    bar.set_prefix(unit.to_owned());
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_malformed| ProgressStyle::default_bar())
}
