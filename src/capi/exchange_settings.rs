//! What an exchange is opened with.

use super::border::call;
use super::callback::{UserData, cw_drop_fn};
use super::case_system::cw_case_system;
use super::error::cw_error;
use super::event::{cw_event_fn, listener};
use super::pack::{cw_pack_options, pack_options};
use super::partner::cw_partner;
use super::pointer::{Options, Out, free, misuse, options, parsed, path, shared, switch, text, unique};
use super::signing_key::cw_signing_key;
use super::webhook::cw_webhook;
use crate::codec::Limits;
use crate::exchange::{ExchangeSettings, UploadLimits};
use crate::package::PackageLimits;
use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::num::NonZeroU8;
use std::time::Duration;

/// What cw_exchange_open needs to know. For one thread at a time.
pub struct cw_exchange_settings(Option<ExchangeSettings>);

impl cw_exchange_settings {
    pub(super) fn into_inner(self) -> Result<ExchangeSettings> {
        self.0.ok_or_else(broken)
    }

    pub(super) fn change(&mut self, change: impl FnOnce(ExchangeSettings) -> ExchangeSettings) -> Result<()> {
        self.0 = Some(change(self.0.take().ok_or_else(broken)?));
        Ok(())
    }
}

fn broken() -> Error {
    Error::new(ErrorKind::Internal, "an earlier fault left these settings unusable; make new ones")
}

/// What an incoming package may cost to read. 0 stands for the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_package_limits {
    /// Set to sizeof(cw_package_limits).
    pub struct_size: usize,
    /// The most bytes that all entries together inflate to; by default 2 GiB.
    pub inflated_size: u64,
    /// The most entries, and the most directories on the way to them; by default 20,000.
    pub entries: u64,
    /// The most bytes of a name between two slashes; by default 255.
    pub name_length: u64,
    /// The most bytes of a whole path; by default 1024.
    pub path_length: u64,
    /// How many times its size something compressed may inflate to, looked at beyond 64 MiB; by default 1000.
    pub ratio: u64,
    /// The most bytes of the claim file, and of the manifest; by default 32 MiB each.
    pub json_size: u64,
    /// The most levels of JSON, at most 128; by default 32.
    pub json_depth: u32,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_package_limits {
    const FIRST: usize = offset_of!(cw_package_limits, json_depth) + size_of::<u32>();
}

/// The settings of a site with this id, which keeps its sealed packages and its ledger in `folder`, signs with
/// `signing_key` and has its claims in `case_system`; both are kept by the settings, and remain the caller's to free. The
/// folder is made, for this user alone, when it is not there; it should lie on an encrypted disk.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_new(
    site: *const c_char,
    site_len: usize,
    folder: *const c_char,
    folder_len: usize,
    signing_key: *const cw_signing_key,
    case_system: *const cw_case_system,
    out: *mut *mut cw_exchange_settings,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_new", error, || {
            let out = Out::new("out", out)?;
            let site = parsed("site", site, site_len)?;
            let folder = path("folder", folder, folder_len)?;
            let signing = shared("signing_key", signing_key)?.0.clone();
            let cases = shared("case_system", case_system)?.shared.clone();
            out.give(cw_exchange_settings(Some(ExchangeSettings::new(site, folder, signing, cases))));
            Ok(())
        })
    }
}

/// Adds a partner, or replaces the one with the same site id. The partner remains the caller's to free.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_add_partner(
    settings: *mut cw_exchange_settings,
    partner: *const cw_partner,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_add_partner", error, || {
            let settings = unique("settings", settings)?;
            let partner = shared("partner", partner)?.0.clone();
            settings.change(|settings| settings.with_partner(partner))
        })
    }
}

/// Adds a key that the site signs with, for a time of its own, see cw_signing_key_set_validity; cw_exchange_set_signing_key
/// says which of them signs when. The key remains the caller's to free.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_add_signing_key(
    settings: *mut cw_exchange_settings,
    key: *const cw_signing_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_add_signing_key", error, || {
            let settings = unique("settings", settings)?;
            let key = shared("key", key)?.0.clone();
            settings.change(|settings| settings.with_signing_key(key))
        })
    }
}

/// How many days before the end of a key, and before the review of des-md5 is due, cw_exchange_warnings begins to tell of
/// it; by default 30.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_warning_days(
    settings: *mut cw_exchange_settings,
    days: u32,
    error: *mut *mut cw_error,
) -> i32 {
    const DAY: u64 = 24 * 60 * 60;
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_warning_days", error, || {
            let settings = unique("settings", settings)?;
            settings.change(|settings| settings.warning_ahead(Duration::from_secs(u64::from(days) * DAY)))
        })
    }
}

/// Calls `tell` for every event of the exchange, beside whatever was given before; see cw_event_fn. `user_data` is kept
/// until the exchange is closed, and is then ended with `drop`; so it is when this fails. The first events may come while
/// the exchange is being opened.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_on_event(
    settings: *mut cw_exchange_settings,
    tell: cw_event_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    error: *mut *mut cw_error,
) -> i32 {
    let data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_on_event", error, || {
            let settings = unique("settings", settings)?;
            if tell.is_none() {
                return Err(misuse("`tell` is NULL; pass the function to call"));
            }
            settings.change(|settings| settings.on_event(listener(tell, data)))
        })
    }
}

/// Posts every event of the exchange through a webhook. The webhook remains the caller's, to stop and to free.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_add_webhook(
    settings: *mut cw_exchange_settings,
    webhook: *const cw_webhook,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_add_webhook", error, || {
            let settings = unique("settings", settings)?;
            let listener = shared("webhook", webhook)?.0.listener();
            settings.change(|settings| settings.on_event(listener))
        })
    }
}

/// The largest sealed package taken in, in bytes; by default 262,144,000 (250 MiB).
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_sealed_size_limit(
    settings: *mut cw_exchange_settings,
    bytes: u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_sealed_size_limit", error, || {
            let settings = unique("settings", settings)?;
            if bytes == 0 {
                return Err(misuse(
                    "`bytes` is 0, and no package is that small; pass the largest size to take in",
                ));
            }
            settings.change(|settings| settings.with_sealed_size_limit(bytes))
        })
    }
}

/// What partners may leave half-sent here, to go on with later: how many uploads of one partner are kept (by default 8; 0
/// keeps none), how many bytes those have together once they are whole (1 GiB), and for how many seconds each is kept
/// after its last byte came (a day).
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_upload_limits(
    settings: *mut cw_exchange_settings,
    per_partner: u32,
    bytes_per_partner: u64,
    keep_seconds: u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_upload_limits", error, || {
            let settings = unique("settings", settings)?;
            let keep = Duration::from_secs(keep_seconds);
            let limits = UploadLimits { per_partner, bytes_per_partner, keep };
            settings.change(|settings| settings.with_upload_limits(limits))
        })
    }
}

/// To how many partners a started outbox (cw_outbox_start) sends at the same time, 1 to 255; by default 4. To one partner
/// it sends one package after the other. Each is a thread with a connection of its own.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_sends_at_once(
    settings: *mut cw_exchange_settings,
    partners: u32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_sends_at_once", error, || {
            let settings = unique("settings", settings)?;
            let given = u8::try_from(partners).ok().and_then(NonZeroU8::new);
            let partners = given.ok_or_else(|| {
                misuse("`partners` is not 1 to 255; pass to how many the outbox sends at the same time")
            })?;
            settings.change(|settings| settings.with_sends_at_once(partners))
        })
    }
}

/// The path below which this site's endpoint is reached, as partners see it, such as "/claimwire"; by default the root.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_base_path(
    settings: *mut cw_exchange_settings,
    base_path: *const c_char,
    base_path_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_base_path", error, || {
            let settings = unique("settings", settings)?;
            let path = text("base_path", base_path, base_path_len)?;
            settings.change(|settings| settings.at_base_path(path))
        })
    }
}

/// With 1, answers GET {base path}/health to whoever asks, with status 200 or 503: whether this site does its work, and
/// nothing else of it. With 0, as by default, it does not. It is looked at most once in ten seconds, however many ask.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_answering_health(
    settings: *mut cw_exchange_settings,
    answering: i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_answering_health", error, || {
            let settings = unique("settings", settings)?;
            let answering = switch("answering", answering)?;
            settings.change(|settings| settings.answering_health(answering))
        })
    }
}

/// What an incoming package may cost to read.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_package_limits(
    settings: *mut cw_exchange_settings,
    limits: *const cw_package_limits,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_package_limits", error, || {
            let settings = unique("settings", settings)?;
            let limits = package_limits(&options("limits", limits)?);
            settings.change(|settings| settings.with_package_limits(limits))
        })
    }
}

/// On how many threads, and how hard, exported packages are compressed.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_pack_options(
    settings: *mut cw_exchange_settings,
    options: *const cw_pack_options,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_pack_options", error, || {
            let settings = unique("settings", settings)?;
            let options = pack_options(options)?;
            settings.change(|settings| settings.with_pack_options(options))
        })
    }
}

/// Ends settings that no exchange was opened with. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_free(settings: *mut cw_exchange_settings) {
    // SAFETY: the host vouches for `settings`.
    unsafe { free(settings) }
}

fn package_limits(given: &cw_package_limits) -> PackageLimits {
    let default = Limits::default();
    let length =
        |bytes: u64, default| if bytes == 0 { default } else { usize::try_from(bytes).unwrap_or(usize::MAX) };
    let archive = Limits::default()
        .with_inflated_size(given_or(given.inflated_size, default.inflated_size()))
        .with_entries(given_or(given.entries, default.entries()))
        .with_name_length(length(given.name_length, default.name_length()))
        .with_path_length(length(given.path_length, default.path_length()))
        .with_ratio(given_or(given.ratio, default.ratio()));
    let mut limits = PackageLimits::default().with_archive(archive);
    if given.json_size > 0 {
        limits = limits.with_json_size(given.json_size);
    }
    if given.json_depth > 0 {
        limits = limits.with_json_depth(given.json_depth);
    }
    limits
}

fn given_or(given: u64, default: u64) -> u64 {
    if given == 0 { default } else { given }
}
