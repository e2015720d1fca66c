//! Which file a name stood for when its directory was listed: a program that saves by renaming puts another one there.

use std::fs::Metadata;
use std::time::SystemTime;

/// What tells a file from the one that replaced it, while it may grow.
///
/// Numbers of files are given again, to the next new file at once, and some network file systems forget them. So the time at
/// which the file was made counts, too, where the system knows it; and a file with another number is taken for the same
/// as long as nothing else of it changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    number: Option<(u64, u64)>,
    made: Option<SystemTime>,
    changed: Option<SystemTime>,
    length: u64,
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            number: number(metadata),
            made: metadata.created().ok(),
            changed: metadata.modified().ok(),
            length: metadata.len(),
        }
    }

    /// Whether a file is this one, now.
    pub(super) fn is_same(&self, now: &Self) -> bool {
        let is_unchanged = (self.changed, self.length) == (now.changed, now.length);
        self.made == now.made && (self.number == now.number || is_unchanged)
    }
}

/// Device and inode.
#[cfg(unix)]
fn number(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

/// Not told by `std` elsewhere.
#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    const NUMBER: Option<(u64, u64)> = Some((1, 7));
    const OTHER: Option<(u64, u64)> = Some((1, 8));

    #[test]
    fn a_file_that_grows_stays_itself_and_one_that_took_its_place_does_not() {
        let listed = Identity { number: NUMBER, made: at(1), changed: at(2), length: 3 };
        let told =
            |number, made, changed, length| listed.is_same(&Identity { number, made, changed, length });
        assert!(told(NUMBER, at(1), at(2), 3));
        assert!(told(NUMBER, at(1), at(9), 9), "it grew");
        assert!(!told(OTHER, at(9), at(9), 9), "it was replaced");
        assert!(!told(NUMBER, at(9), at(9), 9), "its number was given again");
        assert!(
            !told(OTHER, at(1), at(9), 3) && !told(OTHER, at(1), at(2), 9),
            "by one that the system made no time of"
        );
        assert!(told(OTHER, at(1), at(2), 3), "its number was forgotten");
    }
}
