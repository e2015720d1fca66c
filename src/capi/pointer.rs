//! Pointers that came from C: checked for NULL and for what else can be checked, then followed, here and nowhere else.
//!
//! What cannot be checked (that a handle is alive, that a length is true, that nobody else uses a mutable handle) is
//! the host's part of the contract in `guide.h`. Every `SAFETY` note of this room leads back to it.

use crate::model::Timestamp;
use crate::{Error, ErrorKind, Result};
use serde::Deserialize;
use std::ffi::c_char;
use std::path::PathBuf;
use std::slice;
use std::str::FromStr;
use std::time::SystemTime;

/// A fault in how a function was called.
pub(super) fn misuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

pub(super) fn is_null(what: &str) -> Error {
    misuse(format!("`{what}` is NULL; pass a pointer to it"))
}

/// The bytes at `data`; NULL stands for none where `length` is 0.
///
/// # Safety
/// `data` is NULL or points to `length` bytes that nobody writes to during the call.
pub(super) unsafe fn bytes<'a>(what: &str, data: *const u8, length: usize) -> Result<&'a [u8]> {
    if data.is_null() {
        return if length == 0 { Ok(&[]) } else { Err(is_null(what)) };
    }
    if isize::try_from(length).is_err() {
        return Err(misuse(format!("`{what}` has an impossible length of {length} bytes")));
    }
    // SAFETY: not NULL and no longer than any object; the host vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(data, length) })
}

/// The items at `data`; NULL stands for none where `count` is 0.
///
/// # Safety
/// `data` is NULL or points to `count` items that nobody writes to during the call.
pub(super) unsafe fn items<'a, T>(what: &str, data: *const T, count: usize) -> Result<&'a [T]> {
    if data.is_null() {
        return if count == 0 { Ok(&[]) } else { Err(is_null(what)) };
    }
    if count.checked_mul(size_of::<T>()).is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        return Err(misuse(format!("`{what}` has an impossible count of {count}")));
    }
    if !data.is_aligned() {
        return Err(misuse(format!("`{what}` does not stand where C aligns it; fill up what is before it")));
    }
    // SAFETY: not NULL, aligned and no longer than any object; the host vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(data, count) })
}

/// Room for bytes that the host lends for the call, zeroed: what C hands over need not be initialised.
///
/// # Safety
/// `data` is NULL or points to `capacity` writable bytes that nobody else uses during the call.
pub(super) unsafe fn room<'a>(what: &str, data: *mut u8, capacity: usize) -> Result<&'a mut [u8]> {
    if data.is_null() || capacity == 0 || isize::try_from(capacity).is_err() {
        return Err(misuse(format!("`{what}` is NULL, or its capacity of {capacity} bytes is none")));
    }
    // SAFETY: not NULL and no longer than any object; the host vouches for the rest.
    unsafe {
        data.write_bytes(0, capacity);
        Ok(slice::from_raw_parts_mut(data, capacity))
    }
}

/// The UTF-8 text at `data`, which is not NULL unless `length` is 0.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn text<'a>(what: &str, data: *const c_char, length: usize) -> Result<&'a str> {
    // SAFETY: as above.
    let bytes = unsafe { bytes(what, data.cast(), length) }?;
    std::str::from_utf8(bytes).map_err(|error| {
        misuse(format!(
            "`{what}` is not UTF-8 from byte {} on; convert it before the call",
            error.valid_up_to()
        ))
    })
}

/// The text at `data`, which must not be empty.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn given_text<'a>(what: &str, data: *const c_char, length: usize) -> Result<&'a str> {
    // SAFETY: as above.
    match unsafe { text(what, data, length) }? {
        "" => Err(misuse(format!("`{what}` is empty; pass it with its length in bytes"))),
        text => Ok(text),
    }
}

/// The text at `data`; none where it is NULL.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn optional_text<'a>(
    what: &str,
    data: *const c_char,
    length: usize,
) -> Result<Option<&'a str>> {
    // SAFETY: as above.
    if data.is_null() { Ok(None) } else { unsafe { text(what, data, length) }.map(Some) }
}

/// The text at `data` as an id, or whatever else is read from one text.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn parsed<T: FromStr<Err = Error>>(
    what: &str,
    data: *const c_char,
    length: usize,
) -> Result<T> {
    // SAFETY: as above.
    let text = unsafe { given_text(what, data, length) }?;
    text.parse().map_err(|error: Error| error.within(format_args!("`{what}`")))
}

/// The JSON object at `data` as a `T`; the default where it is NULL.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn json_or_default<T: Default + for<'de> Deserialize<'de>>(
    what: &str,
    data: *const c_char,
    length: usize,
) -> Result<T> {
    // SAFETY: as above.
    match unsafe { optional_text(what, data, length) }? {
        None => Ok(T::default()),
        // A sequence would be taken for the members in their order.
        Some(text) if !text.trim_start().starts_with('{') => {
            Err(misuse(format!("`{what}` is no JSON object; pass one, or NULL for none")))
        }
        Some(text) => read_json(what, text),
    }
}

/// The JSON text as a `T`.
pub(super) fn read_json<T: for<'de> Deserialize<'de>>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|fault| misuse(format!("`{what}` is not the JSON it should be: {fault}")))
}

/// The path at `data`, in UTF-8.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn path(what: &str, data: *const c_char, length: usize) -> Result<PathBuf> {
    // SAFETY: as above.
    let path = unsafe { given_text(what, data, length) }?;
    if path.contains('\0') {
        return Err(misuse(format!("`{what}` holds a NUL byte; its length goes past its end")));
    }
    Ok(PathBuf::from(path))
}

/// The handle, shared for the time of the call.
///
/// # Safety
/// `handle` is NULL or a live handle of this library's that nobody changes during the call.
pub(super) unsafe fn shared<'a, T>(what: &str, handle: *const T) -> Result<&'a T> {
    // SAFETY: the host vouches for it.
    unsafe { handle.as_ref() }.ok_or_else(|| is_null(what))
}

/// The handle, for this call alone.
///
/// # Safety
/// `handle` is NULL or a live handle of this library's that nobody else uses during the call.
pub(super) unsafe fn unique<'a, T>(what: &str, handle: *mut T) -> Result<&'a mut T> {
    // SAFETY: the host vouches for it.
    unsafe { handle.as_mut() }.ok_or_else(|| is_null(what))
}

/// The handle for good: the host must not use it again.
///
/// # Safety
/// `handle` is NULL or a live handle that [`Out::give`] gave out and nobody uses any more.
pub(super) unsafe fn consumed<T>(what: &str, handle: *mut T) -> Result<Box<T>> {
    if handle.is_null() {
        return Err(is_null(what));
    }
    // SAFETY: not NULL, and from `Box::into_raw` in `Out::give`.
    Ok(unsafe { Box::from_raw(handle) })
}

/// Ends a handle; NULL is none.
///
/// # Safety
/// As for [`consumed`].
pub(super) unsafe fn free<T>(handle: *mut T) {
    // SAFETY: as above.
    super::border::quietly((), || drop(unsafe { consumed("handle", handle) }));
}

/// Where a function puts a new handle. It holds NULL until then, so that after an error nothing is left in it. The place
/// need not be aligned: records of COBOL are packed.
pub(super) struct Out<T>(*mut *mut T);

impl<T> Out<T> {
    /// # Safety
    /// `out` is NULL or may be written to until the call ends.
    pub(super) unsafe fn new(what: &str, out: *mut *mut T) -> Result<Self> {
        if out.is_null() {
            return Err(is_null(what));
        }
        // SAFETY: not NULL, so the host vouches for it.
        unsafe { out.write_unaligned(std::ptr::null_mut()) };
        Ok(Self(out))
    }

    /// As [`new`](Self::new), where the host may want none; NULL says so.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub(super) unsafe fn wanted(out: *mut *mut T) -> Option<Self> {
        // SAFETY: as above.
        unsafe { Self::new("out", out) }.ok()
    }

    /// Gives the host a handle of its own.
    pub(super) fn give(self, value: T) {
        // SAFETY: `new` was told that it may be written to.
        unsafe { self.0.write_unaligned(Box::into_raw(Box::new(value))) };
    }
}

/// Writes a plain value where the host asked for one; NULL asks for none.
///
/// # Safety
/// `out` is NULL or may be written to.
pub(super) unsafe fn tell<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: not NULL, so the host vouches for it.
        unsafe { out.write_unaligned(value) };
    }
}

/// Writes in how many milliseconds a moment comes, -1 for none, where the host asked for that.
///
/// # Safety
/// As for [`tell`].
pub(super) unsafe fn tell_wait(out: *mut i64, until: Option<Timestamp>) {
    let wait =
        until.map(|until| SystemTime::from(until).duration_since(SystemTime::now()).unwrap_or_default());
    let wait = wait.map_or(-1, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    // SAFETY: what the caller says is what is asked for.
    unsafe { tell(out, wait) };
}

/// What a host says with 0 or 1.
pub(super) fn switch(what: &str, given: i32) -> Result<bool> {
    match given {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(misuse(format!("`{what}` is {other}; it is 0 or 1"))),
    }
}

/// A struct of options or callbacks: it begins with `struct_size`, only grows, and means its defaults when all of it
/// is zero.
///
/// # Safety
/// The type is `repr(C)`, begins with a `usize`, and all its bytes may be zero.
pub(super) unsafe trait Options: Copy {
    /// The size of the struct in the first version that had it: a smaller one is a mistake.
    const FIRST: usize;
}

/// Reads a struct of options that a host of this or another version filled in.
///
/// # Safety
/// `given` is NULL or points to a struct of the size that it says it has.
pub(super) unsafe fn options<T: Options>(what: &str, given: *const T) -> Result<T> {
    if given.is_null() {
        return Err(is_null(what));
    }
    // SAFETY: every such struct begins with its size, and the host vouches for the pointer.
    let size = unsafe { given.cast::<usize>().read_unaligned() };
    let known = size_of::<T>();
    if size < T::FIRST || size > 1 << 16 {
        return Err(misuse(format!("`{what}->struct_size` is {size}; set it to sizeof *{what}")));
    }
    // SAFETY: the host vouches for `size` readable bytes.
    let raw = unsafe { slice::from_raw_parts(given.cast::<u8>(), size) };
    if raw.iter().skip(known).any(|byte| *byte != 0) {
        return Err(misuse(format!(
            "`{what}` uses members that this version of the library does not know; upgrade the library"
        )));
    }
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: at most `known` bytes go into a value of that size, and any bytes of such a struct that are zero are
    // good ones; the others are the host's own fields, of types for which the trait vouches.
    unsafe {
        std::ptr::copy_nonoverlapping(raw.as_ptr(), value.as_mut_ptr().cast::<u8>(), size.min(known));
        Ok(value.assume_init())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn places_in_packed_records_are_written_to_all_the_same() {
        let mut record = [0xff_u8; 1 + size_of::<usize>()];
        let place = record[1..].as_mut_ptr().cast::<*mut u64>();
        // SAFETY: there is room for one pointer, which need not be aligned.
        let out = unsafe { Out::new("out", place) }.unwrap();
        // SAFETY: as above.
        assert!(unsafe { place.read_unaligned() }.is_null());
        out.give(7);
        // SAFETY: what `give` put there is freed once.
        assert_eq!(*unsafe { consumed("handle", place.read_unaligned()) }.unwrap(), 7);
    }

    #[test]
    fn items_that_are_not_aligned_are_refused() {
        let bytes = [0_u64; 2];
        let crooked = bytes.as_ptr().cast::<u8>().wrapping_add(1).cast::<u64>();
        // SAFETY: nothing is read.
        assert_eq!(unsafe { items("items", crooked, 1) }.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
