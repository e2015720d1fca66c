//! One site on this machine: its folder, its case system, its exchange, and an HTTPS endpoint on loopback.

#![allow(dead_code, reason = "each example uses its own part of this")]

mod certificates;

pub(crate) use certificates::Authority;

use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
use claimwire::exchange::{Event, Exchange, ExchangeSettings, Partner};
use claimwire::model::{ClaimFile, ExchangeId, PackageId, SiteId};
use claimwire::protocol::{Digest, DigestReader, Endpoint, Peer, Request, Response, SigningKey};
use claimwire::receiver::{Receiver, ReceiverSettings, Running};
use claimwire::rules::Catalogue;
use claimwire::{Error, ErrorKind, Result};
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{Receiver as Inbox, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Where a site listens, before and after its exchange is open.
pub(crate) struct Address {
    pub(crate) url: String,
    door: Arc<Door>,
    endpoint: Running,
}

impl Address {
    /// Listens on a free port of loopback, for clients with a certificate of the authority.
    pub(crate) fn listen(authority: &Authority) -> Result<Self> {
        let door = Arc::new(Door::default());
        let settings = ReceiverSettings::default();
        let endpoint = Receiver::bind("127.0.0.1:0", authority.server_tls()?, door.clone(), settings)?;
        Ok(Self {
            url: format!("https://127.0.0.1:{}/claimwire", endpoint.local_addr().port()),
            door,
            endpoint,
        })
    }

    pub(crate) fn shut_down(self) -> Result<()> {
        self.endpoint.shutdown(Duration::from_secs(5))
    }
}

/// Who a site is.
pub(crate) struct Identity {
    pub(crate) name: &'static str,
    pub(crate) site: SiteId,
    pub(crate) signs: SigningKey,
    pub(crate) catalogue: Catalogue,
}

/// One site as its users see it.
pub(crate) struct Party {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) exchange: Exchange,
    pub(crate) cases: Arc<SqliteCaseSystem>,
    announced: Inbox<PackageId>,
}

impl Party {
    pub(crate) fn file(&self, claim: &ExchangeId) -> Result<ClaimFile> {
        self.cases
            .load(claim)?
            .ok_or_else(|| Error::new(ErrorKind::UnknownClaim, format!("{} has no {claim}", self.name)))
    }

    /// The SHA-256 of a document's bytes as this site has them now.
    pub(crate) fn digest(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<String> {
        let mut content = DigestReader::new(self.cases.open_document(claim, document)?);
        std::io::copy(&mut content, &mut std::io::sink())?;
        Ok(Digest::to_hex(&content.finish()))
    }

    /// The packages this site was told of since the last look.
    pub(crate) fn new_packages(&self) -> Vec<PackageId> {
        self.announced.try_iter().collect()
    }

    /// Opens a site in this folder, and its door to partners.
    pub(crate) fn open(
        who: Identity,
        address: &Address,
        folder: &Path,
        partners: Vec<Partner>,
    ) -> Result<Self> {
        let cases = Arc::new(SqliteCaseSystem::open(folder.join("cases"))?.with_catalogue(who.catalogue));
        let (announce, announced) = channel();
        let settings = ExchangeSettings::new(who.site, folder.join("exchange"), who.signs, cases.clone())
            .at_base_path("/claimwire")
            .on_event(move |event| {
                if let Event::NewPackage { package, .. } = event {
                    let _ = announce.send(*package);
                }
            });
        let settings = partners.into_iter().fold(settings, ExchangeSettings::with_partner);
        let exchange = Exchange::open(settings)?;
        address.door.open(&exchange);
        Ok(Self { name: who.name, url: address.url.clone(), exchange, cases, announced })
    }
}

/// The exchange behind an endpoint. Here each side must listen before the other side's address is known; sites in the
/// world know each other's URL and hand their `Exchange` to the receiver directly.
#[derive(Default)]
struct Door(OnceLock<Exchange>);

impl Door {
    fn open(&self, exchange: &Exchange) {
        let _ = self.0.set(exchange.clone());
    }
}

impl Endpoint for Door {
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        match self.0.get() {
            Some(exchange) => exchange.answer(request, peer, body),
            None => {
                claimwire::protocol::Problem::from_error(&Error::new(ErrorKind::Unreachable, "not open yet"))
                    .to_response()
            }
        }
    }
}
