//! Three sites in a chain: insurer, examiner, clinic. What each settled with its neighbours is a TOML document beside
//! this file; its secrets lie in the site's own store.

use crate::site::{Address, Authority, Identity, Party};
use claimwire::codec::AgeIdentity;
use claimwire::exchange::Partner;
use claimwire::model::SiteId;
use claimwire::protocol::{SecretText, SigningKey};
use claimwire::rules::Catalogue;
use claimwire::settings::{LocalSecrets, PartnerSettings};
use claimwire::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A site with what it settled with its partners.
pub(crate) struct Office {
    pub(crate) party: Party,
    settled: Settled,
}

impl Office {
    /// What an administrator does: changes the document about a partner, and has the running exchange take it in.
    pub(crate) fn change(&mut self, partner: &str, from: &str, to: &str) -> Result<()> {
        let settings = self.settled.settings.get_mut(partner).ok_or_else(|| lacks("partner", partner))?;
        if !settings.contains(from) {
            return Err(lacks("text to change", from));
        }
        *settings = settings.replacen(from, to, 1);
        self.party.exchange.set_partner(self.settled.partner(partner)?);
        Ok(())
    }

    /// What packages to this partner are sealed for.
    pub(crate) fn settled_recipient(&self, partner: &str) -> Result<String> {
        let settings = self.settled.settings.get(partner).ok_or_else(|| lacks("partner", partner))?;
        let quoted = settings.split_once("recipients = [\"").and_then(|(_, rest)| rest.split_once('"'));
        quoted.map(|(recipient, _)| recipient.to_owned()).ok_or_else(|| lacks("recipient", partner))
    }

    /// A new age key for what this partner sends, put away under this name; gives what the partner seals with.
    pub(crate) fn new_key(&self, name: &str) -> String {
        self.settled.secrets.age_key(name)
    }
}

/// The documents about a site's partners, by site id, and where their secrets are.
struct Settled {
    settings: BTreeMap<&'static str, String>,
    secrets: Store,
    authority: Arc<Authority>,
}

impl Settled {
    fn partner(&self, site: &str) -> Result<Partner> {
        let text = self.settings.get(site).ok_or_else(|| lacks("partner", site))?;
        let settings = PartnerSettings::from_toml(text)?;
        let url = settings.url().ok_or_else(|| lacks("url for", site))?;
        let store = self.secrets.clone();
        let secrets = LocalSecrets::new().with_host(move |name| store.take(name));
        Ok(settings.to_partner(&secrets)?.reached_by(self.authority.transport(url)?))
    }

    fn open(self, who: Identity, address: &Address, folder: &TempDir) -> Result<Office> {
        let partners = self.settings.keys().map(|site| self.partner(site)).collect::<Result<_>>()?;
        let home = folder.path().join(who.site.as_str());
        Ok(Office { party: Party::open(who, address, &home, partners)?, settled: self })
    }
}

/// A site's secret store, as its host has one.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<BTreeMap<String, String>>>);

impl Store {
    fn put(&self, name: &str, secret: &str) {
        if let Ok(mut store) = self.0.lock() {
            store.insert(name.to_owned(), secret.to_owned());
        }
    }

    fn age_key(&self, name: &str) -> String {
        let identity = AgeIdentity::generate();
        self.put(name, identity.to_secret_string().expose());
        identity.recipient().to_string()
    }

    fn take(&self, name: &str) -> Result<SecretText> {
        let secret = self.0.lock().ok().and_then(|store| store.get(name).cloned());
        secret.map(SecretText::new).ok_or_else(|| lacks("secret", name))
    }
}

pub(crate) struct Chain {
    pub(crate) insurer: Office,
    pub(crate) examiner: Office,
    pub(crate) clinic: Office,
    addresses: [Address; 3],
    _folder: TempDir,
}

impl Chain {
    /// Opens the three sites, each with its folder, case system and endpoint.
    pub(crate) fn set_up() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Arc::new(Authority::new()?);
        let addresses =
            [Address::listen(&authority)?, Address::listen(&authority)?, Address::listen(&authority)?];
        let [insurer_url, examiner_url, clinic_url] = [0, 1, 2].map(|of: usize| addresses[of].url.as_str());

        let insurer = identity(
            "Northern Mutual Insurance",
            "ON-INS",
            Catalogue::new()
                .claim_types(["auto accident benefits"])
                .assessment_types(["orthopaedic examination", "physiotherapy evaluation"]),
        )?;
        let examiner = identity(
            "Independent Medical Examiners",
            "IMEX",
            Catalogue::new()
                .claim_types(["auto accident benefits"])
                .assessment_types(["IME-ORTHO", "IME-PHYSIO"])
                .bill_types(["no-show fee"]),
        )?;
        let clinic = identity(
            "Eastside Physiotherapy",
            "EASTPT",
            Catalogue::new().assessment_types(["functional evaluation"]),
        )?;

        // What they hand each other out of band: recipients, one password, and verifying keys.
        let (at_insurer, at_examiner, at_clinic) = (Store::default(), Store::default(), Store::default());
        for (store, name) in [(&at_insurer, "imex/out-1"), (&at_examiner, "on-ins/in-1")] {
            store.put(name, "agreed-By-Letter-7");
        }
        let to_insurer = at_insurer.age_key("imex/in-1");
        let from_clinic = at_examiner.age_key("eastpt/in-1");
        let to_clinic = at_clinic.age_key("imex/in-1");
        let settled = |secrets, settings: Vec<(&'static str, String)>| Settled {
            settings: settings.into_iter().collect(),
            secrets,
            authority: authority.clone(),
        };
        let of_examiner = filled(include_str!("insurer-of-examiner.toml"), examiner_url, &examiner, "");
        let insurer_settled = settled(at_insurer, vec![("IMEX", of_examiner)]);
        let of_insurer = filled(include_str!("examiner-of-insurer.toml"), insurer_url, &insurer, &to_insurer);
        let of_clinic = filled(include_str!("examiner-of-clinic.toml"), clinic_url, &clinic, &to_clinic);
        let examiner_settled = settled(at_examiner, vec![("ON-INS", of_insurer), ("EASTPT", of_clinic)]);
        let of_examiner =
            filled(include_str!("clinic-of-examiner.toml"), examiner_url, &examiner, &from_clinic);
        let clinic_settled = settled(at_clinic, vec![("IMEX", of_examiner)]);

        let insurer = insurer_settled.open(insurer, &addresses[0], &folder)?;
        let examiner = examiner_settled.open(examiner, &addresses[1], &folder)?;
        let clinic = clinic_settled.open(clinic, &addresses[2], &folder)?;
        Ok(Self { insurer, examiner, clinic, addresses, _folder: folder })
    }

    pub(crate) fn shut_down(self) -> Result<()> {
        self.addresses.into_iter().try_for_each(Address::shut_down)
    }
}

fn identity(name: &'static str, site: &str, catalogue: Catalogue) -> Result<Identity> {
    let signs = SigningKey::generate(&format!("{}-1", site.to_lowercase()))?;
    Ok(Identity { name, site: SiteId::new(site)?, signs, catalogue })
}

/// A document of settings with what the partner handed over.
fn filled(document: &str, url: &str, partner: &Identity, recipient: &str) -> String {
    document
        .replace("{url}", url)
        .replace("{recipient}", recipient)
        .replace("{public}", partner.signs.verifying_key().to_text().as_str())
}

fn lacks(what: &str, name: &str) -> Error {
    Error::new(ErrorKind::InvalidSettings, format!("there is no {what} {name}"))
}
