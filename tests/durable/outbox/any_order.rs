//! Exports, passes over the queue, time and deaths of the process in any order: each package arrives once, in the order
//! of its claim.

use super::line::{Fate, Insurer, seconds, tries};
use crate::support::{add_note, put_claim, stored};
use claimwire::ledger::OutgoingState;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Happens {
    Export(usize),
    /// A pass over the queue, whose requests have these fates.
    Pass(Vec<Fate>),
    /// A person sends one of the packages at once.
    Send(usize, Fate),
    Restart,
    Wait(i64),
    Pause,
    Resume,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Arrives),
        2 => Just(Fate::AnswerIsLost),
        2 => Just(Fate::Breaks),
        1 => Just(Fate::Down),
        1 => Just(Fate::GatewayTimeout),
        1 => Just(Fate::Busy("120")),
        1 => Just(Fate::Dies),
        2 => Just(Fate::DiesAfterwards),
    ]
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => (0usize..2).prop_map(Happens::Export),
        5 => prop::collection::vec(fate(), 0..5).prop_map(Happens::Pass),
        1 => (any::<usize>(), fate()).prop_map(|(pick, fate)| Happens::Send(pick, fate)),
        1 => Just(Happens::Restart),
        3 => (1i64..4000).prop_map(Happens::Wait),
        1 => Just(Happens::Pause),
        1 => Just(Happens::Resume),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn each_package_arrives_once_whatever_dies_and_breaks(story in prop::collection::vec(happens(), 1..24)) {
        let mut insurer = Insurer::with(tries(10_000));
        let to = insurer.sites.examiner.site().clone();
        let claims = ["C-1", "C-2"].map(|local| put_claim(&insurer.sites.insurer, local));
        let (mut exported, mut now, mut by_hand) = (Vec::new(), 0, false);
        for (number, event) in story.into_iter().enumerate() {
            match event {
                Happens::Export(claim) => {
                    add_note(&insurer.sites.insurer, &claims[claim], &format!("N-{number}"), "More.");
                    exported.push((claim, insurer.export(&claims[claim])));
                }
                Happens::Pass(fates) => {
                    insurer.line.next(&fates);
                    if insurer.pass_at(now).is_none() {
                        insurer.restart();
                    }
                }
                Happens::Send(pick, fate) if !exported.is_empty() => {
                    by_hand = true;
                    insurer.line.next(&[fate]);
                    let (_, package) = exported[pick % exported.len()];
                    let exchange = insurer.exchange().clone();
                    let send = std::panic::AssertUnwindSafe(|| exchange.send(package, &()).is_ok());
                    let died = std::panic::catch_unwind(send).is_err();
                    drop(exchange);
                    if died {
                        insurer.restart();
                    }
                }
                Happens::Send(..) => {}
                Happens::Restart => insurer.restart(),
                Happens::Wait(seconds) => now += seconds,
                Happens::Pause => insurer.exchange().pause(&to).unwrap(),
                Happens::Resume => insurer.exchange().resume(&to).unwrap(),
            }
        }
        insurer.line.next(&[]);
        insurer.restart();
        insurer.exchange().resume(&to).unwrap();
        let mut passes = 0;
        let mut due = Some(now);
        while let Some(now) = due {
            due = seconds(insurer.pass_at(now).unwrap().next_due).map(|due| due.max(now) + 1);
            passes += 1;
            prop_assert!(passes < 50, "it comes to an end");
        }
        for (_, package) in &exported {
            prop_assert_eq!(insurer.state(*package).state, OutgoingState::Delivered);
        }
        // Each was announced once, and in the order of its claim unless a person sent one ahead.
        let announced = insurer.sites.examiner.new_packages();
        prop_assert_eq!(announced.len(), exported.len());
        prop_assert_eq!(stored(&insurer.sites.examiner).len(), exported.len());
        let claim_of: BTreeMap<_, _> = exported.iter().map(|(claim, package)| (*package, *claim)).collect();
        for claim in 0..claims.len() {
            let mut came: Vec<_> = announced.iter().filter(|package| claim_of[package] == claim).collect();
            let sent: Vec<_> = exported.iter().filter(|it| it.0 == claim).map(|it| &it.1).collect();
            if by_hand {
                came.sort_by_key(|package| sent.iter().position(|known| known == package));
            }
            prop_assert_eq!(came, sent);
        }
    }
}
