//! The exchange itself: one site's side of it, opened from settings.

use super::pointer::free;
use crate::exchange::Exchange;

/// One site's side of the exchange. May be shared between threads.
pub struct cw_exchange(pub(super) Exchange);

/// Closes the exchange; an automatic unpack that is under way is finished first. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_free(exchange: *mut cw_exchange) {
    // SAFETY: the host vouches for `exchange`.
    unsafe { free(exchange) }
}
