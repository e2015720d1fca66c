//! What a process that died, or two steps at once, may leave: half-made files are swept, promises are kept, and what
//! was lost is told.

mod side_by_side;
mod twice_at_once;

use crate::support::*;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem, StagedDocuments};
use claimwire::exchange::{Event, Exchange, ExchangeSettings, Partner};
use claimwire::ledger::{HistoryQuery, IncomingState, OutgoingState, Step};
use claimwire::merge::ChangeSet;
use claimwire::model::{ClaimFile, ExchangeId, PackageId};
use claimwire::transport::MemoryTransport;
use claimwire::{Error, ErrorKind};
use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Barrier, OnceLock};
use tempfile::TempDir;

/// The examiner's disk as it is at one moment: what is left when its process dies there.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn of_examiner(sites: &TwoSites) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&sites.examiner.folder.join("exchange"), folder.path());
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn names_in(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The examiner, started again on this disk.
    fn opened(&self, sites: &TwoSites) -> Exchange {
        self.opened_with(sites, sites.examiner.cases.clone())
    }

    fn opened_with(&self, sites: &TwoSites, cases: impl CaseSystem + 'static) -> Exchange {
        let keys = sites.keys.clone();
        let partner = Partner::new(insurer_site(), "Northern Mutual")
            .open_with(1, keys.legacy)
            .verify_with(keys.insurer_signs.verifying_key());
        let folder = self.folder.path();
        let settings = ExchangeSettings::new(examiner_site(), folder, keys.examiner_signs, cases);
        Exchange::open(settings.with_partner(partner)).unwrap()
    }
}

#[test]
fn what_a_dead_process_left_is_swept_and_what_it_promised_is_kept() {
    let sites = TwoSites::new();
    let kept = Delivery::new(&sites, b"sealed".to_vec()).taken(&sites);
    let disk = Disk::of_examiner(&sites);
    let known = disk.names_in("inbox");
    let stray = format!("{}.0123456789abcdef.sealed", PackageId::generate());
    let same_id = format!("{kept}.0123456789abcdef.sealed");
    for name in [".incomplete-a1b2c3", stray.as_str(), same_id.as_str(), ".DS_Store"] {
        fs::write(disk.path("inbox").join(name), b"half").unwrap();
        fs::write(disk.path("outbox").join(name), b"half").unwrap();
    }
    fs::create_dir_all(disk.path("work/unpack-x1/deep")).unwrap();
    fs::write(disk.path("work/unpack-x1/deep/archive"), b"plain text of a claim").unwrap();
    fs::write(disk.path("work/archive"), b"plain text of a claim").unwrap();
    fs::create_dir_all(disk.path("inbox/unexpected/deep")).unwrap();

    let reopened = disk.opened(&sites);
    assert_eq!(disk.names_in("inbox"), known);
    assert!(disk.names_in("outbox").is_empty() && disk.names_in("work").is_empty());
    assert_eq!(reopened.incoming(kept).unwrap().state, IncomingState::Received);
}

#[cfg(unix)]
#[test]
fn a_link_that_somebody_put_there_is_swept_and_not_followed() {
    let sites = TwoSites::new();
    let disk = Disk::of_examiner(&sites);
    let precious = tempfile::tempdir().unwrap();
    fs::write(precious.path().join("ledger of the firm"), b"precious").unwrap();
    for folder in ["inbox", "outbox", "work"] {
        std::os::unix::fs::symlink(precious.path(), disk.path(folder).join("link")).unwrap();
    }
    disk.opened(&sites);
    for folder in ["inbox", "outbox", "work"] {
        assert!(disk.names_in(folder).is_empty());
    }
    assert_eq!(fs::read(precious.path().join("ledger of the firm")).unwrap(), b"precious");
}

#[test]
fn a_package_that_was_received_before_the_crash_is_unpacked_after_it() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let disk = Disk::of_examiner(&sites);
    let reopened = disk.opened(&sites);
    reopened.unpack(package, "front desk", &()).unwrap();
    assert_eq!(sites.examiner.file(&claim).claim.claim_number.as_deref(), Some("C-1"));
    let history = reopened.history(&HistoryQuery::new().package(package)).unwrap();
    let steps: Vec<Step> = history.into_iter().map(|entry| entry.step).collect();
    assert_eq!(steps, [Step::Received, Step::Notified, Step::Unpacked, Step::Acknowledged]);
}

#[test]
fn an_unpack_that_died_between_the_claim_and_the_ledger_is_done_again_to_the_same_effect() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    // The claim is in the case system; the ledger on this disk does not know it yet.
    let disk = Disk::of_examiner(&sites);
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    let applied = sites.examiner.file(&claim);

    let reopened = disk.opened(&sites);
    assert_eq!(reopened.incoming(package).unwrap().state, IncomingState::Received);
    let again = reopened.unpack(package, "front desk", &()).unwrap();
    assert!(again.changes.is_empty() && !again.superseded);
    assert_eq!(reopened.incoming(package).unwrap().state, IncomingState::Unpacked);
    assert_eq!(sites.examiner.file(&claim), applied);
}

/// A case system that says what it is told to say, if anything, before it takes a change or after.
struct Says<S>(Arc<SqliteCaseSystem>, When, S);

#[derive(PartialEq)]
enum When {
    Before,
    After,
}

impl<S: Fn(&ExchangeId) -> claimwire::Result<()> + Send + Sync> CaseSystem for Says<S> {
    fn load(&self, claim: &ExchangeId) -> claimwire::Result<Option<ClaimFile>> {
        self.0.load(claim)
    }

    fn open_document(
        &self,
        claim: &ExchangeId,
        document: &ExchangeId,
    ) -> claimwire::Result<Box<dyn Read + Send>> {
        self.0.open_document(claim, document)
    }

    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> claimwire::Result<()> {
        if self.1 == When::Before {
            (self.2)(&changes.claim)?;
        }
        self.0.apply(changes, documents, by)?;
        if self.1 == When::After { (self.2)(&changes.claim) } else { Ok(()) }
    }
}

/// It does not live to say so.
fn dies(_: &ExchangeId) -> claimwire::Result<()> {
    panic!("the process dies");
}

/// It does not know that it did.
fn is_unsure(_: &ExchangeId) -> claimwire::Result<()> {
    Err(Error::new(ErrorKind::TimedOut, "the case system did not answer in time"))
}

#[test]
fn a_package_that_a_dying_process_may_have_applied_is_not_rejected() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let disk = Disk::of_examiner(&sites);
    let dying = disk.opened_with(&sites, Says(sites.examiner.cases.clone(), When::After, dies));
    let unpack = AssertUnwindSafe(|| dying.unpack(package, "front desk", &()).map(drop));
    assert!(catch_unwind(unpack).is_err());
    drop(dying);

    let reopened = disk.opened(&sites);
    let before = reopened.incoming(package).unwrap();
    assert_eq!((before.state, before.applying), (IncomingState::Received, true));
    let error = reopened.reject(package, "front desk", "not ours").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert!(error.to_string().contains("unpack it again"), "{error}");
    assert!(reopened.unpack(package, "front desk", &()).unwrap().changes.is_empty());
    let after = reopened.incoming(package).unwrap();
    assert_eq!((after.state, after.applying), (IncomingState::Unpacked, false));
}

#[test]
fn a_package_of_which_the_case_system_does_not_know_whether_it_took_it_is_not_rejected() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let disk = Disk::of_examiner(&sites);
    let examiner = disk.opened_with(&sites, Says(sites.examiner.cases.clone(), When::After, is_unsure));
    examiner.unpack(package, "front desk", &()).unwrap_err();
    assert!(examiner.incoming(package).unwrap().applying);
    let error = examiner.reject(package, "front desk", "not ours").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    drop(examiner);
    let reopened = disk.opened(&sites);
    assert!(reopened.unpack(package, "front desk", &()).unwrap().changes.is_empty());
    assert!(!reopened.incoming(package).unwrap().applying);
}

#[test]
fn notes_that_may_have_been_applied_are_not_rejected() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    let disk = Disk::of_examiner(&sites);
    let examiner = disk.opened_with(&sites, Says(sites.examiner.cases.clone(), When::After, is_unsure));
    let insurer = &sites.insurer.exchange;
    let partner = Partner::clone(&insurer.partner(&examiner_site()).unwrap());
    insurer.set_partner(partner.reached_by(MemoryTransport::new(Arc::new(examiner.clone()))));
    add_note(&sites.insurer, &claim, "N-2", "The knee again.");
    let notes = insurer.export_notes(&claim, &examiner_site(), "dana").unwrap().package.id;
    insurer.send(notes, &()).unwrap_err();
    let applied = sites.examiner.file(&claim);
    assert_eq!(applied.notes.len(), 2);
    let waits = examiner.incoming(notes).unwrap();
    assert_eq!((waits.state, waits.applying), (IncomingState::Received, true));
    let error = examiner.reject(notes, "front desk", "not ours").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert!(error.to_string().contains("unpack it again"), "{error}");

    insurer.remove_partner(&examiner_site());
    drop(examiner);
    let reopened = disk.opened(&sites);
    let after = reopened.incoming(notes).unwrap();
    assert_eq!((after.state, after.applying), (IncomingState::Unpacked, false));
    assert_eq!(sites.examiner.file(&claim), applied);
}

#[test]
fn a_package_that_the_case_system_refused_can_be_rejected() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let disk = Disk::of_examiner(&sites);
    let cases = tempfile::tempdir().unwrap();
    let down = Flaky::open(cases.path());
    down.goes_down();
    let examiner = disk.opened_with(&sites, down);
    examiner.unpack(package, "front desk", &()).unwrap_err();
    assert!(!examiner.incoming(package).unwrap().applying);
    examiner.reject(package, "front desk", "not ours").unwrap();
}

#[test]
fn a_received_package_whose_bytes_are_gone_is_told_as_lost() {
    let known = Known::new();
    let parts = Parts::new();
    let delivery = Delivery::of_archive(&known.sites, parts.id(), &parts.archive(), 1);
    let package = delivery.taken(&known.sites);
    let examiner = &known.sites.examiner;
    let path = examiner.folder.join("exchange/inbox").join(examiner.exchange.incoming(package).unwrap().file);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let error = known.refuses(package, ErrorKind::StoreDamaged);
    let said = error.to_string();
    assert!(said.contains(&package.to_string()) && said.contains("restore"), "{said}");
    assert!(!error.is_retryable());
    // The ledger still knows what it promised, and a repeated delivery still gets that word.
    assert_eq!(delivery.post(&known.sites).status(), 200);
    fs::write(&path, bytes).unwrap();
    examiner.exchange.unpack(package, "front desk", &()).unwrap();
}

/// Changes the sealed bytes in the insurer's outbox, and expects that nothing of them is sent.
#[track_caller]
fn outbox_damaged(damage: impl FnOnce(&PathBuf)) {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let path = sealed_path(&sites.insurer, "outbox");
    let bytes = fs::read(&path).unwrap();
    damage(&path);
    let error = sites.insurer.exchange.send(package, &()).unwrap_err();
    let said = error.to_string();
    assert_eq!(error.kind(), ErrorKind::StoreDamaged, "{said}");
    assert!(said.contains("Independent Medical Examiners") && said.contains("restore"), "{said}");
    let outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Failed);
    assert_eq!(outgoing.last_error.unwrap().kind, "store-damaged");
    assert!(stored(&sites.examiner).is_empty());
    assert!(sites.examiner.new_packages().is_empty());
    // Restored, the same package goes out.
    fs::write(&path, bytes).unwrap();
    assert_eq!(sites.insurer.exchange.send(package, &()).unwrap().state, OutgoingState::Delivered);
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
}

#[test]
fn an_exported_package_whose_bytes_are_gone_is_told_as_lost() {
    outbox_damaged(|path| fs::remove_file(path).unwrap());
}

#[test]
fn an_exported_package_that_was_cut_or_changed_on_disk_is_told_as_damaged() {
    outbox_damaged(|path| fs::write(path, &fs::read(path).unwrap()[..16]).unwrap());
    outbox_damaged(|path| fs::write(path, [fs::read(path).unwrap(), vec![0]].concat()).unwrap());
    outbox_damaged(|path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[20] ^= 1;
        fs::write(path, bytes).unwrap();
    });
}

#[test]
fn a_send_that_died_before_its_answer_is_sent_again_and_arrives_once() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let outgoing = sites.export(&claim).unwrap();
    let package = outgoing.package.id;
    // The package reached the examiner, but the insurer's process died before it saw the answer.
    let sealed = fs::read(sealed_path(&sites.insurer, "outbox")).unwrap();
    Delivery::new(&sites, sealed).with(|it| it.envelope.package_id = package).taken(&sites);
    assert_eq!(sites.insurer.exchange.send(package, &()).unwrap().state, OutgoingState::Delivered);
    assert_eq!(sites.examiner.new_packages(), [package]);
    assert_eq!(steps(&sites.examiner, package), [Step::Received, Step::Notified]);
}

#[test]
fn a_word_that_overtakes_the_receipt_is_not_undone_by_it() {
    // The examiner unpacks the moment it is told, and says so before its answer to the delivery is back.
    let this: Arc<OnceLock<Exchange>> = Arc::default();
    let unpacker = this.clone();
    let sites = TwoSites::with(Setup {
        examiner: Box::new(|settings| {
            settings.on_event(move |event| {
                if let Event::NewPackage { package, .. } = event {
                    unpacker.get().unwrap().unpack(*package, "robot", &()).unwrap();
                }
            })
        }),
        ..Setup::default()
    });
    assert!(this.set(sites.examiner.exchange.clone()).is_ok());
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    assert_eq!(sites.insurer.exchange.send(package, &()).unwrap().state, OutgoingState::Unpacked);
    let outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Unpacked);
    assert!(outgoing.receipt.is_some() && outgoing.last_receipt.is_some());
}

#[test]
fn two_sends_at_once_deliver_once() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let send = || sites.insurer.exchange.send(package, &()).unwrap().state;
    std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(send));
        for thread in threads {
            assert_eq!(thread.join().unwrap(), OutgoingState::Delivered);
        }
    });
    assert_eq!(sites.examiner.new_packages(), [package]);
    assert_eq!(steps(&sites.examiner, package), [Step::Received, Step::Notified]);
    assert_eq!(stored(&sites.examiner).len(), 1);
    let events = sites.insurer.events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Delivered { .. })).count(), 1);
    let delivered = steps(&sites.insurer, package).into_iter().filter(|step| *step == Step::Delivered);
    assert_eq!(delivered.count(), 1);
}

#[test]
fn two_unpacks_at_once_apply_once() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let changed: usize = std::thread::scope(|scope| {
        let unpack = || sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(unpack)).collect();
        threads.into_iter().map(|t| usize::from(!t.join().unwrap().changes.is_empty())).sum()
    });
    assert_eq!(changed, 1);
    let unpacked = steps(&sites.examiner, package).into_iter().filter(|step| *step == Step::Unpacked).count();
    assert_eq!(unpacked, 1);
    assert!(is_tidy(&sites.examiner));
}

#[test]
fn one_word_that_comes_in_twice_at_once_is_told_once() {
    for _ in 0..10 {
        let sites = TwoSites::new();
        let claim = sites.claim_at_insurer();
        let outgoing = sites.export(&claim).unwrap();
        let package = outgoing.package.id;
        sites.insurer.exchange.send(package, &()).unwrap();
        let word = word_on(package, &outgoing.sha256);
        let meet = Barrier::new(2);
        let tell = || {
            let (request, json) = receipt_request(&word, &sites.keys.examiner_signs);
            meet.wait();
            assert_eq!(post(&sites.insurer, &request, &json).status(), 204);
        };
        std::thread::scope(|scope| {
            scope.spawn(tell);
            scope.spawn(tell);
        });
        let events = sites.insurer.events.lock().unwrap();
        let told = events.iter().filter(|event| matches!(event, Event::Unpacked { .. })).count();
        assert_eq!(told, 1);
        let unpacked = steps(&sites.insurer, package).into_iter().filter(|step| *step == Step::Unpacked);
        assert_eq!(unpacked.count(), 1);
    }
}
