//! The endpoint as a tower service: the one place where types of the web server stand in public signatures.

use super::body::{Incoming, channel, too_large};
use super::connections::Place;
use super::settings::ReceiverSettings;
use super::slots::Slots;
use crate::protocol::{Endpoint, Headers, Peer, Problem, Request, Response};
use crate::{Error, ErrorKind, Result};
use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum_server::tls::TlsInfo;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use tokio::task::{JoinError, spawn_blocking};

/// An [`Endpoint`] as a [tower](https://docs.rs/tower-service) service, to mount in an axum 0.8 router or in any
/// server that takes such services. Runs on tokio.
///
/// The request's path must be the one the sender signed: with `nest_service` it is, since the original path is
/// used; a proxy in front must not rewrite it.
///
/// What the connection proves is read from the request's extensions: a [`Peer`] that the host put there; else the
/// client certificate of axum-server (`Arc<TlsInfo>`) and the address of axum's `ConnectInfo<SocketAddr>`.
///
/// ```no_run
/// use claimwire::receiver::{EndpointService, ReceiverSettings};
/// # fn mount(exchange: std::sync::Arc<dyn claimwire::protocol::Endpoint>) {
///
/// let service = EndpointService::new(exchange, ReceiverSettings::default());
/// let app: axum::Router = axum::Router::new().nest_service("/claimwire", service);
/// # }
/// ```
#[derive(Clone)]
pub struct EndpointService(Arc<Shared>);

struct Shared {
    endpoint: Arc<dyn Endpoint>,
    settings: ReceiverSettings,
    slots: Slots,
}

/// Marks a request whose framing is ambiguous; the turnkey server puts it into the extensions.
#[derive(Clone, Copy)]
pub(super) struct AmbiguousFraming;

impl EndpointService {
    /// Hands requests to `endpoint`, each on a thread of its own, as many at once as the settings allow.
    pub fn new(endpoint: Arc<dyn Endpoint>, settings: ReceiverSettings) -> Self {
        let slots = Slots::new(&settings);
        Self(Arc::new(Shared { endpoint, settings, slots }))
    }

    /// Answers one request.
    pub(super) async fn answer(self, request: axum::extract::Request) -> axum::response::Response {
        self.0.handle(request).await
    }
}

impl fmt::Debug for EndpointService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointService").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl tower_service::Service<axum::extract::Request> for EndpointService {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::extract::Request) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async move { Ok(answer.await) })
    }
}

impl Shared {
    async fn handle(&self, request: axum::extract::Request) -> axum::response::Response {
        let (parts, body) = request.into_parts();
        let mut incoming = Incoming::new(body, &self.settings);
        let response = match self.answer(&parts, &mut incoming).await {
            Ok(response) => response,
            Err(error) => {
                self.endpoint.refused(error.kind());
                Problem::from_error(&error).to_response()
            }
        };
        let mut response = converted(&response);
        if !incoming.ended && has_body(&parts) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            // A client that waits for `100 Continue` has not begun its body: nothing to read, and reading would
            // invite it.
            if incoming.touched || !parts.headers.contains_key(EXPECT) {
                tokio::spawn(incoming.drain(self.settings.drain));
            }
        }
        response
    }

    async fn answer(&self, parts: &Parts, incoming: &mut Incoming) -> Result<Response> {
        let (request, peer) = self.admitted(parts)?;
        let held = Arc::new(self.slots.examine(parts.extensions.get::<Weak<Place>>().cloned()).await?);
        let (feed, mut reader) = channel(held.clone());
        let (endpoint, admitted) = (self.endpoint.clone(), held.clone());
        let peer = peer.once_proven(move |partner| admitted.proven(Some(partner)));
        let mut answered = pin!(spawn_blocking(move || {
            let answer = endpoint.answer(&request, &peer, &mut reader);
            held.end();
            answer
        }));
        let joined: Result<Response, JoinError> = {
            let feeding = pin!(incoming.feed(feed));
            tokio::select! {
                biased;
                joined = &mut answered => joined,
                () = feeding => answered.await,
            }
        };
        joined.map_err(|_| Error::new(ErrorKind::Internal, "the endpoint panicked"))
    }

    /// The request as the endpoint takes it, when its head alone does not refuse it.
    fn admitted(&self, parts: &Parts) -> Result<(Request, Peer)> {
        let both =
            parts.headers.contains_key(CONTENT_LENGTH) && parts.headers.contains_key(TRANSFER_ENCODING);
        if both || parts.extensions.get::<AmbiguousFraming>().is_some() {
            return Err(Error::new(
                ErrorKind::BadMessage,
                "the request has both Content-Length and Transfer-Encoding, so its end is in doubt (RFC 9112 section 6.1)",
            ));
        }
        let declared =
            parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > self.settings.max_body_bytes) {
            return Err(too_large(self.settings.max_body_bytes));
        }
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        if uri.query().is_some() {
            return Err(Error::new(ErrorKind::BadMessage, "no address here has a query"));
        }
        let mut request = Request::new(parts.method.as_str(), uri.path())?;
        *request.headers_mut() = headers(parts)?;
        Ok((request, peer(parts)))
    }
}

fn headers(parts: &Parts) -> Result<Headers> {
    let mut headers = Headers::new();
    for (name, value) in &parts.headers {
        let value = value.to_str().map_err(|_| {
            Error::new(ErrorKind::BadMessage, format!("the header {name} is not printable ASCII"))
        })?;
        headers.append(name.as_str(), value)?;
    }
    Ok(headers)
}

fn peer(parts: &Parts) -> Peer {
    if let Some(peer) = parts.extensions.get::<Peer>() {
        return peer.clone();
    }
    let mut peer = Peer::unknown();
    if let Some(ConnectInfo(address)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        peer = peer.with_remote_address(*address);
    }
    let tls = parts.extensions.get::<Arc<TlsInfo>>();
    match tls.and_then(|info| info.peer_certificates.first()) {
        Some(certificate) => peer.with_certificate(certificate.clone()),
        None => peer,
    }
}

fn has_body(parts: &Parts) -> bool {
    let length = parts.headers.get(CONTENT_LENGTH);
    length.is_some_and(|length| length != "0") || parts.headers.contains_key(TRANSFER_ENCODING)
}

fn converted(response: &Response) -> axum::response::Response {
    let mut out = axum::response::Response::new(Body::from(response.body().to_vec()));
    *out.status_mut() = StatusCode::from_u16(response.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers().iter() {
        // Both were checked when they came into the answer, so neither fails.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            out.headers_mut().append(name, value);
        }
    }
    out
}
