//! The JSON Schemas in docs/schemas/ and what the crate reads and writes: each describes all of the other.

use crate::peers;
use crate::support::{self, TwoSites, add_note, id, insurer_site, put_document};
use claimwire::case_system::SqliteCaseSystem;
use claimwire::codec::AgeIdentity;
use claimwire::exchange::{AfterReview, Partner, WarningCode};
use claimwire::ledger::{
    Direction, Fault, HistoryEntry, HistoryQuery, IncomingState, OutgoingState, PackageQuery, Step,
};
use claimwire::merge::ChangeSet;
use claimwire::model::{Claim, ClaimFile, PackageId, PackageKind, RecordKind, Timestamp};
use claimwire::package::Manifest;
use claimwire::rules::Catalogue;
use claimwire::settings::PartnerSettings;
use claimwire::{Error, ErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Values and the schemas that they keep or break.
#[derive(Default, Serialize)]
struct Cases {
    /// What the crate writes.
    valid: Vec<(&'static str, Value)>,
    /// What has members beyond those described, which are kept or passed over.
    open: Vec<(&'static str, Value)>,
    /// What the crate refuses.
    invalid: Vec<(&'static str, Value)>,
}

impl Cases {
    fn writes(&mut self, schema: &'static str, value: &impl Serialize) -> Value {
        let value = serde_json::to_value(value).unwrap();
        self.valid.push((schema, value.clone()));
        value
    }

    /// A value that both the crate and the schema refuse.
    #[track_caller]
    fn refuses<T: DeserializeOwned>(&mut self, schema: &'static str, value: Value) {
        assert!(serde_json::from_str::<T>(&value.to_string()).is_err(), "{value}");
        self.invalid.push((schema, value));
    }
}

/// The value with one member changed.
fn with(value: &Value, pointer: &str, member: &str, new: Value) -> Value {
    let mut value = value.clone();
    value.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(member.to_owned(), new);
    value
}

/// The value without one member.
fn without(value: &Value, member: &str) -> Value {
    let mut value = value.clone();
    assert!(value.as_object_mut().unwrap().remove(member).is_some(), "{member}");
    value
}

#[test]
fn every_schema_describes_what_the_crate_reads_and_writes() {
    let Some(python) = peers::find_python_with("jsonschema") else { return };
    let mut cases = Cases::default();
    claim_files(&mut cases);
    change_sets(&mut cases);
    packages_and_history(&mut cases);
    queries(&mut cases);
    monitoring(&mut cases);
    partner_settings(&mut cases);
    the_rest(&mut cases);

    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let input = serde_json::to_vec(&cases).unwrap();
    let mut check = Command::new(python);
    let (succeeded, faults, complaint) =
        peers::attempt(check.arg(peers::program("json_schemas.py")).arg(schemas), &input);
    assert!(succeeded, "{}{complaint}", String::from_utf8_lossy(&faults));
}

fn claim_files(cases: &mut Cases) {
    let json = include_str!("json_schemas/full_claim_file.json");
    let file = ClaimFile::from_json(json.as_bytes()).unwrap();
    let known = format!("{file:?}").replace("other: {}", "");
    assert!(!known.contains("other: {"), "the example has a member that the model does not know: {known}");
    for kind in RecordKind::ALL {
        let fields: Vec<_> = file.to_records().unwrap().into_iter().filter(|r| r.kind == *kind).collect();
        for field in kind.standard_fields().iter().filter(|field| **field != "bills") {
            assert!(fields[0].fields.contains_key(*field), "the example's {kind} has no `{field}`");
        }
    }
    let full = cases.writes("claim-file", &file);
    cases.writes("claim-file", &ClaimFile::new(Claim::new(id("A/1"))));

    let more = with(&full, "/claim", "x_new", json!({"deep": [1.50, null]}));
    let kept: ClaimFile = serde_json::from_str(&more.to_string()).unwrap();
    assert_eq!(serde_json::to_value(&kept).unwrap(), more);
    cases.open.push(("claim-file", more));
    let nulls = with(&with(&full, "/claim", "status", Value::Null), "/claim", "exposures", Value::Null);
    assert!(serde_json::from_str::<ClaimFile>(&nulls.to_string()).is_ok());
    cases.open.push(("claim-file", nulls));

    for broken in [
        without(&full, "claim"),
        json!({"claim": {}}),
        json!({"claim": {"id": "no id"}}),
        json!({"claim": {"id": "A/-1"}}),
        json!({"claim": {"id": "A/1", "loss_date": "2.3.2026"}}),
        json!({"claim": {"id": "A/1", "created_at": "2026-03-02T09:30:00"}}),
        json!({"claim": {"id": "A/1", "version": -1}}),
        json!({"claim": {"id": "A/1", "claim_number": 1}}),
        json!({"claim": {"id": "A/1"}, "notes": null}),
        json!({"claim": {"id": "A/1"}, "documents": [{"id": "A/2", "internal": "no"}]}),
        json!({"claim": {"id": "A/1"}, "assessments": [{"id": "A/2", "estimated_total": {"amount": 1.5}}]}),
        json!({"claim": {"id": "A/1"}, "assessments": [{"id": "A/2", "bills": [{"total": {}}]}]}),
    ] {
        cases.refuses::<ClaimFile>("claim-file", broken);
    }
}

fn change_sets(cases: &mut Cases) {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let added = sites.examiner.exchange.preview(package, &()).unwrap();
    assert!(added.adds_claim);
    cases.writes("change-set", &added);
    cases.writes("change-set", &ChangeSet::new(claim.clone()));
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();

    let mut file = sites.insurer.file(&claim);
    file.claim.status = Some("closed".into());
    sites.insurer.cases.put(&file).unwrap();
    add_note(&sites.insurer, &claim, "N-2", "Closed.");
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let updated = sites.examiner.exchange.preview(package, &()).unwrap();
    let mut updated = cases.writes("change-set", &updated);
    assert_eq!(updated["records"][0]["fields"][0]["outcome"], "updated");

    // A bill is the one record with a parent.
    updated["records"][0]["after"] = json!({"kind": "bill", "id": "A/3", "parent": "A/2", "fields": {}});
    updated["matched_contacts"] = json!({"IMEX/P-9": "ON-INS/P-1"});
    let bill: ChangeSet = serde_json::from_value(updated.clone()).unwrap();
    cases.writes("change-set", &bill);
    for broken in [
        without(&updated, "adds_claim"),
        with(&updated, "", "records", json!({})),
        with(&updated, "", "matched_contacts", json!({"P-9": "ON-INS/P-1"})),
        with(&updated, "/records/0/after", "kind", json!("vehicle")),
        with(&updated, "/records/0/fields/0", "outcome", json!("lost")),
    ] {
        cases.refuses::<ChangeSet>("change-set", broken);
    }
}

fn packages_and_history(cases: &mut Cases) {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    let error = Error::new(ErrorKind::Unreachable, "nobody answers").with_details(vec!["twice".to_owned()]);

    let mut outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert!(outgoing.receipt.is_some() && outgoing.last_receipt.is_some() && !outgoing.notes.is_empty());
    cases.writes("outgoing-package", &outgoing);
    (outgoing.tried_since, outgoing.retry_at) = (Some(Timestamp::now()), Some(Timestamp::now()));
    outgoing.sealed_removed = true;
    (outgoing.unanswered, outgoing.untold_failure) = (true, Some("nobody answers".into()));
    outgoing.pending_feedback = Some("unpacked".into());
    outgoing.last_error = Some(Fault::from(&error));
    outgoing.assessments.insert(id("ON-INS/A-1"));
    let full = cases.writes("outgoing-package", &outgoing);
    for broken in [
        without(&full, "package"),
        with(&full, "", "state", json!("lost")),
        with(&full, "/package", "id", json!("1")),
        with(&full, "/package", "sequence", json!("1")),
        with(&full, "/last_error", "details", json!("none")),
    ] {
        cases.refuses::<claimwire::ledger::Outgoing>("outgoing-package", broken);
    }

    let mut incoming = sites.examiner.exchange.incoming(package).unwrap();
    cases.writes("incoming-package", &incoming);
    incoming.last_error = Some(Fault::from(&error));
    (incoming.applying, incoming.untold, incoming.sealed_removed) = (true, true, true);
    incoming.assessments.insert(id("ON-INS/A-1"));
    let full = cases.writes("incoming-package", &incoming);
    let new =
        claimwire::ledger::Incoming::new(incoming.id, incoming.kind, insurer_site(), 1, "0".repeat(64), "f");
    cases.writes("incoming-package", &new);
    for broken in [
        without(&full, "is_new"),
        with(&full, "", "from", json!("-")),
        with(&full, "", "state", json!("sent")),
    ] {
        cases.refuses::<claimwire::ledger::Incoming>("incoming-package", broken);
    }

    for side in [&sites.insurer, &sites.examiner] {
        for entry in side.exchange.history(&HistoryQuery::new()).unwrap() {
            cases.writes("history-entry", &entry);
        }
    }
    let kind = PackageKind::Claim;
    let entry = HistoryEntry::new(Direction::Incoming, Step::Failed, package, kind, insurer_site(), "", "");
    let entry = entry.of_claim(claim).of_assessments([id("ON-INS/A-1")]).failed_with(&error);
    let full = cases.writes("history-entry", &entry);
    for step in Step::ALL {
        cases.open.push(("history-entry", with(&full, "", "step", json!(step.name()))));
    }
    for broken in [
        without(&full, "at"),
        with(&full, "", "step", json!("lost")),
        with(&full, "", "direction", json!("up")),
        with(&full, "", "kind", json!("bill")),
    ] {
        cases.refuses::<HistoryEntry>("history-entry", broken);
    }
}

fn queries(cases: &mut Cases) {
    let (claim, partner) = (id("ON-INS/C-1"), insurer_site());
    let mut all = PackageQuery::new()
        .claim(claim.clone())
        .partner(partner.clone())
        .kind(PackageKind::Notes)
        .outgoing_in(OutgoingState::ALL.iter().copied())
        .incoming_in(IncomingState::ALL.iter().copied())
        .only_new()
        .only_untold()
        .from(Timestamp::now())
        .until(Timestamp::now())
        .newest_first()
        .limit(50);
    cases.writes("package-query", &PackageQuery::new());
    all.after = Some(PackageId::generate());
    let full = cases.writes("package-query", &all);
    assert_eq!(serde_json::from_value::<PackageQuery>(full.clone()).unwrap(), all);
    assert_eq!(serde_json::from_str::<PackageQuery>("{}").unwrap(), PackageQuery::new());
    for broken in [
        with(&full, "", "clam", json!("A/1")),
        with(&full, "", "limit", json!(-1)),
        with(&full, "", "outgoing_states", json!(["received"])),
        with(&full, "", "after", json!("1")),
    ] {
        cases.refuses::<PackageQuery>("package-query", broken);
    }

    let all = HistoryQuery::new()
        .claim(claim)
        .assessment(id("ON-INS/A-1"))
        .partner(partner)
        .kind(PackageKind::Claim)
        .direction(Direction::Outgoing)
        .package(PackageId::generate())
        .by("front desk")
        .steps(Step::ALL.iter().copied())
        .only_failures()
        .from(Timestamp::now())
        .until(Timestamp::now())
        .newest_first()
        .after(7);
    cases.writes("history-query", &HistoryQuery::new());
    let full = cases.writes("history-query", &all);
    assert_eq!(serde_json::from_value::<HistoryQuery>(full.clone()).unwrap(), all);
    for broken in [
        with(&full, "", "clam", json!("A/1")),
        with(&full, "", "direction", json!("up")),
        with(&full, "", "after", json!("7")),
        with(&full, "", "newest_first", Value::Null),
    ] {
        cases.refuses::<HistoryQuery>("history-query", broken);
    }
}

fn monitoring(cases: &mut Cases) {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    cases.writes("metrics", &sites.insurer.exchange.metrics().unwrap());
    cases.writes("health", &sites.insurer.exchange.health());
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.pause(sites.examiner.site()).unwrap();
    sites.insurer.exchange.send(package, &()).unwrap_err();
    let nowhere = claimwire::protocol::Request::new("POST", "/nowhere").unwrap();
    assert_eq!(support::post(&sites.insurer, &nowhere, b"").status(), 404);
    let delivery = support::Delivery::new(&sites, b"sealed by nobody".to_vec());
    sites.examiner.exchange.unpack(delivery.taken(&sites), "desk", &()).unwrap_err();
    cases.writes("metrics", &sites.examiner.exchange.metrics().unwrap());
    let metrics = cases.writes("metrics", &sites.insurer.exchange.metrics().unwrap());
    let health = cases.writes("health", &sites.insurer.exchange.health());
    cases.invalid.push(("metrics", without(&metrics, "outbox")));
    cases.invalid.push(("metrics", with(&metrics, "", "requests", json!(-1))));
    cases.invalid.push(("health", with(&health, "", "status", json!("up"))));
}

fn partner_settings(cases: &mut Cases) {
    let page = include_str!("../../docs/settings.md");
    let (_, example) = page.split_once("```toml\n").unwrap();
    let example = PartnerSettings::from_toml(example.split_once("```").unwrap().0).unwrap();
    let documented = cases.writes("partner-settings", &example);

    let less = json!({
        "site": "IMEX", "number": 7, "alias": "Examiners", "url": null, "compression": "zstd",
        "keys": {
            "outgoing": {"version": 1, "suite": "des-md5", "secret": {"env": "P"}, "framing": "bare",
                         "salt": "0123456789abcdef", "iterations": 1000},
            "verifying": [{"id": "k", "secret": {"file": "/etc/k"}}],
        },
    });
    let more = json!({
        "selection": {"levels": {"bill": {}, "note": {"standard": "all"}, "document": {}, "contact": {}, "claim": {"custom": "all"}}},
        "export": {"required_fields": {"bill": ["total"], "contact": ["name"], "note": ["body"], "document": ["name"]}},
        "import": {"forced_status": {"assessment": {"status": "received"}, "bill": {"status": "received"}}},
        "names": {"bill": {"types": {"a": "b"}}, "contact": {"types": {"a": "b"}}, "note": {"fields": {"topic": "subject"}},
                  "document": {"statuses": {"a": "b"}}},
    });
    let mut full = less.clone();
    full.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    for given in [less.clone(), full] {
        let read = PartnerSettings::from_json(&given.to_string()).unwrap();
        cases.valid.push(("partner-settings", given));
        cases.writes("partner-settings", &read);
    }
    let mut unsigned = without(&less, "keys");
    for proof in [json!({"certificate_sha256": "0f".repeat(32)}), json!({"token": {"host": "token"}})] {
        let incoming = json!([{"version": 1, "suite": "age", "secret": {"host": "identity"}}]);
        unsigned["keys"] = json!({"incoming": incoming, "unsigned": proof});
        cases.writes("partner-settings", &PartnerSettings::from_json(&unsigned.to_string()).unwrap());
    }
    let identity = json!({"version": 1, "suite": "age", "secret": {"host": "identity"}});
    let (from, until) = (json!("2026-05-01T00:00:00Z"), json!("2026-06-01T00:00:00+02:00"));
    let sealing = |version: u32| with(&less["keys"]["outgoing"], "", "version", json!(version));
    let mut timed = with(&less, "/keys", "grace_days", json!(14));
    timed["keys"]["legacy"] = json!({"review_by": "2026-12-31", "after_review": "refuse"});
    timed["keys"]["outgoing"] = json!([
        with(&sealing(1), "", "valid_until", until.clone()),
        with(&sealing(2), "", "valid_from", from.clone()),
    ]);
    timed["keys"]["incoming"] = json!([
        with(&with(&identity, "", "valid_from", from.clone()), "", "valid_until", until.clone()),
        {"version": 2, "retired": "2026-04-01T00:00:00Z"},
    ]);
    timed["keys"]["verifying"][0]["valid_from"] = from.clone();
    timed["keys"]["verifying"][0]["valid_until"] = until;
    cases.writes("partner-settings", &PartnerSettings::from_json(&timed.to_string()).unwrap());
    for broken in [
        with(&timed, "/keys", "grace_days", json!(400)),
        with(&timed, "/keys/legacy", "review_by", json!("soon")),
        without(&less, "keys"),
        with(&timed, "/keys", "legacy", json!({"after_review": "warn"})),
        with(&timed, "/keys/outgoing/0", "valid_until", json!("2026-06-01")),
        with(&timed, "/keys/incoming/0", "retired", from.clone()),
        with(&timed, "/keys/incoming/1", "valid_from", from),
        with(&timed, "/keys/incoming/1", "retired", json!("once")),
        without(&less, "number"),
        with(&unsigned, "/keys/unsigned", "certificate_sha256", json!("0f".repeat(32))),
        with(&less, "", "automatic_unpack", json!({"as": ""})),
        with(&less, "", "feedback_field", json!("custom_fields.x")),
        with(&less, "", "retry", json!({"tries": 0})),
        with(&less, "", "retry", json!({"delay": 1})),
        with(&less, "", "number", json!(100)),
        with(&less, "", "colour", json!("blue")),
        with(&less, "", "alias", json!(" ")),
        with(&less, "", "url", json!("https://me:hunter2@imex.example")),
        with(&less, "", "conflicts", json!("mine")),
        with(&less, "/keys", "verifying", json!([])),
        with(&less, "/keys/outgoing", "secret", json!("hunter2")),
        with(&less, "/keys/outgoing", "salt", json!("0123")),
        with(&less, "/keys/outgoing", "suite", json!("age")),
        with(&less, "/keys/verifying/0", "secret", json!({"file": "/a", "env": "B"})),
        with(&documented, "/selection/levels", "vehicle", json!({})),
        with(&documented, "/selection/levels/claim", "standard", json!({"all": []})),
        with(&documented, "/export", "sealed_size_limit", json!(0)),
        with(&documented, "/import", "contacts", json!("yes")),
    ] {
        cases.refuses::<PartnerSettings>("partner-settings", broken);
    }
}

fn the_rest(cases: &mut Cases) {
    cases.writes("catalogue", &Catalogue::new());
    let full = Catalogue::new().claim_types(["AB"]).assessment_types(["IME"]).bill_types(["OCF-21"]);
    let full = cases.writes("catalogue", &full);
    cases.refuses::<Catalogue>("catalogue", with(&full, "", "claims", json!([])));
    cases.refuses::<Catalogue>("catalogue", with(&full, "", "bill_types", json!("any")));

    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    put_document(&sites.insurer, &claim, "D-1", "report.txt", b"Left knee: healed.\n");
    let cases_of_insurer: &SqliteCaseSystem = &sites.insurer.cases;
    let versions = cases_of_insurer.document_versions(&claim, &id("ON-INS/D-1")).unwrap();
    assert_eq!(versions.len(), 2);
    let full = cases.writes("document-versions", &versions);
    cases
        .writes("document-versions", &cases_of_insurer.document_versions(&claim, &id("ON-INS/D-9")).unwrap());
    let broken = without(&full[0], "sha256");
    cases.refuses::<Vec<claimwire::case_system::DocumentVersion>>("document-versions", json!([broken]));

    let (day, never) = ("2026-03-01T00:00:00Z".parse().unwrap(), "2026-03-02".parse().unwrap());
    let validity =
        claimwire::protocol::Validity::new(Some(day), Some("2026-06-01T00:00:00Z".parse().unwrap()));
    let partner = sites.insurer.exchange.partner(sites.examiner.site()).unwrap();
    let partner = Partner::clone(&partner)
        .open_during(validity.unwrap(), 2, AgeIdentity::generate())
        .retire(3, day)
        .reviewing_legacy_by(never, AfterReview::Warn);
    cases.writes("known-keys", &partner.keys(day));
    cases.writes("known-keys", &sites.insurer.exchange.signing_keys());
    sites.insurer.exchange.set_partner(partner);
    assert!(!sites.insurer.exchange.warnings().is_empty());
    cases.writes("warnings", &sites.insurer.exchange.warnings());
    let codes = [
        WarningCode::LegacyReviewDue,
        WarningCode::LegacyReviewOverdue,
        WarningCode::KeyEnding,
        WarningCode::NoValidKey,
    ];
    for code in codes {
        cases.open.push(("warnings", json!([{"code": code, "message": ""}])));
    }
    // The crate writes these and reads neither.
    cases.invalid.push(("warnings", json!([{"code": WarningCode::KeyEnding}])));
    cases.invalid.push(("known-keys", json!([{"use": "guessing", "state": "valid", "public": []}])));

    let page = include_str!("../../docs/package-format.md");
    let (_, example) = page.split_once("## manifest.json\n\n```json\n").unwrap();
    let example = example.split_once("```").unwrap().0.replace("64 hexadecimal digits", &"0f".repeat(32));
    let manifest: Manifest = serde_json::from_str(&example).unwrap();
    let full = cases.writes("manifest", &manifest);
    cases.open.push(("manifest", with(&full, "", "x_new", json!(1))));
    cases.refuses::<Manifest>("manifest", without(&full, "entries"));
}
