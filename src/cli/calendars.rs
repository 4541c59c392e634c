//! `--calendar NAME=FILE`: calendars of holidays for `holidays=`. A file has a date or a range of dates a line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::report::Calendars;

/// What the option is for, for people.
pub(super) const HELP: &str = "A calendar of holidays that reports know by name (holidays=NAME): a file with a date like 2026-12-25, or a \
                               range like 2026-12-24..2026-12-26, on each line; words may follow, # begins a comment";

/// Reads one value of the option.
pub(super) fn pair(text: &str) -> Result<(String, PathBuf), String> {
    let pair = text.split_once('=').filter(|(name, file)| !name.is_empty() && !file.is_empty());
    let (name, file) = pair.ok_or_else(|| format!("{text:?} is not NAME=FILE"))?;
    Ok((name.to_owned(), Path::new(file).to_owned()))
}

/// Reads the files of calendars.
///
/// # Errors
///
/// When a file cannot be read or makes no sense.
pub(super) fn read<'a>(pairs: impl IntoIterator<Item = &'a (String, PathBuf)>) -> anyhow::Result<Calendars> {
    let mut calendars = Calendars::default();
    for (name, file) in pairs {
        let place = || format!("calendar {name} in {}", file.display());
        let text = std::fs::read_to_string(file).with_context(place)?;
        calendars.add(name, &text).with_context(place)?;
    }
    Ok(calendars)
}
