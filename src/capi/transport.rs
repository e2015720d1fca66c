//! Ways to a partner's one target server.

use super::pointer::free;
use crate::transport::Transport;
use std::sync::Arc;

/// A way to one partner's target server. May be shared between threads and given to several partners.
pub struct cw_transport(pub(super) Arc<dyn Transport>);

/// Ends a transport; a partner that was given it keeps it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_transport_free(transport: *mut cw_transport) {
    // SAFETY: the host vouches for `transport`.
    unsafe { free(transport) }
}
