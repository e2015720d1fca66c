//! Valid samples of the messages, settings and texts that the fuzz targets read.

use crate::bodies::{SIGNED_ID, answered};
use claimwire::ledger::{Direction, HistoryEntry, HistoryHead, Step};
use claimwire::model::PackageKind;
use claimwire::protocol::{Digest, Evidence, Response};
use claimwire::settings::PartnerSettings;
use claimwire::{Error, ErrorKind};

pub(crate) fn samples(add: &mut impl FnMut(&str, &[u8])) {
    settings(add);
    texts(add);
    kept(add);
    endpoint(add);
    framing(add);
    clamd(add);
    for (name, fields) in [
        ("begin", "upload-complete: ?0\nupload-length: 100"),
        ("part", "upload-offset: 100\nupload-complete: ?1"),
        ("parameters", "upload-offset: 7;x=1\nupload-length: 9"),
        ("twice", "upload-length: 1\nUpload-Length: 2"),
        ("no_numbers", "upload-offset: -1\nupload-length: 1.5\nupload-complete: 1"),
        ("too_long", "upload-offset: 99999999999999999999"),
    ] {
        add(&format!("upload/{name}"), format!("PATCH /packages/1/upload\n{fields}\n\n").as_bytes());
    }
    add("answer/signed", SIGNED_ANSWER.as_bytes());
    for (name, signatures) in [
        ("published", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("rotated", "v1,AAAA v1a,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("none", "v1,"),
    ] {
        let fields = format!(
            "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\nwebhook-timestamp: 1614265330\nwebhook-signature: {signatures}"
        );
        add(&format!("webhook/{name}"), format!("\n{fields}\n\n{{\"test\": 2432232314}}").as_bytes());
    }
    for (name, message) in [
        ("request", "POST /packages HTTP/1.1\r\nx-a: 1\r\nx-a: 2, 3\r\ncontent-length: 5\r\n\r\nhello"),
        ("answer", "HTTP/1.1 503 \r\nretry-after: 30\r\ncontent-length: 7\r\n\r\nlater\r\n"),
        ("length", "POST /packages HTTP/1.1\r\ncontent-length: 6\r\n\r\nhello"),
        ("chunked", "POST / HTTP/1.1\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n"),
        ("query", "POST /?q HTTP/1.1\r\ncontent-length: 0\r\n\r\n"),
    ] {
        add(&format!("drop_folder/{name}"), message.as_bytes());
    }
}

/// What a client sends, after the length of the pieces that it comes in.
fn framing(add: &mut impl FnMut(&str, &[u8])) {
    let (length, chunked) = ("Content-Length: 5", "Transfer-Encoding: chunked");
    for (name, piece, sent) in [
        ("length", 7, format!("POST / HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\nclaim")),
        (
            "chunked",
            3,
            format!("POST / HTTP/1.1\r\n{chunked}\r\n\r\n3\r\ncla\r\n2;x=1\r\nim\r\n0\r\na: b\r\n\r\n"),
        ),
        (
            "both",
            255,
            format!("POST / HTTP/1.1\r\n{length}\r\n{chunked}\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        ),
        ("both_bare", 1, format!("\nPOST / HTTP/1.1\n{chunked}\n{length}\n\n0\r\n\r\n")),
        ("two_requests", 30, "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
        ("continue", 9, format!("POST / HTTP/1.1\r\nExpect: 100-continue\r\n{length}\r\n\r\nclaim")),
        ("upgrade", 9, "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n".to_owned()),
        ("http2", 9, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
    ] {
        add(&format!("framing/{name}"), &[&[piece], sent.as_bytes()].concat());
    }
}

/// What a daemon says, after how many bytes it takes and the length of the pieces that it says it in.
fn clamd(add: &mut impl FnMut(&str, &[u8])) {
    for (name, takes, piece, reply) in [
        ("clean", 255, 255, "stream: OK\0"),
        ("found", 255, 3, "stream: Win.Test.EICAR_HDB-1 FOUND\0"),
        ("virus_early", 20, 1, "stream: Win.Test.EICAR_HDB-1 FOUND\0"),
        ("clean_early", 20, 9, "stream: OK\0"),
        ("too_long", 30, 9, "INSTREAM size limit exceeded. ERROR\0"),
        ("failed", 255, 9, "stream: Can't allocate memory ERROR\0"),
        ("cut", 255, 9, "stream: OK"),
        ("more", 255, 2, "stream: OK\0stream: Win.Test.EICAR_HDB-1 FOUND\0"),
    ] {
        add(&format!("clamd/{name}"), &[&[takes, piece], reply.as_bytes()].concat());
    }
}

/// The example of `docs/settings.md`, in both forms, and what is wrong in several ways.
fn settings(add: &mut impl FnMut(&str, &[u8])) {
    let page = include_str!("../../docs/settings.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let json = PartnerSettings::from_toml(example).unwrap().to_json().unwrap();
    add("settings/documented", example.as_bytes());
    add("settings/documented_json", json.as_bytes());
    add("settings/unsigned", UNSIGNED.as_bytes());
    add(
        "settings/mistakes",
        br#"{"number": 100, "alias": " ", "colour": "blue", "keys": {"verifying": [{"id": "k"}]}}"#,
    );
    add(
        "settings/no_table",
        b"site = \"IMEX\"\nkeys = \"none\"\nexport = []\n[retry]\nfactor = 1979-05-27\n",
    );
}

const UNSIGNED: &str = r#"site = "CLINIC"
number = 1
alias = "Clinic"
[keys.unsigned]
client_certificate = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
[[keys.incoming]]
version = 1
suite = "des-md5"
framing = "openssl"
secret = { host = "clinic" }
[export]
naming = { regex = "[A-Z]{2}[0-9]+[.]pdf" }
"#;

fn texts(add: &mut impl FnMut(&str, &[u8])) {
    for (name, text) in [
        (
            "age_key_file",
            "# a public test vector\nAGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0\n",
        ),
        ("age_recipient", "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"),
        ("bearer_token", "0123456789abcdefABCDEF-._~+/xyz="),
        ("certificate", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        ("ed25519_public", "ed25519-public:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        ("ed25519_secret", "ed25519-secret:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n"),
        ("hmac_secret", "hmac-sha256-secret:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
        ("webhook_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ] {
        add(&format!("keys/{name}"), text.as_bytes());
    }
    for (name, text) in [
        ("address", "https://exchange.imex.example/claimwire"),
        ("currency", "CAD"),
        ("date", "2026-02-28"),
        ("decimal", "-1250.00"),
        ("digest", "md5=:AAAA:, sha-256=:ydADa+1nRLzfaS/JgNhxfX5fWk9Ogma0qEmCYC+xzQk=:"),
        ("digest_hex", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("exchange_id", "ON-INS/C-1"),
        ("fingerprint", "05FD3231 79930A65 868E8E43 66ED0F61"),
        ("json", r#"{"rate": 12.500, "lot": [1e400, null, "\u0000"]}"#),
        ("moment", "2026-03-02T09:30:00.25-05:00"),
        ("package_id", SIGNED_ID),
        ("suite", "des-md5"),
    ] {
        add(&format!("values/{name}"), text.as_bytes());
    }
}

fn kept(add: &mut impl FnMut(&str, &[u8])) {
    let (head, body) = SIGNED_ANSWER.split_once("\n\n").unwrap();
    let mut response = Response::new(200, body).unwrap();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        response.headers_mut().append(name, value).unwrap();
    }
    let evidence = Evidence::of_response(&answered(), &response);
    add("evidence/response", &serde_json::to_vec(&evidence).unwrap());
    let evidence = Evidence::of_request(&answered(), body.as_bytes());
    add("evidence/request", &serde_json::to_vec(&evidence).unwrap());

    let entry = |step| {
        let package = SIGNED_ID.parse().unwrap();
        let partner = "CLINIC".parse().unwrap();
        let kind = PackageKind::Claim;
        let mut entry =
            HistoryEntry::new(Direction::Outgoing, step, package, kind, partner, "anna", "Done \u{1}.");
        entry.at = "2026-03-02T09:30:00.25-05:00".parse().unwrap();
        entry.of_claim("ON-INS/C-1".parse().unwrap()).of_assessments(["ON-INS/A-1".parse().unwrap()])
    };
    let first = entry(Step::Exported).chained_after(&HistoryHead::start()).unwrap();
    let failed = entry(Step::Failed).failed_with(&Error::new(ErrorKind::TimedOut, "no answer"));
    let second = failed.chained_after(&first.head()).unwrap();
    let lines = [&first, &second].map(|entry| entry.to_json().unwrap());
    add("history/two", lines.join("\n").as_bytes());
    add("history/replaced", [&lines[1], &lines[0]].map(String::as_str).join("\n").as_bytes());
}

/// Rows of requests as the partner of the target `endpoint` sends them.
fn endpoint(add: &mut impl FnMut(&str, &[u8])) {
    let body = "no package, but nobody opens it here";
    let digest = Digest::of(body.as_bytes());
    let envelope = |kind: &str| {
        format!(
            "idempotency-key: \"{SIGNED_ID}\"\nclaimwire-package: from=\"ON-INS\", to=\"IMEX\", kind={kind}, suite=des-md5, key-version=1"
        )
    };
    let (claim, length) = (envelope("claim"), body.len());
    let package = "content-type: application/vnd.claimwire.package";
    let digests = format!("content-digest: {digest}\nrepr-digest: {digest}");
    let whole = format!("POST /packages\n{claim}\n{package}\n{digests}\ncontent-length: {length}\n\n{body}");
    let state = format!("GET /packages/{SIGNED_ID}\nclaimwire-package: from=\"ON-INS\"\n\n");
    add("endpoint/whole", [whole.as_str(), &whole, &state].join("\n--\n").as_bytes());
    let broken = format!(
        "POST /packages\n{claim}\n{package}\n{digests}\nupload-complete: ?1\nupload-length: {length}\n\n{}",
        &body[..10]
    );
    let path = format!("/packages/{SIGNED_ID}/upload");
    let part = |offset: usize, end: usize| {
        let is_last = u8::from(end == length);
        format!(
            "PATCH {path}\n{claim}\ncontent-type: application/partial-upload\nrepr-digest: {digest}\n\
             upload-offset: {offset}\nupload-complete: ?{is_last}\n\n{}",
            &body[offset..end]
        )
    };
    add("endpoint/gone_on", [broken.as_str(), &part(10, length)].join("\n--\n").as_bytes());
    let empty = Digest::of(b"");
    let begin = format!(
        "POST /packages\n{claim}\n{package}\ncontent-digest: {empty}\nrepr-digest: {digest}\nupload-complete: ?0\n\
         upload-length: {length}\n\n"
    );
    let parts = [begin.as_str(), &part(0, 20), &part(10, length), &part(20, length)];
    add("endpoint/parts", parts.join("\n--\n").as_bytes());
    let ended =
        [begin.as_str(), &format!("HEAD {path}\n\n"), &format!("DELETE {path}\n\n"), "OPTIONS /packages\n\n"];
    add("endpoint/ended", ended.join("\n--\n").as_bytes());
    let notes = format!("POST /notes\n{}\n{package}\n{digests}\n\n{body}", envelope("notes"));
    let trial = format!("POST /trials\n{}\n{package}\n{digests}\n\n{body}", envelope("trial"));
    let receipt = format!(
        "POST /receipts\ncontent-type: application/vnd.claimwire.receipt+json\ncontent-digest: {digest}\n\n{body}"
    );
    add(
        "endpoint/others",
        [notes.as_str(), &trial, &receipt, "GET /health\n\n", "PUT /\n\n"].join("\n--\n").as_bytes(),
    );
}

/// An answer to a question after a package's state, as the target `answer` takes it; signed with the key of the kit.
const SIGNED_ANSWER: &str = r#"200
content-type: application/vnd.claimwire.receipt+json
content-digest: sha-256=:+LntB4/34yAUyTGbhtVTs3Wqk0mf4MVVnGWT94VKb1o=:
signature-input: claimwire=("@status" "content-type" "content-digest" "@method";req "@path";req);created=1775000000;keyid="kit";alg="hmac-sha256";nonce="35jMBmOqY8pD7Ygv2i/8HA==";tag="claimwire"
signature: claimwire=:n8TdPxlq9D5khJuq48Iz3yE6i/rELPDHPa1IUYDYf/A=:

{"version":1,"package_id":"019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77","from":"ON-INS","to":"IMEX","state":"received","digest":"sha-256=:ydADa+1nRLzfaS/JgNhxfX5fWk9Ogma0qEmCYC+xzQk=:","at":"2026-03-31T23:33:20Z"}"#;
