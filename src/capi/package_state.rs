//! Where a package stands, as numbers that never change.

use super::border::quietly;
use super::code::number_of_name;
use crate::exchange::Acknowledgement;
use crate::ledger::{IncomingState, OutgoingState};
use std::ffi::{CStr, c_char};

/// Sealed and waiting to be sent.
pub const CW_OUTGOING_QUEUED: i32 = 100;
/// Being sent.
pub const CW_OUTGOING_SENDING: i32 = 110;
/// Posted, but the answer has not come: the partner may or may not hold it.
pub const CW_OUTGOING_SENT: i32 = 120;
/// The partner's signed receipt says that it durably holds the package.
pub const CW_OUTGOING_DELIVERED: i32 = 130;
/// The partner has unpacked it.
pub const CW_OUTGOING_UNPACKED: i32 = 140;
/// The partner has rejected it, or passed it over for a later one that this site does not know.
pub const CW_OUTGOING_REJECTED: i32 = 150;
/// It was not accepted and will not be tried again by itself.
pub const CW_OUTGOING_FAILED: i32 = 160;
/// It was taken back before it left, and is never sent.
pub const CW_OUTGOING_WITHDRAWN: i32 = 170;

/// Durably held and waiting to be unpacked.
pub const CW_INCOMING_RECEIVED: i32 = 200;
/// Unpacked: the claim was added or updated.
pub const CW_INCOMING_UNPACKED: i32 = 210;
/// Refused for good: by the import rules, or by a person.
pub const CW_INCOMING_REJECTED: i32 = 220;
/// Unpacking failed and may be tried again.
pub const CW_INCOMING_FAILED: i32 = 230;
/// Older than a package of the same claim that was applied before: it changed nothing.
pub const CW_INCOMING_SUPERSEDED: i32 = 240;

/// The sender took the receipt.
pub const CW_ACKNOWLEDGEMENT_TOLD: i32 = 300;
/// The receipt was left for the sender to collect.
pub const CW_ACKNOWLEDGEMENT_LEFT: i32 = 310;
/// The sender could not be told now; cw_exchange_acknowledge tries again, and the sender can ask.
pub const CW_ACKNOWLEDGEMENT_NOT_TOLD: i32 = 320;

/// The name of a CW_OUTGOING_*, CW_INCOMING_* or CW_ACKNOWLEDGEMENT_* number, as it stands in JSON and in the history:
/// "delivered", "unpacked", "told". "unknown" for a number that this version does not know. Static; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cw_state_name(state: i32) -> *const c_char {
    quietly(c"unknown".as_ptr(), || name(state).as_ptr())
}

/// The CW_OUTGOING_* number of a state's name, as "state" in an outgoing package's JSON has it; 0 for a name that this
/// version does not know, and for what is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_outgoing_state_of_name(name: *const c_char, name_len: usize) -> i32 {
    // SAFETY: the host vouches for `name`.
    unsafe { number_of_name(name, name_len, |name| OutgoingState::from_name(name).map(outgoing)) }
}

/// The CW_INCOMING_* number of a state's name, as "state" in an incoming package's JSON has it; 0 for a name that this
/// version does not know, and for what is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_incoming_state_of_name(name: *const c_char, name_len: usize) -> i32 {
    // SAFETY: the host vouches for `name`.
    unsafe { number_of_name(name, name_len, |name| IncomingState::from_name(name).map(incoming)) }
}

fn name(state: i32) -> &'static CStr {
    match state {
        CW_OUTGOING_QUEUED => c"queued",
        CW_OUTGOING_SENDING => c"sending",
        CW_OUTGOING_SENT => c"sent",
        CW_OUTGOING_DELIVERED => c"delivered",
        CW_OUTGOING_UNPACKED | CW_INCOMING_UNPACKED => c"unpacked",
        CW_OUTGOING_REJECTED | CW_INCOMING_REJECTED => c"rejected",
        CW_OUTGOING_FAILED | CW_INCOMING_FAILED => c"failed",
        CW_OUTGOING_WITHDRAWN => c"withdrawn",
        CW_INCOMING_RECEIVED => c"received",
        CW_INCOMING_SUPERSEDED => c"superseded",
        CW_ACKNOWLEDGEMENT_TOLD => c"told",
        CW_ACKNOWLEDGEMENT_LEFT => c"left",
        CW_ACKNOWLEDGEMENT_NOT_TOLD => c"not-told",
        _ => c"unknown",
    }
}

pub(super) fn outgoing(state: OutgoingState) -> i32 {
    match state {
        OutgoingState::Queued => CW_OUTGOING_QUEUED,
        OutgoingState::Sending => CW_OUTGOING_SENDING,
        OutgoingState::Sent => CW_OUTGOING_SENT,
        OutgoingState::Delivered => CW_OUTGOING_DELIVERED,
        OutgoingState::Unpacked => CW_OUTGOING_UNPACKED,
        OutgoingState::Rejected => CW_OUTGOING_REJECTED,
        OutgoingState::Failed => CW_OUTGOING_FAILED,
        OutgoingState::Withdrawn => CW_OUTGOING_WITHDRAWN,
    }
}

pub(super) fn incoming(state: IncomingState) -> i32 {
    match state {
        IncomingState::Received => CW_INCOMING_RECEIVED,
        IncomingState::Unpacked => CW_INCOMING_UNPACKED,
        IncomingState::Rejected => CW_INCOMING_REJECTED,
        IncomingState::Failed => CW_INCOMING_FAILED,
        IncomingState::Superseded => CW_INCOMING_SUPERSEDED,
    }
}

pub(super) fn acknowledgement(told: &Acknowledgement) -> i32 {
    match told {
        Acknowledgement::Told => CW_ACKNOWLEDGEMENT_TOLD,
        Acknowledgement::Left => CW_ACKNOWLEDGEMENT_LEFT,
        Acknowledgement::NotTold(_) => CW_ACKNOWLEDGEMENT_NOT_TOLD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_number_and_its_name() {
        for state in OutgoingState::ALL {
            assert_eq!(name(outgoing(*state)).to_str().unwrap(), state.name());
        }
        for state in IncomingState::ALL {
            assert_eq!(name(incoming(*state)).to_str().unwrap(), state.name());
        }
        // SAFETY: the pointers are good, or NULL, which is refused.
        let numbers = |name: &[u8]| unsafe {
            let (name, length) = (name.as_ptr().cast(), name.len());
            (cw_outgoing_state_of_name(name, length), cw_incoming_state_of_name(name, length))
        };
        OutgoingState::ALL.iter().for_each(|it| assert_eq!(numbers(it.name().as_bytes()).0, outgoing(*it)));
        IncomingState::ALL.iter().for_each(|it| assert_eq!(numbers(it.name().as_bytes()).1, incoming(*it)));
        for none in [&b"told"[..], b"Queued", b"", b"\xff"] {
            assert_eq!(numbers(none), (0, 0));
        }
        // SAFETY: as above.
        assert_eq!(unsafe { cw_incoming_state_of_name(std::ptr::null(), 3) }, 0);
        for told in [Acknowledgement::Told, Acknowledgement::Left] {
            assert_eq!(name(acknowledgement(&told)).to_str().unwrap(), told.name());
        }
        for unknown in [i32::MIN, -1, 0, 1, 199, i32::MAX] {
            assert_eq!(name(unknown), c"unknown");
        }
    }
}
