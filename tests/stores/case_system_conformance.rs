//! The conformance suite finds a case system that does not keep its promises.

use claimwire::Result;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem, StagedDocuments, conformance};
use claimwire::merge::ChangeSet;
use claimwire::model::{ClaimFile, ExchangeId};
use std::io::Read;

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    AppliesOneByOne,
    MovesStagedFiles,
    ForgetsCustomFields,
    KeepsNothing,
}

struct Faulty(SqliteCaseSystem, Fault);

impl CaseSystem for Faulty {
    fn load(&self, claim: &ExchangeId) -> Result<Option<ClaimFile>> {
        let mut file = self.0.load(claim)?;
        if let (Some(file), Fault::ForgetsCustomFields) = (&mut file, self.1) {
            file.claim.custom_fields.clear();
        }
        Ok(file)
    }

    fn open_document(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<Box<dyn Read + Send>> {
        self.0.open_document(claim, document)
    }

    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> Result<()> {
        if self.1 != Fault::AppliesOneByOne {
            self.0.apply(changes, documents, by)?;
        }
        if self.1 == Fault::MovesStagedFiles {
            documents.ids().for_each(|id| std::fs::remove_file(documents.path(id).unwrap()).unwrap());
        }
        if self.1 == Fault::AppliesOneByOne {
            for record in &changes.records {
                let mut one = ChangeSet::new(changes.claim.clone());
                one.adds_claim = changes.adds_claim;
                one.records.push(record.clone());
                self.0.apply(&one, documents, by)?;
            }
        }
        Ok(())
    }
}

fn verdict(fault: Fault) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut openings = 0;
    conformance::check(|| {
        openings += 1;
        let name = if fault == Fault::KeepsNothing { format!("cases-{openings}") } else { "cases".into() };
        Ok(Faulty(SqliteCaseSystem::open(folder.path().join(name))?, fault))
    })
    .unwrap_err()
    .to_string()
}

#[test]
fn each_broken_promise_is_named() {
    for (fault, promise) in [
        (Fault::AppliesOneByOne, "changes nothing"),
        (Fault::MovesStagedFiles, "its staged file cannot be opened"),
        (Fault::ForgetsCustomFields, "every record and value"),
        (Fault::KeepsNothing, "after opening it again"),
    ] {
        let verdict = verdict(fault);
        assert!(verdict.contains(promise), "{verdict}");
    }
}
