//! A case system that is at work on one claim: other claims go on, and of that one claim, or package, all else waits.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Far longer than anything here takes, so that whoever waits for it has failed.
const FAR_OFF: Duration = Duration::from_secs(120);

/// Packages that wait at the examiner, one of each claim.
fn waiting(sites: &TwoSites, claims: &[&str]) -> Vec<(ExchangeId, PackageId)> {
    let sent = |name: &&str| {
        let claim = put_claim(&sites.insurer, name);
        let package = sites.export(&claim).unwrap().package.id;
        sites.insurer.exchange.send(package, &()).unwrap();
        (claim, package)
    };
    claims.iter().map(sent).collect()
}

#[test]
fn two_claims_are_applied_side_by_side() {
    let sites = TwoSites::new();
    let packages = waiting(&sites, &["C-1", "C-2"]);
    let disk = Disk::of_examiner(&sites);
    let (at_work, one_more) = (Mutex::new(0), Condvar::new());
    let meet = move |_: &ExchangeId| {
        let mut count = at_work.lock().unwrap();
        *count += 1;
        one_more.notify_all();
        let (_count, late) = one_more.wait_timeout_while(count, FAR_OFF, |count| *count < 2).unwrap();
        match late.timed_out() {
            true => Err(Error::new(ErrorKind::CaseSystem, "the other claim is kept waiting")),
            false => Ok(()),
        }
    };
    let examiner = disk.opened_with(&sites, Says(sites.examiner.cases.clone(), When::Before, meet));
    std::thread::scope(|scope| {
        let unpack = |package| examiner.unpack(package, "front desk", &()).unwrap().claim;
        let threads: Vec<_> =
            packages.iter().map(|(_, package)| scope.spawn(move || unpack(*package))).collect();
        for (thread, (claim, _)) in threads.into_iter().zip(&packages) {
            assert_eq!(thread.join().unwrap(), *claim);
        }
    });
    assert!(packages.iter().all(|(claim, _)| sites.examiner.file(claim).claim.id == *claim));
}

#[test]
fn two_packages_of_one_claim_are_applied_one_after_the_other() {
    let sites = TwoSites::new();
    let (claim, first) = waiting(&sites, &["C-1"]).remove(0);
    add_note(&sites.insurer, &claim, "N-9", "The right one, too.");
    let second = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(second, &()).unwrap();
    let disk = Disk::of_examiner(&sites);
    let is_at_work = Arc::new(AtomicBool::new(false));
    let alone = move |_: &ExchangeId| {
        assert!(!is_at_work.swap(true, Ordering::SeqCst), "the claim is applied twice at once");
        (0..1000).for_each(|_| std::thread::yield_now());
        is_at_work.store(false, Ordering::SeqCst);
        Ok(())
    };
    let examiner = disk.opened_with(&sites, Says(sites.examiner.cases.clone(), When::Before, alone));
    std::thread::scope(|scope| {
        for package in [first, second, first, second] {
            let examiner = &examiner;
            scope.spawn(move || examiner.unpack(package, "front desk", &()).unwrap());
        }
    });
    assert_eq!(sites.examiner.file(&claim).notes.len(), 2, "the later one counts, whichever came first");
}

#[test]
fn what_is_of_another_claim_goes_on_and_a_rejection_of_this_one_comes_after_it() {
    let sites = TwoSites::new();
    let packages = waiting(&sites, &["C-1", "C-2", "C-3"]);
    let disk = Disk::of_examiner(&sites);
    let ((entered, is_in), (release, released)) = (channel(), channel());
    let released = Mutex::new(released);
    let slow = packages[0].0.clone();
    let gate = move |claim: &ExchangeId| {
        if *claim == slow {
            entered.send(()).unwrap();
            released.lock().unwrap().recv_timeout(FAR_OFF).unwrap();
        }
        Ok(())
    };
    let examiner = disk.opened_with(&sites, Says(sites.examiner.cases.clone(), When::Before, gate));
    let [(_, slow), (claim, quick), (_, unwanted)] = &packages[..] else { panic!() };
    std::thread::scope(|scope| {
        let unpacking = scope.spawn(|| examiner.unpack(*slow, "front desk", &()).unwrap());
        is_in.recv().unwrap();
        examiner.unpack(*quick, "front desk", &()).unwrap();
        assert_eq!(examiner.mark_viewed(claim, "front desk").unwrap(), [*quick]);
        examiner.reject(*unwanted, "front desk", "not ours").unwrap();
        let rejecting = scope.spawn(|| examiner.reject(*slow, "front desk", "not ours"));
        release.send(()).unwrap();
        unpacking.join().unwrap();
        let error = rejecting.join().unwrap().unwrap_err();
        assert!(error.to_string().contains("was unpacked here"), "{error}");
    });
    let states = packages.iter().map(|(_, package)| examiner.incoming(*package).unwrap().state);
    let expected = [IncomingState::Unpacked, IncomingState::Unpacked, IncomingState::Rejected];
    assert_eq!(states.collect::<Vec<_>>(), expected);
}
