//! Any answer of a partner: an error or a receipt, never a panic.
#![no_main]

use claimwire::protocol::{Problem, Receipt, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|parts: (u16, &str, &str, &[u8])| {
    let (status, media_type, retry_after, body) = parts;
    let Ok(mut response) = Response::new(status, body) else { return };
    let _ = response.headers_mut().insert("content-type", media_type);
    let _ = response.headers_mut().insert("retry-after", retry_after);
    if let Ok(receipt) = Receipt::from_response(&response) {
        let json = receipt.to_json().expect("what was read can be written");
        assert_eq!(Receipt::from_json(&json).ok(), Some(receipt));
    }
    let error = Problem::from_response(&response).into_error("partner");
    assert!(!error.to_string().is_empty());
});
