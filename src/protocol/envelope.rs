//! The envelope of a package: the headers that say what is inside, from whom, to whom, and how it is sealed.

use super::Headers;
use crate::model::{PackageId, PackageKind, SiteId};
use crate::{Error, ErrorKind, Result};
use sfv::{BareItem, Dictionary, Item, KeyRef, ListEntry, Parser, StringRef, TokenRef, key_ref};

/// The media type of a sealed package.
pub const PACKAGE_MEDIA_TYPE: &str = "application/vnd.claimwire.package";

const ID_HEADER: &str = "idempotency-key";
const HEADER: &str = "claimwire-package";

/// What a request with a sealed package says of it before the first byte of the body is read.
///
/// Two headers carry it, both structured fields (RFC 9651):
///
/// ```text
/// Idempotency-Key: "01978f6e-0a3b-7c11-9d52-3f0c5a1b7e90"
/// Claimwire-Package: from="ON-INS", to="IMEX", kind=claim, suite=age, key-version=1
/// ```
///
/// Members this version does not know are passed over; the signature covers them all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// The package's id: the same on every retry, so that a retry never makes a second package.
    pub package_id: PackageId,
    /// What the package carries.
    pub kind: PackageKind,
    /// The site that sends it.
    pub from: SiteId,
    /// The one site it is addressed to.
    pub to: SiteId,
    /// The name of the suite it is sealed with.
    pub suite: String,
    /// The version of the key it is sealed with.
    pub key_version: u32,
}

impl Envelope {
    /// An envelope for key version 1.
    #[must_use]
    pub fn new(
        package_id: PackageId,
        kind: PackageKind,
        from: SiteId,
        to: SiteId,
        suite: impl Into<String>,
    ) -> Self {
        Self { package_id, kind, from, to, suite: suite.into(), key_version: 1 }
    }

    /// Writes both headers, in place of earlier ones.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the suite's name is no token (RFC 9651 section 3.3.4).
    pub fn to_headers(&self, headers: &mut Headers) -> Result<()> {
        if TokenRef::from_str(&self.suite).is_err() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{}` is no suite name; it is a token such as `age`", self.suite.escape_debug()),
            ));
        }
        // Site ids hold nothing that a string of RFC 9651 would have to escape.
        let (from, to, kind) = (&self.from, &self.to, self.kind.name());
        let (suite, version) = (&self.suite, self.key_version);
        headers.insert(
            HEADER,
            format!("from=\"{from}\", to=\"{to}\", kind={kind}, suite={suite}, key-version={version}"),
        )?;
        headers.insert(ID_HEADER, format!("\"{}\"", self.package_id))
    }

    /// Reads both headers.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`], naming the member, when one is missing, stands there twice, or is malformed.
    pub fn from_headers(headers: &Headers) -> Result<Self> {
        let text = only(headers, HEADER)?;
        let fields: Dictionary = Parser::new(text)
            .parse()
            .map_err(|error| bad("is no dictionary (RFC 9651)").caused_by(error.to_string()))?;
        let kind = token(&fields, key_ref("kind"))?;
        let key_version = match member(&fields, key_ref("key-version"))?.as_integer() {
            Some(version) => u32::try_from(i64::from(version)).ok().filter(|version| *version > 0),
            None => None,
        };
        Ok(Self {
            package_id: Self::package_id(headers)?,
            kind: PackageKind::from_name(kind).ok_or_else(|| {
                bad(&format!("has the kind `{kind}`; this version knows claim, notes and trial"))
            })?,
            from: site(&fields, key_ref("from"))?,
            to: site(&fields, key_ref("to"))?,
            suite: token(&fields, key_ref("suite"))?.to_owned(),
            key_version: key_version
                .ok_or_else(|| bad("has a `key-version` that is no whole number from 1 to 4294967295"))?,
        })
    }

    /// Reads the package's id alone, from `Idempotency-Key`.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] when it is missing, stands there twice, or is no package id.
    pub fn package_id(headers: &Headers) -> Result<PackageId> {
        let text = only(headers, ID_HEADER)?;
        let malformed = || {
            Error::new(
                ErrorKind::BadMessage,
                "the Idempotency-Key is no package id: a UUID of version 7 in double quotes",
            )
        };
        let item: Item = Parser::new(text).parse().map_err(|_| malformed())?;
        let id = item.bare_item.as_string().ok_or_else(malformed)?;
        id.as_str().parse().map_err(|_| malformed())
    }
}

fn only<'a>(headers: &'a Headers, name: &str) -> Result<&'a str> {
    headers
        .get_only(name)?
        .ok_or_else(|| Error::new(ErrorKind::BadMessage, format!("the request has no header {name}")))
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadMessage, format!("the header {HEADER} {what}"))
}

fn member<'a>(fields: &'a Dictionary, name: &KeyRef) -> Result<&'a BareItem> {
    match fields.get(name) {
        Some(ListEntry::Item(item)) => Ok(&item.bare_item),
        Some(ListEntry::InnerList(_)) => Err(bad(&format!("has a list as `{}`", name.as_str()))),
        None => Err(bad(&format!("has no `{}`", name.as_str()))),
    }
}

fn token<'a>(fields: &'a Dictionary, name: &KeyRef) -> Result<&'a str> {
    let value = member(fields, name)?.as_token();
    value.map(TokenRef::as_str).ok_or_else(|| bad(&format!("has a `{}` that is no token", name.as_str())))
}

fn site(fields: &Dictionary, name: &KeyRef) -> Result<SiteId> {
    let value = member(fields, name)?.as_string().map(StringRef::as_str);
    let value = value.ok_or_else(|| bad(&format!("has a `{}` that is no string", name.as_str())))?;
    SiteId::new(value)
        .map_err(|error| bad(&format!("has a `{}` that is no site id", name.as_str())).caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        let id = "01978f6e-0a3b-7c11-9d52-3f0c5a1b7e90".parse().unwrap();
        let (from, to) = (SiteId::new("ON-INS").unwrap(), SiteId::new("IMEX").unwrap());
        Envelope::new(id, PackageKind::Claim, from, to, "des-md5")
    }

    #[test]
    fn it_is_written_as_documented_and_read_back() {
        let mut headers = Headers::new();
        envelope().to_headers(&mut headers).unwrap();
        assert_eq!(
            headers.get(HEADER).unwrap(),
            r#"from="ON-INS", to="IMEX", kind=claim, suite=des-md5, key-version=1"#
        );
        assert_eq!(headers.get(ID_HEADER).unwrap(), r#""01978f6e-0a3b-7c11-9d52-3f0c5a1b7e90""#);
        assert_eq!(Envelope::from_headers(&headers).unwrap(), envelope());
    }

    #[test]
    fn each_fault_names_its_member() {
        let cases = [
            (r#"to="B", kind=claim, suite=age, key-version=1"#, "no `from`"),
            (r#"from=A, to="B", kind=claim, suite=age, key-version=1"#, "`from` that is no string"),
            (r#"from="A B", to="B", kind=claim, suite=age, key-version=1"#, "`from` that is no site id"),
            (r#"from="A", to=("B"), kind=claim, suite=age, key-version=1"#, "a list as `to`"),
            (r#"from="A", to="B", kind=bill, suite=age, key-version=1"#, "kind `bill`"),
            (r#"from="A", to="B", kind=claim, suite="age", key-version=1"#, "`suite` that is no token"),
            (r#"from="A", to="B", kind=claim, suite=age, key-version=0"#, "`key-version`"),
            (r#"from="A", to="B", kind=claim, suite=age, key-version=1.5"#, "`key-version`"),
            (r#"from="A", to="B", kind=claim, suite=age"#, "no `key-version`"),
            (r#"from="A" to="B""#, "no dictionary"),
        ];
        for (text, says) in cases {
            let mut headers = Headers::new();
            envelope().to_headers(&mut headers).unwrap();
            headers.insert(HEADER, text).unwrap();
            let error = Envelope::from_headers(&headers).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadMessage);
            assert!(error.to_string().contains(says), "{error} should say {says}");
        }
    }

    #[test]
    fn a_second_header_or_a_bare_id_is_refused() {
        let mut headers = Headers::new();
        envelope().to_headers(&mut headers).unwrap();
        headers.insert(ID_HEADER, "01978f6e-0a3b-7c11-9d52-3f0c5a1b7e90").unwrap();
        assert!(Envelope::from_headers(&headers).unwrap_err().to_string().contains("Idempotency-Key"));
        envelope().to_headers(&mut headers).unwrap();
        headers.append(HEADER, "to=\"EVIL\"").unwrap();
        assert!(Envelope::from_headers(&headers).unwrap_err().to_string().contains("twice"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ -~]{0,120}") {
            let mut headers = Headers::new();
            envelope().to_headers(&mut headers).unwrap();
            headers.insert(HEADER, text).unwrap();
            if let Ok(read) = Envelope::from_headers(&headers) {
                read.to_headers(&mut headers).unwrap();
                prop_assert_eq!(Envelope::from_headers(&headers).unwrap(), read);
            }
        }
    }
}
