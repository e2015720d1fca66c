//! Partners: what this site settled with another one, read from settings.

use super::pointer::free;
use crate::exchange::Partner;

/// What this site settled with a partner, with its keys. May be shared between threads.
pub struct cw_partner(pub(super) Partner);

/// Wipes and ends a partner's settings; an exchange that was given them keeps them. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_free(partner: *mut cw_partner) {
    // SAFETY: the host vouches for `partner`.
    unsafe { free(partner) }
}
