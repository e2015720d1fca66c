//! Exact money: decimal amounts, never floats.

use super::object::object;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An exact decimal number of at most 28 significant digits, written as a JSON string: `"1250.00"`.
///
/// The number of decimal places is kept: `1.50` stays `1.50`, and equals `1.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// The sum, or `None` when it has more digits than a `Decimal` holds.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Only what an xs:decimal allows: no exponent, no `+`, no digit groups, a digit on both sides of the point.
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits(whole)
            && digits(places)
            && let Ok(value) = rust_decimal::Decimal::from_str_exact(text)
        {
            return Ok(Self(value));
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}` is no decimal amount of at most 28 digits such as 1250.00", text.escape_debug()),
        ))
    }
}

impl TryFrom<String> for Decimal {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(value: Decimal) -> Self {
        value.to_string()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A currency by its ISO 4217 code: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl FromStr for Currency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{}` is no ISO 4217 currency code such as CAD", text.escape_debug()),
            )),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(code: Currency) -> Self {
        code.to_string()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

object! {
    /// An amount in a currency.
    ///
    /// ```
    /// use claimwire::model::Money;
    ///
    /// let total = Money::new("1250.00".parse()?, "CAD".parse()?);
    /// assert_eq!(total.to_string(), "1250.00 CAD");
    /// # Ok::<(), claimwire::Error>(())
    /// ```
    Money {
        one {
            /// The exact amount.
            amount: Decimal,
            /// The currency the amount is in.
            currency: Currency,
        }
        many {}
    }
}

impl Money {
    /// `amount` of `currency`.
    #[must_use]
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount: Some(amount), currency: Some(currency), ..Self::default() }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.amount, &self.currency) {
            (Some(amount), Some(currency)) => write!(f, "{amount} {currency}"),
            (Some(amount), None) => amount.fmt(f),
            _ => f.write_str("no amount"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for text in
            ["0", "-1", "1250.00", "0.10", "9999999999999999999999999999", "-0.0000000000000000000000000001"]
        {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        for text in [
            "",
            "-",
            "1.",
            ".5",
            "1e3",
            "+1",
            "1,000",
            "1_000",
            " 1",
            "NaN",
            "99999999999999999999999999999",
            "0.00000000000000000000000000001",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn money_keeps_members_it_does_not_know() {
        let json = r#"{"amount":"10.50","currency":"CAD","basis":"net"}"#;
        let money: Money = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&money).unwrap(), json);
    }

    #[test]
    fn a_json_number_is_not_taken_as_an_amount() {
        assert!(serde_json::from_str::<Money>(r#"{"amount":10.5,"currency":"CAD"}"#).is_err());
    }
}
