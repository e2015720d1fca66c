//! Any header fields on a request: no envelope and no signature out of nothing.
#![no_main]

use claimwire::model::Timestamp;
use claimwire::protocol::{DEFAULT_WINDOW, Envelope, Request, Route, SigningKey, verify_request};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

const NAMES: [&str; 7] = [
    "claimwire-package",
    "idempotency-key",
    "content-digest",
    "repr-digest",
    "content-type",
    "signature-input",
    "signature",
];

fuzz_target!(|parts: (&str, [&str; 7])| {
    static KEY: OnceLock<Option<SigningKey>> = OnceLock::new();
    let (path, values) = parts;
    let _ = Route::parse("POST", path, "/claimwire");
    let Ok(mut request) = Request::new("POST", "/claimwire/packages") else { return };
    for (name, value) in NAMES.into_iter().zip(values) {
        let _ = request.headers_mut().append(name, value);
    }
    if let Ok(envelope) = Envelope::from_headers(request.headers()) {
        let mut again = claimwire::protocol::Headers::new();
        if envelope.to_headers(&mut again).is_ok() {
            assert_eq!(Envelope::from_headers(&again).ok(), Some(envelope));
        }
    }
    let Some(key) = KEY.get_or_init(|| SigningKey::generate("k").ok()) else { return };
    let verified = verify_request(&request, |_| Ok(key.verifying_key()), Timestamp::now(), DEFAULT_WINDOW);
    assert!(verified.is_err(), "nobody signed this");
});
