//! Every format over the same sessions, from the rows to the last byte.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, DictionaryArray, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use criterion::{Criterion, Throughput};
use headroom::output::{Document, Ending, FORMATS};
use headroom::report::columns_of;
use headroom::time::{Day, SECOND};

/// Batches, as they come out of the engine.
const BATCHES: usize = 4;
const ROWS: usize = 8192;

/// A benchmark a format.
pub(crate) fn encoders(criterion: &mut Criterion) {
    let batches = sessions();
    let (columns, schema) = columns_of(&batches[0].schema());
    let renamed = |batch: &RecordBatch| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).unwrap();
    let batches: Vec<RecordBatch> = batches.iter().map(renamed).collect();
    let mut group = criterion.benchmark_group("encoders");
    group.sample_size(10);
    group.throughput(Throughput::Elements((BATCHES * ROWS) as u64));
    for format in FORMATS {
        group.bench_function(format.name(), |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                let mut encoder = format.encoder(Document::of_columns(columns.clone()));
                let mut write = |step: &mut dyn FnMut(&mut Vec<u8>)| {
                    out.clear();
                    step(&mut out);
                    black_box(&out);
                };
                write(&mut |out| encoder.begin(out).unwrap());
                for batch in &batches {
                    write(&mut |out| encoder.rows(batch, out).unwrap());
                }
                let mut ending = Ending::More;
                while ending == Ending::More {
                    write(&mut |out| ending = encoder.end((BATCHES * ROWS) as u64, out).unwrap());
                }
            });
        });
    }
}

/// Sessions of one day: in order of their start, of people and hosts that come again and again.
fn sessions() -> Vec<RecordBatch> {
    let names =
        |name: &str, count: usize| -> ArrayRef { Arc::new((0..count).map(|n| Some(format!("{name}-{n:04}"))).collect::<StringArray>()) };
    let (users, hosts) = (names("user", 4000), names("rnd-node", 3000));
    let day: Day = "2025-03-03".parse().unwrap();
    let midnight = i64::from(day.0) * 86_400 * SECOND;
    let batch = |batch: usize| {
        let rows = batch * ROWS..(batch + 1) * ROWS;
        let instants = |second: fn(i64) -> i64| -> ArrayRef {
            let at = rows.clone().map(|row| midnight + second(row as i64) * SECOND);
            Arc::new(TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC"))
        };
        let numbers =
            |most: usize| -> ArrayRef { Arc::new(Int32Array::from_iter_values(rows.clone().map(|row| 1 + (row * 7919 % most) as i32))) };
        let texts = |values: &ArrayRef, step: usize| -> ArrayRef {
            let keys = Int32Array::from_iter_values(rows.clone().map(|row| (row * step % values.len()) as i32));
            Arc::new(DictionaryArray::new(keys, Arc::clone(values)))
        };
        let continues: BooleanArray = rows.clone().map(|row| Some(row % 5 == 0)).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("started", instants(|row| row * 2)),
            ("ended", instants(|row| row * 2 + row * 7919 % 20_000)),
            ("session_started", instants(|row| row * 2 - row * 104_729 % 9_000)),
            ("continues", Arc::new(continues)),
            ("server_id", numbers(4)),
            ("feature_id", numbers(40)),
            ("user_name", texts(&users, 7919)),
            ("host", texts(&hosts, 104_729)),
            ("licenses", numbers(3)),
            ("day", Arc::new(Date32Array::from_value(day.0, ROWS))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    (0..BATCHES).map(batch).collect()
}
