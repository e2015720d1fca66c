//! What a 401 asks for: `WWW-Authenticate` (RFC 9110 section 11.6.1) and `Accept-Signature` (RFC 9421 section 5.1).

use super::signature::wanted;
use super::{Request, Response};
use crate::Result;

/// The scheme of message signatures. No registered scheme stands for RFC 9421, and a 401 needs at least one; what is to
/// be signed is in `Accept-Signature`.
const SIGNATURE: &str = "Signature realm=\"claimwire\"";

/// The scheme of RFC 6750.
const BEARER: &str = "Bearer realm=\"claimwire\"";

/// Says in a 401 how such a request proves who sends it; changes no other answer.
///
/// `bearer` is whether this site takes a token from any partner, for requests such as this one. It is never told which
/// partner uses what: who asks has not proven to be one.
pub(crate) fn challenge(request: &Request, response: &mut Response, bearer: bool) -> Result<()> {
    if response.status() != 401 {
        return Ok(());
    }
    let mut challenges = SIGNATURE.to_owned();
    if bearer {
        challenges.push_str(", ");
        challenges.push_str(BEARER);
        // RFC 6750 section 3.1: no code where no token was shown.
        if request.headers().get("authorization").is_some() {
            challenges.push_str(", error=\"invalid_token\"");
        }
    }
    response.headers_mut().insert("www-authenticate", challenges)?;
    response.headers_mut().insert("accept-signature", wanted(request))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sfv::{Dictionary, Parser};

    fn challenged(method: &str, path: &str, token: Option<&str>, bearer: bool) -> Response {
        let mut request = Request::new(method, path).unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}")).unwrap();
        }
        let mut response = Response::bare(401);
        challenge(&request, &mut response, bearer).unwrap();
        response
    }

    #[test]
    fn a_401_names_the_schemes_this_site_takes() {
        for (token, bearer, said) in [
            (None, false, r#"Signature realm="claimwire""#),
            (Some("x"), false, r#"Signature realm="claimwire""#),
            (None, true, r#"Signature realm="claimwire", Bearer realm="claimwire""#),
            (
                Some("x"),
                true,
                r#"Signature realm="claimwire", Bearer realm="claimwire", error="invalid_token""#,
            ),
        ] {
            let response = challenged("POST", "/packages", token, bearer);
            assert_eq!(response.headers().get("www-authenticate"), Some(said));
        }
    }

    #[test]
    fn a_401_says_what_is_to_be_signed() {
        for (method, path, components) in [
            (
                "POST",
                "/claimwire/packages",
                r#""@method" "@path" "content-digest" "repr-digest" "content-type" "idempotency-key" "claimwire-package""#,
            ),
            ("POST", "/receipts", r#""@method" "@path" "content-digest" "content-type""#),
            ("GET", "/packages/1", r#""@method" "@path""#),
        ] {
            let response = challenged(method, path, None, false);
            let asked = response.headers().get("accept-signature").unwrap();
            assert_eq!(asked, format!("claimwire=({components});created;tag=\"claimwire\""));
            Parser::new(asked).parse::<Dictionary>().unwrap();
        }
    }

    #[test]
    fn other_answers_ask_for_nothing() {
        let mut response = Response::bare(403);
        challenge(&Request::new("POST", "/packages").unwrap(), &mut response, true).unwrap();
        assert_eq!(response, Response::bare(403));
    }
}
