//! Try: one call that sends a partner a sample, and says in words what is wrong at either side before production.
//!
//! Nothing of a trial is kept but an entry in the history of both sides: neither package has a file, a place in a
//! queue or a link to a claim, and the case systems are only asked which types they know.

mod answer;
mod judge;
mod open;
mod report;
mod sample;

pub use report::TrialReport;

use super::Exchange;
use super::partner::Partner;
use crate::ledger::{Change, Direction, HistoryEntry, Link, Step};
use crate::model::{ClaimFile, PackageId, PackageKind, Record, SiteId};
use crate::protocol::{Digest, Envelope, Request, Response, Route, TrialOutcome, TrialSide};
use crate::rules::{ExportFacts, check_export, select};
use crate::transport::{Body, Reply};
use crate::{Error, Result};
use judge::Answered;
use report::{Checks, summary};
use sample::{SAMPLE_LIMIT, check_size, sample_claim, seal_sample};
use std::collections::BTreeSet;

/// How a partner is tried: who asks for it, and with what sample.
#[derive(Clone, Debug)]
pub struct TrialOptions {
    by: String,
    claim: Option<ClaimFile>,
    collected: Option<PackageId>,
}

impl TrialOptions {
    /// A trial asked for by `by`, as this site names people, with a sample about nobody: a claim, an assessment and a
    /// bill of each type known here, a note, a contact and a small document.
    #[must_use]
    pub fn by(by: impl Into<String>) -> Self {
        Self { by: by.into(), claim: None, collected: None }
    }

    /// Sends this claim instead: one in the types, statuses and fields that are really used, with invented data. It
    /// need not be in the case system. Every document's bytes are replaced by a short text.
    #[must_use]
    pub fn with_claim(mut self, claim: ClaimFile) -> Self {
        self.claim = Some(claim);
        self
    }

    /// Collects the answer to an earlier trial whose report was [`pending`](TrialReport::pending), by that report's
    /// package. Where the answer is still to come, the report is pending again.
    #[must_use]
    pub fn collecting(mut self, package: PackageId) -> Self {
        self.collected = Some(package);
        self
    }
}

/// A sample on its way.
struct Sent {
    request: Request,
    /// In this site's names.
    records: Vec<Record>,
}

impl Exchange {
    /// Sends a partner a sample and checks keys, certificates, clocks, limits and names at both sides.
    ///
    /// The sample goes the way of a package: through the partner's selection, name map and export rules, packed,
    /// sealed, signed, posted. The partner opens it and answers what its import rules and name map make of it, with a
    /// sample for the way back, which is opened here in the same way. Neither side keeps any of it. Both write that a
    /// trial was made into their history.
    ///
    /// Whatever fails, the report has every check that could be made; each says what is wrong, at which side, and
    /// what to do. Over a transport whose answer comes later it is [pending](TrialReport::pending) first. A paused
    /// partner can be tried.
    ///
    /// ```no_run
    /// # fn example(exchange: claimwire::exchange::Exchange) -> claimwire::Result<()> {
    /// use claimwire::exchange::TrialOptions;
    ///
    /// let report = exchange.try_partner(&"IMEX".parse()?, &TrialOptions::by("d.whitfield"))?;
    /// if !report.passed() {
    ///     eprintln!("{report}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`](crate::ErrorKind::UnknownPartner);
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) or
    /// [`ErrorKind::InvalidPackage`](crate::ErrorKind::InvalidPackage) when the claim of the options is none that can
    /// be packed, or larger than 256 KiB; and those of the case system, the ledger and the disk. What is wrong with
    /// the partner, its settings or the way to it is no error but in the report.
    pub fn try_partner(&self, site: &SiteId, options: &TrialOptions) -> Result<TrialReport> {
        let partner = &*self.partner(site)?;
        let package = options.collected.unwrap_or_else(|| self.0.ids.next(self.now()));
        let mut checks = Checks::default();
        check_settings(&self.0.site, partner, &mut checks);
        let mut pending = false;
        if let Some((sent, sealed)) = self.make_trial(partner, package, options, &mut checks)? {
            match self.post_trial(partner, &sent.request, &sealed, &mut checks) {
                Some(Reply::Pending) => pending = true,
                Some(reply) => {
                    if let Some((request, response)) = reply.into_answer(&sent.request) {
                        let answered = Answered { request: &request, response: &response, at: self.now() };
                        self.judge(partner, &answered, &sent.records, &mut checks)?;
                    }
                }
                None => {}
            }
        }
        if pending {
            checks.warned(
                "pending",
                TrialSide::Recipient,
                format!("The trial lies where {site} will find it; its answer is still to come."),
                format!("Collect the answer later, by the id of this trial: {package}."),
            );
        } else {
            let said = format!("a trial with {}: {}", partner.alias, summary(&checks.0));
            let (site, by) = (site.clone(), options.by.as_str());
            let entry = HistoryEntry::new(
                Direction::Outgoing,
                Step::Tried,
                package,
                PackageKind::Trial,
                site,
                by,
                said,
            );
            self.0.ledger.commit(&[Change::Append(entry)])?;
        }
        let (here, there) = (self.0.site.clone(), site.clone());
        Ok(TrialReport {
            package,
            site: here,
            partner: there,
            at: self.now(),
            pending,
            checks: checks.sorted(),
        })
    }

    /// The sample, sealed, and the request to carry it; `None` where this side's settings do not go so far.
    fn make_trial(
        &self,
        partner: &Partner,
        id: PackageId,
        options: &TrialOptions,
        checks: &mut Checks,
    ) -> Result<Option<(Sent, Vec<u8>)>> {
        let (here, there) = (&self.0.site, &partner.site);
        let file = match &options.claim {
            Some(file) => file.clone(),
            None => sample_claim(here, partner, &self.0.case_system.catalogue()?, id)?,
        };
        check_size(&file)?;
        let records = partner.names.without_taken(select(&file.to_records()?, &partner.selection, None));
        let named = partner.names.to_theirs(records.clone());
        let remedy = format!("Give it a name in the name map that {here} has for {there}.");
        checks.violated(TrialOutcome::Failed, "export-", TrialSide::Sender, &named.violations, &remedy);

        if let Err(error) = partner.sealing(self.now()) {
            checks.failed(
                "sealing-key",
                TrialSide::Sender,
                format!("{here} has no key to seal what it sends to {there}: {error}"),
                format!("Ask {there} for its key and the key's version, and add both to its settings here."),
            );
            return Ok(None);
        }
        let mut package = self.new_package(
            PackageKind::Trial,
            partner,
            &Link::new(there.clone(), file.claim.id),
            &options.by,
        )?;
        package.id = id;
        let version = package.key_version;
        let key = partner.sealing_key(version)?;
        let sealed = seal_sample(partner, key, package, named.records)?;
        self.check_export_rules(partner, &records, sealed.len() as u64, checks);
        if sealed.len() as u64 > SAMPLE_LIMIT {
            checks.failed(
                "sample-size",
                TrialSide::Sender,
                format!("The sample has {} bytes sealed; a trial takes {SAMPLE_LIMIT}.", sealed.len()),
                "Try with a smaller claim.",
            );
            return Ok(None);
        }
        let Ok(transport) = partner.transport() else {
            checks.failed(
                "transport",
                TrialSide::Sender,
                format!("{here} has no way to reach {there}."),
                format!("Ask {there} for the URL of its endpoint, and add it to its settings here."),
            );
            return Ok(None);
        };
        let suite = key.suite().name();
        let mut envelope = Envelope::new(id, PackageKind::Trial, here.clone(), there.clone(), suite);
        envelope.key_version = version;
        let path = Route::Trials.path(transport.base_path());
        let request = self.package_request(&path, &envelope, &Digest::of(&sealed))?;
        Ok(Some((Sent { request, records }, sealed)))
    }

    /// A sample may miss what a rule asks of a real claim, so these are warnings.
    fn check_export_rules(&self, partner: &Partner, records: &[Record], size: u64, checks: &mut Checks) {
        let (here, there) = (&self.0.site, &partner.site);
        let nothing_known = BTreeSet::new();
        let facts = ExportFacts::new(here, there, records)
            .partner_name(&partner.alias)
            .known_notes(&nothing_known)
            .sealed_size(size);
        let violations = check_export(&partner.export_rules, &facts);
        let remedy =
            "Nothing, where only the sample is so; else change the export rules or the field selection.";
        checks.violated(TrialOutcome::Warning, "export-", TrialSide::Sender, &violations, remedy);
        if violations.is_empty() {
            let said = format!("The sample keeps the export rules that {here} has for {there}.");
            checks.passed("export-rules", TrialSide::Sender, said);
        }
    }

    fn post_trial(
        &self,
        partner: &Partner,
        request: &Request,
        sealed: &[u8],
        checks: &mut Checks,
    ) -> Option<Reply> {
        let mut body = sealed;
        let length = sealed.len() as u64;
        let sent =
            partner.transport().and_then(|transport| transport.send(request, Body::new(length, &mut body)));
        match sent {
            Ok(reply) => Some(reply),
            Err(error) => {
                judge::tell_unreached(&self.0.site, partner, &error, checks);
                None
            }
        }
    }

    /// What the partner answers to a question after a package that nobody sent: tells an endpoint that is elsewhere
    /// from one that knows no trials.
    fn ask_for_nothing(&self, partner: &Partner) -> Option<Response> {
        let transport = partner.transport().ok()?;
        let route = Route::State(self.0.ids.next(self.now()));
        let mut request = Request::new(route.method(), &route.path(transport.base_path())).ok()?;
        self.sign_request(&mut request).ok()?;
        let reply = transport.send(&request, Body::new(0, &mut std::io::empty())).ok()?;
        reply.into_answer(&request).map(|(_, response)| response)
    }
}

/// What this site can see of its own settings for the partner without asking anybody.
fn check_settings(here: &SiteId, partner: &Partner, checks: &mut Checks) {
    let there = &partner.site;
    let faults: Vec<Error> = [partner.selection.check(), partner.export_rules.check(), partner.names.check()]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    for fault in &faults {
        let remedy = format!("Correct the settings that {here} has for {there}.");
        checks.failed("settings", TrialSide::Sender, fault.to_string(), remedy);
    }
    if faults.is_empty() {
        let said =
            format!("The field selection, export rules and name map that {here} has for {there} are valid.");
        checks.passed("settings", TrialSide::Sender, said);
    }
}
