//! The rustls configuration of the turnkey server.

use super::settings::{ClientCertificates, TlsSettings};
use crate::transport::{pem, tls_key};
use crate::{Error, ErrorKind, Result};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use std::sync::Arc;

pub(super) fn config(settings: &TlsSettings) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let invalid = |message: &str| Error::new(ErrorKind::InvalidSettings, message);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, "TLS could not be set up").caused_by(error))?;
    let builder = match &settings.clients {
        ClientCertificates::None => builder.with_no_client_auth(),
        ClientCertificates::Optional(authorities) | ClientCertificates::Required(authorities) => {
            let authorities = pem::authorities(authorities, "authorities of client certificates")?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider);
            let verifier = match settings.clients {
                ClientCertificates::Optional(_) => verifier.allow_unauthenticated(),
                _ => verifier,
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| {
                invalid("the authorities of client certificates cannot be used").caused_by(error)
            })?)
        }
    };
    let chain = pem::certificates(&settings.chain, "server's certificates")?;
    let unfit = "the server's certificate and private key do not belong together, or cannot be used";
    let key = tls_key::certified(chain, &settings.key, unfit)?;
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
