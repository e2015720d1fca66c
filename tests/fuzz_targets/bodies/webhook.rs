//! Messages to a host's webhook, told as a line that says nothing, header fields, an empty line and a body.

use super::messages::Told;
use claimwire::model::Timestamp;
use claimwire::protocol::Headers;
use claimwire::webhook::{WebhookSecret, verify};
use std::sync::OnceLock;
use std::time::Duration;

/// Any message: none is taken but the published one (<https://www.standardwebhooks.com>), whose secret this is.
pub(crate) fn webhook(bytes: &[u8]) {
    static SECRET: OnceLock<WebhookSecret> = OnceLock::new();
    let Some(told) = Told::by(bytes) else { return };
    let secret = SECRET.get_or_init(|| {
        WebhookSecret::from_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a published secret")
    });
    let mut headers = Headers::new();
    told.fill(&mut headers);
    let now = Timestamp::from_unix_seconds(1_614_265_330).expect("a time of our days");
    if let Ok(id) = verify(&headers, told.body, std::slice::from_ref(secret), now, Duration::from_secs(300)) {
        assert_eq!((id, told.body), ("msg_p5jXN8AQM9LWM0D4loKWxJek", &br#"{"test": 2432232314}"#[..]));
    }
}
