//! Events posted to the host over HTTP, for hosts that prefer that to a callback.

use super::border::{call, quietly};
use super::buffer::cw_buffer;
use super::callback::{UserData, cw_drop_fn};
use super::error::{c_text, cw_error};
use super::event::cw_event;
use super::pointer::{Out, bytes, free, given_text, shared, tell, tell_wait};
use super::webhook_options::{cw_webhook_options, webhook_settings};
use crate::Error;
use crate::model::Timestamp;
use crate::protocol::Headers;
use crate::webhook::{Trouble, Webhook, WebhookSecret, verify};
use std::ffi::{CString, c_char, c_void};
use std::ptr::null;
use std::time::Duration;

/// An event could not be kept for delivery, and its receiver will not be told of it.
pub const CW_TROUBLE_NOT_KEPT: i32 = 100;
/// A try failed; another follows.
pub const CW_TROUBLE_RETRYING: i32 = 110;
/// The last try failed; cw_webhook_retry_failed tries the message again.
pub const CW_TROUBLE_GIVEN_UP: i32 = 120;
/// The receiver answered 410 Gone: nothing is posted until cw_webhook_enable.
pub const CW_TROUBLE_DISABLED: i32 = 130;
/// The spool's folder could not be read or written; a message may be delivered again after a restart.
pub const CW_TROUBLE_SPOOL: i32 = 140;

/// Tells one HTTP endpoint of a site's events. May be shared between threads.
pub struct cw_webhook(pub(super) Webhook);

/// Told of troubles with delivery, on the thread that met them: `trouble` is one of CW_TROUBLE_*, and a later version may
/// have more; `message` is the id of the message it is about, or NULL. `why` is borrowed for the time of the call. It must
/// not call cw_webhook_deliver_due or cw_webhook_retry_failed, and must not throw or longjmp.
pub type cw_trouble_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        trouble: i32,
        message: *const c_char,
        why: *const cw_error,
    ),
>;

/// Opens a webhook with what waits in its folder from before; cw_exchange_settings_add_webhook gives it events. Nothing is
/// posted before cw_webhook_start or cw_webhook_deliver_due. `trouble` may be NULL; `user_data` is kept until the webhook
/// and the exchanges that use it are gone, and is then ended with `drop`; so it is when this fails.
///
/// Errors: CW_ERR_INVALID_SETTINGS for an endpoint or a retry policy that cannot be used; CW_ERR_PLAIN_HTTP;
/// CW_ERR_INVALID_KEY for a secret that is none; CW_ERR_WRONG_STATE when another webhook has the folder; CW_ERR_IO,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_open(
    webhook_options: *const cw_webhook_options,
    trouble: cw_trouble_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    out: *mut *mut cw_webhook,
    error: *mut *mut cw_error,
) -> i32 {
    let data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_webhook_open", error, || {
            let out = Out::new("out", out)?;
            let settings = webhook_settings(webhook_options)?;
            out.give(cw_webhook(Webhook::open(settings.on_trouble(teller(trouble, data)))?));
            Ok(())
        })
    }
}

/// Keeps one event for delivery, from within a cw_event_fn: for a host that posts the events of some partners, or of some
/// kinds, and not all of them as with cw_exchange_settings_add_webhook. It writes a small file; an event that cannot be
/// kept is told as a trouble.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_keep(
    webhook: *const cw_webhook,
    event: *const cw_event,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_webhook_keep", error, || {
            let webhook = shared("webhook", webhook)?;
            webhook.0.listener()(&shared("event", event)?.event);
            Ok(())
        })
    }
}

/// Starts a thread that delivers until cw_webhook_stop.
///
/// Errors: CW_ERR_WRONG_STATE when it was started or stopped before; CW_ERR_IO when the system gives no thread;
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_start(webhook: *const cw_webhook, error: *mut *mut cw_error) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe { call("cw_webhook_start", error, || shared("webhook", webhook)?.0.start()) }
}

/// Posts all that is due, for a host with a scheduler of its own; blocks while it posts. `*next_ms` is in how many
/// milliseconds to call it again, -1 when nothing waits or nothing may be posted; new events are due at once. It may be
/// NULL.
///
/// Errors: CW_ERR_INVALID_ARGUMENT. What could not be delivered is told as a trouble.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_deliver_due(
    webhook: *const cw_webhook,
    next_ms: *mut i64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_webhook_deliver_due", error, || {
            tell(next_ms, -1);
            tell_wait(next_ms, shared("webhook", webhook)?.0.deliver_due(Timestamp::now()));
            Ok(())
        })
    }
}

/// How many messages wait for delivery. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_waiting(webhook: *const cw_webhook) -> usize {
    // SAFETY: the host vouches for `webhook`.
    quietly(0, || unsafe { webhook.as_ref() }.map_or(0, |webhook| webhook.0.waiting()))
}

/// 1 when the receiver answered 410 Gone and was not enabled since; restarts do not change it. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_is_disabled(webhook: *const cw_webhook) -> i32 {
    // SAFETY: the host vouches for `webhook`.
    quietly(0, || i32::from(unsafe { webhook.as_ref() }.is_some_and(|webhook| webhook.0.is_disabled())))
}

/// Posts again to a receiver that had answered 410 Gone, beginning with what waited meanwhile.
///
/// Errors: CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_enable(webhook: *const cw_webhook, error: *mut *mut cw_error) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe { call("cw_webhook_enable", error, || shared("webhook", webhook)?.0.enable()) }
}

/// Queues the messages that were given up once more, as many as there is room for, with all their tries. `*count` is how
/// many; it may be NULL.
///
/// Errors: CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_retry_failed(
    webhook: *const cw_webhook,
    count: *mut usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_webhook_retry_failed", error, || {
            tell(count, 0);
            tell(count, shared("webhook", webhook)?.0.retry_failed()?);
            Ok(())
        })
    }
}

/// Ends delivery: a try under way is finished, no other is begun, and what was not delivered stays in the folder. Waits at
/// most `within_ms`; `*ended` is 1 when the thread ended by then, and it ends by itself later otherwise. It may be NULL.
/// Events that come after this are still kept, for the next webhook that opens the folder.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_stop(
    webhook: *const cw_webhook,
    within_ms: u32,
    ended: *mut i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_webhook_stop", error, || {
            tell(ended, 0);
            let stopped = shared("webhook", webhook)?.0.stop(Duration::from_millis(within_ms.into()));
            tell(ended, i32::from(stopped));
            Ok(())
        })
    }
}

/// Tells a webhook's thread to end and does not wait for it; the folder is free for another webhook once the thread and
/// the exchanges that use it are gone. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_free(webhook: *mut cw_webhook) {
    // SAFETY: the host vouches for `webhook`.
    unsafe { free(webhook) }
}

/// A new secret of a webhook, "whsec_…": for a secret store, and for the receiver.
///
/// Errors: CW_ERR_IO when the system has no randomness to give; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_secret_generate(
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_webhook_secret_generate", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_buffer::new(WebhookSecret::generate()?.to_text().as_str()));
            Ok(())
        })
    }
}

/// For a host that receives webhooks: proves that a message was sent by whoever shares `secret`, within `tolerance_s`
/// seconds of now, both ways; 300 are usual. `id`, `timestamp` and `signature` are the values of the header fields
/// webhook-id, webhook-timestamp and webhook-signature; `body` is the body exactly as it came in. A message may come more
/// than once: keep the ids of those already dealt with.
///
/// Errors: CW_ERR_BAD_SIGNATURE; CW_ERR_REPLAYED; CW_ERR_BAD_MESSAGE for a header field that is not what it should be;
/// CW_ERR_INVALID_KEY for a secret that is none; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_webhook_verify(
    secret: *const c_char,
    secret_len: usize,
    id: *const c_char,
    id_len: usize,
    timestamp: *const c_char,
    timestamp_len: usize,
    signature: *const c_char,
    signature_len: usize,
    body: *const u8,
    body_len: usize,
    tolerance_s: u32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_webhook_verify", error, || {
            let secret = WebhookSecret::from_text(given_text("secret", secret, secret_len)?)?;
            let mut headers = Headers::new();
            headers.insert("webhook-id", given_text("id", id, id_len)?)?;
            headers.insert("webhook-timestamp", given_text("timestamp", timestamp, timestamp_len)?)?;
            headers.insert("webhook-signature", given_text("signature", signature, signature_len)?)?;
            let body = bytes("body", body, body_len)?;
            let tolerance = Duration::from_secs(tolerance_s.into());
            verify(&headers, body, &[secret], Timestamp::now(), tolerance).map(|_| ())
        })
    }
}

/// The host's function as a listener for troubles; one that panics does not stop the delivery.
fn teller(tell: cw_trouble_fn, data: UserData) -> impl Fn(&Trouble) + Send + Sync + 'static {
    move |trouble| {
        let (kind, message, why): (i32, Option<&str>, &Error) = match trouble {
            Trouble::NotKept(error) => (CW_TROUBLE_NOT_KEPT, None, error),
            Trouble::Retrying { message, error, .. } => (CW_TROUBLE_RETRYING, Some(message), error),
            Trouble::GivenUp { message, error } => (CW_TROUBLE_GIVEN_UP, Some(message), error),
            Trouble::Disabled(error) => (CW_TROUBLE_DISABLED, None, error),
            Trouble::Spool(error) => (CW_TROUBLE_SPOOL, None, error),
        };
        let message: Option<CString> = message.map(c_text);
        let message = message.as_ref().map_or(null(), |message| message.as_ptr());
        let why = cw_error::new(why);
        if let Some(tell) = tell {
            // SAFETY: the host gave the function for this data; what it borrows lives until it returns.
            quietly((), || unsafe { tell(data.get(), kind, message, &raw const why) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::{CW_ERR_INVALID_ARGUMENT, CW_OK};
    use super::super::event::{CW_EVENT_EXPORTED, cw_event_kind, listener};
    use super::super::exchange::{cw_exchange_free, cw_exchange_open};
    use super::super::exchange_settings::cw_exchange_settings_add_webhook;
    use super::super::transport_https::cw_https_options;
    use super::super::two_sites::{c, failing, settings as site_settings, take, works};
    use super::*;
    use crate::exchange::Event;
    use crate::model::PackageId;
    use crate::protocol::SigningKey;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::mem::zeroed;
    use std::net::TcpListener;
    use std::ptr::null_mut;
    use std::sync::Mutex;

    type Troubles = Mutex<Vec<i32>>;

    unsafe extern "C-unwind" fn note_down(
        troubles: *mut c_void,
        trouble: i32,
        message: *const c_char,
        why: *const cw_error,
    ) {
        assert!(message.is_null() && !why.is_null());
        c!(&*troubles.cast::<Troubles>()).lock().unwrap().push(trouble);
        std::panic::resume_unwind(Box::new("a fault of the host's"));
    }

    /// Answers one request with this status; gives the values of the three header fields, and the body.
    fn answer(listener: &TcpListener, status: u16) -> ([String; 3], Vec<u8>) {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut fields, mut length) = ([const { String::new() }; 3], 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line == "\r\n" { break } else { continue }
            };
            match name.to_ascii_lowercase().as_str() {
                "webhook-id" => fields[0] = value.to_owned(),
                "webhook-timestamp" => fields[1] = value.to_owned(),
                "webhook-signature" => fields[2] = value.to_owned(),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        write!(reader.get_mut(), "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        (fields, body)
    }

    #[test]
    fn an_event_is_posted_signed_and_again_after_the_receiver_was_gone() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let spool = folder.path().join("spool");
        let spool = spool.to_str().unwrap();
        let mut secret = null_mut();
        works(|error| c!(cw_webhook_secret_generate(&raw mut secret, error)));
        let secret = take(secret);
        let mut given: cw_webhook_options = c!(zeroed());
        given.struct_size = size_of::<cw_webhook_options>();
        let site = "ON-INS";
        (given.site, given.site_len) = (site.as_ptr().cast(), site.len());
        (given.url, given.url_len) = (url.as_ptr().cast(), url.len());
        (given.folder, given.folder_len) = (spool.as_ptr().cast(), spool.len());
        (given.secret, given.secret_len) = (secret.as_ptr().cast(), secret.len());
        let troubles = Troubles::default();
        let data = (&raw const troubles).cast_mut().cast();
        let mut webhook = null_mut();
        works(|error| {
            let open = cw_webhook_open;
            c!(open(&raw const given, Some(note_down), data, None, &raw mut webhook, error))
        });

        // An exchange keeps its listener for as long as it is open.
        let (settings, _cases) = site_settings(folder.path(), site, &SigningKey::generate("k").unwrap());
        works(|error| c!(cw_exchange_settings_add_webhook(settings, webhook, error)));
        let mut exchange = null_mut();
        works(|error| c!(cw_exchange_open(settings, &raw mut exchange, error)));
        let hook = &c!(&*webhook).0;
        let exported = Event::Exported {
            package: PackageId::generate(),
            to: "IMEX".parse().unwrap(),
            claim: "ON-INS/C-1".parse().unwrap(),
        };
        hook.listener()(&exported);
        assert_eq!(c!(cw_webhook_waiting(webhook)), 1);

        let posted = std::thread::spawn(move || [410, 204].map(|status| answer(&listener, status)));
        let deliver = || {
            let mut next = 7;
            works(|error| c!(cw_webhook_deliver_due(webhook, &raw mut next, error)));
            next
        };
        assert_eq!(deliver(), -1);
        assert_eq!((c!(cw_webhook_is_disabled(webhook)), c!(cw_webhook_waiting(webhook))), (1, 1));
        assert_eq!(*troubles.lock().unwrap(), [CW_TROUBLE_DISABLED]);
        works(|error| c!(cw_webhook_enable(webhook, error)));
        assert_eq!(deliver(), -1);
        assert_eq!((c!(cw_webhook_is_disabled(webhook)), c!(cw_webhook_waiting(webhook))), (0, 0));
        for ([id, timestamp, signature], body) in posted.join().unwrap() {
            works(|error| {
                c!(cw_webhook_verify(
                    secret.as_ptr().cast(),
                    secret.len(),
                    id.as_ptr().cast(),
                    id.len(),
                    timestamp.as_ptr().cast(),
                    timestamp.len(),
                    signature.as_ptr().cast(),
                    signature.len(),
                    body.as_ptr(),
                    body.len(),
                    300,
                    error,
                ))
            });
        }
        c!(cw_exchange_free(exchange));
        c!(cw_webhook_free(webhook));
    }
    unsafe extern "C-unwind" fn keep_exports(webhook: *mut c_void, event: *const cw_event) {
        if c!(cw_event_kind(event)) == CW_EVENT_EXPORTED {
            works(|error| c!(cw_webhook_keep(webhook.cast_const().cast(), event, error)));
        }
    }

    #[test]
    fn a_host_posts_the_events_it_chooses_by_a_way_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", receiver.local_addr().unwrap());
        let mut https: cw_https_options = c!(zeroed());
        https.struct_size = size_of::<cw_https_options>();
        (https.bearer_token, https.bearer_token_len) = (c"t0ken".as_ptr(), 5);
        let spool = folder.path().join("spool").to_str().unwrap().to_owned();
        let secret = WebhookSecret::generate().unwrap().to_text();
        let mut given: cw_webhook_options = c!(zeroed());
        given.struct_size = size_of::<cw_webhook_options>();
        (given.site, given.site_len) = (c"ON-INS".as_ptr(), 6);
        (given.folder, given.folder_len) = (spool.as_ptr().cast(), spool.len());
        (given.secret, given.secret_len) = (secret.as_str().as_ptr().cast(), secret.as_str().len());
        given.https = &raw const https;
        let mut webhook = null_mut();
        let mut open = |given: cw_webhook_options| {
            failing(|error| {
                c!(cw_webhook_open(&raw const given, None, null_mut(), None, &raw mut webhook, error))
            })
        };
        let (code, said) = open(given);
        assert!(code == CW_ERR_INVALID_ARGUMENT && said.contains("webhook_options->https->url"), "{said}");
        (https.url, https.url_len) = (url.as_ptr().cast(), url.len());
        let (code, said) = open(cw_webhook_options { url: https.url, url_len: https.url_len, ..given });
        assert!(code == CW_ERR_INVALID_ARGUMENT && said.contains("`url`"), "{said}");
        assert_eq!(open(given).0, CW_OK);

        let tell = listener(Some(keep_exports), UserData::new(webhook.cast(), None));
        let (package, partner) = (PackageId::generate(), || "IMEX".parse().unwrap());
        let claim = "ON-INS/C-1".parse().unwrap();
        tell(&Event::Exported { package, to: partner(), claim });
        tell(&Event::NewPackage { package, from: partner() });
        assert_eq!(c!(cw_webhook_waiting(webhook)), 1);
        let posted = std::thread::spawn(move || answer(&receiver, 204));
        works(|error| c!(cw_webhook_deliver_due(webhook, null_mut(), error)));
        let (_, body) = posted.join().unwrap();
        assert!(String::from_utf8(body).unwrap().contains("exported"));
        let none = failing(|error| c!(cw_webhook_keep(webhook, null(), error)));
        assert!(none.0 == CW_ERR_INVALID_ARGUMENT && none.1.contains("`event`"), "{none:?}");
        c!(cw_webhook_free(webhook));
    }
}
