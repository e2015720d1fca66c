//! The embedded ledger: one SQLite file.

#[cfg(feature = "failpoints")]
mod failpoint;
mod notes;
mod packages;
mod schema;
mod trail;

use super::stock::{Stock, oldest_waiting};
use super::{Change, HistoryEntry, HistoryQuery, Incoming, Ledger, Link, Outgoing, PackageQuery};
use crate::failpoint::failpoint;
use crate::model::{ExchangeId, PackageId, Record, SiteId};
use crate::sqlite::{Database, Failure, to_sql};
use crate::{Error, ErrorKind, Result};
#[cfg(feature = "failpoints")]
use failpoint::point_of;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// The ledger in one SQLite file (feature `sqlite`).
///
/// The file is made on first use, for this user alone. A commit is on stable storage when it returns. Any number of
/// threads, handles and processes on one machine may use the same file; it must not lie on a network file system.
///
/// ```
/// use claimwire::ledger::{Change, Ledger, Link, SqliteLedger};
///
/// let ledger = SqliteLedger::in_memory()?;
/// let link = Link::new("CLINIC".parse()?, "ON-INS/C-1".parse()?);
/// ledger.commit(&[Change::SetLink(link.clone())])?;
/// assert_eq!(ledger.link(&link.partner, &link.claim)?, Some(link));
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Debug)]
pub struct SqliteLedger(Database);

impl SqliteLedger {
    /// Opens the ledger in this file; makes it when it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`] when the file cannot be made or opened, belongs to another program or was written by a
    /// later version of the schema; [`ErrorKind::StoreDamaged`] when it is no sound database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Database::open(path.as_ref(), &schema::SCHEMA).map(Self)
    }

    /// A ledger that is kept in memory only and promises nothing: for tests and trials.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`] when memory is short.
    pub fn in_memory() -> Result<Self> {
        Database::in_memory(&schema::SCHEMA).map(Self)
    }
}

impl Ledger for SqliteLedger {
    fn commit(&self, changes: &[Change]) -> Result<()> {
        self.0.write(|transaction| {
            changes.iter().try_for_each(|change| make(transaction, change))?;
            failpoint!(&point_of(changes, "written"), ErrorKind::Ledger);
            Ok(())
        })?;
        failpoint!(&point_of(changes, "committed"), ErrorKind::Ledger);
        Ok(())
    }

    fn outgoing(&self, id: PackageId) -> Result<Option<Outgoing>> {
        self.0.read(|connection| packages::get(connection, id))
    }

    fn outgoing_list(&self, query: &PackageQuery) -> Result<Vec<Outgoing>> {
        self.0.read(|connection| packages::list(connection, query))
    }

    fn incoming(&self, id: PackageId) -> Result<Option<Incoming>> {
        self.0.read(|connection| packages::get(connection, id))
    }

    fn incoming_list(&self, query: &PackageQuery) -> Result<Vec<Incoming>> {
        self.0.read(|connection| packages::list(connection, query))
    }

    fn link(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Option<Link>> {
        self.0.read(|connection| {
            let body: Option<String> = connection
                .query_row(
                    "SELECT body FROM links WHERE claim = ?1 AND partner = ?2",
                    params![claim.as_str(), partner.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(body.map(|body| from_body(&body)).transpose()?)
        })
    }

    fn links(&self, claim: &ExchangeId) -> Result<Vec<Link>> {
        self.0.read(|connection| {
            let mut statement =
                connection.prepare("SELECT body FROM links WHERE claim = ?1 ORDER BY partner")?;
            let mut rows = statement.query([claim.as_str()])?;
            let mut links = Vec::new();
            while let Some(row) = rows.next()? {
                links.push(from_body(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
            }
            Ok(links)
        })
    }

    fn base(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Vec<Record>> {
        self.0.read(|connection| {
            let mut statement =
                connection.prepare("SELECT body FROM base WHERE claim = ?1 AND partner = ?2 ORDER BY id")?;
            let mut rows = statement.query([claim.as_str(), partner.as_str()])?;
            let mut records: Vec<Record> = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(from_body(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
            }
            records.sort_by_key(|record| record.kind);
            Ok(records)
        })
    }

    fn sent_snapshot(
        &self,
        partner: &SiteId,
        claim: &ExchangeId,
        sequence: u64,
    ) -> Result<Option<Vec<Record>>> {
        let sequence = to_sql(sequence)?;
        self.0.read(|connection| {
            let body: Option<String> = connection
                .query_row(
                    "SELECT body FROM snapshots WHERE claim = ?1 AND partner = ?2 AND sequence = ?3",
                    params![claim.as_str(), partner.as_str(), sequence],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(body.map(|body| from_body(&body)).transpose()?)
        })
    }

    fn sent_notes(&self, package: PackageId) -> Result<Option<Vec<Record>>> {
        self.0.read(|connection| {
            let body: Option<String> = connection
                .query_row("SELECT body FROM sent_notes WHERE package = ?1", [package.to_string()], |row| {
                    row.get(0)
                })
                .optional()?;
            Ok(body.map(|body| from_body(&body)).transpose()?)
        })
    }

    fn notes_sent(&self, partner: &SiteId, claim: &ExchangeId) -> Result<BTreeSet<ExchangeId>> {
        self.0.read(|connection| notes::list(connection, partner, claim))
    }

    fn paused(&self) -> Result<BTreeSet<SiteId>> {
        self.0.read(|connection| {
            let mut statement = connection.prepare("SELECT partner FROM pauses")?;
            let mut rows = statement.query([])?;
            let mut partners = BTreeSet::new();
            while let Some(row) = rows.next()? {
                partners.insert(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?.parse()?);
            }
            Ok(partners)
        })
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
        self.0.read(|connection| trail::list(connection, query))
    }

    fn stock(&self) -> Result<Stock> {
        let mut stock = self.0.read(packages::count)?;
        stock.oldest_waiting = oldest_waiting(self)?;
        Ok(stock)
    }

    fn check_writable(&self) -> Result<()> {
        self.0.check_writable()
    }
}

fn make(transaction: &Transaction<'_>, change: &Change) -> Result<(), Failure> {
    match change {
        Change::AddOutgoing(package) => {
            packages::add(transaction, package)?;
            notes::take_in(transaction, package, None)
        }
        Change::SetOutgoing { package, was } => {
            let before = packages::set(transaction, package, was.map(super::OutgoingState::name))?;
            notes::take_in(transaction, package, super::OutgoingState::from_name(&before))
        }
        Change::AddIncoming(package) => packages::add(transaction, package),
        Change::SetIncoming { package, was } => {
            packages::set(transaction, package, was.map(super::IncomingState::name)).map(drop)
        }
        Change::SetLink(link) => {
            transaction.execute(
                "INSERT INTO links (claim, partner, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET body = excluded.body",
                params![link.claim.as_str(), link.partner.as_str(), to_body(link)?],
            )?;
            Ok(())
        }
        Change::SetBase { partner, claim, records } => {
            // Most of a large claim stays as it was: what is the same costs no page.
            let mut statement = transaction.prepare(
                "INSERT INTO base (claim, partner, id, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET body = excluded.body WHERE body IS NOT excluded.body",
            )?;
            for record in records {
                let body = to_body(record)?;
                statement.execute(params![claim.as_str(), partner.as_str(), record.id.as_str(), body])?;
            }
            Ok(())
        }
        Change::AddSnapshot(snapshot) => {
            let added = transaction.execute(
                "INSERT INTO snapshots (claim, partner, sequence, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                params![
                    snapshot.claim.as_str(),
                    snapshot.partner.as_str(),
                    to_sql(snapshot.sequence)?,
                    to_body(&snapshot.records)?
                ],
            )?;
            let place =
                format_args!("{} of claim {} to {}", snapshot.sequence, snapshot.claim, snapshot.partner);
            unless_there(added, &format!("package number {place}"))
        }
        Change::DropSnapshots { partner, claim, up_to } => {
            transaction.execute(
                "DELETE FROM snapshots WHERE claim = ?1 AND partner = ?2 AND sequence <= ?3",
                params![claim.as_str(), partner.as_str(), i64::try_from(*up_to).unwrap_or(i64::MAX)],
            )?;
            Ok(())
        }
        Change::AddSentNotes { package, records } => {
            let added = transaction.execute(
                "INSERT INTO sent_notes (package, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![package.to_string(), to_body(records)?],
            )?;
            unless_there(added, &format!("what notes package {package} said"))
        }
        Change::DropSentNotes(package) => {
            transaction.execute("DELETE FROM sent_notes WHERE package = ?1", [package.to_string()])?;
            Ok(())
        }
        Change::Pause(partner) => {
            transaction.execute(
                "INSERT INTO pauses (partner) VALUES (?1) ON CONFLICT DO NOTHING",
                [partner.as_str()],
            )?;
            Ok(())
        }
        Change::Resume(partner) => {
            transaction.execute("DELETE FROM pauses WHERE partner = ?1", [partner.as_str()])?;
            Ok(())
        }
        Change::Append(entry) => trail::append(transaction, entry),
    }
}

/// The error for something that was to be added and is already there.
fn unless_there(added: usize, what: &str) -> Result<(), Failure> {
    if added == 1 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::WrongState, format!("{what} is already in the ledger")).into())
}

fn to_body(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::InvalidArgument, format!("the ledger cannot store this: {error}"))
            .caused_by(error)
    })
}

fn from_body<T: for<'de> Deserialize<'de>>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|error| {
        Error::new(ErrorKind::StoreDamaged, format!("the ledger holds something it cannot read: {error}"))
            .caused_by(error)
    })
}
