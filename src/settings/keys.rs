//! The keys of a partner: what seals and opens, by version, and what its signatures are checked with.

use super::secret::{SecretPlace, SecretSource, read_place};
use super::suites::{Opening, Sealing};
use super::table::{Mistakes, Table};
use crate::codec::Suite;
use crate::exchange::{AfterReview, DEFAULT_GRACE, Partner};
use crate::model::{Date, Timestamp};
use crate::protocol::{Credential, Validity, VerifyingKey};
use crate::{Error, ErrorKind, Result};
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;
/// A key that still opens what comes a year after its end has none.
const LONGEST_GRACE: u64 = 366;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Keys {
    #[serde(serialize_with = "one_or_list", skip_serializing_if = "Vec::is_empty")]
    outgoing: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    grace_days: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    legacy: Option<Legacy>,
    verifying: Vec<Verifying>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsigned: Option<Unsigned>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Outgoing {
    version: u32,
    #[serde(flatten)]
    validity: Validity,
    #[serde(flatten)]
    cipher: Sealing,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Incoming {
    version: u32,
    #[serde(flatten)]
    kept: Kept,
}

/// What is left of a version: its key, or the moment it was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Kept {
    Key {
        #[serde(flatten)]
        validity: Validity,
        #[serde(flatten)]
        cipher: Opening,
    },
    Retired {
        retired: Timestamp,
    },
}

/// Until when `des-md5` with this partner was looked at, and what then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Legacy {
    review_by: Date,
    after_review: AfterReview,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Verifying {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretPlace>,
    #[serde(flatten)]
    validity: Validity,
}

/// What proves requests of a partner that cannot sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Unsigned {
    CertificateSha256(String),
    Token(SecretPlace),
}

impl Keys {
    pub(super) fn read(mut table: Table<'_>) -> Self {
        let (sealing, opening) = (table.one_or_more("outgoing"), table.tables("incoming"));
        let any_outgoing = !sealing.is_empty();
        if !any_outgoing && opening.is_empty() {
            table.mistake("outgoing", "give a key to seal with, keys to open with in `incoming`, or both");
        }
        let (mut sealed, mut opened) = (Versions::default(), Versions::default());
        let outgoing = sealing.into_iter().filter_map(|key| Outgoing::read(key, &mut sealed)).collect();
        let incoming = opening.into_iter().filter_map(|key| Incoming::read(key, &mut opened)).collect();

        let grace_days = table.take::<u64>("grace_days").unwrap_or(DEFAULT_GRACE.as_secs() / DAY);
        if grace_days > LONGEST_GRACE {
            table.mistake("grace_days", format_args!("at most {LONGEST_GRACE} days are expected"));
        }
        let legacy_given = table.table("legacy", "say when it is looked at again, { review_by = … }");
        if legacy_given.is_some() && !sealed.any_legacy() && !opened.any_legacy() {
            table.mistake("legacy", "no key here is of the suite des-md5; leave it out");
        }
        let legacy = legacy_given.and_then(Legacy::read);

        let unsigned_given = table.table("unsigned", "a table is expected");
        let any_unsigned = unsigned_given.is_some();
        let unsigned = unsigned_given.and_then(Unsigned::read);
        let given = table.tables("verifying");
        if given.is_empty() && !any_unsigned {
            let what = "give at least one key that the partner signs with, or, where it cannot, `unsigned`";
            table.mistake("verifying", what);
        } else if given.is_empty() && any_outgoing {
            table.mistake(
                "verifying",
                "packages are sent to this partner, and its receipts are always signed",
            );
        }
        let (mut verifying, mut ids) = (Vec::new(), BTreeSet::new());
        for key in given {
            let place = key.place().to_owned();
            let Some(key) = Verifying::read(key) else { continue };
            if !ids.insert(key.id.clone()) {
                table.mistakes().add(format_args!("{place}.id"), "two keys have this id");
            }
            verifying.push(key);
        }
        table.finish();
        Self { outgoing, incoming, grace_days, legacy, verifying, unsigned }
    }

    /// Gives the partner its keys; what is wrong with a secret goes to `mistakes`.
    pub(super) fn give(&self, partner: Partner, secrets: &dyn SecretSource, mistakes: &Mistakes) -> Partner {
        let mut partner = partner.taking_late(Duration::from_secs(self.grace_days.saturating_mul(DAY)));
        if let Some(legacy) = &self.legacy {
            partner = partner.reviewing_legacy_by(legacy.review_by, legacy.after_review);
        }
        for (index, outgoing) in self.outgoing.iter().enumerate() {
            match outgoing.cipher.key(secrets) {
                Ok(key) => partner = partner.seal_during(outgoing.validity, outgoing.version, key),
                Err(error) if self.outgoing.len() == 1 => mistakes.add("keys.outgoing", error),
                Err(error) => mistakes.add(format_args!("keys.outgoing[{index}]"), error),
            }
        }
        for (index, incoming) in self.incoming.iter().enumerate() {
            let (validity, cipher) = match &incoming.kept {
                Kept::Key { validity, cipher } => (*validity, cipher),
                Kept::Retired { retired } => {
                    partner = partner.retire(incoming.version, *retired);
                    continue;
                }
            };
            match cipher.key(secrets) {
                Ok(key) => partner = partner.open_during(validity, incoming.version, key),
                Err(error) => mistakes.add(format_args!("keys.incoming[{index}]"), error),
            }
        }
        for (index, verifying) in self.verifying.iter().enumerate() {
            match verifying.key(secrets) {
                Ok(key) => partner = partner.verify_with(key),
                Err(error) => mistakes.add(format_args!("keys.verifying[{index}]"), error),
            }
        }
        if let Some(unsigned) = &self.unsigned {
            match unsigned.credential(secrets) {
                Ok(credential) => partner = partner.accept_unsigned(credential),
                Err(error) => mistakes.add("keys.unsigned", error),
            }
        }
        partner
    }
}

/// The versions of one use that were read so far, with their suites.
#[derive(Default)]
struct Versions(BTreeMap<u32, Option<Suite>>);

impl Versions {
    /// The version of a key, which no other of its use has.
    fn read(&mut self, table: &mut Table<'_>) -> Option<u32> {
        let version = table.need::<u32>("version")?;
        if version == 0 {
            table.mistake("version", "versions begin with 1");
        }
        if self.0.insert(version, None).is_some() {
            table.mistake("version", "two keys have this version");
        }
        Some(version)
    }

    /// Notes the suite of a version. A later one must not go back from age, whatever their order here.
    fn agree_on(&mut self, suite: Suite, version: u32, table: &Table<'_>) {
        self.0.insert(version, Some(suite));
        let newest_age = self.0.iter().rev().find(|(_, suite)| **suite == Some(Suite::Age));
        let legacy = self.0.iter().rev().find(|(_, suite)| **suite == Some(Suite::DesMd5));
        if let (Some((age, _)), Some((legacy, _))) = (newest_age, legacy)
            && age < legacy
            && [*age, *legacy].contains(&version)
        {
            let said = format!(
                "version {legacy} goes back to des-md5, which is no protection, from age in version {age}"
            );
            table.mistake("suite", said);
        }
    }

    fn any_legacy(&self) -> bool {
        self.0.values().any(|suite| *suite == Some(Suite::DesMd5))
    }
}

impl Outgoing {
    fn read(mut table: Table<'_>, versions: &mut Versions) -> Option<Self> {
        let version = versions.read(&mut table);
        let validity = read_validity(&mut table);
        let cipher = Sealing::read(&mut table);
        if let (Some(version), Some(cipher)) = (version, &cipher) {
            versions.agree_on(cipher.suite(), version, &table);
        }
        finish_with(table, cipher.is_some());
        Some(Self { version: version?, validity, cipher: cipher? })
    }
}

impl Incoming {
    fn read(mut table: Table<'_>, versions: &mut Versions) -> Option<Self> {
        let version = versions.read(&mut table);
        if table.has("retired") {
            let retired = table.take::<Timestamp>("retired");
            table.finish();
            return Some(Self { version: version?, kept: Kept::Retired { retired: retired? } });
        }
        let validity = read_validity(&mut table);
        let cipher = Opening::read(&mut table);
        if let (Some(version), Some(cipher)) = (version, &cipher) {
            versions.agree_on(cipher.suite(), version, &table);
        }
        finish_with(table, cipher.is_some());
        Some(Self { version: version?, kept: Kept::Key { validity, cipher: cipher? } })
    }
}

impl Legacy {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let review_by = table.need::<Date>("review_by");
        let after_review = table.take::<AfterReview>("after_review").unwrap_or_default();
        table.finish();
        Some(Self { review_by: review_by?, after_review })
    }
}

impl Verifying {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let id = table.need::<String>("id");
        let public = table.take::<String>("public");
        let secret = read_place(&mut table, "secret");
        let validity = read_validity(&mut table);
        match (&public, &secret) {
            (Some(public), None) => {
                // A shared secret has a text form too; it never stands here, and is not repeated.
                if !public.starts_with("ed25519-public:") {
                    table.mistake(
                        "public",
                        "a public key begins with `ed25519-public:`; a shared secret goes to `secret`",
                    );
                } else if let Some(Err(error)) = id.as_deref().map(|id| VerifyingKey::from_text(id, public)) {
                    table.mistake("public", error);
                }
            }
            (None, Some(_)) => {}
            _ => table.mistake("public", "give either `public` or, for a shared secret, `secret`"),
        }
        table.finish();
        Some(Self { id: id?, public, secret, validity })
    }

    fn key(&self, secrets: &dyn SecretSource) -> Result<VerifyingKey> {
        let key = match (&self.public, &self.secret) {
            (Some(public), _) => VerifyingKey::from_text(&self.id, public),
            (None, Some(secret)) => VerifyingKey::from_text(&self.id, secrets.secret(secret)?.as_str()),
            (None, None) => Err(invalid("neither `public` nor `secret` is given")),
        };
        Ok(key?.valid_during(self.validity))
    }
}

impl Unsigned {
    fn read(mut table: Table<'_>) -> Option<Self> {
        if table.has("certificate_sha256") == table.has("token") {
            table.mistakes().add(table.place(), "give either `certificate_sha256` or `token`");
        }
        let certificate = table.take::<String>("certificate_sha256");
        let token = read_place(&mut table, "token");
        if let Some(Err(error)) = certificate.as_deref().map(Credential::client_certificate) {
            table.mistake("certificate_sha256", error);
        }
        table.finish();
        certificate.map(Self::CertificateSha256).or(token.map(Self::Token))
    }

    fn credential(&self, secrets: &dyn SecretSource) -> Result<Credential> {
        match self {
            Self::CertificateSha256(sha256) => Credential::client_certificate(sha256),
            Self::Token(place) => Credential::bearer_token(secrets.secret(place)?.as_str()),
        }
    }
}

/// When a key is valid; where that cannot be read, a mistake says so.
fn read_validity(table: &mut Table<'_>) -> Validity {
    let (from, until) = (table.take::<Timestamp>("valid_from"), table.take::<Timestamp>("valid_until"));
    Validity::new(from, until).unwrap_or_else(|error| {
        table.mistake("valid_until", error);
        Validity::ALWAYS
    })
}

/// One key as a table, several as a list.
fn one_or_list<S: Serializer>(keys: &[Outgoing], serializer: S) -> Result<S::Ok, S::Error> {
    match keys {
        [key] => key.serialize(serializer),
        keys => keys.serialize(serializer),
    }
}

/// What is left of a key whose suite is not known cannot be judged.
fn finish_with(table: Table<'_>, suite_known: bool) {
    if suite_known {
        table.finish();
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}
