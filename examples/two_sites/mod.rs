//! Two sites that know each other, and what they handed each other out of band.

use crate::site::{Address, Authority, Identity, Party};
use claimwire::Result;
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, OpeningKey, SealingKey, Suite};
use claimwire::exchange::Partner;
use claimwire::model::{RecordKind, SiteId};
use claimwire::protocol::SigningKey;
use claimwire::rules::{Catalogue, ExportRules, FieldChoice, FieldSelection, NamingConvention};
use tempfile::TempDir;

pub(crate) struct TwoSites {
    pub(crate) insurer: Party,
    pub(crate) examiner: Party,
    addresses: [Address; 2],
    _folder: TempDir,
}

impl TwoSites {
    /// Opens both sites; the insurer sends under `out`, the examiner under `back`.
    pub(crate) fn set_up(out: Suite, back: Suite, with_naming_convention: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let (insurer_site, examiner_site) = (SiteId::new("ON-INS")?, SiteId::new("IMEX")?);
        let addresses = [Address::listen(&authority)?, Address::listen(&authority)?];
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
            .reached_by(authority.transport(&addresses[1].url)?)
            .seal_with(1, seals_out)
            .open_with(1, opens_back)
            .verify_with(examiner_signs.verifying_key())
            .selecting(agreed_fields())
            .with_export_rules(rules.clone());
        let insurers = Partner::new(insurer_site.clone(), "Northern Mutual Insurance")
            .reached_by(authority.transport(&addresses[0].url)?)
            .seal_with(1, seals_back)
            .open_with(1, opens_out)
            .verify_with(insurer_signs.verifying_key())
            .selecting(agreed_fields())
            .with_export_rules(rules);

        let who = |name, site, signs| Identity { name, site, signs, catalogue: Catalogue::new() };
        let insurer = Party::open(
            who("Northern Mutual Insurance", insurer_site, insurer_signs),
            &addresses[0],
            &folder.path().join("insurer"),
            vec![examiners],
        )?;
        let examiner = Party::open(
            who("Independent Medical Examiners", examiner_site, examiner_signs),
            &addresses[1],
            &folder.path().join("examiner"),
            vec![insurers],
        )?;
        Ok(Self { insurer, examiner, addresses, _folder: folder })
    }

    pub(crate) fn shut_down(self) -> Result<()> {
        self.addresses.into_iter().try_for_each(Address::shut_down)
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
