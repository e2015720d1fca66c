//! What the log says at its most verbose, and what it, errors, answers, events, webhooks, `Debug` and the history must
//! never say.
#![cfg(all(feature = "sqlite", feature = "age", feature = "tracing", feature = "webhook"))]
#![allow(clippy::unwrap_used)]

mod support;

use claimwire::exchange::{ExportOptions, Partner};
use claimwire::ledger::HistoryQuery;
use claimwire::model::{Claim, ClaimFile, Contact, Document, ExchangeId, PackageId, SiteId};
use claimwire::protocol::{Credential, SigningKey, Validity};
use claimwire::transport::HttpsSettings;
use claimwire::webhook::{Webhook, WebhookSecret, WebhookSettings};
use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
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
const TOKEN: &str = "Bearer-Token-0123456789-abcdefghijkl";
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

/// All that an error can be made to say: itself, its details, and what caused it down to the last.
fn told_by(error: &claimwire::Error) -> String {
    let mut told = format!("{error} {error:#} {error:?} {error:#?} {:?}\n", error.details());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        writeln!(told, "{inner} {inner:#} {inner:?} {inner:#?}").unwrap();
        cause = inner.source();
    }
    told
}

/// Two sites whose events go to a spool for webhooks, which nobody empties.
fn sites_with_webhooks(spool: &Path, secret: &WebhookSecret, keys: Keys) -> TwoSites {
    let webhook = |site: SiteId| {
        let endpoint = HttpsSettings::new("http://127.0.0.1:9/hooks").unwrap();
        let folder = spool.join(site.as_str());
        Webhook::open(WebhookSettings::new(site, endpoint, folder, secret.clone())).unwrap()
    };
    let (insurer, examiner) = (webhook(insurer_site()), webhook(examiner_site()));
    let (to_insurer, to_examiner) = (insurer.listener(), examiner.listener());
    TwoSites::with(Setup {
        keys,
        insurer: Box::new(|settings| settings.on_event(to_insurer)),
        examiner: Box::new(|settings| settings.on_event(to_examiner)),
        ..Setup::default()
    })
}

/// Every file below a folder, as text.
fn texts_in(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => text.push_str(&texts_in(&path)),
            false => text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap())),
        }
    }
    text
}

/// A package of the insurer's whose claim file is broken around what it says of a person.
fn broken(change: impl FnOnce(&mut serde_json::Value)) -> Parts {
    Parts::new().with(|parts| {
        parts.claim_file["claim"]["policy_number"] = POLICY.into();
        parts.claim_file["notes"][0]["body"] = format!("{PERSON} has a {PLAINTEXT}.").into();
        parts.claim_file["documents"][0]["name"] = DOCUMENT.into();
        parts.documents[0].0 = format!("documents/ON-INS/D-7/{DOCUMENT}");
        change(&mut parts.claim_file);
    })
}

#[test]
fn nothing_that_is_emitted_holds_a_secret_or_a_persons_data() {
    let log = Everything::default();
    // For all threads: what is unpacked by itself is on one of its own.
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let spool = tempfile::tempdir().unwrap();
    let hook = WebhookSecret::generate().unwrap();
    let shared = SigningKey::generate_shared("on-ins-shared").unwrap();
    let sites = sites_with_webhooks(spool.path(), &hook, Keys::generate());
    let (insurer, examiner) = (&sites.insurer.exchange, &sites.examiner.exchange);
    let examiner_knows = |change: &dyn Fn(Partner) -> Partner| {
        let partner = examiner.partner(sites.insurer.site()).unwrap();
        examiner.set_partner(change((*partner).clone()));
    };
    let (shared_key, bearer) = (shared.verifying_key(), Credential::bearer_token(TOKEN).unwrap());
    examiner_knows(&move |partner| partner.verify_with(shared_key.clone()).accept_unsigned(bearer.clone()));
    let claim = personal_claim(&sites.insurer);
    let package = sites.deliver(&claim);
    let (mut errors, mut answers) = (Vec::new(), String::new());
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
    // A key that does not open it, one whose time is over, one that was given up, and one that nobody knows.
    let is_of_it = |name: &String| name.starts_with(&exported.package.id.to_string());
    let held = sites.examiner.files_in("inbox").into_iter().find(is_of_it).unwrap();
    let held = std::fs::read(sites.examiner.folder.join("exchange/inbox").join(held)).unwrap();
    let other = other_password(&held, false);
    let ended = Validity::new(None, Some("2020-01-01T00:00:00Z".parse().unwrap())).unwrap();
    examiner_knows(&|partner| partner.open_with(1, other.clone()));
    errors.push(examiner.unpack(exported.package.id, USER, &()).unwrap_err());
    examiner_knows(&|partner| partner.open_during(ended, 1, other.clone()));
    errors.push(examiner.unpack(exported.package.id, USER, &()).unwrap_err());
    add_note(&sites.insurer, &claim, "N-4", PERSON);
    let late = sites.export(&claim).unwrap().package.id;
    errors.push(insurer.send(late, &()).unwrap_err());
    examiner_knows(&|partner| partner.retire(1, "2020-01-01T00:00:00Z".parse().unwrap()));
    errors.push(insurer.send(late, &()).unwrap_err());
    examiner_knows(&|partner| partner.open_with(1, sites.keys.legacy.clone()));
    insurer.set_signing_key(sites.keys.insurer_signs.clone().valid_during(ended));
    errors.push(insurer.send(late, &()).unwrap_err());
    insurer.set_signing_key(sites.keys.insurer_signs.clone());
    // Broken packages, from a partner and from a stranger; and a bearer token that is wrong.
    let broken = [
        broken(|file| file["claim"]["loss_date"] = PERSON.into()),
        broken(|file| file["notes"][0]["body"] = serde_json::json!({PERSON: PLAINTEXT})),
        broken(|file| file["notes"][0]["created_at"] = PLAINTEXT.into()),
        broken(|file| file["claim"]["id"] = PERSON.into()),
        broken(|file| file["contacts"] = serde_json::json!([{"id": "ON-INS/P-7", "date_of_birth": PERSON}])),
        broken(|file| file["documents"][0]["size"] = PERSON.into()),
        broken(|file| file["documents"][0]["sha256"] = "00".into()),
    ];
    for parts in broken {
        let taken = Delivery::of_archive(&sites, parts.id(), &parts.archive(), 1).taken(&sites);
        errors.push(examiner.unpack(taken, USER, &()).unwrap_err());
        insurer_hears(&sites, taken, &mut answers);
    }
    let honest = || Delivery::new(&sites, PLAINTEXT);
    let forged = honest().with(|it| it.signer = SigningKey::generate("on-ins-1").unwrap());
    let strange = honest().with(|it| it.signer = SigningKey::generate("nobody").unwrap());
    let altered = honest().with(|it| it.body = PLAINTEXT.to_uppercase().into());
    for delivery in [forged, strange, altered] {
        write!(answers, "{:?}", delivery.post(&sites)).unwrap();
    }
    let mut unsigned = honest().unsigned();
    unsigned.headers_mut().append("authorization", format!("Bearer {}", TOKEN.to_lowercase())).unwrap();
    write!(answers, "{:?}", post(&sites.examiner, &unsigned, PLAINTEXT.as_bytes())).unwrap();
    insurer.pause(sites.examiner.site()).unwrap();
    insurer.resume(sites.examiner.site()).unwrap();
    insurer.send_queued(sites.examiner.site(), &()).unwrap();
    examiner.mark_viewed(&claim, USER).unwrap();
    examiner.reject(exported.package.id, USER, "not for us").unwrap();
    // What is unpacked by itself.
    examiner_knows(&|partner| partner.unpacking_automatically_as(USER));

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
        "error=wrong-key",
        "error=key-not-valid",
        "error=bad-signature",
        "error=unknown-sender",
        "error=digest-mismatch",
        "error=invalid-package",
        "message=warning code=legacy-review-overdue partner=IMEX",
        "suite=des-md5",
        "bytes=",
        "message=paused",
    ] {
        assert!(log.contains(said), "no {said} in {log}");
    }
    assert!(log.contains(&package.to_string()));

    let mut secrets = secrets(&sites);
    let bare = |text: &str| text.rsplit([':', '_']).next().unwrap().to_owned();
    secrets.extend([bare(shared.to_secret_text().as_str()), bare(hook.to_text().as_str()), TOKEN.to_owned()]);
    let mut silent: Vec<&str> = secrets.iter().map(String::as_str).collect();
    silent.extend(["another-Secret2", PLAINTEXT]);
    let (mut history, mut events) = (Vec::new(), String::new());
    for side in [&sites.insurer, &sites.examiner] {
        side.exchange.export_history(&HistoryQuery::new(), &mut history).unwrap();
        for event in &*side.events.lock().unwrap() {
            writeln!(events, "{event:?} {}", serde_json::to_string(event).unwrap()).unwrap();
        }
        for warning in side.exchange.warnings() {
            writeln!(events, "{warning:?} {}", serde_json::to_string(&warning).unwrap()).unwrap();
        }
    }
    let history = String::from_utf8(history).unwrap();
    let partner = examiner.partner(sites.insurer.site()).unwrap();
    let known = partner.keys(claimwire::model::Timestamp::now());
    let debug = format!(
        "{insurer:#?} {examiner:?} {partner:?} {known:?} {:?} {:?} {shared:?} {hook:?}",
        sites.keys.insurer_signs,
        insurer.signing_keys()
    );
    let errors = errors.iter().map(told_by).collect::<String>();
    let webhooks = texts_in(spool.path());
    assert!(webhooks.contains("claimwire.package.received") && webhooks.contains("claimwire.package.failed"));
    // Users and claims stand in the history, which is the site's own; in no log and no webhook.
    for (what, said) in [
        ("the history", &history),
        ("Debug", &debug),
        ("an error", &errors),
        ("an answer", &answers),
        ("an event", &events),
        ("a webhook", &webhooks),
        ("the log", &log),
    ] {
        keeps_silent(what, said, &silent);
        keeps_silent(what, said, &[PERSON, POLICY]);
    }
    // A document's name stands in the errors that are about it, and in what tells of these.
    keeps_silent("a webhook", &webhooks, &[DOCUMENT, USER, "dana", "front desk"]);
    // With the slash of an exchange id: a package's random id may have these letters.
    keeps_silent(
        "the log",
        &log,
        &[DOCUMENT, USER, "dana", "front desk", "/C-1", "CLM-4711", "paid", "examined"],
    );
}

/// What the insurer is told of a package.
fn insurer_hears(sites: &TwoSites, package: PackageId, answers: &mut String) {
    let asked = post(&sites.examiner, &state_request(package, &sites.keys.insurer_signs), &[]);
    writeln!(answers, "{asked:?} {}", String::from_utf8_lossy(asked.body())).unwrap();
}
