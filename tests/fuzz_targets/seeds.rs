//! The seeds of the fuzz targets' corpora: of the kit of hostile input, and beside it valid samples.

use crate::bodies::{SALT, legacy_key};
use crate::kit::{Input, kit};
use claimwire::codec::{ArchiveReader, Framing, Limits, encrypt_bytes};
use claimwire::model::ClaimFile;
use claimwire::protocol::TrialAnswer;
use std::collections::BTreeMap;
use std::io::Cursor;

type Seeds = BTreeMap<String, Vec<u8>>;

/// The bytes of each, by `<target>/<name>`.
pub(crate) fn seeds() -> Seeds {
    let mut seeds = Seeds::new();
    for input in kit() {
        let name = input.path.file_stem().unwrap().to_str().unwrap();
        for (target, bytes) in of_input(&input) {
            seeds.insert(format!("{target}/{name}"), bytes);
        }
    }
    samples(&mut seeds);
    seeds
}

fn of_input(input: &Input) -> Vec<(&'static str, Vec<u8>)> {
    let body = input.body.clone();
    match input.header["reader"].as_str() {
        "archive" => {
            deflated(&body).map(|stream| ("inflate", stream)).into_iter().chain([("archive", body)]).collect()
        }
        "package" => {
            parts(&body).map(|parts| ("package", parts)).into_iter().chain([("archive", body)]).collect()
        }
        "claim-file" => vec![("claim_file", body)],
        "receipt" => {
            vec![("answer", told("200\ncontent-type: application/vnd.claimwire.receipt+json\n\n", &body))]
        }
        "envelope" | "signature" => vec![("request", told("POST /packages\n", &body))],
        _ => vec![("sealed", body)],
    }
}

fn told(before: &str, body: &[u8]) -> Vec<u8> {
    [before.as_bytes(), body].concat()
}

/// The first entry of an archive, if it is deflated, as the target `inflate` takes it: pieces of 5 bytes.
fn deflated(archive: &[u8]) -> Option<Vec<u8>> {
    let number =
        |at: usize| archive.get(at..at + 2).map(|two| usize::from(u16::from_le_bytes([two[0], two[1]])));
    let (method, size) = (number(8)?, number(18)?);
    let start = 30 + number(26)? + number(28)?;
    let stream = archive.get(start..start + size)?;
    (archive.starts_with(b"PK\x03\x04") && method == 8).then(|| [&[5], stream].concat())
}

/// A package's parts as the target `package` takes them.
fn parts(archive: &[u8]) -> Option<Vec<u8>> {
    let mut archive = ArchiveReader::open(Cursor::new(archive), &Limits::default()).ok()?;
    let names: Vec<String> = archive.entries().map(|entry| entry.name().to_owned()).collect();
    let mut content = |name: &str| {
        let mut content = Vec::new();
        let read = names.iter().any(|it| it == name) && archive.read(name, &mut content).is_ok();
        if read { content } else { Vec::new() }
    };
    let document = names.iter().find_map(|name| name.strip_prefix("documents/")).unwrap_or("none");
    let (manifest, claim) = (content("manifest.json"), content("claim.json"));
    let bytes = content(&format!("documents/{document}"));
    Some([document.as_bytes(), &manifest, &claim, &bytes].join(&0))
}

fn samples(seeds: &mut Seeds) {
    let mut add = |name: &str, bytes: &[u8]| assert!(seeds.insert(name.to_owned(), bytes.to_vec()).is_none());
    assert!(
        ClaimFile::from_json(CLAIM.as_bytes()).is_ok() && TrialAnswer::from_json(TRIAL.as_bytes()).is_ok()
    );
    add("claim_file/all_records", CLAIM.as_bytes());
    // What the kit seals has more iterations than the target's keys.
    let bare = encrypt_bytes(&legacy_key(Framing::Bare { salt: SALT }).into(), b"abc").unwrap();
    add("sealed/bare_of_one_iteration", &bare);
    add("sealed/salt-prefix_of_one_iteration", &[&SALT[..], &bare].concat());
    add("trial/good", TRIAL.as_bytes());
    add("trial/later_version", TRIAL.replace("\"version\": 1", "\"version\": 2").as_bytes());
    add("trial/control_characters", TRIAL.replace("is known", "is\\u0000\\u202e known").as_bytes());
    add("trial/no_checks", br#"{"version": 1, "checks": []}"#);
    add(
        "answer/trial",
        &told("200\ncontent-type: application/vnd.claimwire.trial+json\n\n", TRIAL.as_bytes()),
    );
    add("answer/problem", &told("503\ncontent-type: application/problem+json\nretry-after: 30\n\n", PROBLEM));
    add(
        "answer/problem_date",
        &told(
            "429\ncontent-type: application/problem+json; charset=utf-8\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\n\n",
            PROBLEM,
        ),
    );
    add("answer/page", b"502\ncontent-type: text/html\n\n<html><body>Bad gateway</body></html>");
    add("answer/empty", b"204");
    for (name, line) in [
        ("notes", "POST /claimwire/notes"),
        ("state", "GET /claimwire/packages/019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77"),
        ("upload", "PATCH /claimwire/packages/019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77/upload"),
        ("path_up", "POST /claimwire/../packages"),
    ] {
        add(&format!("request/route_{name}"), line.as_bytes());
    }
    for (name, pattern, file) in [
        ("claim_number", "{claim_number}.pdf", "CLM_2026_0117.pdf"),
        ("date", "{date:DD.MM.YYYY}_{number:3}.{ext:pdf|docx}", "31.12.2026_042.PDF"),
        ("texts", "{text}_{text}.{ext:pdf|tar.gz}", "a_b_c.tar.gz"),
        ("braces", "{{{text}}}", "{x}"),
        (
            "many_texts",
            "{text}{number}{text}{number}{text}{number}{text}{number}b",
            "a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
        ),
        ("composed", "{document_type}é.pdf", "Me\u{301}dical-Reporte\u{301}.pdf"),
        ("unclosed", "{text", "a"),
    ] {
        add(&format!("naming/{name}"), format!("{pattern}\n{file}").as_bytes());
    }
    // A stored block, one of fixed codes, one that is empty, a reserved type, a distance before the start.
    add("inflate/stored", b"\x02\x01\x05\x00\xfa\xffhello");
    add("inflate/fixed", b"\x01\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x00");
    add("inflate/fixed_empty", b"\x01\x03\x00");
    add("inflate/reserved", b"\x01\x07\x00");
    add("inflate/too_far", b"\xff\x4b\x04\x22\x00");
    // A frame with its size, one with a window and a run, one with a dictionary, one that is skipped, one too large.
    add("zstd/single_segment", b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0knees");
    add("zstd/run_and_empty", b"\x28\xb5\x2f\xfd\0\0\x03\x20\0;\x28\xb5\x2f\xfd\x20\0\x01\0\0");
    add("zstd/dictionary", b"\x28\xb5\x2f\xfd\x21\x07\x01\x09\0\0x");
    add("zstd/skippable", b"\x50\x2a\x4d\x18\x04\0\0\0hide");
    add("zstd/window", b"\x28\xb5\x2f\xfd\0\xf8\x09\0\0x");
    add("zstd/compressed", ZSTD);
    add("deflate/one", b"\x01the left knee, the left knee, the left knee");
    add("deflate/empty", b"\x01");
    add("deflate/zeros", &[&[1_u8][..], &[0; 2000]].concat());
    let column: Vec<u8> =
        (0..400_u32).flat_map(|row| format!("{row};{}\n", row * 7919 % 1000).into_bytes()).collect();
    add("deflate/columns", &[&[3_u8], &column[..]].concat());
    let other = CLAIM.replace("the left knee", "both knees").replace("2.50", "3.5");
    add("merging/new", [CLAIM, &other].join("\0").as_bytes());
    add("merging/three", [CLAIM, &other, &CLAIM.replace("CLM-1", "CLM-0")].join("\0").as_bytes());
    add("merging/contacts", CONTACTS.join("\0").as_bytes());
    scripts(&mut add);
    super::samples::samples(&mut add);
}

/// What the targets that make calls read with `bodies/script.rs`.
fn scripts(add: &mut impl FnMut(&str, &[u8])) {
    for (name, length) in
        [("empty", 0_u32), ("one_chunk", 65_536), ("two_chunks", 65_537), ("four_chunks", 262_144)]
    {
        add(&format!("age_payload/{name}"), &[&length.to_le_bytes()[..], &[2, 0, 100]].concat());
    }
    let two = [0x01, 0, 1, 0];
    for (name, edit) in [
        ("changed", &[0, 200, 1, 0, 0, 8][..]),
        ("cut", &[1, 0, 1, 1, 0]),
        ("removed", &[2, 250, 0, 0, 0, 16, 0, 0, 0]),
        ("appended", &[3, 2, 1, 2]),
        ("swapped", &[4, 0, 1]),
    ] {
        add(&format!("age_payload/{name}"), &[&two[..], &[1, 7], edit].concat());
    }
    // A key by password, something sealed, opened and freed; the same for age; JSON.
    let (seals, opens) = ([&[4, 0, 1][..], b"p", &[1, 1]].concat(), [&[4, 1, 1][..], b"p", &[1, 1]].concat());
    let there_and_back = [&[9, 0, 5][..], b"hello", &[10, 1, 11, 12, 13]].concat();
    add("border/des_md5", &[&seals[..], &opens, &there_and_back].concat());
    add("border/age", &[&[5, 6, 1][..], &there_and_back].concat());
    add("border/age_recipient", &[&[5, 8, 6, 1][..], &there_and_back, &[8]].concat());
    add("border/json", &[&[2, 0, 9][..], b"{\"a\":[1]}", &[0, 4], b"/a/0", &[3, 1, 3, 1]].concat());
    add("border/nulls", &[0, 2, 2, 2, 2, 3, 2, 6, 2, 7, 2, 8, 9, 2, 10, 2, 11, 12, 13]);
    add("border/names", &[&[0, 0, 3][..], b"age", &[1, 20, 1, 21, 1, 255, 1, 0]].concat());
}

/// The same person, whom each side knows by an id of its own.
const CONTACTS: [&str; 2] = [
    r#"{"claim": {"id": "ON-INS/C-1"}, "contacts": [{"id": "ON-INS/P-1", "type": "person", "first_name": "Ada",
"last_name": "Okafor", "birth_date": "1970-01-31", "email": "ada@example.com"}]}"#,
    r#"{"claim": {"id": "ON-INS/C-1"}, "contacts": [{"id": "IMEX/P-9", "type": "person", "first_name": "ada",
"last_name": "OKAFOR", "birth_date": "1970-01-31"}], "notes": [{"id": "IMEX/N-1", "author": "IMEX/P-9"}]}"#,
];

const PROBLEM: &[u8] = br#"{"type": "https://claimwire.org/problems/unavailable", "title": "Unavailable", "status": 503, "detail": "The disk is full.", "code": 12}"#;

const TRIAL: &str = r#"{"version": 1, "package_id": "019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77", "from": "IMEX", "to": "ON-INS",
"digest": "sha-256=:ydADa+1nRLzfaS/JgNhxfX5fWk9Ogma0qEmCYC+xzQk=:", "sent_at": "2026-03-02T14:30:00Z",
"at": "2026-03-02T14:30:01Z", "signing_key_id": "imex-1", "format_version": 1, "takes_up_to": 262144000,
"sends_up_to": 262144000, "checks": [{"code": "signature", "outcome": "passed", "side": "recipient",
"message": "The key is known."}, {"code": "clock", "outcome": "warning", "side": "sender", "message": "Two minutes slow.",
"remedy": "Set it."}], "way_back": {"package_id": "019cc2f3-1c40-7a10-8f63-5b1f0c9d2e78", "suite": "age",
"key_version": 1, "sealed": "YWdl"}}"#;

/// Eight lines about a left knee, by the program `zstd`.
const ZSTD: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x60, 0xec, 0x00, 0x05, 0x04, 0x00, 0x42, 0x05, 0x12, 0x17, 0x80, 0xa9, 0x6d,
    0x30, 0xff, 0x89, 0xa8, 0xcb, 0x57, 0xad, 0xe1, 0xa1, 0xe8, 0x24, 0xb4, 0xb2, 0xbb, 0x91, 0xa3, 0x3b,
    0xe9, 0xa0, 0x87, 0x8b, 0x9a, 0x5b, 0xca, 0x4c, 0xd1, 0x35, 0xd4, 0xcc, 0xca, 0x4b, 0xb4, 0x5a, 0x3c,
    0x53, 0x76, 0xa6, 0x58, 0xf6, 0x63, 0x10, 0x42, 0x61, 0xf0, 0x40, 0x92, 0xba, 0x03, 0x50, 0xe2, 0x7d,
    0x28, 0x8e, 0xc5, 0x53, 0x97, 0x73, 0xea, 0x0b, 0xea, 0xcc, 0x08, 0xc3, 0x1b, 0xf1, 0xe1, 0x9c, 0x4e,
    0x18, 0x00, 0xa0, 0xc0, 0x80, 0x21, 0x18, 0x18, 0xa8, 0x1d, 0x08, 0x02, 0xdc, 0x0b, 0x6a, 0x0c, 0x18,
    0xc2, 0xc0, 0x82, 0x50, 0x3b, 0x10, 0x1a, 0x60, 0x62, 0x67, 0xea, 0x01, 0xe1, 0x80, 0xcb, 0x40, 0xdd,
    0x40, 0x68, 0x00, 0x13, 0x50, 0x63, 0x20, 0x04, 0xfc, 0x15, 0x86, 0xf5, 0xe4, 0x5a, 0x54, 0x81, 0xd0,
    0x35, 0x9f,
];

const CLAIM: &str = r#"{"claim": {"id": "ON-INS/C-1", "claim_number": "CLM-1", "custom": {"lot": [1, 2.50, null]}},
"assessments": [{"id": "ON-INS/A-1", "bills": [{"id": "ON-INS/B-1"}]}],
"notes": [{"id": "ON-INS/N-1", "body": "Please examine the left knee."}],
"contacts": [{"id": "ON-INS/P-1"}], "documents": [{"id": "ON-INS/D-7", "name": "report.txt"}]}"#;
