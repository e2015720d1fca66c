//! Export: from the case system, through the partner's selection and rules, to a sealed package in the outbox.

use super::Exchange;
use super::event::Event;
use super::numbers::next_number;
use super::partner::Partner;
use super::sealed::SealedFile;
use super::store::Side;
use crate::codec::{Encryptor, Watch, Watched, write_behind};
use crate::ledger::{Change, Direction, HistoryEntry, Link, Outgoing, SentSnapshot, Step};
use crate::model::{ExchangeId, Json, Package, PackageKind, Record, RecordKind, SiteId, by_id};
use crate::package::PackageWriter;
use crate::rules::{ExportFacts, Named, Violation, check_export, select, violations_error};
use crate::trace::span;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::fmt;

/// Of how many packages of a claim it is known what they said, where the recipient never says that it unpacked one.
/// Of an older one that it unpacks after all, both sides' values are compared without knowing which side changed them.
const SNAPSHOTS_KEPT: u32 = 32;

/// How one export is made: who asks for it, which assessments go along, and hooks into long work.
pub struct ExportOptions<'a> {
    by: String,
    assessments: Option<BTreeSet<ExchangeId>>,
    watch: &'a dyn Watch,
}

impl fmt::Debug for ExportOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportOptions")
            .field("by", &self.by)
            .field("assessments", &self.assessments)
            .finish_non_exhaustive()
    }
}

impl<'a> ExportOptions<'a> {
    /// An export asked for by `by`, as this site names people, with every assessment the partner's settings allow.
    #[must_use]
    pub fn by(by: impl Into<String>) -> Self {
        Self { by: by.into(), assessments: None, watch: &() }
    }

    /// Takes along only these assessments, and those whose status is forced to export.
    #[must_use]
    pub fn with_assessments(mut self, chosen: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.assessments = Some(chosen.into_iter().collect());
        self
    }

    /// Reports each chunk of document bytes that was packed, and lets the caller stop.
    #[must_use]
    pub fn watched_by(mut self, watch: &'a dyn Watch) -> Self {
        self.watch = watch;
        self
    }
}

impl Exchange {
    /// Exports a claim to ONE partner: a sealed package in the outbox, ready to [`send`](Self::send).
    ///
    /// Loads the claim file, keeps what the partner's settings let out, checks the partner's export rules, packs and
    /// seals. Nothing of it is held in memory as a whole. The package is durable when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`], [`ErrorKind::UnknownClaim`]; [`ErrorKind::ExportRulesViolated`] with one
    /// detail line for every rule that is violated; [`ErrorKind::Cancelled`]; and those of the case system, the
    /// ledger and the disk. The outbox is as it was after an error.
    pub fn export(&self, claim: &ExchangeId, to: &SiteId, options: &ExportOptions<'_>) -> Result<Outgoing> {
        let outgoing = self.export_in_turn(claim, to, options)?;
        self.tell(&Event::Exported {
            package: outgoing.package.id,
            to: to.clone(),
            claim: outgoing.package.claim.clone(),
        });
        Ok(outgoing)
    }

    /// The export itself. Its turn ends before the host is told, who may export again at once.
    fn export_in_turn(
        &self,
        claim: &ExchangeId,
        to: &SiteId,
        options: &ExportOptions<'_>,
    ) -> Result<Outgoing> {
        span!("export", partner = to);
        let partner = &*self.partner(to)?;
        let _turn = self.exporting();
        let file = self.0.case_system.load(claim)?.ok_or_else(|| super::unknown_claim(claim))?;
        let link = self.link(to, claim)?;
        let local = file.to_records()?;
        partner.names.check()?;
        let mut records = select(&local, &partner.selection, options.assessments.as_ref());
        self.withhold_feedback(&mut records);
        self.withhold_forced_statuses(partner, &link, &mut records)?;
        let records = partner.names.without_taken(records);
        let named = self.named_for(partner, &link, &local, &records);

        let known_notes = self.0.ledger.notes_sent(to, claim)?;
        let facts = ExportFacts::new(&self.0.site, to, &records)
            .partner_name(&partner.alias)
            .received_from_partner(link.received_from)
            .known_notes(&known_notes);
        let rules = &partner.export_rules;
        let refused = |violations: &[Violation]| {
            violations_error(ErrorKind::ExportRulesViolated, violations)
                .within(format_args!("claim {claim} was not exported to {}", partner.alias))
        };
        let check = |facts: &ExportFacts<'_>| {
            let mut violations = check_export(rules, facts);
            violations.extend_from_slice(&named.violations);
            violations
        };
        let violations = check(&facts);
        if !violations.is_empty() && !may_be_too_large(&records, rules.max_sealed_size()) {
            return Err(refused(&violations));
        }
        // Only sealing tells the size; it is counted to the end, so that all violations are told at once.
        let package = self.new_package(PackageKind::Claim, partner, &link, &options.by)?;
        let sealed = self
            .seal(partner, &package, &named.records, options.watch)
            .map_err(|error| error.within(format_args!("claim {claim} for {}", partner.alias)))?;
        let violations = check(&facts.clone().sealed_size(sealed.size()));
        if !violations.is_empty() {
            return Err(refused(&violations));
        }
        self.put_in_outbox(partner, package, records, sealed)
    }

    /// Takes out each status that the import rules gave a record in place of this partner's and that stands since: nobody
    /// here has set it, and to the partner it would be a change.
    fn withhold_forced_statuses(&self, partner: &Partner, link: &Link, records: &mut [Record]) -> Result<()> {
        let forced = |record: &Record| partner.import_rules.forced_status(record.kind);
        if !records.iter().any(|record| forced(record).is_some()) {
            return Ok(());
        }
        let (to, claim) = (&link.partner, &link.claim);
        let said = self.0.ledger.sent_snapshot(to, claim, link.sent_sequence)?.unwrap_or_default();
        let told: BTreeSet<&ExchangeId> =
            said.iter().filter(|said| said.fields.contains_key("status")).map(|said| &said.id).collect();
        let base = self.0.ledger.base(to, claim)?;
        let base = by_id(&base);
        for record in records.iter_mut().filter(|record| !told.contains(&record.id)) {
            let status = forced(record).map(Json::from);
            let is_forced =
                |record: &Record| status.is_some() && record.fields.get("status") == status.as_ref();
            if is_forced(record) && base.get(&record.id).copied().is_some_and(is_forced) {
                record.fields.remove("status");
            }
        }
        Ok(())
    }

    /// What is sealed: the records in the partner's names and ids. Rules, ledger and history speak ours.
    pub(super) fn named_for(
        &self,
        partner: &Partner,
        link: &Link,
        local: &[Record],
        records: &[Record],
    ) -> Named {
        let contacts = link.contacts.holding(local, &[]).inverted();
        let mut records = records.to_vec();
        contacts.rename_references(&mut records);
        let mut named = partner.names.to_theirs(records);
        contacts.rename_contacts(&mut named.records);
        named
    }

    /// Starts the package that comes next for this partner and claim; notes are counted apart.
    pub(super) fn new_package(
        &self,
        kind: PackageKind,
        partner: &Partner,
        link: &Link,
        by: &str,
    ) -> Result<Package> {
        let (from, to) = (self.0.site.clone(), partner.site.clone());
        let mut package = Package::new(kind, from, to, link.claim.clone());
        let now = self.now();
        (package.sequence, package.applied_sequence) = match kind {
            PackageKind::Claim => (next_number(link.sent_sequence, now), link.applied_sequence),
            PackageKind::Notes => (link.sent_notes_sequence + 1, 0),
            PackageKind::Trial => (1, 0),
        };
        (package.id, package.created_at) = (self.0.ids.next(now), now);
        package.key_version = partner.sealing(now)?.0;
        self.log_warnings(partner);
        package.created_by = by.to_owned();
        Ok(package)
    }

    /// Packs and seals into a file of the outbox that has no name yet.
    pub(super) fn seal(
        &self,
        partner: &Partner,
        package: &Package,
        records: &[Record],
        watch: &dyn Watch,
    ) -> Result<SealedFile> {
        let key = partner.sealing_key(package.key_version)?;
        span!("seal", package = package.id, partner = partner.site, suite = key.suite().name());
        let mut file =
            SealedFile::counting(self.0.store.create(Side::Out)?, partner.export_rules.max_sealed_size());
        let options = self.0.pack.with_compression(partner.compression);
        write_behind(options.threads(), &mut file, |file| {
            let mut writer =
                PackageWriter::with_options(Encryptor::new(key, file)?, package.clone(), &options);
            for document in records.iter().filter(|record| record.kind == RecordKind::Document) {
                let content = self.0.case_system.open_document(&package.claim, &document.id)?;
                writer.document(document, Watched::new(content, watch))?;
            }
            let (encryptor, _) = writer.finish(records.to_vec())?;
            encryptor.finish().map(drop)
        })?;
        Ok(file)
    }

    /// Makes a sealed package durable and known to the ledger, in this order: a file without an entry is swept, an
    /// entry without a file would be a broken promise.
    pub(super) fn put_in_outbox(
        &self,
        partner: &Partner,
        package: Package,
        records: Vec<Record>,
        sealed: SealedFile,
    ) -> Result<Outgoing> {
        let suite = partner.sealing_key(package.key_version)?.suite();
        let sha256 = sealed.digest().to_hex();
        let file = self.0.store.new_name(package.id, &sha256);
        let mut outgoing = Outgoing::new(package.clone(), suite.name(), sealed.size(), sha256, &file);
        outgoing.notes = ids_of(RecordKind::Note, &records);
        outgoing.assessments = ids_of(RecordKind::Assessment, &records);
        if let Err(error) = sealed.place(&file) {
            self.0.store.discard(Side::Out, &file);
            return Err(error);
        }

        let said = format!(
            "exported to {}: {} records, {} bytes sealed with {}",
            partner.alias,
            records.len(),
            outgoing.size,
            outgoing.suite
        );
        let entry = outgoing_entry(&outgoing, Step::Exported, &package.created_by, said);

        let _turn = self.turn_of_claim(&package.claim);
        let mut link = self.link(&partner.site, &package.claim)?;
        let site = partner.site.clone();
        let mut changes = vec![Change::AddOutgoing(outgoing.clone())];
        let sent = match package.kind {
            PackageKind::Claim => {
                // A partner's word may have raised it meanwhile.
                link.sent_sequence = link.sent_sequence.max(package.sequence);
                link.last_export_at = Some(package.created_at);
                if let Some(up_to) = self.number_of_latest(&site, &package.claim, SNAPSHOTS_KEPT)? {
                    let (partner, claim) = (site.clone(), package.claim.clone());
                    changes.push(Change::DropSnapshots { partner, claim, up_to });
                }
                Change::AddSnapshot(SentSnapshot::new(site, package.claim, package.sequence, records))
            }
            PackageKind::Notes => {
                link.sent_notes_sequence = package.sequence;
                let notes = |record: &Record| record.kind == RecordKind::Note;
                Change::AddSentNotes {
                    package: package.id,
                    records: records.into_iter().filter(notes).collect(),
                }
            }
            PackageKind::Trial => return Err(Error::new(ErrorKind::Internal, "a trial is never queued")),
        };
        changes.extend([sent, Change::SetLink(link), Change::Append(entry)]);
        let committed = self.0.ledger.commit(&changes);
        if let Err(error) = committed {
            // Where even that cannot be asked, the file stays: opening the folder again sweeps what nobody knows.
            if matches!(self.0.ledger.outgoing(package.id), Ok(None)) {
                self.0.store.discard(Side::Out, &file);
            }
            return Err(error);
        }
        self.0.outbox.call(&outgoing.package.to);
        Ok(outgoing)
    }
}

fn ids_of(kind: RecordKind, records: &[Record]) -> BTreeSet<ExchangeId> {
    records.iter().filter(|record| record.kind == kind).map(|record| record.id.clone()).collect()
}

/// An entry of the history about one of our packages.
pub(super) fn outgoing_entry(
    outgoing: &Outgoing,
    step: Step,
    by: &str,
    said: impl Into<String>,
) -> HistoryEntry {
    let package = &outgoing.package;
    HistoryEntry::new(Direction::Outgoing, step, package.id, package.kind, package.to.clone(), by, said)
        .of_claim(package.claim.clone())
        .of_assessments(outgoing.assessments.iter().cloned())
}

/// Whether only packing can tell if the sealed size keeps the limit: sealing adds little, and compressing only takes.
fn may_be_too_large(records: &[Record], limit: u64) -> bool {
    const OVERHEAD_PER_DOCUMENT: u64 = 4096;
    let mut total = 0u64;
    for document in records.iter().filter(|record| record.kind == RecordKind::Document) {
        match document.fields.get("size").and_then(|size| size.to::<u64>().ok()) {
            Some(size) => total = total.saturating_add(size).saturating_add(OVERHEAD_PER_DOCUMENT),
            None => return true,
        }
    }
    total > limit / 2
}
