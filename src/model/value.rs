//! Small values that several records share: codes, external ids, addresses.

use super::object::object;

object! {
    /// A coded value: `code` as `system` defines it, and its text for people (FHIR Coding).
    Code {
        one {
            /// The code itself.
            code: String,
            /// The list the code comes from, such as `ICD-10-CA`.
            system: String,
            /// The code's meaning for people.
            display: String,
        }
        many {}
    }
}

impl Code {
    /// A code of no named system.
    #[must_use]
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..Self::default() }
    }

    /// A code of `system`.
    #[must_use]
    pub fn of(system: impl Into<String>, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), system: Some(system.into()), ..Self::default() }
    }
}

object! {
    /// A record's id in another system.
    ExternalId {
        one {
            /// The system that gave the id.
            system: String,
            /// The id in that system.
            value: String,
        }
        many {}
    }
}

object! {
    /// A postal address.
    Address {
        one {
            /// What the address is for: `home`, `work`, `service`.
            kind: String,
            /// The city.
            city: String,
            /// The province or state.
            region: String,
            /// The postal code.
            postal_code: String,
            /// The country, by its ISO 3166-1 alpha-2 code.
            country: String,
        }
        many {
            /// Street, number, unit: one line each.
            lines: String,
        }
    }
}
