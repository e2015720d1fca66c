//! What a host can do wrong with the exchange: each mistake gets a code and a sentence, and gives nothing out.

use super::buffer::cw_buffer;
use super::code::*;
use super::event::*;
use super::exchange::*;
use super::exchange_settings::*;
use super::history::*;
use super::incoming::*;
use super::log::*;
use super::outbox::*;
use super::outgoing::*;
use super::receiver::*;
use super::signing_key::cw_signing_key_free;
use super::two_sites::*;
use super::webhook::*;
use super::webhook_options::cw_webhook_options;
use crate::codec::Suite;
use crate::protocol::SigningKey;
use std::ffi::{CStr, c_char};
use std::mem::zeroed;
use std::ptr::{dangling, null, null_mut};

type Text = (*const c_char, usize);

fn text(text: &'static str) -> Text {
    (text.as_ptr().cast(), text.len())
}

/// Texts that no function takes where it needs one.
fn bad_texts() -> [Text; 5] {
    let not_utf8: &[u8] = b"\xff";
    [
        (null(), 0),
        (null(), 5),
        text(""),
        (not_utf8.as_ptr().cast(), 1),
        (not_utf8.as_ptr().cast(), usize::MAX),
    ]
}

/// The call is refused as one with a wrong argument, and the sentence begins with the function's name.
#[track_caller]
fn refused(function: &str, call: impl FnOnce(*mut *mut super::error::cw_error) -> i32) {
    let (code, said) = failing(call);
    assert_eq!(code, CW_ERR_INVALID_ARGUMENT, "{function}: {said}");
    assert!(said.starts_with(&format!("{function}: ")), "{said}");
}

/// Something that must be overwritten by NULL.
fn old() -> *mut cw_buffer {
    dangling::<cw_buffer>().cast_mut()
}

/// Calls functions with NULL for the exchange and, where they take an id, with texts that are none.
macro_rules! refuses {
    ($exchange:expr, $($function:ident($($before:expr),*; $text:ident; $($after:expr),*) $($out:literal)?;)*) => {$(
        let name = stringify!($function);
        let good = text("0195f3a0-0000-7000-8000-000000000001");
        refused(name, |error| c!($function(null(), $($before,)* good.0, good.1, $($after,)* error)));
        for bad in bad_texts() {
            refused(name, |error| c!($function($exchange, $($before,)* bad.0, bad.1, $($after,)* error)));
        }
    )*};
}

#[test]
fn no_call_takes_null_for_the_exchange_or_a_bad_id() {
    let sites = TwoSites::new(Suite::Age);
    let exchange = sites.insurer.exchange.cast_const();
    let mut out = old();
    let mut n = 7;
    let mut count = 7;
    refuses!(exchange,
        cw_exchange_send(; id; null(), &raw mut n, &raw mut out);
        cw_exchange_send_queued(; id; null(), &raw mut count, &raw mut out);
        cw_exchange_withdraw(; id; text("a").0, 1, text("a").0, 1, &raw mut out);
        cw_exchange_word(; id; &raw mut out);
        cw_exchange_remove_sealed(; id; text("a").0, 1, null_mut());
        cw_exchange_replay(; id; text("a").0, 1, &raw mut n, &raw mut out);
        cw_exchange_replay_since(; id; text("2026-03-02T14:30:00Z").0, 20, text("a").0, 1, &raw mut count, &raw mut out);
        cw_exchange_replay_since(text("A").0, 1; id; text("a").0, 1, &raw mut count, &raw mut out);
        cw_exchange_poll(; id; &raw mut n, &raw mut out);
        cw_exchange_outgoing(; id; &raw mut n, &raw mut out);
        cw_exchange_incoming(; id; &raw mut n, &raw mut out);
        cw_exchange_preview(; id; null(), &raw mut n, &raw mut out);
        cw_exchange_unpack(; id; text("a").0, 1, null(), &raw mut n, &raw mut n, &raw mut out);
        cw_exchange_acknowledge(; id; &raw mut n, &raw mut out);
        cw_exchange_mark_viewed(; id; text("a").0, 1, &raw mut count, &raw mut out);
        cw_exchange_mark_viewed(text("A/1").0, 3; id; &raw mut count, &raw mut out);
        cw_exchange_export_notes(; id; text("A").0, 1, text("a").0, 1, null_mut(), &raw mut out);
        cw_exchange_export_notes(text("A/1").0, 3; id; text("a").0, 1, null_mut(), &raw mut out);
        cw_exchange_export_notes(text("A/1").0, 3, text("A").0, 1; id; null_mut(), &raw mut out);
        cw_exchange_remove_partner(; id; &raw mut n);
        cw_exchange_pause(; id; );
        cw_exchange_resume(; id; );
        cw_exchange_verify_history_from(; id; &raw mut out);
    );
    assert!(out.is_null() && n == 0 && count == 0, "nothing is given out after a failure");

    let mut out = old();
    refused("cw_exchange_partners", |error| c!(cw_exchange_partners(null(), &raw mut out, error)));
    refused("cw_exchange_paused", |error| c!(cw_exchange_paused(null(), &raw mut out, error)));
    refused("cw_exchange_site", |error| c!(cw_exchange_site(null(), &raw mut out, error)));
    refused("cw_exchange_site", |error| c!(cw_exchange_site(exchange, null_mut(), error)));
    refused("cw_exchange_verify_history", |error| {
        c!(cw_exchange_verify_history(null(), &raw mut out, error))
    });
    refused("cw_exchange_apply_pending_notes", |error| {
        c!(cw_exchange_apply_pending_notes(null(), null_mut(), &raw mut out, error))
    });
    refused("cw_exchange_set_partner", |error| c!(cw_exchange_set_partner(null(), null(), error)));
    refused("cw_exchange_set_partner", |error| c!(cw_exchange_set_partner(exchange, null(), error)));
    assert!(out.is_null());
    // What the host does not want, it leaves out.
    works(|error| c!(cw_exchange_paused(exchange, null_mut(), error)));
    works(|error| c!(cw_exchange_apply_pending_notes(exchange, null_mut(), null_mut(), error)));
    assert_eq!(c!(cw_exchange_pause(null(), null(), 0, null_mut())), CW_ERR_INVALID_ARGUMENT);
    c!(cw_exchange_free(null_mut()));
}

#[test]
fn a_query_is_json_of_members_that_are_known() {
    let sites = TwoSites::new(Suite::Age);
    let exchange = sites.insurer.exchange.cast_const();
    for bad in ["", "no JSON", "[]", r#"{"clam": "A/1"}"#, r#"{"limit": -1}"#, r#"{"claim": "no id"}"#] {
        let bad = text(bad);
        for (name, list) in [
            ("cw_exchange_history", cw_exchange_history as unsafe extern "C" fn(_, _, _, _, _) -> _),
            ("cw_exchange_outgoing_packages", cw_exchange_outgoing_packages),
            ("cw_exchange_incoming_packages", cw_exchange_incoming_packages),
        ] {
            let mut out = old();
            refused(name, |error| c!(list(exchange, bad.0, bad.1, &raw mut out, error)));
            refused(name, |error| c!(list(null(), null(), 0, &raw mut out, error)));
            assert!(out.is_null());
            works(|error| c!(list(exchange, null(), 0, &raw mut out, error)));
            assert_eq!(take(out), "[]");
        }
    }
}

#[test]
fn an_export_needs_its_options_as_this_header_has_them() {
    let sites = TwoSites::new(Suite::Age);
    let exchange = sites.insurer.exchange.cast_const();
    let name = "cw_exchange_export";
    let (claim, partner) = (text("A/1"), text("IMEX"));
    let export = |options: *const cw_export_options| {
        move |error| {
            c!(cw_exchange_export(
                exchange,
                claim.0,
                claim.1,
                partner.0,
                partner.1,
                options,
                null(),
                null_mut(),
                null_mut(),
                error,
            ))
        }
    };
    refused(name, export(null()));
    let mut options: cw_export_options = c!(zeroed());
    for size in [0, 1, size_of::<cw_export_options>() - 1, usize::MAX] {
        options.struct_size = size;
        refused(name, export(&raw const options));
    }
    options.struct_size = size_of::<cw_export_options>();
    for bad in bad_texts() {
        (options.by, options.by_len) = bad;
        refused(name, export(&raw const options));
    }
}

#[test]
fn settings_check_what_they_are_given_and_end_what_they_take() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate("k").unwrap();
    let (settings, _cases) = settings(folder.path(), "ON-INS", &key);
    let mut ended = 0u32;
    let data = (&raw mut ended).cast();
    refused("cw_exchange_settings_on_event", |error| {
        c!(cw_exchange_settings_on_event(settings, None, data, COUNT_END, error))
    });
    refused("cw_exchange_settings_on_event", |error| {
        c!(cw_exchange_settings_on_event(null_mut(), Some(panicking), data, COUNT_END, error))
    });
    assert_eq!(ended, 2);
    works(|error| c!(cw_exchange_settings_on_event(settings, Some(panicking), data, COUNT_END, error)));
    assert_eq!(ended, 2);
    refused("cw_exchange_settings_add_partner", |error| {
        c!(cw_exchange_settings_add_partner(settings, null(), error))
    });
    refused("cw_exchange_settings_add_webhook", |error| {
        c!(cw_exchange_settings_add_webhook(settings, null(), error))
    });
    refused("cw_exchange_settings_set_sealed_size_limit", |error| {
        c!(cw_exchange_settings_set_sealed_size_limit(settings, 0, error))
    });
    refused("cw_exchange_settings_set_upload_limits", |error| {
        c!(cw_exchange_settings_set_upload_limits(null_mut(), 1, 1, 1, error))
    });
    works(|error| c!(cw_exchange_settings_set_upload_limits(settings, 0, 0, 0, error)));
    for partners in [0, 256, u32::MAX] {
        refused("cw_exchange_settings_set_sends_at_once", |error| {
            c!(cw_exchange_settings_set_sends_at_once(settings, partners, error))
        });
    }
    works(|error| c!(cw_exchange_settings_set_sends_at_once(settings, 255, error)));
    for bad in &bad_texts()[1..] {
        if bad.1 > 0 {
            refused("cw_exchange_settings_set_base_path", |error| {
                c!(cw_exchange_settings_set_base_path(settings, bad.0, bad.1, error))
            });
        }
    }
    let mut limits: cw_package_limits = c!(zeroed());
    let set_limits = |limits: *const cw_package_limits| {
        move |error| c!(cw_exchange_settings_set_package_limits(settings, limits, error))
    };
    refused("cw_exchange_settings_set_package_limits", set_limits(null()));
    refused("cw_exchange_settings_set_package_limits", set_limits(&raw const limits));
    limits.struct_size = size_of::<cw_package_limits>();
    limits.entries = 3;
    works(set_limits(&raw const limits));
    c!(cw_exchange_settings_free(settings));
    assert_eq!(ended, 3);
    c!(cw_exchange_settings_free(null_mut()));
    c!(cw_signing_key_free(null_mut()));

    let mut out = dangling::<cw_exchange_settings>().cast_mut();
    for bad in bad_texts() {
        refused("cw_exchange_settings_new", |error| {
            c!(cw_exchange_settings_new(bad.0, bad.1, text("f").0, 1, null(), null(), &raw mut out, error))
        });
        refused("cw_exchange_settings_new", |error| {
            c!(cw_exchange_settings_new(text("A").0, 1, bad.0, bad.1, null(), null(), &raw mut out, error))
        });
    }
    assert!(out.is_null());
}

#[test]
fn a_second_exchange_on_the_same_folder_is_refused_and_its_settings_are_ended() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate("k").unwrap();
    let open = |out| {
        let (settings, _cases) = settings(folder.path(), "ON-INS", &key);
        failing(|error| c!(cw_exchange_open(settings, out, error))).0
    };
    let (mut first, mut second) = (null_mut(), dangling::<cw_exchange>().cast_mut());
    assert_eq!(open(&raw mut first), CW_OK);
    assert_eq!(open(&raw mut second), CW_ERR_WRONG_STATE);
    assert!(second.is_null());
    assert_eq!(open(null_mut()), CW_ERR_INVALID_ARGUMENT);
    refused("cw_exchange_open", |error| c!(cw_exchange_open(null_mut(), &raw mut second, error)));
    c!(cw_exchange_free(first));
    assert_eq!(open(&raw mut second), CW_OK);
    c!(cw_exchange_free(second));
}

#[test]
fn an_event_that_is_null_says_nothing() {
    assert_eq!(c!(cw_event_kind(null())), 0);
    for getter in
        [cw_event_name, cw_event_package, cw_event_partner, cw_event_claim, cw_event_reason, cw_event_json]
    {
        assert!(c!(getter(null())).is_null());
    }
}

#[test]
fn a_receiver_needs_an_address_and_certificates() {
    let sites = TwoSites::new(Suite::Age);
    let exchange = sites.insurer.exchange.cast_const();
    let mut out = dangling::<cw_receiver>().cast_mut();
    let mut options: cw_receiver_options = c!(zeroed());
    let mut start = |exchange, options: &cw_receiver_options| {
        failing(|error| c!(cw_receiver_start(exchange, options, &raw mut out, error)))
    };
    let takes_not = |(code, said): (i32, String), about: &str| {
        assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
        assert!(said.contains(about), "{said}");
    };
    takes_not(start(exchange, &options), "struct_size");
    options.struct_size = size_of::<cw_receiver_options>();
    takes_not(start(null(), &options), "`exchange`");
    takes_not(start(exchange, &options), "`receiver_options->address`");
    (options.address, options.address_len) = text("127.0.0.1:0");
    takes_not(start(exchange, &options), "`receiver_options->certificates`");
    let pem = text("no PEM");
    (options.certificates, options.certificates_len) = (pem.0.cast(), pem.1);
    takes_not(start(exchange, &options), "`receiver_options->private_key`");
    (options.private_key, options.private_key_len) = (pem.0.cast(), pem.1);
    options.client_certificates_optional = 1;
    takes_not(start(exchange, &options), "`client_authorities`");
    (options.client_authorities, options.client_authorities_len) = (pem.0.cast(), pem.1);
    options.client_certificates_optional = 2;
    takes_not(start(exchange, &options), "it is 0 or 1");
    options.client_certificates_optional = 0;
    assert_eq!(start(exchange, &options).0, CW_ERR_INVALID_SETTINGS);
    assert!(out.is_null());
    refused("cw_receiver_shutdown", |error| c!(cw_receiver_shutdown(null_mut(), 0, error)));
    assert_eq!(c!(cw_receiver_local_port(null())), 0);
    c!(cw_receiver_free(null_mut()));
}

#[test]
fn a_webhook_needs_a_site_an_address_a_folder_and_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let path = path.to_str().unwrap();
    let mut ended = 0u32;
    let data = (&raw mut ended).cast();
    let mut out = dangling::<cw_webhook>().cast_mut();
    let mut options: cw_webhook_options = c!(zeroed());
    let mut open = |options: &cw_webhook_options| {
        failing(|error| c!(cw_webhook_open(options, None, data, COUNT_END, &raw mut out, error)))
    };
    assert_eq!(open(&options).0, CW_ERR_INVALID_ARGUMENT);
    options.struct_size = size_of::<cw_webhook_options>();
    for (place, value) in [("site", "ON-INS"), ("url", "http://127.0.0.1:9/hook"), ("folder", path)] {
        let (code, said) = open(&options);
        assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
        assert!(said.contains(&format!("`webhook_options->{place}`")), "{said}");
        let value = (value.as_ptr().cast(), value.len());
        match place {
            "site" => (options.site, options.site_len) = value,
            "url" => (options.url, options.url_len) = value,
            _ => (options.folder, options.folder_len) = value,
        }
    }
    (options.secret, options.secret_len) = text("hunter2");
    let (code, said) = open(&options);
    assert_eq!(code, CW_ERR_INVALID_KEY);
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(ended, 5, "the data was ended by each call that failed");

    let mut secret = null_mut();
    works(|error| c!(cw_webhook_secret_generate(&raw mut secret, error)));
    let secret = take(secret);
    (options.secret, options.secret_len) = (secret.as_ptr().cast(), secret.len());
    assert_eq!(open(&options).0, CW_OK);
    assert_eq!(c!(cw_webhook_waiting(out)), 0);
    assert_eq!(c!(cw_webhook_is_disabled(out)), 0);
    let (mut next, mut count, mut gone) = (7, 7, 7);
    works(|error| c!(cw_webhook_deliver_due(out, &raw mut next, error)));
    works(|error| c!(cw_webhook_retry_failed(out, &raw mut count, error)));
    works(|error| c!(cw_webhook_enable(out, error)));
    works(|error| c!(cw_webhook_start(out, error)));
    assert_eq!(failing(|error| c!(cw_webhook_start(out, error))).0, CW_ERR_WRONG_STATE);
    works(|error| c!(cw_webhook_stop(out, 60_000, &raw mut gone, error)));
    assert_eq!((next, count, gone), (-1, 0, 1));
    c!(cw_webhook_free(out));
    assert_eq!(ended, 6);

    refused("cw_webhook_start", |error| c!(cw_webhook_start(null(), error)));
    refused("cw_webhook_enable", |error| c!(cw_webhook_enable(null(), error)));
    refused("cw_webhook_deliver_due", |error| c!(cw_webhook_deliver_due(null(), null_mut(), error)));
    refused("cw_webhook_retry_failed", |error| c!(cw_webhook_retry_failed(null(), null_mut(), error)));
    refused("cw_webhook_stop", |error| c!(cw_webhook_stop(null(), 0, null_mut(), error)));
    refused("cw_webhook_secret_generate", |error| c!(cw_webhook_secret_generate(null_mut(), error)));
    c!(cw_webhook_free(null_mut()));
}

#[test]
fn a_webhook_message_of_another_secret_is_refused() {
    let verify = |secret: Text, timestamp: Text, signature: Text| {
        let (id, body) = (text("msg_1"), b"{}");
        failing(|error| {
            c!(cw_webhook_verify(
                secret.0,
                secret.1,
                id.0,
                id.1,
                timestamp.0,
                timestamp.1,
                signature.0,
                signature.1,
                body.as_ptr(),
                2,
                300,
                error,
            ))
        })
        .0
    };
    let secret = text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let signature = text("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(verify(secret, text("1614265330"), signature), CW_ERR_BAD_SIGNATURE);
    assert_eq!(verify(secret, text("yesterday"), signature), CW_ERR_BAD_MESSAGE);
    assert_eq!(verify(text("hunter2"), text("1614265330"), signature), CW_ERR_INVALID_KEY);
    for bad in bad_texts() {
        assert_eq!(verify(bad, text("1614265330"), signature), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(verify(secret, bad, signature), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(verify(secret, text("1614265330"), bad), CW_ERR_INVALID_ARGUMENT);
    }
}

#[test]
fn a_log_level_is_one_of_the_header() {
    let mut ended = 0u32;
    let data = (&raw mut ended).cast();
    for level in [i32::MIN, -1, 1, 99, 501, i32::MAX] {
        refused("cw_set_log", |error| c!(cw_set_log(level, None, data, COUNT_END, error)));
    }
    assert_eq!(ended, 6);
    assert_eq!(c!(CStr::from_ptr(super::package_state::cw_state_name(-5))), c"unknown");
}
