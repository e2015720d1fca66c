//! Certificates made on the spot, and endpoints for tests of the wire.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // each test file takes what it needs

use claimwire::protocol::{Endpoint, Peer, Request, Response};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;

/// A client's TLS connection.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A certificate authority of its own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A certificate chain and its key, PEM.
pub struct Identity {
    pub chain: String,
    pub key: String,
    pub der: Vec<u8>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "an authority made for a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// TLS over this stream for a client that trusts this authority, to say what no transport would.
    pub fn connect(&self, stream: TcpStream) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        StreamOwned::new(connection, stream)
    }

    pub fn server(&self) -> Identity {
        self.server_for(&["localhost", "127.0.0.1"])
    }

    pub fn server_for(&self, names: &[&str]) -> Identity {
        self.identity(names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A server whose certificate has expired.
    pub fn expired_server(&self) -> Identity {
        self.issue(&["localhost", "127.0.0.1"], ExtendedKeyUsagePurpose::ServerAuth, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    pub fn client(&self) -> Identity {
        self.identity(&["partner"], ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A server with this key.
    pub fn server_with(&self, key: &KeyPair) -> Identity {
        self.certify(key, &["localhost", "127.0.0.1"], ExtendedKeyUsagePurpose::ServerAuth, |_| {})
    }

    /// A client with this key.
    pub fn client_with(&self, key: &KeyPair) -> Identity {
        self.certify(key, &["partner"], ExtendedKeyUsagePurpose::ClientAuth, |_| {})
    }

    fn identity(&self, names: &[&str], purpose: ExtendedKeyUsagePurpose) -> Identity {
        self.issue(names, purpose, |_| {})
    }

    fn issue(
        &self,
        names: &[&str],
        purpose: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        self.certify(&KeyPair::generate().unwrap(), names, purpose, change)
    }

    fn certify(
        &self,
        key: &KeyPair,
        names: &[&str],
        purpose: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "a site made for a test");
        params.extended_key_usages = vec![purpose];
        change(&mut params);
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        Identity { chain: certificate.pem(), der: certificate.der().to_vec(), key: key.serialize_pem() }
    }
}

/// An endpoint made of a function.
pub struct Answering<F>(pub F);

impl<F: Fn(&Request, &Peer, &mut dyn Read) -> Response + Send + Sync> Endpoint for Answering<F> {
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        (self.0)(request, peer, body)
    }
}

pub fn post() -> Request {
    Request::new("POST", "/packages").unwrap()
}

pub fn ok(text: impl Into<Vec<u8>>) -> Response {
    Response::new(200, text).unwrap()
}

/// What comes on a connection until it ends, however it ends.
pub fn answer_of(mut stream: impl Read) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
