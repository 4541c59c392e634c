//! `headroom generate`

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::{say, show};
use crate::generate::{Plan, Totals, generate, write_ndjson_line};
use crate::time::{Day, Zone};

/// Write realistic usage events, the same ones for the same seed
///
/// Three license servers, working hours and weekends, popular and rare features, sessions over midnight, denials when all
/// licenses are in use, restarts. The events are neutral NDJSON; a file called .gz or .zst is compressed.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..=36_600))]
    pub(super) days: u32,
    /// How many events a day, on average
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(super) events_per_day: u64,
    /// Which events: another seed is another site
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
    /// First day
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2026-01-01")]
    pub(super) first: Day,
    /// Zone of the site's working hours
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(super) timezone: Zone,
    /// File to write; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

impl GenerateArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let plan = Plan {
            days: self.days,
            events_per_day: self.events_per_day,
            seed: self.seed,
            first: self.first,
            zone: self.timezone,
        };
        let totals = write(&plan, &self.output).with_context(|| format!("cannot write {}", self.output.display()))?;
        if self.output != Path::new("-") {
            say(format_args!(
                "wrote {} events of {} days to {}",
                totals.all(),
                plan.days,
                self.output.display()
            ));
        }
        Ok(())
    }
}

/// Writes the events of a plan to a file.
pub(super) fn write(plan: &Plan, path: &Path) -> io::Result<Totals> {
    let out: Box<dyn Write> = if path == Path::new("-") {
        Box::new(io::stdout().lock())
    } else {
        Box::new(File::options().write(true).create(true).truncate(true).open(path)?)
    };
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension {
        "gz" => {
            let mut out = flate2::write::GzEncoder::new(BufWriter::new(out), flate2::Compression::fast());
            let totals = write_lines(plan, &mut out)?;
            out.finish()?.flush()?;
            Ok(totals)
        }
        "zst" => {
            let mut out = zstd::stream::write::Encoder::new(BufWriter::new(out), 1)?;
            let totals = write_lines(plan, &mut out)?;
            out.finish()?.flush()?;
            Ok(totals)
        }
        _ => {
            let mut out = BufWriter::new(out);
            let totals = write_lines(plan, &mut out)?;
            out.flush()?;
            Ok(totals)
        }
    }
}

fn write_lines(plan: &Plan, out: &mut dyn Write) -> io::Result<Totals> {
    const PIECE: usize = 256 * 1024;
    let bar = show::steps_bar("generating", "events");
    bar.set_length(u64::from(plan.days) * plan.events_per_day);
    let mut lines = Vec::with_capacity(2 * PIECE);
    let totals = generate(plan, &mut |event| {
        write_ndjson_line(event, &mut lines);
        if lines.len() >= PIECE {
            out.write_all(&lines)?;
            lines.clear();
            bar.set_position(event.line);
        }
        io::Result::Ok(())
    })?;
    out.write_all(&lines)?;
    bar.finish_and_clear();
    Ok(totals)
}
