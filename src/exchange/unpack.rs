//! Unpack: open a received package, verify all of it, merge it, apply it in one transaction, say so to the sender.

use super::event::Event;
use super::exchanged_part::ExchangedPart;
use super::numbers::count_as_given;
use super::partner::Partner;
use super::receive::{incoming_entry, write_down};
use super::reject::unless_rejected;
use super::retention::unless_removed;
use super::store::Side;
use super::summary::{disposition, summary};
use super::{Exchange, receipts::Acknowledgement};
use crate::case_system::StagedDocuments;
use crate::codec::{OpeningKey, Suite, Watch};
use crate::failpoint::failpoint;
use crate::ledger::{Change, Fault, Incoming, IncomingState, Link, Step};
use crate::merge::{
    ChangeSet, ContactPairs, agree, common_at_first, match_contacts, merge_keeping, overtake, without,
};
use crate::model::{ExchangeId, Package, PackageId, PackageKind, Record, RecordKind};
use crate::package::{self, Contents};
use crate::protocol::{DigestReader, Disposition, ReceiptState};
use crate::rules::{Violation, ViolationCode, check_import, prepare_import, violations_error};
use crate::trace::span;
use crate::{Error, ErrorKind, Result};
use tempfile::TempDir;

/// What became of an unpacked package.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unpacked {
    /// The claim the package belongs to.
    pub claim: ExchangeId,
    /// What changed in the case system, field by field.
    pub changes: ChangeSet,
    /// Whether a later package of this claim had been applied before, so that this one changed nothing.
    pub superseded: bool,
    /// Whether the sender was told; one that was not is told later, as with [`Exchange::acknowledge`], and can ask.
    pub acknowledgement: Acknowledgement,
}

/// A package that was opened and held, with the folder its documents lie in.
pub(super) struct Opened {
    pub(super) contents: Contents,
    _workplace: TempDir,
}

/// What a package would do here.
struct Prepared {
    link: Link,
    base: Vec<Record>,
    /// What came in, without what it says of what is this site's alone: that does not become common.
    incoming: Vec<Record>,
    changes: ChangeSet,
    /// What the sender is told once the changes are applied.
    word: (Disposition, Option<String>),
    /// The contacts that the partner knows by other ids, those found by this package among them.
    contacts: ContactPairs,
}

impl Exchange {
    /// Unpacks a received package: the claim is added or updated in the case system, and the sender is told.
    ///
    /// Nothing of the package is released before all of it is verified, and the case system takes all of it or
    /// nothing. A package that fails stays in the inbox, with the reason in its history, and can be unpacked again;
    /// unpacking one that is unpacked already changes nothing, and tells a sender that could not be told. Notes are applied
    /// as they arrive; those that could not be are applied by this. One that is [rejected](Self::reject) stays so.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`]; [`ErrorKind::WrongState`] when it is rejected;
    /// [`ErrorKind::UnknownKeyVersion`], [`ErrorKind::KeyNotValid`], [`ErrorKind::UnsupportedSuite`],
    /// [`ErrorKind::WrongKey`], [`ErrorKind::Truncated`], [`ErrorKind::Altered`] and the other codec kinds when it
    /// cannot be opened; [`ErrorKind::NotAPackage`], [`ErrorKind::UnsupportedFormatVersion`],
    /// [`ErrorKind::InvalidPackage`], [`ErrorKind::EnvelopeMismatch`], [`ErrorKind::WrongRecipient`] when it is not
    /// what was announced; [`ErrorKind::ImportRulesViolated`] with one detail line each; [`ErrorKind::Conflict`]
    /// when both sides changed a field and the policy is to stop; [`ErrorKind::InfectedDocument`] with one detail for
    /// each document that the [scanner](super::ExchangeSettings::with_document_scan) found malware in, and
    /// [`ErrorKind::ScanFailed`] when it gave no verdict; [`ErrorKind::Cancelled`].
    pub fn unpack(&self, package: PackageId, by: &str, watch: &dyn Watch) -> Result<Unpacked> {
        let incoming = self.incoming(package)?;
        span!("unpack", package = package, partner = incoming.from);
        let partner = &*self.partner(&incoming.from)?;
        if let Some(mut done) = done_before(&incoming) {
            if incoming.untold {
                done.acknowledgement = self.acknowledge(package)?;
            }
            return Ok(done);
        }
        if incoming.kind == PackageKind::Notes {
            let mut applied = self.apply_notes(partner, package, by, true, watch)?;
            applied.acknowledgement = self.acknowledge(package)?;
            return Ok(applied);
        }
        unless_rejected(&incoming)?;
        let opened = self.open_package(partner, &incoming, watch);
        match opened.and_then(|opened| self.apply(partner, package, opened, by)) {
            Ok(mut unpacked) => {
                unpacked.acknowledgement = self.acknowledge(package)?;
                Ok(unpacked)
            }
            Err(error) => Err(self.record_failure(partner, package, by, error)?),
        }
    }

    /// What [`unpack`](Self::unpack) would change, without changing anything.
    ///
    /// # Errors
    /// As [`unpack`](Self::unpack), but a conflict that stops is told in the change set; [`ErrorKind::WrongState`] when its
    /// sealed bytes were [removed](Self::remove_sealed).
    pub fn preview(&self, package: PackageId, watch: &dyn Watch) -> Result<ChangeSet> {
        let incoming = self.incoming(package)?;
        span!("preview", package = package, partner = incoming.from);
        let partner = &*self.partner(&incoming.from)?;
        unless_rejected(&incoming)?;
        unless_removed(&incoming)?;
        let opened = self.open_package(partner, &incoming, watch)?;
        if incoming.kind == PackageKind::Notes {
            return Ok(self.prepare_notes(partner, &opened.contents)?.changes);
        }
        Ok(self.prepare(partner, &opened.contents)?.changes)
    }

    /// Decrypts and reads the package into a private folder, checks that it is the one its sender announced, and has
    /// its documents scanned.
    pub(super) fn open_package(
        &self,
        partner: &Partner,
        incoming: &Incoming,
        watch: &dyn Watch,
    ) -> Result<Opened> {
        let (version, received) = (incoming.key_version, incoming.received_at);
        let key = partner.opening(version, &incoming.suite, received, self.now())?;
        span!("open_package", partner = partner.site, suite = key.suite().name(), bytes = incoming.size);
        let opened = self
            .read_sealed(key, incoming, watch)
            .map_err(|error| hinting_at_the_key(self.or_damage_at_rest(incoming, error), key))?;
        self.scan_documents(&opened.contents.documents, watch)?;
        Ok(opened)
    }

    fn read_sealed(&self, key: &OpeningKey, incoming: &Incoming, watch: &dyn Watch) -> Result<Opened> {
        let workplace = self.0.store.workplace()?;
        let sealed = self.0.store.open_sealed(Side::In, &incoming.file)?;
        let contents = package::read(&sealed, key, workplace.path(), &self.0.limits, watch)?;
        self.check_announced(incoming, &contents.manifest.package)?;
        failpoint!("package-opened");
        Ok(Opened { contents, _workplace: workplace })
    }

    /// The fault of a package that could not be read, or, where its bytes are no longer those that came in, that: no
    /// suite can tell damage on this disk from what the sender sealed.
    fn or_damage_at_rest(&self, incoming: &Incoming, error: Error) -> Error {
        // Codec and package kinds speak of bytes; the others do not.
        if !(100..300).contains(&error.kind().code()) {
            return error;
        }
        let mut hasher = DigestReader::new(match self.0.store.open_sealed(Side::In, &incoming.file) {
            Ok(sealed) => sealed,
            Err(lost) => return lost,
        });
        if let Err(unread) = std::io::copy(&mut hasher, &mut std::io::sink()) {
            return unread.into();
        }
        let size = hasher.length();
        if hasher.finish().to_hex() == incoming.sha256 {
            return error;
        }
        let kind = if size < incoming.size { ErrorKind::Truncated } else { ErrorKind::Altered };
        let said = format!(
            "the sealed bytes in the inbox are not those that came in ({size} of {} bytes, another SHA-256): restore \
             {} from a backup, or ask the sender to export it anew",
            incoming.size, incoming.file
        );
        Error::new(kind, said).caused_by(error)
    }

    fn check_announced(&self, incoming: &Incoming, package: &Package) -> Result<()> {
        if package.to != self.0.site {
            return Err(Error::new(
                ErrorKind::WrongRecipient,
                format!("the package inside is addressed to {}, this is {}", package.to, self.0.site),
            ));
        }
        let announced = package.id == incoming.id
            && package.kind == incoming.kind
            && package.from == incoming.from
            && package.key_version == incoming.key_version;
        if !announced {
            return Err(Error::new(
                ErrorKind::EnvelopeMismatch,
                "the package inside is not the one its envelope announced; ask the sender to export it anew",
            ));
        }
        Ok(())
    }

    fn prepare(&self, partner: &Partner, contents: &Contents) -> Result<Prepared> {
        let package = &contents.manifest.package;
        let site = &partner.site;
        let mut link = self.link(site, &package.claim)?;
        let mut base = self.0.ledger.base(site, &package.claim)?;
        // The sender had applied our package of this number, so what it said is common to both by now.
        if package.applied_sequence > link.acknowledged_sequence
            && package.applied_sequence <= link.sent_sequence
            && let Some(seen) = self.0.ledger.sent_snapshot(site, &package.claim, package.applied_sequence)?
        {
            base = agree(&base, &seen);
            link.acknowledged_sequence = package.applied_sequence;
        }
        let local = match self.0.case_system.load(&package.claim)? {
            Some(file) => file.to_records()?,
            None => Vec::new(),
        };
        let unshared = self.unshared(partner, &link, !local.is_empty());
        let mut contacts = link.contacts.holding(&local, &contents.records);
        let records = contents.records.clone();
        let mut incoming = self.imported(partner, &contacts, records, &local, &base, unshared)?;
        let shared = |field: &str| partner.selection.exchanges_field(RecordKind::Contact, field);
        let matched = match_contacts(&local, &incoming, &base, &contacts, shared);
        matched.rename_contacts(&mut incoming);
        matched.rename_references(&mut incoming);
        contacts.extend(matched);
        // Exported before they took over ours, and come after their word that they did.
        link.acknowledged_before.retain(|sequence| *sequence > package.applied_sequence);
        if package.applied_sequence < link.acknowledged_sequence && !local.is_empty() {
            self.taken_over(&link)?.iter().for_each(|taken| overtake(&mut incoming, &taken.records));
        }
        let exchanged = ExchangedPart::of(partner, &local);
        let private = exchanged.private(&incoming, &local, &base);
        let open = without(&incoming, &private);
        // Those of an earlier try that was not applied among them.
        let first = common_at_first(&local, &open, &base, &contacts);
        base.extend(first.iter().cloned());
        let mut changes = merge_keeping(&local, &incoming, &base, &private, partner.conflicts)?;
        // Where it applied more than this site knows it sent, the numbers go on above that.
        count_as_given(&mut link, package.applied_sequence);
        changes.matched_contacts = contacts.of_ours(first.iter().map(|record| &record.id));
        let word = disposition(&changes, &exchanged);
        Ok(Prepared { link, base, incoming: open, changes, word, contacts })
    }

    /// A partner's records in our names and ids and as the import rules leave them; every rule that is violated at
    /// once, with `another` fault that was found before.
    pub(super) fn imported(
        &self,
        partner: &Partner,
        contacts: &ContactPairs,
        mut records: Vec<Record>,
        local: &[Record],
        base: &[Record],
        another: Option<Violation>,
    ) -> Result<Vec<Record>> {
        let catalogue = self.0.case_system.catalogue()?;
        partner.names.check()?;
        // Names by way of the records' ids, references by way of the fields' names.
        contacts.rename_contacts(&mut records);
        let mut named = partner.names.to_ours(records, local, base);
        contacts.rename_references(&mut named.records);
        self.withhold_feedback(&mut named.records);
        let mut violations = named.violations;
        violations.extend(check_import(&named.records, local, &partner.import_rules, &catalogue));
        violations.extend(another);
        if !violations.is_empty() {
            return Err(violations_error(ErrorKind::ImportRulesViolated, &violations));
        }
        let prepared = prepare_import(named.records, &partner.import_rules);
        Ok(prepared.into_iter().map(Record::in_model_form).collect())
    }

    /// A partner may bring claims of its own, and write to those it was sent or sent itself; not to any claim here
    /// whose id it guessed or heard of.
    fn unshared(&self, partner: &Partner, link: &Link, is_here: bool) -> Option<Violation> {
        let shared = link.sent_sequence > 0 || link.received_from || link.claim.is_from(&partner.site);
        if shared || !(is_here || link.claim.is_from(&self.0.site)) {
            return None;
        }
        let message = format!(
            "Claim {} was never shared with {}. Ask {} why it sends it; to share it, export it there first.",
            link.claim, partner.alias, partner.alias
        );
        Some(Violation::new(ViolationCode::ClaimNotShared, Some(link.claim.clone()), message))
    }

    fn apply(&self, partner: &Partner, id: PackageId, opened: Opened, by: &str) -> Result<Unpacked> {
        let contents = opened.contents;
        let package = contents.manifest.package.clone();
        let _turns = (self.turn_of_package(id), self.turn_of_claim(&package.claim));
        let mut incoming = self.incoming(id)?;
        if let Some(done) = done_before(&incoming) {
            return Ok(done);
        }
        unless_rejected(&incoming)?;
        let was = Some(incoming.state);
        let mut prepared = self.prepare(partner, &contents)?;
        let superseded = package.sequence <= prepared.link.applied_sequence;
        let mut base = Vec::new();
        let said = if superseded {
            prepared.changes = ChangeSet::new(package.claim.clone());
            format!(
                "nothing changed: package {} of this claim was applied before, this is {}",
                prepared.link.applied_sequence, package.sequence
            )
        } else {
            prepared.changes.unless_blocked()?;
            let mut documents = StagedDocuments::new();
            for (id, path) in contents.documents {
                documents.insert(id, path);
            }
            let mut first = Vec::new();
            if !prepared.link.received_from || prepared.link.contacts != prepared.contacts {
                prepared.link.received_from = true;
                prepared.link.contacts = prepared.contacts;
                // First, so that after a crash in between the claim is still known to be shared with this partner, and
                // who of its people is who here. That alone: what they had seen goes with the base, or it would not be
                // asked for again.
                let mut early = self.link(&partner.site, &package.claim)?;
                early.received_from = true;
                early.contacts = prepared.link.contacts.clone();
                first.push(Change::SetLink(early));
            }
            self.apply_marked(&incoming, first, || {
                self.0.case_system.apply(&prepared.changes, &documents, by)
            })?;
            base = agree(&prepared.base, &prepared.incoming);
            prepared.link.applied_sequence = package.sequence;
            format!("unpacked by {by}: {}", summary(&prepared.changes))
        };

        let (state, step) = match superseded {
            true => (IncomingState::Superseded, Step::Superseded),
            false => (IncomingState::Unpacked, Step::Unpacked),
        };
        incoming.state = state;
        incoming.applying = false;
        incoming.claim = Some(package.claim.clone());
        incoming.sequence = Some(package.sequence);
        let ids =
            |kind| prepared.incoming.iter().filter(move |r| r.kind == kind).map(|r| r.id.clone()).collect();
        incoming.assessments = ids(RecordKind::Assessment);
        incoming.notes = ids(RecordKind::Note);
        incoming.last_error = None;
        let mut receipt = self.new_receipt(&incoming, ReceiptState::Unpacked)?;
        let (disposition, detail) = match superseded {
            true => {
                receipt.applied_sequence = Some(prepared.link.applied_sequence);
                let said = "a later package of this claim was applied before".to_owned();
                (Disposition::AcceptedWithChanges, Some(said))
            }
            false => prepared.word,
        };
        (receipt.disposition, receipt.detail) = (Some(disposition), detail);
        write_down(&mut incoming, &receipt)?;
        let entry = incoming_entry(&incoming, step, by, said);
        let (site, claim) = (partner.site.clone(), package.claim.clone());
        self.0.ledger.commit(&[
            Change::SetIncoming { package: incoming, was },
            Change::DropSnapshots {
                partner: site.clone(),
                claim: claim.clone(),
                up_to: package.applied_sequence.min(prepared.link.acknowledged_sequence),
            },
            Change::SetLink(prepared.link),
            Change::SetBase { partner: site, claim: claim.clone(), records: base },
            Change::Append(entry),
        ])?;
        Ok(Unpacked { claim, changes: prepared.changes, superseded, acknowledgement: Acknowledgement::Left })
    }

    /// Applies a package to the case system, marked as being applied, with what else is to be known before.
    ///
    /// A process that dies after the mark may have applied it, and a ledger that fails afterwards does not say so: then
    /// it must not be rejected. A case system that refuses has applied nothing, and the mark is as it was, unless it does
    /// not know what became of it. It is the caller's turn to change the package and what is common with the partner.
    pub(super) fn apply_marked(
        &self,
        incoming: &Incoming,
        first: Vec<Change>,
        apply: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let was = Some(incoming.state);
        let mut begun = incoming.clone();
        begun.applying = true;
        let mut changes = vec![Change::SetIncoming { package: begun, was }];
        changes.extend(first);
        self.0.ledger.commit(&changes)?;
        let Err(refused) = apply() else { return Ok(()) };
        // A host's function that broke its contract does not say either.
        let is_known =
            !refused.is_ambiguous() && !matches!(refused.kind(), ErrorKind::TimedOut | ErrorKind::Internal);
        if is_known && !incoming.applying {
            // Where that cannot be written, the package has to be unpacked once more before it can be rejected.
            let _ = self.0.ledger.commit(&[Change::SetIncoming { package: incoming.clone(), was }]);
        }
        Err(refused)
    }

    /// Keeps the reason with the package, which stays as it was for another try.
    fn record_failure(&self, partner: &Partner, package: PackageId, by: &str, error: Error) -> Result<Error> {
        let error = error.within(format_args!("package {package} from {}", partner.alias));
        let turn = self.turn_of_package(package);
        let mut incoming = self.incoming(package)?;
        // Where another thread has dealt with the package meanwhile, its word stands.
        if !is_open(&incoming) {
            return Ok(error);
        }
        let was = Some(incoming.state);
        incoming.last_error = Some(Fault::from(&error));
        incoming.state = IncomingState::Failed;
        incoming.updated_at = self.now();
        let entry = incoming_entry(&incoming, Step::Failed, by, error.to_string()).failed_with(&error);
        self.0.ledger.commit(&[Change::SetIncoming { package: incoming, was }, Change::Append(entry)])?;
        drop(turn);
        if error.kind() == ErrorKind::InfectedDocument {
            let from = partner.site.clone();
            self.tell(&Event::InfectedPackage { package, from, reason: error.to_string() });
        }
        Ok(error)
    }
}

/// One wrong key in 256 passes the padding check of des-md5, and then what it opens is no archive.
pub(super) fn hinting_at_the_key(error: Error, key: &OpeningKey) -> Error {
    if error.kind() != ErrorKind::NotAnArchive || key.suite() != Suite::DesMd5 {
        return error;
    }
    Error::new(
        ErrorKind::NotAnArchive,
        format!("{error}; most likely the key is wrong: compare it with the partner's, then unpack again"),
    )
    .caused_by(error)
}

/// Whether nobody has dealt with it yet.
pub(super) fn is_open(incoming: &Incoming) -> bool {
    matches!(incoming.state, IncomingState::Received | IncomingState::Failed)
}

/// What to say of a package that was dealt with before: it changes nothing more.
pub(super) fn done_before(incoming: &Incoming) -> Option<Unpacked> {
    let done = matches!(incoming.state, IncomingState::Unpacked | IncomingState::Superseded);
    let claim = incoming.claim.clone().filter(|_| done)?;
    Some(Unpacked {
        changes: ChangeSet::new(claim.clone()),
        claim,
        superseded: incoming.state == IncomingState::Superseded,
        acknowledgement: Acknowledgement::Told,
    })
}
