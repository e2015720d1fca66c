//! What the log says at its most verbose, and what it, errors, `Debug` and the history must never say.
#![cfg(all(feature = "sqlite", feature = "age", feature = "tracing"))]
#![allow(clippy::unwrap_used)]

mod support;

use claimwire::codec::{DesMd5Key, Framing};
use claimwire::exchange::ExportOptions;
use claimwire::ledger::HistoryQuery;
use claimwire::model::{Claim, ClaimFile, Contact, Document, ExchangeId};
use std::fmt;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use support::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Takes down every span and event of every crate, with all fields.
#[derive(Clone, Default)]
struct Everything {
    said: Arc<Mutex<String>>,
    last: Arc<AtomicU64>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Everything {
    fn note(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields<'_>)) {
        let mut said = self.said.lock().unwrap();
        write!(said, "{} {} {}", metadata.level(), metadata.target(), metadata.name()).unwrap();
        record(&mut Fields(&mut said));
        said.push('\n');
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(span.metadata(), |fields| span.record(fields));
        Id::from_u64(self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, span: &Record<'_>) {
        span.record(&mut Fields(&mut self.said.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

const PERSON: &str = "Okafor";
const PLAINTEXT: &str = "prior fracture";
const DOCUMENT: &str = "okafor-knee-xray.txt";
const POLICY: &str = "POL-778123";
const USER: &str = "d.whitfield";

/// A claim with something of a person in every record.
fn personal_claim(side: &Side) -> ExchangeId {
    let site = side.site();
    let claim = ExchangeId::new(site, "C-1").unwrap();
    let mut record = Claim::new(claim.clone());
    record.claim_number = Some("CLM-4711".into());
    record.policy_number = Some(POLICY.into());
    record.status = Some("open".into());
    let mut file = ClaimFile::new(record);
    file.notes.push(note(site, "N-1", &format!("{PERSON} has a {PLAINTEXT}.")));
    let mut person = Contact::new(ExchangeId::new(site, "P-1").unwrap());
    person.last_name = Some(PERSON.into());
    file.contacts.push(person);
    side.cases.put(&file).unwrap();
    let mut xray = Document::new(ExchangeId::new(site, "D-1").unwrap());
    xray.name = Some(DOCUMENT.into());
    side.cases.add_document(&claim, xray, PLAINTEXT.as_bytes()).unwrap();
    claim
}

/// What a site has that no log, error or `Debug` may show.
fn secrets(sites: &TwoSites) -> Vec<String> {
    let keys = &sites.keys;
    let mut secrets = vec!["legacy-Secret1".to_owned(), keys.identity.to_secret_string().expose().to_owned()];
    for key in [&keys.insurer_signs, &keys.examiner_signs] {
        let text = key.to_secret_text();
        secrets.push(text.as_str().rsplit(':').next().unwrap().to_owned());
    }
    assert!(secrets.iter().all(|secret| secret.len() > 10));
    secrets
}

#[track_caller]
fn keeps_silent(what: &str, said: &str, of: &[&str]) {
    for word in of {
        assert!(!said.to_lowercase().contains(&word.to_lowercase()), "{what} says `{word}`: {said}");
    }
}

#[test]
fn nothing_that_is_emitted_holds_a_secret_or_a_persons_data() {
    let log = Everything::default();
    let (sites, package, errors) = tracing::subscriber::with_default(log.clone(), || {
        let sites = TwoSites::new();
        let (insurer, examiner) = (&sites.insurer.exchange, &sites.examiner.exchange);
        let claim = personal_claim(&sites.insurer);
        let package = sites.deliver(&claim);
        let mut errors = Vec::new();
        // The rules say no: nothing is new.
        errors.push(sites.export(&claim).unwrap_err());
        // Notes back, and a claim after both sides changed it: a conflict.
        add_note(&sites.examiner, &claim, "N-2", &format!("{PERSON} was seen; {PLAINTEXT} confirmed."));
        let notes = examiner.export_notes(&claim, sites.insurer.site(), USER).unwrap();
        examiner.send(notes.package.id, &()).unwrap();
        for (side, status) in [(&sites.insurer, "paid"), (&sites.examiner, "examined")] {
            let mut file = side.file(&claim);
            file.claim.status = Some(status.into());
            side.cases.put(&file).unwrap();
        }
        add_note(&sites.insurer, &claim, "N-3", PERSON);
        let exported = insurer.export(&claim, sites.examiner.site(), &ExportOptions::by(USER)).unwrap();
        insurer.send(exported.package.id, &()).unwrap();
        examiner.preview(exported.package.id, &()).unwrap();
        errors.push(examiner.unpack(exported.package.id, USER, &()).unwrap_err());
        insurer.poll(exported.package.id).unwrap();
        // A key that does not open it.
        let other = DesMd5Key::new("another-Secret2", Framing::SaltPrefix).unwrap();
        let partner = examiner.partner(sites.insurer.site()).unwrap();
        examiner.set_partner((*partner).clone().open_with(1, other));
        errors.push(examiner.unpack(exported.package.id, USER, &()).unwrap_err());
        insurer.pause(sites.examiner.site()).unwrap();
        insurer.resume(sites.examiner.site()).unwrap();
        insurer.send_queued(sites.examiner.site(), &()).unwrap();
        examiner.mark_viewed(&claim, USER).unwrap();
        examiner.reject(exported.package.id, USER, "not for us").unwrap();
        (sites, package, errors)
    });
    let log = log.said.lock().unwrap().clone();
    for span in [
        "open",
        "export",
        "seal",
        "send",
        "post",
        "receive",
        "unpack",
        "open_package",
        "preview",
        "export_notes",
        "apply_notes",
        "acknowledge",
        "take_receipt",
        "poll",
    ] {
        assert!(log.lines().any(|line| line.split(' ').nth(2) == Some(span)), "no span {span} in {log}");
    }
    // Whoever follows one package or one partner finds every step of it.
    for span in [
        "seal",
        "send",
        "receive",
        "unpack",
        "preview",
        "apply_notes",
        "reject",
        "acknowledge",
        "receipt",
        "poll",
        "state",
    ] {
        let lines: Vec<&str> = log.lines().filter(|line| line.split(' ').nth(2) == Some(span)).collect();
        assert!(!lines.is_empty(), "no span {span} in {log}");
        assert!(
            lines.iter().all(|line| line.contains(" package=") && line.contains(" partner=")),
            "{lines:?}"
        );
    }
    for said in [
        "step=exported",
        "step=sent",
        "step=received",
        "step=notified",
        "step=delivered",
        "step=unpacked",
        "step=viewed",
        "step=failed",
        "error=conflict",
        "suite=des-md5",
        "bytes=",
        "message=paused",
    ] {
        assert!(log.contains(said), "no {said} in {log}");
    }
    assert!(log.contains(&package.to_string()));

    let secrets = secrets(&sites);
    let mut silent: Vec<&str> = secrets.iter().map(String::as_str).collect();
    silent.extend([PLAINTEXT, "another-Secret2"]);
    let mut history = String::new();
    for side in [&sites.insurer, &sites.examiner] {
        for entry in side.exchange.history(&HistoryQuery::new()).unwrap() {
            history.push_str(&entry.to_json().unwrap());
        }
    }
    let debug =
        format!("{:?} {:?} {:?}", sites.insurer.exchange, sites.examiner.exchange, sites.keys.insurer_signs);
    let errors =
        errors.iter().map(|error| format!("{error} {error:?} {:?}", error.details())).collect::<String>();
    // Users and claims stand in the history, which is the site's own; in no log.
    let persons = [PERSON, DOCUMENT, POLICY];
    for (what, said) in [("the history", &history), ("Debug", &debug), ("an error", &errors)] {
        keeps_silent(what, said, &silent);
        keeps_silent(what, said, &persons);
    }
    keeps_silent("the log", &log, &silent);
    keeps_silent("the log", &log, &persons);
    keeps_silent("the log", &log, &[USER, "dana", "front desk", "C-1", "CLM-4711", "paid", "examined"]);
}
