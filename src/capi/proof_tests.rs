//! What a host can prove afterwards: what its partner said, and that a history is whole.

use super::code::*;
use super::exchange_tests::{outgoing, parse};
use super::history::*;
use super::outgoing::*;
use super::package_state::*;
use super::two_sites::*;
use serde_json::{Value, json};
use std::ffi::c_void;
use std::ptr::{null, null_mut};

pub(super) fn receipts_are_evidence(sites: &TwoSites, package: &str) {
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

pub(super) fn histories_hold(sites: &TwoSites) {
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
