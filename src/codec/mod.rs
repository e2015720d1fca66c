//! Compress, encrypt, decrypt, decompress over `Read` and `Write`; knows no claims.
//!
//! Two halves, each usable without the other:
//!
//! - **Suites** seal a stream of bytes for one partner: [`encrypt`] and [`decrypt`] move a whole stream,
//!   [`Encryptor`] and [`Decryptor`] wrap a `Write` and a `Read`, [`PushDecryptor`] takes sealed bytes as they come, and
//!   [`encrypt_batch`] many messages at once. A [`SealingKey`] or an [`OpeningKey`] says which [`Suite`] is meant.
//! - **Archives** are zip files that any unzip tool opens, unless [`Compression`] says otherwise: [`compress`] and
//!   [`decompress`] move a directory, [`ArchiveWriter`] and [`ArchiveReader`] single entries. Nothing about an archive is
//!   believed: see [`Limits`].
//!
//! [`pack`] does both in one pass: a directory into one sealed archive that lists its own digests; [`unpack`] opens it
//! and holds every file to them.
//!
//! From file to file go [`encrypt_file`], [`decrypt_file`], [`compress_file`], [`decompress_file`], [`pack_file`] and
//! [`unpack_file`].
//!
//! Everything streams in constant memory. Progress is shown, and work stopped, through a [`Watch`].
//!
//! # The hazard of `des-md5`
//!
//! **The suite `des-md5` protects nothing from a determined reader**: DES is broken by exhaustive search on rented
//! hardware, and its mode authenticates nothing. It exists for partners that can do no better. See [`DesMd5Key`].
//! Use `age` wherever the partner can.
//!
//! Its encryption reads tables at places that depend on the key and the text, so it does not take constant time: who
//! runs code on the same processor may learn about both. Decryption takes the same time for every key and text.
//!
//! Both use the best instructions that are found at run time. The environment variable `CLAIMWIRE_SIMD`, read once, lowers
//! that to `avx512`, `avx2`, `sse2`, `neon`, `portable` or `reference` (the `des` crate, which is not of constant time either
//! way), to find out whether a difference between two machines comes from there; what the processor does not have, and
//! any other value, changes nothing. Every level writes and reads the same bytes.
//!
//! # Example
//!
//! ```
//! use claimwire::codec::{DesMd5Key, Framing, OpeningKey, SealingKey, decrypt_bytes, encrypt_bytes};
//!
//! # fn main() -> claimwire::Result<()> {
//! let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?;
//! let sealed = encrypt_bytes(&SealingKey::from(key.clone()), b"claim")?;
//! assert_eq!(decrypt_bytes(&OpeningKey::from(key), &sealed)?, b"claim");
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "age")]
mod age;
mod archive;
mod batch;
mod behind;
mod decrypt;
mod deflate;
mod des;
mod des_md5;
mod encrypt;
mod file;
#[cfg(any(feature = "age", feature = "exchange"))]
mod fingerprint;
mod inflate;
mod pack;
mod plaintext;
mod pump;
mod push;
mod read_at;
mod relay;
mod suite;
mod unpack;
mod watch;
mod window;
mod wiped;
#[cfg(all(test, target_os = "linux", not(miri)))]
mod wiped_tests;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(feature = "age")]
pub use self::age::{AgeIdentity, AgeRecipient, AgeRecipients, AgeSecret};
pub use self::archive::{
    ArchiveEntry, ArchiveReader, ArchiveWriter, Compression, EntryDigest, Limits, PackOptions, check_path,
    compress, compress_bytes, decompress, decompress_bytes, to_nfc,
};
#[cfg(feature = "exchange")]
pub(crate) use self::archive::{SharedArchive, Wanted, available_threads};
pub use self::batch::{encrypt_batch, encrypt_bytes_batch};
#[cfg(feature = "exchange")]
pub(crate) use self::behind::write_behind;
pub use self::decrypt::{Decryptor, decrypt, decrypt_bytes};
pub use self::des_md5::{DesMd5Key, Framing};
pub use self::encrypt::{Encryptor, encrypt, encrypt_bytes};
pub use self::file::{compress_file, decompress_file, decrypt_file, encrypt_file};
#[cfg(any(feature = "age", feature = "exchange"))]
pub use self::fingerprint::Fingerprint;
pub use self::pack::{Packed, pack, pack_file};
#[cfg(feature = "exchange")]
pub(crate) use self::plaintext::Plaintext;
pub use self::push::PushDecryptor;
#[cfg(feature = "exchange")]
pub(crate) use self::relay::Relay;
pub use self::suite::{OpeningKey, SealingKey, Suite};
pub use self::unpack::{UnpackOptions, unpack, unpack_file, unpack_stream};
#[cfg(feature = "exchange")]
pub(crate) use self::watch::tell;
pub use self::watch::{Watch, Watched};
#[cfg(feature = "capi")]
pub(crate) use self::wiped::Wiped;
