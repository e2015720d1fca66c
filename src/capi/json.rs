//! JSON for hosts without a JSON library: take a value out, put a text in.

use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::pointer::{Out, given_text, misuse, text};
use std::ffi::c_char;

/// The value at a place in a JSON document: `pointer` is a JSON Pointer (RFC 6901), such as "/package/id" or
/// "/notes/0/body". A string is given as its text, everything else as JSON.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when `json` is not JSON or has nothing at that place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_json_get(
    json: *const c_char,
    json_len: usize,
    pointer: *const c_char,
    pointer_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_json_get", error, || {
            let out = Out::new("out", out)?;
            let json = given_text("json", json, json_len)?;
            let pointer = text("pointer", pointer, pointer_len)?;
            let document: serde_json::Value =
                serde_json::from_str(json).map_err(|fault| misuse(format!("`json` is not JSON: {fault}")))?;
            let value = document.pointer(pointer).ok_or_else(|| {
                misuse(format!("`json` has nothing at `{}`; look at what it has", pointer.escape_debug()))
            })?;
            out.give(cw_buffer::new(match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            }));
            Ok(())
        })
    }
}

/// A text as a JSON string, quotes included, to be put into a JSON document.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when the text is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_json_quote(
    value: *const c_char,
    value_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_json_quote", error, || {
            let out = Out::new("out", out)?;
            let value = text("value", value, value_len)?;
            out.give(cw_buffer::new(serde_json::Value::from(value).to_string()));
            Ok(())
        })
    }
}
