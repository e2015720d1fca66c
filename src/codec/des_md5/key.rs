//! The password of the suite, the agreed framing, and what PBKDF1 derives from them.

use std::fmt;
use std::num::NonZeroU32;
use std::slice;
use std::sync::Arc;

use md5::{Digest, Md5};
use zeroize::{Zeroize, Zeroizing};

use super::super::des::{HASH, rehash};
use super::BLOCK;
use crate::wiped_stack::on_wiped_stack;
use crate::{Error, ErrorKind, Result};

/// Iterations above this are refused: about a second of MD5, paid for every package.
const MOST_ITERATIONS: u32 = 10_000_000;

/// Where the salt stands, and how often the password is hashed unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// salt (8 bytes) ‖ ciphertext, 1000 iterations: what Jasypt's binary encryptors write.
    SaltPrefix,
    /// `Salted__` ‖ salt (8 bytes) ‖ ciphertext, 1 iteration: what `openssl enc -des-cbc -md md5` writes.
    OpenSsl,
    /// The ciphertext alone, 1000 iterations: what plain JCE code writes, with a salt agreed in the settings.
    ///
    /// **Every package of such a partner is encrypted with the same key and initialization vector**: equal
    /// beginnings of two packages show as equal ciphertext.
    Bare {
        /// The agreed salt.
        salt: [u8; BLOCK],
    },
}

impl Framing {
    /// The name in settings and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SaltPrefix => "salt-prefix",
            Self::OpenSsl => "openssl",
            Self::Bare { .. } => "bare",
        }
    }

    /// The iterations this framing's peers use unless told otherwise.
    #[must_use]
    pub fn default_iterations(self) -> NonZeroU32 {
        match self {
            Self::OpenSsl => NonZeroU32::MIN,
            Self::SaltPrefix | Self::Bare { .. } => NonZeroU32::MIN.saturating_add(999),
        }
    }
}

/// A password of the suite `des-md5`, with the framing and iterations agreed with the partner.
///
/// # Hazard
///
/// **DES keys have 56 bits: anyone with a rented GPU finds one in days, and a weak password in seconds. CBC
/// authenticates nothing: changed ciphertext decrypts to changed plaintext, and 1 in 256 wrong keys passes the
/// padding check unseen.** Use it only for partners that can do no better, and always with a digest or signature
/// over what is sent. An error that tells a caller whether the padding was right must not be shown to whoever sent
/// the bytes: answered often enough, it decrypts them (a padding oracle).
///
/// The password is wiped from memory with the last copy of the key, and never shown.
#[derive(Clone)]
pub struct DesMd5Key {
    password: Arc<Zeroizing<Vec<u8>>>,
    framing: Framing,
    iterations: NonZeroU32,
    fixed_salt: Option<[u8; BLOCK]>,
}

impl DesMd5Key {
    /// A key from `password`, with the default iterations of `framing`.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](ErrorKind::InvalidKey) when the password is empty, or holds anything but printable ASCII
    /// (0x20 to 0x7e): the peers disagree about the bytes of all other characters, and Java refuses them. Java takes
    /// an empty password; here it is taken for a setting that was forgotten.
    pub fn new(password: impl AsRef<[u8]>, framing: Framing) -> Result<Self> {
        let password = password.as_ref();
        if password.is_empty() {
            return Err(Error::new(ErrorKind::InvalidKey, "the password of the suite des-md5 is empty"));
        }
        if let Some(position) = password.iter().position(|byte| !(0x20..=0x7e).contains(byte)) {
            return Err(Error::new(
                ErrorKind::InvalidKey,
                format!(
                    "the password of the suite des-md5 has a character at byte {position} that is not printable \
                     ASCII; peers disagree about such characters, agree on another password"
                ),
            ));
        }
        Ok(Self {
            password: Arc::new(Zeroizing::new(password.to_vec())),
            framing,
            iterations: framing.default_iterations(),
            fixed_salt: None,
        })
    }

    /// The same key with this number of iterations, as agreed with the partner.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](ErrorKind::InvalidKey) above 10,000,000, which would cost seconds for every package.
    pub fn with_iterations(mut self, iterations: NonZeroU32) -> Result<Self> {
        if iterations.get() > MOST_ITERATIONS {
            return Err(Error::new(
                ErrorKind::InvalidKey,
                format!("{iterations} iterations are more than the {MOST_ITERATIONS} that des-md5 may cost"),
            ));
        }
        self.iterations = iterations;
        Ok(self)
    }

    /// The same key, encrypting with this salt instead of a random one.
    ///
    /// **For test vectors only**: with one salt, equal beginnings of two packages show as equal ciphertext.
    /// Decryption always takes the salt it finds; the framing [`Bare`](Framing::Bare) always takes its own.
    #[must_use]
    pub fn with_fixed_salt(mut self, salt: [u8; 8]) -> Self {
        self.fixed_salt = Some(salt);
        self
    }

    /// Where the salt stands.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// How often the password is hashed.
    #[must_use]
    pub fn iterations(&self) -> NonZeroU32 {
        self.iterations
    }

    /// The salt to encrypt with: the agreed one, the fixed one, else a random one.
    pub(super) fn sealing_salt(&self) -> Result<[u8; BLOCK]> {
        if let Framing::Bare { salt } = self.framing {
            return Ok(salt);
        }
        if let Some(salt) = self.fixed_salt {
            return Ok(salt);
        }
        let mut salt = [0; BLOCK];
        getrandom::fill(&mut salt).map_err(|error| {
            Error::new(ErrorKind::Io, "the system has no randomness to give").caused_by(error)
        })?;
        Ok(salt)
    }

    /// PBKDF1 with MD5 (RFC 8018 section 5.1): hash password ‖ salt, then the hash again, `iterations` times in all.
    pub(super) fn derive(&self, salt: [u8; BLOCK]) -> Box<Derived> {
        on_wiped_stack(|| {
            let mut hash = self.first_hash(salt);
            rehash(slice::from_mut(&mut hash), self.iterations.get() - 1);
            Derived::from_hash(&mut hash)
        })
    }

    /// As [`derive`](Self::derive) from each of the salts, in their order.
    #[allow(clippy::vec_box, reason = "each is moved out, and would not be wiped where it was moved from")]
    pub(super) fn derive_all(&self, salts: &[[u8; BLOCK]]) -> Vec<Box<Derived>> {
        on_wiped_stack(|| {
            let mut hashes: Vec<_> = salts.iter().map(|salt| self.first_hash(*salt)).collect();
            rehash(&mut hashes, self.iterations.get() - 1);
            hashes.iter_mut().map(Derived::from_hash).collect()
        })
    }

    fn first_hash(&self, salt: [u8; BLOCK]) -> [u8; HASH] {
        let mut hasher = Md5::new();
        hasher.update(self.password.as_slice());
        hasher.update(salt);
        hasher.finalize().into()
    }
}

impl fmt::Debug for DesMd5Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesMd5Key")
            .field("framing", &self.framing)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// The DES key and the initialization vector of one stream.
#[derive(zeroize::ZeroizeOnDrop)]
pub(super) struct Derived {
    pub(super) key: [u8; BLOCK],
    pub(super) iv: [u8; BLOCK],
}

impl Derived {
    /// The two halves of a hash, which is wiped. They stay in one place: where they were moved from they would not be.
    fn from_hash(hash: &mut [u8; HASH]) -> Box<Self> {
        let mut derived = Box::new(Self { key: [0; BLOCK], iv: [0; BLOCK] });
        let (key, iv) = hash.split_at(BLOCK);
        derived.key.copy_from_slice(key);
        derived.iv.copy_from_slice(iv);
        hash.zeroize();
        derived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(password: &str, iterations: u32, salt: [u8; 8]) -> Vec<u8> {
        let key = DesMd5Key::new(password, Framing::SaltPrefix).unwrap();
        let derived = key.with_iterations(NonZeroU32::new(iterations).unwrap()).unwrap().derive(salt);
        [derived.key, derived.iv].concat()
    }

    #[test]
    fn keys_and_vectors_are_derived_as_the_peers_derive_them() {
        let expected = 0xdaa5_a164_fea3_1e06_b3d1_dd9f_1131_5503_u128;
        assert_eq!(derived("secret", 1000, [0; 8]), expected.to_be_bytes());
        for (iterations, expected) in [
            (1, 0x2146_9593_3a1d_0949_9e43_fb82_fe5c_5315_u128),
            (20, 0xa761_6bc4_416b_edd2_0470_326a_a0e0_0d9a),
            (1000, 0xaef0_3cb5_408f_f852_b3b6_f154_88de_de79),
            (2048, 0x2774_46a1_bf85_6c4d_7fe4_2cec_f0d8_fa6a),
        ] {
            assert_eq!(
                derived("legacy-Secret1", iterations, [1, 2, 3, 4, 5, 6, 7, 8]),
                expected.to_be_bytes()
            );
        }
    }

    #[test]
    fn passwords_that_peers_read_differently_are_refused_and_not_shown() {
        for password in ["", "Schlüssel-geheim", "tab\tgeheim", "new\ngeheim", "\u{7f}geheim"] {
            let error = DesMd5Key::new(password, Framing::SaltPrefix).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(!error.to_string().contains("geheim"));
        }
        let key = DesMd5Key::new("geheim ~", Framing::OpenSsl).unwrap();
        assert!(!format!("{key:?}").contains("geheim"));
    }

    #[test]
    fn a_cost_that_would_stall_the_site_is_refused() {
        let key = DesMd5Key::new("secret", Framing::OpenSsl).unwrap();
        assert_eq!(key.iterations().get(), 1);
        let most = NonZeroU32::new(10_000_000).unwrap();
        assert_eq!(key.clone().with_iterations(most).unwrap().iterations(), most);
        let more = most.saturating_add(1);
        assert_eq!(key.with_iterations(more).unwrap_err().kind(), ErrorKind::InvalidKey);
    }

    #[test]
    fn a_framing_has_the_name_that_settings_use() {
        let framings = [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: [9; 8] }];
        assert_eq!(framings.map(Framing::name), ["salt-prefix", "openssl", "bare"]);
    }

    #[test]
    fn random_salts_differ_and_agreed_ones_stay() {
        let key = DesMd5Key::new("secret", Framing::SaltPrefix).unwrap();
        assert_ne!(key.sealing_salt().unwrap(), key.sealing_salt().unwrap());
        assert_eq!(key.with_fixed_salt([7; 8]).sealing_salt().unwrap(), [7; 8]);
        let bare = DesMd5Key::new("secret", Framing::Bare { salt: [9; 8] }).unwrap();
        assert_eq!(bare.sealing_salt().unwrap(), [9; 8]);
    }
}
