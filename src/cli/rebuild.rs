//! `headroom rebuild`

use clap::Args;

use super::{StoreArgs, say, show};
use crate::app::PATIENCE;
use crate::store::Writer;

/// Derive sessions and denials anew from the events
///
/// What comes out is equal to the byte to what is there, unless that was damaged or an older version derived it.
#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    store: StoreArgs,
}

impl RebuildArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let bar = show::steps_bar("deriving", "days");
        let mut writer = Writer::open(&self.store.store, PATIENCE)?;
        let summary = writer.rebuild(&mut |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })?;
        bar.finish_and_clear();
        say(format_args!(
            "derived {} days: {} files, {} of them other than before",
            summary.days, summary.files, summary.changed
        ));
        Ok(())
    }
}
