//! The turnkey server: a listener, TLS, and a thread with a runtime of its own, for hosts that have none.

use super::connections::{Connections, Place, Stage};
use super::framing::{Watched, http};
use super::service::AmbiguousFraming;
use super::slots::Slots;
use super::tls::CurrentTls;
use super::{EndpointService, ReceiverSettings, TlsSettings};
use crate::protocol::{Endpoint, Peer};
use crate::{Error, ErrorKind, Result};
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

/// How long threads whose connection is gone may take to notice, after the deadline of a shutdown.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// How long, at a shutdown, a request whose head is there may take to be proven, or its refusal to leave.
const PARTING: Duration = Duration::from_millis(250);

/// How long nobody is let in when the system gives no connection, as when the process has no file left to open.
const NO_CONNECTION: Duration = Duration::from_millis(50);

/// Starts servers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Receiver;

/// A server that runs, on threads of its own. Dropping it closes every connection at once; see
/// [`shutdown`](Running::shutdown).
pub struct Running {
    address: SocketAddr,
    tls: Arc<CurrentTls>,
    stop: oneshot::Sender<Duration>,
    thread: JoinHandle<io::Result<()>>,
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
        let tls = Arc::new(CurrentTls::new(&tls)?);
        let no_listener = |error: io::Error| {
            Error::new(ErrorKind::Io, format!("cannot listen at this address: {error}")).caused_by(error)
        };
        let listener = TcpListener::bind(address).map_err(no_listener)?;
        listener.set_nonblocking(true).map_err(no_listener)?;
        let address = listener.local_addr().map_err(no_listener)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(Slots::threads(&settings).max(1))
            .thread_name("claimwire-request")
            .build()
            .map_err(|error| Error::new(ErrorKind::Io, "no runtime can be started").caused_by(error))?;
        let server = Server {
            tls: tls.clone(),
            http: http(settings.header_deadline),
            handshake: settings.header_deadline,
            connections: Connections::new(&settings),
            service: EndpointService::new(endpoint, settings),
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("claimwire-receiver".to_owned())
            .spawn(move || run(runtime, listener, Arc::new(server), stopped))
            .map_err(|error| Error::new(ErrorKind::Io, "no thread can be started").caused_by(error))?;
        Ok(Running { address, tls, stop, thread })
    }
}

fn run(
    runtime: Runtime,
    listener: TcpListener,
    server: Arc<Server>,
    stopped: oneshot::Receiver<Duration>,
) -> io::Result<()> {
    let served = runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        server.serve(listener, stopped).await;
        Ok(())
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

    /// Renews certificate, key and authorities of clients: connections that come from now on get these, and those that are
    /// open go on with what they began with. Settings that cannot be used change nothing.
    ///
    /// ```no_run
    /// use claimwire::receiver::{Running, TlsSettings};
    /// # fn renew(running: &Running) -> claimwire::Result<()> {
    ///
    /// running.set_tls(TlsSettings::new(std::fs::read("chain.pem")?, std::fs::read("key.pem")?))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] when they are wrong, naming which.
    pub fn set_tls(&self, tls: TlsSettings) -> Result<()> {
        self.tls.replace(&tls)
    }

    /// Stops: no new connection is taken, connections that have shown no request are closed, and a moment later those
    /// whose request is not proven to be a partner's. Partners' requests have until `deadline` to finish, then their
    /// connections are closed. Returns when the server is gone.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the server had failed before.
    pub fn shutdown(self, deadline: Duration) -> Result<()> {
        // Nobody listens only when the server has failed, which its thread tells.
        let _ = self.stop.send(deadline);
        match self.thread.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Error::new(ErrorKind::Io, "the receiver had stopped").caused_by(error)),
            Err(_) => Err(Error::new(ErrorKind::Internal, "the receiver's thread panicked")),
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What the connections of a running server share.
struct Server {
    tls: Arc<CurrentTls>,
    http: http1::Builder,
    handshake: Duration,
    connections: Arc<Connections>,
    service: EndpointService,
}

impl Server {
    /// Serves until it is told to stop, or whoever could tell it is gone.
    async fn serve(
        self: Arc<Self>,
        listener: tokio::net::TcpListener,
        mut stopped: oneshot::Receiver<Duration>,
    ) {
        let mut served = JoinSet::new();
        let deadline = loop {
            tokio::select! {
                biased;
                deadline = &mut stopped => break deadline.unwrap_or_default(),
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => self.let_in(&mut served, stream, address),
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(_) => sleep(NO_CONNECTION).await,
                },
                Some(_) = served.join_next() => {}
            }
        };
        drop(listener);
        self.connections.close(|stage| stage == Stage::Opening);
        let parting = async {
            sleep(PARTING).await;
            self.connections.close(|stage| stage < Stage::Proven);
            pending::<()>().await;
        };
        let gone = async { while served.join_next().await.is_some() {} };
        let all = async {
            tokio::select! { () = gone => {}, () = parting => {} }
        };
        let _ = timeout(deadline, all).await;
        // Threads that wait for the bodies of connections that are cut off here wake.
        served.shutdown().await;
    }

    fn let_in(self: &Arc<Self>, served: &mut JoinSet<()>, stream: TcpStream, address: SocketAddr) {
        let Some((place, closes)) = self.connections.let_in(address.ip()) else { return };
        let server = self.clone();
        served.spawn(async move {
            tokio::select! {
                biased;
                _ = closes => {}
                () = server.converse(stream, address, Arc::new(place)) => {}
            }
        });
    }

    /// One connection: TLS, one request, its answer. Whatever goes wrong ends it; there is nobody to tell.
    async fn converse(&self, stream: TcpStream, address: SocketAddr, place: Arc<Place>) {
        let Ok(()) = stream.set_nodelay(true) else { return };
        let Ok(Ok(stream)) = timeout(self.handshake, self.tls.acceptor().accept(stream)).await else {
            return;
        };
        let (peer, ambiguous) = (peer(&stream, address), Arc::new(AtomicBool::new(false)));
        let stream = TokioIo::new(Watched::new(stream, ambiguous.clone()));
        let answer = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            let extensions = request.extensions_mut();
            extensions.insert(peer.clone());
            extensions.insert(Arc::downgrade(&place));
            if ambiguous.load(Ordering::Acquire) {
                extensions.insert(AmbiguousFraming);
            }
            // One that is closed already is not answered.
            let _ = place.comes_to(Stage::Examined);
            let answer = self.service.clone().answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let _ = self.http.serve_connection(stream, answer).await;
    }
}

/// Whether only the connection failed that was about to be let in.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What the connection proves of its client.
fn peer(stream: &TlsStream<TcpStream>, address: SocketAddr) -> Peer {
    let peer = Peer::unknown().with_remote_address(address);
    match stream.get_ref().1.peer_certificates().and_then(<[_]>::first) {
        Some(certificate) => peer.with_certificate(certificate.to_vec()),
        None => peer,
    }
}
