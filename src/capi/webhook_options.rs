//! Where a webhook posts to, as a host sets it.

use super::pointer::{Options, bytes, given_text, misuse, optional_text, options, parsed, path};
use super::transport_https::{cw_https_options, https_settings};
use crate::Result;
use crate::transport::HttpsSettings;
use crate::webhook::{RetryPolicy, WebhookSecret, WebhookSettings};
use std::ffi::c_char;
use std::mem::offset_of;
use std::time::Duration;

/// Where a webhook posts to and how long it tries. 0 and NULL stand for the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_webhook_options {
    /// Set to sizeof(cw_webhook_options).
    pub struct_size: usize,
    /// The id of the site whose events are told. Required.
    pub site: *const c_char,
    /// The length of `site` in bytes.
    pub site_len: usize,
    /// The endpoint: an https address, or an http one of this machine. Required, unless `https` says it.
    pub url: *const c_char,
    /// The length of `url` in bytes.
    pub url_len: usize,
    /// The folder, the webhook's own, in which events wait; made, for this user alone, when it is not there. Required.
    pub folder: *const c_char,
    /// The length of `folder` in bytes.
    pub folder_len: usize,
    /// What messages are signed with, "whsec_…". Required.
    pub secret: *const c_char,
    /// The length of `secret` in bytes.
    pub secret_len: usize,
    /// Another secret to sign with as well: the old one, while a new one is introduced.
    pub other_secret: *const c_char,
    /// The length of `other_secret` in bytes.
    pub other_secret_len: usize,
    /// The authorities, as PEM, that the endpoint's certificate must lead to. Required for https.
    pub root_certificates: *const u8,
    /// The length of `root_certificates` in bytes.
    pub root_certificates_len: usize,
    /// A token for the endpoint, sent as Authorization: Bearer; one line end after it is taken off.
    pub bearer_token: *const c_char,
    /// The length of `bearer_token` in bytes.
    pub bearer_token_len: usize,
    /// The most events that wait, and the most that are kept after they were given up; by default 10,000.
    pub capacity: u32,
    /// The most tries, the first among them; by default 14.
    pub tries: u32,
    /// The wait after the first try; by default 5,000 ms.
    pub first_delay_ms: u32,
    /// By what each wait grows; by default 4.
    pub factor: u32,
    /// The longest wait, at most seven days; by default 12 hours.
    pub longest_delay_ms: u64,
    /// The age at which a message that fails is given up; by default 5 days.
    pub max_age_ms: u64,
    /// All that the way to the endpoint needs, such as a proxy, a client certificate or timeouts, in the place of `url`,
    /// `root_certificates` and `bearer_token`, which are NULL then. Read during the call; NULL for those three alone. A try
    /// takes at most 30 s unless `whole_call_ms` says otherwise.
    pub https: *const cw_https_options,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_webhook_options {
    const FIRST: usize = offset_of!(cw_webhook_options, max_age_ms) + size_of::<u64>();
}

/// What the host set.
///
/// # Safety
/// `given` is NULL or good for the time of the call, and so are its pointers.
pub(super) unsafe fn webhook_settings(given: *const cw_webhook_options) -> Result<WebhookSettings> {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        let given = &options("webhook_options", given)?;
        let site = parsed("webhook_options->site", given.site, given.site_len)?;
        let endpoint = endpoint(given)?;
        let folder = path("webhook_options->folder", given.folder, given.folder_len)?;
        let secret = given_text("webhook_options->secret", given.secret, given.secret_len)?;
        let mut settings = WebhookSettings::new(site, endpoint, folder, WebhookSecret::from_text(secret)?);
        let other =
            optional_text("webhook_options->other_secret", given.other_secret, given.other_secret_len)?;
        if let Some(other) = other {
            settings = settings.with_other_secret(WebhookSecret::from_text(other)?);
        }
        if given.capacity > 0 {
            settings = settings.with_capacity(usize::try_from(given.capacity).unwrap_or(usize::MAX));
        }
        Ok(settings.with_retry_policy(retry_policy(given)))
    }
}

/// # Safety
/// The pointers of `given` are NULL or good for as many bytes as it says.
unsafe fn endpoint(given: &cw_webhook_options) -> Result<HttpsSettings> {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        if !given.https.is_null() {
            if !(given.url.is_null() && given.root_certificates.is_null() && given.bearer_token.is_null()) {
                return Err(misuse(
                    "with `webhook_options->https`, `url`, `root_certificates` and `bearer_token` are NULL: it says them",
                ));
            }
            return https_settings("webhook_options->https", given.https);
        }
        let mut endpoint = HttpsSettings::new(given_text("webhook_options->url", given.url, given.url_len)?)?;
        let roots = bytes(
            "webhook_options->root_certificates",
            given.root_certificates,
            given.root_certificates_len,
        )?;
        if !roots.is_empty() {
            endpoint = endpoint.root_certificates(roots);
        }
        let token =
            optional_text("webhook_options->bearer_token", given.bearer_token, given.bearer_token_len)?;
        Ok(match token {
            Some(token) => endpoint.bearer_token(token),
            None => endpoint,
        })
    }
}

fn retry_policy(given: &cw_webhook_options) -> RetryPolicy {
    let mut policy = RetryPolicy::default();
    for (place, given) in [(&mut policy.tries, given.tries), (&mut policy.factor, given.factor)] {
        if given > 0 {
            *place = given;
        }
    }
    for (place, given) in [
        (&mut policy.first_delay, given.first_delay_ms.into()),
        (&mut policy.longest_delay, given.longest_delay_ms),
        (&mut policy.max_age, given.max_age_ms),
    ] {
        if given > 0 {
            *place = Duration::from_millis(given);
        }
    }
    policy
}
