//! A worker's process, from its start to its end.
//!
//! The invariant: no thread that answers clients waits for the system to bury a process. That takes long at times: a kernel that
//! has to forget what `/proc` told of a process is held up by everybody who is looking there.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a process that says nothing more may take to end.
const LAST_BREATH: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_millis(2);

/// A process, and the folder that goes with it. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Process(Option<(Child, TempDir)>);

impl Process {
    /// Starts a program that may use a folder; gives what the program hears as well.
    pub(super) fn start(command: &mut Command, folder: TempDir) -> io::Result<(Self, tokio::process::ChildStdin)> {
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let process = Self(Some((child, folder)));
        let stdin = stdin.ok_or_else(|| io::Error::other("a process without a pipe"))?;
        Ok((process, tokio::process::ChildStdin::from_std(stdin)?))
    }

    /// How a process ended that is about to, on a thread where it may take long.
    pub(super) async fn ended(mut self) -> io::Result<ExitStatus> {
        let Some((mut child, folder)) = self.0.take() else {
            return Err(io::Error::other("it ended before"));
        };
        let wait = move || {
            let since = Instant::now();
            let status = loop {
                match child.try_wait() {
                    Ok(None) if since.elapsed() < LAST_BREATH => thread::sleep(PATIENCE),
                    Ok(None) => break end(&mut child),
                    Ok(Some(status)) => break Ok(status),
                    Err(error) => break Err(error),
                }
            };
            drop(folder);
            status
        };
        tokio::task::spawn_blocking(wait).await.map_err(io::Error::other)?
    }

    /// Kills it, and waits until it is gone.
    pub(super) fn kill(mut self) {
        if let Some((mut child, folder)) = self.0.take() {
            let _gone = end(&mut child);
            drop(folder);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some((mut child, folder)) = self.0.take() else {
            return;
        };
        // Time and memory are back at once; all else can wait for a thread of its own. Without one, the system does it when the
        // server ends.
        let _dead = child.kill();
        let bury = move || {
            let _gone = child.wait();
            drop(folder);
        };
        let _burying = thread::Builder::new().name("burial".to_owned()).spawn(bury);
    }
}

fn end(child: &mut Child) -> io::Result<ExitStatus> {
    child.kill()?;
    child.wait()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Stdio;

    use super::*;

    fn start(program: &[&str]) -> (Process, PathBuf, u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).stdin(Stdio::piped()).stdout(Stdio::null());
        let (process, _) = Process::start(&mut command, folder).unwrap();
        let id = process.0.as_ref().unwrap().0.id();
        (process, path, id)
    }

    fn is_there(id: u32) -> bool {
        Path::new(&format!("/proc/{id}")).exists()
    }

    #[tokio::test]
    async fn it_tells_how_it_ended() {
        let (process, folder, _) = start(&["sh", "-c", "exit 7"]);
        assert_eq!(process.ended().await.unwrap().code(), Some(7));
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn dropped_or_killed_it_is_gone_with_its_folder() {
        let (process, folder, id) = start(&["sleep", "600"]);
        process.kill();
        assert!(!is_there(id) && !folder.exists());
        let (process, folder, id) = start(&["sleep", "600"]);
        assert!(is_there(id) && folder.exists());
        drop(process);
        let since = Instant::now();
        while is_there(id) || folder.exists() {
            assert!(since.elapsed() < Duration::from_secs(20), "{id} is still there");
            thread::sleep(PATIENCE);
        }
    }
}
