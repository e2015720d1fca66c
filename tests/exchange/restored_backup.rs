//! A site that puts back a backup of its exchange folder: what it sends from then on arrives, or it is told that it did not.

use crate::support::*;
use claimwire::exchange::{Event, Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::{HistoryQuery, OutgoingState, Step};
use claimwire::model::{ExchangeId, PackageId, Timestamp};
use claimwire::transport::MemoryTransport;
use std::sync::{Arc, Mutex};

/// How the insurer's clock goes.
#[derive(Clone, Copy)]
enum Clock {
    Runs,
    /// As the clock of a machine that was put back with its disk.
    Stands(Timestamp),
}

impl Clock {
    fn set(self, settings: ExchangeSettings) -> ExchangeSettings {
        match self {
            Self::Runs => settings,
            Self::Stands(at) => settings.with_clock(move || at),
        }
    }
}

/// Two sites, and the insurer as it is after the folder of yesterday was put back.
struct Restored {
    sites: TwoSites,
    claim: ExchangeId,
    insurer: Exchange,
    events: Arc<Mutex<Vec<Event>>>,
    _disk: tempfile::TempDir,
}

impl Restored {
    /// One package that the backup knows, and three that it does not.
    fn with(clock: Clock) -> Self {
        let setup = Setup { insurer: Box::new(move |settings| clock.set(settings)), ..Setup::default() };
        let sites = TwoSites::with(setup);
        let claim = sites.claim_at_insurer();
        sites.deliver(&claim);
        let disk = tempfile::tempdir().unwrap();
        copy_folder(&sites.insurer.folder.join("exchange"), disk.path());
        for round in 0..3 {
            add_note(&sites.insurer, &claim, &format!("N-LOST-{round}"), "More.");
            sites.deliver(&claim);
        }
        let partner = Partner::clone(&sites.insurer.exchange.partner(sites.examiner.site()).unwrap());
        let signs = sites.keys.insurer_signs.clone();
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let told = events.clone();
        let settings = ExchangeSettings::new(insurer_site(), disk.path(), signs, sites.insurer.cases.clone())
            .with_partner(partner)
            .on_event(move |event| told.lock().unwrap().push(event.clone()));
        let insurer = Exchange::open(clock.set(settings)).unwrap();
        let partner = Partner::clone(&sites.examiner.exchange.partner(&insurer_site()).unwrap());
        let back = MemoryTransport::new(Arc::new(insurer.clone()));
        sites.examiner.exchange.set_partner(partner.reached_by(back));
        Self { sites, claim, insurer, events, _disk: disk }
    }

    fn export(&self, note: &str) -> PackageId {
        add_note(&self.sites.insurer, &self.claim, note, "Settle by Friday.");
        self.export_again()
    }

    fn export_again(&self) -> PackageId {
        let options = ExportOptions::by("dana");
        self.insurer.export(&self.claim, &examiner_site(), &options).unwrap().package.id
    }

    /// Sends the package and lets it be unpacked, which its sender is told; says whether it was taken for an older one.
    fn deliver(&self, package: PackageId) -> bool {
        self.insurer.send(package, &()).unwrap();
        self.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap().superseded
    }

    fn state(&self, package: PackageId) -> OutgoingState {
        self.insurer.outgoing(package).unwrap().state
    }

    fn is_at_examiner(&self, note: &str) -> bool {
        self.sites.examiner.file(&self.claim).notes.iter().any(|there| there.id.as_str().ends_with(note))
    }

    /// The reasons of the failures that the host was told of, with their packages.
    fn failures(&self) -> Vec<(PackageId, String)> {
        let events = self.events.lock().unwrap();
        let reason = |event: &Event| match event {
            Event::Failed { package, reason, .. } => Some((*package, reason.clone())),
            _ => None,
        };
        events.iter().filter_map(reason).collect()
    }
}

#[test]
fn what_is_exported_after_a_restore_arrives() {
    let it = Restored::with(Clock::Runs);
    for note in ["URGENT-1", "URGENT-2"] {
        let package = it.export(note);
        assert!(!it.deliver(package), "it is newer than what the backup does not know");
        assert!(it.is_at_examiner(note));
        assert_eq!(it.state(package), OutgoingState::Unpacked);
    }
    assert!(it.failures().is_empty());
}

#[test]
fn where_the_clock_was_set_back_too_the_host_is_told_and_the_next_export_arrives() {
    let it = Restored::with(Clock::Stands(Timestamp::now()));
    let package = it.export("URGENT-1");
    assert!(it.deliver(package) && !it.is_at_examiner("URGENT-1"));

    assert_eq!(it.state(package), OutgoingState::Rejected);
    let failures = it.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].0, package);
    assert!(failures[0].1.contains("export the claim anew"), "{}", failures[0].1);
    let history = it.insurer.history(&HistoryQuery::new().package(package)).unwrap();
    assert_eq!(history.last().unwrap().step, Step::Rejected);
    assert!(history.last().unwrap().outcome.contains("restored from a backup"));

    // Without another note: the one that it brought does not count as seen.
    let anew = it.export_again();
    assert!(!it.deliver(anew) && it.is_at_examiner("URGENT-1"));
    assert_eq!(it.state(anew), OutgoingState::Unpacked);
    // The word on the first, once more, changes nothing.
    assert_eq!(it.insurer.poll(package).unwrap().state, OutgoingState::Rejected);
    assert_eq!(it.failures().len(), 1);
}

#[test]
fn of_several_that_were_numbered_too_low_each_is_told_and_the_next_export_brings_them_all() {
    let it = Restored::with(Clock::Stands(Timestamp::now()));
    let packages = [it.export("URGENT-1"), it.export("URGENT-2")];
    for package in packages {
        assert!(it.deliver(package));
        assert_eq!(it.state(package), OutgoingState::Rejected);
    }
    assert_eq!(it.failures().len(), 2);
    let anew = it.export_again();
    assert!(!it.deliver(anew));
    assert!(it.is_at_examiner("URGENT-1") && it.is_at_examiner("URGENT-2"));
}

#[test]
fn a_package_of_the_partner_that_names_a_later_one_of_ours_is_enough() {
    let it = Restored::with(Clock::Stands(Timestamp::now()));
    let (examiner, claim) = (&it.sites.examiner, &it.claim);
    add_note(examiner, claim, "N-9", "Seen.");
    let options = ExportOptions::by("front desk");
    let package = examiner.exchange.export(claim, &insurer_site(), &options).unwrap().package.id;
    examiner.exchange.send(package, &()).unwrap();
    it.insurer.unpack(package, "dana", &()).unwrap();

    let ours = it.export("URGENT-1");
    assert!(!it.deliver(ours) && it.is_at_examiner("URGENT-1"));
    assert!(it.failures().is_empty());
}
