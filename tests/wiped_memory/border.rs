//! Through the C border: of what was lent to the library nothing is left once it is freed. The host's own buffers, which these
//! are, the host wipes.

#![allow(unsafe_code, reason = "it calls as a C host does")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

use super::keys::{forms_of_a_seed, forms_of_an_identity};
use super::process::Lent;
use super::{base64, noise, nothing_is_left};
use claimwire::codec::{AgeIdentity, encrypt_bytes};
use std::ptr::{null, null_mut};

/// A handle of the library's.
#[repr(C)]
struct Handle {
    _opaque: [u8; 0],
}

type Out = *mut *mut Handle;

/// `cw_secrets`.
#[repr(C)]
struct Secrets {
    struct_size: usize,
    secret: extern "C-unwind" fn(*const Lent, *const u8, usize, *mut Handle, *mut Handle) -> i32,
    user_data: *const Lent,
}

// As the header has them, but for the names of the handles.
unsafe extern "C" {
    fn cw_buffer_data(buffer: *const Handle) -> *const u8;
    fn cw_buffer_len(buffer: *const Handle) -> usize;
    fn cw_buffer_free(buffer: *mut Handle);
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
    fn cw_opening_key_age(identity: *const u8, len: usize, out: Out, error: Out) -> i32;
    fn cw_sealing_key_free(key: *mut Handle);
    fn cw_opening_key_free(key: *mut Handle);
    fn cw_encrypt_bytes(key: *const Handle, data: *const u8, len: usize, out: Out, error: Out) -> i32;
    fn cw_decrypt_bytes(key: *const Handle, data: *const u8, len: usize, out: Out, error: Out) -> i32;
    fn cw_signing_key_from_text(
        id: *const u8,
        id_len: usize,
        text: *const u8,
        len: usize,
        out: Out,
        error: Out,
    ) -> i32;
    fn cw_signing_key_to_text(key: *const Handle, out: Out, error: Out) -> i32;
    fn cw_signing_key_free(key: *mut Handle);
    fn cw_secret_set(secret: *mut Handle, value: *const u8, len: usize, error: Out) -> i32;
    fn cw_partner_from_toml(
        settings: *const u8,
        len: usize,
        secrets: *const Secrets,
        transport: *const Handle,
        out: Out,
        error: Out,
    ) -> i32;
    fn cw_partner_free(partner: *mut Handle);
    fn cw_case_system_open(
        folder: *const u8,
        len: usize,
        options: *const u8,
        options_len: usize,
        out: Out,
        error: Out,
    ) -> i32;
    fn cw_case_system_free(cases: *mut Handle);
    fn cw_exchange_settings_new(
        site: *const u8,
        site_len: usize,
        folder: *const u8,
        folder_len: usize,
        signs: *const Handle,
        cases: *const Handle,
        out: Out,
        error: Out,
    ) -> i32;
    fn cw_exchange_settings_add_partner(settings: *mut Handle, partner: *const Handle, error: Out) -> i32;
    fn cw_exchange_open(settings: *mut Handle, out: Out, error: Out) -> i32;
    fn cw_exchange_free(exchange: *mut Handle);
}

const SETTINGS: &str = r#"
    site = "IMEX"
    number = 7
    alias = "Medical Examiners"
    [keys.outgoing]
    version = 1
    suite = "des-md5"
    framing = "openssl"
    secret = { host = "password" }
    [[keys.incoming]]
    version = 1
    suite = "age"
    secret = { host = "identity" }
    [[keys.verifying]]
    id = "imex-1"
    secret = { host = "shared" }
"#;

/// What a process plays.
pub(crate) fn play(case: &str, lent: &Lent) -> Vec<u8> {
    match case {
        "keys of C" => keys(lent),
        _ => exchange(lent),
    }
    Vec::new()
}

/// The handle that a call gives out.
#[track_caller]
fn handle(call: impl FnOnce(Out, Out) -> i32) -> *mut Handle {
    let (mut out, mut error) = (null_mut(), null_mut());
    assert_eq!(call(&raw mut out, &raw mut error), 0);
    out
}

fn keys(lent: &Lent) {
    let framing = "openssl";
    let (name, length) = (framing.as_ptr(), framing.len());
    let [seals, opens] = [cw_sealing_key_des_md5, cw_opening_key_des_md5].map(|new| {
        lent.lend("password", |password| {
            let (password, len) = (password.as_ptr(), password.len());
            handle(|out, error| unsafe { new(password, len, name, length, null(), 0, out, error) })
        })
    });
    let sealed = handle(|out, error| unsafe { cw_encrypt_bytes(seals, b"a claim".as_ptr(), 7, out, error) });
    let opened = handle(|out, error| unsafe {
        cw_decrypt_bytes(opens, cw_buffer_data(sealed), cw_buffer_len(sealed), out, error)
    });
    let identity = lent.lend("identity", |text| {
        handle(|out, error| unsafe { cw_opening_key_age(text.as_ptr(), text.len(), out, error) })
    });
    let read = lent.lend("sealed", |sealed| {
        handle(|out, error| unsafe { cw_decrypt_bytes(identity, sealed.as_ptr(), sealed.len(), out, error) })
    });
    unsafe {
        [sealed, opened, read].into_iter().for_each(|buffer| cw_buffer_free(buffer));
        cw_sealing_key_free(seals);
        cw_opening_key_free(opens);
        cw_opening_key_free(identity);
    }
}

extern "C-unwind" fn secret(
    lent: *const Lent,
    name: *const u8,
    len: usize,
    into: *mut Handle,
    _: *mut Handle,
) -> i32 {
    let name = unsafe { std::slice::from_raw_parts(name, len) };
    let (lent, name) = (unsafe { &*lent }, std::str::from_utf8(name).unwrap());
    lent.lend(name, |value| unsafe { cw_secret_set(into, value.as_ptr(), value.len(), null_mut()) })
}

fn exchange(lent: &Lent) {
    let folder = tempfile::tempdir().unwrap();
    let [cases, own] = ["cases", "own"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let (key_id, site) = ("ON-INS/1", "ON-INS");
    let signs = lent.lend("signs", |text| {
        let (id, id_len) = (key_id.as_ptr(), key_id.len());
        handle(|out, error| unsafe {
            cw_signing_key_from_text(id, id_len, text.as_ptr(), text.len(), out, error)
        })
    });
    let text = handle(|out, error| unsafe { cw_signing_key_to_text(signs, out, error) });
    let secrets = Secrets { struct_size: size_of::<Secrets>(), secret, user_data: lent };
    let partner = handle(|out, error| unsafe {
        cw_partner_from_toml(SETTINGS.as_ptr(), SETTINGS.len(), &raw const secrets, null(), out, error)
    });
    let cases = handle(|out, error| unsafe {
        cw_case_system_open(cases.as_ptr(), cases.len(), null(), 0, out, error)
    });
    let settings = handle(|out, error| unsafe {
        let (site, len) = (site.as_ptr(), site.len());
        cw_exchange_settings_new(site, len, own.as_ptr(), own.len(), signs, cases, out, error)
    });
    let exchange = handle(|out, error| unsafe {
        assert_eq!(cw_exchange_settings_add_partner(settings, partner, error), 0);
        cw_exchange_open(settings, out, error)
    });
    unsafe {
        cw_exchange_free(exchange);
        cw_case_system_free(cases);
        cw_partner_free(partner);
        cw_buffer_free(text);
        cw_signing_key_free(signs);
    }
}

#[test]
fn of_what_was_lent_through_the_c_border_and_freed_nothing_is_left() {
    let identity = AgeIdentity::generate();
    let sealed = encrypt_bytes(&identity.recipient().into(), b"a claim").unwrap();
    let identity = identity.to_secret_string().expose().as_bytes().to_vec();
    let (seed, shared) = (noise(31, 32), noise(32, 48));
    let password = b"legacy-Secret1/2026".to_vec();
    let mut sought = forms_of_an_identity(&identity);
    sought.extend(forms_of_a_seed(&seed));
    sought.extend([
        ("the password", password.clone()),
        ("the shared secret", shared.clone()),
        ("the shared secret's base64", base64(&shared).into_bytes()),
    ]);
    let lent = vec![
        ("password", password),
        ("identity", identity),
        ("sealed", sealed),
        ("signs", format!("ed25519-secret:{}", base64(&seed)).into_bytes()),
        ("shared", format!("hmac-sha256-secret:{}", base64(&shared)).into_bytes()),
    ];
    for case in ["keys of C", "an exchange of C"] {
        nothing_is_left(case, lent.clone(), |_| sought.clone());
    }
}
