//! What calls of the exchange give back: JSON where the host wants it, numbers where it branches on them.

use super::buffer::cw_buffer;
use super::pointer::{Out, tell};
use crate::model::PackageId;
use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use std::ffi::c_char;
use std::ptr;

/// `CW_PACKAGE_ID_SIZE` of the header: a UUID as text, and its NUL.
pub(super) const PACKAGE_ID_SIZE: usize = 37;

/// The places for what one call gives back, each of which the host may leave out. Until [`json`](Self::json) fills
/// them they hold nothing: NULL, zero, no id.
pub(super) struct Answer {
    json: Option<Out<cw_buffer>>,
    number: *mut i32,
    package: *mut c_char,
}

impl Answer {
    /// # Safety
    /// Each pointer is NULL or may be written to until the call ends, `package` for 37 bytes.
    pub(super) unsafe fn new(json: *mut *mut cw_buffer, number: *mut i32, package: *mut c_char) -> Self {
        // SAFETY: as above.
        unsafe {
            tell(number, 0);
            tell(package, 0);
            Self { json: Out::wanted(json), number, package }
        }
    }

    /// For calls that give JSON alone.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub(super) unsafe fn json_alone(json: *mut *mut cw_buffer) -> Self {
        // SAFETY: as above.
        unsafe { Self::new(json, ptr::null_mut(), ptr::null_mut()) }
    }

    /// Gives the host what it asked for.
    pub(super) fn give(self, value: &impl Serialize, number: i32, package: Option<PackageId>) -> Result<()> {
        let json = self.json.map(|out| Ok::<_, Error>((out, to_json(value)?))).transpose()?;
        if let Some((out, text)) = json {
            out.give(cw_buffer::new(text));
        }
        // SAFETY: `new` was told that it may be written to.
        unsafe { tell(self.number, number) };
        if let (Some(id), false) = (package, self.package.is_null()) {
            let id = id.to_string();
            let length = id.len().min(PACKAGE_ID_SIZE - 1);
            // SAFETY: `new` was told of 37 bytes; at most 36 and the NUL are written.
            unsafe {
                ptr::copy_nonoverlapping(id.as_ptr(), self.package.cast::<u8>(), length);
                self.package.add(length).write(0);
            }
        }
        Ok(())
    }

    /// Gives the host the JSON.
    pub(super) fn give_json(self, value: &impl Serialize) -> Result<()> {
        self.give(value, 0, None)
    }
}

/// The value as JSON, its members in their own order.
pub(super) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::Internal, "the answer has no JSON form").caused_by(error))
}
