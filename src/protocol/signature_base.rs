//! The signature base: the text that a signature covers, built from a message and a list of its components
//! (RFC 9421 section 2).

use super::{Headers, Request, Response};
use crate::{Error, ErrorKind, Result};
use sfv::{Dictionary, InnerList, Item, ItemSerializer, ListEntry, ListSerializer, Parser};

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
        for component in &covered.items {
            let identifier = identifier(component);
            if seen.contains(&identifier) {
                return Err(refused(format!("it covers {identifier} twice")));
            }
            base.push_str(&identifier);
            base.push_str(": ");
            base.push_str(&self.value(component, &identifier)?);
            base.push('\n');
            seen.push(identifier);
        }
        base.push_str("\"@signature-params\": ");
        base.push_str(&inner_list(covered));
        Ok(base)
    }

    fn value(self, component: &Item, identifier: &str) -> Result<String> {
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
        let field = field(headers, name, identifier)?;
        let value = match parameters.key {
            None => field,
            Some(key) => member(&field, key, identifier)?,
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

/// One member of a dictionary field, strictly serialised (RFC 9421 section 2.1.2).
fn member(field: &str, key: &str, identifier: &str) -> Result<String> {
    let fields: Dictionary =
        Parser::new(field).parse().map_err(|_| refused(format!("{identifier} is no dictionary")))?;
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
    Error::new(ErrorKind::BadSignature, format!("the signature cannot be checked: {what}"))
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

    #[test]
    fn rfc_9421_b_2_5_hmac_sha256() {
        let request = request();
        let list =
            covered(r#"("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#);
        let base = Message { request: &request, response: None }.base(&list).unwrap();
        assert_eq!(
            base,
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\
             \"content-type\": application/json\n\"@signature-params\": (\"date\" \"@authority\" \
             \"content-type\");created=1618884473;keyid=\"test-shared-secret\""
        );
        // Appendix B.1.5.
        let secret =
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
        let key = SigningKey::hmac("test-shared-secret", &STANDARD.decode(secret).unwrap()).unwrap();
        let signature = STANDARD.decode("pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=").unwrap();
        assert_eq!(key.sign(base.as_bytes()).unwrap(), signature);
        assert!(key.verifying_key().verifies(base.as_bytes(), &signature));
    }

    #[test]
    fn rfc_9421_b_2_6_ed25519() {
        let request = request();
        let list = covered(
            r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
        );
        let base = Message { request: &request, response: None }.base(&list).unwrap();
        // Appendix B.1.4, in its JWK form.
        let bytes =
            |text: &str| <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(text).unwrap().as_slice()).unwrap();
        let public = bytes("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs");
        let key =
            SigningKey::ed25519("test-key-ed25519", &bytes("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"));
        let signature = STANDARD
            .decode(
                "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
            )
            .unwrap();
        assert_eq!(key.unwrap().sign(base.as_bytes()).unwrap(), signature);
        assert!(VerifyingKey::ed25519("x", &public).unwrap().verifies(base.as_bytes(), &signature));
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
