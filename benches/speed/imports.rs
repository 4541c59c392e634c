//! Imports of about 200,000 events into a store of their own, from each format.
//!
//! ```sh
//! cargo bench -- import/flexnet
//! ```

use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use criterion::{BatchSize, Criterion, Throughput};
use headroom::app::import;
use headroom::event::{Event, Kind};
use headroom::generate::{Plan, generate, write_ndjson_line};
use headroom::import::{ImportOptions, Input};
use headroom::time::{DAY, HOUR, MINUTE, SECOND, Zone, rfc3339};
use parquet::arrow::ArrowWriter;

const DAYS: u32 = 10;
const EVENTS_PER_DAY: u64 = 20_000;

/// Times the import of each format.
pub(crate) fn imports(criterion: &mut Criterion) {
    let plan = Plan {
        days: DAYS,
        events_per_day: EVENTS_PER_DAY,
        seed: 1,
        first: "2025-01-01".parse().unwrap(),
        zone: Zone::UTC,
    };
    let mut formats = Formats::default();
    generate(&plan, &mut |event| {
        formats.add(event);
        Ok::<_, ()>(())
    })
    .unwrap();
    let events = formats.times.len() as u64;
    let parquet = formats.parquet();
    let inputs = [
        ("ndjson", formats.ndjson),
        ("csv", formats.csv.into_bytes()),
        ("flexnet", formats.flexnet.into_bytes()),
        ("parquet", parquet),
    ];
    for (name, bytes) in inputs {
        let mut group = criterion.benchmark_group(format!("import/{name}"));
        group.sample_size(10).throughput(Throughput::Elements(events));
        group.bench_function("200k", |bencher| {
            let folder = || tempfile::TempDir::new().unwrap();
            bencher.iter_batched_ref(
                || (folder(), Some(bytes.clone())),
                |(folder, bytes)| {
                    let input = Input::stream("bench", Box::new(Cursor::new(bytes.take().unwrap()))).unwrap();
                    import(&folder.path().join("store"), input, &ImportOptions::default(), &mut |_, _| {}).unwrap()
                },
                BatchSize::PerIteration,
            );
        });
    }
}

/// The same events in each format, as far as it can tell them.
#[derive(Default)]
struct Formats {
    ndjson: Vec<u8>,
    csv: String,
    flexnet: String,
    day: i64,
    times: Vec<i64>,
    licenses: Vec<i64>,
    texts: [Vec<String>; 7],
}

/// The texts that CSV and Parquet have.
const TEXTS: [&str; 7] = ["event", "server", "feature", "user", "host", "handle", "reason"];

impl Formats {
    fn add(&mut self, event: &Event<'_>) {
        write_ndjson_line(event, &mut self.ndjson);
        let texts = [
            event.kind.name(),
            event.server,
            event.feature,
            event.user,
            event.host,
            event.handle,
            event.reason,
        ];
        if self.csv.is_empty() {
            writeln!(self.csv, "time,licenses,{}", TEXTS.join(",")).unwrap();
        }
        let quoted = texts.map(|text| format!("\"{text}\""));
        writeln!(self.csv, "{},{},{}", rfc3339(event.at), event.licenses, quoted.join(",")).unwrap();
        self.times.push(event.at);
        self.licenses.push(i64::from(event.licenses));
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.push(text.to_owned());
        }
        self.add_line(event);
    }

    fn add_line(&mut self, event: &Event<'_>) {
        let (day, time) = (event.at.div_euclid(DAY), event.at.rem_euclid(DAY));
        let clock = format!("{:2}:{:02}:{:02}", time / HOUR, time / MINUTE % 60, time / SECOND % 60);
        if day != self.day {
            let date = rfc3339(event.at);
            let (year, month, day_of_month) = (&date[..4], &date[5..7], &date[8..10]);
            writeln!(self.flexnet, "{clock} (lmgrd) TIMESTAMP {month}/{day_of_month}/{year}").unwrap();
            self.day = day;
        }
        let (word, suffix) = match event.kind {
            Kind::Checkout => ("OUT", String::new()),
            Kind::Checkin => ("IN", "  (INACTIVE)".to_owned()),
            Kind::Denial => ("DENIED", "  (Licensed number of users already reached. (-4,342))".to_owned()),
            _ => return,
        };
        let (feature, user, host) = (event.feature, event.user, event.host);
        let licenses = match event.licenses {
            1 => String::new(),
            count => format!("  ({count} licenses)"),
        };
        writeln!(
            self.flexnet,
            "{clock} ({}) {word}: \"{feature}\" {user}@{host}{licenses}{suffix}",
            event.server
        )
        .unwrap();
    }

    fn parquet(&self) -> Vec<u8> {
        let times = TimestampMicrosecondArray::from(self.times.clone()).with_timezone("UTC");
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("time", Arc::new(times)),
            ("licenses", Arc::new(Int64Array::from(self.licenses.clone()))),
        ];
        for (name, texts) in TEXTS.iter().zip(&self.texts) {
            let texts: StringArray = texts.iter().map(|text| (!text.is_empty()).then_some(text)).collect();
            columns.push((name, Arc::new(texts)));
        }
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }
}
