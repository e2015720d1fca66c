//! Which version of the library this is, and what it can do.

use super::border::quietly;
use super::pointer::given_text;
use std::ffi::{CStr, c_char};

/// The version of the library that this header belongs to.
pub const CW_VERSION_MAJOR: u32 = 0;
/// See CW_VERSION_MAJOR.
pub const CW_VERSION_MINOR: u32 = 1;
/// See CW_VERSION_MAJOR.
pub const CW_VERSION_PATCH: u32 = 0;

/// The version of the C interface, the number in the shared library's name (libclaimwire.so.0). It changes only when
/// hosts have to be compiled anew.
pub const CW_ABI_VERSION: u32 = 0;

const _: () = assert!(
    is(env!("CARGO_PKG_VERSION_MAJOR"), CW_VERSION_MAJOR)
        && is(env!("CARGO_PKG_VERSION_MINOR"), CW_VERSION_MINOR)
        && is(env!("CARGO_PKG_VERSION_PATCH"), CW_VERSION_PATCH),
    "the macros are the crate's version"
);

const fn is(text: &str, number: u32) -> bool {
    matches!(u32::from_str_radix(text, 10), Ok(parsed) if parsed == number)
}

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the library that is loaded, such as "0.1.0". Compare it with the CW_VERSION macros, which tell what
/// the host was compiled for: the same or a later one fits, as long as CW_ABI_VERSION is the same. Static; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cw_version() -> *const c_char {
    quietly(VERSION.as_ptr(), || VERSION.as_ptr())
}

/// The CW_ABI_VERSION of the library that is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn cw_abi_version() -> u32 {
    CW_ABI_VERSION
}

/// Whether the library can do something: "des-md5", "age" (suites); "deflate", "zstd" (compressions); "https",
/// "directory" (transports); "receiver", "webhook", "sqlite", "toml". 1 if so, 0 if not or if the name is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_has_capability(name: *const c_char, name_len: usize) -> i32 {
    const CAPABILITIES: &[&str] =
        &["age", "deflate", "des-md5", "directory", "https", "receiver", "sqlite", "toml", "webhook", "zstd"];
    // SAFETY: the host vouches for `name`.
    let known =
        |name| unsafe { given_text("name", name, name_len) }.is_ok_and(|name| CAPABILITIES.contains(&name));
    quietly(0, || i32::from(known(name)))
}
