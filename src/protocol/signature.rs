//! Signed requests and signed answers: HTTP Message Signatures (RFC 9421) with the components this protocol needs.
//!
//! A request's signature covers its method, path, digests, media type, package id and envelope. It leaves out
//! scheme and authority, which a TLS-terminating proxy may change; a replay at another site is stopped by the
//! recipient in the envelope (`to`), and of receipts by the recipient in their JSON. An answer's signature covers
//! its status, digest and media type, and the same components of the request, that request's signature included:
//! it answers this request and no other.

use super::keys::random;
use super::signature_base::{Message, identifier, inner_list};
use super::{Digest, Headers, Request, Response, SigningKey, VerifyingKey};
use crate::model::Timestamp;
use crate::{Error, ErrorKind, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sfv::{Dictionary, InnerList, Item, ListEntry, Parser, StringRef, key_ref};
use std::time::Duration;

/// The name of the signature in `Signature-Input` and `Signature`, and its `tag`.
const LABEL: &str = "claimwire";

/// How old, or how far in the future, a signature may be when nothing else is set: 5 minutes.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(5 * 60);

/// The header fields of a package, which the signature of a request that carries one covers.
const PACKAGE_FIELDS: [&str; 5] =
    ["content-digest", "repr-digest", "content-type", "idempotency-key", "claimwire-package"];

/// Those of a part of one: of its bytes only where they belong is signed, since the digest of the whole is.
const PART_FIELDS: [&str; 6] = [
    "repr-digest",
    "content-type",
    "idempotency-key",
    "claimwire-package",
    "upload-offset",
    "upload-complete",
];

/// The most components that a signature covers: of ours the longest has 13. Each costs work before anybody has proven
/// anything.
const MAX_COMPONENTS: usize = 32;

/// The most bytes of a key's id, as of those that are made here, and of a nonce.
const MAX_KEY_ID: usize = 128;
const MAX_NONCE: usize = 256;

/// What a request may say of an upload.
const UPLOAD_FIELDS: [&str; 3] = ["upload-offset", "upload-complete", "upload-length"];

/// The header fields a request's signature covers where they are there; nobody can add one unseen.
fn request_fields() -> impl Iterator<Item = &'static str> {
    PACKAGE_FIELDS.into_iter().chain(UPLOAD_FIELDS)
}

/// Whether a request's field is one that its signature covers, or belongs to the signature itself.
pub(super) fn is_evidence(name: &str) -> bool {
    request_fields().chain(["signature", "signature-input"]).any(|field| field == name)
}

/// The component of an answer that binds it to the request's signature.
const REQUEST_SIGNATURE: &str = r#""signature";req;key="claimwire""#;

/// What the signature of a request proves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedRequest {
    /// The id of the key that signed.
    pub key_id: String,
    /// The signer's random word: no two signatures of a key have the same.
    pub nonce: String,
    /// When it was signed, by the signer's clock.
    pub created: Timestamp,
    /// The digest of the body that was signed; what arrives must be checked against it. `None` without a body.
    pub content_digest: Option<Digest>,
}

/// Whether the message carries a signature of this protocol; whether it is a good one is another question.
#[must_use]
pub fn is_signed(headers: &Headers) -> bool {
    ["signature-input", "signature"].into_iter().all(|name| {
        dictionary(headers, name).is_ok_and(|fields| fields.is_some_and(|fields| fields.contains_key(LABEL)))
    })
}

/// The id of the key that a message says it is signed with; whether it is, is another question.
///
/// # Errors
/// [`ErrorKind::BadSignature`] when it has no signature of this protocol.
pub fn signer_id(headers: &Headers) -> Result<String> {
    Ok(Found::in_headers(headers)?.key_id)
}

/// When a message says it was signed, by its signer's clock; whether it was, is another question.
///
/// # Errors
/// [`ErrorKind::BadSignature`] when it has no signature of this protocol.
pub fn signed_at(headers: &Headers) -> Result<Timestamp> {
    Ok(Found::in_headers(headers)?.created)
}

/// Signs a request: sets `Signature-Input` and `Signature`. All other fields must be there already, the digests of
/// the body among them.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] when a field that this kind of request needs is missing, naming it.
pub fn sign_request(request: &mut Request, key: &SigningKey, now: Timestamp) -> Result<()> {
    let covered: Vec<String> = request_components(request)
        .map_err(|error| Error::new(ErrorKind::InvalidArgument, error.to_string()))?;
    let message = Message { request, response: None };
    let (input, signature) = signed(message, &covered, key, now)?;
    put(request.headers_mut(), input, signature)
}

/// Checks a request's signature. `keys` finds the partner's key by its id; its error is passed on as it is.
///
/// # Errors
/// [`ErrorKind::BadSignature`] when there is none, it covers less than it must, or it does not match;
/// [`ErrorKind::Replayed`], with both clock times, when it was made more than `window` before or after `now`.
pub fn verify_request(
    request: &Request,
    keys: impl FnOnce(&str) -> Result<VerifyingKey>,
    now: Timestamp,
    window: Duration,
) -> Result<VerifiedRequest> {
    let signature = RequestSignature::of(request)?;
    signature.check(&keys(signature.key_id())?)?;
    signature.proof(now, window)
}

/// A request's signature, read once for all the partners who may have made it.
pub(crate) struct RequestSignature<'r> {
    request: &'r Request,
    found: Found,
    base: String,
}

impl<'r> RequestSignature<'r> {
    /// The signature as it stands there; whether it is a good one is another question.
    ///
    /// # Errors
    /// [`ErrorKind::BadSignature`] when there is none, or it covers less than it must.
    pub(crate) fn of(request: &'r Request) -> Result<Self> {
        let found = Found::in_headers(request.headers())?;
        let base = found.base(Message { request, response: None }, &request_components(request)?)?;
        Ok(Self { request, found, base })
    }

    /// The id of the key that it says it is by.
    pub(crate) fn key_id(&self) -> &str {
        &self.found.key_id
    }

    /// Refuses it when it is not by this key.
    pub(crate) fn check(&self, key: &VerifyingKey) -> Result<()> {
        self.found.check_base(&self.base, key)
    }

    /// What it proves, once it is checked.
    ///
    /// # Errors
    /// [`ErrorKind::Replayed`] when it was made more than `window` before or after `now`.
    pub(crate) fn proof(&self, now: Timestamp, window: Duration) -> Result<VerifiedRequest> {
        self.found.check_time(now, window)?;
        let content_digest = self.request.headers().get("content-digest").map(str::parse).transpose()?;
        let Found { key_id, nonce, created, .. } = &self.found;
        Ok(VerifiedRequest {
            key_id: key_id.clone(),
            nonce: nonce.clone(),
            created: *created,
            content_digest,
        })
    }
}

/// Signs an answer to `request`: sets `Content-Digest`, `Signature-Input` and `Signature`.
///
/// # Errors
/// [`ErrorKind::Io`] when the operating system gives no random numbers.
pub fn sign_response(
    request: &Request,
    response: &mut Response,
    key: &SigningKey,
    now: Timestamp,
) -> Result<()> {
    let digest = Digest::of(response.body()).to_string();
    response.headers_mut().insert("content-digest", digest)?;
    let covered = response_components(request, response);
    let (input, signature) = signed(Message { request, response: Some(response) }, &covered, key, now)?;
    put(response.headers_mut(), input, signature)
}

/// Checks that an answer is signed with `key`, and that it answers `request` and no other.
///
/// # Errors
/// [`ErrorKind::NoReceipt`] when the answer has no signature; [`ErrorKind::BadSignature`] when it covers less than
/// it must, does not match, or is under another key; [`ErrorKind::DigestMismatch`] when the body was changed;
/// [`ErrorKind::Replayed`], with both clock times, when it was made more than `window` before or after `now`.
/// Answers that wait in a folder are collected late: give those a wide window.
pub fn verify_response(
    request: &Request,
    response: &Response,
    key: &VerifyingKey,
    now: Timestamp,
    window: Duration,
) -> Result<Timestamp> {
    let created = verify_response_at_any_time(request, response, key)?;
    created.check_time(now, window)?;
    Ok(created.created)
}

pub(super) fn verify_response_at_any_time(
    request: &Request,
    response: &Response,
    key: &VerifyingKey,
) -> Result<Found> {
    if !is_signed(response.headers()) {
        return Err(Error::new(
            ErrorKind::NoReceipt,
            "the answer is not signed, so it proves nothing about the package",
        ));
    }
    let found = Found::in_headers(response.headers())?;
    found.check_key(key)?;
    let needed = response_components(request, response);
    found.check(Message { request, response: Some(response) }, &needed, key)?;
    check_digest(response.headers(), response.body())?;
    Ok(found)
}

pub(super) fn verify_request_at_any_time(
    request: &Request,
    body: &[u8],
    key: &VerifyingKey,
) -> Result<Found> {
    let found = Found::in_headers(request.headers())?;
    found.check_key(key)?;
    found.check(Message { request, response: None }, &request_components(request)?, key)?;
    check_digest(request.headers(), body)?;
    Ok(found)
}

fn check_digest(headers: &Headers, body: &[u8]) -> Result<()> {
    match headers.get_only("content-digest")? {
        Some(announced) => announced.parse::<Digest>()?.check(&Digest::of(body)),
        None => Err(bad("the signed message has no Content-Digest")),
    }
}

/// The fields that a request of this kind must have, and its signature cover.
fn required_fields(request: &Request) -> &'static [&'static str] {
    match request.method() {
        "POST" if request.path().ends_with("/receipts") => &["content-digest", "content-type"],
        "POST" => &PACKAGE_FIELDS,
        "PATCH" => &PART_FIELDS,
        _ => &[],
    }
}

/// The value of `Accept-Signature` that asks for this request to be signed (RFC 9421 section 5.1).
pub(super) fn wanted(request: &Request) -> String {
    let components: Vec<String> = ["@method", "@path"]
        .iter()
        .chain(required_fields(request))
        .map(|name| format!("\"{name}\""))
        .collect();
    format!("{LABEL}=({});created;tag=\"{LABEL}\"", components.join(" "))
}

/// The identifiers a request's signature must cover: by its kind, and by what fields it has.
fn request_components(request: &Request) -> Result<Vec<String>> {
    let required = required_fields(request);
    let headers = request.headers();
    if let Some(missing) = required.iter().find(|name| headers.get(name).is_none()) {
        return Err(bad(format!("the request has no header {missing}, which its signature must cover")));
    }
    let there = request_fields().filter(|name| headers.get(name).is_some());
    Ok(["@method", "@path"].into_iter().chain(there).map(|name| format!("\"{name}\"")).collect())
}

fn response_components(request: &Request, response: &Response) -> Vec<String> {
    let mut covered = vec!["\"@status\"".to_owned()];
    if response.headers().get("content-type").is_some() {
        covered.push("\"content-type\"".to_owned());
    }
    covered.push("\"content-digest\"".to_owned());
    let there = PACKAGE_FIELDS.iter().filter(|name| **name != "content-type");
    let there = there.filter(|name| request.headers().get(name).is_some());
    covered.extend(["@method", "@path"].iter().chain(there).map(|name| format!("\"{name}\";req")));
    if is_signed(request.headers()) {
        covered.push(REQUEST_SIGNATURE.to_owned());
    }
    covered
}

fn signed(
    message: Message<'_>,
    covered: &[String],
    key: &SigningKey,
    now: Timestamp,
) -> Result<(String, Vec<u8>)> {
    let list = format!("({})", covered.join(" "));
    let mut list = parsed_list(&list).ok_or_else(|| Error::new(ErrorKind::Internal, "no component list"))?;
    let nonce = STANDARD.encode(&random()?[..16]);
    let text = |text: &str| {
        let text = StringRef::from_str(text).map(StringRef::to_owned);
        text.map_err(|_| Error::new(ErrorKind::InvalidKey, "a key id is printable ASCII"))
    };
    let created = sfv::Integer::try_from(now.unix_seconds())
        .map_err(|_| Error::new(ErrorKind::InvalidArgument, "the clock is set to a time that is none"))?;
    list.params.insert(key_ref("created").to_owned(), created.into());
    list.params.insert(key_ref("keyid").to_owned(), text(key.id())?.into());
    list.params.insert(key_ref("alg").to_owned(), text(key.algorithm().name())?.into());
    list.params.insert(key_ref("nonce").to_owned(), text(&nonce)?.into());
    list.params.insert(key_ref("tag").to_owned(), text(LABEL)?.into());
    let signature = key.sign(message.base(&list)?.as_bytes())?;
    Ok((inner_list(&list), signature))
}

fn put(headers: &mut Headers, input: String, signature: Vec<u8>) -> Result<()> {
    headers.insert("signature-input", format!("{LABEL}={input}"))?;
    headers.insert("signature", format!("{LABEL}=:{}:", STANDARD.encode(signature)))
}

/// A signature as it was found in a message: not checked yet.
pub(super) struct Found {
    covered: InnerList,
    signature: Vec<u8>,
    key_id: String,
    algorithm: Option<String>,
    nonce: String,
    expires: Option<i64>,
    pub(super) created: Timestamp,
}

impl Found {
    fn in_headers(headers: &Headers) -> Result<Self> {
        let unsigned = || bad("the message has no signature named claimwire");
        let mut input = dictionary(headers, "signature-input")?.ok_or_else(unsigned)?;
        let mut signatures = dictionary(headers, "signature")?.ok_or_else(unsigned)?;
        let covered = match input.swap_remove(LABEL) {
            Some(ListEntry::InnerList(list)) => list,
            Some(ListEntry::Item(_)) => return Err(bad("its Signature-Input is no list of components")),
            None => return Err(unsigned()),
        };
        let signature = match signatures.swap_remove(LABEL) {
            Some(ListEntry::Item(Item { bare_item: sfv::BareItem::ByteSequence(bytes), .. })) => bytes,
            Some(_) => return Err(bad("its Signature is no byte sequence")),
            None => return Err(unsigned()),
        };
        if covered.items.len() > MAX_COMPONENTS {
            return Err(bad(format!("it covers more than {MAX_COMPONENTS} components")));
        }
        let text = |name: &str| {
            covered.params.get(name).and_then(|value| value.as_string()).map(|text| text.as_str().to_owned())
        };
        let number =
            |name: &str| covered.params.get(name).and_then(|value| value.as_integer()).map(i64::from);
        let needs = |name: &str| bad(format!("its signature has no parameter {name}"));
        if text("tag").as_deref() != Some(LABEL) {
            return Err(needs("tag=\"claimwire\""));
        }
        let created = Timestamp::from_unix_seconds(number("created").ok_or_else(|| needs("created"))?)
            .map_err(|error| bad("it was created at a time that is none").caused_by(error))?;
        let short = |name: &str, most: usize| match text(name).ok_or_else(|| needs(name))? {
            long if long.len() > most => Err(bad(format!("its {name} has more than {most} characters"))),
            text => Ok(text),
        };
        Ok(Self {
            key_id: short("keyid", MAX_KEY_ID)?,
            algorithm: text("alg"),
            nonce: short("nonce", MAX_NONCE)?,
            expires: number("expires"),
            created,
            signature,
            covered,
        })
    }

    fn check_key(&self, key: &VerifyingKey) -> Result<()> {
        if self.key_id == key.id() {
            return Ok(());
        }
        Err(bad(format!(
            "it is under the key `{}`; the key known for this partner is `{}`",
            self.key_id.escape_debug(),
            key.id()
        )))
    }

    fn check(&self, message: Message<'_>, needed: &[String], key: &VerifyingKey) -> Result<()> {
        self.check_base(&self.base(message, needed)?, key)
    }

    /// The text that was signed, when it covers all that it must.
    fn base(&self, message: Message<'_>, needed: &[String]) -> Result<String> {
        let covered: Vec<String> = self.covered.items.iter().map(identifier).collect();
        if let Some(missing) = needed.iter().find(|name| !covered.contains(name)) {
            return Err(bad(format!("it does not cover {missing}")));
        }
        message.base(&self.covered)
    }

    fn check_base(&self, base: &str, key: &VerifyingKey) -> Result<()> {
        let algorithm = key.algorithm().name();
        if self.algorithm.as_deref().is_some_and(|named| named != algorithm) {
            return Err(bad(format!("it names another algorithm than {algorithm}, which its key is for")));
        }
        if !key.verifies(base.as_bytes(), &self.signature) {
            return Err(bad(format!(
                "it is not the one that the key `{}` makes of this message: the message was changed, or the key is another",
                key.id()
            )));
        }
        Ok(())
    }

    fn check_time(&self, now: Timestamp, window: Duration) -> Result<()> {
        let (created, here) = (self.created.unix_seconds(), now.unix_seconds());
        let expired = self.expires.is_some_and(|expires| expires < here);
        if created.abs_diff(here) <= window.as_secs() && !expired {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Replayed,
            format!(
                "the message was signed at {} by its sender's clock, and it is {now} here; more than {} s apart is \
                 refused: set the clocks right, or send it anew",
                self.created,
                window.as_secs()
            ),
        ))
    }
}

fn dictionary(headers: &Headers, name: &str) -> Result<Option<Dictionary>> {
    // Several signers may add lines of their own: together they are one dictionary (RFC 9651 section 4.2).
    let lines: Vec<&str> = headers.get_all(name).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let fields = Parser::new(&lines.join(", ")).parse();
    fields.map(Some).map_err(|error| {
        bad(format!("the header {name} is no dictionary (RFC 9651)")).caused_by(error.to_string())
    })
}

fn parsed_list(text: &str) -> Option<InnerList> {
    match Parser::new(text).parse::<sfv::List>().ok()?.into_iter().next()? {
        ListEntry::InnerList(list) => Some(list),
        ListEntry::Item(_) => None,
    }
}

fn bad(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::BadSignature, format!("the signature is refused: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(components: &str, key_id: &str, nonce: &str) -> Headers {
        let mut headers = Headers::new();
        let parameters = format!("created=1772461800;keyid=\"{key_id}\";nonce=\"{nonce}\";tag=\"{LABEL}\"");
        headers.insert("signature-input", format!("{LABEL}=({components});{parameters}")).unwrap();
        headers.insert("signature", format!("{LABEL}=:AAAA:")).unwrap();
        headers
    }

    fn many(count: usize) -> String {
        (0..count).map(|number| format!("\"x\";key=\"m{number}\" ")).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn a_signature_over_more_components_than_any_message_has_is_refused_before_they_are_looked_at() {
        assert!(Found::in_headers(&signed(&many(MAX_COMPONENTS), "k", "n")).is_ok());
        for count in [MAX_COMPONENTS + 1, 2000] {
            let error = signer_id(&signed(&many(count), "k", "n")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadSignature);
            assert!(error.to_string().contains("more than 32 components"), "{error}");
        }
    }

    #[test]
    fn a_key_id_and_a_nonce_are_short() {
        let long = |count: usize| "k".repeat(count);
        assert_eq!(signer_id(&signed("", &long(MAX_KEY_ID), &long(MAX_NONCE))).unwrap(), long(MAX_KEY_ID));
        for headers in [signed("", &long(MAX_KEY_ID + 1), "n"), signed("", "k", &long(MAX_NONCE + 1))] {
            let error = signer_id(&headers).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadSignature);
            assert!(error.to_string().len() < 200, "{error}");
        }
    }
}
