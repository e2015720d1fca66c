//! The lists that a user of an exchange has: the history of a claim, of an assessment, of notes, in both directions, by
//! person, step and time; and the export list, with what each package's recipient said of it.

use crate::support::*;
use claimwire::ledger::{Direction, HistoryEntry, HistoryQuery, OutgoingState, PackageQuery, Step};
use claimwire::merge::ConflictPolicy;
use claimwire::model::{Assessment, ExchangeId, PackageId, PackageKind};
use claimwire::protocol::{Disposition, ReceiptState};

fn history(side: &Side, query: &HistoryQuery) -> Vec<HistoryEntry> {
    side.exchange.history(query).unwrap()
}

fn steps(side: &Side, query: &HistoryQuery) -> Vec<Step> {
    history(side, query).into_iter().map(|entry| entry.step).collect()
}

/// Claim C-1 with assessment A-1 went to the examiner, came back with A-2, and a note followed; C-2 was exported only.
struct Traffic {
    sites: TwoSites,
    claim: ExchangeId,
    there: PackageId,
    back: PackageId,
    notes: PackageId,
    other: ExchangeId,
}

fn assessment(side: &Side, claim: &ExchangeId, id: ExchangeId) {
    let mut file = side.file(claim);
    file.assessments.push(Assessment::new(id));
    side.cases.put(&file).unwrap();
}

fn traffic() -> Traffic {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    assessment(&sites.insurer, &claim, id("ON-INS/A-1"));
    let there = sites.deliver(&claim);
    assessment(&sites.examiner, &claim, id("IMEX/A-2"));
    add_note(&sites.examiner, &claim, "N-2", "A second look is needed.");
    let back = sites.deliver_back(&claim);
    add_note(&sites.insurer, &claim, "N-3", "Agreed.");
    let notes =
        sites.insurer.exchange.export_notes(&claim, sites.examiner.site(), "erin").unwrap().package.id;
    sites.insurer.exchange.send(notes, &()).unwrap();
    let other = put_claim(&sites.insurer, "C-2");
    sites.export(&other).unwrap();
    Traffic { sites, claim, there, back, notes, other }
}

#[test]
fn a_claim_has_its_history_in_both_directions_and_no_other_claim_s() {
    let Traffic { sites, claim, there, back, notes, other } = traffic();
    let insurer = &sites.insurer;
    let of_claim = || HistoryQuery::new().claim(claim.clone());
    let sent = [Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked];
    assert_eq!(steps(insurer, &of_claim().direction(Direction::Outgoing).kind(PackageKind::Claim)), sent);
    // Before it was opened, a package that came in belongs to no claim; its own list has all of it.
    let came_in = of_claim().direction(Direction::Incoming);
    assert_eq!(steps(insurer, &came_in), [Step::Unpacked, Step::Acknowledged]);
    let of_package = HistoryQuery::new().package(back);
    let whole = [Step::Received, Step::Notified, Step::Unpacked, Step::Acknowledged];
    assert_eq!(steps(insurer, &of_package), whole);
    let all = history(insurer, &of_claim());
    assert!(all.iter().all(|entry| [there, back, notes].contains(&entry.package)));
    assert!(all.windows(2).all(|pair| pair[0].number < pair[1].number && pair[0].at <= pair[1].at));
    assert_eq!(steps(insurer, &HistoryQuery::new().claim(other)), [Step::Exported]);
}

#[test]
fn an_assessment_has_its_history_at_both_sides() {
    let Traffic { sites, there, back, .. } = traffic();
    let packages = |side: &Side, assessment: &str| -> Vec<(PackageId, Step)> {
        let query = HistoryQuery::new().assessment(id(assessment));
        history(side, &query).into_iter().map(|entry| (entry.package, entry.step)).collect()
    };
    let first = packages(&sites.insurer, "ON-INS/A-1");
    let sent = [Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked].map(|step| (there, step));
    assert_eq!(first[..4], sent);
    assert_eq!(
        first[4..],
        [(back, Step::Unpacked), (back, Step::Acknowledged)],
        "it came back with the second"
    );
    assert_eq!(packages(&sites.insurer, "IMEX/A-2"), first[4..], "the second was not there before");
    let exported = packages(&sites.examiner, "IMEX/A-2");
    assert_eq!(exported[0], (back, Step::Exported));
    assert!(packages(&sites.insurer, "ON-INS/A-9").is_empty());
}

#[test]
fn notes_have_a_history_apart() {
    let Traffic { sites, claim, notes, .. } = traffic();
    let query = HistoryQuery::new().claim(claim).kind(PackageKind::Notes);
    let at_insurer = history(&sites.insurer, &query);
    assert_eq!(steps(&sites.insurer, &query), [Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked]);
    assert!(at_insurer.iter().all(|entry| entry.package == notes));
    let by: Vec<&str> = at_insurer.iter().map(|entry| entry.by.as_str()).collect();
    assert_eq!(by, ["erin", "erin", "erin", "IMEX"]);
    assert_eq!(steps(&sites.examiner, &query), [Step::Unpacked, Step::Notified]);
}

#[test]
fn a_history_is_found_by_person_step_and_time() {
    let Traffic { sites, back, .. } = traffic();
    let by_erin = history(&sites.insurer, &HistoryQuery::new().by("erin"));
    assert!(by_erin.iter().all(|entry| entry.kind == PackageKind::Notes) && by_erin.len() == 3);
    let unpacked = HistoryQuery::new().by("dana").steps([Step::Unpacked, Step::Superseded]);
    let found = history(&sites.insurer, &unpacked);
    assert_eq!(found.iter().map(|entry| entry.package).collect::<Vec<_>>(), [back]);
    assert_eq!(history(&sites.insurer, &unpacked.clone().from(found[0].at)), found);
    assert!(history(&sites.insurer, &unpacked.until(found[0].at)).is_empty());
    assert!(history(&sites.insurer, &HistoryQuery::new().only_failures()).is_empty());

    // An export takes the same filters.
    let mut lines = Vec::new();
    sites.insurer.exchange.export_history(&HistoryQuery::new().by("erin"), &mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(lines.lines().filter(|line| line.contains(r#""by":"erin""#)).count(), 3);
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn the_export_list_of_a_claim_tells_what_each_recipient_said() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let unpacked = sites.deliver(&claim);

    // The examiner keeps a status of its own.
    let partner = sites.examiner.exchange.partner(sites.insurer.site()).unwrap();
    let partner = claimwire::exchange::Partner::clone(&partner).settling_conflicts(ConflictPolicy::Ours);
    sites.examiner.exchange.set_partner(partner);
    for (side, status) in [(&sites.examiner, "report editing"), (&sites.insurer, "in review")] {
        let mut file = side.file(&claim);
        file.claim.status = Some(status.into());
        side.cases.put(&file).unwrap();
    }
    add_note(&sites.insurer, &claim, "N-2", "In review.");
    let changed = sites.deliver(&claim);
    add_note(&sites.insurer, &claim, "N-3", "Sent, and held.");
    let held = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(held, &()).unwrap();
    add_note(&sites.insurer, &claim, "N-4", "Not sent yet.");
    let queued = sites.export(&claim).unwrap().package.id;

    let list = sites.insurer.exchange.outgoing_packages(&PackageQuery::new().claim(claim.clone())).unwrap();
    let told: Vec<_> = list
        .iter()
        .map(|outgoing| {
            let word = outgoing.word().unwrap();
            let word = word.map(|word| (word.state, word.disposition));
            (outgoing.package.id, outgoing.state, word)
        })
        .collect();
    let (accepted, kept) = (Some(Disposition::Accepted), Some(Disposition::AcceptedWithChanges));
    assert_eq!(
        told,
        [
            (unpacked, OutgoingState::Unpacked, Some((ReceiptState::Unpacked, accepted))),
            (changed, OutgoingState::Unpacked, Some((ReceiptState::Unpacked, kept))),
            (held, OutgoingState::Delivered, Some((ReceiptState::Received, None))),
            (queued, OutgoingState::Queued, None),
        ]
    );
    assert_eq!(
        list[1].word().unwrap().unwrap().detail.as_deref(),
        Some("the recipient kept values of its own")
    );
    let by = list.iter().map(|outgoing| outgoing.package.created_by.as_str());
    assert!(by.eq(["dana"; 4]), "who exported it stands in the list");

    // By time, and page by page, the newest first.
    let since = PackageQuery::new().claim(claim).from(list[2].package.created_at);
    let newest = sites.insurer.exchange.outgoing_packages(&since.clone().newest_first().limit(1)).unwrap();
    assert_eq!(newest[0].package.id, queued);
    let next = since.newest_first().after(queued);
    assert_eq!(sites.insurer.exchange.outgoing_packages(&next).unwrap()[0].package.id, held);
    let incoming = PackageQuery::new().from(list[0].package.created_at);
    assert_eq!(sites.examiner.exchange.incoming_packages(&incoming).unwrap().len(), 3);
}

#[test]
fn a_stored_word_that_is_damaged_is_told_and_not_guessed() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    let mut outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    outgoing.last_receipt = Some("{}".into());
    let error = outgoing.word().unwrap_err();
    assert_eq!(error.kind(), claimwire::ErrorKind::StoreDamaged);
    assert!(error.to_string().contains(&package.to_string()), "{error}");
}
