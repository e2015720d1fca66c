//! People and companies of a claim.

use super::object::{object, record};
use super::{Address, Date, ExchangeId};

record! {
    /// A person or a company.
    Contact {
        one {
            /// `person` or `company`.
            r#type: String,
            /// A person's first name.
            first_name: String,
            /// A person's last name.
            last_name: String,
            /// A company's name.
            name: String,
            /// The contact record of the company a person belongs to.
            company: ExchangeId,
            /// The e-mail address.
            email: String,
            /// A person's date of birth.
            birth_date: Date,
            /// The tax number; never logged.
            tax_id: String,
            /// A professional's licence number.
            licence_number: String,
            /// A facility's number (HCAI).
            facility_number: String,
        }
        many {
            /// What the contact is to which record (ACORD ClaimsPartyRoleCd).
            roles: ContactRole,
            /// Telephone numbers.
            phones: Phone,
            /// Postal addresses.
            addresses: Address,
        }
    }
}

object! {
    /// What a contact is to a record.
    ContactRole {
        one {
            /// The role: `claimant`, `adjuster`, `examiner`, …
            role: String,
            /// The record the role is about.
            related_to: ExchangeId,
        }
        many {}
    }
}

object! {
    /// A telephone number.
    Phone {
        one {
            /// What it is for: `home`, `work`, `mobile`, `fax`.
            kind: String,
            /// The number as people dial it.
            number: String,
        }
        many {}
    }
}
