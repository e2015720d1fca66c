//! The whole way there and back between two sites, through the C functions alone.

use super::answer::PACKAGE_ID_SIZE;
use super::code::*;
use super::event::*;
use super::exchange::*;
use super::history::*;
use super::incoming::*;
use super::outbox::*;
use super::outgoing::*;
use super::package_state::*;
use super::two_sites::*;
use crate::codec::Suite;
use serde_json::{Value, json};
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

const INSURER: &str = "ON-INS";
const EXAMINER: &str = "IMEX";
const CLAIM: &str = "ON-INS/C-1";

fn id_of(room: &[c_char; PACKAGE_ID_SIZE]) -> String {
    c!(CStr::from_ptr(room.as_ptr())).to_str().unwrap().to_owned()
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn by(name: &str) -> cw_export_options {
    cw_export_options {
        struct_size: size_of::<cw_export_options>(),
        by: name.as_ptr().cast(),
        by_len: name.len(),
        assessments: null(),
        assessments_len: 0,
    }
}

fn export(site: &Site, partner: &str) -> Result<String, (i32, String)> {
    let mut id = [1; PACKAGE_ID_SIZE];
    let how = by("dana");
    let outcome = failing(|error| {
        c!(cw_exchange_export(
            site.exchange,
            CLAIM.as_ptr().cast(),
            CLAIM.len(),
            partner.as_ptr().cast(),
            partner.len(),
            &raw const how,
            null(),
            id.as_mut_ptr(),
            null_mut(),
            error,
        ))
    });
    if outcome.0 == CW_OK {
        return Ok(id_of(&id));
    }
    assert_eq!(id_of(&id), "", "no id after a failure");
    Err(outcome)
}

fn send(site: &Site, package: &str) -> i32 {
    let (mut state, mut json) = (0, null_mut());
    works(|error| {
        c!(cw_exchange_send(
            site.exchange,
            package.as_ptr().cast(),
            package.len(),
            null(),
            &raw mut state,
            &raw mut json,
            error
        ))
    });
    let name = c!(CStr::from_ptr(cw_state_name(state))).to_str().unwrap();
    assert_eq!(parse(&take(json))["state"], name);
    state
}

fn unpack(site: &Site, package: &str) -> Result<(i32, i32, Value), (i32, String)> {
    let (mut state, mut told, mut json) = (7, 7, null_mut());
    let who = "front desk";
    let outcome = failing(|error| {
        c!(cw_exchange_unpack(
            site.exchange,
            package.as_ptr().cast(),
            package.len(),
            who.as_ptr().cast(),
            who.len(),
            null(),
            &raw mut state,
            &raw mut told,
            &raw mut json,
            error,
        ))
    });
    if outcome.0 == CW_OK {
        return Ok((state, told, parse(&take(json))));
    }
    assert!(json.is_null() && state == 0 && told == 0, "nothing is given out after a failure");
    Err(outcome)
}

fn outgoing(site: &Site, package: &str) -> (i32, Value) {
    let (mut state, mut json) = (0, null_mut());
    let (text, length) = (package.as_ptr().cast(), package.len());
    works(|error| {
        c!(cw_exchange_outgoing(site.exchange, text, length, &raw mut state, &raw mut json, error))
    });
    (state, parse(&take(json)))
}

fn the_whole_way(suite: Suite) {
    let sites = TwoSites::new(suite);
    let (insurer, examiner) = (&sites.insurer, &sites.examiner);
    insurer.put_claim(CLAIM);

    // There.
    let package = export(insurer, EXAMINER).unwrap();
    assert_eq!(send(insurer, &package), CW_OUTGOING_DELIVERED);
    assert_eq!(insurer.kinds(), [CW_EVENT_EXPORTED, CW_EVENT_DELIVERED]);
    let told = examiner.told.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    let expected = json!({"kind": "new-package", "package": package, "partner": INSURER});
    assert_eq!((told[0].0, parse(&told[0].1)), (CW_EVENT_NEW_PACKAGE, expected));
    let (mut state, mut blocked, mut json) = (0, 7, null_mut());
    let (text, length) = (package.as_ptr().cast(), package.len());
    works(|error| {
        c!(cw_exchange_incoming(examiner.exchange, text, length, &raw mut state, null_mut(), error))
    });
    assert_eq!(state, CW_INCOMING_RECEIVED);
    works(|error| {
        let preview = cw_exchange_preview;
        c!(preview(examiner.exchange, text, length, null(), &raw mut blocked, &raw mut json, error))
    });
    assert_eq!((blocked, &parse(&take(json))["adds_claim"]), (0, &json!(true)));
    let (state, told, changes) = unpack(examiner, &package).unwrap();
    assert_eq!((state, told), (CW_INCOMING_UNPACKED, CW_ACKNOWLEDGEMENT_TOLD));
    assert_eq!((&changes["claim"], &changes["acknowledgement"]["outcome"]), (&json!(CLAIM), &json!("told")));
    assert_eq!(examiner.file(CLAIM).notes.len(), 1);
    assert_eq!(examiner.file(CLAIM).documents.len(), 1);
    assert_eq!(insurer.kinds(), [CW_EVENT_UNPACKED]);
    receipts_are_evidence(&sites, &package);

    // Its mark of the new is taken off.
    let (who, mut count) = ("front desk", 9);
    works(|error| {
        c!(cw_exchange_mark_viewed(
            examiner.exchange,
            CLAIM.as_ptr().cast(),
            CLAIM.len(),
            who.as_ptr().cast(),
            who.len(),
            &raw mut count,
            null_mut(),
            error,
        ))
    });
    assert_eq!(count, 1);

    // A note back, which is applied as it arrives.
    examiner.kinds();
    examiner.add_note(CLAIM, "N-2", "Examined: a sprain.");
    let mut id = [1; PACKAGE_ID_SIZE];
    works(|error| {
        c!(cw_exchange_export_notes(
            examiner.exchange,
            CLAIM.as_ptr().cast(),
            CLAIM.len(),
            INSURER.as_ptr().cast(),
            INSURER.len(),
            who.as_ptr().cast(),
            who.len(),
            id.as_mut_ptr(),
            null_mut(),
            error,
        ))
    });
    assert_eq!(send(examiner, &id_of(&id)), CW_OUTGOING_UNPACKED);
    assert_eq!(insurer.kinds(), [CW_EVENT_NEW_NOTE]);
    assert_eq!(insurer.file(CLAIM).notes.len(), 2);

    // The claim back, with what was changed there.
    examiner.change(CLAIM, |file| file.claim.status = Some("examined".into()));
    examiner.add_note(CLAIM, "N-3", "Ready to close.");
    let back = export(examiner, INSURER).unwrap();
    assert_eq!(send(examiner, &back), CW_OUTGOING_DELIVERED);
    unpack(insurer, &back).unwrap();
    assert_eq!(insurer.file(CLAIM).claim.status.as_deref(), Some("examined"));
    histories_hold(&sites);
}

#[test]
fn a_claim_goes_there_and_back_under_des_md5() {
    the_whole_way(Suite::DesMd5);
}

#[test]
fn a_claim_goes_there_and_back_under_age() {
    the_whole_way(Suite::Age);
}

fn receipts_are_evidence(sites: &TwoSites, package: &str) {
    let (state, outgoing) = outgoing(&sites.insurer, package);
    assert_eq!(state, CW_OUTGOING_UNPACKED);
    let key = sites.examiner_key.verifying_key();
    let (id, text) = (key.id().to_owned(), key.to_text());
    let verify = |evidence: &str, out| {
        failing(|error| {
            c!(cw_receipt_verify(
                evidence.as_ptr().cast(),
                evidence.len(),
                id.as_ptr().cast(),
                id.len(),
                text.as_str().as_ptr().cast(),
                text.as_str().len(),
                out,
                error,
            ))
        })
    };
    for (member, said) in [("receipt", "received"), ("last_receipt", "unpacked")] {
        let evidence = outgoing[member].as_str().unwrap();
        let mut json = null_mut();
        assert_eq!(verify(evidence, &raw mut json).0, CW_OK);
        let json = parse(&take(json));
        assert_eq!(
            (&json["receipt"]["state"], &json["receipt"]["package_id"]),
            (&json!(said), &json!(package))
        );
        assert!(json["signed_at"].is_string());
        let word = word(&sites.insurer, package);
        assert_eq!(
            (&word["state"], &word["disposition"]),
            (&json!("unpacked"), &json!({"type": "accepted"}))
        );
        let mut forged = parse(evidence);
        let body = forged["body"].as_str().unwrap();
        forged["body"] = json!(format!("AAAA{}", &body[4..]));
        assert_eq!(verify(&forged.to_string(), null_mut()).0, CW_ERR_DIGEST_MISMATCH);
        assert_eq!(verify("{}", null_mut()).0, CW_ERR_INVALID_ARGUMENT);
    }
}

unsafe extern "C-unwind" fn keep(lines: *mut c_void, data: *const u8, length: usize) -> i32 {
    c!((*lines.cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(data, length)));
    CW_OK
}

unsafe extern "C-unwind" fn disk_full(_: *mut c_void, _: *const u8, _: usize) -> i32 {
    CW_ERR_CANCELLED
}

unsafe extern "C-unwind" fn panics(_: *mut c_void, _: *const u8, _: usize) -> i32 {
    std::panic::resume_unwind(Box::new("a fault of the host's"));
}

fn word(site: &Site, package: &str) -> Value {
    let (text, length, mut said) = (package.as_ptr().cast(), package.len(), null_mut());
    works(|error| c!(cw_exchange_word(site.exchange, text, length, &raw mut said, error)));
    parse(&take(said))
}

/// Piece by piece, each from the head of the piece before; and not without what is missing.
fn an_export_is_proven_by_itself(lines: &str, whole: &str) {
    let verify = |lines: &str, start: Option<&str>| {
        let given =
            |text: Option<&str>| (text.map_or(null(), |text| text.as_ptr().cast()), text.map_or(0, str::len));
        let (lines, start, mut head) = (given(Some(lines)), given(start), null_mut());
        let (code, said) =
            failing(|error| c!(cw_history_verify(lines.0, lines.1, start.0, start.1, &raw mut head, error)));
        if code == CW_OK { Ok(take(head)) } else { Err((code, said)) }
    };
    assert_eq!(parse(&verify(lines, None).unwrap()), parse(whole));
    let (first, rest) = lines.split_once('\n').unwrap();
    let after_first = verify(first, None).unwrap();
    assert_eq!(parse(&verify(rest, Some(&after_first)).unwrap()), parse(whole));
    assert_eq!(verify("", Some(&after_first)).unwrap_err().0, CW_ERR_INVALID_ARGUMENT);
    assert_eq!(verify(rest, None).unwrap_err().0, CW_ERR_STORE_DAMAGED);
    let (code, said) = verify("{}", None).unwrap_err();
    assert!(code == CW_ERR_INVALID_ARGUMENT && said.contains("`lines`"), "{said}");
}

fn histories_hold(sites: &TwoSites) {
    for site in [&sites.insurer, &sites.examiner] {
        let (mut head, mut list) = (null_mut(), null_mut());
        works(|error| c!(cw_exchange_verify_history(site.exchange, &raw mut head, error)));
        works(|error| c!(cw_exchange_history(site.exchange, null(), 0, &raw mut list, error)));
        let (head, list) = (take(head), parse(&take(list)));
        let from = |head: &str| {
            let (text, length) = (head.as_ptr().cast(), head.len());
            failing(|error| {
                c!(cw_exchange_verify_history_from(site.exchange, text, length, null_mut(), error))
            })
        };
        assert_eq!(from(&head).0, CW_OK);
        let other = head.replace(parse(&head)["hash"].as_str().unwrap(), &"0".repeat(64));
        assert_eq!(from(&other).0, CW_ERR_STORE_DAMAGED);

        let (mut lines, mut entries) = (Vec::<u8>::new(), 0);
        let data = (&raw mut lines).cast();
        let export = |write, entries| {
            failing(|error| {
                c!(cw_exchange_export_history(site.exchange, null(), 0, write, data, entries, error))
            })
        };
        assert_eq!(export(Some(disk_full), &raw mut entries).0, CW_ERR_CANCELLED);
        assert_eq!(export(Some(panics), &raw mut entries).0, CW_ERR_INTERNAL);
        assert_eq!(export(None, &raw mut entries).0, CW_ERR_INVALID_ARGUMENT);
        assert_eq!(entries, 0);
        assert_eq!(export(Some(keep), &raw mut entries).0, CW_OK);
        let lines = String::from_utf8(lines).unwrap();
        assert_eq!(lines.lines().count() as u64, entries);
        an_export_is_proven_by_itself(&lines, &head);
        assert_eq!(list.as_array().unwrap().len() as u64, entries);
    }
    let query = r#"{"direction": "incoming", "partner": "ON-INS", "limit": 1, "newest_first": true}"#;
    let mut json = null_mut();
    let (text, length) = (query.as_ptr().cast(), query.len());
    works(|error| c!(cw_exchange_history(sites.examiner.exchange, text, length, &raw mut json, error)));
    assert_eq!(parse(&take(json)).as_array().unwrap().len(), 1);
}

#[test]
fn violated_rules_are_told_one_by_one() {
    let sites = TwoSites::new(Suite::Age);
    sites.insurer.put_claim(CLAIM);
    export(&sites.insurer, EXAMINER).unwrap();
    // Nothing was added since.
    let (code, said) = export(&sites.insurer, EXAMINER).unwrap_err();
    assert_eq!(code, CW_ERR_EXPORT_RULES_VIOLATED);
    assert!(said.starts_with("cw_exchange_export: ") && said.lines().count() > 1, "{said}");
    assert_eq!(export(&sites.insurer, "NOBODY").unwrap_err().0, CW_ERR_UNKNOWN_PARTNER);
    assert_eq!(export(&sites.examiner, INSURER).unwrap_err().0, CW_ERR_UNKNOWN_CLAIM);
}

#[test]
fn a_conflict_shows_in_the_preview_and_stops_the_unpack() {
    let sites = TwoSites::new(Suite::Age);
    let (insurer, examiner) = (&sites.insurer, &sites.examiner);
    insurer.put_claim(CLAIM);
    let package = export(insurer, EXAMINER).unwrap();
    send(insurer, &package);
    unpack(examiner, &package).unwrap();
    insurer.change(CLAIM, |file| file.claim.status = Some("paid".into()));
    insurer.add_note(CLAIM, "N-2", "It was paid.");
    examiner.change(CLAIM, |file| file.claim.status = Some("examined".into()));
    let package = export(insurer, EXAMINER).unwrap();
    send(insurer, &package);
    let (mut blocked, mut json) = (0, null_mut());
    let (text, length) = (package.as_ptr().cast(), package.len());
    works(|error| {
        let preview = cw_exchange_preview;
        c!(preview(examiner.exchange, text, length, null(), &raw mut blocked, &raw mut json, error))
    });
    assert_eq!(blocked, 1);
    let outcomes: Vec<Value> = parse(&take(json))["records"][0]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["outcome"].clone())
        .collect();
    assert_eq!(outcomes, [json!("conflict-stopped")]);
    assert_eq!(unpack(examiner, &package).unwrap_err().0, CW_ERR_CONFLICT);
    let mut state = 0;
    works(|error| {
        c!(cw_exchange_incoming(examiner.exchange, text, length, &raw mut state, null_mut(), error))
    });
    assert_eq!(state, CW_INCOMING_FAILED);
}

#[test]
fn a_paused_partner_gets_nothing_until_it_is_resumed() {
    let sites = TwoSites::new(Suite::Age);
    let exchange = sites.insurer.exchange;
    let (text, length) = (EXAMINER.as_ptr().cast(), EXAMINER.len());
    sites.insurer.put_claim(CLAIM);
    works(|error| c!(cw_exchange_pause(exchange, text, length, error)));
    let mut json = null_mut();
    works(|error| c!(cw_exchange_paused(exchange, &raw mut json, error)));
    assert_eq!(take(json), r#"["IMEX"]"#);
    let package = export(&sites.insurer, EXAMINER).unwrap();
    let mut not_sent = 9;
    let mut queued = |json| {
        failing(|error| {
            let send_queued = cw_exchange_send_queued;
            c!(send_queued(exchange, text, length, null(), &raw mut not_sent, json, error))
        })
    };
    assert_eq!(queued(null_mut()).0, CW_ERR_WRONG_STATE);
    works(|error| c!(cw_exchange_resume(exchange, text, length, error)));
    let mut json = null_mut();
    assert_eq!(queued(&raw mut json).0, CW_OK);
    assert_eq!(not_sent, 0);
    assert_eq!(parse(&take(json))["sent"][0]["package"]["id"], package.as_str());

    // What is taken out is not known any more, and asking after the package says so.
    let mut was_known = 7;
    works(|error| c!(cw_exchange_remove_partner(exchange, text, length, &raw mut was_known, error)));
    assert_eq!(was_known, 1);
    works(|error| c!(cw_exchange_remove_partner(exchange, text, length, &raw mut was_known, error)));
    assert_eq!(was_known, 0);
    let mut json = null_mut();
    works(|error| c!(cw_exchange_partners(exchange, &raw mut json, error)));
    assert_eq!(take(json), "[]");
    let (id, id_length) = (package.as_ptr().cast(), package.len());
    let polled =
        failing(|error| c!(cw_exchange_poll(exchange, id, id_length, null_mut(), null_mut(), error)));
    assert_eq!(polled.0, CW_ERR_UNKNOWN_PARTNER);
}

#[test]
fn what_is_due_is_sent_and_sent_again_on_purpose() {
    let sites = TwoSites::new(Suite::Age);
    let exchange = sites.insurer.exchange;
    let (to, to_length) = (EXAMINER.as_ptr().cast(), EXAMINER.len());
    sites.insurer.put_claim(CLAIM);
    let package = export(&sites.insurer, EXAMINER).unwrap();
    let mut next = 7;
    let mut json = null_mut();
    works(|error| c!(cw_exchange_send_due(exchange, null(), &raw mut next, &raw mut json, error)));
    assert_eq!(parse(&take(json))["sent"][0]["package"]["id"], package.as_str());
    assert_eq!(next, -1);

    let (id, id_length) = (package.as_ptr().cast(), package.len());
    let mut state = 0;
    let replay = |state: &mut i32| {
        let (by, length) = (c"dana".as_ptr(), 4);
        failing(|error| c!(cw_exchange_replay(exchange, id, id_length, by, length, state, null_mut(), error)))
            .0
    };
    assert_eq!((replay(&mut state), state), (CW_OK, CW_OUTGOING_QUEUED));
    assert_eq!((replay(&mut state), state), (CW_ERR_WRONG_STATE, 0));

    // The thread sends it, and is gone when it is freed.
    let mut outbox = null_mut();
    works(|error| c!(cw_outbox_start(exchange, &raw mut outbox, error)));
    c!(cw_outbox_free(outbox));
    works(|error| c!(cw_exchange_send_due(exchange, null(), null_mut(), null_mut(), error)));
    works(|error| c!(cw_exchange_outgoing(exchange, id, id_length, &raw mut state, null_mut(), error)));
    assert_eq!(state, CW_OUTGOING_DELIVERED);

    let mut count = 7;
    let mut since = |since: &str| {
        let mut json = null_mut();
        let (data, length) = (since.as_ptr().cast(), since.len());
        let again = failing(|error| {
            c!(cw_exchange_replay_since(
                exchange,
                to,
                to_length,
                data,
                length,
                c"dana".as_ptr(),
                4,
                &raw mut count,
                &raw mut json,
                error,
            ))
        });
        (again.0, count, (again.0 == CW_OK).then(|| take(json)))
    };
    assert_eq!(since("2001-01-01T00:00:00Z"), (CW_OK, 1, Some(format!("[\"{package}\"]"))));
    assert_eq!(since("2999-01-01T00:00:00Z"), (CW_OK, 0, Some("[]".into())));
    assert_eq!(since("yesterday"), (CW_ERR_INVALID_ARGUMENT, 0, None));

    // Settings say when the next try is due.
    works(|error| c!(cw_exchange_pause(exchange, to, to_length, error)));
    works(|error| c!(cw_exchange_send_due(exchange, null(), &raw mut next, null_mut(), error)));
    assert_eq!(next, -1);
}

#[test]
fn only_the_chosen_assessments_go_along() {
    let sites = TwoSites::new(Suite::Age);
    sites.insurer.put_claim(CLAIM);
    let export = |assessments: &str| {
        let mut how = by("dana");
        (how.assessments, how.assessments_len) = (assessments.as_ptr().cast(), assessments.len());
        failing(|error| {
            c!(cw_exchange_export(
                sites.insurer.exchange,
                CLAIM.as_ptr().cast(),
                CLAIM.len(),
                EXAMINER.as_ptr().cast(),
                EXAMINER.len(),
                &raw const how,
                null(),
                null_mut(),
                null_mut(),
                error,
            ))
        })
    };
    assert_eq!(export("[7]").0, CW_ERR_INVALID_ARGUMENT);
    let (code, said) = export("no JSON");
    assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
    assert!(said.contains("`export_options->assessments`"), "{said}");
    assert_eq!(export("[]").0, CW_OK);
}
