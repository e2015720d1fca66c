//! Keys that seal and open packages.

use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::pointer::{Out, bytes, free, given_text, misuse, shared};
use crate::Result;
use crate::codec::{AgeIdentity, AgeRecipient, AgeRecipients, DesMd5Key, Framing, OpeningKey, SealingKey};
use std::ffi::c_char;
use std::num::NonZeroU32;

/// What seals: a password of des-md5, or the age recipients who shall be able to open. May be shared between threads.
pub struct cw_sealing_key(pub(super) SealingKey);

/// What opens: a password of des-md5, or this site's own age identity. May be shared between threads. Wiped when freed.
pub struct cw_opening_key(pub(super) OpeningKey);

/// A key of the suite des-md5, for partners that can do no better: anyone who rents a GPU breaks it. `password` is 1 or
/// more characters of printable ASCII. `framing` is "salt-prefix", "openssl" or "bare"; `salt` is 8 bytes for "bare" and
/// NULL for the others. `iterations` 0 stands for what the framing's peers use: 1000, and 1 with "openssl".
///
/// Errors: CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_sealing_key_des_md5(
    password: *const u8,
    password_len: usize,
    framing: *const c_char,
    framing_len: usize,
    salt: *const u8,
    iterations: u32,
    out: *mut *mut cw_sealing_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_sealing_key_des_md5", error, || {
            let out = Out::new("out", out)?;
            let password = bytes("password", password, password_len)?;
            let key = des_md5(password, given_text("framing", framing, framing_len)?, salt, iterations)?;
            out.give(cw_sealing_key(key.into()));
            Ok(())
        })
    }
}

/// The same key for opening; see cw_sealing_key_des_md5.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_opening_key_des_md5(
    password: *const u8,
    password_len: usize,
    framing: *const c_char,
    framing_len: usize,
    salt: *const u8,
    iterations: u32,
    out: *mut *mut cw_opening_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_opening_key_des_md5", error, || {
            let out = Out::new("out", out)?;
            let password = bytes("password", password, password_len)?;
            let key = des_md5(password, given_text("framing", framing, framing_len)?, salt, iterations)?;
            out.give(cw_opening_key(key.into()));
            Ok(())
        })
    }
}

/// A key that seals for age recipients, "age1...", 1 to 300 of them separated by spaces or line ends. Each can open what is
/// sealed; none learns who the others are.
///
/// Errors: CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_sealing_key_age(
    recipients: *const c_char,
    recipients_len: usize,
    out: *mut *mut cw_sealing_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_sealing_key_age", error, || {
            let out = Out::new("out", out)?;
            let recipients = given_text("recipients", recipients, recipients_len)?;
            let recipients: Result<Vec<AgeRecipient>> =
                recipients.split_whitespace().map(str::parse).collect();
            out.give(cw_sealing_key(AgeRecipients::new(recipients?)?.into()));
            Ok(())
        })
    }
}

/// A key that opens what was sealed for an age identity: "AGE-SECRET-KEY-1...", or a key file as age-keygen writes it.
///
/// Errors: CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_opening_key_age(
    identity: *const c_char,
    identity_len: usize,
    out: *mut *mut cw_opening_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_opening_key_age", error, || {
            let out = Out::new("out", out)?;
            let identity = AgeIdentity::from_key_file(given_text("identity", identity, identity_len)?)?;
            out.give(cw_opening_key(identity.into()));
            Ok(())
        })
    }
}

/// A new age identity: the secret "AGE-SECRET-KEY-1...", to be stored where only this site reads, and the recipient
/// "age1..." to hand to partners.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_age_generate(
    identity: *mut *mut cw_buffer,
    recipient: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_age_generate", error, || {
            let (secret, public) = (Out::new("identity", identity)?, Out::new("recipient", recipient)?);
            let identity = AgeIdentity::generate();
            secret.give(cw_buffer::new(identity.to_secret_string().expose()));
            public.give(cw_buffer::new(identity.recipient().to_string()));
            Ok(())
        })
    }
}

/// The recipient "age1..." that belongs to an opening key of the suite age.
///
/// Errors: CW_ERR_INVALID_KEY for a key of another suite, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_opening_key_recipient(
    key: *const cw_opening_key,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_opening_key_recipient", error, || {
            let out = Out::new("out", out)?;
            let OpeningKey::Age(identity) = &shared("key", key)?.0 else {
                let said = "a password of des-md5 has no recipient; only a key of the suite age has one";
                return Err(crate::Error::new(crate::ErrorKind::InvalidKey, said));
            };
            out.give(cw_buffer::new(identity.recipient().to_string()));
            Ok(())
        })
    }
}

/// Ends a sealing key. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_sealing_key_free(key: *mut cw_sealing_key) {
    // SAFETY: the host vouches for `key`.
    unsafe { free(key) }
}

/// Wipes and ends an opening key. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_opening_key_free(key: *mut cw_opening_key) {
    // SAFETY: the host vouches for `key`.
    unsafe { free(key) }
}

/// # Safety
/// `salt` is NULL or points to 8 bytes.
unsafe fn des_md5(password: &[u8], framing: &str, salt: *const u8, iterations: u32) -> Result<DesMd5Key> {
    // SAFETY: not NULL, so the host vouches for 8 bytes.
    let salt = (!salt.is_null()).then(|| unsafe { salt.cast::<[u8; 8]>().read() });
    let framing = match (framing, salt) {
        ("salt-prefix", None) => Framing::SaltPrefix,
        ("openssl", None) => Framing::OpenSsl,
        ("bare", Some(salt)) => Framing::Bare { salt },
        ("bare", None) => return Err(misuse("the framing bare needs the agreed `salt` of 8 bytes")),
        ("salt-prefix" | "openssl", Some(_)) => {
            return Err(misuse(format!("the framing {framing} brings its own salt; pass NULL for `salt`")));
        }
        _ => return Err(misuse("`framing` is none of salt-prefix, openssl and bare")),
    };
    let key = DesMd5Key::new(password, framing)?;
    match NonZeroU32::new(iterations) {
        Some(iterations) => key.with_iterations(iterations),
        None => Ok(key),
    }
}
