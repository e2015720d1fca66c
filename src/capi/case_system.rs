//! Where a site's claims live: the embedded case system.

use super::pointer::free;
use crate::case_system::{CaseSystem, SqliteCaseSystem};
use std::sync::Arc;

/// Where a site's claims live: the embedded one, or the host's own. May be shared between threads.
pub struct cw_case_system {
    pub(super) shared: Arc<dyn CaseSystem>,
    /// The embedded one's own calls.
    pub(super) embedded: Option<Arc<SqliteCaseSystem>>,
}

/// Ends a case system; an exchange that was given it keeps it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_free(case_system: *mut cw_case_system) {
    // SAFETY: the host vouches for `case_system`.
    unsafe { free(case_system) }
}
