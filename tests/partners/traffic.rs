//! Traffic with one partner: paused and resumed, its queue sent in order, its packages unpacked by themselves.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::exchange::{Event, Exchange, ExchangeSettings, Partner};
use claimwire::ledger::{HistoryQuery, IncomingState, OutgoingState, Step};
use claimwire::model::PackageId;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Sites where the examiner unpacks by itself; the receivers hear what each side is told.
fn automatic() -> (TwoSites, Receiver<Event>, Receiver<Event>) {
    let ((at_insurer, insurer), (at_examiner, examiner)) = (channel(), channel());
    let sites = TwoSites::with(Setup {
        examiner_of_insurer: Box::new(|partner| partner.unpacking_automatically_as("night shift")),
        insurer: Box::new(|settings| settings.on_event(move |event| drop(at_insurer.send(event.clone())))),
        examiner: Box::new(|settings| settings.on_event(move |event| drop(at_examiner.send(event.clone())))),
        ..Setup::default()
    });
    (sites, insurer, examiner)
}

#[track_caller]
fn wait_for(events: &Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = events.recv_timeout(Duration::from_secs(60)).expect("the event comes");
        if wanted(&event) {
            return event;
        }
    }
}

/// The examiner on a copy of its disk, with this word on the insurer.
fn examiner_on(disk: &Path, sites: &TwoSites, change: impl FnOnce(Partner) -> Partner) -> ExchangeSettings {
    let keys = sites.keys.clone();
    let partner = Partner::new(insurer_site(), "Northern Mutual")
        .open_with(1, keys.legacy)
        .verify_with(keys.insurer_signs.verifying_key());
    ExchangeSettings::new(examiner_site(), disk, keys.examiner_signs, sites.examiner.cases.clone())
        .with_partner(change(partner))
}

fn unpacked_here(event: &Event) -> bool {
    matches!(event, Event::AutomaticallyUnpacked { .. })
}

#[test]
fn a_package_is_unpacked_by_itself_under_the_account_and_the_sender_is_told() {
    let (sites, insurer, examiner) = automatic();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let sent = sites.insurer.exchange.send(package, &()).unwrap();
    assert!(matches!(sent.state, OutgoingState::Delivered | OutgoingState::Unpacked));
    wait_for(&insurer, |event| matches!(event, Event::Unpacked { package: told, .. } if *told == package));
    wait_for(&examiner, unpacked_here);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Unpacked);
    assert_eq!(sites.examiner.file(&claim).claim.claim_number.as_deref(), Some("C-1"));
    let history = sites.examiner.exchange.history(&HistoryQuery::new().package(package)).unwrap();
    let unpacked = history.iter().find(|entry| entry.step == Step::Unpacked).unwrap();
    assert_eq!(unpacked.by, "night shift");
}

#[test]
fn packages_of_one_claim_are_unpacked_in_the_order_they_came() {
    let (sites, _insurer, examiner) = automatic();
    let claim = sites.claim_at_insurer();
    for round in 0..5 {
        add_note(&sites.insurer, &claim, &format!("N-{round}"), "More.");
        let package = sites.export(&claim).unwrap().package.id;
        sites.insurer.exchange.send(package, &()).unwrap();
    }
    for _ in 0..5 {
        wait_for(&examiner, unpacked_here);
    }
    let incoming = sites.examiner.exchange.incoming_packages(&Default::default()).unwrap();
    assert!(incoming.iter().all(|package| package.state == IncomingState::Unpacked));
    assert_eq!(sites.examiner.file(&claim).notes.len(), 6);
}

#[test]
fn a_package_that_cannot_be_unpacked_by_itself_waits_for_a_user() {
    let (sites, _insurer, examiner) = automatic();
    let delivery = Delivery::new(&sites, b"not a package at all".to_vec());
    let package = delivery.taken(&sites);
    let failed = wait_for(&examiner, |event| matches!(event, Event::UnpackFailed { .. }));
    assert!(matches!(failed, Event::UnpackFailed { package: told, .. } if told == package));
    let incoming = sites.examiner.exchange.incoming(package).unwrap();
    assert_eq!(incoming.state, IncomingState::Failed);
    assert!(incoming.last_error.is_some());
    // And the ones behind it are unpacked all the same.
    let claim = sites.claim_at_insurer();
    let next = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(next, &()).unwrap();
    wait_for(&examiner, unpacked_here);
}

#[test]
fn packages_that_wait_at_a_restart_are_unpacked_after_it() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let disk = tempfile::tempdir().unwrap();
    copy_folder(&sites.examiner.folder.join("exchange"), disk.path());

    let (told, events) = channel();
    let settings = examiner_on(disk.path(), &sites, |it| it.unpacking_automatically_as("night shift"))
        .on_event(move |event| drop(told.send(event.clone())));
    let reopened = Exchange::open(settings).unwrap();
    wait_for(&events, unpacked_here);
    assert_eq!(reopened.incoming(package).unwrap().state, IncomingState::Unpacked);
    // The last handle waits for the thread, so that the folder is free at once.
    drop(reopened);
    Exchange::open(examiner_on(disk.path(), &sites, |it| it)).unwrap();
}

#[test]
fn a_listener_that_panics_does_not_stop_the_packages_behind() {
    let (told, events) = channel();
    let sites = TwoSites::with(Setup {
        examiner_of_insurer: Box::new(|partner| partner.unpacking_automatically_as("night shift")),
        examiner: Box::new(|settings| {
            settings.on_event(move |event| {
                assert!(!matches!(event, Event::UnpackFailed { .. }), "a host's own fault");
                drop(told.send(event.clone()));
            })
        }),
        ..Setup::default()
    });
    Delivery::new(&sites, b"not a package at all".to_vec()).taken(&sites);
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    wait_for(&events, unpacked_here);
}

#[test]
fn a_paused_partner_gets_nothing_and_its_queue_keeps_its_order() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let (insurer, to) = (&sites.insurer.exchange, sites.examiner.site());
    insurer.pause(to).unwrap();
    insurer.pause(to).unwrap();
    let first = sites.export(&claim).unwrap().package.id;
    add_note(&sites.insurer, &claim, "N-2", "And another thing.");
    let second = sites.export(&claim).unwrap().package.id;
    for refused in [insurer.send(first, &()).unwrap_err(), insurer.send_queued(to, &()).unwrap_err()] {
        assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::WrongState, true));
        assert!(refused.to_string().contains("paused"), "{refused}");
    }
    let waiting = insurer.outgoing(first).unwrap();
    assert_eq!((waiting.state, waiting.attempts), (OutgoingState::Queued, 0));
    assert!(sites.examiner.new_packages().is_empty());

    insurer.resume(to).unwrap();
    assert!(insurer.paused().unwrap().is_empty());
    let run = insurer.send_queued(to, &()).unwrap();
    assert_eq!(run.sent.iter().map(|sent| sent.package.id).collect::<Vec<_>>(), [first, second]);
    assert!(run.failed.is_empty() && run.held_back.is_empty());
    assert_eq!(sites.examiner.new_packages(), [first, second]);
    assert!(insurer.send_queued(to, &()).unwrap().sent.is_empty());
}

#[test]
fn a_pause_survives_a_restart_and_does_not_stop_what_comes_in() {
    let sites = TwoSites::new();
    sites.examiner.exchange.pause(sites.insurer.site()).unwrap();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Unpacked);

    let disk = tempfile::tempdir().unwrap();
    copy_folder(&sites.examiner.folder.join("exchange"), disk.path());
    let reopened = Exchange::open(examiner_on(disk.path(), &sites, |it| it)).unwrap();
    assert_eq!(reopened.paused().unwrap(), [insurer_site()].into());
    assert_eq!(reopened.pause(&third_site()).unwrap_err().kind(), ErrorKind::UnknownPartner);
    assert_eq!(reopened.resume(&third_site()).unwrap_err().kind(), ErrorKind::UnknownPartner);
}

fn set(side: &Side, of: &claimwire::model::SiteId, change: impl FnOnce(Partner) -> Partner) {
    let partner = Partner::clone(&side.exchange.partner(of).unwrap());
    side.exchange.set_partner(change(partner));
}

#[test]
fn a_pause_in_the_settings_and_one_at_run_time_stand_side_by_side() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let (insurer, to) = (&sites.insurer.exchange, sites.examiner.site());
    let package = sites.export(&claim).unwrap().package.id;
    let refused = || insurer.send(package, &()).unwrap_err().to_string();
    set(&sites.insurer, to, |partner| partner.paused(true));
    assert_eq!(insurer.paused().unwrap(), [to.clone()].into());
    assert!(refused().contains("paused in its settings"));
    let error = insurer.resume(to).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::WrongState, false));

    // Paused at run time too: the settings' end leaves that, as does every other change of them.
    insurer.pause(to).unwrap();
    set(&sites.insurer, to, |partner| partner.paused(false));
    set(&sites.insurer, to, |partner| partner.within_window(Duration::from_secs(600)));
    assert_eq!(insurer.paused().unwrap(), [to.clone()].into());
    assert!(refused().contains("is paused: "));
    insurer.resume(to).unwrap();
    assert!(insurer.paused().unwrap().is_empty());
    insurer.send(package, &()).unwrap();
}

#[test]
fn an_exchange_that_is_opened_with_a_pause_sends_nothing_until_its_settings_change() {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| partner.paused(true)),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    let (insurer, to) = (&sites.insurer.exchange, sites.examiner.site());
    let package = sites.export(&claim).unwrap().package.id;
    let error = insurer.send_queued(to, &()).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::WrongState, true));
    set(&sites.insurer, to, |partner| partner.paused(false));
    assert_eq!(insurer.send_queued(to, &()).unwrap().sent[0].package.id, package);
}

#[test]
fn what_waits_is_unpacked_once_the_settings_say_so() {
    let (told, events) = channel();
    let sites = TwoSites::with(Setup {
        examiner: Box::new(|settings| settings.on_event(move |event| drop(told.send(event.clone())))),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    set(&sites.examiner, sites.insurer.site(), |partner| partner.unpacking_automatically_as("night shift"));
    wait_for(&events, unpacked_here);
    assert_eq!(trail(&sites.examiner, package)[2].by, "night shift");
}

#[test]
fn a_package_that_fails_for_good_holds_nothing_back() {
    let sites = TwoSites::new();
    let claim = put_claim(&sites.insurer, "C-1");
    let export = |local: &str| -> PackageId {
        add_note(&sites.insurer, &claim, local, "More.");
        sites.export(&claim).unwrap().package.id
    };
    let (one, later) = (export("N-1"), export("N-3"));
    let damaged = sites.insurer.exchange.outgoing(one).unwrap().file;
    let path = sites.insurer.folder.join("exchange/outbox").join(damaged);
    std::fs::rename(&path, path.with_extension("away")).unwrap();

    let run = sites.insurer.exchange.send_queued(sites.examiner.site(), &()).unwrap();
    assert_eq!(run.sent.iter().map(|sent| sent.package.id).collect::<Vec<_>>(), [later]);
    assert_eq!(run.failed.iter().map(|(package, _)| *package).collect::<Vec<_>>(), [one]);
    assert!(run.held_back.is_empty());
    // The later one says all that the earlier one did; that one changes nothing where it comes after all.
    sites.examiner.exchange.unpack(later, "front desk", &()).unwrap();
    assert_eq!(sites.examiner.file(&claim).notes.len(), 3);
    std::fs::rename(path.with_extension("away"), &path).unwrap();
    sites.insurer.exchange.send(one, &()).unwrap();
    assert!(sites.examiner.exchange.unpack(one, "front desk", &()).unwrap().superseded);
}

#[test]
fn a_caller_that_stops_leaves_the_rest_of_the_queue_as_it_was() {
    let sites = TwoSites::new();
    let claims = ["C-1", "C-2"].map(|local| put_claim(&sites.insurer, local));
    let packages = claims.map(|claim| sites.export(&claim).unwrap().package.id);
    let stop = |_: u64| std::ops::ControlFlow::Break(());
    let run = sites.insurer.exchange.send_queued(sites.examiner.site(), &stop).unwrap();
    assert!(run.sent.is_empty());
    assert_eq!(run.failed[0].1.kind(), ErrorKind::Cancelled);
    assert_eq!(run.held_back, [packages[1]]);
    assert_eq!(sites.insurer.exchange.send_queued(sites.examiner.site(), &()).unwrap().sent.len(), 2);
}
