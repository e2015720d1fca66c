//! The records of a claim file: claims, assessments, bills, notes, contacts, documents, and their ids.
//!
//! Names follow the standard terms of the field (Guidewire ClaimCenter, ACORD P&C, HL7 FHIR, X12, CIECA BMS). Every
//! record keeps JSON members that this version does not know in `other`, so that a round trip loses nothing;
//! fields that only two partners agreed on go into `custom_fields`. Every field but the id may be absent, since a
//! partner's settings choose which fields travel.
//!
//! ```
//! use claimwire::model::{Claim, ClaimFile, ExchangeId, Note, SiteId};
//!
//! let site = SiteId::new("ON-INS")?;
//! let mut claim = Claim::new(ExchangeId::new(&site, "CLM-2026-0117")?);
//! claim.claim_number = Some("CLM-2026-0117".into());
//! let mut file = ClaimFile::new(claim);
//! let mut note = Note::new(ExchangeId::new(&site, "N-1")?);
//! note.body = Some("Please examine the claimant's left knee.".into());
//! file.notes.push(note);
//! let json = file.to_json()?;
//! assert_eq!(ClaimFile::from_json(&json)?, file);
//! # Ok::<(), claimwire::Error>(())
//! ```

mod assessment;
mod bill;
mod claim;
mod claim_file;
mod contact;
mod document;
mod id;
mod json;
mod money;
mod note;
mod object;
mod package;
mod record;
mod time;
mod value;

pub use assessment::{Assessment, Decision, Injury, ProposedItem};
pub use bill::{Bill, LineItem};
pub use claim::{Claim, Exposure};
pub use claim_file::ClaimFile;
pub use contact::{Contact, ContactRole, Phone};
pub use document::Document;
pub(crate) use id::PackageIds;
pub use id::{ExchangeId, PackageId, SiteId};
pub use json::Json;
pub use money::{Currency, Decimal, Money};
pub use note::Note;
pub use package::{Package, PackageKind};
pub(crate) use record::by_id;
pub use record::{Record, RecordKind};
pub use time::{Date, Timestamp};
pub use value::{Address, Code, ExternalId};
