//! What a sealed package may contain, met at the unpacking: each fault has its own kind and sentence, nothing of the
//! package is applied, nothing is left of it, and the next right package goes through.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::case_system::CaseSystem;
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, SealingKey, encrypt_bytes};
use claimwire::model::{Claim, ClaimFile, PackageKind};
use claimwire::rules::ExportRules;
use serde_json::{Value, json};

#[test]
fn an_honest_package_of_this_builder_is_taken_under_both_suites() {
    for key_version in [1, 2] {
        let Known { sites, claim } = Known::new();
        let parts = Parts::new().with(|parts| parts.package.key_version = key_version);
        let delivery = Delivery::of_archive(&sites, parts.id(), &parts.archive(), key_version);
        sites.examiner.exchange.unpack(delivery.taken(&sites), "front desk", &()).unwrap();
        assert_eq!(sites.examiner.file(&claim).claim.status.as_deref(), Some("forged"));
        assert_eq!(sites.examiner.bytes(&claim, &id("ON-INS/D-7")), b"Left knee: healed.\n");
    }
}

#[test]
fn another_password_opens_nothing() {
    // The padding is right under 1 of 256 wrong passwords; then it is the archive that is none.
    let known = Known::new();
    for attempt in 0..20 {
        let parts = Parts::new();
        let other = DesMd5Key::new(format!("another-Secret{attempt}"), Framing::SaltPrefix).unwrap();
        let sealed = encrypt_bytes(&other.into(), &Parts::new().archive()).unwrap();
        let delivery = Delivery::new(&known.sites, sealed).with(|it| it.envelope.package_id = parts.id());
        let package = delivery.taken(&known.sites);
        let kind = known.sites.examiner.exchange.preview(package, &()).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::WrongKey | ErrorKind::NotAnArchive), "{kind:?}");
        let error = known.refuses(package, kind);
        says(&error, &[if kind == ErrorKind::WrongKey { "password" } else { "key is wrong" }]);
    }
    known.the_right_one_goes_through();
}

#[test]
fn a_package_sealed_for_somebody_else_is_told_as_such() {
    let known = Known::new();
    let other: SealingKey = AgeIdentity::generate().recipient().into();
    let sealed = encrypt_bytes(&other, &Parts::new().archive()).unwrap();
    let delivery = Delivery::new(&known.sites, sealed).with(|it| {
        it.envelope.suite = "age".into();
        it.envelope.key_version = 2;
    });
    let error = known.refuses(delivery.taken(&known.sites), ErrorKind::WrongKey);
    says(&error, &["another recipient"]);
    known.the_right_one_goes_through();
}

#[test]
fn an_unknown_key_version_names_the_known_ones_and_is_no_wrong_key() {
    let known = Known::new();
    let parts = Parts::new().with(|parts| parts.package.key_version = 9);
    let delivery = Delivery::of_archive(&known.sites, parts.id(), &parts.archive(), 1)
        .with(|it| it.envelope.key_version = 9);
    let error = known.refuses(delivery.taken(&known.sites), ErrorKind::UnknownKeyVersion);
    says(&error, &["key version 9", "known here: 1, 2", "exchange the new key"]);
    known.the_right_one_goes_through();
}

#[test]
fn nobody_is_talked_down_to_a_weaker_suite() {
    let known = Known::new();
    let delivery = Delivery::of_archive(&known.sites, Parts::new().id(), &Parts::new().archive(), 1)
        .with(|it| it.envelope.key_version = 2);
    let error = known.refuses(delivery.taken(&known.sites), ErrorKind::UnsupportedSuite);
    says(&error, &["des-md5", "age", "key version 2"]);
    known.the_right_one_goes_through();
}

#[test]
fn a_weaker_suite_under_the_name_of_the_agreed_one_opens_nothing() {
    let known = Known::new();
    let delivery =
        Delivery::of_archive(&known.sites, Parts::new().id(), &Parts::new().archive(), 1).with(|it| {
            it.envelope.key_version = 2;
            it.envelope.suite = "age".into();
        });
    known.refuses(delivery.taken(&known.sites), ErrorKind::UnsupportedSuite);
    known.the_right_one_goes_through();
}

#[test]
fn a_suite_nobody_knows_is_refused() {
    let known = Known::new();
    let delivery = Delivery::new(&known.sites, "sealed").with(|it| it.envelope.suite = "rot13".into());
    let error = known.refuses(delivery.taken(&known.sites), ErrorKind::UnsupportedSuite);
    says(&error, &["rot13", "des-md5"]);
    known.the_right_one_goes_through();
}

/// Changes the sealed bytes where they lie in the examiner's inbox, and expects that the unpacking tells so.
#[track_caller]
fn damaged_at_rest(key_version: u32, damage: impl Fn(&mut Vec<u8>), kind: ErrorKind) {
    let known = Known::new();
    let parts = Parts::new().with(|parts| {
        parts.package.key_version = key_version;
        parts.documents[0].1 = b"A scan of many pages. ".repeat(10_000);
    });
    let delivery = Delivery::of_archive(&known.sites, parts.id(), &parts.archive(), key_version);
    let package = delivery.taken(&known.sites);
    let name = known.sites.examiner.exchange.incoming(package).unwrap().file;
    let path = known.sites.examiner.folder.join("exchange/inbox").join(name);
    let whole = std::fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    damage(&mut bytes);
    std::fs::write(&path, &bytes).unwrap();
    let error = known.refuses(package, kind);
    says(&error, &["ask the sender to export it anew"]);
    // Restored from a backup it is unpacked.
    std::fs::write(&path, &whole).unwrap();
    known.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
}

#[test]
fn a_package_cut_short_at_rest_is_truncated_under_both_suites() {
    for key_version in [1, 2] {
        damaged_at_rest(key_version, |bytes| bytes.truncate(bytes.len() / 2), ErrorKind::Truncated);
        damaged_at_rest(key_version, |bytes| bytes.truncate(bytes.len() - 8), ErrorKind::Truncated);
        damaged_at_rest(key_version, Vec::clear, ErrorKind::Truncated);
    }
}

#[test]
fn a_package_with_one_bit_changed_at_rest_is_altered_under_both_suites() {
    for key_version in [1, 2] {
        for per_mille in [0, 500, 999] {
            let flip = move |bytes: &mut Vec<u8>| {
                let place = bytes.len() * per_mille / 1000;
                bytes[place] ^= 1;
            };
            damaged_at_rest(key_version, flip, ErrorKind::Altered);
        }
    }
}

#[test]
fn bytes_that_are_no_archive_are_told_apart_from_an_archive_that_is_no_package() {
    let known = Known::new();
    for key_version in [1, 2] {
        let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let delivery = Delivery::of_archive(&known.sites, Parts::new().id(), &noise, key_version);
        let error = known.refuses(delivery.taken(&known.sites), ErrorKind::NotAnArchive);
        says(&error, &["not a zip archive"]);
        let letters = archive_of(&[("letter.txt".into(), b"Dear Sirs".to_vec())]);
        let delivery = Delivery::of_archive(&known.sites, Parts::new().id(), &letters, key_version);
        let error = known.refuses(delivery.taken(&known.sites), ErrorKind::NotAPackage);
        says(&error, &["manifest.json"]);
    }
    known.the_right_one_goes_through();
}

#[test]
fn a_manifest_that_is_none_is_not_a_package() {
    for manifest in ["", "no json", "[]", "{}", r#"{"format_version": "one"}"#, "\u{feff}{}"] {
        let archive = |parts: Parts| {
            let mut entries = parts.entries();
            entries.last_mut().unwrap().1 = manifest.as_bytes().to_vec();
            archive_of(&entries)
        };
        refused_at(&Known::new(), archive, Parts::new, ErrorKind::NotAPackage);
    }
}

#[test]
fn a_higher_format_version_names_both_versions() {
    let higher = || Parts::new().lying(|manifest| manifest["format_version"] = json!(2));
    let error = refused(higher, ErrorKind::UnsupportedFormatVersion);
    says(&error, &["format version 2", "version 1", "update claimwire"]);
}

#[test]
fn what_a_package_says_of_its_entries_is_held_against_their_bytes() {
    // Manifest and claim file agree on the lie; only the bytes tell.
    for (field, value) in [("sha256", json!("0".repeat(64))), ("size", json!(3))] {
        let (field, value) = (&field, &value);
        let parts = || {
            let (name, stated) = ((*field).to_owned(), value.clone());
            Parts::new()
                .with(|parts| parts.claim_file["documents"][0][field] = value.clone())
                .lying(move |manifest| manifest["entries"][0][name] = stated)
        };
        says(&refused(parts, ErrorKind::Altered), &["second report.txt", "SHA-256"]);
    }
    let claim_file =
        || Parts::new().lying(|manifest| manifest["entries"][1]["sha256"] = json!("0".repeat(64)));
    says(&refused(claim_file, ErrorKind::Altered), &["claim.json", "SHA-256"]);
}

#[test]
fn a_manifest_and_a_claim_file_that_state_other_bytes_are_refused() {
    let lie = || Parts::new().lying(|manifest| manifest["entries"][0]["sha256"] = json!("0".repeat(64)));
    says(&refused(lie, ErrorKind::InvalidPackage), &["ON-INS/D-7", "other bytes"]);
}

#[test]
fn a_manifest_and_an_archive_that_disagree_about_the_entries_are_refused() {
    type Lie = fn(&mut Value);
    let lies: [(Lie, &str); 4] = [
        (|manifest| drop(manifest["entries"].as_array_mut().unwrap().remove(0)), "does not list"),
        (
            |manifest| {
                let more = json!({"path": "documents/ON-INS/D-8/x.txt", "size": 0, "sha256": "0"});
                manifest["entries"].as_array_mut().unwrap().push(more);
            },
            "does not have",
        ),
        (
            |manifest| {
                let again = manifest["entries"][0].clone();
                manifest["entries"].as_array_mut().unwrap().push(again);
            },
            "twice",
        ),
        (|manifest| drop(manifest["entries"].as_array_mut().unwrap().remove(1)), "claim.json"),
    ];
    for (lie, word) in lies {
        let error = refused(|| Parts::new().lying(lie), ErrorKind::InvalidPackage);
        says(&error, &[word]);
    }
}

#[test]
fn a_manifest_that_lists_itself_is_refused() {
    let lie = |manifest: &mut Value| {
        let entry = json!({"path": "manifest.json", "size": 1, "sha256": "0"});
        manifest["entries"].as_array_mut().unwrap().push(entry);
    };
    refused(|| Parts::new().lying(lie), ErrorKind::InvalidPackage);
}

#[test]
fn a_package_of_another_claim_than_its_claim_file_is_refused() {
    let other = || Parts::new().lying(|manifest| manifest["package"]["claim"] = json!("ON-INS/C-2"));
    let error = refused(other, ErrorKind::InvalidPackage);
    says(&error, &["ON-INS/C-2", "ON-INS/C-1"]);
}

#[test]
fn a_place_in_the_order_that_no_package_can_have_is_refused() {
    for sequence in [json!(0), json!(1_u64 << 63), json!(u64::MAX), json!(-1), json!("7"), json!(1.5)] {
        let sequence = &sequence;
        let parts = || {
            let sequence = sequence.clone();
            Parts::new().lying(move |manifest| manifest["package"]["sequence"] = sequence)
        };
        refused(parts, ErrorKind::InvalidPackage);
    }
}

#[test]
fn a_package_that_claims_to_have_seen_what_was_never_sent_changes_no_agreement() {
    let known = Known::new();
    for seen in [u64::MAX, 1 << 40, 1] {
        let parts = Parts::new().with(|parts| {
            parts.package.applied_sequence = seen;
            parts.package.sequence += u64::from(seen < u64::MAX) + u64::from(seen == 1);
            parts.claim_file["notes"][0]["id"] = json!(format!("ON-INS/N-{}", seen % 1000));
        });
        let delivery = Delivery::of_archive(&known.sites, parts.id(), &parts.archive(), 1);
        let package = delivery.taken(&known.sites);
        assert!(!known.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap().superseded);
    }
}

#[test]
fn a_record_that_stands_there_twice_is_refused() {
    let twice = || {
        Parts::new().with(|parts| {
            let note = parts.claim_file["notes"][0].clone();
            parts.claim_file["notes"].as_array_mut().unwrap().push(note);
        })
    };
    let error = refused(twice, ErrorKind::InvalidPackage);
    says(&error, &["ON-INS/N-7", "twice"]);
    let under_two_kinds =
        || Parts::new().with(|parts| parts.claim_file["contacts"] = json!([{"id": "ON-INS/N-7"}]));
    says(&refused(under_two_kinds, ErrorKind::InvalidPackage), &["ON-INS/N-7", "twice"]);
}

#[test]
fn a_document_without_bytes_and_bytes_without_a_document_are_refused() {
    let no_bytes = || Parts::new().with(|parts| parts.documents.clear());
    says(&refused(no_bytes, ErrorKind::InvalidPackage), &["ON-INS/D-7", "missing"]);
    let no_record = || Parts::new().with(|parts| parts.claim_file["documents"] = json!([]));
    says(&refused(no_record, ErrorKind::InvalidPackage), &["does not speak of"]);
    let elsewhere = || Parts::new().with(|parts| parts.documents.push(("autorun.inf".into(), b"x".to_vec())));
    says(&refused(elsewhere, ErrorKind::InvalidPackage), &["does not speak of"]);
}

#[test]
fn a_document_that_its_record_describes_otherwise_is_refused() {
    let other_name =
        || Parts::new().with(|parts| parts.claim_file["documents"][0]["name"] = json!("invoice.pdf"));
    says(&refused(other_name, ErrorKind::InvalidPackage), &["ON-INS/D-7", "missing"]);
    let no_name =
        || Parts::new().with(|parts| parts.claim_file["documents"][0] = json!({"id": "ON-INS/D-7"}));
    says(&refused(no_name, ErrorKind::InvalidPackage), &["ON-INS/D-7", "no name"]);
    let otherwise = [
        ("size", json!(1)),
        ("size", Value::Null),
        ("sha256", json!("0".repeat(64))),
        ("sha256", Value::Null),
    ];
    for (field, value) in otherwise {
        let (field, value) = (&field, &value);
        let otherwise = || Parts::new().with(|parts| parts.claim_file["documents"][0][field] = value.clone());
        says(&refused(otherwise, ErrorKind::InvalidPackage), &["ON-INS/D-7", "other bytes"]);
    }
}

#[test]
fn a_malformed_claim_file_is_refused_and_its_place_told() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "claim"),
        (b"{", "claim"),
        (b"[]", "claim"),
        (b"\xff\xfe", "claim"),
        (br#"{"claim": {"claim_number": "C-1"}}"#, "id"),
        (br#"{"claim": {"id": "../../etc"}}"#, "claim"),
        (br#"{"claim": {"id": "ON-INS/C-1"}, "claim": {"id": "ON-INS/C-1"}}"#, "duplicate"),
        (br#"{"claim": {"id": "ON-INS/C-1"}, "notes": {"id": "ON-INS/N-1"}}"#, "line 1 column"),
    ];
    for (json, word) in cases {
        let archive = |parts: Parts| archive_of(&parts.entries_around(json.to_vec()));
        let error = refused_at(&Known::new(), archive, Parts::new, ErrorKind::InvalidPackage);
        says(&error, &[word]);
    }
}

#[test]
fn a_package_inside_another_envelope_is_refused() {
    let lies: [fn(&mut Parts); 4] = [
        |parts| parts.package.id = claimwire::model::PackageId::generate(),
        |parts| parts.package.from = examiner_site(),
        |parts| parts.package.key_version = 5,
        |parts| {
            parts.package.kind = PackageKind::Notes;
            parts.claim_file["claim"] = json!({"id": "ON-INS/C-1"});
            parts.claim_file["documents"] = json!([]);
            parts.documents.clear();
        },
    ];
    for lie in lies {
        let known = Known::new();
        let announced = Parts::new().id();
        let archive = Parts::new().with(|parts| parts.package.id = announced).with(lie).archive();
        let delivery = Delivery::of_archive(&known.sites, announced, &archive, 1);
        let error = known.refuses(delivery.taken(&known.sites), ErrorKind::EnvelopeMismatch);
        says(&error, &["envelope", "ask the sender to export it anew"]);
        known.the_right_one_goes_through();
    }
}

#[test]
fn a_package_for_another_site_in_an_envelope_for_this_one_is_refused() {
    let other = || Parts::new().with(|parts| parts.package.to = "ELSEWHERE".parse().unwrap());
    let error = refused(other, ErrorKind::WrongRecipient);
    says(&error, &["ELSEWHERE", "IMEX"]);
}

#[test]
fn a_preview_of_a_hostile_package_changes_and_leaves_nothing() {
    let known = Known::new();
    let parts = Parts::new().lying(|manifest| manifest["entries"][1]["size"] = json!(3));
    let delivery = Delivery::of_archive(&known.sites, parts.id(), &parts.archive(), 1);
    let package = delivery.taken(&known.sites);
    let before = trail(&known.sites.examiner, package).len();
    let error = known.sites.examiner.exchange.preview(package, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Altered);
    assert!(is_tidy(&known.sites.examiner));
    assert_eq!(trail(&known.sites.examiner, package).len(), before);
    known.refuses(package, ErrorKind::Altered);
}

#[test]
fn a_partner_cannot_write_to_a_claim_that_was_never_shared_with_it() {
    let rules = ExportRules::new().note_required(false).forwarding_allowed(true);
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| partner.with_export_rules(rules)),
        ..Setup::default()
    });
    let own = put_claim(&sites.examiner, "C-7");
    let before = sites.examiner.file(&own);
    for claim in [own.clone(), id("IMEX/C-8")] {
        // The insurer heard of the examiner's claim, or made its id up.
        let mut record = Claim::new(claim.clone());
        record.claim_number = Some("C-7".into());
        record.status = Some("closed".into());
        sites.insurer.cases.put(&ClaimFile::new(record)).unwrap();
        let package = sites.export(&claim).unwrap().package.id;
        sites.insurer.exchange.send(package, &()).unwrap();
        let error = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportRulesViolated);
        assert!(error.details()[0].message.contains("never shared"), "{error:?}");
    }
    assert_eq!(sites.examiner.file(&own), before);
    assert!(sites.examiner.cases.load(&id("IMEX/C-8")).unwrap().is_none());
}
