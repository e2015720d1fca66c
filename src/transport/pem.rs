//! Certificates from PEM text (RFC 7468), for both ends of a TLS connection.

use crate::{Error, ErrorKind, Result};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The certificates in this text, at least one; `what` names them in errors.
pub(crate) fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(read) if !read.is_empty() => Ok(read),
        Ok(_) => Err(invalid(format!(
            "the {what} are missing: give them as PEM text (`-----BEGIN CERTIFICATE-----`)"
        ))),
        Err(error) => Err(invalid(format!("the {what} are not PEM")).caused_by(error)),
    }
}

/// The certificates in this text as authorities that others may lead to.
pub(crate) fn authorities(pem: &[u8], what: &str) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem, what)? {
        store
            .add(certificate)
            .map_err(|error| invalid(format!("one of the {what} cannot be read")).caused_by(error))?;
    }
    Ok(store)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}
