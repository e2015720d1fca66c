//! Events: what a host is told while the exchange works.

use super::answer::to_json;
use super::border::quietly;
use super::callback::UserData;
use super::error::c_text;
use crate::exchange::Event;
use std::ffi::{CString, c_char, c_void};
use std::ptr::null;

/// New Package: a package was received and waits to be unpacked.
pub const CW_EVENT_NEW_PACKAGE: i32 = 100;
/// New Note: a partner's notes were added to a claim here.
pub const CW_EVENT_NEW_NOTE: i32 = 110;
/// A package that came in was unpacked by itself, as the partner's settings say.
pub const CW_EVENT_AUTOMATICALLY_UNPACKED: i32 = 120;
/// A package that came in could not be unpacked by itself, or its notes could not be applied.
pub const CW_EVENT_UNPACK_FAILED: i32 = 130;
/// The scanner found malware in a package that came in: nothing of it was released, and a person rejects it.
pub const CW_EVENT_INFECTED_PACKAGE: i32 = 140;
/// A package of ours is sealed and lies in the outbox.
pub const CW_EVENT_EXPORTED: i32 = 200;
/// A package of ours is durably held by its recipient, whose signed receipt came in.
pub const CW_EVENT_DELIVERED: i32 = 210;
/// A package of ours was unpacked by its recipient, whose signed receipt of that came in.
pub const CW_EVENT_UNPACKED: i32 = 220;
/// A package of ours was rejected by its recipient, or passed over for a later one that this site forgot with a
/// restored folder, or cannot be delivered.
pub const CW_EVENT_FAILED: i32 = 230;
/// A package of ours cannot go out before somebody puts right what the reason says: a key to sign with, the transport, a
/// certificate. It stays queued, and goes out by itself then.
pub const CW_EVENT_HELD_UP: i32 = 240;

/// Something a host may want to show or act on, told after it was made durable. It names ids only; the reason of a
/// failure is a text for people, and may name the documents and fields it is about. Borrowed, with all that it gives
/// out, for the time of the callback.
pub struct cw_event {
    pub(super) event: Event,
    kind: i32,
    name: CString,
    package: CString,
    partner: CString,
    claim: Option<CString>,
    reason: Option<CString>,
    json: CString,
}

/// Told of each event, on the thread that did the work and after the work was made durable; on several threads at once
/// where several work. What is unpacked automatically is told of on the library's own thread "claimwire-unpack"; see
/// cw_exchange_free. It may call functions of the same exchange, and must not free it. A slow one slows the work: take
/// the event down and return. It must not throw or longjmp.
///
/// A later version may tell of kinds that this header does not have: pass over what you do not know.
pub type cw_event_fn = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void, event: *const cw_event)>;

/// The kind, one of CW_EVENT_*. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_event_kind(event: *const cw_event) -> i32 {
    // SAFETY: the host vouches for `event`.
    quietly(0, || unsafe { event.as_ref() }.map_or(0, |event| event.kind))
}

/// The kind's name, such as "new-package". Borrowed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_event_name(event: *const cw_event) -> *const c_char {
    // SAFETY: the host vouches for `event`.
    unsafe { text_of(event, |event| Some(&event.name)) }
}

/// The id of the package it is about. Borrowed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_event_package(event: *const cw_event) -> *const c_char {
    // SAFETY: the host vouches for `event`.
    unsafe { text_of(event, |event| Some(&event.package)) }
}

/// The site id of the partner at the other end of the package. Borrowed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_event_partner(event: *const cw_event) -> *const c_char {
    // SAFETY: the host vouches for `event`.
    unsafe { text_of(event, |event| Some(&event.partner)) }
}

/// The claim's exchange id; NULL where it is not known: a package that was not unpacked yet belongs to no claim.
/// Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_event_claim(event: *const cw_event) -> *const c_char {
    // SAFETY: the host vouches for `event`.
    unsafe { text_of(event, |event| event.claim.as_ref()) }
}

/// Why it failed and what to do, in UTF-8; NULL where the event tells of no failure. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_event_reason(event: *const cw_event) -> *const c_char {
    // SAFETY: the host vouches for `event`.
    unsafe { text_of(event, |event| event.reason.as_ref()) }
}

/// The whole event as JSON: "kind" (its name), "package", "partner", and "claim" and "reason" where they are known.
/// Borrowed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_event_json(event: *const cw_event) -> *const c_char {
    // SAFETY: the host vouches for `event`.
    unsafe { text_of(event, |event| Some(&event.json)) }
}

/// # Safety
/// `event` is NULL or a live event.
unsafe fn text_of(event: *const cw_event, text: fn(&cw_event) -> Option<&CString>) -> *const c_char {
    // SAFETY: the host vouches for `event`.
    let event = unsafe { event.as_ref() };
    quietly(null(), || event.and_then(text).map_or(null(), |text| text.as_ptr()))
}

impl cw_event {
    fn new(event: &Event) -> Self {
        Self {
            event: event.clone(),
            kind: kind(event),
            name: c_text(event.name()),
            package: c_text(&event.package().to_string()),
            partner: c_text(event.partner().as_str()),
            claim: event.claim().map(|claim| c_text(claim.as_str())),
            reason: event.reason().map(c_text),
            json: c_text(&to_json(event).unwrap_or_default()),
        }
    }
}

fn kind(event: &Event) -> i32 {
    match event {
        Event::NewPackage { .. } => CW_EVENT_NEW_PACKAGE,
        Event::NewNote { .. } => CW_EVENT_NEW_NOTE,
        Event::AutomaticallyUnpacked { .. } => CW_EVENT_AUTOMATICALLY_UNPACKED,
        Event::UnpackFailed { .. } => CW_EVENT_UNPACK_FAILED,
        Event::InfectedPackage { .. } => CW_EVENT_INFECTED_PACKAGE,
        Event::Exported { .. } => CW_EVENT_EXPORTED,
        Event::Delivered { .. } => CW_EVENT_DELIVERED,
        Event::Unpacked { .. } => CW_EVENT_UNPACKED,
        Event::HeldUp { .. } => CW_EVENT_HELD_UP,
        Event::Failed { .. } => CW_EVENT_FAILED,
    }
}

/// The host's function as a listener. One that panics stops neither the work nor the other listeners.
pub(super) fn listener(tell: cw_event_fn, data: UserData) -> impl Fn(&Event) + Send + Sync + 'static {
    move |event| {
        let told = cw_event::new(event);
        if let Some(tell) = tell {
            // SAFETY: the host gave the function for this data; the event lives until it returns.
            quietly((), || unsafe { tell(data.get(), &raw const told) });
        }
    }
}
