//! Partners: what this site settled with another one, read from settings.

use super::border::{call, quietly};
use super::buffer::cw_buffer;
use super::codec_batch::cw_bytes;
use super::error::{c_text, cw_error};
use super::failure::{ask, cw_failure};
use super::pointer::{Options, Out, free, given_text, items, misuse, options, shared, unique};
use super::transport::cw_transport;
use crate::exchange::Partner;
use crate::protocol::SecretText;
use crate::settings::{LocalSecrets, PartnerSettings, SecretPlace, SecretSource};
use crate::{Error, ErrorKind, Result};
use std::ffi::{CString, c_char, c_void};
use std::mem::offset_of;
use std::ptr::null;
use std::sync::Arc;

/// What this site settled with a partner, with its keys. May be shared between threads.
pub struct cw_partner(pub(super) Partner, Names);

/// The partner's names as C reads them.
struct Names {
    site: CString,
    alias: CString,
}

impl cw_partner {
    pub(super) fn new(partner: Partner) -> Self {
        let names = Names { site: c_text(partner.site().as_str()), alias: c_text(partner.alias()) };
        Self(partner, names)
    }
}

/// Where a cw_secret_fn puts the secret, see cw_secret_set. Borrowed for the time of that call; wiped after it.
#[derive(Default)]
pub struct cw_secret(Option<SecretText>);

/// Gives the secret that settings call `{ host = "name" }` out of the host's own store: by cw_secret_set, and then
/// returns CW_OK. Returns another code, and may say why with cw_failure_set, when it has none of that name. `name` is
/// borrowed for the time of the call, which is on the thread that reads the settings.
pub type cw_secret_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        name: *const c_char,
        name_len: usize,
        secret: *mut cw_secret,
        failure: *mut cw_failure,
    ) -> i32,
>;

/// The host's own store of secrets. It is asked while a partner is read from settings, and not kept.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_secrets {
    /// Set to sizeof(cw_secrets).
    pub struct_size: usize,
    /// Gives a secret by its name.
    pub secret: cw_secret_fn,
    /// Handed to `secret`.
    pub user_data: *mut c_void,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_secrets {
    const FIRST: usize = offset_of!(cw_secrets, user_data) + size_of::<*mut c_void>();
}

/// Gives a secret from within a cw_secret_fn: a password, an age identity, the text of a signing key. The text is
/// copied; the copy is wiped when the key is made of it, and what the host holds is the host's to wipe.
///
/// Errors: CW_ERR_INVALID_ARGUMENT, also for an empty text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_secret_set(
    secret: *mut cw_secret,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_secret_set", error, || {
            let secret = unique("secret", secret)?;
            secret.0 = Some(SecretText::new(given_text("value", value, value_len)?.to_owned()));
            Ok(())
        })
    }
}

/// Reads a partner's settings in TOML, with every secret they name. `secrets` is asked for those of the form
/// `{ host = "name" }`; with NULL there are files and the environment alone. `transport` is the way to the partner; with
/// NULL it can be received from, but not sent to. A `url` in the settings opens no connection by itself: make its
/// transport with cw_transport_https, which also knows whom to trust.
///
/// Errors: CW_ERR_INVALID_SETTINGS with one detail for each mistake, which begins with its place
/// ("keys.incoming[1].version: ..."); CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_from_toml(
    settings: *const c_char,
    settings_len: usize,
    secrets: *const cw_secrets,
    transport: *const cw_transport,
    out: *mut *mut cw_partner,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_partner_from_toml", error, || {
            let out = Out::new("out", out)?;
            let settings = PartnerSettings::from_toml(given_text("settings", settings, settings_len)?)?;
            out.give(cw_partner::new(partner(&settings, secrets, transport)?));
            Ok(())
        })
    }
}

/// The same in JSON, as docs/schemas/partner-settings.schema.json has it; see cw_partner_from_toml.
///
/// Errors: as cw_partner_from_toml.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_from_json(
    settings: *const c_char,
    settings_len: usize,
    secrets: *const cw_secrets,
    transport: *const cw_transport,
    out: *mut *mut cw_partner,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_partner_from_json", error, || {
            let out = Out::new("out", out)?;
            let settings = PartnerSettings::from_json(given_text("settings", settings, settings_len)?)?;
            out.give(cw_partner::new(partner(&settings, secrets, transport)?));
            Ok(())
        })
    }
}

/// Checks a partner's settings without fetching any secret, for an administrator's tool. `format` is "toml" or "json".
/// Gives the settings as JSON, with every default written out, so that a host can read what stands in them ("/url",
/// "/number") with cw_json_get; `out` may be NULL when only the check is wanted.
///
/// Errors: CW_ERR_INVALID_SETTINGS with one detail for each mistake; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_settings_check(
    settings: *const c_char,
    settings_len: usize,
    format: *const c_char,
    format_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_partner_settings_check", error, || {
            let out = if out.is_null() { None } else { Some(Out::new("out", out)?) };
            let read = reader(given_text("format", format, format_len)?)?;
            let settings = read(given_text("settings", settings, settings_len)?)?;
            if let Some(out) = out {
                out.give(cw_buffer::new(settings.to_json()?));
            }
            Ok(())
        })
    }
}

/// Checks the settings of all partners of a site, `count` texts, as cw_partner_settings_check does with each, and what must
/// differ between them: site ids, numbers, and aliases but for case. `format` is "toml" or "json".
///
/// Errors: CW_ERR_INVALID_SETTINGS with one detail for each mistake of the first text that has any, or for each that two
/// partners have in common; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_settings_check_all(
    settings: *const cw_bytes,
    count: usize,
    format: *const c_char,
    format_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers, as for those of each text.
    unsafe {
        call("cw_partner_settings_check_all", error, || {
            let read = reader(given_text("format", format, format_len)?)?;
            let mut partners = Vec::new();
            for (index, given) in items("settings", settings, count)?.iter().enumerate() {
                let what = format!("settings[{index}]");
                let text = given_text(&what, given.data.cast(), given.len)?;
                partners.push(read(text).map_err(|error| error.within(&what))?);
            }
            PartnerSettings::check_all(&partners)
        })
    }
}

/// How settings of this format are read.
fn reader(format: &str) -> Result<fn(&str) -> Result<PartnerSettings>> {
    match format {
        "toml" => Ok(PartnerSettings::from_toml),
        "json" => Ok(PartnerSettings::from_json),
        _ => Err(misuse("`format` is neither toml nor json")),
    }
}

/// The partner's site id. Borrowed from the partner; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_site(partner: *const cw_partner) -> *const c_char {
    // SAFETY: the host vouches for `partner`.
    quietly(null(), || unsafe { partner.as_ref() }.map_or(null(), |partner| partner.1.site.as_ptr()))
}

/// The name users know the partner by. Borrowed from the partner; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_alias(partner: *const cw_partner) -> *const c_char {
    // SAFETY: the host vouches for `partner`.
    quietly(null(), || unsafe { partner.as_ref() }.map_or(null(), |partner| partner.1.alias.as_ptr()))
}

/// Wipes and ends a partner's settings; an exchange that was given them keeps them. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_free(partner: *mut cw_partner) {
    // SAFETY: the host vouches for `partner`.
    unsafe { free(partner) }
}

/// # Safety
/// Each pointer is NULL or good for the time of the call.
unsafe fn partner(
    settings: &PartnerSettings,
    secrets: *const cw_secrets,
    transport: *const cw_transport,
) -> Result<Partner> {
    // SAFETY: the host vouches for both.
    let secrets = unsafe { HostSecrets::new(secrets) }?;
    let partner = settings.to_partner(&secrets)?;
    if transport.is_null() {
        return Ok(partner);
    }
    // SAFETY: as above.
    let transport = unsafe { shared("transport", transport) }?;
    Ok(partner.reached_by(Arc::clone(&transport.0)))
}

/// The host's store for the names it knows; files and the environment for the rest.
struct HostSecrets(Option<cw_secrets>);

impl HostSecrets {
    /// # Safety
    /// `secrets` is NULL, for none, or good for the time of the call.
    unsafe fn new(secrets: *const cw_secrets) -> Result<Self> {
        if secrets.is_null() {
            return Ok(Self(None));
        }
        // SAFETY: the host vouches for `secrets`.
        let secrets = unsafe { options("secrets", secrets) }?;
        if secrets.secret.is_none() {
            return Err(misuse("`secrets->secret` is NULL; pass the function, or NULL for `secrets`"));
        }
        Ok(Self(Some(secrets)))
    }
}

impl SecretSource for HostSecrets {
    fn secret(&self, place: &SecretPlace) -> Result<SecretText> {
        let SecretPlace::Host(name) = place else { return LocalSecrets::new().secret(place) };
        let missing = |what: &str| Error::new(ErrorKind::InvalidSettings, format!("{place}: {what}"));
        let Some((secrets, secret)) = self.0.and_then(|secrets| Some((secrets, secrets.secret?))) else {
            return Err(missing("no store of the host's is given; pass `secrets`"));
        };
        let mut given = cw_secret::default();
        let (text, length) = (name.as_ptr().cast(), name.len());
        let asked = ask("secret", |failure| {
            // SAFETY: the host gave the function for this data; all else lives until it returns.
            unsafe { secret(secrets.user_data, text, length, &raw mut given, failure) }
        });
        asked.map_err(|error| error.within(place))?;
        given.0.ok_or_else(|| missing("`secret` returned CW_OK and gave none; call cw_secret_set first"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::code::{CW_ERR_INVALID_ARGUMENT, CW_ERR_INVALID_SETTINGS, CW_ERR_UNREACHABLE, CW_OK};
    use super::super::failure::cw_failure_set;
    use super::super::trial::{Failed, failed, fails, handle, ptr, read_text, taken, works};
    use super::*;
    use std::ptr::null_mut;

    const SETTINGS: &str = r#"
        site = "IMEX"
        number = 7
        alias = "Medical Examiners"
        url = "https://imex.example/claimwire"
        [keys.outgoing]
        version = 1
        suite = "des-md5"
        framing = "openssl"
        secret = { host = "imex/password" }
        [[keys.verifying]]
        id = "imex-2026"
        secret = { host = "imex/signing" }
    "#;

    unsafe extern "C-unwind" fn store(
        _: *mut c_void,
        name: *const c_char,
        name_len: usize,
        secret: *mut cw_secret,
        failure: *mut cw_failure,
    ) -> i32 {
        let name = unsafe { given_text("name", name, name_len) }.unwrap();
        let signing = format!("hmac-sha256-secret:{}", "AAAA".repeat(11));
        let value = match name {
            "imex/password" => "hunter2",
            "imex/signing" => signing.as_str(),
            _ => {
                let said = "the vault is sealed";
                unsafe { cw_failure_set(failure, CW_ERR_UNREACHABLE, ptr(said), said.len(), -1, null_mut()) };
                return CW_ERR_UNREACHABLE;
            }
        };
        unsafe { cw_secret_set(secret, ptr(value), value.len(), null_mut()) }
    }

    unsafe extern "C-unwind" fn forgetful(
        _: *mut c_void,
        _: *const c_char,
        _: usize,
        _: *mut cw_secret,
        _: *mut cw_failure,
    ) -> i32 {
        CW_OK
    }

    unsafe extern "C-unwind" fn panicking(
        _: *mut c_void,
        _: *const c_char,
        _: usize,
        _: *mut cw_secret,
        _: *mut cw_failure,
    ) -> i32 {
        panic!("a fault of the host's")
    }

    fn secrets(secret: cw_secret_fn) -> cw_secrets {
        cw_secrets { struct_size: size_of::<cw_secrets>(), secret, user_data: null_mut() }
    }

    fn refused(settings: &str, secrets: *const cw_secrets) -> Failed {
        failed(|out, error| unsafe {
            cw_partner_from_toml(ptr(settings), settings.len(), secrets, null(), out, error)
        })
    }

    #[test]
    fn a_partner_is_read_from_toml_and_from_json_with_secrets_of_the_hosts() {
        let store = secrets(Some(store));
        let partner = handle(|out, error| unsafe {
            cw_partner_from_toml(ptr(SETTINGS), SETTINGS.len(), &raw const store, null(), out, error)
        });
        let json = taken(|out, error| unsafe {
            cw_partner_settings_check(ptr(SETTINGS), SETTINGS.len(), ptr("toml"), 4, out, error)
        });
        assert!(json.contains("\"https://imex.example/claimwire\""), "{json}");
        let again = handle(|out, error| unsafe {
            cw_partner_from_json(ptr(&json), json.len(), &raw const store, null(), out, error)
        });
        for partner in [partner, again] {
            unsafe {
                assert_eq!(read_text(cw_partner_site(partner)), "IMEX");
                assert_eq!(read_text(cw_partner_alias(partner)), "Medical Examiners");
                cw_partner_free(partner);
            }
        }
    }

    #[test]
    fn every_mistake_is_a_detail_of_its_own() {
        let Failed { code, details, .. } = refused("number = 100\ncolour = 1\n", null());
        assert_eq!(code, CW_ERR_INVALID_SETTINGS);
        assert!(details.len() > 3, "{details:?}");
        assert!(details.iter().any(|detail| detail.starts_with("number: ")), "{details:?}");
        let check = |settings: &str, format: &str| {
            fails(|error| unsafe {
                let (settings, len) = (ptr(settings), settings.len());
                cw_partner_settings_check(settings, len, ptr(format), format.len(), null_mut(), error)
            })
        };
        assert_eq!(check("number = 100\ncolour = 1\n", "toml").details, details);
        assert_eq!(check(r#"{"number": 100, "colour": 1}"#, "json").details.len(), details.len());
        assert_eq!(check("not toml", "toml").code, CW_ERR_INVALID_SETTINGS);
        assert_eq!(check(SETTINGS, "ini").code, CW_ERR_INVALID_ARGUMENT);
        assert_eq!(check("", "toml").code, CW_ERR_INVALID_ARGUMENT);
        works(|error| unsafe {
            cw_partner_settings_check(ptr(SETTINGS), SETTINGS.len(), ptr("toml"), 4, null_mut(), error)
        });
    }

    #[test]
    fn partners_of_one_site_must_differ() {
        let check = |texts: &[&str], error| {
            let texts: Vec<_> =
                texts.iter().map(|text| cw_bytes { data: text.as_ptr(), len: text.len() }).collect();
            unsafe { cw_partner_settings_check_all(texts.as_ptr(), texts.len(), ptr("toml"), 4, error) }
        };
        let other = SETTINGS.replace("IMEX", "CLINIC").replace("Medical Examiners", "The clinic");
        let Failed { code, details, .. } = fails(|error| check(&[SETTINGS, &other], error));
        assert_eq!(code, CW_ERR_INVALID_SETTINGS);
        assert!(details.len() == 1 && details[0].starts_with("number "), "{details:?}");
        works(|error| check(&[SETTINGS, &other.replace("number = 7", "number = 8")], error));
        works(|error| check(&[], error));
        let Failed { code, message, .. } = fails(|error| check(&[SETTINGS, "not toml"], error));
        assert!(code == CW_ERR_INVALID_SETTINGS && message.contains("settings[1]"), "{message}");
    }

    #[test]
    fn a_secret_that_cannot_be_had_is_told_by_its_name() {
        let Failed { code, details, .. } = refused(SETTINGS, null());
        assert_eq!(code, CW_ERR_INVALID_SETTINGS);
        assert!(details.iter().all(|detail| detail.contains("pass `secrets`")), "{details:?}");
        assert_eq!(details.len(), 2);

        let elsewhere = SETTINGS.replace("imex/password", "imex/unknown");
        let sealed = secrets(Some(store));
        let Failed { details, .. } = refused(&elsewhere, &raw const sealed);
        assert_eq!(details.len(), 1);
        assert!(
            details[0].contains("imex/unknown") && details[0].contains("the vault is sealed"),
            "{details:?}"
        );

        let forgets = secrets(Some(forgetful));
        let Failed { details, .. } = refused(SETTINGS, &raw const forgets);
        assert!(details.iter().all(|detail| detail.contains("cw_secret_set")), "{details:?}");
    }

    #[test]
    fn misuse_is_told_and_nothing_is_given_out() {
        let panics = secrets(Some(panicking));
        assert_ne!(refused(SETTINGS, &raw const panics).code, CW_OK);
        let none = secrets(None);
        assert_eq!(refused(SETTINGS, &raw const none).code, CW_ERR_INVALID_ARGUMENT);
        for struct_size in [0, size_of::<cw_secrets>() - 1, usize::MAX] {
            let sized = cw_secrets { struct_size, ..secrets(Some(store)) };
            assert_eq!(refused(SETTINGS, &raw const sized).code, CW_ERR_INVALID_ARGUMENT, "{struct_size}");
        }
        for read in [cw_partner_from_toml, cw_partner_from_json] {
            let of =
                |text, len| failed(|out, error| unsafe { read(text, len, null(), null(), out, error) }).code;
            assert_eq!(of(null(), 0), CW_ERR_INVALID_ARGUMENT);
            assert_eq!(of(null(), 4), CW_ERR_INVALID_ARGUMENT);
            assert_eq!(of(ptr("x"), 0), CW_ERR_INVALID_ARGUMENT);
            assert_eq!(of(b"\xc3(".as_ptr().cast(), 2), CW_ERR_INVALID_ARGUMENT);
            let no_out = fails(|error| unsafe { read(ptr("x"), 1, null(), null(), null_mut(), error) });
            assert_eq!(no_out.code, CW_ERR_INVALID_ARGUMENT);
        }
        let mut secret = cw_secret::default();
        for (secret, text, len) in [
            (null_mut(), ptr("x"), 1),
            (&raw mut secret, null(), 0),
            (&raw mut secret, ptr("x"), 0),
            (&raw mut secret, b"\xff".as_ptr().cast(), 1),
        ] {
            let refused = fails(|error| unsafe { cw_secret_set(secret, text, len, error) });
            assert_eq!(refused.code, CW_ERR_INVALID_ARGUMENT);
        }
        unsafe {
            assert!(cw_partner_site(null()).is_null());
            assert!(cw_partner_alias(null()).is_null());
            cw_partner_free(null_mut());
        }
    }
}
