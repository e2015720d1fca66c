//! Faults of a connection, told in this crate's kinds.

use crate::{Error, ErrorKind};
use std::io;
use ureq::Timeout;

/// The error for a request to `partner` that got no answer.
pub(super) fn told(error: ureq::Error, partner: &str) -> Error {
    // The body's own faults travel through the client as `std::io` errors and come out as they went in.
    let error = match error {
        ureq::Error::Io(io) if io.get_ref().is_some_and(|inner| inner.is::<Error>()) => {
            return Error::from(io);
        }
        other => other,
    };
    let (kind, what) = sorted(&error);
    Error::new(kind, format!("{partner} {what}")).caused_by(error)
}

fn sorted(error: &ureq::Error) -> (ErrorKind, String) {
    if let Some(fault) = tls_fault(error) {
        return fault;
    }
    match error {
        ureq::Error::Timeout(timeout) => (ErrorKind::TimedOut, format!("took too long: {}", phase(*timeout))),
        ureq::Error::HostNotFound => {
            (ErrorKind::Unreachable, "could not be found: the host has no address (DNS)".to_owned())
        }
        ureq::Error::Io(io) => match io.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                (ErrorKind::TimedOut, "took too long: nothing moved on the connection".to_owned())
            }
            io::ErrorKind::ConnectionRefused => (
                ErrorKind::Unreachable,
                "could not be reached: nothing listens there (connection refused)".to_owned(),
            ),
            _ => (ErrorKind::Unreachable, format!("could not be reached: the connection broke ({io})")),
        },
        ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
            (ErrorKind::BadMessage, format!("sent an answer that is not HTTP as we know it: {error}"))
        }
        ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) | ureq::Error::InvalidProxyUrl => {
            (ErrorKind::InvalidSettings, format!("has an address that cannot be used: {error}"))
        }
        other => (ErrorKind::Unreachable, format!("could not be reached: {other}")),
    }
}

/// The TLS fault somewhere in the chain of causes, if there is one.
fn tls_fault(error: &ureq::Error) -> Option<(ErrorKind, String)> {
    let fault = match error {
        ureq::Error::Rustls(fault) => fault,
        ureq::Error::Io(io) => io.get_ref()?.downcast_ref::<rustls::Error>()?,
        ureq::Error::Tls(what) => {
            return Some((ErrorKind::BadCertificate, format!("cannot be proven: {what}")));
        }
        _ => return None,
    };
    use rustls::AlertDescription as Alert;
    Some(match fault {
        rustls::Error::InvalidCertificate(why) => {
            (ErrorKind::BadCertificate, format!("showed a certificate that {}", certificate_fault(why)))
        }
        rustls::Error::NoCertificatesPresented => {
            (ErrorKind::BadCertificate, "showed no certificate".to_owned())
        }
        rustls::Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::HandshakeFailure),
        ) => (
            ErrorKind::BadCertificate,
            format!("does not take our client certificate, or wants one ({alert:?}): ask which it trusts"),
        ),
        other => (ErrorKind::Unreachable, format!("could not be reached: TLS failed ({other})")),
    })
}

/// What is wrong with a partner's certificate, and whose it is to change that.
fn certificate_fault(why: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Fault;
    match why {
        Fault::Expired | Fault::ExpiredContext { .. } => {
            "has expired: the partner has to renew it, unless the clock here is wrong".to_owned()
        }
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => {
            "is not valid yet: compare the clock here with the partner's".to_owned()
        }
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            "is for another host name than the URL's: check the host in the URL, or ask for a certificate that names it"
                .to_owned()
        }
        // A bad signature is that of a root with the same name and another key.
        Fault::UnknownIssuer | Fault::BadSignature => {
            "none of the root certificates set for it here vouches for (unknown root): ask for its authority's root certificate, and that its server sends the whole chain"
                .to_owned()
        }
        Fault::Revoked => "is revoked: the partner needs another one".to_owned(),
        other => {
            format!("is not trusted here ({other:?}): check the root certificates set for it")
        }
    }
}

fn phase(timeout: Timeout) -> &'static str {
    match timeout {
        Timeout::Resolve => "looking up its address",
        Timeout::Connect => "connecting",
        Timeout::SendRequest => "sending the header fields",
        Timeout::SendBody => "sending the body",
        Timeout::RecvResponse => "waiting for its answer",
        Timeout::RecvBody => "reading its answer",
        Timeout::PerRead | Timeout::PerWrite => "nothing moved on the connection",
        _ => "the whole request",
    }
}
