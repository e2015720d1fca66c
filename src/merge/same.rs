//! When two field values are the same.
//!
//! A typed round trip through a case system drops what has no value, so a member that is absent, `null` or an empty
//! list is the same at every depth. Everything else is compared exactly: `1.50` is not `1.5`.

use crate::model::Json;
use serde_json::{Map, Value};

/// Whether two fields say the same; `None` is a field that is not there.
pub(crate) fn same(one: Option<&Json>, other: Option<&Json>) -> bool {
    same_value(one.map_or(&Value::Null, |json| &json.0), other.map_or(&Value::Null, |json| &json.0))
}

/// Whether the field has a value at all.
pub(crate) fn has_value(field: Option<&Json>) -> bool {
    field.is_some_and(|json| !is_nothing(&json.0))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Members both have are compared once only, or the cost would double with every level of depth.
        (Value::Object(one), Value::Object(other)) => {
            one.iter().all(|(name, value)| match other.get(name) {
                Some(counterpart) => same_value(value, counterpart),
                None => is_nothing(value),
            }) && lacks_nothing(one, other)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        _ => one == other || (is_nothing(one) && is_nothing(other)),
    }
}

/// Whether what only `other` has is nothing.
fn lacks_nothing(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    other.iter().all(|(name, value)| one.contains_key(name) || is_nothing(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says_the_same(one: &str, other: &str) -> bool {
        let (one, other): (Json, Json) = (one.parse().unwrap(), other.parse().unwrap());
        let says = same(Some(&one), Some(&other));
        assert_eq!(same(Some(&other), Some(&one)), says, "whichever side looks: {one:?}, {other:?}");
        says
    }

    #[test]
    fn nothing_is_nothing_in_every_spelling() {
        assert!(same(None, Some(&Json::NULL)));
        assert!(says_the_same("[]", "null"));
        assert!(says_the_same(r#"{"city": "Ottawa", "lines": []}"#, r#"{"city": "Ottawa", "region": null}"#));
        assert!(!says_the_same(r#"{"city": "Ottawa"}"#, r#"{"city": "Ottawa", "region": "ON"}"#));
    }

    #[test]
    fn an_empty_text_is_a_value_and_numbers_are_exact() {
        assert!(!says_the_same(r#""""#, "null"));
        assert!(!says_the_same("1.5", "1.50"));
        assert!(!says_the_same("[1]", "[1, null]"));
        assert!(!says_the_same("[1]", "[2]"));
    }

    #[test]
    fn the_items_of_a_list_are_compared_as_fields_are() {
        assert!(says_the_same(r#"[{"number": "1", "extension": null}]"#, r#"[{"number": "1"}]"#));
        assert!(!says_the_same(r#"[{"number": "1", "extension": "9"}]"#, r#"[{"number": "1"}]"#));
    }
}
