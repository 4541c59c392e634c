//! Stores that vanish, reports as rows, servers that stop.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headroom::access::{Access, Caller};
use headroom::app::{App, AppOptions};
use headroom::engine::EngineOptions;
use headroom::import::{ImportOptions, Input, Tally};
use headroom::output;
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_headroom");

/// A store in a folder of its own, and the application on it.
pub struct Store {
    folder: TempDir,
    pub app: App,
    runtime: tokio::runtime::Runtime,
}

impl Store {
    /// An empty store in a zone.
    pub fn new(zone: &str) -> Self {
        Self::with_options(zone, EngineOptions::default())
    }

    pub fn with_options(zone: &str, options: EngineOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("store");
        headroom::store::create(&root, zone.parse().unwrap()).unwrap();
        Self {
            app: App::new(
                &root,
                AppOptions {
                    engine: options,
                    ..AppOptions::default()
                },
            )
            .unwrap(),
            folder,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Throws everything away and starts anew in a zone; the application stays.
    pub fn reset(&self, zone: &str) {
        std::fs::remove_dir_all(self.root()).unwrap();
        headroom::store::create(&self.root(), zone.parse().unwrap()).unwrap();
    }

    /// Imports a text as a file of that name.
    pub fn import(&self, name: &str, text: &str) -> Tally {
        self.try_import(name, text, &ImportOptions::default()).unwrap()
    }

    pub fn try_import(&self, name: &str, text: &str, options: &ImportOptions) -> Result<Tally, headroom::app::AppError> {
        let input = Input::stream(name, Box::new(std::io::Cursor::new(text.as_bytes().to_vec()))).unwrap();
        self.app.import(input, options)
    }

    /// Runs a report and returns its bytes.
    pub fn render(&self, report: &str, format: &str, params: &[(&str, &str)]) -> Result<Vec<u8>, headroom::app::AppError> {
        self.render_for(&Access::everything(), report, format, params)
    }

    /// Runs a report on what an access opens and returns its bytes.
    pub fn render_for(
        &self,
        access: &Access,
        report: &str,
        format: &str,
        params: &[(&str, &str)],
    ) -> Result<Vec<u8>, headroom::app::AppError> {
        let given: Vec<(String, String)> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.runtime.block_on(async {
            let ask = headroom::app::Ask {
                report,
                given: &given,
                format: output::find(format).unwrap(),
                caller: &Caller::new("tester", access.clone()),
                place: None,
            };
            let mut rendering = self.app.prepare(&ask)?.run().await?;
            let mut bytes = Vec::new();
            while let Some(piece) = rendering.next().await? {
                bytes.extend_from_slice(&piece);
            }
            Ok(bytes)
        })
    }

    /// Runs a report as JSON and returns the rows.
    pub fn rows(&self, report: &str, params: &[(&str, &str)]) -> Vec<Value> {
        let bytes = self.render(report, "json", params).unwrap();
        let envelope: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(envelope["success"], true);
        envelope["data"].as_array().unwrap().clone()
    }

    /// The number of a feature.
    pub fn feature(&self, server: &str, name: &str, version: &str) -> Option<String> {
        let features = self.rows("features", &[]);
        let version = if version.is_empty() { Value::Null } else { version.into() };
        let found = features
            .iter()
            .find(|row| row["lsn"] == server && row["fns"] == name && row["fv"] == version);
        found.map(|row| row["fid"].to_string())
    }

    /// Everything the store says about its contents, without the numbers and names that depend on the order of imports.
    pub fn contents(&self) -> Vec<String> {
        contents(&self.root())
    }

    /// What a check finds wrong.
    pub fn flaws(&self) -> Vec<String> {
        flaws(&self.root())
    }
}

/// What a check of a store finds wrong.
pub fn flaws(root: &Path) -> Vec<String> {
    let mut writer = headroom::store::Writer::open(root, headroom::app::PATIENCE).unwrap();
    let summary = writer.check(&mut |_, _| {}).unwrap();
    summary.flaws.iter().map(ToString::to_string).collect()
}

/// Every row of every partition file as text, with names instead of numbers of servers and features, sorted. Where a line
/// came from is left out: overlapping files tell it differently.
pub fn contents(root: &Path) -> Vec<String> {
    use arrow::util::display::array_value_to_string;
    let snapshot = headroom::store::Watcher::new(root).snapshot().unwrap();
    let name = |column: &str, id: &str| match column {
        "server_id" => {
            let state = snapshot.servers().iter().find(|state| state.server.id.to_string() == id).unwrap();
            format!("{}/{}", state.server.name, state.server.daemon)
        }
        "feature_id" if !id.is_empty() => {
            let feature = &snapshot.feature(id.parse().unwrap()).unwrap().feature;
            format!("{}#{}", feature.name, feature.version)
        }
        _ => id.to_owned(),
    };
    let mut rows = Vec::new();
    for table in headroom::event::Table::ALL {
        for (day, file) in snapshot.files(table) {
            let opened = std::fs::File::open(root.join(file.path())).unwrap();
            let batches = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(opened)
                .unwrap()
                .build()
                .unwrap();
            for batch in batches.map(Result::unwrap) {
                let schema = batch.schema();
                for row in 0..batch.num_rows() {
                    let mut text = format!("{} {day}", table.name());
                    for (column, array) in schema.fields().iter().zip(batch.columns()) {
                        if column.name() != "source" && column.name() != "line" {
                            let value = array_value_to_string(array, row).unwrap();
                            text.push_str(&format!(" {}={}", column.name(), name(column.name(), &value)));
                        }
                    }
                    rows.push(text);
                }
            }
        }
    }
    rows.sort_unstable();
    rows
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

/// Runs the program, which must succeed, and returns what it printed.
pub fn run_ok(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a token of an admin, where the options name no role.
pub fn make_token(store: &str, name: &str, options: &[&str]) -> String {
    let role: &[&str] = if options.contains(&"--role") { &[] } else { &["--role", "admin"] };
    let made = run_ok(&[&["token", "create", "--store", store, name], options, role].concat());
    made.trim().to_owned()
}

/// The program as a server, killed when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Serves a store on a free port.
    pub fn start(root: &Path) -> Self {
        Self::start_with(root, &[])
    }

    pub fn start_with(root: &Path, args: &[&str]) -> Self {
        Self::start_in(root, args, &[])
    }

    /// Serves clients of PostgreSQL as well, at the address that is returned.
    pub fn start_with_pg(root: &Path) -> (Self, String) {
        let (server, mut said) = Self::spawn(root, &["--pg", "127.0.0.1:0"], &[]);
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once(' ').map(|(_, address)| address.to_owned());
        (server, address.unwrap_or_else(|| panic!("the server said {line:?}")))
    }

    /// Serves a store with these settings in the environment.
    pub fn start_in(root: &Path, args: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::spawn(root, args, settings).0
    }

    fn spawn(root: &Path, args: &[&str], settings: &[(&str, &str)]) -> (Self, impl std::io::BufRead + use<>) {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--store", root.to_str().unwrap(), "--listen", "127.0.0.1:0"])
            .args(args)
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut said).unwrap();
        let address = said.trim().rsplit_once("http://").map(|(_, address)| address.to_owned());
        let address = address.unwrap_or_else(|| panic!("the server said {said:?}"));
        let log = Arc::<Mutex<String>>::default();
        // A log that nobody reads stops whoever writes it.
        let (mut lines, written) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&log));
        std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                written.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        (Self { child, address, log }, out)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The first line of its log that has all these words; waits for it.
    pub fn logged(&self, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| words.iter().all(|word| line.contains(word))) {
                return line.to_owned();
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no line has {words:?}:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks for a path below `/api/v1`.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// Sends a request and reads the whole answer. A client of its own, so that nothing hides what is on the wire.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send_to(method, &format!("/api/v1{path}"), headers, body)
    }

    /// The same for any path.
    pub fn send_to(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut socket = std::net::TcpStream::connect(&self.address).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        socket.write_all(request.as_bytes()).unwrap();
        // A server that answers before it has read everything closes the socket.
        let _answered_early = socket.write_all(body);
        Answer::read(socket)
    }

    /// Tells the server to stop.
    pub fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits until the server has stopped.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _stopped_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// An answer as it was on the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The body came to its proper end.
    pub whole: bool,
    /// What came after the body.
    pub trailers: Vec<(String, String)>,
}

impl Answer {
    pub fn read(socket: std::net::TcpStream) -> Self {
        use std::io::Read as _;
        let mut reader = BufReader::new(socket);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("{line:?}"));
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answer = Self {
            status,
            headers,
            body: Vec::new(),
            whole: false,
            trailers: Vec::new(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                line.clear();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return answer;
                }
                let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
                if length == 0 {
                    loop {
                        line.clear();
                        reader.read_line(&mut line).unwrap();
                        match line.trim_end().split_once(": ") {
                            Some((name, value)) => answer.trailers.push((name.to_ascii_lowercase(), value.to_owned())),
                            None => break,
                        }
                    }
                    answer.whole = line == "\r\n";
                    return answer;
                }
                let mut chunk = vec![0; length + 2];
                if reader.read_exact(&mut chunk).is_err() {
                    return answer;
                }
                answer.body.extend_from_slice(&chunk[..length]);
            }
        }
        let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let _cut = reader.take(length as u64).read_to_end(&mut answer.body);
        answer.whole = answer.body.len() == length;
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// What came after the body under a name.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        let found = self.trailers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
