//! The built-in receiver: an HTTPS server that answers for an exchange, for hosts without a web server of their own.

use super::border::{call, quietly};
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::pointer::{Options, Out, bytes, free, given_text, misuse, options, shared, unique};
use crate::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use crate::{Error, ErrorKind, Result};
use std::ffi::c_char;
use std::mem::offset_of;
use std::sync::Arc;
use std::time::Duration;

/// A server that runs, on threads of its own. For one thread at a time.
pub struct cw_receiver {
    port: u16,
    running: Option<Running>,
}

/// Where the built-in receiver listens, what it shows of itself, and what strangers may cost. All certificates and keys
/// are PEM. 0 and NULL stand for the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_receiver_options {
    /// Set to sizeof(cw_receiver_options).
    pub struct_size: usize,
    /// Where to listen, such as "0.0.0.0:8443"; port 0 takes a free one. Required.
    pub address: *const c_char,
    /// The length of `address` in bytes.
    pub address_len: usize,
    /// The server's certificate chain, its own first. Required.
    pub certificates: *const u8,
    /// The length of `certificates` in bytes.
    pub certificates_len: usize,
    /// The server's private key: PKCS #8, PKCS #1 or SEC 1. Required.
    pub private_key: *const u8,
    /// The length of `private_key` in bytes.
    pub private_key_len: usize,
    /// The authorities that client certificates must lead to; by default no certificate is asked for.
    pub client_authorities: *const u8,
    /// The length of `client_authorities` in bytes.
    pub client_authorities_len: usize,
    /// 1 to take clients without a certificate too, where `client_authorities` are given.
    pub client_certificates_optional: i32,
    /// The most connections that are open at once; by default 256. When there are as many, a newcomer takes the place of
    /// one that has not proven to be a partner's: the oldest of the address that has the most of them.
    pub max_connections: u32,
    /// The most requests of partners that are handled at once, each on one thread; by default 32. Eight more threads look
    /// at who asks.
    pub max_requests: u32,
    /// How long the TLS handshake may take, and after it the header fields; by default 10,000 ms.
    pub header_deadline_ms: u32,
    /// How long a body may stand still; by default 30,000 ms.
    pub body_idle_ms: u32,
    /// How long the rest of a body is read and dropped after an early answer; by default 2,000 ms.
    pub drain_ms: u32,
    /// The most bytes of a body; by default 262,144,000 (250 MiB).
    pub max_body_bytes: u64,
    /// The least bytes per second that a body must bring on average; by default 4,096.
    pub min_body_rate: u64,
    /// The most connections that come from one address, or one IPv6 network of 64 bits; by default 64. A newcomer takes
    /// the place of the oldest of its own address. UINT32_MAX for no bound beside `max_connections`, where all come
    /// through one proxy.
    pub max_connections_per_address: u32,
    /// The most of `max_requests` that one partner takes, where it is to be less than by default: then a partner takes
    /// another only while it holds fewer than are free, so half of them when it is alone. What is above is told to come
    /// back. Of 64 bits, since smaller it would lie where a host of before has padding.
    pub max_requests_per_partner: u64,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_receiver_options {
    const FIRST: usize = offset_of!(cw_receiver_options, min_body_rate) + size_of::<u64>();
}

/// Starts an HTTPS server that answers for the exchange, which it keeps open until it ends. Partners reach it at the
/// exchange's base path.
///
/// Errors: CW_ERR_INVALID_SETTINGS when the certificates or keys cannot be used, naming which; CW_ERR_IO when the address
/// is in use; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_receiver_start(
    exchange: *const cw_exchange,
    receiver_options: *const cw_receiver_options,
    out: *mut *mut cw_receiver,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_receiver_start", error, || {
            let out = Out::new("out", out)?;
            let exchange = shared("exchange", exchange)?;
            let given = options("receiver_options", receiver_options)?;
            let address = given_text("receiver_options->address", given.address, given.address_len)?;
            let (tls, bounds) = (tls_settings(&given)?, bounds(&given));
            let running = Receiver::bind(address, tls, Arc::new(exchange.0.clone()), bounds)?;
            out.give(cw_receiver { port: running.local_addr().port(), running: Some(running) });
            Ok(())
        })
    }
}

/// The port it listens at, also after a shutdown. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_receiver_local_port(receiver: *const cw_receiver) -> u16 {
    // SAFETY: the host vouches for `receiver`.
    quietly(0, || unsafe { receiver.as_ref() }.map_or(0, |receiver| receiver.port))
}

/// Renews the certificate, the private key and the authorities of client certificates of a server that runs: connections
/// that come from now on get these, and those that are open go on with what they began with. Of the options only
/// `certificates`, `private_key`, `client_authorities` and `client_certificates_optional` are read, as by
/// cw_receiver_start, and nothing is kept of what was given before. Options that cannot be used change nothing.
///
/// Errors: CW_ERR_INVALID_SETTINGS when the certificates or keys cannot be used, naming which; CW_ERR_WRONG_STATE after a
/// shutdown; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_receiver_set_tls(
    receiver: *mut cw_receiver,
    receiver_options: *const cw_receiver_options,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_receiver_set_tls", error, || {
            let receiver = unique("receiver", receiver)?;
            let tls = tls_settings(&options("receiver_options", receiver_options)?)?;
            let running = receiver.running.as_ref().ok_or_else(|| {
                Error::new(ErrorKind::WrongState, "the receiver was shut down; start another one")
            })?;
            running.set_tls(tls)
        })
    }
}

/// Stops the server: no new connection is taken, connections that have shown no request are closed, and a moment later
/// those whose request is not proven to be a partner's. Partners' requests have `grace_ms` to finish, then their connections
/// are closed. Returns when the server is gone; a second call does nothing.
///
/// Errors: CW_ERR_IO when the server had failed before; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_receiver_shutdown(
    receiver: *mut cw_receiver,
    grace_ms: u32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_receiver_shutdown", error, || match unique("receiver", receiver)?.running.take() {
            Some(running) => running.shutdown(Duration::from_millis(grace_ms.into())),
            None => Ok(()),
        })
    }
}

/// Ends a receiver; one that was not shut down closes every connection at once. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_receiver_free(receiver: *mut cw_receiver) {
    // SAFETY: the host vouches for `receiver`.
    unsafe { free(receiver) }
}

/// # Safety
/// The pointers of `given` are NULL or point to as many bytes as it says.
unsafe fn tls_settings(given: &cw_receiver_options) -> Result<TlsSettings> {
    let pem = |name: &str, data, length| {
        let what = format!("receiver_options->{name}");
        // SAFETY: the host vouches for its pointers.
        match unsafe { bytes(&what, data, length) }? {
            [] => Err(misuse(format!("`{what}` is empty; pass it as PEM, with its length in bytes"))),
            pem => Ok(pem),
        }
    };
    let chain = pem("certificates", given.certificates, given.certificates_len)?;
    let tls = TlsSettings::new(chain, pem("private_key", given.private_key, given.private_key_len)?);
    if given.client_authorities.is_null() {
        return match given.client_certificates_optional {
            0 => Ok(tls),
            _ => Err(misuse(
                "`receiver_options->client_certificates_optional` is set without `client_authorities`; pass them",
            )),
        };
    }
    let authorities = pem("client_authorities", given.client_authorities, given.client_authorities_len)?;
    match given.client_certificates_optional {
        0 => Ok(tls.require_client_certificates(authorities)),
        1 => Ok(tls.accept_client_certificates(authorities)),
        other => {
            Err(misuse(format!("`receiver_options->client_certificates_optional` is {other}; it is 0 or 1")))
        }
    }
}

fn bounds(given: &cw_receiver_options) -> ReceiverSettings {
    let mut bounds = ReceiverSettings::default();
    let milliseconds = |place: &mut Duration, given: u32| {
        if given > 0 {
            *place = Duration::from_millis(given.into());
        }
    };
    milliseconds(&mut bounds.header_deadline, given.header_deadline_ms);
    milliseconds(&mut bounds.body_idle, given.body_idle_ms);
    milliseconds(&mut bounds.drain, given.drain_ms);
    let count = |place: &mut usize, given: u32| {
        if given > 0 {
            *place = usize::try_from(given).unwrap_or(usize::MAX);
        }
    };
    count(&mut bounds.max_connections, given.max_connections);
    count(&mut bounds.max_connections_per_address, given.max_connections_per_address);
    count(&mut bounds.max_requests, given.max_requests);
    if given.max_requests_per_partner > 0 {
        let most = usize::try_from(given.max_requests_per_partner).unwrap_or(usize::MAX);
        bounds.max_requests_per_partner = Some(most);
    }
    for (place, given) in
        [(&mut bounds.max_body_bytes, given.max_body_bytes), (&mut bounds.min_body_rate, given.min_body_rate)]
    {
        if given > 0 {
            *place = given;
        }
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::super::code::{CW_ERR_INVALID_SETTINGS, CW_ERR_IO, CW_ERR_WRONG_STATE, CW_OK};
    use super::super::exchange::cw_exchange_set_partner;
    use super::super::partner::cw_partner;
    use super::super::two_sites::{TwoSites, c, failing, works};
    use super::*;
    use crate::codec::Suite;
    use crate::exchange::ExportOptions;
    use crate::ledger::OutgoingState;
    use crate::protocol::Request;
    use crate::transport::{Body, HttpsSettings, HttpsTransport, Transport as _};
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use std::mem::zeroed;
    use std::ptr::{null, null_mut};

    /// An authority, a chain that leads to it, and the chain's key, all PEM.
    fn certificates() -> (String, String, String) {
        let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let chain = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (root, chain.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn what_is_not_set_is_the_default_and_what_is_set_counts() {
        let mut given: cw_receiver_options = c!(zeroed());
        assert_eq!(bounds(&given), ReceiverSettings::default());
        (given.max_connections, given.max_connections_per_address) = (9, 8);
        (given.max_requests, given.max_requests_per_partner) = (7, 6);
        let set = bounds(&given);
        assert_eq!((set.max_connections, set.max_connections_per_address), (9, 8));
        assert_eq!((set.max_requests, set.max_requests_per_partner), (7, Some(6)));
    }

    /// Options to listen at a free port of this machine, with this chain and its key.
    fn listening(chain: &str, key: &str) -> cw_receiver_options {
        let mut given: cw_receiver_options = c!(zeroed());
        given.struct_size = size_of::<cw_receiver_options>();
        let address = "127.0.0.1:0";
        (given.address, given.address_len) = (address.as_ptr().cast(), address.len());
        (given.certificates, given.certificates_len) = (chain.as_ptr(), chain.len());
        (given.private_key, given.private_key_len) = (key.as_ptr(), key.len());
        given
    }

    #[test]
    fn a_certificate_is_renewed_while_the_receiver_runs() {
        let sites = TwoSites::new(Suite::Age);
        let [(old_root, chain, key), (new_root, new_chain, new_key)] = [certificates(), certificates()];
        let mut receiver = null_mut();
        let given = listening(&chain, &key);
        works(|error| {
            c!(cw_receiver_start(sites.examiner.exchange, &raw const given, &raw mut receiver, error))
        });
        let url = format!("https://127.0.0.1:{}", c!(cw_receiver_local_port(receiver)));
        let is_trusted_by = |root: &str| {
            let settings = HttpsSettings::new(&url).unwrap().root_certificates(root);
            let request = Request::new("GET", "/claimwire/none").unwrap();
            let reply =
                HttpsTransport::new(settings).unwrap().send(&request, Body::new(0, &mut [].as_slice()));
            reply.is_ok()
        };
        let set = |chain: &str, key: &str| {
            let mut renewed = listening(chain, key);
            (renewed.address, renewed.address_len) = (null(), 0);
            failing(|error| c!(cw_receiver_set_tls(receiver, &raw const renewed, error)))
        };
        let (code, said) = set(&new_chain, &key);
        assert_eq!(code, CW_ERR_INVALID_SETTINGS, "{said}");
        assert!(is_trusted_by(&old_root) && !is_trusted_by(&new_root));
        let (code, said) = set(&new_chain, &new_key);
        assert_eq!(code, CW_OK, "{said}");
        assert!(is_trusted_by(&new_root) && !is_trusted_by(&old_root));
        works(|error| c!(cw_receiver_shutdown(receiver, 10_000, error)));
        assert_eq!(set(&new_chain, &new_key).0, CW_ERR_WRONG_STATE);
        c!(cw_receiver_free(receiver));
    }

    #[test]
    fn a_package_comes_in_through_the_built_in_receiver() {
        let sites = TwoSites::new(Suite::Age);
        let (root, chain, key) = certificates();
        let mut given = listening(&chain, &key);
        (given.client_authorities, given.client_authorities_len) = (root.as_ptr(), root.len());
        (given.client_certificates_optional, given.max_requests) = (1, 2);
        given.max_requests_per_partner = 1;
        let mut receiver = null_mut();
        works(|error| {
            c!(cw_receiver_start(sites.examiner.exchange, &raw const given, &raw mut receiver, error))
        });
        let port = c!(cw_receiver_local_port(receiver));
        assert_ne!(port, 0);

        let exchange = &c!(&*sites.insurer.exchange).0;
        let reached =
            HttpsSettings::new(&format!("https://127.0.0.1:{port}")).unwrap().root_certificates(root);
        let examiner = exchange.partner(&"IMEX".parse().unwrap()).unwrap();
        let examiner = cw_partner::new((*examiner).clone().reached_by(HttpsTransport::new(reached).unwrap()));
        works(|error| c!(cw_exchange_set_partner(sites.insurer.exchange, &raw const examiner, error)));
        sites.insurer.put_claim("ON-INS/C-1");
        let (claim, partner) = ("ON-INS/C-1".parse().unwrap(), "IMEX".parse().unwrap());
        let package = exchange.export(&claim, &partner, &ExportOptions::by("dana")).unwrap().package.id;
        assert_eq!(exchange.send(package, &()).unwrap().state, OutgoingState::Delivered);

        // A second receiver cannot have the same place.
        let taken = format!("127.0.0.1:{port}");
        (given.address, given.address_len) = (taken.as_ptr().cast(), taken.len());
        let mut second = null_mut();
        let start =
            |error| c!(cw_receiver_start(sites.examiner.exchange, &raw const given, &raw mut second, error));
        assert_eq!(failing(start).0, CW_ERR_IO);
        for _ in 0..2 {
            assert_eq!(failing(|error| c!(cw_receiver_shutdown(receiver, 10_000, error))).0, CW_OK);
        }
        assert_eq!(c!(cw_receiver_local_port(receiver)), port);
        c!(cw_receiver_free(receiver));
    }
}
