//! TLS of the HTTPS transport: whom it trusts, what it shows, and the link in the chain of connectors that speaks it.
//!
//! ureq has such a link too. It is told the private key as bytes, and copies them into memory that it does not wipe.

use super::HttpsSettings;
use crate::transport::{pem, tls_key};
use crate::{Error, ErrorKind, Result};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// What a connection is made with; certificates and the client's key are checked here, so that a wrong one is told now and
/// not at the first request.
pub(super) fn config(settings: &HttpsSettings) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, "TLS could not be set up").caused_by(error))?
        .with_root_certificates(pem::authorities(&settings.roots, "root certificates")?);
    let Some((chain, key)) = &settings.client else { return Ok(Arc::new(builder.with_no_client_auth())) };
    let chain = pem::certificates(chain, "client's certificates")?;
    let unfit = "the client certificate and its private key do not belong together, or cannot be used";
    let key = tls_key::certified(chain, key, unfit)?;
    Ok(Arc::new(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))))
}

/// The link that puts TLS over a connection, where the address asks for it.
pub(super) struct Tls(pub(super) Option<Arc<ClientConfig>>);

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Secured>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        let config = match &self.0 {
            Some(config) if details.needs_tls() && !transport.is_tls() => config.clone(),
            _ => return Ok(Some(Either::A(transport))),
        };
        let host = details.uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| ureq::Error::Tls("its host has no name"))?;
        let mut connection = ClientConnection::new(config, name)?;
        let mut inner =
            TransportAdapter::new(Box::new(transport) as Box<dyn Transport>, details.current_time.clone());
        inner.set_timeout(left(details));
        connection.complete_io(&mut inner)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Secured { buffers, stream: StreamOwned::new(connection, inner) })))
    }
}

/// The time for the whole way to a connection began before the links of the chain were asked one after the other.
fn left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let Duration::Exact(after) = timeout.after
        && let (Instant::Exact(begun), Instant::Exact(now)) = (details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(after.saturating_sub(now.saturating_duration_since(begun)));
    }
    timeout
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// A connection with TLS over it.
pub(super) struct Secured {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for Secured {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secured")
    }
}
