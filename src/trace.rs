//! Spans and events for `tracing`, behind the feature of that name. Without it they cost nothing at all.
//!
//! What goes into a field is decided by hand, so that no log holds what it must not: package ids, site ids, names of
//! steps, states, suites and errors, and sizes. Never the text of an error, which may name a document; never a
//! person, a claim, a key or anything out of a package. `docs/logging.md` lists all of it.

/// Opens a span until the end of the block.
macro_rules! span {
    ($name:literal $(, $field:ident = $value:expr)* $(,)?) => {
        #[cfg(feature = "tracing")]
        let _span = tracing::info_span!($name $(, $field = %$value)*).entered();
        #[cfg(not(feature = "tracing"))]
        let _ = || {
            $(let _ = &$value;)*
        };
    };
}

/// Tells one thing, at a level named as `tracing` names it.
macro_rules! event {
    ($level:ident, $name:literal $(, $field:ident = $value:expr)* $(,)?) => {
        #[cfg(feature = "tracing")]
        tracing::$level!($($field = %$value,)* $name);
        #[cfg(not(feature = "tracing"))]
        let _ = || {
            $(let _ = &$value;)*
        };
    };
}

pub(crate) use {event, span};
