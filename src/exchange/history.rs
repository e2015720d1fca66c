//! What happened: lists of packages and of the history's entries, the proof that the history is whole, its export.

use super::Exchange;
use crate::ledger::{
    Direction, HistoryEntry, HistoryHead, HistoryQuery, Incoming, Outgoing, PackageQuery, Step, broken_at,
    verify_history,
};
use crate::{Error, ErrorKind, Result};
use std::io::{self, Write};

/// How many entries are held at once.
const PAGE: u32 = 500;

impl Exchange {
    /// What happened, oldest first: every step of every package, both directions, with who, when and what came of
    /// it.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`]; [`ErrorKind::StoreDamaged`] when one of the entries was altered in the ledger.
    pub fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
        self.0.ledger.history(query)
    }

    /// The error log of incoming packages, newest first: every try that failed and every package that was rejected,
    /// with the stable code, the text and the detail lines in [`HistoryEntry::error`]. An entry stays when a later try
    /// succeeds.
    ///
    /// All of the query's other filters apply. One that names no steps means [`Step::Failed`] and [`Step::Rejected`];
    /// [`Step::Acknowledged`] shows the senders that could not be told.
    ///
    /// # Errors
    /// As for [`history`](Self::history).
    pub fn incoming_errors(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
        let mut query = query.clone().direction(Direction::Incoming).only_failures().newest_first();
        if query.steps.is_empty() {
            query = query.steps([Step::Failed, Step::Rejected]);
        }
        self.history(&query)
    }

    /// The packages that came in, oldest first.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`].
    pub fn incoming_packages(&self, query: &PackageQuery) -> Result<Vec<Incoming>> {
        self.0.ledger.incoming_list(query)
    }

    /// The packages that were exported, oldest first: [`Outgoing::state`] and [`Outgoing::word`] say how each stands at
    /// its recipient.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`].
    pub fn outgoing_packages(&self, query: &PackageQuery) -> Result<Vec<Outgoing>> {
        self.0.ledger.outgoing_list(query)
    }

    /// Checks the whole history: that no entry was altered, removed, moved or put in between. Gives its head.
    ///
    /// Entries cut off at the end and a history rewritten as a whole do not show by themselves: note the head where
    /// this machine's administrator cannot change it, and check later with
    /// [`verify_history_from`](Self::verify_history_from).
    ///
    /// # Errors
    /// [`ErrorKind::StoreDamaged`] with the number of the first entry at which the history is broken;
    /// [`ErrorKind::Ledger`].
    pub fn verify_history(&self) -> Result<HistoryHead> {
        self.verify_after(HistoryHead::start())
    }

    /// Checks that the history still holds the entry that was its last when `noted` was noted, and all entries
    /// since. Gives its head.
    ///
    /// Entries before the noted one are not read again. They are vouched for by its hash, and
    /// [`verify_history`](Self::verify_history) shows whether they are still the same.
    ///
    /// # Errors
    /// [`ErrorKind::StoreDamaged`] with the number of the first entry at which the history is broken, that of the
    /// noted entry when it is gone or another one; [`ErrorKind::Ledger`].
    pub fn verify_history_from(&self, noted: &HistoryHead) -> Result<HistoryHead> {
        if let Some(before) = noted.number.checked_sub(1) {
            let page = self.history(&HistoryQuery::new().after(before).limit(1))?;
            match page.first().filter(|entry| entry.number == noted.number) {
                None => {
                    return Err(broken_at(noted.number, "it was there when its hash was noted and is gone"));
                }
                Some(entry) if entry.hash != noted.hash => {
                    return Err(broken_at(
                        noted.number,
                        "it has not the hash that was noted: it was replaced",
                    ));
                }
                Some(entry) => entry.verify()?,
            }
        }
        self.verify_after(noted.clone())
    }

    /// Writes the entries that the query asks for as JSON Lines: one entry a line, its hashes included, each line
    /// ended by a line feed. Gives their number.
    ///
    /// The query's limit does not apply: an export is whole. An export without filters and oldest first can be
    /// verified like the history itself, by anyone, without this crate; one with filters entry by entry.
    /// `docs/history.md` says how.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when `out` fails; as for [`history`](Self::history). What was written stays written.
    pub fn export_history(&self, query: &HistoryQuery, mut out: impl Write) -> Result<u64> {
        let mut written = 0;
        self.for_each_page(query.clone(), |page| {
            for entry in page {
                let line = entry.to_json()? + "\n";
                out.write_all(line.as_bytes()).map_err(unwritten)?;
                written += 1;
            }
            Ok(())
        })?;
        out.flush().map_err(unwritten)?;
        Ok(written)
    }

    fn verify_after(&self, mut head: HistoryHead) -> Result<HistoryHead> {
        let mut query = HistoryQuery::new();
        // From the start, a row numbered below 1 comes first and shows.
        query.after = Some(head.number).filter(|number| *number > 0);
        self.for_each_page(query, |page| {
            head = verify_history(page, &head)?;
            Ok(())
        })?;
        Ok(head)
    }

    fn for_each_page(
        &self,
        mut query: HistoryQuery,
        mut work: impl FnMut(&[HistoryEntry]) -> Result<()>,
    ) -> Result<()> {
        query.limit = PAGE;
        loop {
            let page = self.history(&query)?;
            let Some(last) = page.last() else { return Ok(()) };
            work(&page)?;
            query.after = Some(last.number);
        }
    }
}

fn unwritten(error: io::Error) -> Error {
    let error = Error::from(error);
    match error.kind() {
        ErrorKind::Io => error.within("the history's export could not be written"),
        // A host that stopped the export finds its own reason.
        _ => error,
    }
}
