//! The log: what the library does, line by line, for a function of the host's.
//!
//! Lines come from the spans and events of `tracing` that the crate has; `docs/logging.md` lists them and what is in
//! them. Lines of other crates are not told.

use super::border::{call, quietly};
use super::callback::{UserData, cw_drop_fn};
use super::error::{c_text, cw_error};
use super::pointer::misuse;
use crate::{Error, ErrorKind, Result};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{c_char, c_void};
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// No lines at all.
pub const CW_LOG_OFF: i32 = 0;
/// What needs somebody now: the ledger cannot be written.
pub const CW_LOG_ERROR: i32 = 100;
/// What failed or was refused.
pub const CW_LOG_WARN: i32 = 200;
/// Each step of each package.
pub const CW_LOG_INFO: i32 = 300;
/// What the steps are made of.
pub const CW_LOG_DEBUG: i32 = 400;
/// Everything there is.
pub const CW_LOG_TRACE: i32 = 500;

/// Takes a line of the log: `level` is one of CW_LOG_*, `target` the part of the library, `line` the text, without a line's
/// end. Both are UTF-8, NUL-terminated, and borrowed for the time of the call. Called on the threads that work, several at
/// once. What it calls of the library is not logged. It must not throw or longjmp.
pub type cw_log_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        level: i32,
        target: *const c_char,
        line: *const c_char,
    ),
>;

/// Hands every line of the log up to `level`, one of CW_LOG_*, to `log`, in place of whatever was given before; NULL or
/// CW_LOG_OFF ends the log. It holds for the whole process. `user_data` is kept until it is replaced and no line is being
/// told, and is then ended with `drop`; so it is when this fails. No line holds a key, a person's data, a document's name or
/// anything out of a package.
///
/// Errors: CW_ERR_WRONG_STATE when something else in the process takes the log already; CW_ERR_INVALID_ARGUMENT for an
/// unknown level.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_set_log(
    level: i32,
    log: cw_log_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    error: *mut *mut cw_error,
) -> i32 {
    let data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_set_log", error, || {
            let level = filter(level)
                .ok_or_else(|| misuse(format!("{level} is no level of the log; take one of CW_LOG_*")))?;
            let Some(log) = log.filter(|_| level != LevelFilter::OFF) else { return replace(None) };
            replace(Some(Host { level, log, data }))
        })
    }
}

/// The levels, the most important first.
const LEVELS: [(i32, LevelFilter); 6] = [
    (CW_LOG_OFF, LevelFilter::OFF),
    (CW_LOG_ERROR, LevelFilter::ERROR),
    (CW_LOG_WARN, LevelFilter::WARN),
    (CW_LOG_INFO, LevelFilter::INFO),
    (CW_LOG_DEBUG, LevelFilter::DEBUG),
    (CW_LOG_TRACE, LevelFilter::TRACE),
];

fn filter(level: i32) -> Option<LevelFilter> {
    LEVELS.iter().find(|(number, _)| *number == level).map(|(_, filter)| *filter)
}

fn number(level: &Level) -> i32 {
    LEVELS.iter().find(|(_, filter)| filter == level).map_or(CW_LOG_OFF, |(number, _)| *number)
}

type LogFn = unsafe extern "C-unwind" fn(*mut c_void, i32, *const c_char, *const c_char);

/// Whoever takes the lines.
struct Host {
    level: LevelFilter,
    log: LogFn,
    data: UserData,
}

/// The process's one log, set up by the first call that needs it.
static HOST: RwLock<Option<Arc<Host>>> = RwLock::new(None);

fn replace(host: Option<Host>) -> Result<()> {
    static SET_UP: OnceLock<bool> = OnceLock::new();
    if host.is_none() && SET_UP.get().is_none() {
        return Ok(());
    }
    if !SET_UP.get_or_init(|| tracing::subscriber::set_global_default(Lines::default()).is_ok()) {
        let said = "another part of this process takes the log of `tracing`; read the lines there";
        return Err(Error::new(ErrorKind::WrongState, said));
    }
    let former =
        std::mem::replace(&mut *HOST.write().unwrap_or_else(PoisonError::into_inner), host.map(Arc::new));
    // What is asked for may have changed for every span and event there is.
    tracing::callsite::rebuild_interest_cache();
    // Outside the lock: the host's function may set the log again.
    drop(former);
    Ok(())
}

fn host() -> Option<Arc<Host>> {
    HOST.read().unwrap_or_else(PoisonError::into_inner).clone()
}

thread_local! {
    /// The spans that this thread is in, the outermost first.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    /// Whether this thread is telling a line now.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Writes spans and events as lines: `send{package=…}:post{partner=…}: step step=delivered …`.
#[derive(Default)]
struct Lines {
    last: AtomicU64,
    spans: Mutex<HashMap<u64, Span>>,
}

struct Span {
    text: String,
    handles: u64,
}

impl Lines {
    fn spans(&self) -> MutexGuard<'_, HashMap<u64, Span>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for Lines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().split("::").next() == Some("claimwire");
        ours && host().is_some_and(|host| *metadata.level() <= host.level)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(host().map_or(LevelFilter::OFF, |host| host.level))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut text = span.metadata().name().to_owned();
        if !fields.others.is_empty() {
            let _ = write!(text, "{{{}}}", fields.others);
        }
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.spans().insert(id, Span { text, handles: 1 });
        Id::from_u64(id)
    }

    // The crate's spans have their fields from the start, and follow from nothing.
    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(host) = host() else { return };
        if TELLING.replace(true) {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = String::new();
        // A thread that is ending has left its spans.
        let _ = ENTERED.try_with(|entered| {
            let (entered, spans) = (entered.borrow(), self.spans());
            let texts = entered.iter().filter_map(|id| spans.get(id));
            texts.for_each(|span| line.extend([&span.text, ":"]));
        });
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&fields.message);
        if !fields.others.is_empty() {
            line.extend([" ", &fields.others]);
        }
        let (target, line) = (c_text(event.metadata().target()), c_text(&line));
        let level = number(event.metadata().level());
        // SAFETY: the host gave the function for this data; the texts live until it returns.
        quietly((), || unsafe { (host.log)(host.data.get(), level, target.as_ptr(), line.as_ptr()) });
        TELLING.set(false);
    }

    fn enter(&self, id: &Id) {
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        let _ = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            if let Some(place) = entered.iter().rposition(|entered| *entered == id.into_u64()) {
                entered.remove(place);
            }
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(span) = self.spans().get_mut(&id.into_u64()) {
            span.handles += 1;
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut spans = self.spans();
        let Some(span) = spans.get_mut(&id.into_u64()) else { return false };
        span.handles -= 1;
        let closed = span.handles == 0;
        if closed {
            spans.remove(&id.into_u64());
        }
        closed
    }
}

/// The fields of a span or an event as text.
#[derive(Default)]
struct Fields {
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name if self.others.is_empty() => write!(self.others, "{name}={value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::two_sites::{COUNT_END, TwoSites, c, works};
    use super::*;
    use crate::codec::Suite;
    use crate::exchange::ExportOptions;
    use std::ffi::CStr;

    type Kept = Mutex<Vec<(i32, String, String)>>;

    unsafe extern "C-unwind" fn keep(
        kept: *mut c_void,
        level: i32,
        target: *const c_char,
        line: *const c_char,
    ) {
        let text = |text| c!(CStr::from_ptr(text)).to_str().unwrap().to_owned();
        c!(&*kept.cast::<Kept>()).lock().unwrap().push((level, text(target), text(line)));
        // Nothing of this is told, or it would never end.
        tracing::error!("from within the host's function");
        std::panic::resume_unwind(Box::new("a fault of the host's"));
    }

    /// One test, since a process has one log.
    #[test]
    fn the_host_gets_lines_until_it_wants_none() {
        let sites = TwoSites::new(Suite::Age);
        sites.insurer.put_claim("ON-INS/C-1");
        let kept = Kept::default();
        let mut ended = 0u32;
        works(|error| c!(cw_set_log(CW_LOG_OFF, None, (&raw mut ended).cast(), COUNT_END, error)));
        assert_eq!(ended, 1, "nothing is kept where nothing is told");
        let data = (&raw const kept).cast_mut().cast();
        works(|error| c!(cw_set_log(CW_LOG_TRACE, Some(keep), data, None, error)));
        let exchange = &c!(&*sites.insurer.exchange).0;
        let (claim, partner) = ("ON-INS/C-1".parse().unwrap(), "IMEX".parse().unwrap());
        let package = exchange.export(&claim, &partner, &ExportOptions::by("dana")).unwrap().package.id;
        exchange.send(package, &()).unwrap();
        works(|error| c!(cw_set_log(CW_LOG_OFF, Some(keep), (&raw mut ended).cast(), COUNT_END, error)));
        assert_eq!(ended, 2);

        let lines = std::mem::take(&mut *kept.lock().unwrap());
        // Other tests log as well.
        let ours = |(_, _, line): &&(i32, String, String)| line.contains(&package.to_string());
        let said: Vec<&str> = lines.iter().filter(ours).map(|(_, _, line)| line.as_str()).collect();
        let exported = format!(
            "export{{partner=IMEX}}: step step=exported direction=outgoing kind=claim package={package} partner=IMEX"
        );
        assert!(said.contains(&exported.as_str()), "{said:#?}");
        let received = format!("receive{{package={package} partner=ON-INS kind=claim}}: step step=received");
        assert!(said.iter().any(|line| line.contains(&received)), "{said:#?}");
        assert!(
            said.iter().any(|line| line.starts_with(&format!("send{{package={package} partner=IMEX}}"))),
            "{said:#?}"
        );
        assert!(
            lines.iter().all(|(level, target, _)| *level <= CW_LOG_TRACE && target.starts_with("claimwire"))
        );
        assert!(!lines.iter().any(|(_, _, line)| line.contains("from within")));
        exchange.send(package, &()).unwrap();
        assert!(kept.lock().unwrap().is_empty(), "the log is off");
    }
}
