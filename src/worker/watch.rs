//! A process that watches its own memory.

use std::fs;
use std::time::Duration;

/// How a worker ends that has taken too much memory.
pub(super) const TOO_MUCH: i32 = 86;

/// How often it looks. What a processor can fill in between is some ten megabytes.
const LOOK: Duration = Duration::from_millis(5);

/// Ends the process when it takes more than so many bytes.
pub(super) fn memory(most: u64) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || {
            let page = rustix::param::page_size() as u64;
            while taken(page).is_none_or(|bytes| bytes <= most) {
                std::thread::sleep(LOOK);
            }
            std::process::exit(TOO_MUCH);
        })
        .map(drop)
}

/// Bytes of memory that belong to the process alone; nothing where the system does not tell.
pub(super) fn taken(page: u64) -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
    let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(resident.saturating_sub(shared) * page)
}

/// Makes the process the first to wait for a processor and the first to go when the machine has no memory left; caps its address
/// space, in case a single step asks for more than there can be.
pub(super) fn step_back(memory: u64) {
    use rustix::process::{Resource, Rlimit, nice, setrlimit};
    // All of it is a courtesy to others: a system that refuses is no reason not to answer.
    let _refused = nice(10);
    let _refused = fs::write("/proc/self/oom_score_adj", "900");
    let most = memory.saturating_mul(4).saturating_add(8 * 1024 * 1024 * 1024);
    let _refused = setrlimit(
        Resource::As,
        Rlimit {
            current: Some(most),
            maximum: Some(most),
        },
    );
    // A core of a query that overflowed its stack is of use to nobody.
    let _refused = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_seen() {
        let page = rustix::param::page_size() as u64;
        let before = taken(page).unwrap();
        let filled = std::hint::black_box(vec![1_u8; 300 * 1024 * 1024]);
        let after = taken(page).unwrap();
        assert!(after > before + 200 * 1024 * 1024, "{before} {after}");
        drop(filled);
    }
}
