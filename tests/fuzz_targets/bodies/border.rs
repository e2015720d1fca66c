//! Any sequence of calls through the C border over live handles: each gives a code that is one, and what it says it gives.

#![allow(unsafe_code, reason = "it calls as a C host does")]

use super::script::Script;
use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

// The border's functions are in the library that is linked, though no Rust path leads to them.
use claimwire as _;

/// A handle of the library's.
#[repr(C)]
struct Handle {
    _opaque: [u8; 0],
}

type Out = *mut *mut Handle;

unsafe extern "C" {
    fn cw_code_name(code: i32) -> *const c_char;
    fn cw_error_code(error: *const Handle) -> i32;
    fn cw_error_message(error: *const Handle) -> *const c_char;
    fn cw_error_detail(error: *const Handle, index: usize) -> *const c_char;
    fn cw_error_free(error: *mut Handle);
    fn cw_buffer_data(buffer: *const Handle) -> *const u8;
    fn cw_buffer_len(buffer: *const Handle) -> usize;
    fn cw_buffer_free(buffer: *mut Handle);
    fn cw_has_capability(name: *const u8, len: usize) -> i32;
    fn cw_json_get(
        json: *const u8,
        len: usize,
        pointer: *const u8,
        pointer_len: usize,
        out: Out,
        error: Out,
    ) -> i32;
    fn cw_json_quote(value: *const u8, len: usize, out: Out, error: Out) -> i32;
    fn cw_sealing_key_des_md5(
        password: *const u8,
        len: usize,
        framing: *const u8,
        framing_len: usize,
        salt: *const u8,
        iterations: u32,
        out: Out,
        error: Out,
    ) -> i32;
    fn cw_opening_key_des_md5(
        password: *const u8,
        len: usize,
        framing: *const u8,
        framing_len: usize,
        salt: *const u8,
        iterations: u32,
        out: Out,
        error: Out,
    ) -> i32;
    fn cw_sealing_key_age(recipients: *const u8, len: usize, out: Out, error: Out) -> i32;
    fn cw_opening_key_age(identity: *const u8, len: usize, out: Out, error: Out) -> i32;
    fn cw_age_generate(identity: Out, recipient: Out, error: Out) -> i32;
    fn cw_opening_key_recipient(key: *const Handle, out: Out, error: Out) -> i32;
    fn cw_sealing_key_free(key: *mut Handle);
    fn cw_opening_key_free(key: *mut Handle);
    fn cw_encrypt_bytes(key: *const Handle, data: *const u8, len: usize, out: Out, error: Out) -> i32;
    fn cw_decrypt_bytes(key: *const Handle, data: *const u8, len: usize, out: Out, error: Out) -> i32;
}

/// Where a call's bytes come from.
enum Bytes<'a> {
    Null,
    Given(&'a [u8]),
    /// What an earlier call gave.
    Buffer,
}

impl<'a> Bytes<'a> {
    fn told(script: &mut Script<'a>) -> Option<Self> {
        Some(match script.byte()? % 3 {
            0 => Self::Given(script.bytes()?),
            1 => Self::Buffer,
            _ => Self::Null,
        })
    }
}

enum Framing<'a> {
    SaltPrefix,
    OpenSsl,
    Bare([u8; 8]),
    Other(&'a [u8]),
}

impl<'a> Framing<'a> {
    fn told(script: &mut Script<'a>) -> Option<Self> {
        Some(match script.byte()? % 4 {
            0 => Self::SaltPrefix,
            1 => Self::OpenSsl,
            2 => Self::Bare([script.byte()?; 8]),
            _ => Self::Other(script.bytes()?),
        })
    }
}

enum Call<'a> {
    Capability(Bytes<'a>),
    CodeName(i32),
    JsonGet(Bytes<'a>, Bytes<'a>),
    JsonQuote(Bytes<'a>),
    DesMd5 { opens: bool, password: &'a [u8], framing: Framing<'a>, iterations: u8 },
    AgeGenerate,
    SealingAge(Bytes<'a>),
    OpeningAge(Bytes<'a>),
    Recipient,
    Encrypt(Bytes<'a>),
    Decrypt(Bytes<'a>),
    FreeBuffer,
    FreeSealing,
    FreeOpening,
}

impl<'a> Call<'a> {
    fn told(script: &mut Script<'a>) -> Option<Self> {
        Some(match script.byte()? % 14 {
            0 => Self::Capability(Bytes::told(script)?),
            1 => Self::CodeName(i32::from(script.byte()?) - 20),
            2 => Self::JsonGet(Bytes::told(script)?, Bytes::told(script)?),
            3 => Self::JsonQuote(Bytes::told(script)?),
            4 => Self::DesMd5 {
                opens: script.byte()? % 2 == 1,
                password: script.bytes()?,
                framing: Framing::told(script)?,
                iterations: script.byte()?,
            },
            5 => Self::AgeGenerate,
            6 => Self::SealingAge(Bytes::told(script)?),
            7 => Self::OpeningAge(Bytes::told(script)?),
            8 => Self::Recipient,
            9 => Self::Encrypt(Bytes::told(script)?),
            10 => Self::Decrypt(Bytes::told(script)?),
            11 => Self::FreeBuffer,
            12 => Self::FreeSealing,
            _ => Self::FreeOpening,
        })
    }
}

/// One host: a handle of each type, or NULL.
struct Host {
    buffer: *mut Handle,
    sealing: *mut Handle,
    opening: *mut Handle,
}

impl Host {
    fn bytes<'a>(&'a self, bytes: &Bytes<'a>) -> (*const u8, usize) {
        match bytes {
            Bytes::Null => (null(), 0),
            Bytes::Given(bytes) => (bytes.as_ptr(), bytes.len()),
            // SAFETY: the buffer is alive or NULL.
            Bytes::Buffer => unsafe { (cw_buffer_data(self.buffer), cw_buffer_len(self.buffer)) },
        }
    }

    unsafe fn act(&mut self, call: &Call<'_>) {
        // SAFETY: every handle is alive or NULL, and every length is true.
        unsafe {
            match call {
                Call::Capability(name) => {
                    let (name, len) = self.bytes(name);
                    assert!((0..=1).contains(&cw_has_capability(name, len)));
                }
                Call::CodeName(code) => assert!(!CStr::from_ptr(cw_code_name(*code)).is_empty()),
                Call::JsonGet(json, pointer) => {
                    let ((json, len), (pointer, pointer_len)) = (self.bytes(json), self.bytes(pointer));
                    let made = made(|out, error| cw_json_get(json, len, pointer, pointer_len, out, error));
                    self.keep_buffer(made);
                }
                Call::JsonQuote(value) => {
                    let (value, len) = self.bytes(value);
                    let made = made(|out, error| cw_json_quote(value, len, out, error));
                    self.keep_buffer(made);
                }
                Call::DesMd5 { opens, password, framing, iterations } => {
                    let (framing, salt): (&[u8], _) = match framing {
                        Framing::SaltPrefix => (b"salt-prefix", null()),
                        Framing::OpenSsl => (b"openssl", null()),
                        Framing::Bare(salt) => (b"bare", salt.as_ptr()),
                        Framing::Other(name) => (name, null()),
                    };
                    let make = if *opens { cw_opening_key_des_md5 } else { cw_sealing_key_des_md5 };
                    let (words, len, iterations) =
                        (password.as_ptr(), password.len(), u32::from(*iterations));
                    let made = made(|out, error| {
                        make(words, len, framing.as_ptr(), framing.len(), salt, iterations, out, error)
                    });
                    if *opens { self.keep_opening(made) } else { self.keep_sealing(made) }
                }
                Call::AgeGenerate => {
                    let mut identity = null_mut();
                    let recipient = made(|out, error| cw_age_generate(&raw mut identity, out, error));
                    self.keep_buffer(recipient);
                    let (text, len) = (cw_buffer_data(identity), cw_buffer_len(identity));
                    let opening = made(|out, error| cw_opening_key_age(text, len, out, error));
                    cw_buffer_free(identity);
                    assert!(!opening.is_null(), "an identity that was generated opens");
                    self.keep_opening(opening);
                }
                Call::SealingAge(recipients) => {
                    let (recipients, len) = self.bytes(recipients);
                    let made = made(|out, error| cw_sealing_key_age(recipients, len, out, error));
                    self.keep_sealing(made);
                }
                Call::OpeningAge(identity) => {
                    let (identity, len) = self.bytes(identity);
                    let made = made(|out, error| cw_opening_key_age(identity, len, out, error));
                    self.keep_opening(made);
                }
                Call::Recipient => {
                    let made = made(|out, error| cw_opening_key_recipient(self.opening, out, error));
                    self.keep_buffer(made);
                }
                Call::Encrypt(plain) => {
                    let (plain, len) = self.bytes(plain);
                    let made = made(|out, error| cw_encrypt_bytes(self.sealing, plain, len, out, error));
                    self.keep_buffer(made);
                }
                Call::Decrypt(sealed) => {
                    let (sealed, len) = self.bytes(sealed);
                    let made = made(|out, error| cw_decrypt_bytes(self.opening, sealed, len, out, error));
                    self.keep_buffer(made);
                }
                Call::FreeBuffer => self.keep_buffer(null_mut()),
                Call::FreeSealing => self.keep_sealing(null_mut()),
                Call::FreeOpening => self.keep_opening(null_mut()),
            }
        }
    }

    fn keep_buffer(&mut self, new: *mut Handle) {
        // SAFETY: the old one is alive or NULL, and used no more.
        unsafe { cw_buffer_free(std::mem::replace(&mut self.buffer, new)) };
    }

    fn keep_sealing(&mut self, new: *mut Handle) {
        // SAFETY: as above.
        unsafe { cw_sealing_key_free(std::mem::replace(&mut self.sealing, new)) };
    }

    fn keep_opening(&mut self, new: *mut Handle) {
        // SAFETY: as above.
        unsafe { cw_opening_key_free(std::mem::replace(&mut self.opening, new)) };
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.keep_buffer(null_mut());
        self.keep_sealing(null_mut());
        self.keep_opening(null_mut());
    }
}

/// Makes a call and holds it to the contract: a handle and no error, or an error and no handle.
fn made(call: impl FnOnce(Out, Out) -> i32) -> *mut Handle {
    let stale = std::ptr::dangling_mut();
    let (mut given, mut error): (*mut Handle, *mut Handle) = (stale, stale);
    let code = call(&raw mut given, &raw mut error);
    assert_eq!(code == 0, error.is_null(), "an error is given exactly when the call fails");
    assert_eq!(code == 0, !given.is_null(), "a handle is given exactly when the call succeeds");
    // SAFETY: the error is alive or NULL, and so are the texts that it lends.
    unsafe {
        assert_eq!(cw_error_code(error), code);
        assert_ne!(code, 1, "{:?}", CStr::from_ptr(cw_error_message(error)));
        assert_eq!(code == 0, CStr::from_ptr(cw_error_message(error)).is_empty());
        let detail = cw_error_detail(error, 0);
        assert!(detail.is_null() || CStr::from_ptr(detail).to_str().is_ok());
        cw_error_free(error);
    }
    given
}

/// Up to 32 calls, as the bytes tell them.
pub(crate) fn border(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut host = Host { buffer: null_mut(), sealing: null_mut(), opening: null_mut() };
    for call in std::iter::from_fn(|| Call::told(&mut script)).take(32) {
        // SAFETY: the host keeps the contract.
        unsafe { host.act(&call) };
    }
}
