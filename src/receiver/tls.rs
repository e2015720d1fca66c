//! The rustls configuration of the turnkey server, which may be renewed while it runs.

use super::settings::{ClientCertificates, TlsSettings};
use crate::transport::{pem, tls_key};
use crate::{Error, ErrorKind, Result};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// What the next handshake is made with.
pub(super) struct CurrentTls(RwLock<Arc<ServerConfig>>);

impl CurrentTls {
    pub(super) fn new(settings: &TlsSettings) -> Result<Self> {
        Ok(Self(RwLock::new(Arc::new(config(settings)?))))
    }

    /// Takes the place of what there was, once it is known to be good. Sessions are resumed under it alone, since it has a
    /// store of its own.
    pub(super) fn replace(&self, settings: &TlsSettings) -> Result<()> {
        let new = Arc::new(config(settings)?);
        // A pointer is whole at every step, so a thread that died with the lock left a good one.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn config(settings: &TlsSettings) -> Result<ServerConfig> {
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
