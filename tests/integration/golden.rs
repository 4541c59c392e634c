//! The sample in `data/`: answers derived by hand in its README, and those that the project's README shows.

use crate::support::{run, run_ok};

/// A store of the sample, in a folder that vanishes.
pub fn store() -> (tempfile::TempDir, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    let sample = |name: &str| format!("{}/data/{name}", env!("CARGO_MANIFEST_DIR"));
    run_ok(&["init", "--store", &store, "--timezone", "Europe/Berlin"]);
    run_ok(&["import", "--store", &store, "--server", "flex01", &sample("acme.log")]);
    run_ok(&["import", "--store", &store, &sample("lab.csv"), &sample("lab.ndjson")]);
    (folder, store)
}

#[test]
fn every_answer_is_the_one_worked_out_by_hand() {
    let (_folder, store) = store();
    let answers = check_answers(&store, include_str!("../../data/README.md"));
    assert!(answers >= 8, "only {answers} answers in data/README.md");
    assert!(check_answers(&store, include_str!("../../README.md")) >= 3);
}

/// Runs the commands that a document shows and compares what they say. Returns how many there are.
fn check_answers(store: &str, document: &str) -> usize {
    let mut answers = 0;
    // ```console
    // $ headroom report …
    // the answer
    // ```
    for block in document.split("```console\n").skip(1) {
        let block = block.split("\n```").next().unwrap();
        for example in block.split("$ headroom ").skip(1) {
            let (command, answer) = example.split_once('\n').unwrap();
            // What stands between double quotes is one argument, as a shell has it.
            let parts = command.split('"').enumerate().flat_map(|(place, part)| {
                let words: Vec<&str> = if !place.is_multiple_of(2) {
                    vec![part]
                } else {
                    part.split_ascii_whitespace().collect()
                };
                words
            });
            let args: Vec<&str> = parts.map(|arg| if arg == "STORE" { store } else { arg }).collect();
            let told = run_ok(&args).replace("\r\n", "\n");
            assert_eq!(told.trim_end(), answer.trim_end(), "headroom {command}");
            answers += 1;
        }
    }
    answers
}

#[test]
fn the_sample_is_sound() {
    let (_folder, store) = store();
    assert!(run(&["check", "--store", &store]).status.success());
}
