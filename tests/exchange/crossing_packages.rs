//! Packages that cross on their way: what a sender had not seen yet when it exported undoes nothing here.

use crate::support::*;
use claimwire::exchange::ExportOptions;
use claimwire::ledger::OutgoingState;

#[test]
fn a_package_exported_before_ours_was_unpacked_there_does_not_set_our_values_back() {
    let sites = TwoSites::with(Setup::default());
    let (insurer, examiner) = (&sites.insurer, &sites.examiner);
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);

    // The examiner's package waits in its outbox, with the values of before.
    add_note(examiner, &claim, "N-10", "The examination is on Monday.");
    let waits = examiner.exchange.export(&claim, insurer.site(), &ExportOptions::by("x")).unwrap().package.id;

    let mut file = insurer.file(&claim);
    file.claim.loss_description = Some("Fell from the ladder, not the stairs.".into());
    insurer.cases.put(&file).unwrap();
    add_note(insurer, &claim, "N-11", "The description was wrong.");
    let ours = insurer.exchange.export(&claim, examiner.site(), &ExportOptions::by("x")).unwrap().package.id;
    insurer.exchange.send(ours, &()).unwrap();
    examiner.exchange.unpack(ours, "x", &()).unwrap();
    assert_eq!(insurer.exchange.poll(ours).unwrap().state, OutgoingState::Unpacked);

    examiner.exchange.send(waits, &()).unwrap();
    insurer.exchange.unpack(waits, "x", &()).unwrap();
    let now = insurer.file(&claim);
    assert_eq!(now.claim.loss_description, file.claim.loss_description);
    assert!(now.notes.iter().any(|note| note.body.as_deref() == Some("The examination is on Monday.")));
    assert_eq!(examiner.file(&claim).claim.loss_description, file.claim.loss_description);
}
