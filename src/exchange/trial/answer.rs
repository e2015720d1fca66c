//! The recipient of a trial: takes the sample in, looks at all of it, keeps nothing, says what it found.

use super::judge::NO_SEALING_KEY;
use super::open::{Announced, Way};
use super::report::{Checks, summary};
use super::sample::{SAMPLE_LIMIT, sample_claim, seal_sample};
use crate::exchange::Exchange;
use crate::exchange::partner::Partner;
use crate::exchange::receive::whole_digest;
use crate::ledger::{Change, Direction, HistoryEntry, Step};
use crate::model::{Package, PackageKind, Record};
use crate::protocol::{
    Digest, Envelope, Peer, Request, Response, SealedSample, TrialAnswer, TrialOutcome, TrialSide,
};
use crate::rules::select;
use crate::trace::span;
use crate::{Error, ErrorKind, Result};
use std::io::Read;

impl Exchange {
    /// Answers a partner's trial. Who cannot prove to be a partner gets nothing, as with a package.
    pub(in crate::exchange) fn answer_trial(
        &self,
        request: &Request,
        peer: &Peer,
        body: &mut dyn Read,
    ) -> Result<Response> {
        let envelope = Envelope::from_headers(request.headers())?;
        let (partner, proof) = self.verified(request, peer, &envelope.from)?;
        let partner = &*partner;
        span!("answer_trial", package = envelope.package_id, partner = partner.site);
        self.check_addressed(&envelope, PackageKind::Trial)?;
        let digest = whole_digest(request)?;
        let sealed = read_sample(request, SAMPLE_LIMIT.min(self.0.sealed_size_limit), body)?;
        digest.check(&Digest::of(&sealed))?;

        let (here, there) = (&self.0.site, &partner.site);
        let mut checks = Checks::default();
        let said = format!("{there} signed with the key `{}`, which {here} has.", proof.key_id);
        checks.passed("signature", TrialSide::Recipient, said);
        let announced = Announced {
            package: envelope.package_id,
            suite: &envelope.suite,
            key_version: envelope.key_version,
            sealed: &sealed,
        };
        let records = self.check_sample(Way::There, partner, &announced, &[], &mut checks)?;

        let mut answer = TrialAnswer::new(
            envelope.package_id,
            here.clone(),
            there.clone(),
            digest,
            proof.created,
            self.answering_key()?.id(),
        );
        answer.at = self.now();
        answer.takes_up_to = self.0.sealed_size_limit;
        answer.sends_up_to = partner.export_rules.max_sealed_size();
        answer.way_back = self.way_back(partner, records, &mut checks)?;
        let said = format!("a trial of {}: {}", partner.alias, summary(&checks.0));
        answer.checks = checks.0;
        let (package, by) = (envelope.package_id, there.as_str());
        let entry = HistoryEntry::new(
            Direction::Incoming,
            Step::Tried,
            package,
            PackageKind::Trial,
            there.clone(),
            by,
            said,
        );
        self.0.ledger.commit(&[Change::Append(entry)])?;
        let mut response = answer.to_response()?;
        self.sign_response(request, &mut response)?;
        Ok(response)
    }

    /// A sample sealed as this site seals for the partner: the partner's own records, as they would go back to it,
    /// or where there are none, or too many, a sample of this site's.
    fn way_back(
        &self,
        partner: &Partner,
        records: Option<Vec<Record>>,
        checks: &mut Checks,
    ) -> Result<Option<SealedSample>> {
        let (here, there) = (&self.0.site, &partner.site);
        if partner.transport.is_none() {
            checks.warned(
                "back-transport",
                TrialSide::Recipient,
                format!("{here} has no way to reach {there}: it can neither send nor acknowledge."),
                format!(
                    "Give {here} the URL of {there}, unless {there} only ever asks for the state of packages."
                ),
            );
        }
        let (version, key) = match partner.sealing(self.now()) {
            Ok(sealing) => sealing,
            Err(error) => {
                checks.failed(
                    NO_SEALING_KEY,
                    TrialSide::Recipient,
                    format!("{here} has no key to seal what it sends to {there}: {error}"),
                    format!("Hand {there}'s key to {here}, which adds it to its settings."),
                );
                return Ok(None);
            }
        };
        let id = self.0.ids.next(self.now());
        // `None` where the settings here leave nothing to seal, or too much.
        let seal = |records: Vec<Record>| {
            let chosen = partner.names.without_taken(select(&records, &partner.selection, None));
            let named = partner.names.to_theirs(chosen);
            let mut package = Package::new(
                PackageKind::Trial,
                here.clone(),
                there.clone(),
                named.records.first()?.id.clone(),
            );
            package.id = id;
            package.key_version = version;
            let sealed = seal_sample(partner, key, package, named.records).ok()?;
            (sealed.len() as u64 <= SAMPLE_LIMIT).then_some((sealed, named.violations))
        };
        let sealed = match records.and_then(seal) {
            Some(sealed) => Some(sealed),
            None => seal(sample_claim(here, partner, &self.0.case_system.catalogue()?, id)?.to_records()?),
        };
        let Some((sealed, violations)) = sealed else {
            checks.failed(
                NO_SEALING_KEY,
                TrialSide::Recipient,
                format!("{here} could not seal a sample for {there}."),
                format!("Check the field selection and the key for {there} in the settings of {here}."),
            );
            return Ok(None);
        };
        let remedy = format!("Give it a name in the name map that {here} has for {there}.");
        checks.violated(TrialOutcome::Failed, "back-", TrialSide::Recipient, &violations, &remedy);
        Ok(Some(SealedSample::new(id, key.suite().name(), version, sealed)))
    }
}

/// The body of a trial, whole and in memory: it is small, or refused.
fn read_sample(request: &Request, limit: u64, body: &mut dyn Read) -> Result<Vec<u8>> {
    let too_large = || {
        Error::new(
            ErrorKind::SealedTooLarge,
            format!("the sample is larger than the {limit} bytes of a trial; take a smaller one"),
        )
    };
    let declared = request.headers().get("content-length").and_then(|length| length.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut sealed = Vec::new();
    body.take(limit + 1).read_to_end(&mut sealed)?;
    if sealed.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(sealed)
}
