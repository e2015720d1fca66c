//! Progress and cancellation, by a function of the host's.

use super::pointer::{Options, options};
use crate::Result;
use crate::codec::Watch;
use std::ffi::c_void;
use std::mem::offset_of;
use std::ops::ControlFlow;

/// Told how many bytes moved since the last call, about every 64 KiB, on the thread that works. Returns 0 to go on;
/// anything else stops the work, which then fails with CW_ERR_CANCELLED.
pub type cw_progress_fn = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void, bytes: u64) -> i32>;

/// Progress and cancellation of one call. To cancel from another thread, let `progress` look at a flag.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_watch {
    /// Set to sizeof(cw_watch).
    pub struct_size: usize,
    /// Told of the bytes that moved; NULL for nobody.
    pub progress: cw_progress_fn,
    /// Handed to `progress`.
    pub user_data: *mut c_void,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_watch {
    const FIRST: usize = offset_of!(cw_watch, user_data) + size_of::<*mut c_void>();
}

/// The watch of one call, which works on the caller's thread.
pub(super) struct HostWatch(cw_watch);

// SAFETY: a watch is shared with nobody beyond the call; work that moves it to another thread while the caller waits is
// allowed by the contract of `progress`.
unsafe impl Send for HostWatch {}
// SAFETY: as above.
unsafe impl Sync for HostWatch {}

impl HostWatch {
    /// # Safety
    /// `watch` is NULL, for none, or good for the time of the call.
    pub(super) unsafe fn new(watch: *const cw_watch) -> Result<Self> {
        if watch.is_null() {
            let nobody = cw_watch { struct_size: 0, progress: None, user_data: std::ptr::null_mut() };
            return Ok(Self(nobody));
        }
        // SAFETY: the host vouches for `watch`.
        unsafe { options("watch", watch) }.map(Self)
    }
}

impl Watch for HostWatch {
    fn moved(&self, bytes: u64) -> ControlFlow<()> {
        // SAFETY: the host gave the function for this data, for the time of the call.
        match self.0.progress.map_or(0, |progress| unsafe { progress(self.0.user_data, bytes) }) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
}
