//! A sender that lacks what is its own to set, a valid key to sign with or a transport: its packages wait, whatever the
//! time, the host is told once what to put right, and then they go out by themselves.

use super::*;
use claimwire::exchange::SentQueue;
use claimwire::ledger::{HistoryQuery, Step};
use claimwire::transport::MemoryTransport;
use std::sync::mpsc::{Receiver, channel};

/// An insurer whose one key ends in June, and what it is told.
fn ending() -> (Timed, Receiver<Event>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let listener = move |event: &Event| tell.lock().unwrap().send(event.clone()).unwrap();
    let timed = Timed::listening("05-01", as_it_was(), as_it_was(), listener);
    timed.insurer().set_signing_key(first(&timed).valid_during(until("06-01")));
    (timed, told)
}

fn first(timed: &Timed) -> SigningKey {
    timed.sites.keys.insurer_signs.clone()
}

fn due(timed: &Timed) -> SentQueue {
    let now = Timestamp::from_unix_seconds(timed.seconds.load(Ordering::Relaxed)).unwrap();
    timed.insurer().send_due(now, &()).unwrap()
}

fn state(timed: &Timed, package: PackageId) -> (OutgoingState, u32) {
    let outgoing = timed.insurer().outgoing(package).unwrap();
    (outgoing.state, outgoing.attempts)
}

/// What was told of packages that wait since the last look: which, and why.
fn held_up(told: &Receiver<Event>) -> Vec<(PackageId, String)> {
    let of = |event: Event| matches!(event, Event::HeldUp { .. }).then_some(event);
    let reason = |event: Event| (event.package(), event.reason().unwrap().to_owned());
    told.try_iter().filter_map(of).map(reason).collect()
}

#[track_caller]
fn names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

#[test]
fn packages_wait_for_a_valid_key_are_told_of_once_and_go_out_in_their_order() {
    let (timed, told) = ending();
    timed.set("06-01");
    let (one, two) = (timed.export().unwrap().package.id, timed.export().unwrap().package.id);
    let run = due(&timed);
    let in_five_minutes = "2026-06-01T00:05:00Z".parse().unwrap();
    assert_eq!((run.failed[0].0, run.failed.len(), run.held_back), (one, 1, vec![two]));
    assert_eq!(run.failed[0].1.kind(), ErrorKind::KeyNotValid);
    assert_eq!(run.next_due, Some(in_five_minutes));
    let told_once = held_up(&told);
    assert_eq!(told_once.iter().map(|(package, _)| *package).collect::<Vec<_>>(), [one]);
    names(&told_once[0].1, &["on-ins-1", "until 2026-06-01T00:00:00Z", "a new one", "stays queued"]);
    // A year is longer than any package is tried, and changes nothing.
    for day in ["06-02", "06-20", "12-31"] {
        timed.set(day);
        assert_eq!(due(&timed).sent.len(), 0, "{day}");
        assert_eq!([state(&timed, one), state(&timed, two)], [(OutgoingState::Queued, 0); 2], "{day}");
    }
    assert!(held_up(&told).is_empty(), "once");
    let tried = timed.insurer().history(&HistoryQuery::new().package(one).steps([Step::Failed])).unwrap();
    assert_eq!(tried.len(), 1, "one entry says why it waits");

    timed.insurer().set_signing_key(first(&timed).valid_during(from("12-01")));
    let sent: Vec<PackageId> = due(&timed).sent.into_iter().map(|it| it.package.id).collect();
    assert_eq!(sent, [one, two]);
    assert_eq!(state(&timed, two), (OutgoingState::Delivered, 1));
    assert_eq!(timed.insurer().outgoing(one).unwrap().last_error, None);
}

#[test]
fn a_key_whose_time_begins_lets_packages_go_without_anybody_s_doing() {
    let (timed, told) = ending();
    timed.set("06-01");
    timed.insurer().set_signing_key(first(&timed).valid_during(from("06-10")));
    let package = timed.export().unwrap().package.id;
    due(&timed);
    names(&held_up(&told)[0].1, &["on-ins-1", "from 2026-06-10T00:00:00Z"]);
    timed.set("06-10");
    assert_eq!(due(&timed).sent[0].package.id, package);
}

#[test]
fn what_is_sent_by_hand_waits_too_and_is_told_of_once() {
    let (timed, told) = ending();
    timed.set("06-01");
    let package = timed.export().unwrap().package.id;
    for _ in 0..2 {
        let error = says(timed.insurer().send(package, &()), ErrorKind::KeyNotValid, &["on-ins-1"]);
        assert!(error.is_retryable());
        assert_eq!(state(&timed, package), (OutgoingState::Queued, 0));
    }
    let queued = timed.insurer().send_queued(&examiner_site(), &()).unwrap();
    assert_eq!((queued.failed.len(), queued.next_due), (1, None));
    assert_eq!(held_up(&told).len(), 1);
}

#[test]
fn a_started_outbox_goes_on_when_the_key_is_set() {
    let (timed, told) = ending();
    timed.set("06-01");
    let package = timed.export().unwrap().package.id;
    let _worker = timed.insurer().start_outbox().unwrap();
    let next = |name: &str| told.iter().find(|event| event.name() == name).unwrap().package();
    assert_eq!(next("held-up"), package);
    timed.insurer().set_signing_key(first(&timed));
    assert_eq!(next("delivered"), package);
}

#[test]
fn a_partner_without_a_transport_has_its_packages_wait_and_holds_up_no_other() {
    let (timed, told) = ending();
    let recipient = timed.sites.keys.identity.recipient();
    let unreached = || Partner::new(third_site(), "Third Party").seal_with(1, recipient.clone());
    timed.insurer().set_partner(unreached());
    let options = ExportOptions::by("dana");
    let waits = timed.insurer().export(&timed.claim, &third_site(), &options).unwrap().package;
    let other = timed.export().unwrap().package.id;
    let run = due(&timed);
    assert_eq!((run.failed[0].0, run.sent[0].package.id), (waits.id, other));
    names(&held_up(&told)[0].1, &["Third Party", "no transport", "add it to its settings"]);
    assert_eq!(state(&timed, waits.id), (OutgoingState::Queued, 0));
    // With a way to it, it is tried; that this one leads to another site is the next fault.
    let elsewhere = MemoryTransport::new(Arc::new(timed.examiner().clone()));
    timed.insurer().set_partner(unreached().reached_by(elsewhere));
    due(&timed);
    assert_eq!(state(&timed, waits.id).1, 1);
}
