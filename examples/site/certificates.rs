//! Certificates made on the spot: one authority both sides trust, a server's and a client's certificate from it.

use claimwire::receiver::TlsSettings;
use claimwire::transport::{HttpsSettings, HttpsTransport};
use claimwire::{Error, ErrorKind, Result};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).map_err(failed)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// A server on loopback that takes only clients with a certificate of this authority.
    pub(crate) fn server_tls(&self) -> Result<TlsSettings> {
        let (chain, key) = self.certificate(ExtendedKeyUsagePurpose::ServerAuth)?;
        Ok(TlsSettings::new(chain, key).require_client_certificates(self.pem.as_bytes()))
    }

    /// A client with a certificate of this authority, which trusts nobody else.
    pub(crate) fn transport(&self, url: &str) -> Result<HttpsTransport> {
        let (chain, key) = self.certificate(ExtendedKeyUsagePurpose::ClientAuth)?;
        HttpsTransport::new(
            HttpsSettings::new(url)?.root_certificates(self.pem.as_bytes()).client_certificate(chain, key),
        )
    }

    fn certificate(&self, usage: ExtendedKeyUsagePurpose) -> Result<(String, String)> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut params =
            CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).map_err(failed)?;
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

fn failed(error: rcgen::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the certificates could not be made: {error}"))
}
