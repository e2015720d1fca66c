//! What the C border costs: a call, and 64 MiB streamed through the C functions, beside the same in Rust.
//!
//! ```sh
//! cargo bench --bench crossing --features capi
//! ```
//!
//! The two sides take turns, and what counts is the median of the ratios of neighbouring turns, so that a busy machine
//! slows both. The tables are those of docs/performance.md.

#![allow(unsafe_code, reason = "it calls what C calls")]
#![allow(clippy::print_stdout, reason = "a program that talks to a person")]

use claimwire::codec::{
    AgeIdentity, DesMd5Key, Encryptor, Framing, OpeningKey, PushDecryptor, SealingKey, encrypt_bytes,
};
use std::error::Error;
use std::ffi::{c_char, c_void};
use std::hint::black_box;
use std::io::{self, Write};
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

const SIZE: usize = 64 << 20;
const TURNS: usize = 9;
const CALLS: u32 = 10_000;

type Outcome<T> = Result<T, Box<dyn Error>>;
type Handle = *mut c_void;
type WriteFn = extern "C" fn(Handle, *const u8, usize) -> i32;
type NewFn = unsafe extern "C" fn(Handle, WriteFn, Handle, *const c_void, *mut Handle, *mut Handle) -> i32;
type UpdateFn = unsafe extern "C" fn(Handle, *const u8, usize, *mut Handle) -> i32;
type FinishFn = unsafe extern "C" fn(Handle, *mut Handle) -> i32;

// As the header has them, but for the names of the handles.
unsafe extern "C" {
    fn cw_version() -> *const c_char;
    fn cw_encrypt_bytes(
        key: Handle,
        data: *const u8,
        len: usize,
        out: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn cw_buffer_free(buffer: Handle);
    fn cw_sealing_key_des_md5(
        password: *const u8,
        password_len: usize,
        framing: *const c_char,
        framing_len: usize,
        salt: *const u8,
        iterations: u32,
        out: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn cw_opening_key_des_md5(
        password: *const u8,
        password_len: usize,
        framing: *const c_char,
        framing_len: usize,
        salt: *const u8,
        iterations: u32,
        out: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn cw_sealing_key_age(text: *const c_char, len: usize, out: *mut Handle, error: *mut Handle) -> i32;
    fn cw_opening_key_age(text: *const c_char, len: usize, out: *mut Handle, error: *mut Handle) -> i32;
    fn cw_sealing_key_free(key: Handle);
    fn cw_opening_key_free(key: Handle);
    fn cw_encryptor_new(
        key: Handle,
        write: WriteFn,
        user_data: Handle,
        drop: *const c_void,
        out: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn cw_encryptor_update(encryptor: Handle, data: *const u8, len: usize, error: *mut Handle) -> i32;
    fn cw_encryptor_finish(encryptor: Handle, error: *mut Handle) -> i32;
    fn cw_encryptor_free(encryptor: Handle);
    fn cw_decryptor_new(
        key: Handle,
        write: WriteFn,
        user_data: Handle,
        drop: *const c_void,
        out: *mut Handle,
        error: *mut Handle,
    ) -> i32;
    fn cw_decryptor_update(decryptor: Handle, data: *const u8, len: usize, error: *mut Handle) -> i32;
    fn cw_decryptor_finish(decryptor: Handle, error: *mut Handle) -> i32;
    fn cw_decryptor_free(decryptor: Handle);
}

fn main() -> Outcome<()> {
    let suites = [Keys::des_md5()?, Keys::age()?];
    println!("| call | Rust | through C |\n|---|---:|---:|");
    let version = per_call(|| {
        // SAFETY: it takes nothing.
        black_box(unsafe { cw_version() });
    });
    println!("| `cw_version` | | {} |", nanoseconds(version));
    for keys in &suites {
        call_overhead(keys);
    }
    println!("\n| 64 MiB | chunk | Rust | through C | ratio |\n|---|---:|---:|---:|---:|");
    let plaintext = vec![0x5a; SIZE];
    for keys in &suites {
        let sealed = encrypt_bytes(&keys.sealing, &plaintext)?;
        for chunk in [4 << 10, 64 << 10] {
            stream(
                &format!("encrypt, {}", keys.suite),
                chunk,
                || keys.encrypt(&plaintext, chunk),
                || {
                    through_c(
                        (
                            keys.c_sealing,
                            cw_encryptor_new,
                            cw_encryptor_update,
                            cw_encryptor_finish,
                            cw_encryptor_free,
                        ),
                        &plaintext,
                        chunk,
                    );
                },
            );
            stream(
                &format!("decrypt, {}", keys.suite),
                chunk,
                || keys.decrypt(&sealed, chunk),
                || {
                    through_c(
                        (
                            keys.c_opening,
                            cw_decryptor_new,
                            cw_decryptor_update,
                            cw_decryptor_finish,
                            cw_decryptor_free,
                        ),
                        &sealed,
                        chunk,
                    );
                },
            );
        }
    }
    Ok(())
}

/// The same keys on both sides of the border.
struct Keys {
    suite: &'static str,
    sealing: SealingKey,
    opening: OpeningKey,
    c_sealing: Handle,
    c_opening: Handle,
}

impl Keys {
    fn des_md5() -> Outcome<Self> {
        let (password, framing) = (b"legacy-Secret1", "openssl");
        let key = DesMd5Key::new(password, Framing::OpenSsl)?;
        let (mut c_sealing, mut c_opening) = (null_mut(), null_mut());
        let (from, len, name) = (password.as_ptr(), password.len(), framing.as_ptr().cast());
        let no = null_mut();
        // SAFETY: all pointers are good.
        unsafe {
            cw_sealing_key_des_md5(from, len, name, framing.len(), null(), 0, &raw mut c_sealing, no);
            cw_opening_key_des_md5(from, len, name, framing.len(), null(), 0, &raw mut c_opening, no);
        }
        Ok(Self { suite: "des-md5", sealing: key.clone().into(), opening: key.into(), c_sealing, c_opening })
    }

    fn age() -> Outcome<Self> {
        let identity = AgeIdentity::generate();
        let (recipient, secret) = (identity.recipient().to_string(), identity.to_secret_string());
        let secret = secret.expose();
        let (mut c_sealing, mut c_opening) = (null_mut(), null_mut());
        // SAFETY: all pointers are good.
        unsafe {
            cw_sealing_key_age(recipient.as_ptr().cast(), recipient.len(), &raw mut c_sealing, null_mut());
            cw_opening_key_age(secret.as_ptr().cast(), secret.len(), &raw mut c_opening, null_mut());
        }
        let sealing = identity.recipient().into();
        Ok(Self { suite: "age", sealing, opening: identity.into(), c_sealing, c_opening })
    }

    fn encrypt(&self, plaintext: &[u8], chunk: usize) {
        let encrypt = || -> claimwire::Result<()> {
            let mut encryptor = Encryptor::new(&self.sealing, Nowhere)?;
            for piece in plaintext.chunks(chunk) {
                encryptor.write_all(piece)?;
            }
            encryptor.finish().map(drop)
        };
        assert!(encrypt().is_ok());
    }

    fn decrypt(&self, sealed: &[u8], chunk: usize) {
        let decrypt = || -> claimwire::Result<()> {
            let mut decryptor = PushDecryptor::new(&self.opening);
            for piece in sealed.chunks(chunk) {
                decryptor.update(piece, &mut Nowhere)?;
            }
            decryptor.finish(&mut Nowhere)
        };
        assert!(decrypt().is_ok());
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // SAFETY: each key is live and freed once.
        unsafe {
            cw_sealing_key_free(self.c_sealing);
            cw_opening_key_free(self.c_opening);
        }
    }
}

/// Looks at what it is given and throws it away, in Rust.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same as a function of the host's.
extern "C" fn nowhere(_user_data: Handle, data: *const u8, _len: usize) -> i32 {
    black_box(data);
    0
}

type Functions = (Handle, NewFn, UpdateFn, FinishFn, unsafe extern "C" fn(Handle));

fn through_c((key, new, update, finish, free): Functions, input: &[u8], chunk: usize) {
    let mut handle = null_mut();
    let no = null_mut();
    // SAFETY: all pointers are good; the handle is live and freed once.
    unsafe {
        let mut code = new(key, nowhere, null_mut(), null(), &raw mut handle, no);
        for piece in input.chunks(chunk) {
            code |= update(handle, piece.as_ptr(), piece.len(), no);
        }
        code |= finish(handle, no);
        free(handle);
        assert_eq!(code, 0);
    }
}

/// The cost of encrypting 16 bytes.
fn call_overhead(keys: &Keys) {
    let plaintext = [7_u8; 16];
    let mut rust = || drop(black_box(encrypt_bytes(&keys.sealing, black_box(&plaintext))));
    let mut c = || {
        let mut sealed = null_mut();
        // SAFETY: all pointers are good; the buffer is freed once.
        unsafe {
            cw_encrypt_bytes(keys.c_sealing, plaintext.as_ptr(), 16, &raw mut sealed, null_mut());
            cw_buffer_free(sealed);
        }
    };
    let turns: Vec<_> = (0..TURNS).map(|_| (per_call(&mut rust), per_call(&mut c))).collect();
    let (rust, c, _) = medians(&turns);
    println!("| encrypt 16 bytes, {} | {} | {} |", keys.suite, nanoseconds(rust), nanoseconds(c));
}

/// Measures both sides in turns and prints their line of the table.
fn stream(what: &str, chunk: usize, rust: impl Fn(), c: impl Fn()) {
    let turns: Vec<_> = (0..TURNS).map(|_| (timed(&rust), timed(&c))).collect();
    let (rust, c, ratio) = medians(&turns);
    let (rust, c, chunk) = (rust.as_millis(), c.as_millis(), chunk >> 10);
    println!("| {what} | {chunk} KiB | {rust} ms | {c} ms | {ratio:.3} |");
}

fn timed(work: impl Fn()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn per_call(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..CALLS).for_each(|_| work());
    start.elapsed() / CALLS
}

/// The median of each side, and of the ratios of the second to the first.
fn medians(turns: &[(Duration, Duration)]) -> (Duration, Duration, f64) {
    let ratios = turns.iter().map(|(rust, c)| c.as_secs_f64() / rust.as_secs_f64().max(f64::MIN_POSITIVE));
    let of = |side: fn(&(Duration, Duration)) -> Duration| turns.iter().map(side).collect::<Vec<_>>();
    (
        middle(of(|turn| turn.0), Ord::cmp),
        middle(of(|turn| turn.1), Ord::cmp),
        middle(ratios.collect(), f64::total_cmp),
    )
}

fn middle<T: Copy + Default>(mut values: Vec<T>, order: impl FnMut(&T, &T) -> std::cmp::Ordering) -> T {
    values.sort_by(order);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn nanoseconds(time: Duration) -> String {
    format!("{} ns", time.as_nanos())
}
