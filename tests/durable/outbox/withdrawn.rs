//! Packages that are taken back: never those that the recipient may have, and nothing of them stays or leaves.

use super::line::{Fate, Insurer, at, tries};
use claimwire::ErrorKind;
use claimwire::ledger::{HistoryQuery, OutgoingState, Step};
use claimwire::model::PackageId;

const WHY: &str = "the wrong scan was attached";

#[test]
fn a_package_that_has_not_left_is_taken_back_and_the_claim_is_exported_anew() {
    let mut insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let wrong = insurer.export(&claim);
    insurer.line.next(&[Fate::Down]);
    insurer.pass_at(0).unwrap();
    let withdrawn = insurer.exchange().withdraw(wrong, "dana", WHY).unwrap();
    assert_eq!((withdrawn.state, withdrawn.retry_at), (OutgoingState::Withdrawn, None));
    assert!(insurer.sealed_files().is_empty());
    let history = insurer.exchange().history(&HistoryQuery::new().package(wrong)).unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.step, last.by.as_str()), (Step::Withdrawn, "dana"));
    assert!(last.outcome.contains(WHY), "{}", last.outcome);

    // What it carried was not seen: no new note is asked for.
    let right = insurer.export(&claim);
    insurer.restart();
    insurer.line.seen();
    let run = insurer.pass_at(100_000).unwrap();
    assert_eq!(run.sent.iter().map(|sent| sent.package.id).collect::<Vec<_>>(), [right]);
    assert_eq!(insurer.line.seen(), ["POST"]);
    assert_eq!(insurer.sites.examiner.new_packages(), [right]);
    insurer.sites.examiner.exchange.unpack(right, "front desk", &()).unwrap();

    // Nor by hand, and doing it again changes nothing.
    assert_eq!(insurer.exchange().send(wrong, &()).unwrap().state, OutgoingState::Withdrawn);
    assert_eq!(insurer.exchange().replay(wrong, "dana").unwrap_err().kind(), ErrorKind::WrongState);
    assert_eq!(insurer.exchange().withdraw(wrong, "eve", "again").unwrap(), withdrawn);
    assert_eq!(insurer.exchange().history(&HistoryQuery::new().package(wrong)).unwrap(), history);
    assert!(insurer.line.seen().is_empty() && insurer.failures().is_empty());
}

#[test]
fn notes_and_what_failed_are_taken_back_too() {
    let insurer = Insurer::with(tries(1));
    let claim = insurer.sites.claim_at_insurer();
    insurer.line.next(&[Fate::Refused]);
    let failed = insurer.export(&claim);
    insurer.pass_at(0).unwrap();
    assert_eq!(insurer.state(failed).state, OutgoingState::Failed);
    insurer.exchange().withdraw(failed, "dana", WHY).unwrap();
    insurer.export(&claim);
    insurer.pass_at(1).unwrap();

    super::add_note(&insurer.sites.insurer, &claim, "N-2", "Not for them.");
    let examiner = super::examiner_site();
    let notes = insurer.exchange().export_notes(&claim, &examiner, "dana").unwrap().package.id;
    insurer.exchange().withdraw(notes, "dana", "it was not for them").unwrap();
    let again = insurer.exchange().export_notes(&claim, &examiner, "dana").unwrap();
    assert_eq!(again.notes.len(), 1, "it counts as not seen");
}

#[test]
fn what_the_recipient_has_or_may_have_is_not_taken_back() {
    for (fate, state) in [
        (Fate::Arrives, OutgoingState::Delivered),
        (Fate::Breaks, OutgoingState::Sent),
        (Fate::AnswerIsLost, OutgoingState::Sent),
        (Fate::Dies, OutgoingState::Sending),
    ] {
        let mut insurer = Insurer::new();
        let claim = insurer.sites.claim_at_insurer();
        let package = insurer.export(&claim);
        insurer.line.next(&[fate]);
        if insurer.pass_at(0).is_none() {
            insurer.restart();
        }
        let error = insurer.exchange().withdraw(package, "dana", WHY).unwrap_err();
        assert_eq!((error.kind(), insurer.state(package).state), (ErrorKind::WrongState, state), "{fate:?}");
        assert!(error.to_string().contains("reject"), "{error}");
        assert_eq!(insurer.sealed_files().len(), 1);
    }
    // Queued once more, it was there before.
    let insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let package = insurer.export(&claim);
    insurer.pass_at(0).unwrap();
    insurer.exchange().replay(package, "dana").unwrap();
    assert_eq!(insurer.exchange().withdraw(package, "dana", WHY).unwrap_err().kind(), ErrorKind::WrongState);
}

/// A process died between the entry that a package has no sealed bytes any more and their removal.
fn is_swept(without_bytes: impl FnOnce(&Insurer, PackageId)) {
    let mut insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let package = insurer.export(&claim);
    let file = insurer.sealed_files().remove(0);
    let sealed = std::fs::read(&file).unwrap();
    without_bytes(&insurer, package);
    assert!(insurer.sealed_files().is_empty());
    std::fs::write(&file, sealed).unwrap();
    insurer.restart();
    assert!(insurer.sealed_files().is_empty());
}

#[test]
fn a_file_that_a_dying_process_left_goes_at_the_next_start() {
    is_swept(|insurer, package| {
        insurer.exchange().withdraw(package, "dana", WHY).unwrap();
    });
    is_swept(|insurer, package| {
        insurer.pass_at(0).unwrap();
        insurer.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
        assert_eq!(insurer.exchange().poll(package).unwrap().state, OutgoingState::Unpacked);
        assert_eq!(insurer.exchange().remove_sealed(at(3600), "nightly job").unwrap(), 1);
    });
}
