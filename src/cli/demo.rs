//! `headroom demo`

use std::path::{Path, PathBuf};

use clap::Args;

use super::serve::ListenArgs;
use super::{generate, import, say};
use crate::app;
use crate::generate::Plan;
use crate::import::ImportOptions;
use crate::store;
use crate::time::{DAY, Day, Zone};

/// Make a store of generated events, serve it, and say what to try
///
/// The last 90 days of a site with three license servers. A store that is there already is served as it is.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder of the store
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    store: PathBuf,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// How many events a day, on average
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    events_per_day: u64,
    #[command(flatten)]
    listen: ListenArgs,
}

impl DemoArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if !store::exists(&self.store) {
            self.fill()?;
        }
        let (first, last) = days_of(&self.store)?;
        self.listen.serve(&self.store, |address| {
            let base = format!("http://{address}/api/v1");
            let days = format!("sd={first}&ed={last}");
            say(format_args!(
                "
serving {store} on http://{address}; try:

  which features there are, and their numbers
    curl '{base}/feature/json'
  who was refused feature 1, and when
    curl '{base}/report/feature/1/denials/csv?{days}&limit=10'
  how often, month by month
    curl '{base}/report/feature/1/denials/grouped/json?{days}&grat=MONTH'
  how many licenses were in use for how many of the working hours
    curl '{base}/report/feature/1/utilization-history/csv?{days}&st=09:00&et=17:00'
  how many users and hosts were active, day by day
    curl '{base}/report/users/realtime-count/csv'
  the same without a server
    headroom report users-count --store {store} --format csv

Ctrl-C ends it; the store stays.",
                store = self.store.display()
            ));
        })
    }

    fn fill(&self) -> anyhow::Result<()> {
        let yesterday = Zone::UTC.day_of(app::now() - DAY);
        let plan = Plan {
            days: self.days,
            events_per_day: self.events_per_day,
            seed: 1,
            first: yesterday.plus(1 - i32::try_from(self.days)?),
            zone: Zone::UTC,
        };
        // The events are kept beside the store: they are the demonstration of an import as well.
        let mut events = self.store.clone().into_os_string();
        events.push(".ndjson.zst");
        let events = PathBuf::from(events);
        if let Some(folder) = events.parent() {
            make_folder(folder)?;
        }
        let totals = generate::write(&plan, &events)?;
        say(format_args!(
            "generated {} events of {} days: {}",
            totals.all(),
            plan.days,
            events.display()
        ));
        let tally = import::import_file(&self.store, &events, &ImportOptions::default())?;
        say(format_args!("imported into {}: {tally}", self.store.display()));
        Ok(())
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).create(folder)
}

/// The days that the store knows.
fn days_of(root: &Path) -> anyhow::Result<(Day, Day)> {
    let snapshot = store::Watcher::new(root).snapshot()?;
    let first = snapshot.servers().iter().filter_map(|server| server.first).min();
    let last = snapshot.servers().iter().filter_map(|server| server.last).max();
    let day = |at: Option<i64>| at.map_or(Day(0), |at| snapshot.zone().day_of(at));
    // The last instant of a day is midnight, the first one of the next.
    Ok((day(first), day(last.map(|at| at - 1))))
}
