//! Functions of the host's, and the data they are kept with.

use super::border::quietly;
use std::ffi::c_void;

/// Ends the host's `user_data`: called exactly once, when the library needs it no more, on any thread. A call that takes
/// a `cw_drop_fn` takes the data also when it fails. NULL where nothing is to be done.
pub type cw_drop_fn = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void)>;

/// Takes the next `len` bytes, which are borrowed for the time of the call. Returns CW_OK, or another code to stop.
pub type cw_write_fn =
    Option<unsafe extern "C-unwind" fn(user_data: *mut c_void, data: *const u8, len: usize) -> i32>;

/// Puts up to `capacity` bytes into `buffer` and their number into `*len`; 0 is the end. Returns CW_OK, or another code
/// to stop.
pub type cw_read_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        buffer: *mut u8,
        capacity: usize,
        len: *mut usize,
    ) -> i32,
>;

/// The host's data and how it is ended.
pub(super) struct UserData {
    data: *mut c_void,
    drop: cw_drop_fn,
}

// SAFETY: the contract says that functions which are kept may be called from any thread, one at a time or at once as
// their comment says, and that their data may be ended on any thread.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    pub(super) fn new(data: *mut c_void, drop: cw_drop_fn) -> Self {
        Self { data, drop }
    }

    pub(super) fn get(&self) -> *mut c_void {
        self.data
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(end) = self.drop {
            // SAFETY: the host gave this function for this data; it is called once.
            quietly((), || unsafe { end(self.data) });
        }
    }
}
