//! The outbox: when a package is posted, asked about, tried again and given up; what a dead process leaves of it.

mod any_order;
mod clock;
mod line;
mod side_by_side;
mod withdrawn;

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::exchange::{Event, RetryPolicy};
use claimwire::ledger::{HistoryQuery, OutgoingState, Step};
use claimwire::model::{PackageId, Timestamp};
use line::{Fate, Insurer, at, seconds, tries};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The n-th wait of the default policy, with up to a fifth by chance and the moments that the pass itself took.
fn wait(seconds: i64) -> RangeInclusive<i64> {
    seconds..=seconds + seconds / 5 + 5
}

/// The fates of the tries before, the last one's, what that one sends, and where the package stands then.
type Row = (&'static [Fate], &'static [Fate], &'static [&'static str], OutgoingState, bool);

#[test]
fn every_state_is_reached_as_its_try_ends() {
    use OutgoingState::{Delivered, Failed, Queued, Sending, Sent};
    let table: &[Row] = &[
        (&[], &[Fate::Arrives], &["POST"], Delivered, false),
        (&[], &[Fate::Down], &["POST"], Queued, false),
        (&[], &[Fate::Busy("60")], &["POST"], Queued, false),
        (&[], &[Fate::Refused], &["POST"], Failed, false),
        (&[], &[Fate::Breaks], &["POST"], Sent, true),
        (&[], &[Fate::AnswerIsLost], &["POST"], Sent, true),
        (&[], &[Fate::GatewayTimeout], &["POST"], Sent, true),
        (&[], &[Fate::Dies], &["POST"], Sending, false),
        (&[], &[Fate::DiesAfterwards], &["POST"], Sending, false),
        // Queued again: posted.
        (&[Fate::Down], &[Fate::Arrives], &["POST"], Delivered, false),
        (&[Fate::Busy("60")], &[Fate::Breaks], &["POST"], Sent, true),
        // In doubt: asked first, and posted only where it is not there.
        (&[Fate::AnswerIsLost], &[Fate::Arrives], &["GET"], Delivered, false),
        (&[Fate::GatewayTimeout], &[Fate::Arrives], &["GET"], Delivered, false),
        (&[Fate::DiesAfterwards], &[Fate::Arrives], &["GET"], Delivered, false),
        (&[Fate::Dies], &[Fate::Arrives], &["GET", "POST"], Delivered, false),
        (&[Fate::Breaks], &[Fate::Arrives], &["GET", "POST"], Delivered, false),
        (&[Fate::Breaks], &[Fate::Arrives, Fate::Down], &["GET", "POST"], Queued, false),
        (&[Fate::Breaks], &[Fate::Arrives, Fate::Breaks], &["GET", "POST"], Sent, true),
        (&[Fate::Breaks], &[Fate::Arrives, Fate::Refused], &["GET", "POST"], Failed, false),
        // Where it cannot be asked, nothing is posted.
        (&[Fate::AnswerIsLost], &[Fate::Down], &["GET"], Sent, true),
        (&[Fate::AnswerIsLost], &[Fate::AnswerIsLost], &["GET"], Sent, true),
        (&[Fate::AnswerIsLost], &[Fate::Busy("60")], &["GET"], Sent, true),
        (&[Fate::DiesAfterwards], &[Fate::Down], &["GET"], Sent, true),
        (&[Fate::AnswerIsLost], &[Fate::Dies], &["GET"], Sending, true),
        // A partner that does not let itself be asked takes the same package again.
        (&[Fate::AnswerIsLost], &[Fate::Refused, Fate::Arrives], &["GET", "POST"], Delivered, false),
    ];
    for (before, last, sends, state, unanswered) in table {
        let mut insurer = Insurer::new();
        let claim = insurer.sites.claim_at_insurer();
        let package = insurer.export(&claim);
        for fate in *before {
            insurer.line.next(&[*fate]);
            if insurer.pass_at(0).is_none() {
                insurer.restart();
            }
        }
        insurer.line.next(last);
        insurer.line.seen();
        insurer.pass_at(100_000);
        let here = format!("{before:?}, then {last:?}");
        assert_eq!(insurer.line.seen(), *sends, "{here}");
        let outgoing = insurer.state(package);
        assert_eq!((outgoing.state, outgoing.unanswered), (*state, *unanswered), "{here}");
        assert_eq!(outgoing.retry_at.is_some(), matches!(state, Queued | Sent), "{here}");
        assert_eq!(insurer.failures().len(), usize::from(*state == Failed), "{here}");

        // And from everywhere it gets there in the end, once.
        insurer.line.next(&[]);
        insurer.restart();
        assert_eq!(insurer.exchange().send(package, &()).unwrap().state, Delivered, "{here}");
        assert_eq!(insurer.sites.examiner.new_packages(), [package], "{here}");
        let settled = insurer.state(package);
        assert_eq!((settled.unanswered, settled.retry_at, settled.last_error), (false, None, None), "{here}");
    }
}

#[test]
fn waits_grow_are_kept_over_a_restart_and_nothing_is_sent_before_they_end() {
    let mut insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let package = insurer.export(&claim);
    let mut now = 0;
    for expected in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
        insurer.line.next(&[Fate::Down]);
        let run = insurer.pass_at(now).unwrap();
        assert_eq!(run.failed[0].1.kind(), ErrorKind::Unreachable);
        let due = seconds(run.next_due).unwrap();
        assert!(wait(expected).contains(&(due - now)), "{expected}: {}", due - now);
        assert_eq!(run.next_due, insurer.state(package).retry_at);
        insurer.restart();
        insurer.line.seen();
        let early = insurer.pass_at(due - 2).unwrap();
        assert!(early.sent.is_empty() && early.failed.is_empty() && early.held_back.is_empty());
        assert_eq!((early.next_due, insurer.line.seen().len()), (run.next_due, 0));
        now = due + 1;
    }
    let run = insurer.pass_at(now).unwrap();
    assert_eq!(run.sent[0].state, OutgoingState::Delivered);
    assert_eq!((run.next_due, insurer.state(package).attempts), (None, 10));
}

#[test]
fn a_clock_that_jumped_fails_nothing_and_once_it_is_right_what_waited_goes_through() {
    for jump in [-3600, 3600] {
        let clock = Arc::new(AtomicI64::new(0));
        let shown = clock.clone();
        let here = move || {
            let seconds = Timestamp::now().unix_seconds() + shown.load(Ordering::SeqCst);
            Timestamp::from_unix_seconds(seconds).unwrap()
        };
        let setup = Setup { insurer: Box::new(|settings| settings.with_clock(here)), ..Setup::default() };
        let sites = TwoSites::with(setup);
        let claim = sites.claim_at_insurer();
        let package = sites.export(&claim).unwrap().package.id;
        clock.store(jump, Ordering::SeqCst);
        let insurer = &sites.insurer.exchange;
        let run = insurer.send_due(at(0), &()).unwrap();
        assert_eq!(run.failed[0].1.kind(), ErrorKind::Replayed, "{jump}");
        let waits = insurer.outgoing(package).unwrap();
        assert_eq!((waits.state, waits.retry_at), (OutgoingState::Queued, run.next_due), "{jump}");
        let said = waits.last_error.unwrap().message;
        assert!(said.contains("clock"), "{said}");

        clock.store(0, Ordering::SeqCst);
        let run = insurer.send_due(run.next_due.unwrap(), &()).unwrap();
        assert_eq!(run.sent[0].state, OutgoingState::Delivered, "{jump}");
    }
}

#[test]
fn ids_are_of_the_exchanges_clock_and_grow_when_it_is_set_back() {
    let clock = Arc::new(AtomicI64::new(0));
    let shown = clock.clone();
    let here = move || Timestamp::from_unix_seconds(shown.load(Ordering::SeqCst)).unwrap();
    let setup = Setup { insurer: Box::new(|settings| settings.with_clock(here)), ..Setup::default() };
    let sites = TwoSites::with(setup);
    let claim = sites.claim_at_insurer();
    let second = |package: PackageId| {
        let digits: String = package.to_string().chars().filter(char::is_ascii_hexdigit).take(12).collect();
        i64::from_str_radix(&digits, 16).unwrap() / 1000
    };
    let mut notes = 0;
    let exported = [2_000_000_000, 2_000_000_000, 1_000_000_000, 2_000_000_060].map(|now| {
        clock.store(now, Ordering::SeqCst);
        notes += 1;
        add_note(&sites.insurer, &claim, &format!("N-{notes}"), "More.");
        let package = sites.export(&claim).unwrap().package;
        assert_eq!(package.created_at.unix_seconds(), now);
        package.id
    });
    assert!(exported.is_sorted_by(|one, next| one < next), "{exported:?}");
    assert_eq!(exported.map(second), [2_000_000_000, 2_000_000_000, 2_000_000_000, 2_000_000_060]);
}

#[test]
fn a_policy_that_cannot_be_followed_is_given_to_no_partner() {
    let mut policy = RetryPolicy::for_packages();
    (policy.tries, policy.first_delay) = (0, Duration::ZERO);
    let error = claimwire::exchange::Partner::new(examiner_site(), "Examiners").retrying(policy).unwrap_err();
    assert_eq!((error.kind(), error.details().len()), (ErrorKind::InvalidSettings, 2));
}

#[test]
fn a_partner_that_asks_for_a_wait_gets_it_with_all_its_packages() {
    let dated = "Wed, 17 Mar 2100 10:00:00 GMT";
    for (asked, expected) in
        [("600", wait(600)), (dated, wait(86_400)), ("99999999", wait(86_400)), ("1", wait(30))]
    {
        let insurer = Insurer::new();
        let claims = ["C-1", "C-2"].map(|local| put_claim(&insurer.sites.insurer, local));
        let [first, second] = claims.map(|claim| insurer.export(&claim));
        insurer.line.next(&[Fate::Busy(asked)]);
        let run = insurer.pass_at(0).unwrap();
        assert_eq!((run.failed.len(), run.failed[0].0, run.held_back), (1, first, vec![second]), "{asked}");
        assert_eq!(insurer.line.seen().len(), 1, "{asked}: the partner is left alone");
        let tried = seconds(insurer.state(first).retry_at).unwrap();
        assert!(expected.contains(&tried), "{asked}: {tried}");
        let waits = insurer.state(second);
        assert_eq!((waits.attempts, waits.state), (0, OutgoingState::Queued));
        assert!(seconds(waits.retry_at).unwrap() >= asked.parse().unwrap_or(0).min(86_400), "{asked}");
        // It did not count as a try of the other one's, and both go when the time has come.
        let run = insurer.pass_at(200_000).unwrap();
        assert_eq!(run.sent.iter().map(|sent| sent.package.id).collect::<Vec<_>>(), [first, second]);
    }
}

#[test]
fn a_claim_keeps_its_order_and_holds_up_no_other() {
    let insurer = Insurer::new();
    let claims = ["C-1", "C-2"].map(|local| put_claim(&insurer.sites.insurer, local));
    let export = |claim: usize, local: &str| {
        add_note(&insurer.sites.insurer, &claims[claim], local, "More.");
        insurer.export(&claims[claim])
    };
    let packages = [export(0, "N-1"), export(1, "N-2"), export(0, "N-3"), export(1, "N-4")];
    // In doubt is not settled: the later one of its claim waits for it.
    insurer.line.next(&[Fate::AnswerIsLost]);
    let run = insurer.pass_at(0).unwrap();
    let ids =
        |run: &claimwire::exchange::SentQueue| run.sent.iter().map(|it| it.package.id).collect::<Vec<_>>();
    assert_eq!(ids(&run), [packages[1], packages[3]]);
    assert_eq!((run.failed[0].0, &run.held_back), (packages[0], &vec![packages[2]]));
    let early = insurer.pass_at(5).unwrap();
    assert!(ids(&early).is_empty() && early.failed.is_empty());
    assert_eq!(ids(&insurer.pass_at(1000).unwrap()), [packages[0], packages[2]]);
    assert_eq!(insurer.sites.examiner.new_packages(), [packages[0], packages[1], packages[3], packages[2]]);
}

#[test]
fn a_package_is_given_up_after_its_last_try_and_that_is_told_once() {
    for (fate, in_doubt) in [(Fate::Down, false), (Fate::AnswerIsLost, true)] {
        let mut insurer = Insurer::with(tries(3));
        let claim = insurer.sites.claim_at_insurer();
        let package = insurer.export(&claim);
        for (now, fates) in [(0, fate), (1000, Fate::Down), (10_000, Fate::Down)] {
            assert!(insurer.failures().is_empty());
            insurer.line.next(&[fates]);
            insurer.pass_at(now).unwrap();
        }
        let outgoing = insurer.state(package);
        assert_eq!(
            (outgoing.state, outgoing.unanswered, outgoing.untold_failure),
            (OutgoingState::Failed, in_doubt, None)
        );
        let error = outgoing.last_error.unwrap();
        assert_eq!(error.kind, "unreachable");
        let failures = insurer.failures();
        assert_eq!((failures.len(), failures[0].0), (1, package));
        let reason = &failures[0].1;
        assert!(reason.contains("given up after 3 tries in 166 minutes"), "{reason}");
        assert!(reason.contains("Medical Examiners") && reason.contains("send it again"), "{reason}");
        assert_eq!(reason.contains("not known"), in_doubt, "{reason}");

        insurer.restart();
        assert!(insurer.pass_at(20_000).unwrap().next_due.is_none());
        assert_eq!(insurer.failures().len(), 1, "told once");
        insurer.line.seen();
        assert_eq!(insurer.exchange().send(package, &()).unwrap().state, OutgoingState::Delivered);
        assert_eq!(insurer.line.seen(), [if in_doubt { "GET" } else { "POST" }]);
        assert_eq!(insurer.sites.examiner.new_packages(), [package]);
    }
}

/// An insurer that gives up after 50 minutes, and a package of each of two claims.
fn given_up_after_3000() -> (Insurer, [PackageId; 2]) {
    let mut policy = RetryPolicy::for_packages();
    policy.max_age = Duration::from_secs(3000);
    let insurer = Insurer::with(policy);
    let claims = ["C-1", "C-2"].map(|local| put_claim(&insurer.sites.insurer, local));
    let packages = claims.map(|claim| insurer.export(&claim));
    (insurer, packages)
}

#[test]
fn packages_are_given_up_when_their_time_is_over() {
    let (insurer, packages) = given_up_after_3000();
    let (mut now, mut passes) = (Some(0), 0);
    while let Some(due) = now {
        insurer.line.next(&[Fate::Down, Fate::Down]);
        now = seconds(insurer.pass_at(due).unwrap().next_due).map(|due| due + 1);
        passes += 1;
        assert!(passes < 20, "it ends");
    }
    let failed: Vec<PackageId> = insurer.failures().into_iter().map(|(package, _)| package).collect();
    assert_eq!(failed, packages);
    // A partner that is away is tried with one package, and with the next one when that is given up.
    let [first, second] = packages.map(|package| insurer.state(package).attempts);
    assert!(first > second && second > 0, "{first}, {second}");
}

#[test]
fn a_package_that_only_waited_for_its_partner_is_given_up_too() {
    let (insurer, [first, second]) = given_up_after_3000();
    insurer.line.next(&[Fate::Refused, Fate::Down]);
    insurer.pass_at(0).unwrap();
    insurer.exchange().replay(first, "dana").unwrap();
    insurer.line.next(&[Fate::Down]);
    let run = insurer.pass_at(2990).unwrap();
    assert_eq!((run.failed[0].0, run.held_back), (first, vec![second]));
    let waited = insurer.state(second);
    assert_eq!((waited.state, waited.attempts), (OutgoingState::Failed, 1));
    assert!(waited.last_error.unwrap().message.contains("given up after 1 tries"));
    assert_eq!(insurer.failures().last().unwrap().0, second);
}

#[test]
fn a_failure_that_a_dying_process_did_not_tell_is_told_at_the_next_start() {
    let mut insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let package = insurer.export(&claim);
    insurer.line.next(&[Fate::Refused]);
    *insurer.deaf.lock().unwrap() = true;
    assert!(insurer.pass_at(0).is_none());
    assert_eq!(insurer.state(package).state, OutgoingState::Failed);
    assert!(insurer.failures().is_empty());
    *insurer.deaf.lock().unwrap() = false;
    for _ in 0..2 {
        insurer.restart();
        assert_eq!(insurer.failures().len(), 1);
    }
    assert!(insurer.failures()[0].1.contains("HTTP 403"), "{:?}", insurer.failures());
    assert_eq!(insurer.state(package).untold_failure, None);
}

#[test]
fn while_a_partner_is_paused_nothing_is_due_and_its_time_stands_still() {
    let insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let package = insurer.export(&claim);
    insurer.line.next(&[Fate::Down]);
    insurer.pass_at(0).unwrap();
    insurer.exchange().pause(&examiner_site()).unwrap();
    insurer.line.seen();
    let paused = insurer.pass_at(100).unwrap();
    assert!(paused.sent.is_empty() && paused.next_due.is_none() && insurer.line.seen().is_empty());
    assert_eq!(insurer.state(package).retry_at, None);
    // Longer than the policy would let it wait.
    let month = 30 * 24 * 3600;
    insurer.pass_at(month).unwrap();
    insurer.exchange().resume(&examiner_site()).unwrap();
    insurer.line.next(&[Fate::Down]);
    insurer.pass_at(month).unwrap();
    assert_eq!(insurer.state(package).state, OutgoingState::Queued);
    assert_eq!(insurer.pass_at(month + 1000).unwrap().sent[0].package.id, package);
}

#[test]
fn a_caller_that_stops_costs_no_time_and_gives_nothing_up() {
    let insurer = Insurer::with(tries(1));
    let claim = insurer.sites.claim_at_insurer();
    let package = insurer.export(&claim);
    let stop = |_: u64| std::ops::ControlFlow::Break(());
    let run = insurer.exchange().send_due(at(0), &stop).unwrap();
    assert_eq!(run.failed[0].1.kind(), ErrorKind::Cancelled);
    let stopped = insurer.state(package);
    assert_eq!((stopped.state, stopped.retry_at, stopped.unanswered), (OutgoingState::Queued, None, false));
    assert_eq!(insurer.pass_at(0).unwrap().sent[0].state, OutgoingState::Delivered);
}

#[test]
fn a_delivered_package_is_sent_again_on_purpose_and_arrives_once() {
    let insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let package = insurer.export(&claim);
    assert_eq!(insurer.exchange().replay(package, "dana").unwrap_err().kind(), ErrorKind::WrongState);
    let first = insurer.pass_at(0).unwrap().sent.remove(0).receipt;
    insurer.line.seen();
    let queued = insurer.exchange().replay(package, "dana").unwrap();
    assert_eq!((queued.state, queued.attempts), (OutgoingState::Queued, 0));
    let again = insurer.pass_at(0).unwrap().sent.remove(0);
    assert_eq!((insurer.line.seen(), again.state), (vec!["POST".to_owned()], OutgoingState::Delivered));
    assert_eq!(again.receipt, first, "since when it is held stays proved");
    assert!(again.last_receipt.is_some());
    assert_eq!(insurer.sites.examiner.new_packages(), [package]);
    let history = insurer.exchange().history(&HistoryQuery::new().package(package)).unwrap();
    let requeued = history.iter().find(|entry| entry.step == Step::Requeued).unwrap();
    assert_eq!(requeued.by, "dana");
    // What was unpacked there stays so, and is told so.
    insurer.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    insurer.exchange().replay(package, "dana").unwrap();
    assert_eq!(insurer.pass_at(0).unwrap().sent[0].state, OutgoingState::Unpacked);
}

#[test]
fn a_partner_that_was_set_back_gets_what_it_forgot_in_its_order() {
    let mut insurer = Insurer::new();
    let claim = insurer.sites.claim_at_insurer();
    let kept = insurer.export(&claim);
    insurer.pass_at(0).unwrap();
    // The examiner's backup has the first package alone.
    let backup = tempfile::tempdir().unwrap();
    copy_folder(&insurer.sites.examiner.folder.join("exchange"), backup.path());
    let since = insurer.state(kept).updated_at;
    let mut lost = Vec::new();
    for round in 0..3 {
        add_note(&insurer.sites.insurer, &claim, &format!("N-{round}"), "More.");
        lost.push(insurer.export(&claim));
        insurer.pass_at(0).unwrap();
    }
    insurer.sites.examiner.exchange.reject(lost[2], "front desk", "not ours").unwrap();
    insurer.exchange().poll(lost[2]).unwrap();

    let keys = insurer.sites.keys.clone();
    let partner = claimwire::exchange::Partner::new(insurer_site(), "Northern Mutual")
        .open_with(1, keys.legacy)
        .verify_with(keys.insurer_signs.verifying_key());
    let cases = insurer.sites.examiner.cases.clone();
    let settings = claimwire::exchange::ExchangeSettings::new(
        examiner_site(),
        backup.path(),
        keys.examiner_signs,
        cases,
    );
    let restored = claimwire::exchange::Exchange::open(settings.with_partner(partner)).unwrap();
    insurer.line = line::Line::to(&restored);
    insurer.restart();
    let none = insurer.exchange().replay_since(&examiner_site(), at(1000), "dana").unwrap();
    assert!(none.is_empty());
    let queued = insurer.exchange().replay_since(&examiner_site(), since, "dana").unwrap();
    assert_eq!(queued, [kept, lost[0], lost[1]], "a rejection is final");
    insurer.pass_at(0).unwrap();
    let arrived = restored.incoming_packages(&Default::default()).unwrap();
    assert_eq!(arrived.iter().map(|incoming| incoming.id).collect::<Vec<_>>(), queued);
    assert_eq!(insurer.exchange().replay(lost[2], "dana").unwrap_err().kind(), ErrorKind::WrongState);
    let unknown = insurer.exchange().replay(PackageId::generate(), "dana").unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownPackage);
}

#[test]
fn the_worker_sends_what_is_exported_and_ends_when_it_is_dropped() {
    let (told, events) = std::sync::mpsc::channel();
    let sites = TwoSites::with(Setup {
        insurer: Box::new(|settings| settings.on_event(move |event| drop(told.send(event.clone())))),
        ..Setup::default()
    });
    let delivered = |package: PackageId| loop {
        let event = events.recv_timeout(Duration::from_secs(60)).expect("the event comes");
        if matches!(event, Event::Delivered { .. }) && event.package() == package {
            return;
        }
    };
    let claim = sites.claim_at_insurer();
    let before = sites.export(&claim).unwrap().package.id;
    let worker = sites.insurer.exchange.start_outbox().unwrap();
    delivered(before);
    add_note(&sites.insurer, &claim, "N-2", "More.");
    delivered(sites.export(&claim).unwrap().package.id);
    sites.insurer.exchange.pause(sites.examiner.site()).unwrap();
    add_note(&sites.insurer, &claim, "N-3", "More.");
    let waits = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.resume(sites.examiner.site()).unwrap();
    delivered(waits);
    drop(worker);
    add_note(&sites.insurer, &claim, "N-4", "More.");
    let stays = sites.export(&claim).unwrap().package.id;
    assert_eq!(sites.insurer.exchange.outgoing(stays).unwrap().state, OutgoingState::Queued);
}
