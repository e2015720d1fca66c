//! The signature base: the text that a signature covers, built from a message and a list of its components
//! (RFC 9421 section 2).

use super::{Headers, Request, Response, printable};
use crate::{Error, ErrorKind, Result};
use sfv::{Dictionary, InnerList, Item, ItemSerializer, ListEntry, ListSerializer, Parser};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The message whose components are covered. With an answer, plain components are the answer's, and those with
/// the parameter `req` are of the request it answers.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) request: &'a Request,
    pub(super) response: Option<&'a Response>,
}

impl Message<'_> {
    /// The signature base of the components and parameters in `covered` (RFC 9421 section 2.5).
    pub(super) fn base(self, covered: &InnerList) -> Result<String> {
        let mut base = String::new();
        let mut seen = Vec::with_capacity(covered.items.len());
        let mut dictionaries = Dictionaries::new();
        for component in &covered.items {
            let identifier = identifier(component);
            if seen.contains(&identifier) {
                return Err(refused(format!("it covers {identifier} twice")));
            }
            base.push_str(&identifier);
            base.push_str(": ");
            base.push_str(&self.value(component, &identifier, &mut dictionaries)?);
            base.push('\n');
            seen.push(identifier);
        }
        base.push_str("\"@signature-params\": ");
        base.push_str(&inner_list(covered));
        Ok(base)
    }

    fn value<'c>(
        self,
        component: &'c Item,
        identifier: &str,
        dictionaries: &mut Dictionaries<'c>,
    ) -> Result<String> {
        let name = component.bare_item.as_string().map(|name| name.as_str());
        let name = name.ok_or_else(|| refused(format!("its component {identifier} is no string")))?;
        let parameters = Parameters::of(component, identifier)?;
        let of_request = match (self.response, parameters.req) {
            (None, true) => return Err(refused(format!("{identifier} asks for a request's own request"))),
            (None, false) | (Some(_), true) => true,
            (Some(_), false) => false,
        };
        if name.starts_with('@') {
            if parameters.key.is_some() {
                return Err(refused(format!("{identifier} has no members")));
            }
            return self.derived(name, of_request, identifier);
        }
        let headers = match self.response {
            Some(response) if !of_request => response.headers(),
            _ => self.request.headers(),
        };
        let value = match parameters.key {
            None => field(headers, name, identifier)?,
            Some(key) => {
                let known = match dictionaries.entry((of_request, name)) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(dictionary(&field(headers, name, identifier)?, identifier)?)
                    }
                };
                member(known, key, identifier)?
            }
        };
        if value.is_ascii() { Ok(value) } else { Err(refused(format!("{identifier} is not ASCII"))) }
    }

    /// The derived components of RFC 9421 section 2.2 that messages of ours and their peers use.
    fn derived(self, name: &str, of_request: bool, identifier: &str) -> Result<String> {
        match (name, of_request, self.response) {
            ("@method", true, _) => Ok(self.request.method().to_owned()),
            ("@path", true, _) => Ok(self.request.path().to_owned()),
            ("@authority", true, _) => {
                Ok(field(self.request.headers(), "host", identifier)?.to_ascii_lowercase())
            }
            ("@status", false, Some(response)) => Ok(response.status().to_string()),
            _ => Err(refused(format!("it covers {identifier}, which this message does not have"))),
        }
    }
}

/// The parameters a component may have here (RFC 9421 section 2.1).
#[derive(Default)]
struct Parameters<'a> {
    req: bool,
    key: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    fn of(component: &'a Item, identifier: &str) -> Result<Self> {
        let mut parameters = Self::default();
        for (name, value) in &component.params {
            match (name.as_str(), value.as_boolean(), value.as_string()) {
                ("req", Some(true), _) => parameters.req = true,
                ("key", _, Some(key)) => parameters.key = Some(key.as_str()),
                _ => return Err(refused(format!("its component {identifier} has a parameter unknown here"))),
            }
        }
        Ok(parameters)
    }
}

/// The value of a field: all its lines, joined (RFC 9421 section 2.1). [`Headers`] has trimmed each.
fn field(headers: &Headers, name: &str, identifier: &str) -> Result<String> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(refused(format!("its component {identifier} is not in lower case")));
    }
    let lines: Vec<&str> = headers.get_all(name).collect();
    if lines.is_empty() {
        return Err(refused(format!("it covers {identifier}, which the message does not have")));
    }
    Ok(lines.join(", "))
}

/// The fields whose members are covered, of the request or not, by their names: each is read once, however many of its
/// members are.
type Dictionaries<'c> = BTreeMap<(bool, &'c str), Dictionary>;

fn dictionary(field: &str, identifier: &str) -> Result<Dictionary> {
    Parser::new(field).parse().map_err(|_| refused(format!("{identifier} is no dictionary")))
}

/// One member of a dictionary field, strictly serialised (RFC 9421 section 2.1.2).
fn member(fields: &Dictionary, key: &str, identifier: &str) -> Result<String> {
    match fields.get(key) {
        Some(ListEntry::Item(item)) => Ok(self::identifier(item)),
        Some(ListEntry::InnerList(list)) => Ok(inner_list(list)),
        None => Err(refused(format!("it covers {identifier}, which the message does not have"))),
    }
}

/// An item, serialised: a component's identifier.
pub(super) fn identifier(component: &Item) -> String {
    ItemSerializer::new().bare_item(&component.bare_item).parameters(&component.params).finish()
}

/// An inner list, serialised: the value of `@signature-params`, and of the member of `Signature-Input`.
pub(super) fn inner_list(list: &InnerList) -> String {
    let mut out = ListSerializer::new();
    out.members([&ListEntry::InnerList(list.clone())]);
    out.finish().unwrap_or_default()
}

fn refused(what: impl std::fmt::Display) -> Error {
    // What a stranger covers may be long.
    let said = printable(&format!("the signature cannot be checked: {what}"));
    Error::new(ErrorKind::BadSignature, said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{SigningKey, VerifyingKey};
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    /// The request of RFC 9421 appendix B.2.
    fn request() -> Request {
        let mut request = Request::new("POST", "/foo").unwrap();
        for (name, value) in [
            ("Host", "example.com"),
            ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("Content-Type", "application/json"),
            ("Content-Length", "18"),
        ] {
            request.headers_mut().append(name, value).unwrap();
        }
        request
    }

    fn covered(text: &str) -> InnerList {
        let list: sfv::List = Parser::new(text).parse().unwrap();
        match list.into_iter().next().unwrap() {
            ListEntry::InnerList(list) => list,
            ListEntry::Item(_) => panic!("{text} is no inner list"),
        }
    }

    /// The signature of this name in the message's own fields: what it covers, and its bytes.
    fn signature_of(request: &Request, label: &str) -> (InnerList, Vec<u8>) {
        let member = |name: &str| -> ListEntry {
            let mut fields: Dictionary = Parser::new(request.headers().get(name).unwrap()).parse().unwrap();
            fields.swap_remove(label).unwrap()
        };
        match (member("signature-input"), member("signature")) {
            (ListEntry::InnerList(list), ListEntry::Item(item)) => {
                (list, item.bare_item.as_byte_sequence().unwrap().to_vec())
            }
            other => panic!("{other:?}"),
        }
    }

    fn with(mut request: Request, fields: &[(&str, &str)]) -> Request {
        fields.iter().for_each(|(name, value)| request.headers_mut().append(name, *value).unwrap());
        request
    }

    /// Appendix B.1.5.
    fn test_shared_secret() -> SigningKey {
        let secret =
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
        SigningKey::hmac("test-shared-secret", &STANDARD.decode(secret).unwrap()).unwrap()
    }

    /// Appendix B.1.4, in its JWK form.
    fn test_key_ed25519() -> (SigningKey, VerifyingKey) {
        let bytes =
            |text: &str| <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(text).unwrap().as_slice()).unwrap();
        let public = bytes("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs");
        let signs = bytes("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU");
        let id = "test-key-ed25519";
        (SigningKey::ed25519(id, &signs).unwrap(), VerifyingKey::ed25519(id, &public).unwrap())
    }

    #[test]
    fn the_key_of_appendix_b_1_4_is_one_pair_in_each_of_its_forms() {
        let (signs, verifies) = test_key_ed25519();
        assert_eq!(signs.verifying_key().to_text().as_str(), verifies.to_text().as_str());
        // The PEM forms: an RFC 8410 structure around the same 32 bytes.
        let spki = STANDARD.decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
        let pkcs8 =
            STANDARD.decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF").unwrap();
        let text = |prefix: &str, der: &[u8]| format!("{prefix}{}", STANDARD.encode(&der[der.len() - 32..]));
        assert_eq!(verifies.to_text().as_str(), text("ed25519-public:", &spki));
        assert_eq!(signs.to_secret_text().as_str(), text("ed25519-secret:", &pkcs8));
    }

    #[test]
    fn rfc_9421_b_2_5_hmac_sha256() {
        let request = with(
            request(),
            &[
                (
                    "Signature-Input",
                    r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
                ),
                ("Signature", "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"),
            ],
        );
        let (list, signature) = signature_of(&request, "sig-b25");
        let base = Message { request: &request, response: None }.base(&list).unwrap();
        assert_eq!(
            base,
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\
             \"content-type\": application/json\n\"@signature-params\": (\"date\" \"@authority\" \
             \"content-type\");created=1618884473;keyid=\"test-shared-secret\""
        );
        let key = test_shared_secret();
        assert_eq!(key.sign(base.as_bytes()).unwrap(), signature);
        assert!(key.verifying_key().verifies(base.as_bytes(), &signature));
    }

    #[test]
    fn rfc_9421_b_2_6_ed25519() {
        let request = with(
            request(),
            &[
                (
                    "Signature-Input",
                    r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
                ),
                (
                    "Signature",
                    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
                ),
            ],
        );
        let (list, signature) = signature_of(&request, "sig-b26");
        let base = Message { request: &request, response: None }.base(&list).unwrap();
        assert_eq!(
            base,
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
             \"@authority\": example.com\n\"content-type\": application/json\n\"content-length\": 18\n\
             \"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
             \"content-length\");created=1618884473;keyid=\"test-key-ed25519\""
        );
        let (signs, verifies) = test_key_ed25519();
        assert_eq!(signs.sign(base.as_bytes()).unwrap(), signature);
        assert!(verifies.verifies(base.as_bytes(), &signature));
    }

    /// What a proxy may change of a signed message, and what it may not. A query is not part of a request here, nor
    /// covered by this signature.
    #[test]
    fn rfc_9421_b_4_transformations() {
        let signed = |method: &str, fields: &[(&str, &str)]| {
            let signature = [
                (
                    "Signature-Input",
                    r#"transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519""#,
                ),
                (
                    "Signature",
                    "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:",
                ),
            ];
            with(with(Request::new(method, "/demo").unwrap(), fields), &signature)
        };
        let verifies = |request: &Request| {
            let (list, signature) = signature_of(request, "transform");
            let base = Message { request, response: None }.base(&list).unwrap();
            test_key_ed25519().1.verifies(base.as_bytes(), &signature)
        };
        let (host, date) = (("Host", "example.org"), ("Date", "Fri, 15 Jul 2022 14:24:55 GMT"));
        let (json, any) = (("Accept", "application/json"), ("Accept", "*/*"));
        let language = ("Accept-Language", "en-US,en;q=0.5");
        let (referer, joined) =
            (("Referer", "https://developer.example.org/demo"), ("Accept", "application/json, */*"));
        let original = signed("GET", &[host, date, json, any]);
        let (list, signature) = signature_of(&original, "transform");
        let base = Message { request: &original, response: None }.base(&list).unwrap();
        assert_eq!(
            base,
            "\"@method\": GET\n\"@path\": /demo\n\"@authority\": example.org\n\
             \"accept\": application/json, */*\n\"@signature-params\": (\"@method\" \"@path\" \
             \"@authority\" \"accept\");created=1618884473;keyid=\"test-key-ed25519\""
        );
        assert_eq!(test_key_ed25519().0.sign(base.as_bytes()).unwrap(), signature);
        for fields in
            [&[host, date, json, any][..], &[host, date, json, any, language], &[host, referer, joined]]
        {
            assert!(verifies(&signed("GET", fields)), "{fields:?}");
        }
        let elsewhere = ("Host", "example.com");
        assert!(!verifies(&signed("POST", &[host, date, json, any])), "another method");
        assert!(!verifies(&signed("GET", &[elsewhere, date, json, any])), "another authority");
        assert!(!verifies(&signed("GET", &[host, date, any, json])), "another order");
    }

    #[test]
    fn an_answer_covers_its_request() {
        let mut request = request();
        request.headers_mut().append("signature", "other=:AA==:,  claimwire=:AQ==:").unwrap();
        let response = Response::new(503, "").unwrap();
        let message = Message { request: &request, response: Some(&response) };
        let base =
            message.base(&covered(r#"("@status" "@method";req "signature";req;key="claimwire")"#)).unwrap();
        assert_eq!(
            base,
            "\"@status\": 503\n\"@method\";req: POST\n\"signature\";req;key=\"claimwire\": :AQ==:\n\
             \"@signature-params\": (\"@status\" \"@method\";req \"signature\";req;key=\"claimwire\")"
        );
    }

    #[test]
    fn the_name_of_a_component_fills_no_log() {
        let (request, name) = (request(), "x".repeat(50_000));
        let message = Message { request: &request, response: None };
        for list in [format!("(\"{name}\")"), format!("(\"date\";key=\"{name}\")")] {
            assert!(message.base(&covered(&list)).unwrap_err().to_string().len() <= 1000);
        }
    }

    #[test]
    fn members_of_one_field_are_each_found_and_none_is_found_elsewhere() {
        let request = with(request(), &[("x", "a=1, b=2"), ("y", "a=3")]);
        let mut response = Response::new(200, "").unwrap();
        response.headers_mut().append("x", "a=4").unwrap();
        let message = Message { request: &request, response: Some(&response) };
        let base = message.base(&covered(r#"("x";key="a";req "x";key="b";req "y";key="a";req "x";key="a")"#));
        let values: Vec<String> =
            base.unwrap().lines().take(4).map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
        assert_eq!(values, ["1", "2", "3", "4"]);
        assert!(message.base(&covered(r#"("x";key="a" "x";key="b")"#)).is_err());
    }

    #[test]
    fn what_the_message_does_not_have_cannot_be_covered() {
        let request = request();
        let message = Message { request: &request, response: None };
        for list in [
            r#"("x-none")"#,
            r#"("@status")"#,
            r#"("@method";req)"#,
            r#"("date" "date")"#,
            r#"("Date")"#,
            r#"("date";sf)"#,
            r#"("date";key="a")"#,
            r#"("@method";key="a")"#,
            r#"(date)"#,
            r#"("@signature-params")"#,
        ] {
            assert_eq!(message.base(&covered(list)).unwrap_err().kind(), ErrorKind::BadSignature, "{list}");
        }
    }
}
