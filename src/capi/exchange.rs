//! The exchange itself: one site's side of it, opened from settings, and its partners.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::exchange_settings::cw_exchange_settings;
use super::partner::cw_partner;
use super::pointer::{Out, consumed, free, parsed, shared, tell};
use crate::exchange::{Exchange, Partner};
use crate::model::SiteId;
use serde::Serialize;
use std::ffi::c_char;

/// One site's side of the exchange. May be shared between threads; its calls block.
pub struct cw_exchange(pub(super) Exchange);

/// Opens a site's exchange; its folder and ledger are made when they are not there. One process at a time has a folder
/// open. `settings` are consumed.
///
/// What an earlier process left undone is done: notes that were received are applied, and what partners sent that are
/// unpacked automatically is unpacked: on the exchange's own thread, "claimwire-unpack", which calls your functions also
/// while this call runs.
///
/// Errors: CW_ERR_WRONG_STATE when another exchange has the folder open; CW_ERR_IO, CW_ERR_LEDGER,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_open(
    settings: *mut cw_exchange_settings,
    out: *mut *mut cw_exchange,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_open", error, || {
            let settings = consumed("settings", settings);
            let out = Out::new("out", out)?;
            out.give(cw_exchange(Exchange::open(settings?.into_inner()?)?));
            Ok(())
        })
    }
}

/// This site's id.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_site(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_site", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_buffer::new(shared("exchange", exchange)?.0.site().as_str()));
            Ok(())
        })
    }
}

/// All partners as their settings are now: a JSON array in the order of their site ids, of objects with "site", "alias"
/// and, where there is a key to seal with, "suite".
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_partners(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    #[derive(Serialize)]
    struct Known<'a> {
        site: &'a SiteId,
        alias: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        suite: Option<&'static str>,
    }
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_partners", error, || {
            let answer = Answer::json_alone(out);
            let partners = shared("exchange", exchange)?.0.all_partners();
            let known: Vec<Known<'_>> = partners
                .iter()
                .map(|partner| Known {
                    site: partner.site(),
                    alias: partner.alias(),
                    suite: partner.suite().map(|suite| suite.name()),
                })
                .collect();
            answer.give_json(&known)
        })
    }
}

/// The partner with this site id, as its settings are now: with its keys, for cw_exchange_try_partner and the like.
///
/// Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_partner(
    exchange: *const cw_exchange,
    site: *const c_char,
    site_len: usize,
    out: *mut *mut cw_partner,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_partner", error, || {
            let out = Out::new("out", out)?;
            let exchange = shared("exchange", exchange)?;
            let partner = exchange.0.partner(&parsed("site", site, site_len)?)?;
            out.give(cw_partner::new(Partner::clone(&partner)));
            Ok(())
        })
    }
}

/// Adds a partner to a running exchange, or gives the one with the same site id these settings. The partner remains the
/// caller's to free.
///
/// Work that is under way ends with the settings it began with. What is queued stays: a package in the outbox goes out as
/// it is, over the new transport; one in the inbox is opened with the keys of now, so keep the former versions until it
/// is unpacked.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_set_partner(
    exchange: *const cw_exchange,
    partner: *const cw_partner,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_set_partner", error, || {
            let exchange = shared("exchange", exchange)?;
            exchange.0.set_partner(shared("partner", partner)?.0.clone());
            Ok(())
        })
    }
}

/// Takes a partner out: from now on nothing goes to it, and it is a stranger here. Its packages, queued ones among them,
/// and its history stay, and go on when it is set again. `*was_known` is 1 when there was such a partner; it may be NULL.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_remove_partner(
    exchange: *const cw_exchange,
    partner: *const c_char,
    partner_len: usize,
    was_known: *mut i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_remove_partner", error, || {
            tell(was_known, 0);
            let exchange = shared("exchange", exchange)?;
            let former = exchange.0.remove_partner(&parsed("partner", partner, partner_len)?);
            tell(was_known, i32::from(former.is_some()));
            Ok(())
        })
    }
}

/// Pauses the sending to a partner, until it is resumed, also over a restart. Exports go on and are queued in their order.
/// What the partner sends is taken in, unpacked and acknowledged as ever. A package that is being posted is not stopped.
///
/// Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_pause(
    exchange: *const cw_exchange,
    partner: *const c_char,
    partner_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_pause", error, || {
            shared("exchange", exchange)?.0.pause(&parsed("partner", partner, partner_len)?)
        })
    }
}

/// Lets packages go to a paused partner again: what was queued is due, see cw_exchange_send_due.
///
/// Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_resume(
    exchange: *const cw_exchange,
    partner: *const c_char,
    partner_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_resume", error, || {
            shared("exchange", exchange)?.0.resume(&parsed("partner", partner, partner_len)?)
        })
    }
}

/// The site ids of the partners that are paused, as a JSON array.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_paused(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_paused", error, || {
            let answer = Answer::json_alone(out);
            answer.give_json(&shared("exchange", exchange)?.0.paused()?)
        })
    }
}

/// Closes the exchange. A receiver that answers for it keeps it open until it ends. NULL is none.
///
/// An automatic unpack that is under way, on the exchange's own thread "claimwire-unpack", is finished first, and that
/// thread waited for: it calls the functions of your case system, scan, transport and events meanwhile. Hold no lock that
/// your functions take while you free an exchange, or end what keeps it open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_free(exchange: *mut cw_exchange) {
    // SAFETY: the host vouches for `exchange`.
    unsafe { free(exchange) }
}
