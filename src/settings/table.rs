//! Reading settings member by member, so that one mistake does not hide the next.

use crate::Detail;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fmt;
use zeroize::Zeroize as _;

/// Every mistake found so far, each with its place.
#[derive(Default)]
pub(super) struct Mistakes(RefCell<Vec<Detail>>);

impl Mistakes {
    pub(super) fn add(&self, place: impl fmt::Display, what: impl fmt::Display) {
        self.0.borrow_mut().push(Detail::at(place, what));
    }

    /// Adds a mistake that names its place itself.
    pub(super) fn add_placed(&self, mistake: Detail) {
        self.0.borrow_mut().push(mistake);
    }

    pub(super) fn into_details(self) -> Vec<Detail> {
        self.0.into_inner()
    }
}

/// One table of the settings, and where it stands; members are taken out, and what is left is not known.
pub(super) struct Table<'m> {
    place: String,
    members: Map<String, Value>,
    known: Vec<&'static str>,
    mistakes: &'m Mistakes,
}

impl<'m> Table<'m> {
    pub(super) fn new(place: impl Into<String>, members: Map<String, Value>, mistakes: &'m Mistakes) -> Self {
        Self { place: place.into(), members, known: Vec::new(), mistakes }
    }

    /// Where a member of this table stands.
    pub(super) fn place_of(&self, name: &str) -> String {
        let name = name.escape_debug();
        if self.place.is_empty() { name.to_string() } else { format!("{}.{name}", self.place) }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn mistakes(&self) -> &'m Mistakes {
        self.mistakes
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// Reports a mistake in a member.
    pub(super) fn mistake(&self, name: &str, what: impl fmt::Display) {
        self.mistakes.add(self.place_of(name), what);
    }

    /// A member that may be left out; `null` counts as left out.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let value = self.take_value(name)?;
        serde_json::from_value(value).map_err(|error| self.mistake(name, error)).ok()
    }

    /// A member that must be there.
    pub(super) fn need<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        if !self.has(name) {
            self.known.push(name);
            self.mistake(name, "it is missing");
            return None;
        }
        self.take(name)
    }

    /// A table that may be left out. What stands in its place is not repeated: it may be a secret.
    pub(super) fn table(&mut self, name: &'static str, expected: &str) -> Option<Table<'m>> {
        match self.take_value(name)? {
            Value::Object(members) => Some(Table::new(self.place_of(name), members, self.mistakes)),
            other => {
                wipe(other);
                self.mistake(name, expected);
                None
            }
        }
    }

    /// A list of tables, empty when it is left out.
    pub(super) fn tables(&mut self, name: &'static str) -> Vec<Table<'m>> {
        let place = self.place_of(name);
        let items = match self.take_value(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                wipe(other);
                self.mistake(name, "a list of tables is expected");
                return Vec::new();
            }
        };
        let table = |(index, item)| match item {
            Value::Object(members) => Some(Table::new(format!("{place}[{index}]"), members, self.mistakes)),
            other => {
                wipe(other);
                self.mistakes.add(format_args!("{place}[{index}]"), "a table is expected");
                None
            }
        };
        items.into_iter().enumerate().filter_map(table).collect()
    }

    /// A table, or a list of them; empty when it is left out.
    pub(super) fn one_or_more(&mut self, name: &'static str) -> Vec<Table<'m>> {
        match self.members.get(name) {
            Some(Value::Array(_)) => self.tables(name),
            _ => self.table(name, "a table, or a list of them, is expected").into_iter().collect(),
        }
    }

    /// Every member that is a table, by names that `read` knows.
    pub(super) fn by_name<K>(mut self, read: impl Fn(&str) -> Option<K>, names: &str) -> Vec<(K, Table<'m>)> {
        let members = std::mem::take(&mut self.members);
        let table = |(name, value): (String, Value)| match (read(&name), value) {
            (Some(key), Value::Object(members)) => {
                Some((key, Table::new(self.place_of(&name), members, self.mistakes)))
            }
            (Some(_), other) => {
                wipe(other);
                self.mistake(&name, "a table is expected");
                None
            }
            (None, other) => {
                wipe(other);
                self.mistake(&name, format_args!("not known here; there are {names}"));
                None
            }
        };
        members.into_iter().filter_map(table).collect()
    }

    /// Reports the members that nobody asked for.
    pub(super) fn finish(self) {
        for name in self.members.keys() {
            self.mistake(name, format_args!("not known here; there are {}", self.known.join(", ")));
        }
    }

    fn take_value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.members.remove(name).filter(|value| !value.is_null())
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        wipe(Value::Object(std::mem::take(&mut self.members)));
    }
}

/// What stands where it does not belong may be a secret.
fn wipe(value: Value) {
    match value {
        Value::String(mut text) => text.zeroize(),
        Value::Array(items) => items.into_iter().for_each(wipe),
        Value::Object(members) => members.into_iter().for_each(|(_, value)| wipe(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
