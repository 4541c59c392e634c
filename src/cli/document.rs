//! Answers on their way to a file, or to whoever reads the output.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::app::Rendering;
use crate::output::Format;

/// Refuses to show bytes that are no text on a terminal.
///
/// # Errors
///
/// When the format is a binary one, there is no file to write, and the output is a terminal.
pub(super) fn check_terminal(format: &dyn Format, output: Option<&Path>) -> anyhow::Result<()> {
    let shown = output.is_none() && io::stdout().is_terminal();
    anyhow::ensure!(
        !shown || is_text(format),
        "{} is not for a terminal; give a file: -o FILE",
        format.name()
    );
    Ok(())
}

/// Whether people can read a format as it is.
pub(super) fn is_text(format: &dyn Format) -> bool {
    let essence = format.media_type().split(';').next().unwrap_or_default();
    essence.starts_with("text/") || essence.ends_with("json") || essence.ends_with("+xml")
}

/// Writes an answer to a file, or to standard output.
#[expect(clippy::future_not_send, reason = "a command has one thread, and the output to itself")]
pub(super) async fn write(rendering: Rendering, output: Option<&Path>) -> anyhow::Result<()> {
    match output {
        Some(path) => write_file(rendering, path)
            .await
            .with_context(|| format!("cannot write {}", path.display())),
        None => match write_all(rendering, &mut io::stdout().lock()).await {
            // Whoever reads has read enough.
            Err(error) if is_closed_pipe(&error) => Ok(()),
            written => written,
        },
    }
}

/// Writes a file that is there as a whole or not at all.
async fn write_file(rendering: Rendering, path: &Path) -> anyhow::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = io::BufWriter::new(create(&partial)?);
    let written = write_all(rendering, &mut file).await;
    let synced = written.and_then(|()| Ok(file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?));
    match synced {
        Ok(()) => Ok(std::fs::rename(&partial, path)?),
        Err(error) => {
            let _already_failing = std::fs::remove_file(&partial);
            Err(error)
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).open(path)
}

async fn write_all(mut rendering: Rendering, out: &mut impl Write) -> anyhow::Result<()> {
    while let Some(piece) = rendering.next().await? {
        out.write_all(&piece)?;
    }
    Ok(out.flush()?)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{FORMATS, TABLE};

    #[test]
    fn formats_that_nobody_can_read_are_known() {
        let binary = FORMATS.iter().chain([&TABLE]).filter(|format| !is_text(**format));
        let names: Vec<&str> = binary.map(|format| format.name()).collect();
        assert_eq!(names, ["xlsx", "pdf", "arrow", "parquet"]);
    }
}
