//! The spool: messages that were not delivered yet, one durable file each, in the order of their events.

use crate::durable_file::{DurableFile, create_private_folder, sync_folder};
use crate::failpoint::failpoint;
use crate::model::{Json, SiteId, Timestamp};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A message and how far its delivery came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Message {
    /// The same at every try.
    pub(super) id: String,
    pub(super) partner: SiteId,
    pub(super) queued_at: Timestamp,
    pub(super) tries: u32,
    /// Not posted before this.
    pub(super) due: Timestamp,
    pub(super) body: String,
}

/// `NUMBER.json` for each message, `failed/` for those given up, `disabled` where the receiver wants no more.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    /// Held while this spool lives: two processes would both deliver the same messages.
    _lock: File,
}

/// What lay in a spool when it was opened.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) messages: BTreeMap<u64, Message>,
    /// The number that comes next.
    pub(super) next: u64,
    pub(super) disabled: bool,
    /// Files that hold no message and were moved to `failed/`.
    pub(super) damaged: Vec<Error>,
}

impl Spool {
    /// Opens the folder for this process alone, and reads what waits there.
    pub(super) fn open(folder: &Path) -> Result<(Self, Found)> {
        create_private_folder(folder)?;
        create_private_folder(&folder.join("failed"))?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|error| {
            Error::new(
                ErrorKind::WrongState,
                format!("webhook spool {} is in use ({error}); close the other webhook", folder.display()),
            )
        })?;
        let spool = Self { folder: folder.to_owned(), _lock: lock };
        let mut found = Found {
            messages: BTreeMap::new(),
            next: 0,
            disabled: spool.marker().exists(),
            damaged: Vec::new(),
        };
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(".incomplete-") {
                std::fs::remove_file(folder.join(&name))?;
            }
        }
        for number in spool.numbers(folder)? {
            found.next = found.next.max(number + 1);
            match read(&folder.join(file_name(number))) {
                Ok(message) => {
                    found.messages.insert(number, message);
                }
                Err(error) => {
                    spool.set_aside(number)?;
                    found.damaged.push(error);
                }
            }
        }
        for number in spool.failed()? {
            found.next = found.next.max(number + 1);
        }
        Ok((spool, found))
    }

    pub(super) fn write(&self, number: u64, message: &Message) -> Result<()> {
        let mut file = DurableFile::create_in(&self.folder)?;
        file.write_all(Json::from_serialize(message)?.to_string().as_bytes())?;
        file.place(file_name(number))?;
        Ok(())
    }

    pub(super) fn remove(&self, number: u64) -> Result<()> {
        std::fs::remove_file(self.folder.join(file_name(number)))?;
        failpoint!("webhook-removed");
        Ok(sync_folder(&self.folder)?)
    }

    /// Moves a message to `failed/`.
    pub(super) fn set_aside(&self, number: u64) -> Result<PathBuf> {
        let name = file_name(number);
        let aside = self.folder.join("failed").join(&name);
        std::fs::rename(self.folder.join(&name), &aside)?;
        failpoint!("webhook-set-aside");
        sync_folder(&self.folder.join("failed"))?;
        sync_folder(&self.folder)?;
        Ok(aside)
    }

    /// The messages in `failed/`, oldest first.
    pub(super) fn failed(&self) -> Result<Vec<u64>> {
        self.numbers(&self.folder.join("failed"))
    }

    pub(super) fn read_failed(&self, number: u64) -> Result<Message> {
        read(&self.folder.join("failed").join(file_name(number)))
    }

    pub(super) fn remove_failed(&self, number: u64) -> Result<()> {
        let folder = self.folder.join("failed");
        std::fs::remove_file(folder.join(file_name(number)))?;
        failpoint!("webhook-queued-again");
        Ok(sync_folder(&folder)?)
    }

    pub(super) fn set_disabled(&self, disabled: bool) -> Result<()> {
        if disabled {
            DurableFile::create_in(&self.folder)?.place("disabled")?;
        } else if self.marker().exists() {
            std::fs::remove_file(self.marker())?;
            failpoint!("webhook-enabled");
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    fn marker(&self) -> PathBuf {
        self.folder.join("disabled")
    }

    /// The numbers of the messages in `folder`, in order.
    fn numbers(&self, folder: &Path) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // The highest number has none after it, and is nobody's.
            let number = name.strip_suffix(".json").and_then(|number| number.parse::<u64>().ok());
            numbers.extend(number.filter(|number| file_name(*number) == name && *number < u64::MAX));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// Fixed length, so that a listing shows the files in their order.
fn file_name(number: u64) -> String {
    format!("{number:020}.json")
}

fn read(path: &Path) -> Result<Message> {
    serde_json::from_slice(&std::fs::read(path)?).map_err(|error| {
        Error::new(
            ErrorKind::StoreDamaged,
            format!(
                "{} holds no webhook message; it is kept in the folder `failed`, and the history has its event",
                path.display()
            ),
        )
        .caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> Message {
        let now = Timestamp::now();
        let partner = SiteId::new("IMEX").unwrap();
        Message { id: id.into(), partner, queued_at: now, tries: 0, due: now, body: "{}".into() }
    }

    #[test]
    fn messages_survive_in_their_order_and_numbers_are_not_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, found) = Spool::open(folder.path()).unwrap();
        assert_eq!((found.next, found.messages.len()), (0, 0));
        for number in [10, 9, 11] {
            spool.write(number, &message(&number.to_string())).unwrap();
        }
        spool.remove(10).unwrap();
        spool.set_aside(11).unwrap();
        drop(spool);
        let (spool, found) = Spool::open(folder.path()).unwrap();
        assert_eq!(found.messages.keys().collect::<Vec<_>>(), [&9]);
        assert_eq!((found.messages[&9].id.as_str(), found.next), ("9", 12));
        assert_eq!(spool.read_failed(11).unwrap().id, "11");
    }

    #[test]
    fn a_spool_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let _owner = Spool::open(folder.path()).unwrap();
        assert_eq!(Spool::open(folder.path()).unwrap_err().kind(), ErrorKind::WrongState);
    }

    #[test]
    fn what_a_crash_or_a_stranger_left_does_not_stop_the_spool() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".incomplete-x"), "{").unwrap();
        std::fs::write(folder.path().join("readme.txt"), "hello").unwrap();
        std::fs::write(folder.path().join(file_name(3)), "{\"id\":").unwrap();
        std::fs::write(folder.path().join(file_name(u64::MAX)), "{}").unwrap();
        let (spool, found) = Spool::open(folder.path()).unwrap();
        assert_eq!((found.messages.len(), found.next), (0, 4));
        assert_eq!(found.damaged[0].kind(), ErrorKind::StoreDamaged);
        assert_eq!(spool.failed().unwrap(), [3]);
        assert!(!folder.path().join(".incomplete-x").exists());
    }
}
