//! A case system that can be down: it still shows its claims, and takes no change.

use claimwire::case_system::{CaseSystem, SqliteCaseSystem, StagedDocuments};
use claimwire::merge::ChangeSet;
use claimwire::model::{ClaimFile, ExchangeId};
use claimwire::{Error, ErrorKind, Result};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Flaky {
    pub(crate) cases: SqliteCaseSystem,
    is_down: AtomicBool,
}

impl Flaky {
    pub(crate) fn open(folder: &Path) -> Self {
        Self { cases: SqliteCaseSystem::open(folder).unwrap(), is_down: AtomicBool::new(false) }
    }

    pub(crate) fn goes_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_up_again(&self) {
        self.is_down.store(false, Ordering::SeqCst);
    }
}

impl CaseSystem for Flaky {
    fn load(&self, claim: &ExchangeId) -> Result<Option<ClaimFile>> {
        self.cases.load(claim)
    }

    fn open_document(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<Box<dyn Read + Send>> {
        self.cases.open_document(claim, document)
    }

    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> Result<()> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::CaseSystem, "the case system is down for the night"));
        }
        self.cases.apply(changes, documents, by)
    }
}
