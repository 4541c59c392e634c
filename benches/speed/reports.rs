//! Every report of the catalog over 1, 30 and 365 days, from the request to the last byte.
//!
//! The store is made anew from seed 1 at 5,000 events a day, a small site; `HEADROOM_BENCH_EVENTS` makes it a larger one.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use headroom::access::Caller;
use headroom::app::{App, AppOptions, Ask, PATIENCE, import};
use headroom::generate::{Plan, generate, write_ndjson_line};
use headroom::import::{ImportOptions, Input};
use headroom::output::FORMATS;
use headroom::report::ParamType;
use headroom::store::Writer;
use headroom::time::{Day, Zone};

const DAYS: u32 = 365;

/// A group a report.
pub(crate) fn reports(criterion: &mut Criterion) {
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().join("store");
    let last = fill(&root);
    drop(Writer::open(&root, PATIENCE).unwrap());
    let app = App::new(&root, AppOptions::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for report in app.catalog().reports() {
        let definition = report.definition();
        let mut group = criterion.benchmark_group(&definition.name);
        group.sample_size(10);
        for days in [1, 30, 365] {
            let given = given(definition, last, days);
            for format in FORMATS {
                group.bench_function(BenchmarkId::new(format.name(), days), |bencher| {
                    bencher.iter(|| {
                        runtime.block_on(async {
                            let ask = Ask {
                                report: &definition.name,
                                given: &given,
                                format: *format,
                                caller: &Caller::local(),
                                place: None,
                            };
                            let mut rendering = app.prepare(&ask).unwrap().run().await.unwrap();
                            while let Some(piece) = rendering.next().await.unwrap() {
                                black_box(piece);
                            }
                        });
                    });
                });
            }
        }
    }
}

/// Makes a store of a year and returns its last day.
fn fill(root: &std::path::Path) -> Day {
    let events_per_day = option_env!("HEADROOM_BENCH_EVENTS").map_or(5_000, |events| events.parse().unwrap());
    let plan = Plan {
        days: DAYS,
        events_per_day,
        seed: 1,
        first: "2025-01-01".parse().unwrap(),
        zone: Zone::UTC,
    };
    let mut lines = Vec::new();
    generate(&plan, &mut |event| {
        write_ndjson_line(event, &mut lines);
        Ok::<_, ()>(())
    })
    .unwrap();
    let input = Input::stream("bench.ndjson", Box::new(std::io::Cursor::new(lines))).unwrap();
    import(root, input, &ImportOptions::default(), &mut |_, _| {}).unwrap();
    plan.first.plus(DAYS as i32 - 1)
}

/// What a request for a report of so many days says, from the types of its parameters.
fn given(definition: &headroom::report::Definition, last: Day, days: i32) -> Vec<(String, String)> {
    let first = last.plus(1 - days);
    let value = |param: &headroom::report::Param| match (param.kind, param.name.as_str()) {
        (ParamType::Features, _) => Some("1".to_owned()),
        (ParamType::Date, "sd") => Some(first.to_string()),
        (ParamType::Date, _) => Some(last.to_string()),
        (ParamType::Time, _) => Some("09:00".to_owned()),
        (ParamType::ClosingTime, _) => Some("17:00".to_owned()),
        (ParamType::Granularity, _) => Some("DAY".to_owned()),
        _ => None,
    };
    let given = definition
        .params
        .iter()
        .filter_map(|param| Some((param.name.clone(), value(param)?)));
    given.collect()
}
