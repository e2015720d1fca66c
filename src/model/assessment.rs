//! The assessment: record level 2, with the bills that belong to it.

use super::object::{object, record};
use super::{Address, Bill, Code, Decimal, ExchangeId, Money, Timestamp};

record! {
    /// An assessment (also: service request, examination, estimate; OCF-18 and OCF-23).
    Assessment {
        one {
            /// The number its originator gave it.
            assessment_number: String,
            /// The kind of assessment, as both sides know it.
            r#type: String,
            /// Where it stands: `scheduled`, `report editing`, `completed`, …
            status: String,
            /// The provider's contact record.
            provider: ExchangeId,
            /// Where the service takes place.
            service_address: Address,
            /// The contact record of who asked for it.
            requested_by: ExchangeId,
            /// When the report is due.
            due_date: Timestamp,
            /// When it takes place.
            scheduled_at: Timestamp,
            /// When it was completed.
            completed_at: Timestamp,
            /// What was found.
            findings: String,
            /// The sum of the proposed items.
            estimated_total: Money,
            /// The insurer's decision on the proposal (FHIR ClaimResponse).
            decision: Decision,
        }
        many {
            /// The services asked for.
            services: Code,
            /// The injuries (ICD-10-CA; FHIR diagnosis).
            injuries: Injury,
            /// What the provider proposes.
            proposed_items: ProposedItem,
            /// The bills of this assessment: record level 3.
            bills: Bill,
        }
    }
}

object! {
    /// An insurer's decision on a proposal.
    Decision {
        one {
            /// Approved, partly approved, denied.
            code: Code,
            /// The amount approved.
            approved_total: Money,
            /// Why.
            reason: String,
        }
        many {}
    }
}

object! {
    /// An injury.
    Injury {
        one {
            /// The diagnosis (ICD-10-CA).
            code: Code,
            /// The injury in words.
            description: String,
        }
        many {}
    }
}

object! {
    /// Goods or a service that a provider proposes.
    ProposedItem {
        one {
            /// What it is.
            service_code: Code,
            /// What it is, in words.
            description: String,
            /// How many units.
            quantity: Decimal,
            /// The unit.
            unit: String,
            /// The amount for all units.
            amount: Money,
        }
        many {}
    }
}
