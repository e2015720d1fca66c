//! The parts of packages whose upload broke off: one file for each, durable up to the offset that is told, bounded per
//! partner, and gone when nobody goes on with it.
//!
//! A file's name says whose upload it is and what the whole will be; its length is the offset; its time is when the
//! last byte came. So there is nothing beside it that could disagree with it.

use super::sealed::too_large;
use super::store::remove_any;
use crate::durable_file::{create_private_folder, folder_of, sync_folder};
use crate::failpoint::failpoint;
use crate::model::{PackageId, SiteId};
use crate::protocol::{Digest, Hasher};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

/// How much a crash of the machine may take back of what is on its way: so many bytes are synced at a time.
const SYNC_EVERY: u64 = 64 << 20;

/// The longest time between two looks for what has expired.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// What partners may leave half-sent, so that they can go on with it later.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadLimits {
    /// How many uploads of one partner are kept: 8. 0 keeps none.
    pub per_partner: u32,
    /// How many bytes those have together once they are whole: 1,073,741,824 (1 GiB).
    pub bytes_per_partner: u64,
    /// How long one is kept after its last byte came: 24 hours.
    pub keep: Duration,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self { per_partner: 8, bytes_per_partner: 1 << 30, keep: Duration::from_secs(24 * 60 * 60) }
    }
}

/// All uploads that are not whole yet.
pub(super) struct PartialUploads {
    folder: PathBuf,
    limits: UploadLimits,
    turns: Mutex<Turns>,
    beginning: Mutex<()>,
    swept: Mutex<Instant>,
}

/// The uploads that requests are at work on.
type Turns = BTreeMap<(SiteId, PackageId), Weak<Mutex<u64>>>;

/// What a file's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) from: SiteId,
    pub(super) package: PackageId,
    pub(super) digest: Digest,
    pub(super) length: u64,
}

impl Whole {
    fn file_name(&self) -> String {
        format!("{}.{}.{}.{}.part", self.package, self.from, self.digest.to_hex(), self.length)
    }

    fn of_file(name: &str) -> Option<Self> {
        let mut words = name.strip_suffix(".part")?.split('.');
        let whole = Self {
            package: words.next()?.parse().ok()?,
            from: SiteId::new(words.next()?).ok()?,
            digest: Digest::from_hex(words.next()?).ok()?,
            length: words.next()?.parse().ok()?,
        };
        (whole.file_name() == name).then_some(whole)
    }
}

/// Where an upload stands, for who asks.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) whole: Whole,
    pub(super) offset: u64,
    /// For how long it is kept from now on.
    pub(super) left: Duration,
}

impl PartialUploads {
    /// Opens the folder; what has expired, and whatever else lies there, is removed.
    pub(super) fn open(folder: PathBuf, limits: UploadLimits) -> Result<Self> {
        create_private_folder(&folder)?;
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if Whole::of_file(&entry.file_name().to_string_lossy()).is_none() || !entry.file_type()?.is_file()
            {
                remove_any(&entry)?;
            }
        }
        let uploads = Self {
            folder,
            limits,
            turns: Mutex::default(),
            beginning: Mutex::default(),
            swept: Mutex::new(Instant::now()),
        };
        uploads.remove_expired()?;
        Ok(uploads)
    }

    /// Begins an upload, in place of what there is of the same package; `None` when the partner has as many as it may.
    pub(super) fn begin(&self, whole: Whole) -> Result<Option<Upload>> {
        let _one_at_a_time = locked(&self.beginning);
        let (former, others): (Vec<Whole>, Vec<Whole>) = self
            .known()?
            .into_iter()
            .filter(|known| known.from == whole.from)
            .partition(|known| known.package == whole.package);
        let bytes = others.iter().fold(whole.length, |sum, known| sum.saturating_add(known.length));
        if others.len() >= self.limits.per_partner as usize || bytes > self.limits.bytes_per_partner {
            return Ok(None);
        }
        let current = self.turn_of(&whole.from, whole.package);
        let number = locked(&current);
        for former in former {
            remove_if_there(&self.path(&former))?;
        }
        let path = self.path(&whole);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        failpoint!("upload-begun");
        let turn = Turn::taken(&current, number);
        Ok(Some(Upload { path, file, whole, hasher: Hasher::new(), synced: 0, turn }))
    }

    /// Where the upload stands. All up to the offset survives power loss, and whoever still writes is stopped.
    pub(super) fn standing(&self, from: &SiteId, package: PackageId) -> Result<Option<Standing>> {
        let Some(whole) = self.find(from, package)? else { return Ok(None) };
        let current = self.turn_of(from, package);
        let number = locked(&current);
        let Some(file) = open_if_there(&self.path(&whole))? else { return Ok(None) };
        durable_or_gone(&self.path(&whole), || {
            file.sync_all()?;
            failpoint!("upload-found");
            Ok(())
        })?;
        sync_folder(&self.folder)?;
        let about = file.metadata()?;
        Turn::taken(&current, number);
        let left = self.limits.keep.saturating_sub(age(&about)?);
        Ok(Some(Standing { whole, offset: about.len(), left }))
    }

    /// Opens an upload to go on with it from `offset`, its digest taken over what is there. Whoever still writes is
    /// stopped, unless the upload stands somewhere else.
    pub(super) fn resume(&self, whole: &Whole, offset: u64) -> Result<Resumed> {
        let path = self.path(whole);
        let current = self.turn_of(&whole.from, whole.package);
        let number = locked(&current);
        let Some(mut file) = open_if_there(&path)? else { return Ok(Resumed::Gone) };
        let stands_at = file.metadata()?.len();
        if stands_at != offset {
            return Ok(Resumed::StandsAt(stands_at));
        }
        let turn = Turn::taken(&current, number);
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                length => hasher.update(buffer.get(..length).unwrap_or_default()),
            }
        }
        Ok(Resumed::Upload(Box::new(Upload {
            path,
            file,
            whole: whole.clone(),
            hasher,
            synced: offset,
            turn,
        })))
    }

    /// Removes an upload; `false` when there is none.
    pub(super) fn remove(&self, from: &SiteId, package: PackageId) -> Result<bool> {
        let Some(whole) = self.find(from, package)? else { return Ok(false) };
        let current = self.turn_of(from, package);
        let number = locked(&current);
        let was_there = remove_if_there(&self.path(&whole))?;
        // Its sender is told that it is gone.
        sync_folder(&self.folder)?;
        Turn::taken(&current, number);
        Ok(was_there)
    }

    /// For how long an upload is kept after its last byte.
    pub(super) fn keep(&self) -> Duration {
        self.limits.keep
    }

    /// The upload that this partner has begun of this package.
    pub(super) fn find(&self, from: &SiteId, package: PackageId) -> Result<Option<Whole>> {
        Ok(self.known()?.into_iter().find(|known| known.from == *from && known.package == package))
    }

    /// Removes what nobody went on with, now and then.
    pub(super) fn sweep(&self) -> Result<()> {
        let mut swept = locked(&self.swept);
        if swept.elapsed() < SWEEP_EVERY.min(self.limits.keep) {
            return Ok(());
        }
        *swept = Instant::now();
        self.remove_expired()
    }

    fn remove_expired(&self) -> Result<()> {
        let mut turns = locked(&self.turns);
        turns.retain(|_, turn| turn.strong_count() > 0);
        for whole in self.known()? {
            let path = self.path(&whole);
            if turns.contains_key(&(whole.from, whole.package)) {
                continue;
            }
            let about = match path.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                about => about?,
            };
            if age(&about)? > self.limits.keep {
                remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    fn turn_of(&self, from: &SiteId, package: PackageId) -> Arc<Mutex<u64>> {
        let mut turns = locked(&self.turns);
        let place = turns.entry((from.clone(), package)).or_default();
        let current = place.upgrade().unwrap_or_default();
        *place = Arc::downgrade(&current);
        current
    }

    fn known(&self) -> Result<Vec<Whole>> {
        let mut known = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            known.extend(Whole::of_file(&entry?.file_name().to_string_lossy()));
        }
        Ok(known)
    }

    fn path(&self, whole: &Whole) -> PathBuf {
        self.folder.join(whole.file_name())
    }
}

/// What comes of going on with an upload.
pub(super) enum Resumed {
    Upload(Box<Upload>),
    StandsAt(u64),
    Gone,
}

/// The right to change an upload: of the requests for one upload, the last to come has it.
///
/// A connection that broke may be noticed late at this end, while its sender is back already; so the newer request
/// does not wait for the older one, it takes over.
#[derive(Debug)]
struct Turn {
    current: Arc<Mutex<u64>>,
    mine: u64,
}

impl Turn {
    /// Takes the turn from whoever has it.
    fn taken(current: &Arc<Mutex<u64>>, mut number: MutexGuard<'_, u64>) -> Self {
        *number += 1;
        Self { mine: *number, current: current.clone() }
    }

    /// Keeps the turn for one change.
    fn hold(&self) -> Result<MutexGuard<'_, u64>> {
        let current = locked(&self.current);
        if *current == self.mine {
            return Ok(current);
        }
        let said = "a newer request for this upload took over; ask how far it is, then go on from there";
        Err(Error::new(ErrorKind::WrongState, said).retryable(true))
    }
}

/// Nothing is there of a package; its sender begins anew.
pub(super) fn gone(package: PackageId) -> Error {
    let said = format!("nothing is held here of package {package} that could be gone on with; send it whole");
    Error::new(ErrorKind::UnknownPackage, said).retryable(true)
}

/// An upload that bytes are appended to. Dropping it leaves what is there for a later request.
pub(super) struct Upload {
    path: PathBuf,
    file: File,
    whole: Whole,
    hasher: Hasher,
    synced: u64,
    turn: Turn,
}

impl Upload {
    pub(super) fn offset(&self) -> u64 {
        self.hasher.length()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.offset() == self.whole.length
    }

    /// Appends what `body` brings. What came stays when it breaks off; what does not fit the whole, or the disk, ends the
    /// upload.
    pub(super) fn append(&mut self, body: &mut dyn Read) -> Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if self.offset() == 0 => {
                    self.remove()?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            };
            let bytes = buffer.get(..length).unwrap_or_default();
            let turn = self.turn.hold()?;
            let fits = self.whole.length.saturating_sub(self.offset()) >= length as u64;
            let written = match fits {
                true => self.write(bytes),
                false => Err(too_large(self.whole.length)),
            };
            drop(turn);
            written.map_err(|error| self.ended_by(error))?;
            self.hasher.update(bytes);
            if self.offset() - self.synced >= sync_every() {
                self.sync_so_far()?;
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        failpoint!("upload-writing");
        Ok((&self.file).write_all(bytes)?)
    }

    fn sync_so_far(&mut self) -> Result<()> {
        self.ended_where_it_fails(|| {
            self.file.sync_data()?;
            failpoint!("upload-synced-so-far");
            Ok(())
        })?;
        self.synced = self.offset();
        Ok(())
    }

    /// Makes all that was appended, and the file's name, survive power loss.
    pub(super) fn sync(&self) -> Result<()> {
        self.ended_where_it_fails(|| {
            self.file.sync_all()?;
            failpoint!("upload-synced");
            Ok(())
        })?;
        sync_folder(folder_of(&self.path))?;
        failpoint!("upload-kept");
        Ok(())
    }

    /// As [`durable_or_gone`], for whoever does not hold the upload's turn.
    fn ended_where_it_fails(&self, sync: impl FnOnce() -> io::Result<()>) -> Result<()> {
        sync().map_err(|error| self.ended_by(error.into()))
    }

    /// Checks that the whole is there and is what was announced; what is not is removed.
    pub(super) fn check(&self) -> Result<()> {
        self.whole.digest.check(&self.hasher.clone().finish()).map_err(|error| self.ended_by(error))
    }

    /// Syncs the whole and gives it its name, in another folder of the same disk.
    pub(super) fn place(self, path: &Path) -> Result<()> {
        let _turn = self.turn.hold()?;
        durable_or_gone(&self.path, || {
            self.file.sync_all()?;
            failpoint!("upload-whole");
            Ok(())
        })?;
        std::fs::rename(&self.path, path)?;
        failpoint!("upload-renamed");
        sync_folder(folder_of(path))?;
        failpoint!("upload-placed");
        Ok(sync_folder(folder_of(&self.path))?)
    }

    /// Removes what this error made useless, and gives the error to be told: that of the removal where it fails.
    fn ended_by(&self, error: Error) -> Error {
        self.remove().err().unwrap_or(error)
    }

    fn remove(&self) -> Result<()> {
        let _turn = self.turn.hold()?;
        remove_if_there(&self.path).map(drop)
    }
}

/// Does what makes a file's bytes durable. Where the system could not, it has let go of them and would say of the next try
/// that all went well: so nothing of the file is kept.
fn durable_or_gone(path: &Path, sync: impl FnOnce() -> io::Result<()>) -> Result<()> {
    sync().or_else(|error| {
        remove_if_there(path)?;
        Err(error.into())
    })
}

fn open_if_there(path: &Path) -> Result<Option<File>> {
    match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

fn remove_if_there(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        removed => removed?,
    }
    failpoint!("upload-removed");
    Ok(true)
}

/// How much is written before it is synced.
fn sync_every() -> u64 {
    #[cfg(feature = "failpoints")]
    if let Some(bytes) = crate::failpoint::sync_every() {
        return bytes;
    }
    SYNC_EVERY
}

/// How long ago the last byte came. A time ahead of the clock is now.
fn age(about: &std::fs::Metadata) -> io::Result<Duration> {
    Ok(SystemTime::now().duration_since(about.modified()?).unwrap_or_default())
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is under these locks is whole at every step.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
