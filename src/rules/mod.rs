//! A partner's rules: what may leave, what may come in. Data in the partner's settings, checked by pure functions.
//!
//! [`FieldSelection`] chooses what travels, [`check_export`] says what forbids an export, [`check_import`] what forbids
//! to unpack a package. Checks never stop at the first fault: they give every [`Violation`], each with a stable code,
//! the record it is about and a sentence for a claims handler. A host adds violations of its own rules to the list.

mod catalogue;
mod export;
mod import;
mod name_map;
mod names;
mod naming;
mod selection;
mod violation;

pub use catalogue::Catalogue;
pub use export::{DEFAULT_SEALED_SIZE_LIMIT, ExportFacts, ExportRules, check_export};
pub use import::{ImportRules, UnknownType, check_import, prepare_import};
pub use name_map::{NameMap, Named};
pub use naming::{NamingConvention, NamingFacts, NamingFault};
pub(crate) use selection::withheld;
pub use selection::{AssessmentStatuses, FieldChoice, FieldSelection, select, select_notes};
pub use violation::{Violation, ViolationCode, violations_error};
