//! Trials from strangers and partners gone bad, and answers that lie: bounded, told, and nothing left behind.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::codec::{ArchiveWriter, encrypt_bytes};
use claimwire::exchange::{TrialOptions, TrialReport};
use claimwire::ledger::{HistoryQuery, Step};
use claimwire::model::{Package, PackageId, PackageKind, Timestamp};
use claimwire::protocol::{
    Digest, Endpoint, MAX_ANSWER_BYTES, Peer, Request, Response, Route, SealedSample, SigningKey,
    TRIAL_MEDIA_TYPE, TrialAnswer, TrialCheck, TrialOutcome, TrialSide, sign_request, sign_response,
};
use claimwire::transport::MemoryTransport;
use serde_json::json;
use std::io::Read;
use std::sync::Arc;

/// A trial of the insurer's as a test puts it on the wire.
fn trial(sites: &TwoSites, change: impl FnOnce(&mut Delivery)) -> (Request, Vec<u8>) {
    let parts = Parts::new().with(|parts| parts.package.kind = PackageKind::Trial);
    let id = parts.id();
    let mut delivery = Delivery::of_archive(sites, id, &parts.archive(), 1);
    delivery.envelope.kind = PackageKind::Trial;
    change(&mut delivery);
    let mut request = Request::new("POST", &Route::Trials.path("")).unwrap();
    *request.headers_mut() = delivery.unsigned().headers().clone();
    sign_request(&mut request, &delivery.signer, delivery.signed_at).unwrap();
    (request, delivery.body)
}

#[track_caller]
fn untouched(side: &Side) {
    assert_eq!(stored(side), Vec::<String>::new());
    assert!(side.exchange.history(&HistoryQuery::new()).unwrap().is_empty());
    assert!(side.events.lock().unwrap().is_empty());
}

#[test]
fn a_stranger_gets_what_a_strangers_package_gets_and_costs_nothing() {
    let sites = TwoSites::new();
    let stranger = SigningKey::generate("on-ins-1").unwrap();
    let unknown = SigningKey::generate("nobody").unwrap();
    for signer in [stranger, unknown] {
        let (request, _) = trial(&sites, |delivery| delivery.signer = signer.clone());
        let mut body = CountedBody::of(1 << 40);
        let answer = sites.examiner.exchange.answer(&request, &Peer::unknown(), &mut body);
        assert_eq!(body.read, 0, "the body of a stranger is not read");
        let as_package =
            Delivery::new(&sites, b"x".to_vec()).with(|delivery| delivery.signer = signer.clone());
        let (told, package) = (refusal(&answer), refusal(&as_package.post(&sites)));
        assert_eq!((told.status, told.kind, told.said), (package.status, package.kind, package.said));
        untouched(&sites.examiner);
    }
    let (request, body) = trial(&sites, |delivery| delivery.envelope.from = third_site());
    assert_eq!(refusal(&post(&sites.examiner, &request, &body)).kind, ErrorKind::UnknownSender);
    untouched(&sites.examiner);
}

#[test]
fn an_oversized_trial_is_refused_before_it_is_read() {
    let sites = TwoSites::new();
    let (request, _) = trial(&sites, |delivery| delivery.declared = Some(300_000));
    let mut body = CountedBody::of(300_000);
    let answer = sites.examiner.exchange.answer(&request, &Peer::unknown(), &mut body);
    assert_eq!((refusal(&answer).status, body.read), (413, 0));
    // One that hides its length is given up at the limit.
    let (request, _) = trial(&sites, |delivery| delivery.declared = None);
    let mut body = CountedBody::of(1 << 40);
    let answer = sites.examiner.exchange.answer(&request, &Peer::unknown(), &mut body);
    assert_eq!(refusal(&answer).kind, ErrorKind::SealedTooLarge);
    assert!(body.read <= 256 * 1024 + 1, "{}", body.read);
    untouched(&sites.examiner);
}

#[test]
fn a_body_that_is_not_the_announced_one_is_refused() {
    let sites = TwoSites::new();
    let (request, mut body) = trial(&sites, |_| {});
    body[20] ^= 1;
    assert_eq!(refusal(&post(&sites.examiner, &request, &body)).kind, ErrorKind::DigestMismatch);
    untouched(&sites.examiner);
}

#[test]
fn a_trial_is_no_package_and_a_package_is_no_trial() {
    let sites = TwoSites::new();
    let (request, body) = trial(&sites, |delivery| delivery.envelope.kind = PackageKind::Claim);
    assert_eq!(refusal(&post(&sites.examiner, &request, &body)).kind, ErrorKind::BadMessage);
    let as_package =
        Delivery::new(&sites, body.clone()).with(|delivery| delivery.envelope.kind = PackageKind::Trial);
    assert_eq!(refusal(&as_package.post(&sites)).kind, ErrorKind::BadMessage);
    untouched(&sites.examiner);

    // The bytes of a trial in the envelope of a package are held, as all sealed bytes, and never unpacked.
    let parts = Parts::new().with(|parts| parts.package.kind = PackageKind::Trial);
    let id = parts.id();
    let known = Known::of(sites);
    let delivery = Delivery::of_archive(&known.sites, id, &parts.archive(), 1);
    known.refuses(delivery.taken(&known.sites), ErrorKind::EnvelopeMismatch);
}

#[test]
fn a_hostile_sample_is_told_as_a_finding_and_leaves_nothing() {
    let sites = TwoSites::new();
    let bomb = {
        let mut archive = ArchiveWriter::new(Vec::new());
        archive.add("claim.json", std::io::repeat(b' ').take(40 << 20)).unwrap();
        archive.add("manifest.json", &b"{}"[..]).unwrap();
        archive.finish().unwrap()
    };
    let lying = Parts::new().with(|parts| parts.package.kind = PackageKind::Trial).lying(|manifest| {
        manifest["package"]["to"] = json!("THIRD");
    });
    let later = Parts::new().lying(|manifest| manifest["format_version"] = json!(9));
    for (archive, code) in [
        (bomb, "opens"),
        (b"no archive".to_vec(), "opens"),
        (lying.archive(), "opens"),
        (Parts::new().archive(), "opens"),
        (later.archive(), "format-version"),
    ] {
        let sealed = encrypt_bytes(&sites.keys.legacy.clone().into(), &archive).unwrap();
        let (request, body) = trial(&sites, |delivery| {
            delivery.digest = Digest::of(&sealed);
            (delivery.declared, delivery.body) = (Some(sealed.len() as u64), sealed.clone());
        });
        let response = post(&sites.examiner, &request, &body);
        let answer = TrialAnswer::from_response(&response).unwrap();
        assert_eq!((answer.checks[0].code.as_str(), answer.checks[0].outcome), (code, TrialOutcome::Failed));
        assert!(answer.way_back.is_some(), "the way back is tried all the same");
        assert_eq!(stored(&sites.examiner), Vec::<String>::new());
    }
    let entries = sites.examiner.exchange.history(&HistoryQuery::new()).unwrap();
    assert!(entries.len() == 5 && entries.iter().all(|entry| entry.step == Step::Tried));
}

#[test]
fn an_answer_tells_neither_keys_nor_names_of_files_nor_digests_of_plaintext() {
    let sites = TwoSites::new();
    let (request, body) = trial(&sites, |_| {});
    let response = post(&sites.examiner, &request, &body);
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    let folder = sites.examiner.folder.display().to_string();
    for secret in ["legacy-Secret1", "AGE-SECRET-KEY", "-secret:", folder.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
    let answer = TrialAnswer::from_response(&response).unwrap();
    assert_eq!(answer.digest, Digest::of(&body));
    assert_eq!(text.matches("sha-256").count(), 1, "only that of the sealed bytes");
}

/// An examiner that answers what the test makes of an honest answer, signed by its key.
fn answered(
    change: impl Fn(&Request, &Keys, TrialAnswer) -> Result<TrialAnswer, Response> + Send + Sync + 'static,
) -> (TwoSites, TrialReport) {
    struct Liar<F>(F, claimwire::exchange::Exchange, Keys);
    impl<F> Endpoint for Liar<F>
    where
        F: Fn(&Request, &Keys, TrialAnswer) -> Result<TrialAnswer, Response> + Send + Sync,
    {
        fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
            let honest = TrialAnswer::from_response(&self.1.answer(request, peer, body)).unwrap();
            let mut response = match (self.0)(request, &self.2, honest) {
                Ok(answer) => raw(serde_json::to_vec(&answer).unwrap()),
                Err(response) => response,
            };
            sign_response(request, &mut response, &self.2.examiner_signs, Timestamp::now()).unwrap();
            response
        }
    }
    let sites = TwoSites::new();
    let liar = Liar(change, sites.examiner.exchange.clone(), sites.keys.clone());
    let partner = sites.insurer.exchange.partner(&examiner_site()).unwrap();
    sites.insurer.exchange.set_partner((*partner).clone().reached_by(MemoryTransport::new(Arc::new(liar))));
    let report = sites.insurer.exchange.try_partner(&examiner_site(), &TrialOptions::by("dana")).unwrap();
    assert_eq!(stored(&sites.insurer), Vec::<String>::new());
    assert!(sites.insurer.events.lock().unwrap().is_empty());
    assert!(!report.to_string().contains('\u{1b}'));
    (sites, report)
}

/// An answer of this JSON.
fn raw(json: impl Into<Vec<u8>>) -> Response {
    let mut response = Response::new(200, json).unwrap();
    response.headers_mut().insert("content-type", TRIAL_MEDIA_TYPE).unwrap();
    response
}

#[track_caller]
fn only(report: &TrialReport, code: &str) {
    let failed: Vec<&str> = report.failed().map(|check| check.code.as_str()).collect();
    assert_eq!(failed, [code], "{report}");
}

#[test]
fn an_answer_to_something_else_is_none() {
    type Lie = fn(&mut TrialAnswer);
    let lies: [Lie; 4] = [
        |answer| answer.package_id = PackageId::generate(),
        |answer| answer.from = third_site(),
        |answer| answer.to = third_site(),
        |answer| answer.digest = Digest::of(b"other bytes"),
    ];
    for lie in lies {
        let (_, report) = answered(move |_, _, mut answer| {
            lie(&mut answer);
            Ok(answer)
        });
        only(&report, "answer");
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_bounded_and_told() {
    let deep = || format!(r#"{{"version":1,"x":{}{}}}"#, "[".repeat(400_000), "]".repeat(400_000));
    only(&answered(move |_, _, _| Err(raw(deep()))).1, "answer");
    only(&answered(|_, _, _| Err(raw(vec![b'{'; MAX_ANSWER_BYTES]))).1, "answer");
    only(&answered(|_, _, _| Err(raw(r#"{"version":2}"#))).1, "answer");
    only(&answered(|_, _, _| Err(Response::new(200, "<html>").unwrap())).1, "answer");
    let (_, report) = answered(|_, _, mut answer| {
        let check = TrialCheck::new("x", TrialOutcome::Passed, TrialSide::Recipient, "y");
        answer.checks = vec![check; TrialAnswer::MAX_CHECKS + 1];
        Ok(answer)
    });
    only(&report, "answer");
}

#[test]
fn what_a_partner_says_cannot_forge_lines_or_codes() {
    let (sites, report) = answered(|_, _, mut answer| {
        let said = "fine\nfailed  opens (at ON-INS): \u{1b}[31mforged";
        answer.checks.push(TrialCheck::new("x", TrialOutcome::Failed, TrialSide::Sender, said));
        Ok(answer)
    });
    only(&report, "x");
    assert_eq!(report.to_string().lines().filter(|line| line.starts_with("failed")).count(), 1, "{report}");
    let outcome = &sites.insurer.exchange.history(&HistoryQuery::new()).unwrap()[0].outcome;
    assert!(!outcome.contains("forged"), "{outcome}");
}

#[test]
fn a_hostile_sample_for_the_way_back_is_a_finding_and_leaves_nothing() {
    /// Seals these parts for the insurer, from the examiner, as an honest answer would.
    fn back(keys: &Keys, entries: &[(String, Vec<u8>)], id: PackageId) -> SealedSample {
        let sealed = encrypt_bytes(&keys.identity.recipient().into(), &archive_of(entries)).unwrap();
        SealedSample::new(id, "age", 1, sealed)
    }
    fn parts(change: impl FnOnce(&mut Package)) -> Parts {
        Parts::new().with(|parts| {
            parts.package =
                Package::new(PackageKind::Trial, examiner_site(), insurer_site(), id("ON-INS/C-1"));
            change(&mut parts.package);
        })
    }
    let with = |make: fn() -> Vec<(String, Vec<u8>)>| {
        answered(move |_, keys, mut answer| {
            let entries = make();
            answer.way_back = Some(back(keys, &entries, package_in(&entries)));
            Ok(answer)
        })
        .1
    };
    let honest = with(|| parts(|_| {}).entries());
    assert!(honest.passed(), "{honest}");
    only(&with(|| parts(|package| package.kind = PackageKind::Claim).entries()), "back-opens");
    only(&with(|| parts(|package| package.to = third_site()).entries()), "back-opens");
    only(&with(|| parts(|package| package.from = third_site()).entries()), "back-opens");
    only(&with(|| parts(|package| package.key_version = 2).entries()), "back-opens");
    only(
        &with(|| parts(|_| {}).lying(|manifest| manifest["format_version"] = json!(2)).entries()),
        "back-format-version",
    );
    only(
        &with(|| {
            parts(|_| {})
                .with(|parts| {
                    parts.documents.push(("documents/IMEX/D-1/bomb".into(), vec![0; 40 << 20]));
                })
                .entries()
        }),
        "back-opens",
    );
    only(
        &with(|| {
            let deep = format!(r#"{{"claim":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
            parts(|_| {}).entries_around(deep.into_bytes())
        }),
        "back-opens",
    );
    let (_, report) = answered(|_, _, mut answer| {
        answer.way_back.as_mut().unwrap().sealed = b"age-encryption.org/v1\n-> X25519 nonsense".to_vec();
        Ok(answer)
    });
    only(&report, "back-opens");
    let (_, report) = answered(|_, _, mut answer| {
        answer.way_back.as_mut().unwrap().suite = "rot13\u{1b}[0m".into();
        Ok(answer)
    });
    only(&report, "back-suite");
    let (_, report) = answered(|_, _, mut answer| {
        answer.way_back = None;
        Ok(answer)
    });
    only(&report, "back-sealing-key");
}

fn package_in(entries: &[(String, Vec<u8>)]) -> PackageId {
    let manifest: serde_json::Value = serde_json::from_slice(&entries.last().unwrap().1).unwrap();
    manifest["package"]["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn what_comes_back_changed_is_told() {
    let (_, report) = answered(|request, keys, mut answer| {
        let trial = claimwire::protocol::Envelope::package_id(request.headers()).unwrap();
        let claim = format!("ON-INS/trial-{trial}-claim");
        let parts = Parts::new().with(|parts| {
            parts.package = Package::new(PackageKind::Trial, examiner_site(), insurer_site(), id(&claim));
            parts.claim_file = json!({"claim": {"id": claim, "claim_number": "ANOTHER"}});
            parts.documents.clear();
        });
        let (package, archive) = (parts.id(), parts.archive());
        let sealed = encrypt_bytes(&keys.identity.recipient().into(), &archive).unwrap();
        answer.way_back = Some(SealedSample::new(package, "age", 1, sealed));
        Ok(answer)
    });
    only(&report, "back-names");
    let check = report.failed().next().unwrap();
    assert!(check.message.contains("TRIAL-1") && check.message.contains("ANOTHER"), "{}", check.message);
}
