//! The turnkey server: a listener, TLS, and a thread with a runtime of its own, for hosts that have none.

use super::framing::{MAX_HEAD, Watched};
use super::service::AmbiguousFraming;
use super::{EndpointService, ReceiverSettings, TlsSettings, tls};
use crate::protocol::{Endpoint, Headers};
use crate::{Error, ErrorKind, Result};
use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum_server::accept::Accept;
use axum_server::tls::TlsService;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::server::TlsStream;
use tower_service::Service;

/// How long threads whose connection is gone may take to notice, after the deadline of a shutdown.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// Starts servers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Receiver;

/// A server that runs, on threads of its own. Dropping it closes every connection at once; see
/// [`shutdown`](Running::shutdown).
pub struct Running {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Receiver {
    /// Listens at `address` (port 0 takes a free one) and hands every request to `endpoint`. Each connection serves
    /// one request.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] when the address or the TLS settings are wrong, naming which;
    /// [`ErrorKind::Io`] when the address is in use or no thread can be started.
    pub fn bind(
        address: impl ToSocketAddrs,
        tls: TlsSettings,
        endpoint: Arc<dyn Endpoint>,
        settings: ReceiverSettings,
    ) -> Result<Running> {
        let config = RustlsConfig::from_config(Arc::new(tls::config(&tls)?));
        let no_listener = |error: io::Error| {
            Error::new(ErrorKind::Io, format!("cannot listen at this address: {error}")).caused_by(error)
        };
        let listener = TcpListener::bind(address).map_err(no_listener)?;
        let address = listener.local_addr().map_err(no_listener)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(settings.max_requests.saturating_add(1))
            .thread_name("claimwire-request")
            .build()
            .map_err(|error| Error::new(ErrorKind::Io, "no runtime can be started").caused_by(error))?;
        let handle = Handle::new();
        let controlled = handle.clone();
        let thread = std::thread::Builder::new()
            .name("claimwire-receiver".to_owned())
            .spawn(move || serve(runtime, listener, config, controlled, endpoint, settings))
            .map_err(|error| Error::new(ErrorKind::Io, "no thread can be started").caused_by(error))?;
        Ok(Running { address, handle, thread: Some(thread) })
    }
}

fn serve(
    runtime: Runtime,
    listener: TcpListener,
    config: RustlsConfig,
    handle: Handle<SocketAddr>,
    endpoint: Arc<dyn Endpoint>,
    settings: ReceiverSettings,
) -> io::Result<()> {
    let deadline = settings.header_deadline;
    let gate = Gate {
        connections: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
        service: EndpointService::new(endpoint, settings),
    };
    let served = runtime.block_on(async move {
        let tls = RustlsAcceptor::new(config).handshake_timeout(deadline);
        let mut server = axum_server::from_tcp(listener)?.handle(handle.clone()).http1_only();
        let mut http = server.http_builder().http1();
        http.keep_alive(false).header_read_timeout(deadline);
        http.max_headers(Headers::MAX_FIELDS).max_buf_size(MAX_HEAD);
        let server: Server<SocketAddr, _> = server.first_request_timeout(deadline);
        let served = server.acceptor(WatchingAcceptor { tls }).serve(gate).await;
        // Connections that the deadline cut off are closed now, so that the threads that wait for their bodies wake.
        let closed = async {
            while handle.connection_count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(LAST_MOMENT, closed).await;
        served
    });
    runtime.shutdown_timeout(LAST_MOMENT);
    served
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops: no new connection is taken, running requests have until `deadline` to finish, then their connections
    /// are closed. Returns when the server is gone.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the server had failed before.
    pub fn shutdown(mut self, deadline: Duration) -> Result<()> {
        self.handle.graceful_shutdown(Some(deadline));
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => {
                Err(Error::new(ErrorKind::Io, "the receiver had stopped").caused_by(error))
            }
            Some(Err(_)) => Err(Error::new(ErrorKind::Internal, "the receiver's thread panicked")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Lets in as many connections as there may be, and makes each its service.
struct Gate {
    connections: Arc<Semaphore>,
    service: EndpointService,
}

impl Service<SocketAddr> for Gate {
    type Response = Connection;
    type Error = io::Error;
    type Future = Ready<io::Result<Connection>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: SocketAddr) -> Self::Future {
        let permit = self.connections.clone().try_acquire_owned();
        ready(permit.map_err(|_| io::Error::other("as many connections as there may be")).map(|permit| {
            let (service, ambiguous) = (self.service.clone(), Arc::default());
            Connection { service, address, ambiguous, _permit: Arc::new(permit) }
        }))
    }
}

/// The service of one connection. Its place is free again when the last copy is gone.
#[derive(Clone)]
struct Connection {
    service: EndpointService,
    address: SocketAddr,
    ambiguous: Arc<AtomicBool>,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl<B> Service<axum::http::Request<B>> for Connection
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = <EndpointService as Service<axum::extract::Request>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: axum::http::Request<B>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.address));
        if self.ambiguous.load(Ordering::Acquire) {
            request.extensions_mut().insert(AmbiguousFraming);
        }
        self.service.call(request.map(Body::new))
    }
}

/// TLS, and the watch over each request's framing inside it.
#[derive(Clone)]
struct WatchingAcceptor {
    tls: RustlsAcceptor,
}

impl Accept<TcpStream, Connection> for WatchingAcceptor {
    type Stream = Watched<TlsStream<TcpStream>>;
    type Service = TlsService<Connection>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: Connection) -> Self::Future {
        let ambiguous = service.ambiguous.clone();
        let accepted = stream.set_nodelay(true).map(|()| self.tls.accept(stream, service));
        Box::pin(async move {
            let (stream, service) = accepted?.await?;
            Ok((Watched::new(stream, ambiguous), service))
        })
    }
}
