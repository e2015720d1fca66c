//! The embedding host's own store of claims, as the exchange sees it.
//!
//! A host implements [`CaseSystem`] over the claims it already keeps and runs [`conformance`] against it. A host
//! without a store of its own takes `SqliteCaseSystem` (feature `sqlite`).

pub mod conformance;
#[cfg(feature = "sqlite")]
mod sqlite;
mod staged;

#[cfg(feature = "sqlite")]
pub use sqlite::{DocumentVersion, SqliteCaseSystem};
pub use staged::StagedDocuments;

use crate::Result;
use crate::merge::ChangeSet;
use crate::model::{ClaimFile, ExchangeId};
use crate::rules::Catalogue;
use std::io::Read;
use std::sync::Arc;

/// Where a site's claims live.
///
/// Calls may come from several threads at once, those that [apply](Self::apply) sets to different claims among them; a
/// package to a claim waits for the one before it. Errors of the host's own keep the kind
/// [`ErrorKind::CaseSystem`](crate::ErrorKind::CaseSystem) unless a method names another.
pub trait CaseSystem: Send + Sync {
    /// The claim file, with every record and every field, also those that never leave; `None` when the claim is not
    /// here. Documents carry the `size` and `sha256` of their bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn load(&self, claim: &ExchangeId) -> Result<Option<ClaimFile>>;

    /// The bytes of a document as it stands now.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownClaim`](crate::ErrorKind::UnknownClaim) when the claim or the document is not here;
    /// [`ErrorKind::StoreDamaged`](crate::ErrorKind::StoreDamaged) when its bytes are lost; when they cannot be read.
    fn open_document(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<Box<dyn Read + Send>>;

    /// Applies a set of changes in one transaction: all of it or nothing, durable when this returns.
    ///
    /// Only what the set names is written; [`RecordChange::apply_to`](crate::merge::RecordChange::apply_to) does
    /// this for one record. Applying the same set again is harmless. `documents` holds the bytes of every document
    /// whose bytes change, already verified; they are copied, not moved. `by` is the person or account that
    /// unpacks.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the set is blocked or the claim was changed after the
    /// merge looked at it; [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when the bytes of a
    /// document are missing; [`ErrorKind::Altered`](crate::ErrorKind::Altered) when they are not those its digest
    /// names; [`ErrorKind::InvalidPackage`](crate::ErrorKind::InvalidPackage) when the claim could not be
    /// [loaded](Self::load) again; when the store cannot be written. Nothing is changed then. A store that does not know
    /// whether it took the set says so with an [ambiguous](crate::Error::ambiguous) error or with
    /// [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut): the package can then be unpacked again and not be rejected.
    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> Result<()>;

    /// The claim, assessment and bill types this system knows. By default every type is known.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn catalogue(&self) -> Result<Catalogue> {
        Ok(Catalogue::new())
    }
}

impl<C: CaseSystem + ?Sized> CaseSystem for Arc<C> {
    fn load(&self, claim: &ExchangeId) -> Result<Option<ClaimFile>> {
        (**self).load(claim)
    }

    fn open_document(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<Box<dyn Read + Send>> {
        (**self).open_document(claim, document)
    }

    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> Result<()> {
        (**self).apply(changes, documents, by)
    }

    fn catalogue(&self) -> Result<Catalogue> {
        (**self).catalogue()
    }
}
