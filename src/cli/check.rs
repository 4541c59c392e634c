//! `headroom check`

use clap::Args;

use super::{StoreArgs, say, show};
use crate::app::PATIENCE;
use crate::store::Writer;

/// Check a store: every file's checksum, rows, order and days, and that what is derived follows from the events
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    store: StoreArgs,
}

impl CheckArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let bar = show::steps_bar("checking", "files");
        let mut writer = Writer::open(&self.store.store, PATIENCE)?;
        let summary = writer.check(&mut |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })?;
        bar.finish_and_clear();
        say(format_args!(
            "{} files, {} rows, {} bytes",
            summary.files, summary.rows, summary.bytes
        ));
        for flaw in &summary.flaws {
            say(flaw);
        }
        anyhow::ensure!(summary.flaws.is_empty(), "{} flaws", summary.flaws.len());
        say("everything is as it should be");
        Ok(())
    }
}
