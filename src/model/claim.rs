//! The claim: record level 1.

use super::object::{object, record};
use super::{Address, Code, Date, ExchangeId};

record! {
    /// A claim (also: case, referral). A claim number or a policy number is required for an export.
    Claim {
        one {
            /// The insurer's number of the claim, at most 50 characters (X12 REF*Y4, FHIR Claim.identifier).
            claim_number: String,
            /// The number of the policy the claim is made under.
            policy_number: String,
            /// The kind of claim, or the template it is made from (ACORD ClaimTypeCd, FHIR Claim.type).
            claim_type: String,
            /// The line of business, such as `auto`.
            line_of_business: String,
            /// Where the claim stands (ACORD ClaimStatusCd).
            status: String,
            /// Since when it stands there.
            status_date: Date,
            /// The day of the loss (Guidewire lossDate).
            loss_date: Date,
            /// The day the loss was reported.
            reported_date: Date,
            /// What caused the loss.
            loss_cause: Code,
            /// What happened, in words.
            loss_description: String,
            /// Where it happened.
            loss_location: Address,
            /// Whose law applies, such as `CA-ON`.
            jurisdiction: String,
            /// The insurer's contact record.
            insurer: ExchangeId,
            /// The adjuster's contact record.
            adjuster: ExchangeId,
            /// The insured person's contact record.
            insured: ExchangeId,
            /// The claimant's contact record (FHIR Claim.patient).
            claimant: ExchangeId,
        }
        many {
            /// The coverages the claim touches.
            exposures: Exposure,
        }
    }
}

object! {
    /// One coverage a claim touches, for one claimant.
    Exposure {
        one {
            /// The exposure's id within the claim.
            id: String,
            /// The kind of coverage.
            coverage_type: Code,
            /// The claimant's contact record.
            claimant: ExchangeId,
            /// Where the exposure stands.
            status: String,
        }
        many {}
    }
}
