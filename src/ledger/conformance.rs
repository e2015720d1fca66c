//! The suite every ledger must pass, also a host's own.

use super::{
    Change, Direction, HistoryEntry, HistoryHead, HistoryQuery, Incoming, IncomingState, Ledger, Link,
    Outgoing, OutgoingState, PackageQuery, SentSnapshot, Step, Stock, verify_history,
};
use crate::model::{ExchangeId, Json, Package, PackageId, PackageKind, Record, RecordKind, SiteId};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;

/// Checks that a ledger keeps what [`Ledger`] promises.
///
/// `open` opens the same ledger each time it is called, and the ledger is empty at first. The suite holds no two
/// handles at once, so that what it finds on the second opening was stored.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # {
/// use claimwire::ledger::{SqliteLedger, conformance};
///
/// # let folder = tempfile::tempdir()?;
/// conformance::check(|| SqliteLedger::open(folder.path().join("ledger.sqlite3")))?;
/// # }
/// # Ok::<(), claimwire::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Internal`] with the promise that is not kept; what the ledger itself reports.
pub fn check<L: Ledger>(mut open: impl FnMut() -> Result<L>) -> Result<()> {
    let sample = Sample::new()?;
    let ledger = open()?;
    packages_are_added_once_and_set_in_their_state(&ledger, &sample)?;
    packages_are_counted_by_state(&ledger)?;
    a_commit_is_all_or_nothing(&ledger, &sample)?;
    lists_filter_and_page(&ledger, &sample)?;
    links_and_common_states_are_replaced_by_their_keys(&ledger, &sample)?;
    snapshots_are_kept_until_dropped(&ledger, &sample)?;
    sent_notes_are_kept_until_dropped(&ledger, &sample)?;
    notes_are_known_by_the_packages_that_count(&ledger, &sample)?;
    a_pause_lasts_until_it_is_ended(&ledger, &sample)?;
    history_is_numbered_and_filtered(&ledger, &sample)?;
    history_is_chained(&ledger, &sample)?;
    history_is_found_by_person_step_time_and_failure(&ledger, &sample)?;
    let before = everything(&ledger, &sample)?;
    drop(ledger);
    let ledger = open()?;
    Error::ensure(
        everything(&ledger, &sample)? == before,
        "what was committed is there after opening it again",
    )?;
    history_is_chained(&ledger, &sample)
}

struct Sample {
    here: SiteId,
    partner: SiteId,
    other: SiteId,
    claim: ExchangeId,
    assessment: ExchangeId,
}

impl Sample {
    fn new() -> Result<Self> {
        Ok(Self {
            here: "ON-INS".parse()?,
            partner: "CLINIC".parse()?,
            other: "LAB".parse()?,
            claim: "ON-INS/C-1".parse()?,
            assessment: "ON-INS/A-1".parse()?,
        })
    }

    fn outgoing(&self, to: &SiteId) -> Outgoing {
        let mut package = Package::new(PackageKind::Claim, self.here.clone(), to.clone(), self.claim.clone());
        package.created_by = "anna".into();
        let mut outgoing = Outgoing::new(package, "age", 1000, "ab".repeat(32), "out/1");
        outgoing.notes.insert(self.claim.clone());
        (outgoing.attempts, outgoing.unanswered) = (2, true);
        (outgoing.tried_since, outgoing.retry_at) = (Some(outgoing.updated_at), Some(outgoing.updated_at));
        outgoing.untold_failure = Some("Nobody answers.".into());
        outgoing
    }

    fn incoming(&self) -> Incoming {
        let mut incoming = Incoming::new(
            PackageId::generate(),
            PackageKind::Notes,
            self.partner.clone(),
            5,
            "cd".repeat(32),
            "in/1",
        );
        incoming.receipt = Some(r#"{"status":"received"}"#.into());
        incoming.applying = true;
        incoming
    }

    fn record(&self, id: &str, status: Json) -> Result<Record> {
        let mut record = Record::new(RecordKind::Assessment, id.parse()?);
        record.fields.insert("status".into(), status);
        Ok(record)
    }

    fn entry(&self, direction: Direction, step: Step, kind: PackageKind) -> HistoryEntry {
        let (package, partner) = (PackageId::generate(), self.partner.clone());
        HistoryEntry::new(direction, step, package, kind, partner, "anna", "Done.")
            .of_claim(self.claim.clone())
    }
}

fn fails_with<T>(result: Result<T>, kind: ErrorKind, promise: &str) -> Result<()> {
    Error::ensure(result.is_err_and(|error| error.kind() == kind), promise)
}

fn packages_are_added_once_and_set_in_their_state(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let (mut out, mut inn) = (sample.outgoing(&sample.partner), sample.incoming());
    Error::ensure(ledger.outgoing(out.package.id)?.is_none(), "a package that was not added is not there")?;
    ledger.commit(&[Change::AddOutgoing(out.clone()), Change::AddIncoming(inn.clone())])?;
    Error::ensure(
        ledger.outgoing(out.package.id)? == Some(out.clone()),
        "an outgoing package comes back whole",
    )?;
    Error::ensure(ledger.incoming(inn.id)? == Some(inn.clone()), "an incoming package comes back whole")?;
    let again = ledger.commit(&[Change::AddOutgoing(out.clone())]);
    fails_with(again, ErrorKind::WrongState, "an outgoing package is added only once")?;
    let again = ledger.commit(&[Change::AddIncoming(inn.clone())]);
    fails_with(again, ErrorKind::WrongState, "an incoming package is added only once")?;

    out.state = OutgoingState::Delivered;
    out.attempts = 2;
    ledger.commit(&[Change::SetOutgoing { package: out.clone(), was: Some(OutgoingState::Queued) }])?;
    Error::ensure(ledger.outgoing(out.package.id)? == Some(out.clone()), "a package is replaced")?;
    let late = ledger.commit(&[Change::SetOutgoing { package: out, was: Some(OutgoingState::Queued) }]);
    fails_with(late, ErrorKind::WrongState, "an outgoing package is set only in the state expected")?;

    inn.state = IncomingState::Unpacked;
    inn.claim = Some(sample.claim.clone());
    inn.sequence = Some(1);
    ledger.commit(&[Change::SetIncoming { package: inn.clone(), was: Some(IncomingState::Received) }])?;
    Error::ensure(ledger.incoming(inn.id)? == Some(inn.clone()), "a package is replaced")?;
    let late = ledger.commit(&[Change::SetIncoming { package: inn, was: Some(IncomingState::Received) }]);
    fails_with(late, ErrorKind::WrongState, "an incoming package is set only in the state expected")?;
    let stranger = ledger.commit(&[Change::SetIncoming { package: sample.incoming(), was: None }]);
    fails_with(stranger, ErrorKind::UnknownPackage, "a package that is not there cannot be set")
}

fn packages_are_counted_by_state(ledger: &impl Ledger) -> Result<()> {
    let stock = ledger.stock()?;
    let counted = Stock::counted(ledger)?;
    Error::ensure(!counted.outgoing.is_empty() && !counted.incoming.is_empty(), "packages are listed")?;
    Error::ensure(stock == counted, "packages are counted by state as they are listed")?;
    let before = ledger.history(&HistoryQuery::new())?.len();
    ledger.check_writable()?;
    Error::ensure(
        ledger.stock()? == stock && ledger.history(&HistoryQuery::new())?.len() == before,
        "nothing is changed by a look at whether the ledger can be written",
    )
}

fn a_commit_is_all_or_nothing(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let (known, new) = (sample.outgoing(&sample.partner), sample.outgoing(&sample.partner));
    ledger.commit(&[Change::AddOutgoing(known.clone())])?;
    let entry = sample.entry(Direction::Outgoing, Step::Exported, PackageKind::Claim);
    let entries = ledger.history(&HistoryQuery::new())?.len();
    let torn = ledger.commit(&[
        Change::AddOutgoing(new.clone()),
        Change::Append(entry),
        Change::SetLink(Link::new(sample.other.clone(), sample.claim.clone())),
        Change::AddOutgoing(known),
    ]);
    fails_with(torn, ErrorKind::WrongState, "a commit with one impossible change fails")?;
    let nothing = ledger.outgoing(new.package.id)?.is_none()
        && ledger.history(&HistoryQuery::new())?.len() == entries
        && ledger.link(&sample.other, &sample.claim)?.is_none();
    Error::ensure(nothing, "a commit that fails changes nothing")
}

fn lists_filter_and_page(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let packages: Vec<Outgoing> = (0..5).map(|_| sample.outgoing(&sample.other)).collect();
    let changes: Vec<Change> = packages.iter().cloned().map(Change::AddOutgoing).collect();
    ledger.commit(&changes)?;
    let of_other = || PackageQuery::new().partner(sample.other.clone());
    let ids = |query: &PackageQuery| -> Result<Vec<PackageId>> {
        Ok(ledger.outgoing_list(query)?.iter().map(|found| found.package.id).collect())
    };
    let all: Vec<PackageId> = packages.iter().map(|package| package.package.id).collect();
    Error::ensure(ids(&of_other())? == all, "packages are listed in the order they were added")?;
    Error::ensure(ids(&of_other().limit(2))? == all[..2], "a list holds no more than its limit")?;
    Error::ensure(ids(&of_other().after(all[1]).limit(2))? == all[2..4], "a list goes on after a package")?;
    let newest = of_other().newest_first().after(all[3]);
    Error::ensure(ids(&newest)? == [all[2], all[1], all[0]], "a list goes backwards from a package")?;
    let sent = of_other().outgoing_in([OutgoingState::Sent, OutgoingState::Failed]);
    Error::ensure(ids(&sent)?.is_empty(), "a list filters by state")?;
    let queued =
        of_other().outgoing_in([OutgoingState::Sent, OutgoingState::Queued]).claim(sample.claim.clone());
    Error::ensure(ids(&queued)? == all, "a list takes several states")?;
    let notes = of_other().kind(PackageKind::Notes);
    Error::ensure(ids(&notes)?.is_empty(), "a list filters by kind")?;
    let unknown = ledger.outgoing_list(&of_other().after(PackageId::generate()));
    fails_with(unknown, ErrorKind::UnknownPackage, "a list cannot go on after an unknown package")?;

    let mut seen = sample.incoming();
    seen.is_new = false;
    let marked = sample.incoming();
    ledger.commit(&[Change::AddIncoming(seen.clone()), Change::AddIncoming(marked.clone())])?;
    let new = ledger.incoming_list(&PackageQuery::new().only_new().incoming_in([IncomingState::Received]))?;
    Error::ensure(new.contains(&marked) && !new.contains(&seen), "a list filters by the mark of the new")?;
    let mut owed = sample.incoming();
    owed.untold = true;
    ledger.commit(&[Change::AddIncoming(owed.clone())])?;
    let untold = ledger.incoming_list(&PackageQuery::new().only_untold().partner(sample.partner.clone()))?;
    Error::ensure(untold == [owed], "a list filters by senders that are still to be told")?;
    packages_are_listed_by_time(ledger, sample)
}

/// Moments are compared, not their spelling: the clocks of one site's history change their offset twice a year.
fn packages_are_listed_by_time(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let (mut early, mut late) = (sample.outgoing(&sample.other), sample.outgoing(&sample.other));
    early.package.created_at = "2001-03-02T09:30:00-05:00".parse()?;
    late.package.created_at = "2001-03-02T14:30:00.250Z".parse()?;
    let mut arrived = sample.incoming();
    arrived.received_at = early.package.created_at;
    ledger.commit(&[
        Change::AddOutgoing(late.clone()),
        Change::AddOutgoing(early.clone()),
        Change::AddIncoming(arrived.clone()),
    ])?;
    let (from, until) = ("2001-03-02T15:30:00+01:00".parse()?, "2001-03-02T14:30:00.250Z".parse()?);
    let within = PackageQuery::new().from(from).until(until);
    Error::ensure(ledger.outgoing_list(&within)? == [early.clone()], "a list filters by the time of export")?;
    Error::ensure(ledger.incoming_list(&within)? == [arrived], "a list filters by the time of arrival")?;
    let since = PackageQuery::new().from(from).until("2001-03-03T00:00:00Z".parse()?);
    Error::ensure(ledger.outgoing_list(&since)? == [late, early], "a list by time keeps the order of adding")
}

fn links_and_common_states_are_replaced_by_their_keys(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let (partner, claim) = (&sample.partner, &sample.claim);
    Error::ensure(ledger.link(partner, claim)?.is_none(), "a claim that was not exchanged has no link")?;
    let mut link = Link::new(partner.clone(), claim.clone());
    link.contacts.add("IMEX/P-9".parse()?, "ON-INS/P-1".parse()?);
    let other = Link::new(sample.other.clone(), claim.clone());
    ledger.commit(&[Change::SetLink(other.clone()), Change::SetLink(link.clone())])?;
    link.sent_sequence = 3;
    link.sent_notes_sequence = 2;
    link.received_from = true;
    ledger.commit(&[Change::SetLink(link.clone())])?;
    Error::ensure(ledger.link(partner, claim)? == Some(link.clone()), "a link is replaced")?;
    Error::ensure(
        ledger.links(claim)? == [link, other],
        "the links of a claim are in the order of their partners",
    )?;

    let base =
        |records: Vec<Record>| Change::SetBase { partner: partner.clone(), claim: claim.clone(), records };
    let (one, two) = (sample.record("A/1", "open".into())?, sample.record("A/2", Json::NULL)?);
    let mut root = Record::new(RecordKind::Claim, claim.clone());
    root.fields.insert("reserve".into(), "1.50".parse()?);
    ledger.commit(&[base(vec![one, two.clone(), root.clone()])])?;
    let one = sample.record("A/1", "closed".into())?;
    ledger.commit(&[base(vec![one.clone()])])?;
    Error::ensure(
        ledger.base(partner, claim)? == [root, one, two],
        "records of the common state are replaced by id, keep every value, and stand parents first",
    )?;
    Error::ensure(ledger.base(&sample.other, claim)?.is_empty(), "each partner has a common state of its own")
}

fn snapshots_are_kept_until_dropped(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let (partner, claim) = (&sample.partner, &sample.claim);
    let records = vec![sample.record("A/1", "open".into())?];
    let snapshot = |sequence| {
        Change::AddSnapshot(SentSnapshot::new(partner.clone(), claim.clone(), sequence, records.clone()))
    };
    ledger.commit(&[snapshot(1), snapshot(2), snapshot(3)])?;
    fails_with(ledger.commit(&[snapshot(2)]), ErrorKind::WrongState, "a sequence is used only once")?;
    ledger.commit(&[Change::DropSnapshots { partner: partner.clone(), claim: claim.clone(), up_to: 2 }])?;
    let is_there =
        |sequence| Ok::<_, Error>(ledger.sent_snapshot(partner, claim, sequence)? == Some(records.clone()));
    Error::ensure(
        !is_there(1)? && !is_there(2)? && is_there(3)?,
        "snapshots are dropped up to a sequence, no further",
    )
}

fn sent_notes_are_kept_until_dropped(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let (one, other) = (PackageId::generate(), PackageId::generate());
    let records = vec![sample.record("A/1", "open".into())?];
    let keep = |package| Change::AddSentNotes { package, records: records.clone() };
    Error::ensure(ledger.sent_notes(one)?.is_none(), "what was not sent is not there")?;
    ledger.commit(&[keep(one), keep(other)])?;
    fails_with(ledger.commit(&[keep(one)]), ErrorKind::WrongState, "sent notes are added only once")?;
    ledger.commit(&[Change::DropSentNotes(one), Change::DropSentNotes(PackageId::generate())])?;
    Error::ensure(
        ledger.sent_notes(one)?.is_none() && ledger.sent_notes(other)? == Some(records),
        "sent notes are kept until they are dropped",
    )
}

/// A note is known while any package counts that carries it, whatever became of the others.
fn notes_are_known_by_the_packages_that_count(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let claim: ExchangeId = "ON-INS/C-2".parse()?;
    let package = |kind, notes: &[&str]| -> Result<Outgoing> {
        let package = Package::new(kind, sample.here.clone(), sample.partner.clone(), claim.clone());
        let mut outgoing = Outgoing::new(package, "age", 1000, "ab".repeat(32), "out/1");
        outgoing.notes = notes.iter().map(|note| note.parse()).collect::<Result<_>>()?;
        Ok(outgoing)
    };
    let mut whole = package(PackageKind::Claim, &["A/1", "A/2"])?;
    let mut later = package(PackageKind::Claim, &["A/1", "A/2", "A/3"])?;
    let mut notes = package(PackageKind::Notes, &["A/3", "A/4"])?;
    let knows = |ids: &[&str], when: &str| {
        let known = ledger.notes_sent(&sample.partner, &claim)?;
        Error::ensure(known.iter().map(|note| note.as_str()).eq(ids.iter().copied()), when)
    };
    let set = |package: &mut Outgoing, state| {
        package.state = state;
        ledger.commit(&[Change::SetOutgoing { package: package.clone(), was: None }])
    };
    knows(&[], "nothing is known of a claim that was not sent")?;
    ledger.commit(&[&whole, &later, &notes].map(|package| Change::AddOutgoing(package.clone())))?;
    knows(&["A/1", "A/2", "A/3", "A/4"], "what is on its way is known")?;
    let elsewhere = ledger.notes_sent(&sample.other, &claim)?;
    Error::ensure(elsewhere.is_empty(), "each partner knows what it was sent itself")?;
    set(&mut notes, OutgoingState::Failed)?;
    knows(&["A/1", "A/2", "A/3"], "notes of a notes package that failed are not known by it")?;
    set(&mut later, OutgoingState::Failed)?;
    knows(&["A/1", "A/2", "A/3"], "a claim package that failed is sent again, and counts")?;
    set(&mut later, OutgoingState::Rejected)?;
    knows(&["A/1", "A/2"], "what was rejected does not count, what another package carries does")?;
    set(&mut notes, OutgoingState::Sending)?;
    set(&mut notes, OutgoingState::Unpacked)?;
    set(&mut whole, OutgoingState::Rejected)?;
    knows(&["A/3", "A/4"], "a package that is sent again counts again, and once")?;
    set(&mut notes, OutgoingState::Rejected)?;
    knows(&[], "where nothing counts, nothing is known")
}

/// Leaves one partner paused, so that the second opening finds it.
fn a_pause_lasts_until_it_is_ended(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let (one, other) = (&sample.partner, &sample.other);
    Error::ensure(ledger.paused()?.is_empty(), "no partner is paused at first")?;
    ledger.commit(&[
        Change::Resume(one.clone()),
        Change::Pause(one.clone()),
        Change::Pause(other.clone()),
    ])?;
    ledger.commit(&[Change::Pause(one.clone()), Change::Resume(other.clone())])?;
    Error::ensure(ledger.paused()?.iter().eq([one]), "a pause lasts until it is ended, and may be set twice")
}

fn history_is_numbered_and_filtered(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let exported = sample
        .entry(Direction::Outgoing, Step::Exported, PackageKind::Claim)
        .of_assessments([sample.assessment.clone()]);
    let failed = sample
        .entry(Direction::Outgoing, Step::Failed, PackageKind::Claim)
        .failed_with(&Error::new(ErrorKind::TimedOut, "no answer within 30 s"));
    let received = sample.entry(Direction::Incoming, Step::Received, PackageKind::Notes);
    ledger.commit(&[exported, failed.clone(), received].map(Change::Append))?;
    let steps = |query: HistoryQuery| -> Result<Vec<Step>> {
        Ok(ledger.history(&query.claim(sample.claim.clone()))?.iter().map(|entry| entry.step).collect())
    };
    let all = ledger.history(&HistoryQuery::new())?;
    Error::ensure(
        all.windows(2).all(|pair| pair[0].number < pair[1].number)
            && all.iter().all(|entry| entry.number > 0),
        "history numbers grow from 1",
    )?;
    Error::ensure(
        steps(HistoryQuery::new())? == [Step::Exported, Step::Failed, Step::Received],
        "the history is in its order",
    )?;
    Error::ensure(
        steps(HistoryQuery::new().assessment(sample.assessment.clone()))? == [Step::Exported],
        "an assessment has its history",
    )?;
    Error::ensure(
        steps(HistoryQuery::new().kind(PackageKind::Notes))? == [Step::Received],
        "notes have theirs",
    )?;
    Error::ensure(
        steps(HistoryQuery::new().direction(Direction::Outgoing).newest_first())?
            == [Step::Failed, Step::Exported],
        "the history goes backwards",
    )?;
    Error::ensure(
        steps(HistoryQuery::new().partner(sample.other.clone()))?.is_empty(),
        "it filters by partner",
    )?;
    let of_package = ledger.history(&HistoryQuery::new().package(failed.package))?;
    let before = of_package.first().map_or_else(HistoryHead::start, |entry| {
        HistoryHead::new(entry.number.saturating_sub(1), entry.previous.clone())
    });
    let expected = failed.chained_after(&before)?;
    Error::ensure(of_package == [expected.clone()], "an entry comes back whole, with its number and hash")?;
    Error::ensure(
        steps(HistoryQuery::new().after(expected.number))? == [Step::Received],
        "the history goes on after a number",
    )
}

fn history_is_found_by_person_step_time_and_failure(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let entry = |at: &str, by: &str, step| -> Result<HistoryEntry> {
        let mut entry = sample.entry(Direction::Incoming, step, PackageKind::Claim);
        entry.partner = sample.other.clone();
        entry.at = at.parse()?;
        entry.by = by.into();
        Ok(entry)
    };
    let fault = Error::new(ErrorKind::WrongKey, "the key does not open it");
    let entries = [
        entry("2001-03-02T09:30:00-05:00", "d'Arcy", Step::Received)?,
        entry("2001-03-02T14:30:00.250Z", "d'Arcy", Step::Failed)?.failed_with(&fault),
        entry("2001-03-02T14:30:01Z", "D'Arcy", Step::Rejected)?.failed_with(&fault),
        // A clock that was set back: entries keep their order.
        entry("2001-03-02T15:00:00+01:00", "\u{e9}va", Step::Unpacked)?,
    ];
    ledger.commit(&entries.map(Change::Append))?;
    let steps = |query: HistoryQuery| -> Result<Vec<Step>> {
        let query = query.partner(sample.other.clone());
        Ok(ledger.history(&query)?.iter().map(|entry| entry.step).collect())
    };
    let all = || HistoryQuery::new();
    Error::ensure(
        steps(all().by("d'Arcy"))? == [Step::Received, Step::Failed] && steps(all().by("d'arcy"))?.is_empty(),
        "the history filters by person, by the name as it was given",
    )?;
    Error::ensure(steps(all().by("\u{e9}va"))? == [Step::Unpacked], "a person may have any name")?;
    Error::ensure(
        steps(all().steps([Step::Unpacked, Step::Failed]))? == [Step::Failed, Step::Unpacked]
            && steps(all().steps([Step::Sent]))?.is_empty(),
        "the history filters by steps",
    )?;
    Error::ensure(
        steps(all().only_failures())? == [Step::Failed, Step::Rejected],
        "the history shows failures alone",
    )?;
    let from = || -> Result<HistoryQuery> { Ok(all().from("2001-03-02T15:30:00+01:00".parse()?)) };
    Error::ensure(
        steps(from()?)? == [Step::Received, Step::Failed, Step::Rejected],
        "the history begins at a moment, whatever its offset",
    )?;
    Error::ensure(
        steps(from()?.until("2001-03-02T14:30:00.250Z".parse()?))? == [Step::Received],
        "the history ends before a moment, to the millisecond",
    )?;
    let page =
        ledger.history(&all().only_failures().newest_first().limit(1).partner(sample.other.clone()))?;
    let after = page.first().map_or(0, |entry| entry.number);
    Error::ensure(
        page.len() == 1 && steps(all().only_failures().newest_first().after(after))? == [Step::Failed],
        "a filtered history goes on after a number",
    )
}

fn history_is_chained(ledger: &impl Ledger, sample: &Sample) -> Result<()> {
    let head = || match verify_history(&ledger.history(&HistoryQuery::new())?, &HistoryHead::start()) {
        Err(error) if error.kind() == ErrorKind::StoreDamaged => {
            Err(Error::new(ErrorKind::Internal, format!("not conforming: the history is a chain: {error}")))
        }
        head => head,
    };
    let before = head()?;
    let mut entry = sample.entry(Direction::Incoming, Step::Viewed, PackageKind::Claim);
    // An offset, a fraction of a second and text that JSON escapes must come back as they were written.
    entry.at = "2026-03-02T09:30:00.25-05:00".parse()?;
    entry.outcome = "Zo\u{eb} said \"no\"\t\u{1}.".into();
    ledger.commit(&[Change::Append(entry.clone()), Change::Append(entry.clone())])?;
    let next = entry.clone().chained_after(&before)?;
    let last = entry.chained_after(&next.head())?;
    Error::ensure(head()? == last.head(), "what is appended is chained after the last entry")
}

type Everything = (
    Vec<Outgoing>,
    Vec<Incoming>,
    Vec<Link>,
    Vec<Record>,
    Option<Vec<Record>>,
    BTreeSet<SiteId>,
    Vec<HistoryEntry>,
);

fn everything(ledger: &impl Ledger, sample: &Sample) -> Result<Everything> {
    Ok((
        ledger.outgoing_list(&PackageQuery::new())?,
        ledger.incoming_list(&PackageQuery::new())?,
        ledger.links(&sample.claim)?,
        ledger.base(&sample.partner, &sample.claim)?,
        ledger.sent_snapshot(&sample.partner, &sample.claim, 3)?,
        ledger.paused()?,
        ledger.history(&HistoryQuery::new())?,
    ))
}
