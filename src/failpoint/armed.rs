//! What was told to happen at which point, and that it does.

use super::POINTS;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// The process is gone at once: nothing is flushed, removed or said to anybody.
    Kill,
    /// The operating system refuses, with this error number.
    Refuses(i32),
}

impl FromStr for Fate {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        // Error numbers of Linux; other systems number the first two alike.
        Ok(match name {
            "kill" => Self::Kill,
            "broken" => Self::Refuses(5),
            "full" => Self::Refuses(28),
            "readonly" => Self::Refuses(30),
            _ => return Err(format!("`{name}` is none of kill, broken, full, readonly")),
        })
    }
}

/// One thing that shall happen.
#[derive(Debug)]
struct Armed {
    /// The point, or `*` for whichever is reached.
    point: String,
    fate: Fate,
    /// How often it is passed before.
    spared: u32,
    /// Whether it goes on until something else is armed, rather than happen once.
    lasting: bool,
}

impl FromStr for Armed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (text, lasting) = text.strip_suffix('!').map_or((text, false), |text| (text, true));
        let (point, fate) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`"))?;
        if point != "*" && !POINTS.contains(&point) {
            return Err(format!("there is no point `{point}`"));
        }
        let (fate, visit) = fate.split_once('@').unwrap_or((fate, "1"));
        let visit: u32 = visit.parse().map_err(|error| format!("`{visit}`: {error}"))?;
        Ok(Self { point: point.to_owned(), fate: fate.parse()?, spared: visit.saturating_sub(1), lasting })
    }
}

#[derive(Default)]
struct State {
    armed: Vec<Armed>,
    reached: BTreeSet<String>,
    clock: i64,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    let state = STATE.get_or_init(|| {
        let told = |name| std::env::var(name).unwrap_or_default();
        let armed = parsed(&told("CLAIMWIRE_FAILPOINTS")).unwrap_or_default();
        let clock = told("CLAIMWIRE_CLOCK").parse().unwrap_or_default();
        Mutex::new(State { armed, clock, ..State::default() })
    });
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn parsed(what: &str) -> Result<Vec<Armed>, String> {
    what.split(',').filter(|one| !one.is_empty()).map(str::parse).collect()
}

/// Says what happens from now on in this process, instead of what was said before: `point=fate`, several separated by
/// commas, none at all for nothing.
///
/// The fate is `kill`, or `broken`, `full` or `readonly`, which fail the work with `EIO`, `ENOSPC` or `EROFS`. `@3` after
/// it spares the point twice. It happens once; with `!` at the end it goes on. The point `*` is any of them.
///
/// # Errors
/// What is wrong with the text; nothing is changed then.
pub fn arm(what: &str) -> Result<(), String> {
    state().armed = parsed(what)?;
    Ok(())
}

/// The points that this process has reached so far, also those that [`POINTS`] should name and does not.
#[must_use]
pub fn reached() -> BTreeSet<String> {
    state().reached.clone()
}

/// Makes this process's clock wrong by so many seconds.
pub fn shift_clock(seconds: i64) {
    state().clock = seconds;
}

/// The time by this process's clock.
pub(crate) fn now() -> SystemTime {
    let (now, shift) = (SystemTime::now(), state().clock);
    let by = Duration::from_secs(shift.unsigned_abs());
    let shifted = if shift < 0 { now.checked_sub(by) } else { now.checked_add(by) };
    shifted.unwrap_or(now)
}

/// After how many bytes an upload is synced on its way, where a test says so.
pub(crate) fn sync_every() -> Option<u64> {
    static SYNC_EVERY: OnceLock<Option<u64>> = OnceLock::new();
    *SYNC_EVERY.get_or_init(|| std::env::var("CLAIMWIRE_SYNC_EVERY").ok()?.parse().ok())
}

/// The work has come to this point.
pub(crate) fn reach(point: &str) -> io::Result<()> {
    let mut state = state();
    if !state.reached.contains(point) {
        state.reached.insert(point.to_owned());
    }
    let Some(index) = state.armed.iter().position(|armed| armed.point == point || armed.point == "*") else {
        return Ok(());
    };
    let armed = &mut state.armed[index];
    if armed.spared > 0 {
        armed.spared -= 1;
        return Ok(());
    }
    let fate = armed.fate;
    if !armed.lasting {
        state.armed.remove(index);
    }
    let _ = writeln!(io::stderr(), "failpoint {point}: {fate:?}");
    match fate {
        Fate::Kill => std::process::abort(),
        Fate::Refuses(number) => Err(io::Error::from_raw_os_error(number)),
    }
}

/// The work on a file has come to this point; its name begins with the folder's.
pub(crate) fn reach_in(folder: &Path, step: &str) -> io::Result<()> {
    // The codec's own files stand in folders of any name.
    match folder.file_name().and_then(|name| name.to_str()) {
        Some(name @ ("outbox" | "inbox" | "documents" | "requests" | "sent" | "answers" | "webhook")) => {
            reach(&format!("{name}-{step}"))
        }
        _ => Ok(()),
    }
}
