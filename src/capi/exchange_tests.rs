//! The whole way there and back between two sites, through the C functions alone.

use super::answer::PACKAGE_ID_SIZE;
use super::code::*;
use super::event::*;
use super::exchange::*;
use super::incoming::*;
use super::outbox::*;
use super::outgoing::*;
use super::package_state::*;
use super::proof_tests::{histories_hold, receipts_are_evidence};
use super::two_sites::*;
use crate::codec::Suite;
use serde_json::{Value, json};
use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

const INSURER: &str = "ON-INS";
const EXAMINER: &str = "IMEX";
const CLAIM: &str = "ON-INS/C-1";

fn id_of(room: &[c_char; PACKAGE_ID_SIZE]) -> String {
    c!(CStr::from_ptr(room.as_ptr())).to_str().unwrap().to_owned()
}

pub(super) fn parse(json: &str) -> Value {
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

pub(super) fn outgoing(site: &Site, package: &str) -> (i32, Value) {
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
fn what_has_not_left_is_taken_back() {
    let sites = TwoSites::new(Suite::Age);
    sites.insurer.put_claim(CLAIM);
    let package = export(&sites.insurer, EXAMINER).unwrap();
    let withdraw = |package: &str, out| {
        failing(|error| {
            let (id, by) = ((package.as_ptr().cast(), package.len()), (c"dana".as_ptr(), 4));
            let why = (c"the wrong scan".as_ptr(), 14);
            let exchange = sites.insurer.exchange;
            c!(cw_exchange_withdraw(exchange, id.0, id.1, by.0, by.1, why.0, why.1, out, error))
        })
    };
    let mut json = null_mut();
    assert_eq!(withdraw(&package, &raw mut json).0, CW_OK);
    assert_eq!(parse(&take(json))["state"], "withdrawn");
    assert_eq!(send(&sites.insurer, &package), CW_OUTGOING_WITHDRAWN);
    let sent = export(&sites.insurer, EXAMINER).unwrap();
    assert_eq!(send(&sites.insurer, &sent), CW_OUTGOING_DELIVERED);
    let (code, said) = withdraw(&sent, null_mut());
    assert!(code == CW_ERR_WRONG_STATE && said.contains("delivered"), "{said}");
}

#[test]
fn what_was_dealt_with_goes_when_the_host_says_so() {
    let sites = TwoSites::new(Suite::Age);
    sites.insurer.put_claim(CLAIM);
    let package = export(&sites.insurer, EXAMINER).unwrap();
    send(&sites.insurer, &package);
    let remove = || {
        let (before, by, mut count) = (c"2999-01-01T00:00:00Z", c"nightly job", 7);
        works(|error| {
            let (before, by) = ((before.as_ptr(), before.count_bytes()), (by.as_ptr(), by.count_bytes()));
            let exchange = sites.examiner.exchange;
            c!(cw_exchange_remove_sealed(exchange, before.0, before.1, by.0, by.1, &raw mut count, error))
        });
        count
    };
    assert_eq!(remove(), 0, "it waits to be unpacked");
    unpack(&sites.examiner, &package).unwrap();
    assert_eq!((remove(), remove()), (1, 0));
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
