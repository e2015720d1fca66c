//! Passes by a clock that is wrong: far ahead, or far behind, and right again at the next one.

use super::line::{Fate, Insurer, seconds};
use crate::support::put_claim;
use claimwire::ledger::OutgoingState;
use claimwire::model::PackageId;

const MONTH: i64 = 30 * 24 * 3600;

/// An insurer with a package of each of two claims.
fn two_queued() -> (Insurer, [PackageId; 2]) {
    let insurer = Insurer::new();
    let claims = ["C-1", "C-2"].map(|local| put_claim(&insurer.sites.insurer, local));
    let packages = claims.map(|claim| insurer.export(&claim));
    (insurer, packages)
}

#[test]
fn one_pass_by_a_wrong_clock_neither_stops_the_queue_nor_gives_it_up() {
    for jump in [MONTH, -MONTH] {
        for tried_before in [false, true] {
            for fate in [Fate::Down, Fate::Busy("600"), Fate::AnswerIsLost, Fate::Dies] {
                let here = format!("{jump}, {tried_before}, {fate:?}");
                let (mut insurer, packages) = two_queued();
                if tried_before {
                    insurer.line.next(&[Fate::Down]);
                    insurer.pass_at(0).unwrap();
                }
                insurer.line.next(&[fate]);
                if insurer.pass_at(100 + jump).is_none() {
                    insurer.restart();
                }
                // Right again, and the partner is away once more: it is tried, and all stay queued.
                insurer.line.seen();
                insurer.line.next(&[Fate::Down]);
                let run = insurer.pass_at(200).unwrap();
                assert!(!insurer.line.seen().is_empty(), "{here}: something is tried");
                assert_eq!(insurer.failures(), [], "{here}");
                let due = seconds(run.next_due).unwrap();
                assert!((200..4000).contains(&due), "{here}: {due}");
                insurer.pass_at(4000).unwrap();
                let states = packages.map(|package| insurer.state(package).state);
                assert_eq!(states, [OutgoingState::Delivered; 2], "{here}");
            }
        }
    }
}

#[test]
fn a_clock_that_is_set_back_by_minutes_leaves_the_waits_as_they_are() {
    let (insurer, [first, _]) = two_queued();
    insurer.line.next(&[Fate::Busy("3600")]);
    let due = insurer.pass_at(0).unwrap().next_due;
    insurer.line.seen();
    let early = insurer.pass_at(-200).unwrap();
    assert_eq!((early.next_due, insurer.line.seen().len()), (due, 0));
    assert_eq!(insurer.state(first).retry_at, due);
}
