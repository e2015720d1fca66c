//! The keys of a partner: what seals and opens, by version, and what its signatures are checked with.

use super::secret::{SecretPlace, SecretSource, read_place};
use super::table::{Mistakes, Table};
#[cfg(feature = "age")]
use crate::codec::{AgeIdentity, AgeRecipient, AgeRecipients};
use crate::codec::{DesMd5Key, Framing, OpeningKey, SealingKey, Suite};
use crate::exchange::Partner;
use crate::protocol::{Credential, VerifyingKey};
use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Keys {
    #[serde(skip_serializing_if = "Option::is_none")]
    outgoing: Option<Outgoing>,
    incoming: Vec<Incoming>,
    verifying: Vec<Verifying>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsigned: Option<Unsigned>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Outgoing {
    version: u32,
    #[serde(flatten)]
    cipher: Sealing,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "suite", rename_all = "kebab-case")]
enum Sealing {
    DesMd5(Password),
    Age { recipients: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Incoming {
    version: u32,
    #[serde(flatten)]
    cipher: Opening,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "suite", rename_all = "kebab-case")]
enum Opening {
    DesMd5(Password),
    Age { secret: SecretPlace },
}

/// The shared password of `des-md5`, and how the partner frames what it seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Password {
    secret: SecretPlace,
    framing: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<NonZeroU32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Verifying {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretPlace>,
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
        let outgoing_given = table.table("outgoing", "a table is expected");
        let any_outgoing = outgoing_given.is_some();
        let outgoing = outgoing_given.and_then(Outgoing::read);

        let given = table.tables("incoming");
        if !any_outgoing && given.is_empty() {
            table.mistake("outgoing", "give a key to seal with, keys to open with in `incoming`, or both");
        }
        let (mut incoming, mut versions) = (Vec::new(), BTreeSet::new());
        for key in given {
            let place = key.place().to_owned();
            let Some(key) = Incoming::read(key) else { continue };
            if !versions.insert(key.version) {
                table.mistakes().add(format_args!("{place}.version"), "two keys have this version");
            }
            incoming.push(key);
        }

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
        Self { outgoing, incoming, verifying, unsigned }
    }

    /// Gives the partner its keys; what is wrong with a secret goes to `mistakes`.
    pub(super) fn give(&self, partner: Partner, secrets: &dyn SecretSource, mistakes: &Mistakes) -> Partner {
        let mut partner = partner;
        if let Some(outgoing) = &self.outgoing {
            match outgoing.cipher.key(secrets) {
                Ok(key) => partner = partner.seal_with(outgoing.version, key),
                Err(error) => mistakes.add("keys.outgoing", error),
            }
        }
        for (index, incoming) in self.incoming.iter().enumerate() {
            match incoming.cipher.key(secrets) {
                Ok(key) => partner = partner.open_with(incoming.version, key),
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

impl Outgoing {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let version = read_version(&mut table);
        let cipher = match read_suite(&mut table) {
            Some(Suite::DesMd5) => Password::read(&mut table).map(Sealing::DesMd5),
            Some(Suite::Age) => read_recipients(&mut table).map(|recipients| Sealing::Age { recipients }),
            None => None,
        };
        finish_with(table, cipher.is_some());
        Some(Self { version: version?, cipher: cipher? })
    }
}

impl Incoming {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let version = read_version(&mut table);
        let cipher = match read_suite(&mut table) {
            Some(Suite::DesMd5) => Password::read(&mut table).map(Opening::DesMd5),
            Some(Suite::Age) => read_secret(&mut table).map(|secret| Opening::Age { secret }),
            None => None,
        };
        finish_with(table, cipher.is_some());
        Some(Self { version: version?, cipher: cipher? })
    }
}

impl Password {
    fn read(table: &mut Table<'_>) -> Option<Self> {
        let secret = read_secret(table);
        let framing = table.need::<String>("framing");
        let salt = table.take::<String>("salt");
        let iterations = table.take::<NonZeroU32>("iterations");
        let framing = framing?;
        let agreed = match framing_of(&framing, salt.as_deref()) {
            Ok(agreed) => agreed,
            Err((member, what)) => {
                table.mistake(member, what);
                return None;
            }
        };
        if let Some(iterations) = iterations {
            // The key's own bound; any password shows it.
            if let Err(error) = DesMd5Key::new("any", agreed).and_then(|key| key.with_iterations(iterations))
            {
                table.mistake("iterations", error);
            }
        }
        Some(Self { secret: secret?, framing, salt, iterations })
    }

    fn key(&self, secrets: &dyn SecretSource) -> Result<DesMd5Key> {
        let framing = framing_of(&self.framing, self.salt.as_deref())
            .map_err(|(member, what)| invalid(format!("{member}: {what}")))?;
        let key = DesMd5Key::new(secrets.secret(&self.secret)?.as_str(), framing)?;
        match self.iterations {
            Some(iterations) => key.with_iterations(iterations),
            None => Ok(key),
        }
    }
}

impl Sealing {
    fn key(&self, secrets: &dyn SecretSource) -> Result<SealingKey> {
        match self {
            Self::DesMd5(password) => Ok(password.key(secrets)?.into()),
            #[cfg(feature = "age")]
            Self::Age { recipients } => {
                let recipients: Result<Vec<AgeRecipient>> =
                    recipients.iter().map(|text| text.parse()).collect();
                Ok(AgeRecipients::new(recipients?)?.into())
            }
            #[cfg(not(feature = "age"))]
            Self::Age { .. } => Err(invalid(NO_AGE)),
        }
    }
}

impl Opening {
    fn key(&self, secrets: &dyn SecretSource) -> Result<OpeningKey> {
        match self {
            Self::DesMd5(password) => Ok(password.key(secrets)?.into()),
            #[cfg(feature = "age")]
            Self::Age { secret } => Ok(AgeIdentity::from_key_file(secrets.secret(secret)?.as_str())?.into()),
            #[cfg(not(feature = "age"))]
            Self::Age { .. } => Err(invalid(NO_AGE)),
        }
    }
}

impl Verifying {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let id = table.need::<String>("id");
        let public = table.take::<String>("public");
        let secret = read_place(&mut table, "secret");
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
        Some(Self { id: id?, public, secret })
    }

    fn key(&self, secrets: &dyn SecretSource) -> Result<VerifyingKey> {
        match (&self.public, &self.secret) {
            (Some(public), _) => VerifyingKey::from_text(&self.id, public),
            (None, Some(secret)) => VerifyingKey::from_text(&self.id, secrets.secret(secret)?.as_str()),
            (None, None) => Err(invalid("neither `public` nor `secret` is given")),
        }
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

#[cfg(not(feature = "age"))]
const NO_AGE: &str = "the suite age is not built in; build with the feature `age`";

fn read_version(table: &mut Table<'_>) -> Option<u32> {
    let version = table.need::<u32>("version")?;
    if version == 0 {
        table.mistake("version", "versions begin with 1");
    }
    Some(version)
}

fn read_suite(table: &mut Table<'_>) -> Option<Suite> {
    let suite = match table.need::<String>("suite")?.parse::<Suite>() {
        Ok(suite) => suite,
        Err(error) => {
            table.mistake("suite", error);
            return None;
        }
    };
    #[cfg(not(feature = "age"))]
    if suite == Suite::Age {
        table.mistake("suite", NO_AGE);
    }
    Some(suite)
}

fn read_secret(table: &mut Table<'_>) -> Option<SecretPlace> {
    if !table.has("secret") {
        table.mistake("secret", "it is missing");
    }
    read_place(table, "secret")
}

fn read_recipients(table: &mut Table<'_>) -> Option<Vec<String>> {
    let recipients = table.need::<Vec<String>>("recipients")?;
    if recipients.is_empty() {
        table.mistake("recipients", "give at least one");
    }
    #[cfg(feature = "age")]
    for (index, text) in recipients.iter().enumerate() {
        // Not repeated: it may be an identity, which is secret, that was put here by mistake.
        if text.parse::<AgeRecipient>().is_err() {
            table.mistake(
                &format!("recipients[{index}]"),
                "not an age recipient (`age1` and 58 more characters)",
            );
        }
    }
    Some(recipients)
}

/// What is left of a key whose suite is not known cannot be judged.
fn finish_with(table: Table<'_>, suite_known: bool) {
    if suite_known {
        table.finish();
    }
}

/// The framing by its name; else the member that is wrong, and why.
fn framing_of(name: &str, salt: Option<&str>) -> std::result::Result<Framing, (&'static str, String)> {
    match (name, salt) {
        ("salt-prefix", None) => Ok(Framing::SaltPrefix),
        ("openssl", None) => Ok(Framing::OpenSsl),
        ("bare", Some(salt)) => {
            let salt = salt_of(salt)
                .ok_or_else(|| ("salt", "8 bytes in 16 hexadecimal digits are expected".to_owned()))?;
            Ok(Framing::Bare { salt })
        }
        ("bare", None) => Err(("salt", "the framing `bare` needs the agreed salt".to_owned())),
        ("salt-prefix" | "openssl", Some(_)) => {
            Err(("salt", format!("the framing `{name}` brings its own salt; leave it out")))
        }
        _ => Err(("framing", "there are `salt-prefix`, `openssl` and `bare`".to_owned())),
    }
}

fn salt_of(hex: &str) -> Option<[u8; 8]> {
    let whole = hex.len() == 16 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| u64::from_str_radix(hex, 16).ok().map(u64::to_be_bytes)).flatten()
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}
