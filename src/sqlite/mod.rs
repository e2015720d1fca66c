//! A private SQLite file that keeps what it promised: how the embedded ledger and case system open theirs.
//!
//! Write-ahead log with `synchronous=FULL`, so that a commit is on stable storage when it returns. Writers take the
//! lock at once (`BEGIN IMMEDIATE`), so several handles and processes may share a file. `application_id` and
//! `user_version` of the file header (SQLite file format 1.3) tell foreign files and newer schemas apart.

use crate::durable_file::{folder_of, sync_folder};
use crate::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a writer waits for another handle's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a kind of file looks like.
#[derive(Debug)]
pub(crate) struct Schema {
    /// What the file is, for people.
    pub(crate) what: &'static str,
    /// The kind of error its faults are.
    pub(crate) kind: ErrorKind,
    /// The number in the file header that tells it from other programs' files.
    pub(crate) application_id: i64,
    /// The schema's version.
    pub(crate) version: i64,
    /// The statements that make an empty one of version 1.
    pub(crate) sql: &'static str,
    /// What takes version 1 to version 2, that to version 3, and so on up to `version`.
    pub(crate) upgrades: &'static [Upgrade],
}

/// Takes a file to the next version of its schema.
pub(crate) type Upgrade = fn(&Transaction<'_>) -> Result<(), Failure>;

/// What ends the work within [`Database::read`] and [`Database::write`].
pub(crate) enum Failure {
    /// An error of ours.
    Ours(Error),
    /// SQLite's word.
    Sqlite(rusqlite::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// One handle on an open file.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Mutex<Connection>,
    schema: &'static Schema,
    place: String,
}

impl Database {
    /// Opens the file, readable for this user alone; makes it when it is not there.
    pub(crate) fn open(path: &Path, schema: &'static Schema) -> Result<Self> {
        let place = format!("{} {}", schema.what, path.display());
        let fault = |error: rusqlite::Error| fault(schema, &place, error);
        create_private(path).map_err(|error| {
            Error::new(schema.kind, format!("{place}: {error}")).caused_by(error).retryable(false)
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
        // A foreign or newer file is refused before anything is written to it.
        let database = Self { connection: Mutex::new(connection), schema, place: place.clone() };
        // In one transaction, since another handle may be making it.
        database.read(|connection| found_version(&*connection.unchecked_transaction()?, schema, &place))?;
        database.read(|connection| Ok(use_write_ahead_log(connection)?))?;
        database.configure()?;
        Ok(database)
    }

    /// An empty one that lives in memory and goes with the handle.
    pub(crate) fn in_memory(schema: &'static Schema) -> Result<Self> {
        let place = format!("{} in memory", schema.what);
        let connection = Connection::open_in_memory().map_err(|error| fault(schema, &place, error))?;
        let database = Self { connection: Mutex::new(connection), schema, place };
        database.configure()?;
        Ok(database)
    }

    fn configure(&self) -> Result<()> {
        self.read(|connection| {
            connection.execute_batch(
                "PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;",
            )?;
            Ok(())
        })?;
        self.write(|transaction| {
            let found = found_version(transaction, self.schema, &self.place)?;
            if found == Some(self.schema.version) {
                return Ok(());
            }
            if found.is_none() {
                transaction.execute_batch(self.schema.sql)?;
                transaction.pragma_update(None, "application_id", self.schema.application_id)?;
            }
            let missing =
                (2..).zip(self.schema.upgrades).filter(|(version, _)| *version > found.unwrap_or(1));
            missing.map(|(_, upgrade)| upgrade).try_for_each(|upgrade| upgrade(transaction))?;
            transaction.pragma_update(None, "user_version", self.schema.version)?;
            Ok(())
        })
    }

    /// Reads.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T> {
        work(&self.lock()).map_err(|failure| self.told(failure))
    }

    /// Does the work in one transaction that is durable when this returns; a failure undoes all of it.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>) -> Result<T> {
        let mut connection = self.lock();
        let done = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Failure::from)
            .and_then(|transaction| {
                let value = work(&transaction)?;
                transaction.commit()?;
                Ok(value)
            });
        done.map_err(|failure| self.told(failure))
    }

    /// Writes to the file, durably, what stands there already.
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.write(|transaction| {
            transaction.pragma_update(None, "user_version", self.schema.version)?;
            Ok(())
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere has rolled its transaction back; the connection itself is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, failure: Failure) -> Error {
        match failure {
            Failure::Ours(error) => error,
            Failure::Sqlite(error) => fault(self.schema, &self.place, error),
        }
    }
}

/// SQLite's unsigned numbers are our signed ones up to 2⁶³ - 1.
pub(crate) fn to_sql(number: u64) -> Result<i64> {
    i64::try_from(number)
        .map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("{number} is too large to be stored")))
}

/// Lets only this user read what is opened with these options from its first moment on.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn create_private(path: &Path) -> std::io::Result<()> {
    match private(OpenOptions::new().write(true).create_new(true)).open(path) {
        Ok(file) => {
            file.sync_all()?;
            sync_folder(folder_of(path))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The version of the tables, `None` when there are none; an error when they are another program's or a later version's.
fn found_version(connection: &Connection, schema: &Schema, place: &str) -> Result<Option<i64>, Failure> {
    let pragma =
        |name: &str| -> rusqlite::Result<i64> { connection.pragma_query_value(None, name, |row| row.get(0)) };
    let (application_id, version) = (pragma("application_id")?, pragma("user_version")?);
    if application_id == schema.application_id && (1..=schema.version).contains(&version) {
        return Ok(Some(version));
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if (application_id, version, tables) == (0, 0, 0) {
        return Ok(None);
    }
    let text = if application_id == schema.application_id {
        format!(
            "{place} has schema version {version}, this version of claimwire knows {}; use the version that wrote it or a later one",
            schema.version
        )
    } else {
        format!("{place}: the file belongs to another program")
    };
    Err(Error::new(schema.kind, text).retryable(false).into())
}

/// The switch to the write-ahead log meets no busy handler where two handles switch at once: wait for it here.
fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

fn fault(schema: &Schema, place: &str, error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::StoreDamaged,
        _ => schema.kind,
    };
    Error::new(kind, format!("{place}: {error}")).caused_by(error)
}
