//! Logs of FlexNet as license servers really write them, each with the figures that were worked out by hand.

use serde_json::Value;

use crate::support::run_ok;

/// A store with one log in it, and the summary of its import.
struct Site {
    _folder: tempfile::TempDir,
    store: String,
    summary: Value,
}

impl Site {
    fn new(log: &[u8]) -> Self {
        Self::with(log, &[])
    }

    fn with(log: &[u8], options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (store, file) = (path("store"), path("server.log"));
        std::fs::write(&file, log).unwrap();
        let import = ["import", "--store", &store, "--timezone", "UTC", "--server", "lic", "--json", &file];
        let summary = run_ok(&[&import[..], options].concat());
        let site = Self {
            store,
            summary: serde_json::from_str(&summary).unwrap(),
            _folder: folder,
        };
        assert!(run_ok(&["check", "--store", &site.store]).contains("files"));
        site
    }

    /// The rows of a query, columns with commas between.
    fn rows(&self, sql: &str) -> Vec<String> {
        let csv = run_ok(&["sql", "--store", &self.store, "--format", "csv", sql]);
        csv.lines().skip(1).map(str::to_owned).collect()
    }

    /// User, licenses, first and last time of day of each session.
    fn sessions(&self) -> Vec<String> {
        self.rows(
            "SELECT user_name, min(licenses), to_char(min(started), '%H:%M:%S'), to_char(max(ended), '%H:%M:%S') FROM sessions
             GROUP BY user_name, host, session_started, feature_id ORDER BY session_started, user_name",
        )
    }

    fn events(&self) -> Vec<String> {
        self.rows("SELECT event, count(*) FROM events GROUP BY event ORDER BY event")
    }

    /// Orphans, open, truncated, ambiguous, unparsed.
    fn doubts(&self) -> [u64; 5] {
        [
            "orphanCheckins",
            "openSessions",
            "truncatedByRestart",
            "ambiguousMatches",
            "unparsedLines",
        ]
        .map(|key| self.summary[key].as_u64().unwrap())
    }

    fn status(&self) -> Vec<String> {
        self.rows("SELECT vendor, status FROM servers ORDER BY vendor")
    }
}

macro_rules! log {
    ($name:literal) => {
        include_bytes!(concat!("logs/", $name, ".log"))
    };
}

#[test]
fn a_reread_ends_nothing() {
    let site = Site::new(log!("reread"));
    assert_eq!(site.events(), ["checkin,3", "checkout,3", "server_up,1"]);
    assert_eq!(site.doubts(), [0; 5]);
    assert_eq!(
        site.sessions(),
        ["ada,1,09:00:00,17:00:00", "bob,1,09:05:00,17:10:00", "cyd,1,12:30:00,17:20:00"]
    );
    let utilization = |incd: &str| {
        let day = [
            "--feature",
            "1",
            "--sd",
            "2022-05-05",
            "--ed",
            "2022-05-05",
            "--st",
            "00:00",
            "--et",
            "24:00",
        ];
        let args = [
            "report",
            "utilization-history",
            "--store",
            &site.store,
            "--format",
            "csv",
            "--incd",
            incd,
        ];
        let csv = run_ok(&[&args[..], &day].concat());
        csv.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(utilization("true"), ["1,8.33,34.72", "2,8.08,33.68", "3,4.5,18.75"]);
    assert_eq!(utilization("false"), ["1,8.33,96.6", "2,8.08,93.7", "3,4.5,52.17"]);
}

#[test]
fn returns_of_a_shutdown_are_returns() {
    for log in [&log!("shutdown")[..], log!("shutdown-same-second")] {
        let site = Site::new(log);
        assert_eq!(site.events(), ["checkin,2", "checkout,2", "server_down,1", "server_up,1"]);
        assert_eq!(site.doubts(), [0; 5]);
        assert_eq!(site.status(), ["MLM,OFFLINE"]);
        assert_eq!(site.sessions().len(), 2);
    }
    assert_eq!(
        Site::new(log!("shutdown-same-second")).sessions(),
        ["ada,1,10:30:00,11:00:00", "bob,1,10:31:00,11:00:00"]
    );
}

#[test]
fn a_daemon_that_exits_is_down_whether_it_comes_again_or_not() {
    let site = Site::new(log!("crash-restarted"));
    assert_eq!(site.events(), ["checkin,1", "checkout,2", "server_down,1", "server_up,2"]);
    assert_eq!(site.sessions(), ["ada,1,09:00:00,10:30:00", "ada,1,10:45:00,11:00:00"]);
    assert_eq!(site.doubts(), [0, 0, 1, 0, 0]);
    let site = Site::new(log!("crash-for-good"));
    assert_eq!(site.sessions(), ["ada,1,09:00:00,10:30:00"]);
    assert_eq!(
        (site.doubts(), site.status()),
        ([0, 0, 1, 0, 0], vec!["ABAQUSLM,OFFLINE".to_owned()])
    );
}

#[test]
fn verbose_logs_have_the_user_before_the_host_or_between_the_carets() {
    for (log, events) in [
        (&log!("verbose-user-inside")[..], &["checkin,2", "checkout,2", "denial,1"][..]),
        (log!("verbose-user-outside"), &["checkin,2", "checkout,2"]),
    ] {
        let site = Site::new(log);
        assert_eq!(site.events(), events);
        assert_eq!(site.doubts(), [0; 5]);
        assert_eq!(site.sessions(), ["ada,2,12:44:15,13:10:00", "ada,1,12:50:00,13:00:00"]);
        let projects = site.rows("SELECT coalesce(project, 'none') FROM events WHERE event = 'checkout' ORDER BY at");
        assert_eq!(projects, ["wing study", "none"]);
        let peak =
            site.rows("SELECT sum(licenses) FROM sessions WHERE started <= '2026-02-27T12:55:00Z' AND ended > '2026-02-27T12:55:00Z'");
        assert_eq!(peak, ["3"]);
    }
    let denied = Site::new(log!("verbose-user-inside")).rows("SELECT user_name, host, reason_class, is_true FROM denials");
    assert_eq!(denied, ["bob,n2,capacity,true"]);
}

#[test]
fn a_daemon_with_nothing_to_serve_is_down() {
    let site = Site::new(log!("nothing-to-serve"));
    assert_eq!(site.status(), ["ibmratl,OFFLINE", "rational,ONLINE"]);
    assert_eq!(
        (site.sessions(), site.doubts()),
        (vec!["ada,1,21:10:00,22:00:00".to_owned()], [0; 5])
    );
}

#[test]
fn text_from_windows_and_truncated_logs_is_text() {
    for (name, log) in [
        ("mark", &log!("mark")[..]),
        ("utf16le", log!("utf16le")),
        ("utf16le-without-mark", log!("utf16le-without-mark")),
        ("leading-nuls", log!("leading-nuls")),
    ] {
        let site = Site::new(log);
        assert_eq!(site.sessions(), ["ada,1,10:00:05,10:30:00"], "{name}");
        assert_eq!(site.doubts(), [0; 5], "{name}");
    }
    let site = Site::new(log!("mark-event-first"));
    assert_eq!(
        (site.sessions(), site.doubts()),
        (vec!["ada,1,10:00:00,10:30:00".to_owned()], [0; 5])
    );
}

#[test]
fn some_of_several_licenses_may_come_back() {
    let site = Site::new(log!("partial-return"));
    assert_eq!(site.doubts(), [0, 0, 0, 0, 0]);
    let pieces = site.rows(
        "SELECT user_name, licenses, to_char(started, '%d %H:%M:%S'), to_char(ended, '%d %H:%M:%S') FROM sessions ORDER BY started, user_name",
    );
    assert_eq!(
        pieces,
        [
            "ada,2,01 08:00:00,01 09:00:00",
            "bob,1,01 08:15:00,01 10:00:00",
            "ada,1,01 09:00:00,01 11:00:00",
            "gus,3,02 08:00:01,02 08:30:00",
            "gus,1,02 08:30:00,02 09:00:00",
        ]
    );
    let hours =
        site.rows("SELECT round(sum(licenses * (date_part('epoch', ended) - date_part('epoch', started))) / 3600, 4) FROM sessions");
    assert_eq!(hours, ["7.7492"]);
    // One session each, whatever came back when.
    let sessions = site.rows("SELECT count(*) FROM sessions WHERE started = session_started");
    assert_eq!(sessions, ["3"]);
    assert_eq!(site.rows("SELECT licenses FROM denials"), ["3"]);
}

#[test]
fn the_rest_of_several_licenses_is_held_over_midnight() {
    let log = b"2026-09-01T22:00:00Z (acme) OUT: \"f\" ada@h (5 licenses)\n\
                2026-09-01T23:00:00Z (acme) IN: \"f\" ada@h (2 licenses)\n\
                2026-09-02T01:00:00-0400 (acme) IN: \"f\" ada@h\n\
                2026-09-02T06:00:00Z (acme) IN: \"f\" ada@h (2 licenses)\n";
    let site = Site::new(log);
    let pieces = site.rows("SELECT licenses, to_char(started, '%d %H:%M'), to_char(ended, '%d %H:%M') FROM sessions ORDER BY started");
    assert_eq!(
        pieces,
        [
            "5,01 22:00,01 23:00",
            "3,01 23:00,02 00:00",
            "3,02 00:00,02 05:00",
            "2,02 05:00,02 06:00"
        ]
    );
    assert_eq!(site.doubts(), [0; 5]);
}

#[test]
fn a_line_with_a_damaged_time_is_one_bad_line() {
    let site = Site::new(log!("broken-clock"));
    assert_eq!(
        (site.events(), site.doubts()),
        (vec!["checkin,1".to_owned(), "checkout,1".to_owned()], [0, 0, 0, 0, 2])
    );
    let lines: Vec<u64> = site.summary["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [4, 5]);
}

#[test]
fn a_reason_may_touch_the_version() {
    let site = Site::new(log!("version-glued"));
    let denied = site.rows("SELECT reason_code, reason_class, is_true FROM denials");
    assert_eq!(denied, ["-25,not_entitled,false"; 3]);
}

#[test]
fn a_last_line_without_its_end_waits() {
    let whole = log!("reread");
    let text = std::str::from_utf8(whole).unwrap().trim_end();
    let site = Site::new(text.as_bytes());
    assert_eq!(site.summary["unterminatedLines"], 1);
    assert_eq!(site.events(), ["checkin,2", "checkout,3", "server_up,1"]);
    let site = Site::with(text.as_bytes(), &["--final"]);
    assert_eq!(
        (site.summary["unterminatedLines"].clone(), site.events()[0].as_str()),
        (0.into(), "checkin,3")
    );
}

#[test]
fn any_beginning_of_a_log_and_then_the_whole_is_the_whole() {
    let whole = log!("crash-restarted");
    let expected = crate::support::Store::new("UTC");
    let import = |store: &crate::support::Store, log: &[u8]| {
        let input = headroom::import::Input::stream("lic.log", Box::new(std::io::Cursor::new(log.to_vec()))).unwrap();
        store.app.import(input, &headroom::import::ImportOptions::default())
    };
    import(&expected, whole).unwrap();
    let store = crate::support::Store::new("UTC");
    for cut in (0..whole.len()).step_by(13) {
        store.reset("UTC");
        // A beginning without an event is refused.
        let _perhaps_refused = import(&store, &whole[..cut]);
        import(&store, whole).unwrap();
        assert_eq!(store.contents(), expected.contents(), "cut at {cut}");
    }
}

#[test]
fn nights_of_less_than_twelve_hours_are_nights() {
    let log = b"20:00:00 (lmgrd) TIMESTAMP 3/2/2026\n\
                20:10:00 (x) OUT: \"f\" ada@h\n\
                 9:00:00 (x) IN: \"f\" ada@h\n\
                 8:30:00 (x) OUT: \"f\" late@h\n\
                 9:05:00 (x) IN: \"f\" late@h\n";
    let site = Site::new(log);
    let days = site.rows("SELECT event, user_name, to_char(at, '%d %H:%M') FROM events ORDER BY line");
    assert_eq!(
        days,
        [
            "checkout,ada,02 20:10",
            "checkin,ada,03 09:00",
            "checkout,late,03 08:30",
            "checkin,late,03 09:05"
        ]
    );
}

#[test]
fn forks_and_managers_are_no_vendors() {
    let log = b" 9:00:00 (lmadmin) FlexNet Licensing (v11.18 build 1 x64_lsb) started on lic (linux) (3/2/2026)\n\
                 9:00:01 (acmed) Server started on lic for: f\n\
                 9:10:00 (acmed_1) OUT: \"f\" ada@h\n\
                 9:20:00 (acmed) OUT: \"f\" bob@h\n\
                 9:30:00 (acmed_2) IN: \"f\" ada@h\n\
                12:00:00 (lmadmin) EXITING DUE TO SIGNAL 15\n";
    let site = Site::new(log);
    assert_eq!(site.status(), ["acmed,OFFLINE"]);
    assert_eq!(site.sessions(), ["ada,1,09:10:00,09:30:00", "bob,1,09:20:00,12:00:00"]);
    assert_eq!(site.doubts(), [0, 0, 1, 0, 0]);
}

#[test]
fn a_second_manager_that_gives_up_ends_nothing() {
    let log = b" 9:00:00 (lmgrd) FlexNet Licensing (v11.18 build 1 x64_lsb) started on lic (linux) (3/2/2026)\n\
                 9:00:01 (acmed) Server started on lic for: f\n\
                 9:10:00 (acmed) OUT: \"f\" ada@h\n\
                10:00:00 (lmgrd) FlexNet Licensing (v11.18 build 1 x64_lsb) started on lic (linux) (3/2/2026)\n\
                10:00:00 (lmgrd) The TCP port number in the license, 27000, is already in use.\n\
                10:00:01 (lmgrd) EXITING DUE TO SIGNAL 9\n\
                11:00:00 (acmed) IN: \"f\" ada@h\n";
    let site = Site::new(log);
    assert_eq!(
        (site.sessions(), site.doubts()),
        (vec!["ada,1,09:10:00,11:00:00".to_owned()], [0; 5])
    );
    assert_eq!(site.events(), ["checkin,1", "checkout,1", "server_up,1"]);
}

#[test]
fn a_quiet_server_is_up_for_as_long_as_its_log_goes_on() {
    let log = b" 9:00:00 (lmgrd) TIMESTAMP 3/2/2026\n\
                 9:10:00 (acmed) OUT: \"f\" ada@h\n\
                18:00:00 (lmgrd) TIMESTAMP 3/2/2026\n";
    let site = Site::new(log);
    assert_eq!(
        (site.sessions(), site.doubts()),
        (vec!["ada,1,09:10:00,18:00:00".to_owned()], [0, 1, 0, 0, 0])
    );
}
