//! Killed at any instant, a store holds all of a file or nothing of it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{PROGRAM, contents, flaws, run, run_ok};

fn generate(path: &Path, days: u32, per_day: u32, seed: u32) {
    let path = path.to_str().unwrap();
    let (days, per_day, seed) = (days.to_string(), per_day.to_string(), seed.to_string());
    run_ok(&[
        "generate",
        "--days",
        &days,
        "--events-per-day",
        &per_day,
        "--seed",
        &seed,
        "-o",
        path,
    ]);
}

fn import<'a>(store: &'a str, file: &'a str) -> [&'a str; 6] {
    ["import", "--store", store, "--server", "s", file]
}

#[test]
fn an_importer_that_is_killed_leaves_all_or_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (first, second) = (path("first.ndjson"), path("second.ndjson"));
    generate(first.as_ref(), 20, 300, 1);
    generate(second.as_ref(), 40, 300, 2);

    // What the store is before, and after an import that nobody kills.
    let (clean, crashed) = (path("clean"), path("crashed"));
    run_ok(&import(&clean, &first));
    let before = contents(clean.as_ref());
    let began = Instant::now();
    run_ok(&import(&clean, &second));
    let whole = began.elapsed();
    let after = contents(clean.as_ref());
    assert_ne!(before, after);

    run_ok(&import(&crashed, &first));
    let (mut killed, mut finished) = (0, 0);
    let steps = 40;
    for step in 0..steps {
        let mut child = Command::new(PROGRAM)
            .args(import(&crashed, &second))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(step) * 1.1 / f64::from(steps)));
        child.kill().unwrap();
        let _reaped = child.wait().unwrap();
        assert_eq!(flaws(crashed.as_ref()), [""; 0], "after a kill at step {step}");
        let now = contents(crashed.as_ref());
        if now == before {
            killed += 1;
        } else {
            assert_eq!(now, after, "half an import at step {step}");
            finished += 1;
            // The ledger and the ids of a store that has it all must not disturb the next round.
            std::fs::remove_dir_all(&crashed).unwrap();
            run_ok(&import(&crashed, &first));
        }
    }
    assert!(
        killed >= steps / 4,
        "only {killed} of {steps} kills came before the end, {finished} after it"
    );
    run_ok(&import(&crashed, &second));
    assert_eq!(contents(crashed.as_ref()), after);
    assert_eq!(flaws(crashed.as_ref()), [""; 0]);
}

#[test]
fn an_undo_that_is_killed_leaves_all_or_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (first, second) = (path("first.ndjson"), path("second.ndjson"));
    generate(first.as_ref(), 20, 300, 1);
    generate(second.as_ref(), 40, 300, 2);
    let store = path("store");
    run_ok(&import(&store, &first));
    let without = contents(store.as_ref());
    run_ok(&import(&store, &second));
    let with = contents(store.as_ref());
    let undo = |number: u32| ["imports", "undo", "--store", &store, &number.to_string()].map(str::to_owned);
    let began = Instant::now();
    run_ok(&undo(2).each_ref().map(String::as_str));
    let whole = began.elapsed();
    assert_eq!(contents(store.as_ref()), without);

    let (mut number, mut killed) = (3, 0);
    run_ok(&import(&store, &second));
    let steps = 24;
    for step in 0..steps {
        let mut child = Command::new(PROGRAM)
            .args(undo(number))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(step) * 1.1 / f64::from(steps)));
        child.kill().unwrap();
        let _reaped = child.wait().unwrap();
        assert_eq!(flaws(store.as_ref()), [""; 0], "after a kill at step {step}");
        let now = contents(store.as_ref());
        if now == with {
            killed += 1;
        } else {
            assert_eq!(now, without, "half an undo at step {step}");
            run_ok(&import(&store, &second));
            number += 1;
        }
    }
    assert!(killed > 0, "no kill came before the end");
    run_ok(&undo(number).each_ref().map(String::as_str));
    assert_eq!(contents(store.as_ref()), without);
    assert_eq!(flaws(store.as_ref()), [""; 0]);
}

#[test]
fn a_second_importer_waits_for_the_first() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (first, second, store) = (path("first.ndjson"), path("second.ndjson"), path("store"));
    generate(first.as_ref(), 10, 300, 1);
    generate(second.as_ref(), 10, 300, 2);
    run_ok(&["init", "--store", &store]);
    let spawn = |file: &str| {
        Command::new(PROGRAM)
            .args(import(&store, file))
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut both = [spawn(&first), spawn(&second)];
    assert!(both.iter_mut().all(|child| child.wait().unwrap().success()));
    assert_eq!(flaws(store.as_ref()), [""; 0]);
    let other = path("other");
    run_ok(&import(&other, &first));
    run_ok(&import(&other, &second));
    assert_eq!(contents(store.as_ref()), contents(other.as_ref()));
}

#[test]
fn a_writer_that_waits_too_long_says_for_whom() {
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().join("store");
    headroom::store::create(&root, headroom::time::Zone::UTC).unwrap();
    let held = headroom::store::Writer::open(&root, Duration::ZERO).unwrap();
    let error = headroom::store::Writer::open(&root, Duration::from_millis(200))
        .unwrap_err()
        .to_string();
    assert!(error.contains("another process is writing") && error.contains("store"), "{error}");
    drop(held);
    headroom::store::Writer::open(&root, Duration::ZERO).unwrap();
}

#[test]
fn a_check_finds_what_was_damaged() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store");
    let events = folder.path().join("x.ndjson");
    generate(&events, 5, 200, 1);
    let name = store.to_str().unwrap();
    run_ok(&import(name, events.to_str().unwrap()));
    assert!(run_ok(&["check", "--store", name]).contains("everything is as it should be"));

    let snapshot = headroom::store::Watcher::new(&store).snapshot().unwrap();
    let of = |table| store.join(snapshot.files(table).values().next().unwrap().path());
    let (events, sessions) = (of(headroom::event::Table::Events), of(headroom::event::Table::Sessions));
    let damaged = |change: &dyn Fn(), word: &str| {
        let kept: Vec<(_, Vec<u8>)> = [&events, &sessions].map(|path| (path, std::fs::read(path).unwrap())).into();
        change();
        let output = run(&["check", "--store", name]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && said.contains(word), "{said}");
        for (path, bytes) in kept {
            std::fs::write(path, bytes).unwrap();
        }
        assert!(run(&["check", "--store", name]).status.success());
    };
    let flip = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    damaged(&|| flip(&events), "not those that were written");
    damaged(&|| flip(&sessions), "sessions/day=");
    damaged(&|| std::fs::write(&events, b"PAR1").unwrap(), "bytes instead of");
    damaged(&|| std::fs::remove_file(&sessions).unwrap(), "No such file");
}
