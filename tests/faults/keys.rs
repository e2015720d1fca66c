//! Two sites and what they agreed: fixed keys, so that every process of a run has the same.

use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, OpeningKey, SealingKey};
use claimwire::model::SiteId;
use claimwire::protocol::SigningKey;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Insurer,
    Examiner,
}

impl Name {
    pub(crate) const BOTH: [Self; 2] = [Self::Insurer, Self::Examiner];

    pub(crate) fn other(self) -> Self {
        if self == Self::Insurer { Self::Examiner } else { Self::Insurer }
    }

    pub(crate) fn word(self) -> &'static str {
        if self == Self::Insurer { "insurer" } else { "examiner" }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        Self::BOTH.into_iter().find(|name| name.word() == word).unwrap()
    }

    pub(crate) fn site(self) -> SiteId {
        SiteId::new(if self == Self::Insurer { "ON-INS" } else { "IMEX" }).unwrap()
    }
}

/// One signs with a key of its own, one with the secret they share.
pub(crate) fn signs(name: Name) -> SigningKey {
    match name {
        Name::Insurer => SigningKey::ed25519("on-ins-1", &[7; 32]).unwrap(),
        Name::Examiner => SigningKey::hmac("imex-1", &[8; 32]).unwrap(),
    }
}

/// What this site seals with: the insurer under des-md5, the examiner under age.
pub(crate) fn seals(name: Name, folder: &Path) -> SealingKey {
    match name {
        Name::Insurer => legacy().into(),
        Name::Examiner => identity(folder).recipient().into(),
    }
}

/// What this site opens with: what the other one seals with.
pub(crate) fn opens(name: Name, folder: &Path) -> OpeningKey {
    match name {
        Name::Insurer => identity(folder).into(),
        Name::Examiner => legacy().into(),
    }
}

/// Writes down the identity of a run, whose sites stand in folders of this one.
pub(crate) fn prepare(run: &Path) {
    std::fs::write(run.join("age.key"), AgeIdentity::generate().to_secret_string().expose()).unwrap();
}

fn identity(folder: &Path) -> AgeIdentity {
    std::fs::read_to_string(folder.parent().unwrap().join("age.key")).unwrap().parse().unwrap()
}

fn legacy() -> DesMd5Key {
    DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap()
}
