//! claimwire carries insurance claim files between the case-management systems of insurers and their service
//! providers: packed, encrypted, posted to one target server, receipted, unpacked, and traceable on both sides.
//!
//! > **Hazard.** The suite `des-md5` exists for legacy partners that can do no better. DES can be broken by anyone
//! > who rents hardware for it. Use the suite `age` with everyone else. See [`codec`].
//!
//! # A first exchange
//!
//! Two sites in one process: an insurer exports a claim to an examiner, who unpacks it. Over a network, the
//! [`HttpsTransport`](transport::HttpsTransport) and the [`receiver`] take the place of the memory transport; all
//! else stays as it is.
//!
//! ```
//! # #[cfg(all(feature = "sqlite", feature = "age"))] fn main() -> claimwire::Result<()> {
//! use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
//! use claimwire::codec::AgeIdentity;
//! use claimwire::exchange::{Exchange, ExchangeSettings, ExportOptions, Partner};
//! use claimwire::ledger::OutgoingState;
//! use claimwire::model::{Claim, ClaimFile, ExchangeId, Note, SiteId};
//! use claimwire::protocol::SigningKey;
//! use claimwire::transport::MemoryTransport;
//! use std::sync::Arc;
//!
//! let folder = tempfile::tempdir()?;
//! let (insurer, examiner) = (SiteId::new("ON-INS")?, SiteId::new("IMEX")?);
//!
//! // Keys, handed over out of band: each side signs with its own, the examiner opens with its own.
//! let (insurer_signs, examiner_signs) = (SigningKey::generate("ins-1")?, SigningKey::generate("imex-1")?);
//! let opens = AgeIdentity::generate();
//! let recipient = opens.recipient();
//!
//! // The examiner's side: where its claims live, and what it knows of the insurer.
//! let cases = Arc::new(SqliteCaseSystem::open(folder.path().join("imex/cases"))?);
//! let northern = Partner::new(insurer.clone(), "Northern Mutual")
//!     .open_with(1, opens)
//!     .verify_with(insurer_signs.verifying_key());
//! let imex = Exchange::open(
//!     ExchangeSettings::new(examiner.clone(), folder.path().join("imex"), examiner_signs.clone(), cases.clone())
//!         .with_partner(northern),
//! )?;
//!
//! // The insurer's side.
//! let claims = Arc::new(SqliteCaseSystem::open(folder.path().join("ins/cases"))?);
//! let examiners = Partner::new(examiner.clone(), "Medical Examiners")
//!     .reached_by(MemoryTransport::new(Arc::new(imex.clone())))
//!     .seal_with(1, recipient)
//!     .verify_with(examiner_signs.verifying_key());
//! let ins = Exchange::open(
//!     ExchangeSettings::new(insurer.clone(), folder.path().join("ins"), insurer_signs, claims.clone())
//!         .with_partner(examiners),
//! )?;
//!
//! // A claim with a note: the rules ask for a note before an export.
//! let claim = ExchangeId::new(&insurer, "CLM-1")?;
//! let mut file = ClaimFile::new(Claim::new(claim.clone()));
//! file.claim.claim_number = Some("CLM-1".into());
//! let mut note = Note::new(ExchangeId::new(&insurer, "N-1")?);
//! note.body = Some("Please examine the left knee.".into());
//! file.notes.push(note);
//! claims.put(&file)?;
//!
//! let exported = ins.export(&claim, &examiner, &ExportOptions::by("d.whitfield"))?;
//! let sent = ins.send(exported.package.id, &())?;
//! assert_eq!(sent.state, OutgoingState::Delivered);
//! assert!(sent.receipt.is_some());
//!
//! imex.unpack(exported.package.id, "front.desk", &())?;
//! let there = cases.load(&claim)?.expect("the claim arrived");
//! assert_eq!(there.claim.claim_number.as_deref(), Some("CLM-1"));
//! # Ok(()) }
//! # #[cfg(not(all(feature = "sqlite", feature = "age")))] fn main() {}
//! ```
//!
//! # Where to find what
//!
//! | room | subject | feature |
//! |---|---|---|
//! | [`settings`] | a partner's settings as data, in TOML or JSON | `exchange`, `toml` |
//! | [`exchange`] | the front door: export, send, receive, unpack, history | `exchange` |
//! | [`webhook`] | events posted to the host over HTTP | `webhook` |
//! | [`receiver`] | the HTTPS endpoint as a service | `receiver` |
//! | [`transport`] | the way to a partner: HTTPS, drop folder, memory, or a host's own | `exchange`, `https` |
//! | [`case_system`] | where a site's claims live: a host's own, or the embedded one | `exchange`, `sqlite` |
//! | [`ledger`] | the exchange's durable state | `exchange`, `sqlite` |
//! | [`rules`], [`merge`] | what may leave, what may come in, what wins | `exchange` |
//! | [`scan`] | malware scanning of what came in; ClamAV | `exchange` |
//! | [`protocol`] | messages, signatures, receipts, problems | `exchange` |
//! | [`package`] | the archive: manifest, reader, writer | `exchange` |
//! | [`model`] | claims, assessments, bills, notes, contacts, documents | `exchange` |
//! | [`codec`] | compress, encrypt, decrypt, decompress; knows no claims | `codec`, `age` |
//!
//! # Errors
//!
//! Everything fallible returns one [`Error`]: a stable [`ErrorKind`] for programs, a sentence for the person who meets
//! it, [`Error::details`] with a [`Detail`] for each where it sums up several faults, and [`Error::is_retryable`].
//!
//! # Limits
//!
//! A sealed package has at most 250 MiB unless a setting says otherwise; [`codec::Limits`] and
//! [`package::PackageLimits`] bound what an incoming one may cost. Calls block; none holds a whole package in memory.
//! No public function panics.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Two rooms allow it: the C border, where pointers are followed, and `codec/des`, which uses the processor's own
// instructions.
#![cfg_attr(not(any(feature = "capi", feature = "codec")), forbid(unsafe_code))]

mod detail;
mod error;
#[cfg(test)]
#[cfg(feature = "codec")]
#[path = "../tests/fuzz_targets/replay.rs"]
mod replay;

#[cfg(feature = "exchange")]
mod retry;
#[cfg(feature = "exchange")]
mod trace;

#[cfg(feature = "codec")]
mod durable_file;
#[cfg(all(feature = "codec", not(feature = "failpoints")))]
mod failpoint;
#[cfg(feature = "failpoints")]
#[doc(hidden)]
pub mod failpoint;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "codec")]
mod wiped_stack;

#[cfg(feature = "capi")]
mod capi;
#[cfg(feature = "exchange")]
pub mod case_system;
#[cfg(feature = "codec")]
pub mod codec;
#[cfg(feature = "exchange")]
pub mod exchange;
#[cfg(feature = "exchange")]
pub mod ledger;
#[cfg(feature = "exchange")]
pub mod merge;
#[cfg(feature = "exchange")]
pub mod model;
#[cfg(feature = "exchange")]
pub mod package;
#[cfg(feature = "exchange")]
pub mod protocol;
#[cfg(feature = "receiver")]
pub mod receiver;
#[cfg(feature = "exchange")]
pub mod rules;
#[cfg(feature = "exchange")]
pub mod scan;
#[cfg(feature = "exchange")]
pub mod settings;
#[cfg(feature = "exchange")]
pub mod transport;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use detail::Detail;
pub use error::{Error, ErrorKind, Result};

/// Keeps the README's example one that compiles.
#[cfg(all(doctest, feature = "sqlite", feature = "age", feature = "https"))]
#[doc = include_str!("../README.md")]
struct Readme;
