//! Points at which a test ends this process, or lets the disk fail: one on each side of every durable step.
//!
//! Behind the feature `failpoints`, which is for this crate's own tests: without it neither the points nor their names
//! are compiled. What a point does is told in the environment or by [`arm`]:
//!
//! | variable | meaning |
//! |---|---|
//! | `CLAIMWIRE_FAILPOINTS` | what happens where, as [`arm`] takes it |
//! | `CLAIMWIRE_CLOCK` | by how many seconds this process's clock is wrong |
//! | `CLAIMWIRE_SYNC_EVERY` | after how many bytes an upload is synced on its way, in place of 64 MiB |
//!
//! `docs/protocol.md` says what a crash at each of the [`POINTS`] leaves behind.

/// The work has come to a point at which a test may end it or refuse it, as an I/O error of the function it stands in.
/// `in` a folder, the point's name begins with the folder's.
macro_rules! failpoint {
    (in $folder:expr, $step:literal) => {
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach_in($folder, $step)?;
    };
    ($point:expr) => {
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach($point)?;
    };
    ($point:expr, $kind:expr) => {
        #[cfg(feature = "failpoints")]
        crate::failpoint::reach($point)
            .map_err(|refused| crate::Error::new($kind, refused.to_string()).caused_by(refused))?;
    };
}

pub(crate) use failpoint;

#[cfg(feature = "failpoints")]
mod armed;
#[cfg(feature = "failpoints")]
mod points;

#[cfg(feature = "failpoints")]
pub use armed::{arm, reached, shift_clock};
#[cfg(feature = "failpoints")]
pub(crate) use armed::{now, reach, reach_in, sync_every};
#[cfg(feature = "failpoints")]
pub use points::POINTS;
