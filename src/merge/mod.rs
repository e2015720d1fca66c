//! What a partner sent, against what stands here, against what both sides last had in common: a set of changes.
//!
//! Everything here is a pure function over [`Record`](crate::model::Record)s; nothing is stored.
//! [`merge`] gives the changes, the case system applies them, and [`agree`] gives the next common state.
//! [`match_contacts`] comes before: it finds who is known here under another id.
//!
//! ```
//! use claimwire::merge::{ConflictPolicy, merge};
//! use claimwire::model::{Json, Record, RecordKind};
//!
//! let mut ours = Record::new(RecordKind::Claim, "ON-INS/C-1".parse()?);
//! ours.fields.insert("status".into(), Json::from("open"));
//! ours.fields.insert("custom_fields.reserve".into(), Json::from("12000.00"));
//! let mut theirs = Record::new(RecordKind::Claim, "ON-INS/C-1".parse()?);
//! theirs.fields.insert("status".into(), Json::from("examined"));
//! let mut common = theirs.clone();
//! common.fields.insert("status".into(), Json::from("open"));
//!
//! let changes = merge(&[ours], &[theirs], &[common], ConflictPolicy::Stop)?;
//! let claim = &changes.records[0];
//! assert_eq!(claim.after.fields["status"], Json::from("examined"));
//! assert_eq!(claim.after.fields["custom_fields.reserve"], Json::from("12000.00"));
//! # Ok::<(), claimwire::Error>(())
//! ```

mod change_set;
mod contacts;
mod pairs;
mod private;
mod same;
mod three_way;

pub use change_set::{ChangeSet, ConflictPolicy, FieldChange, FieldOutcome, RecordAction, RecordChange};
pub use contacts::{common_at_first, match_contacts};
pub use pairs::ContactPairs;
pub(crate) use private::{private_part, without};
pub(crate) use same::has_value;
pub use three_way::{agree, merge};
pub(crate) use three_way::{merge_keeping, not_said_again, overtake};
