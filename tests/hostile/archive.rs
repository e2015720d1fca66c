//! What the archive inside a sealed package may do, met at the unpacking: hostile names, headers that lie, and more than
//! a package may cost. Each has its own kind and sentence, and leaves nothing.

use crate::raw_zip::{self, RawEntry};
use crate::support::*;
use claimwire::codec::Limits;
use claimwire::package::PackageLimits;
use claimwire::{Error, ErrorKind};
use serde_json::json;

/// Delivers an archive built byte by byte.
#[track_caller]
fn refused_raw(change: impl Fn(Vec<RawEntry>) -> Vec<RawEntry>, kind: ErrorKind) -> Error {
    let raw = |parts: Parts| {
        let entries = parts.entries();
        let entries = entries.iter().map(|(name, bytes)| RawEntry::stored(name, bytes)).collect();
        raw_zip::archive(&change(entries))
    };
    refused_at(&Known::new(), raw, Parts::new, kind)
}

#[test]
fn json_nested_too_deep_is_refused_before_it_is_built() {
    for levels in [33, 100_000] {
        let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let claim_file = format!(r#"{{"claim": {{"id": "ON-INS/C-1", "x": {deep}}}}}"#);
        let archive = |parts: Parts| archive_of(&parts.entries_around(claim_file.clone().into_bytes()));
        let error = refused_at(&Known::new(), archive, Parts::new, ErrorKind::InvalidPackage);
        says(&error, &["claim.json", "32 levels"]);
        let archive = |parts: Parts| {
            let mut entries = parts.entries();
            entries.last_mut().unwrap().1 = format!(r#"{{"format_version": 1, "x": {deep}}}"#).into_bytes();
            archive_of(&entries)
        };
        let error = refused_at(&Known::new(), archive, Parts::new, ErrorKind::InvalidPackage);
        says(&error, &["manifest.json", "32 levels"]);
    }
}

/// Sites of which the examiner takes packages within these limits alone.
fn limited(limits: PackageLimits) -> Known {
    let setup =
        Setup { examiner: Box::new(|settings| settings.with_package_limits(limits)), ..Setup::default() };
    Known::of(TwoSites::with(setup))
}

#[test]
fn json_may_be_as_deep_as_its_limit() {
    let known = limited(PackageLimits::default().with_json_depth(10));
    let nested = |levels: usize| {
        move || {
            // The file and the claim in it are the first two.
            let deep: String = "[".repeat(levels - 2) + &"]".repeat(levels - 2);
            Parts::new().with(|parts| parts.claim_file["claim"]["x"] = serde_json::from_str(&deep).unwrap())
        }
    };
    let error = refused_at(&known, Parts::archive, nested(11), ErrorKind::InvalidPackage);
    says(&error, &["claim.json", "10 levels"]);
    let parts = nested(10)();
    let delivery = Delivery::of_archive(&known.sites, parts.id(), &parts.archive(), 1);
    known.sites.examiner.exchange.unpack(delivery.taken(&known.sites), "front desk", &()).unwrap();
}

#[test]
fn json_larger_than_its_limit_is_refused() {
    let known = limited(PackageLimits::default().with_json_size(4000));
    let large =
        || Parts::new().with(|parts| parts.claim_file["claim"]["loss_description"] = json!("x".repeat(5000)));
    let error = refused_at(&known, Parts::archive, large, ErrorKind::InflatedTooLarge);
    says(&error, &["claim.json", "4000 bytes"]);
    let manifest = || Parts::new().lying(|manifest| manifest["x"] = json!("x".repeat(5000)));
    let error = refused_at(&known, Parts::archive, manifest, ErrorKind::InflatedTooLarge);
    says(&error, &["manifest.json", "4000 bytes"]);
}

#[test]
fn a_package_that_inflates_too_far_is_refused_before_it_is_inflated() {
    let known = limited(PackageLimits::default().with_archive(Limits::default().with_inflated_size(100_000)));
    let bomb = || Parts::new().with(|parts| parts.documents[0].1 = vec![0; 200_000]);
    let error = refused_at(&known, Parts::archive, bomb, ErrorKind::InflatedTooLarge);
    says(&error, &["100000"]);
}

#[test]
fn a_package_of_too_many_entries_is_refused() {
    let known = limited(PackageLimits::default().with_archive(Limits::default().with_entries(10)));
    let many = || {
        Parts::new().with(|parts| {
            parts.documents.extend((0..20).map(|n| (format!("documents/ON-INS/D-{n}x/a.txt"), Vec::new())));
        })
    };
    let error = refused_at(&known, Parts::archive, many, ErrorKind::TooManyEntries);
    says(&error, &["10"]);
}

#[test]
fn names_that_could_leave_the_folder_or_harm_a_file_system_are_refused() {
    for name in [
        "/etc/passwd",
        "../../authorized_keys",
        "documents/ON-INS/D-7/../../x",
        "C:/windows/system.ini",
        "documents\\ON-INS\\D-7",
        "documents/ON-INS/D-7/NUL",
        "documents/ON-INS/D-7/report.txt:stream",
        "documents/ON-INS/D-7/report.txt ",
        "documents/ON-INS/D-7/gpj.\u{202e}exe",
        "documents/ON-INS/D-7/line\nbreak.txt",
        "documents//report.txt",
        "",
    ] {
        let hostile = |mut entries: Vec<RawEntry>| {
            entries.insert(0, RawEntry::stored(name, b"x"));
            entries
        };
        refused_raw(hostile, ErrorKind::HostileName);
    }
}

#[test]
fn a_document_whose_name_is_a_path_is_refused() {
    let path = || {
        Parts::new().with(|parts| {
            parts.claim_file["documents"][0]["name"] = json!("Startup/run.txt");
            parts.documents[0].0 = "documents/ON-INS/D-7/Startup/run.txt".into();
        })
    };
    says(&refused(path, ErrorKind::HostileName), &["ON-INS/D-7", "Startup/run.txt"]);
}

#[test]
fn names_that_meet_on_some_file_system_are_refused() {
    for name in [REPORT.to_owned(), REPORT.to_uppercase(), "claim.json/x".to_owned(), "Claim.JSON".to_owned()]
    {
        let colliding = |mut entries: Vec<RawEntry>| {
            entries.insert(0, RawEntry::stored(&name, b"x"));
            entries
        };
        refused_raw(colliding, ErrorKind::InconsistentArchive);
    }
}

#[test]
fn links_encrypted_entries_and_unknown_methods_are_refused() {
    let lies: [fn(&mut RawEntry); 3] =
        [|entry| entry.attributes = 0o120_777 << 16, |entry| entry.flags |= 1, |entry| entry.method = 12];
    for lie in lies {
        let lying = |mut entries: Vec<RawEntry>| {
            lie(&mut entries[0]);
            entries
        };
        refused_raw(lying, ErrorKind::UnsupportedArchive);
    }
}

#[test]
fn headers_that_differ_within_the_archive_are_refused() {
    let lies: [fn(&mut RawEntry); 4] = [
        |entry| entry.local_name = Some(b"documents/ON-INS/D-7/other.txt".to_vec()),
        |entry| entry.local_method = Some(8),
        |entry| entry.local_inflated = Some(1),
        |entry| entry.offset = Some(0),
    ];
    for lie in lies {
        let lying = |mut entries: Vec<RawEntry>| {
            lie(&mut entries[1]);
            entries
        };
        let error = refused_raw(lying, ErrorKind::InconsistentArchive);
        says(&error, &["contradicts itself"]);
    }
}

#[test]
fn an_entry_changed_inside_the_archive_is_refused() {
    let changed = |mut entries: Vec<RawEntry>| {
        entries[0].data[0] ^= 1;
        entries
    };
    says(&refused_raw(changed, ErrorKind::Altered), &["second report.txt"]);
}
