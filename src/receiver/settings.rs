//! Settings of the receiver: bounds on what strangers can cost, and TLS.

use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// Bounds on requests. The defaults suit one site with a few dozen partners.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverSettings {
    /// The most bytes of a body: 262,144,000 (250 MiB), the limit of a sealed package. Counted as they arrive, and
    /// refused before anything is read where they are declared.
    pub max_body_bytes: u64,
    /// How long the TLS handshake may take, and after it the header fields: 10 s.
    pub header_deadline: Duration,
    /// How long a body may stand still: 30 s.
    pub body_idle: Duration,
    /// The least bytes per second a body must bring on average, measured while it is waited for and after
    /// [`body_idle`](Self::body_idle) of waiting: 4 KiB/s.
    pub min_body_rate: u64,
    /// How many connections may be open at once: 256. When there are as many, a newcomer takes the place of one that has
    /// not proven to be a partner's: the oldest of the address that has the most of them. Where the service is mounted
    /// in another server, how many requests may wait or be handled at once.
    pub max_connections: usize,
    /// How many of them may come from one address, or one IPv6 network of 64 bits: 64. A newcomer takes the place of the
    /// oldest of its own address. Set it to [`max_connections`](Self::max_connections) for no bound beside that one,
    /// where all come through one proxy.
    pub max_connections_per_address: usize,
    /// How many requests of partners may be handled at once: 32. Each takes one thread. Eight more look at who asks.
    ///
    /// A partner takes another of these only while it holds fewer than are free, so one alone takes half of them, and one
    /// that lets all of its own stand still keeps no other out. What is above is told to come back, with 503 and
    /// `Retry-After`. Requests to an endpoint of the host's own that does not say whose they are
    /// ([`Peer::proven`](crate::protocol::Peer::proven)) take all.
    pub max_requests: usize,
    /// The most of these that one partner takes, at least 1, where it is to be less than that; by default it is not.
    pub max_requests_per_partner: Option<usize>,
    /// How long the rest of a body is read and dropped after an early answer, so that a sender that is still
    /// writing comes to read it: 2 s.
    pub drain: Duration,
}

impl Default for ReceiverSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 262_144_000,
            header_deadline: Duration::from_secs(10),
            body_idle: Duration::from_secs(30),
            min_body_rate: 4 * 1024,
            max_connections: 256,
            max_connections_per_address: 64,
            max_requests: 32,
            max_requests_per_partner: None,
            drain: Duration::from_secs(2),
        }
    }
}

/// Whose certificates a client must show.
#[derive(Clone, Default)]
pub(super) enum ClientCertificates {
    #[default]
    None,
    Optional(Vec<u8>),
    Required(Vec<u8>),
}

/// The server's certificate and key, and which client certificates it takes. All PEM.
///
/// TLS 1.2 and 1.3 with the ring provider, chosen explicitly.
#[derive(Clone)]
pub struct TlsSettings {
    pub(super) chain: Vec<u8>,
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) clients: ClientCertificates,
}

impl TlsSettings {
    /// The server's certificate chain, its own first, and its private key (PKCS #8, PKCS #1 or SEC 1).
    pub fn new(chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        Self {
            chain: chain_pem.into(),
            key: Zeroizing::new(key_pem.into()),
            clients: ClientCertificates::None,
        }
    }

    /// Takes only clients with a certificate that leads to one of these authorities.
    #[must_use]
    pub fn require_client_certificates(mut self, authorities_pem: impl Into<Vec<u8>>) -> Self {
        self.clients = ClientCertificates::Required(authorities_pem.into());
        self
    }

    /// Takes clients without a certificate too; one that is shown must lead to one of these authorities.
    #[must_use]
    pub fn accept_client_certificates(mut self, authorities_pem: impl Into<Vec<u8>>) -> Self {
        self.clients = ClientCertificates::Optional(authorities_pem.into());
        self
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clients = match self.clients {
            ClientCertificates::None => "none",
            ClientCertificates::Optional(_) => "optional",
            ClientCertificates::Required(_) => "required",
        };
        f.debug_struct("TlsSettings").field("client_certificates", &clients).finish_non_exhaustive()
    }
}
