//! `headroom init`

use clap::Args;

use super::{StoreArgs, say};
use crate::store;
use crate::time::Zone;

/// Make a store
///
/// The days of a store are those of its zone, for ever: choose the zone of the people who read the reports. Reports in
/// other zones (`tz=`) are exact too, and read a little more.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Zone of the store's days, an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: Zone,
}

impl InitArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        store::create(&self.store.store, self.timezone)?;
        say(format_args!(
            "made a store at {} in zone {}",
            self.store.store.display(),
            self.timezone
        ));
        Ok(())
    }
}
