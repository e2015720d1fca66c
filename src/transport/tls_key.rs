//! The private key of one end of a TLS connection: read from PEM, signed with, and wiped.
//!
//! rustls and `ring` keep a key in a form of their own, in memory that they do not wipe. For keys on P-256, P-384 and
//! Curve25519 in PKCS #8, which are nearly all, it is made anew for each handshake, on a stack that is wiped; other keys, RSA
//! and the older forms of PEM, are left to them.

use crate::protocol::secret_text::decoded;
use crate::wiped_stack::on_wiped_stack;
use crate::{Error, ErrorKind, Result};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _,
};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer,
    PrivateSec1KeyDer, SubjectPublicKeyInfoDer, alg_id,
};
use rustls::sign::{CertifiedKey, Signer, SigningKey, public_key_to_spki};
use rustls::{InconsistentKeys, SignatureAlgorithm, SignatureScheme};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A certificate and its private key, PEM (PKCS #8, PKCS #1 or SEC 1), as one end of a connection shows them.
///
/// # Errors
/// [`ErrorKind::InvalidSettings`] when the key is no PEM; and with the text `unfit` when it cannot be used, or does not belong
/// to the certificate.
pub(crate) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key_pem: &[u8],
    unfit: &str,
) -> Result<CertifiedKey> {
    let (kind, der) = read(key_pem)?;
    let key: Arc<dyn SigningKey> = match Wiped::new(kind, &der) {
        Some(wiped) => Arc::new(wiped),
        None => on_wiped_stack(|| any_supported_type(&kind.of(&der)))
            .map_err(|error| invalid(unfit).caused_by(error))?,
    };
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(invalid(unfit).caused_by(error)),
    }
}

/// What a private key's bytes are a form of.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Pkcs1,
    Pkcs8,
    Sec1,
}

impl Kind {
    const LABELS: [(Self, &str); 3] =
        [(Self::Pkcs8, "PRIVATE KEY"), (Self::Pkcs1, "RSA PRIVATE KEY"), (Self::Sec1, "EC PRIVATE KEY")];

    fn of(self, der: &[u8]) -> PrivateKeyDer<'_> {
        match self {
            Self::Pkcs1 => PrivatePkcs1KeyDer::from(der).into(),
            Self::Pkcs8 => PrivatePkcs8KeyDer::from(der).into(),
            Self::Sec1 => PrivateSec1KeyDer::from(der).into(),
        }
    }
}

/// The first private key in this text. Not by the reader of certificates, whose buffers are not wiped.
fn read(pem: &[u8]) -> Result<(Kind, Arc<Zeroizing<Vec<u8>>>)> {
    let mut lines = pem.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let (kind, label) = lines
        .find_map(|line| {
            let label = line.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")?;
            Kind::LABELS.into_iter().find(|(_, known)| label == known.as_bytes())
        })
        .ok_or_else(not_a_key)?;
    // All room first, so that no copy is left behind by a growing buffer.
    let mut text = Zeroizing::new(Vec::with_capacity(pem.len()));
    let mut ended = false;
    for line in lines {
        if let Some(end) = line.strip_prefix(b"-----END ") {
            ended = end.strip_suffix(b"-----") == Some(label.as_bytes());
            break;
        }
        text.extend_from_slice(line);
    }
    let der = decoded(&*text).filter(|_| ended).ok_or_else(not_a_key)?;
    Ok((kind, Arc::new(der)))
}

/// A key of which nothing but these bytes is kept, which are wiped.
#[derive(Clone)]
struct Wiped {
    pkcs8: Arc<Zeroizing<Vec<u8>>>,
    form: Form,
    public: SubjectPublicKeyInfoDer<'static>,
}

/// What the key is a key of.
#[derive(Clone, Copy)]
enum Form {
    P256,
    P384,
    Ed25519,
}

impl Form {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::Ed25519];

    fn scheme(self) -> SignatureScheme {
        match self {
            Self::P256 => SignatureScheme::ECDSA_NISTP256_SHA256,
            Self::P384 => SignatureScheme::ECDSA_NISTP384_SHA384,
            Self::Ed25519 => SignatureScheme::ED25519,
        }
    }

    fn name(self) -> AlgorithmIdentifier {
        match self {
            Self::P256 => alg_id::ECDSA_P256,
            Self::P384 => alg_id::ECDSA_P384,
            Self::Ed25519 => alg_id::ED25519,
        }
    }

    /// What `act` makes of ring's key, which is gone then; none when the bytes are no key of this form.
    fn with<T>(self, pkcs8: &[u8], act: impl FnOnce(Key<'_>) -> Option<T>) -> Option<T> {
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).ok()
        };
        on_wiped_stack(|| match self {
            Self::P256 => act(Key::Ecdsa(&ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)?)),
            Self::P384 => act(Key::Ecdsa(&ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING)?)),
            Self::Ed25519 => act(Key::Ed25519(&Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?)),
        })
    }
}

enum Key<'k> {
    Ecdsa(&'k EcdsaKeyPair),
    Ed25519(&'k Ed25519KeyPair),
}

impl Wiped {
    fn new(kind: Kind, der: &Arc<Zeroizing<Vec<u8>>>) -> Option<Self> {
        let public = |form: Form| {
            let name = form.name();
            form.with(der, |key| {
                Some(match key {
                    Key::Ecdsa(key) => public_key_to_spki(&name, key.public_key()),
                    Key::Ed25519(key) => public_key_to_spki(&name, key.public_key()),
                })
            })
        };
        let forms = Form::ALL.into_iter().filter(|_| kind == Kind::Pkcs8);
        let (form, public) = forms.filter_map(|form| Some((form, public(form)?))).next()?;
        Some(Self { pkcs8: der.clone(), form, public })
    }
}

impl SigningKey for Wiped {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let is_offered = offered.contains(&self.form.scheme());
        is_offered.then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(self.public.clone())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.form {
            Form::P256 | Form::P384 => SignatureAlgorithm::ECDSA,
            Form::Ed25519 => SignatureAlgorithm::ED25519,
        }
    }
}

impl Signer for Wiped {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signed = self.form.with(&self.pkcs8, |key| match key {
            Key::Ecdsa(key) => {
                key.sign(&SystemRandom::new(), message).ok().map(|signed| signed.as_ref().to_vec())
            }
            Key::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
        });
        signed.ok_or_else(|| rustls::Error::General("the private key did not sign".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.form.scheme()
    }
}

impl fmt::Debug for Wiped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiped").field("scheme", &self.form.scheme()).finish_non_exhaustive()
    }
}

fn not_a_key() -> Error {
    invalid("the private key is not PEM (`-----BEGIN PRIVATE KEY-----`)")
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}
