//! Two sites on this machine: each with its folder, its case system, its keys, and an HTTPS endpoint on loopback.

mod certificates;

use certificates::Authority;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, OpeningKey, SealingKey, Suite};
use claimwire::exchange::{Event, Exchange, ExchangeSettings, Partner};
use claimwire::model::{ClaimFile, ExchangeId, PackageId, RecordKind, SiteId};
use claimwire::protocol::{Digest, DigestReader, Endpoint, Peer, Request, Response, SigningKey};
use claimwire::receiver::{Receiver, ReceiverSettings, Running};
use claimwire::rules::{ExportRules, FieldChoice, FieldSelection, NamingConvention};
use claimwire::{Error, ErrorKind, Result};
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{Receiver as Inbox, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

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
}

pub(crate) struct TwoSites {
    pub(crate) insurer: Party,
    pub(crate) examiner: Party,
    endpoints: [Running; 2],
    _folder: TempDir,
}

impl TwoSites {
    /// Opens both sites; the insurer sends under `out`, the examiner under `back`.
    pub(crate) fn set_up(out: Suite, back: Suite, with_naming_convention: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let (insurer_site, examiner_site) = (SiteId::new("ON-INS")?, SiteId::new("IMEX")?);
        let (insurer_door, examiner_door) = (Arc::new(Door::default()), Arc::new(Door::default()));
        let endpoints =
            [listen(&authority, insurer_door.clone())?, listen(&authority, examiner_door.clone())?];
        let [insurer_url, examiner_url] = [0, 1]
            .map(|of: usize| format!("https://127.0.0.1:{}/claimwire", endpoints[of].local_addr().port()));

        // What the two hand each other out of band: one key per direction, and each other's verifying key.
        let (insurer_signs, examiner_signs) =
            (SigningKey::generate("on-ins-1")?, SigningKey::generate("imex-1")?);
        let (seals_out, opens_out) = key_pair(out)?;
        let (seals_back, opens_back) = key_pair(back)?;

        let rules = if with_naming_convention {
            ExportRules::new().naming(
                "{claim_number}_{document_type}.{ext:pdf|jpg|docx|csv|txt}".parse::<NamingConvention>()?,
            )
        } else {
            ExportRules::new()
        };
        let examiners = Partner::new(examiner_site.clone(), "Independent Medical Examiners")
            .reached_by(authority.transport(&examiner_url)?)
            .seal_with(1, seals_out)
            .open_with(1, opens_back)
            .verify_with(examiner_signs.verifying_key())
            .selecting(agreed_fields())
            .with_export_rules(rules.clone());
        let insurers = Partner::new(insurer_site.clone(), "Northern Mutual Insurance")
            .reached_by(authority.transport(&insurer_url)?)
            .seal_with(1, seals_back)
            .open_with(1, opens_out)
            .verify_with(insurer_signs.verifying_key())
            .selecting(agreed_fields())
            .with_export_rules(rules);

        let insurer = party(
            "Northern Mutual Insurance",
            insurer_url,
            insurer_site,
            &folder.path().join("insurer"),
            insurer_signs,
            examiners,
        )?;
        let examiner = party(
            "Independent Medical Examiners",
            examiner_url,
            examiner_site,
            &folder.path().join("examiner"),
            examiner_signs,
            insurers,
        )?;
        insurer_door.open(&insurer.exchange);
        examiner_door.open(&examiner.exchange);
        Ok(Self { insurer, examiner, endpoints, _folder: folder })
    }

    pub(crate) fn shut_down(self) -> Result<()> {
        self.endpoints.into_iter().try_for_each(|endpoint| endpoint.shutdown(Duration::from_secs(5)))
    }
}

/// All standard fields, and the one custom field both sides agreed on.
fn agreed_fields() -> FieldSelection {
    FieldSelection::default().custom(RecordKind::Claim, FieldChoice::only(["language"]))
}

fn key_pair(suite: Suite) -> Result<(SealingKey, OpeningKey)> {
    Ok(match suite {
        Suite::Age => {
            let identity = AgeIdentity::generate();
            (identity.recipient().into(), identity.into())
        }
        _ => {
            let key = DesMd5Key::new("agreed-By-Letter-7", Framing::SaltPrefix)?;
            (key.clone().into(), key.into())
        }
    })
}

fn party(
    name: &'static str,
    url: String,
    site: SiteId,
    folder: &Path,
    signs: SigningKey,
    partner: Partner,
) -> Result<Party> {
    let cases = Arc::new(SqliteCaseSystem::open(folder.join("cases"))?);
    let (announce, announced) = channel();
    let settings = ExchangeSettings::new(site, folder.join("exchange"), signs, cases.clone())
        .at_base_path("/claimwire")
        .with_partner(partner)
        .on_event(move |event| {
            if let Event::NewPackage { package, .. } = event {
                let _ = announce.send(*package);
            }
        });
    Ok(Party { name, url, exchange: Exchange::open(settings)?, cases, announced })
}

fn listen(authority: &Authority, door: Arc<Door>) -> Result<Running> {
    Receiver::bind("127.0.0.1:0", authority.server_tls()?, door, ReceiverSettings::default())
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
