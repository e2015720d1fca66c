//! What seals and what opens, as settings name it: a suite, and where its secret is or who its recipients are.

use super::secret::{SecretPlace, SecretSource, read_place};
use super::table::Table;
#[cfg(feature = "age")]
use crate::codec::{AgeIdentity, AgeRecipient, AgeRecipients};
use crate::codec::{DesMd5Key, Framing, OpeningKey, SealingKey, Suite};
use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use std::num::NonZeroU32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "suite", rename_all = "kebab-case")]
pub(super) enum Sealing {
    DesMd5(Password),
    Age { recipients: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "suite", rename_all = "kebab-case")]
pub(super) enum Opening {
    DesMd5(Password),
    Age { secret: SecretPlace },
}

/// The shared password of `des-md5`, and how the partner frames what it seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Password {
    secret: SecretPlace,
    framing: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<NonZeroU32>,
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
    pub(super) fn read(table: &mut Table<'_>) -> Option<Self> {
        match read_suite(table)? {
            Suite::DesMd5 => Password::read(table).map(Self::DesMd5),
            Suite::Age => read_recipients(table).map(|recipients| Self::Age { recipients }),
        }
    }

    pub(super) fn suite(&self) -> Suite {
        match self {
            Self::DesMd5(_) => Suite::DesMd5,
            Self::Age { .. } => Suite::Age,
        }
    }

    pub(super) fn key(&self, secrets: &dyn SecretSource) -> Result<SealingKey> {
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
    pub(super) fn read(table: &mut Table<'_>) -> Option<Self> {
        match read_suite(table)? {
            Suite::DesMd5 => Password::read(table).map(Self::DesMd5),
            Suite::Age => read_secret(table).map(|secret| Self::Age { secret }),
        }
    }

    pub(super) fn suite(&self) -> Suite {
        match self {
            Self::DesMd5(_) => Suite::DesMd5,
            Self::Age { .. } => Suite::Age,
        }
    }

    pub(super) fn key(&self, secrets: &dyn SecretSource) -> Result<OpeningKey> {
        match self {
            Self::DesMd5(password) => Ok(password.key(secrets)?.into()),
            #[cfg(feature = "age")]
            Self::Age { secret } => Ok(AgeIdentity::from_key_file(secrets.secret(secret)?.as_str())?.into()),
            #[cfg(not(feature = "age"))]
            Self::Age { .. } => Err(invalid(NO_AGE)),
        }
    }
}

#[cfg(not(feature = "age"))]
const NO_AGE: &str = "the suite age is not built in; build with the feature `age`";

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
