//! The keys that receipts are signed with, over time: both sites change theirs, and each receipt stays proved by the key
//! that signed it.

use super::*;
use claimwire::protocol::{Evidence, VerifyingKey};

/// Two sites that both sign with a first key until June and with a next one from May on, as both know.
struct Rotating {
    timed: Timed,
    insurer_signs: [SigningKey; 2],
    examiner_signs: [SigningKey; 2],
}

impl Rotating {
    fn overlapping() -> Self {
        let timed = Timed::at("04-30", as_it_was(), as_it_was());
        let both = |first: &SigningKey, next: &str| {
            let next = SigningKey::generate(next).unwrap().valid_during(from("05-01"));
            [first.clone().valid_during(until("06-01")), next]
        };
        let insurer_signs = both(&timed.sites.keys.insurer_signs, "on-ins-2");
        let examiner_signs = both(&timed.sites.keys.examiner_signs, "imex-2");
        for key in &insurer_signs {
            timed.insurer().set_signing_key(key.clone());
            timed.examiner_knows(|partner| partner.verify_with(key.verifying_key()));
        }
        for key in &examiner_signs {
            timed.examiner().set_signing_key(key.clone());
            timed.insurer_knows(|partner| partner.verify_with(key.verifying_key()));
        }
        Self { timed, insurer_signs, examiner_signs }
    }
}

/// Which of two keys proves this receipt; the other one must not.
#[track_caller]
fn proved_by(evidence: Option<&String>, keys: &[SigningKey; 2]) -> usize {
    let evidence: Evidence = serde_json::from_str(evidence.expect("there is a receipt")).unwrap();
    let proves = keys.each_ref().map(|key| evidence.verify(&key.verifying_key()).is_ok());
    assert!(proves[0] != proves[1], "{proves:?}");
    usize::from(proves[1])
}

/// Which of the recipient's keys proves that a package is held, and which that it was unpacked.
fn proofs(sender: &Exchange, package: PackageId, keys: &[SigningKey; 2]) -> [usize; 2] {
    let outgoing = sender.outgoing(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Unpacked);
    [&outgoing.receipt, &outgoing.last_receipt].map(|receipt| proved_by(receipt.as_ref(), keys))
}

#[test]
fn each_receipt_is_signed_with_the_newest_valid_key_and_believed_in_both_directions() {
    let rotating = Rotating::overlapping();
    let timed = &rotating.timed;
    for (day, key) in [("04-30", 0), ("05-01", 1), ("05-20", 1), ("06-01", 1), ("12-01", 1)] {
        timed.set(day);
        timed.deliver().unwrap();
        timed.deliver_back().unwrap();
        for (sender, keys) in
            [(timed.insurer(), &rotating.examiner_signs), (timed.examiner(), &rotating.insurer_signs)]
        {
            let newest = sender.outgoing_packages(&Default::default()).unwrap().pop().unwrap().package.id;
            assert_eq!(proofs(sender, newest, keys), [key, key], "{day}");
        }
    }
}

#[test]
fn a_package_that_is_held_under_one_key_and_unpacked_under_the_next_has_a_receipt_of_each() {
    let rotating = Rotating::overlapping();
    let timed = &rotating.timed;
    let (package, _) = timed.send().unwrap();
    timed.set("06-02");
    timed.examiner().unpack(package, "front desk", &()).unwrap();
    assert_eq!(proofs(timed.insurer(), package, &rotating.examiner_signs), [0, 1]);
}

#[test]
fn old_receipts_stay_evidence_when_their_key_has_ended_and_is_gone_from_the_settings() {
    let rotating = Rotating::overlapping();
    let timed = &rotating.timed;
    let (package, _) = timed.send().unwrap();
    timed.examiner().unpack(package, "front desk", &()).unwrap();
    timed.set("12-01");
    timed.insurer_knows(|_| {
        Partner::new(examiner_site(), "Medical Examiners")
            .reached_by(claimwire::transport::MemoryTransport::new(Arc::new(timed.examiner().clone())))
            .seal_with(1, timed.sites.keys.legacy.clone())
            .verify_with(rotating.examiner_signs[1].verifying_key())
    });
    assert_eq!(proofs(timed.insurer(), package, &rotating.examiner_signs), [0, 0]);
    // Whoever looks at it later sees when it was signed, and that the key was valid then.
    let receipt = timed.insurer().outgoing(package).unwrap().receipt.unwrap();
    let old = rotating.examiner_signs[0].verifying_key();
    let (receipt, signed) = serde_json::from_str::<Evidence>(&receipt).unwrap().verify(&old).unwrap();
    assert_eq!((receipt.package_id, signed), (package, at("04-30")));
    assert!(old.validity().holds_at(signed) && !old.validity().holds_at(at("12-01")));

    // Asked again, the partner says the same with its key of now; what was kept is not touched.
    let before = timed.insurer().outgoing(package).unwrap();
    let after = timed.insurer().poll(package).unwrap();
    assert_eq!((after.receipt, after.last_receipt), (before.receipt, before.last_receipt));
    // Sent again, the first receipt still says since when it is held.
    timed.insurer().replay(package, "dana").unwrap();
    timed.insurer().send(package, &()).unwrap();
    assert_eq!(proofs(timed.insurer(), package, &rotating.examiner_signs), [0, 1]);
}

#[test]
fn a_receipt_that_was_lost_while_the_key_changed_is_given_again_with_the_new_one() {
    let rotating = Rotating::overlapping();
    let timed = &rotating.timed;
    // The examiner signs with a key that the insurer does not know yet: it holds the package, and that is not believed.
    let early = SigningKey::generate("imex-3").unwrap().valid_during(from("04-30"));
    timed.examiner().set_signing_key(early.clone());
    let package = timed.export().unwrap().package.id;
    says(timed.insurer().send(package, &()), ErrorKind::NoReceipt, &["no receipt to rely on"]);
    let doubtful = timed.insurer().outgoing(package).unwrap();
    assert_eq!((doubtful.state, doubtful.receipt), (OutgoingState::Sent, None));
    timed.insurer_knows(|partner| partner.verify_with(early.verifying_key()));
    timed.set("06-02");
    timed.insurer().send(package, &()).unwrap();
    let receipt = timed.insurer().outgoing(package).unwrap().receipt;
    assert_eq!(proved_by(receipt.as_ref(), &rotating.examiner_signs), 1);
    assert_eq!(timed.sites.examiner.new_packages(), [package]);
}

#[test]
fn the_end_of_a_known_key_is_set_by_giving_it_again() {
    let rotating = Rotating::overlapping();
    let timed = &rotating.timed;
    let first: VerifyingKey = rotating.examiner_signs[0].verifying_key();
    timed.insurer_knows(|partner| partner.verify_with(first.valid_during(until("04-30"))));
    let package = timed.export().unwrap().package.id;
    let words = ["no receipt to rely on", "imex-1", "until 2026-04-30"];
    says(timed.insurer().send(package, &()), ErrorKind::KeyNotValid, &words);
    let known = timed.insurer().partner(&examiner_site()).unwrap().keys(at("05-01"));
    let ids: Vec<_> = known.iter().filter_map(|key| key.id.as_deref()).collect();
    assert_eq!(ids, ["imex-2", "imex-1"]);
}

#[test]
fn a_recipient_without_a_valid_key_takes_nothing_in_and_is_tried_again() {
    let rotating = Rotating::overlapping();
    let timed = &rotating.timed;
    let next = rotating.examiner_signs[1].clone();
    timed.examiner().set_signing_key(next.clone().valid_during(until("05-10")));
    timed.set("06-02");
    let package = timed.export().unwrap().package.id;
    let error = says(timed.insurer().send(package, &()), ErrorKind::InvalidSettings, &["operators"]);
    assert!(error.is_retryable() && !error.is_ambiguous());
    assert!(!error.to_string().contains("imex-2"), "that is none of the partner's business: {error}");
    assert_eq!(timed.insurer().outgoing(package).unwrap().state, OutgoingState::Queued);
    assert!(timed.sites.examiner.files_in("inbox").is_empty());
    warns(timed.examiner(), &[WarningCode::NoValidKey, WarningCode::LegacyReviewOverdue]);
    // With a key again, it goes through by itself.
    timed.examiner().set_signing_key(next.valid_during(from("05-01")));
    let due = timed.insurer().outgoing(package).unwrap().retry_at.unwrap();
    let run = timed.insurer().send_due(due, &()).unwrap();
    assert_eq!(run.sent[0].state, OutgoingState::Delivered);
    assert_eq!(proved_by(run.sent[0].receipt.as_ref(), &rotating.examiner_signs), 1);
}
