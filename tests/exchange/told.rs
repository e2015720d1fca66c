//! What a partner reads of a refusal: why, and nothing that was never exchanged with it.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::exchange::ExportOptions;
use claimwire::model::{ExchangeId, RecordKind};
use claimwire::rules::{FieldChoice, FieldSelection, ImportRules};

/// An insurer whose claim is protected by a status that was never told, as its number was not.
fn protected() -> (TwoSites, ExchangeId) {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| {
            let selection =
                FieldSelection::new().standard(RecordKind::Claim, FieldChoice::only(["policy_number"]));
            let rules = ImportRules::new().protect(["closed: fraud suspected"]);
            partner.with_import_rules(rules).selecting(selection)
        }),
        ..Setup::default()
    });
    let claim = put_claim(&sites.insurer, "C-1");
    let mut file = sites.insurer.file(&claim);
    file.claim.policy_number = Some("P-1".into());
    file.claim.claim_number = Some("SIU-2026-77".into());
    sites.insurer.cases.put(&file).unwrap();
    sites.deliver(&claim);
    file.claim.status = Some("closed: fraud suspected".into());
    sites.insurer.cases.put(&file).unwrap();
    add_note(&sites.examiner, &claim, "N-5", "Is there any news?");
    (sites, claim)
}

#[track_caller]
fn tells_nothing(said: &str) {
    assert!(said.contains("protected-claim") && said.contains("is protected at the recipient"), "{said}");
    assert!(!said.contains("SIU") && !said.contains("fraud"), "{said}");
}

#[test]
fn notes_that_a_protected_claim_refuses_are_answered_without_its_status_and_number() {
    let (sites, claim) = protected();
    let examiner = &sites.examiner.exchange;
    let package = examiner.export_notes(&claim, sites.insurer.site(), "front desk").unwrap().package.id;
    let refused = examiner.send(package, &()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ImportRulesViolated);
    tells_nothing(&format!("{refused} {:?}", refused.details()));

    // At home all of it is known; and neither a rejection nor an answer after it says more.
    let fault = sites.insurer.exchange.incoming(package).unwrap().last_error.unwrap();
    assert!(fault.details[0].message.contains("`closed: fraud suspected`"), "{fault:?}");
    sites.insurer.exchange.reject(package, "dana", "Call us.").unwrap();
    let rejected = examiner.outgoing(package).unwrap();
    let evidence = format!("{rejected:?} {:?}", rejected.word());
    assert!(!evidence.contains("SIU") && !evidence.contains("fraud"), "{evidence}");
}

#[test]
fn a_rejection_for_a_protected_claim_tells_the_reason_and_not_the_status() {
    let (sites, claim) = protected();
    let options = ExportOptions::by("front desk");
    let package = sites.examiner.exchange.export(&claim, sites.insurer.site(), &options).unwrap().package.id;
    sites.examiner.exchange.send(package, &()).unwrap();
    let refused = sites.insurer.exchange.unpack(package, "dana", &()).unwrap_err();
    assert!(refused.to_string().contains("SIU-2026-77"), "{refused}");
    sites.insurer.exchange.reject(package, "dana", "Call us.").unwrap();
    let word = sites.examiner.exchange.outgoing(package).unwrap().word().unwrap().unwrap();
    assert_eq!(word.detail.as_deref(), Some("Call us."));
    tells_nothing(&format!("{:?}", word.details));
}
