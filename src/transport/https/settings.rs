//! Settings of the HTTPS transport: address, trust, client certificate, token, proxy, every timeout.

use crate::protocol::without_line_end;
use crate::transport::Resumption;
use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use ureq::http::Uri;
use zeroize::Zeroizing;

/// How long each part of a request may take. Whatever runs out first ends the request with
/// [`ErrorKind::TimedOut`], `await_continue` aside. `None` means without limit.
///
/// | field | from | until | default |
/// |---|---|---|---|
/// | `whole_call` | the start | the answer is read | none: it depends on the package's size |
/// | `resolve` | the start | the host's address is known | 10 s |
/// | `connect` | the address is known | TCP, proxy and TLS are set up | 20 s |
/// | `send_headers` | connected | the header fields are written | 20 s |
/// | `await_continue` | header fields written | the partner says `100 Continue`, or the body is sent without | 10 s |
/// | `send_body` | the body's start | its last byte is written | none: `stalled_write` ends a dead connection |
/// | `first_byte` | the body is written | the answer's header fields are there | 120 s |
/// | `receive_body` | the answer's header fields | the answer's body is read | 30 s |
/// | `stalled_write` | any write | it moves at least one byte | 60 s |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The whole request.
    pub whole_call: Option<Duration>,
    /// Looking up the host's address.
    pub resolve: Option<Duration>,
    /// Setting up TCP, proxy and TLS.
    pub connect: Option<Duration>,
    /// Writing the header fields.
    pub send_headers: Option<Duration>,
    /// Waiting for `100 Continue`; when it runs out, the body is sent.
    pub await_continue: Option<Duration>,
    /// Writing the body.
    pub send_body: Option<Duration>,
    /// Waiting for the answer, during which the partner stores the package durably.
    pub first_byte: Option<Duration>,
    /// Reading the answer's body.
    pub receive_body: Option<Duration>,
    /// A single write without progress.
    pub stalled_write: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = |count| Some(Duration::from_secs(count));
        Self {
            whole_call: None,
            resolve: seconds(10),
            connect: seconds(20),
            send_headers: seconds(20),
            await_continue: seconds(10),
            send_body: None,
            first_byte: seconds(120),
            receive_body: seconds(30),
            stalled_write: seconds(60),
        }
    }
}

/// Which proxy a request goes through.
#[derive(Clone, Default)]
pub(super) enum ProxyChoice {
    #[default]
    None,
    Environment,
    Url(Zeroizing<String>),
}

/// Where an [`HttpsTransport`](super::HttpsTransport) posts to, whom it trusts, and what it shows of itself.
///
/// Trust is explicit: the partner's certificate must lead to one of the roots given here. There is no built-in list
/// and the operating system's store is not asked, since a claims partner is known by name and its authority with
/// it; for a partner with a public certificate give that authority's root.
///
/// ```no_run
/// use claimwire::transport::{HttpsSettings, HttpsTransport};
///
/// let settings = HttpsSettings::new("https://exchange.example.com/claimwire")?
///     .root_certificates(std::fs::read("partner-ca.pem")?)
///     .client_certificate(std::fs::read("our-chain.pem")?, std::fs::read("our-key.pem")?);
/// let transport = HttpsTransport::new(settings)?;
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpsSettings {
    pub(super) base: Uri,
    pub(super) roots: Vec<u8>,
    pub(super) client: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    pub(super) token: Option<Zeroizing<String>>,
    pub(super) proxy: ProxyChoice,
    pub(super) timeouts: Timeouts,
    pub(super) resumption: Option<Resumption>,
    pub(super) ask_before_body: bool,
}

impl HttpsSettings {
    /// The partner's endpoint, such as `https://exchange.example.com/claimwire`.
    ///
    /// # Errors
    /// [`ErrorKind::PlainHttp`] for an `http` address whose host is not this machine (`localhost`, `127.0.0.0/8`,
    /// `[::1]`); [`ErrorKind::InvalidSettings`] for anything that is no such URL, or carries a password, a query or
    /// a fragment.
    pub fn new(url: &str) -> Result<Self> {
        let invalid = |what: &str| {
            Error::new(
                ErrorKind::InvalidSettings,
                format!("`{}` is no address to post to: {what}", url.escape_debug()),
            )
        };
        if url.contains(['@', '?', '#']) {
            // Not repeated in the message, since it may hold a password.
            return Err(Error::new(
                ErrorKind::InvalidSettings,
                "the partner's URL must not hold a user name, a password, a query or a fragment",
            ));
        }
        let base: Uri = url.parse().map_err(|_| invalid("it is no URL"))?;
        let host = base.host().ok_or_else(|| invalid("it names no host"))?;
        match base.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(host) => {}
            Some("http") => {
                return Err(Error::new(
                    ErrorKind::PlainHttp,
                    format!("`{url}` has no TLS: claim files are posted to https addresses only"),
                ));
            }
            _ => return Err(invalid("it begins with neither https:// nor http://")),
        }
        crate::protocol::Request::new("GET", base.path()).map_err(|_| invalid("its path is not plain"))?;
        Ok(Self {
            base,
            roots: Vec::new(),
            client: None,
            token: None,
            proxy: ProxyChoice::None,
            timeouts: Timeouts::default(),
            resumption: Some(Resumption::default()),
            ask_before_body: true,
        })
    }

    /// The certificates (PEM, one or more) of the authorities that the partner's certificate may lead to. Needed for
    /// `https`.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = pem.into();
        self
    }

    /// The certificate chain and the private key (PEM; PKCS #8, PKCS #1 or SEC 1) shown to a partner that asks.
    #[must_use]
    pub fn client_certificate(mut self, chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.client = Some((chain_pem.into(), Zeroizing::new(key_pem.into())));
        self
    }

    /// The token for partners that ask for `Authorization: Bearer` (RFC 6750). One line end after it is taken off.
    #[must_use]
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        let mut token = Zeroizing::new(token.into());
        let length = without_line_end(&token).len();
        token.truncate(length);
        self.token = Some(token);
        self
    }

    /// The proxy to go through to an `https` address, such as `http://proxy.example.com:3128`. Without this call there is
    /// none, whatever the environment says.
    ///
    /// It is asked over plain http (`CONNECT`), and sees the partner's host and its own password; all else goes through
    /// it under the partner's TLS. Proxies that are asked over TLS (`https://`) or SOCKS are refused, and so is any for
    /// an `http` address, which does not leave this machine.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyChoice::Url(Zeroizing::new(url.into()));
        self
    }

    /// Takes the proxy from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), as [`proxy`](Self::proxy) would
    /// take it; for an `http` address there is none, whatever it says.
    #[must_use]
    pub fn proxy_from_environment(mut self) -> Self {
        self.proxy = ProxyChoice::Environment;
        self
    }

    /// How long each part of a request may take.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// From which size on, and in which pieces, packages are sent so that they can be gone on with when they are cut
    /// off; `None` for never. A partner that cannot go on with them gets them whole, each time.
    #[must_use]
    pub fn resumption(mut self, resumption: Option<Resumption>) -> Self {
        self.resumption = resumption;
        self
    }

    /// For bodies so small that nothing is won by asking first whether they are wanted; a request takes at most
    /// `whole_call`, where nothing else was set.
    #[cfg(feature = "webhook")]
    pub(crate) fn for_small_bodies(mut self, whole_call: Duration) -> Self {
        self.ask_before_body = false;
        self.timeouts.whole_call.get_or_insert(whole_call);
        self
    }

    /// The path of the address, as it was given.
    #[cfg(feature = "webhook")]
    pub(crate) fn path(&self) -> &str {
        self.base.path()
    }
}

impl fmt::Debug for HttpsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsSettings")
            .field("base", &self.base.to_string())
            .field("client_certificate", &self.client.is_some())
            .field("bearer_token", &self.token.is_some())
            .field("proxy", &!matches!(self.proxy, ProxyChoice::None))
            .field("timeouts", &self.timeouts)
            .field("resumption", &self.resumption)
            .finish_non_exhaustive()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for url in
            ["http://localhost:80/x", "http://127.9.9.9", "http://[::1]:8080", "https://example.com/a/b"]
        {
            assert!(HttpsSettings::new(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.com",
            "http://127.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
        ] {
            assert_eq!(HttpsSettings::new(url).unwrap_err().kind(), ErrorKind::PlainHttp, "{url}");
        }
    }

    #[test]
    fn other_addresses_are_refused_and_passwords_not_repeated() {
        for url in
            ["", "example.com", "/packages", "ftp://example.com", "https://", "https://example.com/a?b=c"]
        {
            assert_eq!(HttpsSettings::new(url).unwrap_err().kind(), ErrorKind::InvalidSettings, "{url}");
        }
        let error = HttpsSettings::new("https://user:hunter2@example.com").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        let settings = HttpsSettings::new("https://example.com").unwrap().bearer_token("hunter2");
        let settings = settings.client_certificate("", "hunter2").proxy("http://me:hunter2@proxy");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
