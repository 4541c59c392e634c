//! The ten rules of the format, each on a log of its own.

use std::io::Cursor;

use crate::event::Event;
use crate::import::flexnet::FlexNet;
use crate::import::{Dialect as _, Flaw, ImportError, Input, ReadOptions, Sink};
use crate::time::rfc3339;

/// What a log was read as, one text an event.
#[derive(Default)]
struct Read {
    events: Vec<String>,
    flaws: Vec<Flaw>,
    packages: Vec<String>,
}

impl Sink for Read {
    fn rows(&mut self, _: u64) {}

    fn event(&mut self, event: &Event<'_>) -> Result<(), ImportError> {
        let time = rfc3339(event.at).trim_end_matches('Z').replace('T', " ");
        let mut text = format!("{time} {} {}", event.daemon, event.kind.name());
        if !event.feature.is_empty() {
            text += &format!(" {} {}@{} {}", event.feature, event.user, event.host, event.licenses);
        }
        for extra in [event.handle, event.group_data, event.project] {
            if !extra.is_empty() {
                text += &format!(" {extra}");
            }
        }
        self.events.push(text);
        Ok(())
    }

    fn flaw(&mut self, flaw: Flaw) -> Result<(), ImportError> {
        self.flaws.push(flaw);
        Ok(())
    }

    fn manager(&mut self, _: &str, _: &str) {}

    fn package(&mut self, daemon: &str, feature: &str, components: &str) {
        self.packages.push(format!("{daemon} {feature}: {components}"));
    }
}

fn read_bytes(log: &[u8], zone: &str, date: Option<&str>) -> Result<Read, ImportError> {
    let mut input = Input::stream("test.log", Box::new(Cursor::new(log.to_vec()))).unwrap();
    let options = ReadOptions {
        zone: zone.parse().unwrap(),
        date: date.map(|date| date.parse().unwrap()),
        is_final: false,
    };
    let mut read = Read::default();
    FlexNet.read(&mut input, &options, &mut read)?;
    Ok(read)
}

fn read(log: &str) -> Read {
    read_bytes(log.as_bytes(), "UTC", None).unwrap()
}

#[test]
fn rule_1_lines_before_the_first_anchor_are_dated_backwards() {
    let log = read(
        "23:50:00 (x) OUT: \"f\" a@h\n\
          0:10:00 (x) IN: \"f\" a@h\n\
         23:00:00 (x) OUT: \"f\" b@h\n\
          1:00:00 (lmgrd) TIMESTAMP 4/8/2019\n\
          2:00:00 (x) IN: \"f\" b@h\n",
    );
    assert_eq!(
        log.events,
        [
            "2019-04-06 23:50:00 x checkout f a@h 1",
            "2019-04-07 00:10:00 x checkin f a@h 1",
            "2019-04-07 23:00:00 x checkout f b@h 1",
            "2019-04-08 02:00:00 x checkin f b@h 1",
        ]
    );
}

#[test]
fn rule_1_a_log_without_any_anchor_needs_a_date() {
    let log = b"23:50:00 (x) OUT: \"f\" a@h\n 0:10:00 (x) IN: \"f\" a@h\n";
    assert!(matches!(read_bytes(log, "UTC", None), Err(ImportError::Undated { .. })));
    let dated = read_bytes(log, "UTC", Some("2019-12-31")).unwrap();
    assert_eq!(
        dated.events,
        ["2019-12-31 23:50:00 x checkout f a@h 1", "2020-01-01 00:10:00 x checkin f a@h 1"]
    );
}

#[test]
fn rule_2_small_steps_back_are_threads_and_anchors_overrule() {
    let log = read(
        "10:00:00 (lmgrd) TIMESTAMP 4/8/2019\n\
         10:00:05 (x) OUT: \"f\" a@h\n\
         10:00:03 (x) OUT: \"f\" b@h\n\
          9:00:00 (x) OUT: \"f\" c@h\n\
         23:59:59 (x) OUT: \"f\" d@h\n\
          0:00:01 (x) OUT: \"f\" e@h\n\
         23:59:58 (x) OUT: \"f\" late@h\n\
          0:00:02 (lmgrd) TIMESTAMP 4/12/2019\n\
          0:00:03 (x) OUT: \"f\" g@h\n",
    );
    let days: Vec<&str> = log.events.iter().map(|event| &event[..19]).collect();
    assert_eq!(
        days,
        [
            "2019-04-08 10:00:05",
            "2019-04-08 10:00:03",
            "2019-04-08 09:00:00",
            "2019-04-08 23:59:59",
            "2019-04-09 00:00:01",
            "2019-04-08 23:59:58",
            "2019-04-12 00:00:03",
        ]
    );
}

#[test]
fn rule_3_the_zone_is_told_and_the_repeated_hour_keeps_the_order_of_the_file() {
    let log = b" 1:00:00 (lmgrd) (@lmgrd-SLOG@) Start-Date: Sun Oct 30 2016 01:00:00 Romance Daylight Time\n\
                 2:50:00 (x) OUT: \"f\" a@h\n\
                 2:10:00 (x) IN: \"f\" a@h\n\
                 2:09:58 (x) OUT: \"f\" b@h\n\
                 3:05:00 (x) IN: \"f\" b@h\n";
    let read = read_bytes(log, "Europe/Paris", None).unwrap();
    let times: Vec<&str> = read.events.iter().map(|event| &event[..19]).collect();
    assert_eq!(
        times,
        [
            "2016-10-30 00:50:00",
            "2016-10-30 01:10:00",
            "2016-10-30 01:09:58",
            "2016-10-30 02:05:00"
        ]
    );
}

#[test]
fn rule_4_suffixes_are_no_part_of_who_holds_what() {
    let log = read(
        "12:00:00 (lmgrd) TIMESTAMP 4/8/2019\n\
         12:31:00 (x) OUT: \"f\" user@host [d] (2 licenses)\n\
         12:31:40 (x) IN: \"f\" user@host [d] (2 licenses)  (INACTIVE)\n\
         12:31:41 (x) IN: \"f\" user@host [d] (2 licenses) (SHUTDOWN)\n",
    );
    let holders: Vec<&str> = log.events.iter().map(|event| event.split_once(" f ").unwrap().1).collect();
    assert_eq!(holders, ["user@host 2 d"; 3]);
}

#[test]
fn rule_6_a_restart_ends_what_was_open_at_the_last_instant_seen() {
    let log = read(
        " 9:00:00 (lmgrd) FlexNet Licensing (v11) started on srv (linux) (1/5/2026)\n\
          9:00:05 (x) Server started on srv for: f\n\
         10:00:00 (x) OUT: \"f\" a@h\n\
         12:00:00 (lmgrd) TIMESTAMP 1/5/2026\n\
         13:00:00 (lmgrd) FlexNet Licensing (v11) started on srv (linux) (1/5/2026)\n\
         13:00:05 (x) Server started on srv for: f\n\
         14:00:00 (x) OUT: \"f\" b@h\n\
         15:00:00 (x) EXITING DUE TO SIGNAL 15\n",
    );
    assert_eq!(
        log.events,
        [
            "2026-01-05 09:00:05 x server_up",
            "2026-01-05 10:00:00 x checkout f a@h 1",
            "2026-01-05 12:00:00 x server_down",
            "2026-01-05 13:00:05 x server_up",
            "2026-01-05 14:00:00 x checkout f b@h 1",
            "2026-01-05 15:00:00 x server_down",
        ]
    );
}

#[test]
fn rule_6_every_way_to_stop_counts() {
    for stop in [
        "EXITING DUE TO SIGNAL 2 Exit reason 5",
        "Shutting down",
        "Lost communications with lmgrd.",
    ] {
        let log = read(&format!(
            "10:00:00 (lmgrd) TIMESTAMP 1/5/2026\n10:00:01 (x) OUT: \"f\" a@h\n10:00:02 (x) {stop}\n"
        ));
        assert_eq!(log.events.last().unwrap(), "2026-01-05 10:00:02 x server_down", "{stop}");
    }
}

#[test]
fn rule_7_names_hold_anything() {
    let mut log = b"10:00:00 (lmgrd) TIMESTAMP 1/5/2026\r\n10:00:01 (x) OUT: \"a \"b\" </script>\" DOM\\Ren".to_vec();
    log.extend(b"\xe9 D@WS 1  (2 licenses)\r\n\r\n\tnoise\r\n10:00:02 (x) OUT: \"f\" a@b@c\r\n");
    let read = read_bytes(&log, "UTC", None).unwrap();
    assert_eq!(
        read.events,
        [
            "2026-01-05 10:00:01 x checkout a \"b\" </script> DOM\\Ren\u{fffd} D@WS 1 2",
            "2026-01-05 10:00:02 x checkout f a@b@c 1",
        ]
    );
    assert_eq!(read.flaws.len(), 1);
    assert_eq!(read.flaws[0].line, 2);
}

#[test]
fn rule_8_packages_are_recorded_and_logged_as_they_are() {
    let log = read(
        "10:00:00 (lmgrd) TIMESTAMP 1/5/2026\n\
         10:00:01 (x) SUITE (consisting of:\t\tA \n\
         10:00:01 (x) B) \n\
         10:00:02 (x) OUT: \"SUITE\" a@h\n\
         10:00:02 (x) OUT: \"A\" a@h\n",
    );
    assert_eq!(log.packages, ["x SUITE: A B"]);
    assert_eq!(log.events.len(), 2);
}

#[test]
fn rule_9_daemons_are_told_apart() {
    let log = read(
        "10:00:00 (lmgrd) TIMESTAMP 1/5/2026\n\
         10:00:01 (x) OUT: \"f\" a@h\n\
         10:00:01 (y) OUT: \"f\" a@h\n\
         10:00:02 (y) EXITING DUE TO SIGNAL 15\n",
    );
    assert_eq!(
        log.events,
        [
            "2026-01-05 10:00:01 x checkout f a@h 1",
            "2026-01-05 10:00:01 y checkout f a@h 1",
            "2026-01-05 10:00:02 y server_down"
        ]
    );
}

#[test]
fn rule_10_verbose_logs_have_handles_on_the_line_or_after_it() {
    let log = read(
        "10:00:00 (lmgrd) TIMESTAMP 1/5/2026\n\
         10:00:01 (x) OUT: \"f\" a@h ^^^ 1.0 a 10.0.0.1 77 0x2f 1 3 apollo 11 19 ^^^\n\
         10:00:02 (x) OUT: \"f\" a@h\n\
         10:00:02 (x) ^^^ 1.0 a 10.0.0.1 77 0x30 2 3 apollo ^^^\n\
         10:00:03 (x) OUT: \"f\" b@h\n\
         ^^^ 1.0 b 10.0.0.2 78 31 3 3 zeus ^^^\n",
    );
    assert_eq!(
        log.events,
        [
            "2026-01-05 10:00:01 x checkout f a@h 1 0x2f apollo",
            "2026-01-05 10:00:02 x checkout f a@h 1 0x30 apollo",
            "2026-01-05 10:00:03 x checkout f b@h 1 31 zeus",
        ]
    );
}

#[test]
fn date_stamps_are_instants_and_mix_with_times_of_day() {
    let log = b"2026-09-01T09:10:11-04:00 (acme) OUT: \"f\" a@h\n 9:10:12 (acme) IN: \"f\" a@h\n";
    let read = read_bytes(log, "America/New_York", None).unwrap();
    assert_eq!(
        read.events,
        [
            "2026-09-01 13:10:11 acme checkout f a@h 1",
            "2026-09-01 13:10:12 acme checkin f a@h 1"
        ]
    );
}

#[test]
fn a_line_cut_off_is_one_bad_line() {
    let log = read("10:00:00 (lmgrd) TIMESTAMP 1/5/2026\n10:00:01 (x) OUT: \"f\n10:00:02 (x) OUT: \"f\" a@h\n");
    assert_eq!((log.events.len(), log.flaws.len(), log.flaws[0].line), (1, 1, 2));
}
