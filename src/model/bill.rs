//! The bill: record level 3.

use super::object::{object, record};
use super::{Code, Date, Decimal, ExchangeId, Money};

record! {
    /// A bill for an assessment (OCF-21, Guidewire invoice, X12 837).
    Bill {
        one {
            /// The number its originator gave it.
            bill_number: String,
            /// The day it was made out.
            bill_date: Date,
            /// The kind of bill.
            r#type: String,
            /// The provider's contact record.
            provider: ExchangeId,
            /// The contact record of who is to be paid.
            payee: ExchangeId,
            /// Where it stands: `submitted`, `approved`, `paid`, `withdrawn`.
            status: String,
            /// What is to be paid, taxes included.
            total: Money,
            /// The taxes within the total.
            tax_total: Money,
            /// What other insurance pays.
            other_insurance: Money,
        }
        many {
            /// What is billed, line by line.
            line_items: LineItem,
        }
    }
}

object! {
    /// One line of a bill.
    LineItem {
        one {
            /// The line's place on the bill, from 1.
            seq: u32,
            /// What was provided.
            service_code: Code,
            /// What was provided, in words.
            description: String,
            /// The category of goods or services.
            category: String,
            /// The day it was provided.
            service_date: Date,
            /// How many units.
            quantity: Decimal,
            /// The unit.
            unit: String,
            /// The price of one unit.
            unit_price: Money,
            /// The tax on this line.
            tax: Money,
            /// The line's amount.
            amount: Money,
        }
        many {}
    }
}
