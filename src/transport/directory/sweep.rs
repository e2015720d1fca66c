//! What nobody takes out of a drop folder any more: files in the making that a process left when it died, and answers to
//! requests that were settled in another way.

use super::{ENDING, Layout, PART, fault, remove};
use crate::Result;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long an answer waits for its sender: longer than a package is tried by default.
const KEEP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The time between two looks for answers that wait in vain.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// Removes what was being written into this folder.
pub(super) fn in_the_making(folder: &Path) -> Result<()> {
    for name in names(folder)? {
        if name.starts_with('.') && name.ends_with(&format!("{ENDING}{PART}")) {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

/// Removes, now and then, the answers that nobody waits for, and the sender's copies of their requests.
#[derive(Clone, Debug)]
pub(super) struct Sweeper(Arc<Mutex<Instant>>);

impl Sweeper {
    /// Sweeps, and remembers when.
    pub(super) fn begun(layout: &Layout) -> Result<Self> {
        forgotten(layout)?;
        Ok(Self(Arc::new(Mutex::new(Instant::now()))))
    }

    /// Sweeps where the last time was a while ago.
    pub(super) fn sweep(&self, layout: &Layout) -> Result<()> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < SWEEP_EVERY {
            return Ok(());
        }
        *last = Instant::now();
        forgotten(layout)
    }
}

/// Removes answers that belong to no request of this sender, and those that lay here too long with their requests' copies.
fn forgotten(layout: &Layout) -> Result<()> {
    for name in names(&layout.answers)? {
        let (answer, sent) = (layout.answers.join(&name), layout.sent.join(&name));
        if name.starts_with('.') || !name.ends_with(ENDING) {
            continue;
        }
        // The copy is written before its request, and goes after its answer.
        let is_awaited = fs::symlink_metadata(&sent).is_ok();
        if !is_awaited || is_older(&answer)? {
            remove(&answer)?;
            remove(&sent)?;
        }
    }
    Ok(())
}

fn is_older(path: &Path) -> Result<bool> {
    let modified = match fs::symlink_metadata(path).and_then(|about| about.modified()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        modified => modified.map_err(|error| fault("read", path, error))?,
    };
    // A time ahead of the clock is now.
    Ok(SystemTime::now().duration_since(modified).unwrap_or_default() > KEEP)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| fault("read", folder, error))?;
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()
        .map_err(|error| fault("read", folder, error))
}
