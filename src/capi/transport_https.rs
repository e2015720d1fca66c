//! The HTTPS transport, by a struct of options.

use super::border::call;
use super::error::cw_error;
use super::pointer::{Options, Out, bytes, given_text, misuse, optional_text, options};
use super::transport::cw_transport;
use crate::Result;
use crate::transport::{HttpsSettings, HttpsTransport, Resumption, Timeouts};
use std::ffi::c_char;
use std::mem::offset_of;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

/// For a timeout of cw_https_options: wait without limit.
pub const CW_NO_LIMIT: u64 = u64::MAX;

/// Where an HTTPS transport posts to, whom it trusts, and what it shows of itself. All but the address may be left zero;
/// texts and bytes are copied, secrets wiped when the transport ends. Timeouts are in milliseconds: 0 for the default,
/// CW_NO_LIMIT for none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_https_options {
    /// Set to sizeof(cw_https_options).
    pub struct_size: usize,
    /// The partner's endpoint, such as "https://exchange.example.com/claimwire"; http for this machine alone.
    pub url: *const c_char,
    /// The length of `url` in bytes.
    pub url_len: usize,
    /// The certificates (PEM, one or more) that the partner's certificate may lead to. Needed for https: there is no
    /// built-in list.
    pub root_pem: *const u8,
    /// The length of `root_pem` in bytes.
    pub root_pem_len: usize,
    /// The certificate chain (PEM) shown to a partner that asks; together with `client_key_pem`.
    pub client_chain_pem: *const u8,
    /// The length of `client_chain_pem` in bytes.
    pub client_chain_pem_len: usize,
    /// The private key (PEM; PKCS #8, PKCS #1 or SEC 1) of that certificate.
    pub client_key_pem: *const u8,
    /// The length of `client_key_pem` in bytes.
    pub client_key_pem_len: usize,
    /// The token for a partner that asks for `Authorization: Bearer`; one line end after it is taken off.
    pub bearer_token: *const c_char,
    /// The length of `bearer_token` in bytes.
    pub bearer_token_len: usize,
    /// The proxy to go through to an https address, such as "http://proxy.example.com:3128"; NULL for none. It is asked
    /// over plain http, and all but the partner's host goes through it under the partner's TLS. Proxies that are asked over
    /// TLS (https://) or SOCKS are refused, and so is any for an http address, which does not leave this machine.
    pub proxy: *const c_char,
    /// The length of `proxy` in bytes.
    pub proxy_len: usize,
    /// 1 takes the proxy from the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY); `proxy` is then NULL. For an http
    /// address there is none, whatever it says.
    pub proxy_from_environment: u64,
    /// The whole request. By default without limit: it depends on the package's size.
    pub whole_call_ms: u64,
    /// Looking up the host's address; by default 10 s.
    pub resolve_ms: u64,
    /// Setting up TCP, proxy and TLS; by default 20 s.
    pub connect_ms: u64,
    /// Writing the header fields; by default 20 s.
    pub send_headers_ms: u64,
    /// Waiting for `100 Continue`; when it runs out, the body is sent. By default 10 s.
    pub await_continue_ms: u64,
    /// Writing the body. By default without limit: `stalled_write_ms` ends a dead connection.
    pub send_body_ms: u64,
    /// Waiting for the answer, while the partner stores the package; by default 120 s.
    pub first_byte_ms: u64,
    /// Reading the answer's body; by default 30 s.
    pub receive_body_ms: u64,
    /// A single write without progress; by default 60 s.
    pub stalled_write_ms: u64,
    /// From how many bytes on a package is sent so that it can be gone on with when it is cut off: 0 for the default, 8
    /// MiB, CW_NO_LIMIT for never.
    pub resume_from_bytes: u64,
    /// The most bytes of one request of such a package, where something between the sites takes no more; 0 sends all
    /// there is in one.
    pub part_bytes: u64,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_https_options {
    const FIRST: usize = offset_of!(cw_https_options, stalled_write_ms) + size_of::<u64>();
}

/// Posts to one partner over HTTPS. All options are checked, certificates and keys among them; nobody is connected to
/// yet.
///
/// Errors: CW_ERR_PLAIN_HTTP for an http address of another machine; CW_ERR_INVALID_SETTINGS, saying which option is
/// wrong; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_transport_https(
    options: *const cw_https_options,
    out: *mut *mut cw_transport,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_transport_https", error, || {
            let out = Out::new("out", out)?;
            let settings = https_settings("options", options)?;
            out.give(cw_transport(Arc::new(HttpsTransport::new(settings)?)));
            Ok(())
        })
    }
}

/// The way that the host set in the struct it calls `what`.
///
/// # Safety
/// `given` is NULL or good for the time of the call, and so are its pointers.
pub(super) unsafe fn https_settings(what: &str, given: *const cw_https_options) -> Result<HttpsSettings> {
    // SAFETY: the host vouches for them.
    unsafe { settings(what, options(what, given)?) }
}

/// # Safety
/// Each pointer is NULL or good for as many bytes as its length says.
unsafe fn settings(what: &str, given: cw_https_options) -> Result<HttpsSettings> {
    let named = |member: &str| format!("{what}->{member}");
    // SAFETY: the host vouches for them.
    let (url, roots, chain, key, token, proxy) = unsafe {
        (
            given_text(&named("url"), given.url, given.url_len)?,
            bytes(&named("root_pem"), given.root_pem, given.root_pem_len)?,
            bytes(&named("client_chain_pem"), given.client_chain_pem, given.client_chain_pem_len)?,
            bytes(&named("client_key_pem"), given.client_key_pem, given.client_key_pem_len)?,
            optional_text(&named("bearer_token"), given.bearer_token, given.bearer_token_len)?,
            optional_text(&named("proxy"), given.proxy, given.proxy_len)?,
        )
    };
    let mut settings = HttpsSettings::new(url)?.root_certificates(roots);
    settings = match (chain, key) {
        ([], []) => settings,
        ([], _) | (_, []) => {
            return Err(misuse(format!(
                "a client certificate needs both `{what}->client_chain_pem` and `{what}->client_key_pem`"
            )));
        }
        (chain, key) => settings.client_certificate(chain, key),
    };
    if let Some(token) = token {
        settings = settings.bearer_token(token);
    }
    settings = match (proxy, given.proxy_from_environment) {
        (None, 0) => settings,
        (Some(proxy), 0) => settings.proxy(proxy),
        (None, 1) => settings.proxy_from_environment(),
        (Some(_), 1) => {
            return Err(misuse(format!("give either `{what}->proxy` or `{what}->proxy_from_environment`")));
        }
        (_, other) => {
            return Err(misuse(format!("`{what}->proxy_from_environment` is {other}; give 0 or 1")));
        }
    };
    let from_bytes = if given.resume_from_bytes == 0 { None } else { Some(given.resume_from_bytes) };
    let resumption = resumption(from_bytes.unwrap_or(Resumption::default().from_bytes), given.part_bytes);
    Ok(settings.timeouts(timeouts(&given)).resumption(resumption))
}

/// From which size on, and in which parts, a package is sent so that it can be gone on with.
pub(super) fn resumption(from_bytes: u64, part_bytes: u64) -> Option<Resumption> {
    let resumption = Resumption::default().from_bytes(from_bytes);
    let in_parts = match NonZeroU64::new(part_bytes) {
        Some(part) => resumption.in_parts_of(part),
        None => resumption,
    };
    (from_bytes != CW_NO_LIMIT).then_some(in_parts)
}

fn timeouts(given: &cw_https_options) -> Timeouts {
    let mut timeouts = Timeouts::default();
    for (milliseconds, timeout) in [
        (given.whole_call_ms, &mut timeouts.whole_call),
        (given.resolve_ms, &mut timeouts.resolve),
        (given.connect_ms, &mut timeouts.connect),
        (given.send_headers_ms, &mut timeouts.send_headers),
        (given.await_continue_ms, &mut timeouts.await_continue),
        (given.send_body_ms, &mut timeouts.send_body),
        (given.first_byte_ms, &mut timeouts.first_byte),
        (given.receive_body_ms, &mut timeouts.receive_body),
        (given.stalled_write_ms, &mut timeouts.stalled_write),
    ] {
        match milliseconds {
            0 => {}
            CW_NO_LIMIT => *timeout = None,
            milliseconds => *timeout = Some(Duration::from_millis(milliseconds)),
        }
    }
    timeouts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::code::{CW_ERR_INVALID_ARGUMENT, CW_ERR_INVALID_SETTINGS, CW_ERR_PLAIN_HTTP};
    use super::super::transport::cw_transport_free;
    use super::super::trial::{Failed, failed, handle, ptr};
    use super::*;
    use crate::transport::Transport as _;
    use std::mem::MaybeUninit;
    use std::ptr::null;

    const URL: &str = "https://imex.example/claimwire";

    fn to(url: &'static str) -> cw_https_options {
        let zeroed = unsafe { MaybeUninit::<cw_https_options>::zeroed().assume_init() };
        cw_https_options {
            struct_size: size_of::<cw_https_options>(),
            url: ptr(url),
            url_len: url.len(),
            ..zeroed
        }
    }

    fn with_roots(pem: &str) -> cw_https_options {
        cw_https_options { root_pem: pem.as_ptr(), root_pem_len: pem.len(), ..to(URL) }
    }

    fn refused(options: cw_https_options) -> Failed {
        failed(|out, error| unsafe { cw_transport_https(&raw const options, out, error) })
    }

    #[test]
    #[cfg_attr(miri, ignore = "the cipher of TLS is not written in Rust")]
    fn a_transport_needs_an_address_and_a_root() {
        let root = rcgen::generate_simple_self_signed(["imex.example".to_owned()]).unwrap();
        let (pem, key) = (root.cert.pem(), root.signing_key.serialize_pem());
        let options = cw_https_options {
            client_chain_pem: pem.as_ptr(),
            client_chain_pem_len: pem.len(),
            client_key_pem: key.as_ptr(),
            client_key_pem_len: key.len(),
            ..with_roots(&pem)
        };
        let transport = handle(|out, error| unsafe { cw_transport_https(&raw const options, out, error) });
        unsafe {
            assert_eq!((*transport).0.base_path(), "/claimwire");
            cw_transport_free(transport);
        }
        let half = cw_https_options { client_key_pem: null(), client_key_pem_len: 0, ..options };
        assert_eq!(refused(half).code, CW_ERR_INVALID_ARGUMENT);

        assert_eq!(refused(to(URL)).code, CW_ERR_INVALID_SETTINGS);
        assert_eq!(refused(with_roots("no PEM")).code, CW_ERR_INVALID_SETTINGS);
        let wrong = "hunter2";
        let key =
            cw_https_options { client_key_pem: wrong.as_ptr(), client_key_pem_len: wrong.len(), ..options };
        let Failed { code, message, .. } = refused(key);
        assert_eq!(code, CW_ERR_INVALID_SETTINGS);
        assert!(!message.contains(wrong), "{message}");
    }

    #[test]
    fn what_cannot_be_an_address_or_a_proxy_is_refused() {
        assert_eq!(refused(to("http://imex.example")).code, CW_ERR_PLAIN_HTTP);
        assert_eq!(refused(to("imex.example")).code, CW_ERR_INVALID_SETTINGS);
        assert_eq!(refused(to("")).code, CW_ERR_INVALID_ARGUMENT);
        assert_eq!(refused(cw_https_options { url: null(), ..to(URL) }).code, CW_ERR_INVALID_ARGUMENT);
        let both = cw_https_options {
            proxy: ptr("http://proxy.example:1"),
            proxy_len: 22,
            proxy_from_environment: 1,
            ..to(URL)
        };
        assert_eq!(refused(both).code, CW_ERR_INVALID_ARGUMENT);
        assert_eq!(
            refused(cw_https_options { proxy_from_environment: 2, ..to(URL) }).code,
            CW_ERR_INVALID_ARGUMENT
        );
        let token =
            cw_https_options { bearer_token: b"\xff".as_ptr().cast(), bearer_token_len: 1, ..to(URL) };
        assert_eq!(refused(token).code, CW_ERR_INVALID_ARGUMENT);
    }

    #[test]
    fn misuse_is_told() {
        let none = failed(|out, error| unsafe { cw_transport_https(null(), out, error) });
        assert_eq!(none.code, CW_ERR_INVALID_ARGUMENT);
        for struct_size in [0, 8, <cw_https_options as Options>::FIRST - 1, usize::MAX] {
            let options = cw_https_options { struct_size, ..to(URL) };
            assert_eq!(refused(options).code, CW_ERR_INVALID_ARGUMENT, "{struct_size}");
        }
    }

    #[test]
    fn a_package_is_gone_on_with_from_8_mib_on_unless_the_host_says_otherwise() {
        let of = |options| {
            unsafe { settings("options", options) }.map(HttpsTransport::new).unwrap().unwrap().resumption()
        };
        let https = |resume_from_bytes, part_bytes| {
            let options = cw_https_options { resume_from_bytes, part_bytes, ..to("http://localhost:1") };
            of(options).map(|way| (way.from_bytes, way.part_bytes.map(u64::from)))
        };
        assert_eq!(https(0, 0), Some((8 << 20, None)));
        assert_eq!(https(1, 9), Some((1, Some(9))));
        assert_eq!(https(CW_NO_LIMIT, 9), None);
    }

    #[test]
    fn timeouts_are_milliseconds_with_a_default_and_without_limit() {
        let given = cw_https_options { resolve_ms: 1500, connect_ms: CW_NO_LIMIT, ..to(URL) };
        let found = timeouts(&given);
        assert_eq!(found.resolve, Some(Duration::from_millis(1500)));
        assert_eq!(found.connect, None);
        assert_eq!(found.first_byte, Timeouts::default().first_byte);
    }
}
