//! The sender of a trial, after the answer or in its place: what a failed connection, a refusal, the partner's
//! findings and its sample say of both sides.

use super::open::{Announced, Way};
use super::report::Checks;
use crate::exchange::Exchange;
use crate::exchange::partner::Partner;
use crate::model::{Json, Record, SiteId, Timestamp, by_id};
use crate::package::FORMAT_VERSION;
use crate::protocol::{
    Digest, Envelope, Problem, Request, Response, TrialAnswer, TrialSide, is_signed, printable, signer_id,
    verify_response,
};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// The recipient cannot seal for the way back.
pub(super) const NO_SEALING_KEY: &str = "back-sealing-key";

/// An answer, and the request it is bound to.
pub(super) struct Answered<'a> {
    pub(super) request: &'a Request,
    pub(super) response: &'a Response,
    /// When it came in, by this site's clock.
    pub(super) at: Timestamp,
}

/// No answer came.
pub(super) fn tell_unreached(here: &SiteId, partner: &Partner, error: &Error, checks: &mut Checks) {
    let there = &partner.site;
    let (code, side, remedy) = match error.kind() {
        ErrorKind::BadCertificate => (
            "certificate",
            TrialSide::Either,
            format!(
                "Compare what {here} trusts and shows with what {there} shows and trusts: root certificates, host name, client certificate."
            ),
        ),
        ErrorKind::Unreachable | ErrorKind::TimedOut => (
            "connection",
            TrialSide::Either,
            format!(
                "Check the host and port in the URL, that the endpoint of {there} runs, and the firewalls between."
            ),
        ),
        ErrorKind::PlainHttp => {
            ("plain-http", TrialSide::Sender, format!("Ask {there} for an https address, and set that."))
        }
        ErrorKind::BadMessage => (
            "address",
            TrialSide::Sender,
            format!(
                "Check the host and port in the URL: what answers there is no HTTP server as {there} should have."
            ),
        ),
        _ => ("transport", TrialSide::Sender, format!("Check the transport that {here} has for {there}.")),
    };
    checks.failed(code, side, format!("{here} got no answer from {there}: {error}"), remedy);
}

impl Exchange {
    /// What an answer says of both sides.
    pub(super) fn judge(
        &self,
        partner: &Partner,
        answered: &Answered<'_>,
        sent: &[Record],
        checks: &mut Checks,
    ) -> Result<()> {
        if !answered.response.is_success() {
            self.judge_refusal(partner, answered.response, checks);
            return Ok(());
        }
        if !self.judge_signature(partner, answered, checks) {
            return Ok(());
        }
        self.tell_reached(partner, checks);
        let there = &partner.site;
        let answer = match self.read_answer(partner, answered) {
            Ok(answer) => answer,
            Err(error) => {
                let remedy = format!("Ask {there} which version of claimwire answers there.");
                let said = format!("What {there} signed is no answer to this trial: {error}");
                checks.failed("answer", TrialSide::Recipient, said, remedy);
                return Ok(());
            }
        };
        self.judge_clocks(partner, &answer, answered, checks);
        self.judge_limits(partner, &answer, checks);
        let told = answer.checks.iter().any(|check| check.code == NO_SEALING_KEY);
        checks.0.extend(answer.checks);
        let Some(back) = answer.way_back else {
            if !told {
                let said = format!("{there} sent no sample for the way back.");
                let remedy = format!("Ask {there} why, or let it try {} in turn.", self.0.site);
                checks.failed(NO_SEALING_KEY, TrialSide::Recipient, said, remedy);
            }
            return Ok(());
        };
        let announced = Announced {
            package: back.package_id,
            suite: &back.suite,
            key_version: back.key_version,
            sealed: &back.sealed,
        };
        if let Some(came) = self.check_sample(Way::Back, partner, &announced, sent, checks)? {
            compare(there, sent, &came, checks);
        }
        Ok(())
    }

    fn tell_reached(&self, partner: &Partner, checks: &mut Checks) {
        let said = format!("{} reached the endpoint of {}.", self.0.site, partner.site);
        checks.passed("connection", TrialSide::Recipient, said);
    }

    /// An answer that is none of a trial. Nobody signed it, so it is a hint and no proof.
    fn judge_refusal(&self, partner: &Partner, response: &Response, checks: &mut Checks) {
        let (here, there, status) = (&self.0.site, &partner.site, response.status());
        let problem = Problem::from_response(response);
        let detail = match problem.detail.as_str() {
            "" => format!("HTTP {status}"),
            page if problem.kind().is_none() => format!("{page} (HTTP {status})"),
            said => said.to_owned(),
        };
        if problem.kind().is_some_and(|kind| kind != ErrorKind::BadMessage) {
            self.tell_reached(partner, checks);
        }
        let ours = self.signer();
        match (problem.kind(), status) {
            (Some(ErrorKind::UnknownSender), _) => checks.failed(
                "signature",
                TrialSide::Either,
                format!("{there} does not know {here} by the key `{ours}` it signs with, has another key under that id, or the request was changed on its way: {detail}"),
                format!("Let {there} register the site id {here} and the verifying key `{ours}`, hand it over anew, and let no proxy rewrite path or headers."),
            ),
            (Some(ErrorKind::BadSignature), _) => checks.failed(
                "signature",
                TrialSide::Either,
                format!("{there} has another key under the id `{ours}`, or the request was changed on its way: {detail}"),
                format!("Hand the verifying key `{ours}` to {there} anew, and let no proxy rewrite path or headers."),
            ),
            (Some(ErrorKind::KeyNotValid), _) => checks.failed(
                "signature",
                TrialSide::Either,
                format!("{there} does not take the key `{ours}` at this time: {detail}"),
                format!("Let {here} sign with a key that is valid now, or {there} correct the dates of this one."),
            ),
            (Some(ErrorKind::Replayed), _) => checks.failed(
                "clock",
                TrialSide::Either,
                format!("The clocks of {here} and {there} differ by more than {there} allows: {detail}"),
                "Set both clocks by a time server.",
            ),
            (Some(ErrorKind::WrongRecipient), _) => checks.failed(
                "recipient",
                TrialSide::Sender,
                format!("Another site than {there} answers at this address: {detail}"),
                format!("Check the URL that {here} has for {there}, and the site id."),
            ),
            (Some(ErrorKind::SealedTooLarge), _) | (None, 413) => checks.failed(
                "sample-size",
                TrialSide::Recipient,
                format!("{there}, or a proxy before it, does not even take a sample: {detail}"),
                format!("Raise the size limits at {there}, or try with a smaller claim."),
            ),
            (Some(ErrorKind::DigestMismatch | ErrorKind::Truncated), _) => checks.failed(
                "connection",
                TrialSide::Either,
                format!("The sample did not reach {there} as it was sent: {detail}"),
                "Look for a proxy between the two sites that changes or cuts bodies.",
            ),
            (_, 404 | 405) => self.judge_unknown_path(partner, status, checks),
            (None, 300..400) => {
                let to = response.headers().get("location").map_or_else(String::new, |location| {
                    format!(" to `{}`", printable(location).chars().take(200).collect::<String>())
                });
                checks.failed(
                    "address",
                    TrialSide::Sender,
                    format!("The address of {there} redirects{to}; a redirect is never followed (HTTP {status})."),
                    format!("Set the URL that {there} really answers at."),
                );
            }
            (None, 401 | 403 | 407) => checks.failed(
                "access",
                TrialSide::Either,
                format!("A server before {there} lets {here} not pass (HTTP {status})."),
                format!("Ask {there} which token or client certificate it wants, and check the proxy settings."),
            ),
            // Of the others, 408, 425, 429 and 5xx may pass.
            (None, ..500) if !matches!(status, 408 | 425 | 429) => checks.failed(
                "address",
                TrialSide::Sender,
                format!("What answers is no claimwire endpoint (HTTP {status})."),
                format!("Check the URL that {here} has for {there}."),
            ),
            _ => checks.failed(
                "endpoint",
                TrialSide::Recipient,
                format!("{there} could not answer: {detail}"),
                format!("Try again later; if it stays so, the operators of {there} find the cause in their log."),
            ),
        }
    }

    /// Nothing is at the trial's address: the path is wrong, or the endpoint older than trials.
    fn judge_unknown_path(&self, partner: &Partner, status: u16, checks: &mut Checks) {
        let (here, there) = (&self.0.site, &partner.site);
        let asked = self.ask_for_nothing(partner).map(|response| Problem::from_response(&response).kind());
        match asked.flatten() {
            Some(ErrorKind::UnknownPackage) => {
                self.tell_reached(partner, checks);
                let said = format!("{there} knows the key `{}` that {here} signs with.", self.signer());
                checks.passed("signature", TrialSide::Recipient, said);
                checks.failed(
                    "trials-unknown",
                    TrialSide::Recipient,
                    format!(
                        "{there} runs a version of claimwire that knows no trials; no more could be checked."
                    ),
                    format!("Let {there} update claimwire, or try with one package of sample data."),
                );
            }
            Some(ErrorKind::UnknownSender | ErrorKind::BadSignature | ErrorKind::Replayed) => {
                self.tell_reached(partner, checks);
                checks.failed(
                    "signature",
                    TrialSide::Recipient,
                    format!("{there} does not take the signature of {here}, and knows no trials."),
                    format!(
                        "Let {there} register the verifying key `{}`, compare the clocks, and let it update claimwire.",
                        self.signer()
                    ),
                );
            }
            _ => checks.failed(
                "address",
                TrialSide::Sender,
                format!("The URL's path is not that of a claimwire endpoint (HTTP {status})."),
                format!(
                    "Ask {there} for the path of its endpoint, and correct the URL that {here} has for it."
                ),
            ),
        }
    }

    /// Whether the partner signed it, as an answer to this trial.
    fn judge_signature(&self, partner: &Partner, answered: &Answered<'_>, checks: &mut Checks) -> bool {
        let (here, there) = (&self.0.site, &partner.site);
        let Answered { request, response, at } = answered;
        let signer = match signer_id(response.headers()) {
            Ok(signer) if is_signed(response.headers()) => printable(&signer),
            _ => {
                checks.failed(
                    "answer-signature",
                    TrialSide::Sender,
                    format!("What answers at the address of {there} does not sign: it is no claimwire endpoint, or something answers in its place."),
                    format!("Check the URL that {here} has for {there}, and what stands between the two sites."),
                );
                return false;
            }
        };
        let Some(key) = partner.verifying_key(&signer) else {
            checks.failed(
                "answer-signature",
                TrialSide::Sender,
                format!("{there} signs with the key `{signer}`, which {here} does not have."),
                format!("Ask {there} for its verifying key `{signer}`, and add it to its settings here."),
            );
            return false;
        };
        match verify_response(request, response, key, *at, Duration::MAX) {
            Ok(signed) if !key.validity().holds_at(signed) => {
                checks.failed(
                    "answer-signature",
                    TrialSide::Either,
                    format!("{there} signed with the key `{signer}` at {signed}; at {here} it is valid {}.", key.validity()),
                    format!("Let {there} sign with a key that is valid now, or correct the dates of this one at {here}."),
                );
                false
            }
            Ok(_) => {
                let said = format!("{there} signs with the key `{signer}`, which {here} has.");
                checks.passed("answer-signature", TrialSide::Sender, said);
                true
            }
            Err(error) => {
                checks.failed(
                    "answer-signature",
                    TrialSide::Either,
                    format!("{here} has another key of {there} under the id `{signer}`, or the answer was changed on its way: {error}"),
                    format!("Ask {there} for its verifying key `{signer}` anew, and let no proxy rewrite answers."),
                );
                false
            }
        }
    }

    /// The answer, once it is known to be to this trial.
    fn read_answer(&self, partner: &Partner, answered: &Answered<'_>) -> Result<TrialAnswer> {
        let answer = TrialAnswer::from_response(answered.response)?;
        let headers = answered.request.headers();
        let digest: Option<Digest> = headers.get("content-digest").and_then(|digest| digest.parse().ok());
        let fits = answer.package_id == Envelope::package_id(headers)?
            && answer.from == partner.site
            && answer.to == self.0.site
            && Some(&answer.digest) == digest.as_ref();
        if fits {
            return Ok(answer);
        }
        Err(Error::new(ErrorKind::BadMessage, "it speaks of another package, or of other sites"))
    }

    /// How far the clocks are apart. The answer was written after the trial was signed and before it came in, so
    /// what lies outside of these is a difference; what the way took is none.
    fn judge_clocks(
        &self,
        partner: &Partner,
        answer: &TrialAnswer,
        answered: &Answered<'_>,
        checks: &mut Checks,
    ) {
        let (here, there, window) = (&self.0.site, &partner.site, partner.signature_window.as_secs());
        let behind = answer.sent_at.unix_seconds() - answer.at.unix_seconds();
        let ahead = answer.at.unix_seconds() - answered.at.unix_seconds();
        let (apart, way) = if behind > ahead { (behind, "behind") } else { (ahead, "ahead of") };
        let apart = u64::try_from(apart).unwrap_or(0);
        let said = format!(
            "The clock of {there} is {apart} s {way} that of {here}: it answered at {} what was sent at {} and answered by {}; {here} allows {window} s.",
            answer.at, answer.sent_at, answered.at
        );
        let remedy = "Set both clocks by a time server.";
        if apart > window {
            checks.failed("clock", TrialSide::Either, said, remedy);
        } else if apart > window / 5 {
            checks.warned("clock", TrialSide::Either, said, remedy);
        } else {
            let said = format!(
                "The clocks agree: it was {} at {there} and {} at {here} when the answer came.",
                answer.at, answered.at
            );
            checks.passed("clock", TrialSide::Either, said);
        }
    }

    /// Whether each side takes what the other may send.
    fn judge_limits(&self, partner: &Partner, answer: &TrialAnswer, checks: &mut Checks) {
        let (here, there) = (&self.0.site, &partner.site);
        let mut compare = |code: &str, from: (&SiteId, u64), to: (&SiteId, u64)| {
            let ((from, sends), (to, takes)) = (from, to);
            let said = format!("{from} may send {sends} bytes sealed; {to} takes {takes}.");
            if sends <= takes {
                checks.passed(code, TrialSide::Either, said);
                return;
            }
            let remedy =
                format!("Set the size limit of {from} for {to} to {takes} bytes, or raise that of {to}.");
            checks.warned(code, TrialSide::Either, said, remedy);
        };
        compare("size-limit", (here, partner.export_rules.max_sealed_size()), (there, answer.takes_up_to));
        compare("back-size-limit", (there, answer.sends_up_to), (here, self.0.sealed_size_limit));
        let theirs = answer.format_version;
        if theirs < FORMAT_VERSION {
            checks.failed(
                "format-version",
                TrialSide::Recipient,
                format!(
                    "{there} reads packages up to format version {theirs}; {here} writes {FORMAT_VERSION}."
                ),
                format!("Let {there} update claimwire."),
            );
        }
    }
}

/// What left and came back under the same id must say the same: else the two name maps do not fit, and every exchange
/// would change it.
fn compare(there: &SiteId, sent: &[Record], came: &[Record], checks: &mut Checks) {
    let known = by_id(sent);
    let mut compared = 0usize;
    let mut differ: BTreeMap<String, (String, String)> = BTreeMap::new();
    for back in came {
        let Some(out) = known.get(&back.id).filter(|out| out.kind == back.kind) else { continue };
        for (name, value) in &back.fields {
            // A document's own fields are those of the sample text.
            let of_bytes = matches!(name.as_str(), "name" | "size" | "sha256");
            let Some(had) = out.fields.get(name).filter(|had| !had.is_null()) else { continue };
            if value.is_null() || of_bytes {
                continue;
            }
            compared += 1;
            if value != had {
                let field = format!("{} field `{}`", back.kind, name.escape_debug());
                differ.entry(field).or_insert_with(|| (shown(had), shown(value)));
            }
        }
    }
    for (field, (had, has)) in &differ {
        checks.failed(
            "back-names",
            TrialSide::Either,
            format!("The {field} left as {had} and came back from {there} as {has}."),
            "Compare the name maps of both sites: one of them maps, or each to a vocabulary they agreed on.",
        );
    }
    if compared > 0 && differ.is_empty() {
        let said = format!("What came back from {there} is what was sent, name for name.");
        checks.passed("back-names", TrialSide::Either, said);
    }
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(
        || "another value".to_owned(),
        |text| format!("`{}`", text.chars().take(60).collect::<String>().escape_debug()),
    )
}
