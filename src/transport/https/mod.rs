//! The HTTPS transport: one request, one connection, through ureq and rustls with the ring provider.

mod early_answer;
mod faults;
mod settings;
mod tls;

pub use settings::{HttpsSettings, Timeouts};

use self::early_answer::EarlyAnswer;
use self::settings::ProxyChoice;
use self::tls::Tls;
use super::{Body, Reply, Resumption, Transport};
use crate::protocol::{MAX_ANSWER_BYTES, Request, Response};
use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::fmt;
use std::io::Read;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT};
use ureq::http::{self, HeaderName, HeaderValue};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, TcpConnector};
use ureq::{Agent, Proxy, ProxyProtocol, SendBody};
use zeroize::Zeroizing;

/// The scheme of RFC 6750, before the token.
const BEARER: &[u8] = b"Bearer ";

/// The most bytes of an answer's header fields.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Posts to one partner's endpoint over HTTPS.
///
/// Each request has a connection of its own, so none fails on a connection that the partner had closed meanwhile.
/// A body is announced with `Expect: 100-continue` (RFC 9110 section 10.1.1): a partner that refuses says so before
/// the package is sent. Redirects are not followed: the redirecting answer comes back as it is. Memory stays
/// constant whatever the size of the body.
pub struct HttpsTransport {
    agent: Agent,
    settings: HttpsSettings,
    base_path: String,
    authorization: Option<HeaderValue>,
}

impl HttpsTransport {
    /// Checks the settings, all certificates and keys among them. Connects to nobody yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`], saying which setting is wrong: no root certificate for an `https` address, a
    /// PEM text that is none, a key that does not belong to its certificate, a proxy that cannot be used or that an
    /// `http` address has none of, a bearer token that no header can hold.
    pub fn new(settings: HttpsSettings) -> Result<Self> {
        let limits = &settings.timeouts;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .max_response_header_size(MAX_HEADER_BYTES)
            .user_agent(concat!("claimwire/", env!("CARGO_PKG_VERSION")))
            .accept("")
            .accept_encoding("")
            .proxy(proxy(&settings)?)
            .timeout_global(limits.whole_call)
            .timeout_resolve(limits.resolve)
            .timeout_connect(limits.connect)
            .timeout_send_request(limits.send_headers)
            .timeout_await_100(limits.await_continue)
            .timeout_send_body(limits.send_body)
            .timeout_recv_response(limits.first_byte)
            .timeout_recv_body(limits.receive_body)
            .timeout_per_write(limits.stalled_write);
        let mut tls = None;
        if settings.base.scheme_str() == Some("https") {
            config = config.https_only(true);
            tls = Some(tls::config(&settings)?);
        }
        let base_path = settings.base.path().trim_end_matches('/').to_owned();
        let connection = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default());
        let connector = connection.chain(Tls(tls)).chain(EarlyAnswer);
        let agent = Agent::with_parts(config.build(), connector, DefaultResolver::default());
        let authorization = settings.token.as_ref().map(|token| bearer(token)).transpose()?;
        Ok(Self { agent, settings, base_path, authorization })
    }

    /// The request as ureq takes it: all header fields as they are, and those of the hop.
    fn head(&self, request: &Request, length: u64) -> Result<http::request::Builder> {
        let invalid = |what: &str, error: http::Error| {
            Error::new(ErrorKind::InvalidArgument, format!("{what} cannot be sent over HTTP"))
                .caused_by(error)
        };
        let mut parts = self.settings.base.clone().into_parts();
        parts.path_and_query =
            Some(request.path().parse().map_err(|error| invalid("the path", http::Error::from(error)))?);
        let url = http::Uri::from_parts(parts).map_err(|error| invalid("the URL", error.into()))?;
        let mut head = http::Request::builder().method(request.method()).uri(url);
        for (name, value) in request.headers().iter() {
            let field = HeaderName::from_bytes(name.as_bytes()).map_err(http::Error::from);
            let value = HeaderValue::from_str(value).map_err(http::Error::from);
            head = head.header(
                field.map_err(|error| invalid(name, error))?,
                value.map_err(|error| invalid(name, error))?,
            );
        }
        if let Some(authorization) = &self.authorization {
            head = head.header(AUTHORIZATION, authorization.clone());
        }
        if takes_body(request) {
            head = head.header(CONTENT_LENGTH, length);
        }
        if length > 0 && self.settings.ask_before_body {
            head = head.header(EXPECT, "100-continue");
        }
        Ok(head)
    }
}

impl Transport for HttpsTransport {
    fn send(&self, request: &Request, mut body: Body<'_>) -> Result<Reply> {
        let length = body.length();
        if !takes_body(request) && length > 0 {
            return Err(Error::new(ErrorKind::InvalidArgument, "only a POST or PATCH request has a body"));
        }
        body.check_empty()?;
        let head = self.head(request, length)?;
        let partner = || self.settings.base.host().unwrap_or_default().to_owned();
        let sent = if takes_body(request) {
            head.body(SendBody::from_reader(&mut body))
                .map_err(ureq::Error::from)
                .and_then(|r| self.agent.run(r))
        } else {
            head.body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request))
        };
        let answer = sent.map_err(|error| faults::told(error, &partner()))?;
        received(answer, &partner()).map(Reply::Answered)
    }

    fn base_path(&self) -> &str {
        &self.base_path
    }

    fn resumption(&self) -> Option<Resumption> {
        self.settings.resumption
    }
}

fn takes_body(request: &Request) -> bool {
    matches!(request.method(), "POST" | "PATCH")
}

/// The answer, read whole; it may not have more than [`MAX_ANSWER_BYTES`].
fn received(answer: http::Response<ureq::Body>, partner: &str) -> Result<Response> {
    let (parts, body) = answer.into_parts();
    let mut bytes = Vec::new();
    let most = MAX_ANSWER_BYTES as u64 + 1;
    body.into_reader()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| faults::told(ureq::Error::from(error), partner))?;
    let bad = |error: Error| error.within(format_args!("{partner} sent an answer that is none"));
    let mut response = Response::new(parts.status.as_u16(), bytes).map_err(bad)?;
    for (name, value) in &parts.headers {
        let value = value.to_str().map_err(|_| {
            let name: String = name.as_str().chars().take(40).collect();
            bad(Error::new(ErrorKind::BadMessage, format!("the header {name} is not printable ASCII")))
        })?;
        response.headers_mut().append(name.as_str(), value).map_err(bad)?;
    }
    Ok(response)
}

/// The field that shows the token.
fn bearer(token: &str) -> Result<HeaderValue> {
    // In one place, which is wiped with the last of the requests that share it.
    let mut text = Zeroizing::new(Vec::with_capacity(BEARER.len() + token.len()));
    text.extend_from_slice(BEARER);
    text.extend_from_slice(token.as_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(|_| {
        Error::new(ErrorKind::InvalidSettings, "the bearer token holds a character that no header may")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The proxy to ask, which is never one for an `http` address: that would leave this machine, and without TLS.
fn proxy(settings: &HttpsSettings) -> Result<Option<Proxy>> {
    let invalid = |what: &str| Error::new(ErrorKind::InvalidSettings, what);
    let stays_here = settings.base.scheme_str() != Some("https");
    let proxy = match &settings.proxy {
        ProxyChoice::Url(_) if stays_here => {
            return Err(invalid(
                "an http address is this machine's own, and is reached without a proxy; leave the proxy out",
            ));
        }
        ProxyChoice::Url(url) => {
            Some(Proxy::new(url).map_err(|_| invalid("the proxy is no URL such as http://host:port"))?)
        }
        ProxyChoice::Environment if !stays_here => Proxy::try_from_env(),
        ProxyChoice::Environment | ProxyChoice::None => None,
    };
    // There is no link for SOCKS in the chain of connectors: it would be passed by. The one for TLS is for the partner,
    // with the roots and the client certificate that are set for it.
    if proxy.as_ref().is_some_and(|proxy| proxy.protocol() != ProxyProtocol::Http) {
        return Err(invalid(
            "the proxy is none that is asked over plain http, such as http://host:port: neither https:// nor SOCKS \
             proxies can be used; the partner's TLS goes through it all the same",
        ));
    }
    Ok(proxy)
}

impl fmt::Debug for HttpsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsTransport").field("settings", &self.settings).finish_non_exhaustive()
    }
}
