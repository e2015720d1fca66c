//! The HTTPS endpoint: a turnkey server with TLS, and the same as a service that another web server mounts.
//!
//! Both hand each request to an [`Endpoint`](crate::protocol::Endpoint), such as the exchange, and stream its body
//! in constant memory: a few hundred KiB for each request, whatever the body's size. Nothing of a body is read
//! before the endpoint asks for it, so a request that the endpoint does not admit costs neither disk nor transfer.
//!
//! ```no_run
//! use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
//! use std::time::Duration;
//! # fn serve(exchange: std::sync::Arc<dyn claimwire::protocol::Endpoint>) -> claimwire::Result<()> {
//!
//! let tls = TlsSettings::new(std::fs::read("chain.pem")?, std::fs::read("key.pem")?)
//!     .require_client_certificates(std::fs::read("partners-ca.pem")?);
//! let running = Receiver::bind("0.0.0.0:8443", tls, exchange, ReceiverSettings::default())?;
//! println!("listening at {}", running.local_addr());
//! running.shutdown(Duration::from_secs(30))?;
//! # Ok(())
//! # }
//! ```
//!
//! A certificate is renewed while the server runs, and so are the authorities of clients: [`Running::set_tls`].
//!
//! # What strangers and partners can cost
//!
//! | attempt | answer | bound |
//! |---|---|---|
//! | many connections | the oldest that proved nothing is closed, of the address that has the most of them | [`max_connections`](ReceiverSettings::max_connections) |
//! | many connections from one address | the oldest of them that proved nothing is closed | [`max_connections_per_address`](ReceiverSettings::max_connections_per_address) |
//! | many requests that nobody signed | 401, eight being looked at at once, in their order | |
//! | many requests of partners at once | 503 with `Retry-After` | [`max_requests`](ReceiverSettings::max_requests) |
//! | many requests of one partner at once | 503 with `Retry-After`, for that one alone | half of them, [`max_requests_per_partner`](ReceiverSettings::max_requests_per_partner) |
//! | slow or endless header fields | connection closed, or 431 | [`header_deadline`](ReceiverSettings::header_deadline), 64 KiB, 100 fields |
//! | slow body | 504 | [`body_idle`](ReceiverSettings::body_idle), [`min_body_rate`](ReceiverSettings::min_body_rate) |
//! | large body | 413, before it is read where it is declared | [`max_body_bytes`](ReceiverSettings::max_body_bytes) |
//! | `Content-Length` together with `Transfer-Encoding` | 400 | |
//!
//! In a server of the host's own, what speaks of connections and of header fields, and the last line, are that server's
//! to see to.
//!
//! A connection that proved nothing holds at most its head, twice, and the buffers of TLS: below 256 KiB, with the
//! default settings 64 MiB of all, and as a rule a tenth of that.

mod body;
mod connections;
mod framing;
mod server;
mod service;
mod settings;
mod shares;
mod slots;
mod tls;

pub use server::{Receiver, Running};
pub use service::EndpointService;
pub use settings::{ReceiverSettings, TlsSettings};
