//! Trust and client certificate of the HTTPS transport.

use super::HttpsSettings;
use crate::transport::pem;
use crate::{Error, ErrorKind, Result};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

pub(super) fn config(settings: &HttpsSettings) -> Result<TlsConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = pem::certificates(&settings.roots, "root certificates")?;
    // Built here only to check the certificates and the client's key, so that a wrong one is told now and not at
    // the first request.
    let trial = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, "TLS could not be set up").caused_by(error))?
        .with_root_certificates(pem::authorities(&settings.roots, "root certificates")?);
    let client = match &settings.client {
        None => None,
        Some((chain, key)) => {
            let chain = pem::certificates(chain, "client's certificates")?;
            trial.with_client_auth_cert(chain.clone(), pem::private_key(key)?).map_err(|error| {
                Error::new(
                    ErrorKind::InvalidSettings,
                    "the client certificate and its private key do not belong together, or cannot be used",
                )
                .caused_by(error)
            })?;
            let key = PrivateKey::from_pem(key).map_err(|_| pem::not_a_key())?;
            Some(ClientCert::new_with_certs(&owned(&chain), key))
        }
    };
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&owned(&roots)))
        .client_cert(client)
        .unversioned_rustls_crypto_provider(provider)
        .build())
}

fn owned(certificates: &[CertificateDer<'static>]) -> Vec<Certificate<'static>> {
    certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}
