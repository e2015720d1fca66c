//! The signature of a webhook message, made and checked: Standard Webhooks 1.0.0, scheme `v1` (HMAC-SHA-256).

use super::WebhookSecret;
use crate::model::Timestamp;
use crate::protocol::Headers;
use crate::{Error, ErrorKind, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq as _;

pub(super) const ID: &str = "webhook-id";
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";

const SCHEME: &str = "v1,";

/// The value of `webhook-signature`: one signature for each secret, separated by a space.
pub(super) fn sign(secrets: &[WebhookSecret], id: &str, timestamp: &str, body: &[u8]) -> Result<String> {
    let signed: Result<Vec<String>> = secrets
        .iter()
        .map(|secret| Ok(format!("{SCHEME}{}", STANDARD.encode(secret.mac(id, timestamp, body)?))))
        .collect();
    Ok(signed?.join(" "))
}

/// Proves that a message was sent by whoever shares one of `secrets`, not long ago, and returns its id.
///
/// For a host that receives webhooks. `body` is the body's bytes exactly as they came in. `tolerance` is how far the
/// time of sending may lie from `now`, both ways; five minutes are usual. A message may come more than once: keep the
/// ids of those already dealt with. Signatures of other schemes than `v1` are passed over, and signatures are compared
/// in constant time.
///
/// ```
/// use claimwire::model::Timestamp;
/// use claimwire::protocol::Headers;
/// use claimwire::webhook::{WebhookSecret, verify};
/// use std::time::Duration;
///
/// let secret = WebhookSecret::from_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let mut headers = Headers::new();
/// headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")?;
/// headers.insert("webhook-timestamp", "1614265330")?;
/// headers.insert("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")?;
/// let now = Timestamp::from_unix_seconds(1_614_265_400)?;
/// let id = verify(&headers, br#"{"test": 2432232314}"#, &[secret], now, Duration::from_secs(300))?;
/// assert_eq!(id, "msg_p5jXN8AQM9LWM0D4loKWxJek");
/// # Ok::<(), claimwire::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::BadMessage`] when one of the three header fields is missing, stands there twice or is not what it
/// should be; [`ErrorKind::BadSignature`] when none of the secrets made any of the signatures;
/// [`ErrorKind::Replayed`] when the message is older or newer than `tolerance`.
pub fn verify<'h>(
    headers: &'h Headers,
    body: &[u8],
    secrets: &[WebhookSecret],
    now: Timestamp,
    tolerance: Duration,
) -> Result<&'h str> {
    let (id, timestamp) = (field(headers, ID)?, field(headers, TIMESTAMP)?);
    let sent_at = moment(timestamp)?;
    let signatures: Vec<Vec<u8>> = field(headers, SIGNATURE)?
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix(SCHEME)?).ok())
        .collect();
    let mut proven = false;
    for secret in secrets {
        let ours = secret.mac(id, timestamp, body)?;
        for signature in &signatures {
            proven |= bool::from(ours.as_slice().ct_eq(signature));
        }
    }
    if !proven {
        return Err(Error::new(
            ErrorKind::BadSignature,
            "no signature of the webhook message is of a known secret: check the secret, and that the body's bytes are \
             those that came in",
        ));
    }
    let (now, sent_at) = (SystemTime::from(now), SystemTime::from(sent_at));
    let apart = now.duration_since(sent_at).unwrap_or_else(|ahead| ahead.duration());
    if apart > tolerance {
        return Err(Error::new(
            ErrorKind::Replayed,
            format!("the webhook message was sent {} s from now: check both clocks", apart.as_secs()),
        ));
    }
    Ok(id)
}

fn field<'h>(headers: &'h Headers, name: &str) -> Result<&'h str> {
    headers.get_only(name)?.ok_or_else(|| {
        Error::new(ErrorKind::BadMessage, format!("the webhook message has no header field `{name}`"))
    })
}

fn moment(timestamp: &str) -> Result<Timestamp> {
    let seconds =
        timestamp.bytes().all(|byte| byte.is_ascii_digit()).then(|| timestamp.parse().ok()).flatten();
    seconds.and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok()).ok_or_else(|| {
        Error::new(ErrorKind::BadMessage, "`webhook-timestamp` is no count of seconds since 1970")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The test vector that the reference libraries of Standard Webhooks share.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const TOLERANCE: Duration = Duration::from_secs(300);

    fn secret() -> WebhookSecret {
        WebhookSecret::from_text(SECRET).unwrap()
    }

    fn headers(signature: &str) -> Headers {
        let mut headers = Headers::new();
        headers.insert(ID, MESSAGE).unwrap();
        headers.insert(TIMESTAMP, SENT.to_string()).unwrap();
        headers.insert(SIGNATURE, signature).unwrap();
        headers
    }

    fn verified(headers: &Headers, body: &[u8], later: i64) -> Result<String, ErrorKind> {
        let now = Timestamp::from_unix_seconds(SENT + later).unwrap();
        verify(headers, body, &[secret()], now, TOLERANCE).map(str::to_owned).map_err(|error| error.kind())
    }

    #[test]
    fn the_published_vector_is_signed_and_verified() {
        assert_eq!(sign(&[secret()], MESSAGE, &SENT.to_string(), BODY).unwrap(), SIGNED);
        assert_eq!(verified(&headers(SIGNED), BODY, 0).unwrap(), MESSAGE);
    }

    #[test]
    fn either_secret_of_a_rotation_verifies() {
        let newer = WebhookSecret::generate().unwrap();
        let both = sign(&[newer.clone(), secret()], MESSAGE, &SENT.to_string(), BODY).unwrap();
        assert_eq!(both.split(' ').count(), 2);
        assert!(verified(&headers(&both), BODY, 0).is_ok());
        let now = Timestamp::from_unix_seconds(SENT).unwrap();
        assert!(verify(&headers(&both), BODY, &[newer], now, TOLERANCE).is_ok());
    }

    #[test]
    fn other_bytes_other_secrets_and_other_schemes_are_refused() {
        let bad = Err(ErrorKind::BadSignature);
        assert_eq!(verified(&headers(SIGNED), b"{}", 0), bad);
        assert_eq!(verified(&headers(&SIGNED.replace("v1,", "v1a,")), BODY, 0), bad);
        assert_eq!(verified(&headers("v1,"), BODY, 0), bad);
        let stranger = [WebhookSecret::generate().unwrap()];
        let other = sign(&stranger, MESSAGE, &SENT.to_string(), BODY).unwrap();
        assert_eq!(verified(&headers(&other), BODY, 0), bad);
    }

    #[test]
    fn an_old_message_and_one_from_the_future_are_refused() {
        for later in [300, -300] {
            assert!(verified(&headers(SIGNED), BODY, later).is_ok(), "{later}");
        }
        for later in [301, -301] {
            assert_eq!(verified(&headers(SIGNED), BODY, later), Err(ErrorKind::Replayed), "{later}");
        }
    }

    #[test]
    fn missing_and_malformed_fields_are_told() {
        for name in [ID, TIMESTAMP, SIGNATURE] {
            let mut headers = headers(SIGNED);
            headers.remove(name);
            assert_eq!(verified(&headers, BODY, 0), Err(ErrorKind::BadMessage), "{name}");
        }
        for text in ["-1", "+1614265330", "soon", "99999999999999999999"] {
            let mut headers = headers(SIGNED);
            headers.insert(TIMESTAMP, text).unwrap();
            assert_eq!(verified(&headers, BODY, 0), Err(ErrorKind::BadMessage), "{text}");
        }
    }
}
