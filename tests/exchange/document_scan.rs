//! Documents are scanned before they are released: what an infected one, and a scanner that fails, come to; and clamd.

mod clamd;

use crate::support::*;
use claimwire::exchange::{Event, ExchangeSettings};
use claimwire::ledger::{IncomingState, OutgoingState, Step};
use claimwire::model::{ExchangeId, PackageId};
use claimwire::scan::{DocumentScan, Verdict};
use claimwire::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Two sites, of which the examiner scans with this.
fn scanning(scan: impl DocumentScan + 'static) -> TwoSites {
    TwoSites::with(Setup {
        examiner: Box::new(move |settings: ExchangeSettings| settings.with_document_scan(scan)),
        ..Setup::default()
    })
}

/// A package with a report and two pictures that the examiner holds.
fn sent(sites: &TwoSites) -> (ExchangeId, PackageId) {
    let claim = sites.claim_at_insurer();
    for (id, name, bytes) in [("D-2", "left.jpg", b"infected 1"), ("D-3", "right.jpg", b"infected 2")] {
        put_document(&sites.insurer, &claim, id, name, bytes);
    }
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    (claim, package)
}

fn finds_what_says_so(_: &ExchangeId, file: &Path) -> Result<Verdict> {
    let bytes = std::fs::read(file)?;
    Ok(if bytes.starts_with(b"infected") {
        Verdict::Infected("Test.\nFinding".into())
    } else {
        Verdict::Clean
    })
}

/// Nothing of the package reached the case system, and nothing but its sealed bytes is kept.
#[track_caller]
fn nothing_released(sites: &TwoSites, claim: &ExchangeId) {
    use claimwire::case_system::CaseSystem;
    assert!(sites.examiner.cases.load(claim).unwrap().is_none());
    assert!(is_tidy(&sites.examiner), "{:?}", stored(&sites.examiner));
}

#[test]
fn every_document_is_scanned_and_a_clean_package_is_unpacked() {
    let seen: Arc<Mutex<Vec<(String, PathBuf)>>> = Arc::default();
    let noted = seen.clone();
    let sites = scanning(move |document: &ExchangeId, file: &Path| {
        assert!(file.exists());
        noted.lock().unwrap().push((document.to_string(), file.to_owned()));
        Ok(Verdict::Clean)
    });
    let (claim, package) = sent(&sites);
    sites.examiner.exchange.preview(package, &()).unwrap();
    let previewed = std::mem::take(&mut *seen.lock().unwrap());
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    let unpacked = std::mem::take(&mut *seen.lock().unwrap());
    for seen in [previewed, unpacked] {
        let (ids, files): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
        assert_eq!(ids, ["ON-INS/D-1", "ON-INS/D-2", "ON-INS/D-3"]);
        assert!(files.iter().all(|file| !file.exists()), "they go with the unpack");
    }
    assert_eq!(sites.examiner.file(&claim).documents.len(), 3);
}

#[test]
fn an_infected_document_holds_back_the_whole_package_until_a_person_rejects_it() {
    let sites = scanning(finds_what_says_so);
    let (claim, package) = sent(&sites);
    let exchange = &sites.examiner.exchange;
    assert_eq!(exchange.preview(package, &()).unwrap_err().kind(), ErrorKind::InfectedDocument);
    let error = exchange.unpack(package, "front desk", &()).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::InfectedDocument, false));
    says(&error, &["Northern Mutual", "ON-INS/D-2", "Test. Finding", "1 more", "reject"]);
    assert!(!error.to_string().contains("infected 1"), "no content");
    let found: Vec<_> =
        error.details().iter().map(|it| (it.code.as_deref(), it.subject.as_deref())).collect();
    let code = Some("infected-document");
    assert_eq!(found, [(code, Some("ON-INS/D-2")), (code, Some("ON-INS/D-3"))]);
    nothing_released(&sites, &claim);

    let incoming = exchange.incoming(package).unwrap();
    assert_eq!(incoming.state, IncomingState::Failed);
    assert_eq!(incoming.last_error.unwrap().kind, "infected-document");
    let last = trail(&sites.examiner, package).pop().unwrap();
    assert_eq!((last.step, last.error.unwrap().details.len()), (Step::Failed, 2));
    let told = sites.examiner.events.lock().unwrap().last().cloned().unwrap();
    assert!(matches!(&told, Event::InfectedPackage { package: told, .. } if *told == package));
    assert_eq!(told.reason(), Some(error.to_string().as_str()));
    assert_eq!((told.name(), told.partner(), told.claim()), ("infected-package", sites.insurer.site(), None));

    exchange.reject(package, "front desk", "malware").unwrap();
    let outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Rejected);
    let word = outgoing.word().unwrap().unwrap();
    assert_eq!(word.details.len(), 2, "the sender is told which documents");
    assert_eq!(exchange.unpack(package, "front desk", &()).unwrap_err().kind(), ErrorKind::WrongState);
}

#[test]
fn an_infected_package_is_not_unpacked_by_itself_either() {
    let (infected, told) = std::sync::mpsc::channel();
    let sites = TwoSites::with(Setup {
        examiner_of_insurer: Box::new(|partner| partner.unpacking_automatically_as("robot")),
        examiner: Box::new(move |settings| {
            settings.with_document_scan(finds_what_says_so).on_event(move |event| {
                if matches!(event, Event::InfectedPackage { .. } | Event::UnpackFailed { .. }) {
                    infected.send(event.name()).unwrap();
                }
            })
        }),
        ..Setup::default()
    });
    let (claim, _) = sent(&sites);
    let wait = || told.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    assert_eq!([wait(), wait()], ["infected-package", "unpack-failed"]);
    nothing_released(&sites, &claim);
}

#[test]
fn a_scanner_without_a_verdict_fails_closed_and_the_package_can_be_unpacked_later() {
    let down: Arc<Mutex<Option<ErrorKind>>> = Arc::new(Mutex::new(Some(ErrorKind::Unreachable)));
    let state = down.clone();
    let sites = scanning(move |document: &ExchangeId, _: &Path| match *state.lock().unwrap() {
        Some(kind) if document.as_str() == "ON-INS/D-3" => Err(Error::new(kind, "out for lunch")),
        _ => Ok(Verdict::Clean),
    });
    let (claim, package) = sent(&sites);
    for kind in [ErrorKind::Unreachable, ErrorKind::InvalidSettings] {
        *down.lock().unwrap() = Some(kind);
        let error = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::ScanFailed, kind.is_retryable()));
        says(&error, &["ON-INS/D-3", "out for lunch", "nothing of the package was released"]);
        nothing_released(&sites, &claim);
    }
    assert!(
        !sites.examiner.events.lock().unwrap().iter().any(|it| matches!(it, Event::InfectedPackage { .. }))
    );
    *down.lock().unwrap() = None;
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert_eq!(sites.examiner.file(&claim).documents.len(), 3);
}

#[test]
fn malware_outweighs_a_scanner_that_then_fails() {
    let sites = scanning(|document: &ExchangeId, _: &Path| match document.as_str() {
        "ON-INS/D-1" => Ok(Verdict::Infected("x".repeat(5000))),
        _ => Err(Error::new(ErrorKind::Io, "gone")),
    });
    let (claim, package) = sent(&sites);
    let error = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap_err();
    assert_eq!((error.kind(), error.details().len()), (ErrorKind::InfectedDocument, 1));
    assert!(error.to_string().len() < 600, "the scanner's name of it is bounded");
    nothing_released(&sites, &claim);
}

#[test]
fn a_scan_can_be_cancelled_between_documents() {
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicU32, Ordering};
    let scanned = Arc::new(AtomicU32::new(0));
    let count = scanned.clone();
    let sites = scanning(move |_: &ExchangeId, _: &Path| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Verdict::Clean)
    });
    let (claim, package) = sent(&sites);
    let seen = scanned.clone();
    let watch = move |_: u64| match seen.load(Ordering::SeqCst) {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let error = sites.examiner.exchange.unpack(package, "front desk", &watch).unwrap_err();
    assert_eq!((error.kind(), scanned.load(Ordering::SeqCst)), (ErrorKind::Cancelled, 1));
    nothing_released(&sites, &claim);
}
