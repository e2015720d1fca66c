//! Which contacts that came in are people and companies that stand here already, under other ids.
//!
//! A duplicate is better than two people mixed: whatever is in doubt is no match.

use super::pairs::ContactPairs;
use super::same::has_value;
use crate::codec::to_nfc;
use crate::model::{ExchangeId, Record, RecordKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A fact that more contacts here have than this tells nobody from the others. It also bounds the work.
const MOST_HOLDERS: usize = 8;

/// Facts of which a person or company has one: two different ones are two contacts.
const SINGLE: [&str; 3] = ["birth_date", "licence_number", "tax_id"];

/// Pairs contacts that came in under ids unknown here with the one contact here that is the same person or company.
///
/// `incoming` is in this site's names, with what is paired already (`known`) under our ids; `base` is what both sides
/// last had in common; `shared` says whether a field of contacts is exchanged with this partner. Two contacts are the
/// same when they have the same `type` and
///
/// - an equal identifier: a pair of system and value in `external_ids`, `licence_number`, `facility_number`, `tax_id`; or
/// - equal names and one equal fact: `birth_date`, `email`, a telephone number, or, of companies, a postal address;
///
/// unless both have a `birth_date`, `licence_number` or `tax_id` and these differ. Names and addresses are compared
/// without regard to case, spaces and Unicode form, telephone numbers by their digits, numbers by their letters and
/// digits; one without a digit, or of one digit over and over, identifies nobody.
///
/// Where there is doubt nothing is matched: what could be two contacts here, or could be one that another which came in
/// could be too, is new. Which side looks makes no difference to that. A contact that the
/// partner knows by our id is taken. Facts that are not shared match nothing, so that a partner learns nothing from a
/// match that it is not sent anyway; where it states one of the three facts above and ours is not shared, there is no
/// match, whether they agree or not.
///
/// The cost is O(n log n) in the size of the contacts.
#[must_use]
pub fn match_contacts(
    local: &[Record],
    incoming: &[Record],
    base: &[Record],
    known: &ContactPairs,
    shared: impl Fn(&str) -> bool,
) -> ContactPairs {
    let mut pairs = ContactPairs::new();
    let here: Vec<&Record> = contacts(local).collect();
    let known_ids: BTreeSet<&ExchangeId> = local.iter().chain(base).map(|record| &record.id).collect();
    let unknown = |id: &ExchangeId| !known_ids.contains(id) && known.ours(id).is_none();
    let new: Vec<&Record> = contacts(incoming).filter(|record| unknown(&record.id)).collect();
    if here.is_empty() || new.is_empty() {
        return pairs;
    }

    let mut numbers = Numbers::default();
    let ours: Vec<Facts> = here.iter().map(|record| Facts::of(record, &mut numbers, &shared)).collect();
    let mut holders: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
    for (place, facts) in ours.iter().enumerate() {
        for key in &facts.keys {
            holders.entry(key).or_default().push(place);
        }
    }

    // For each contact here that one which came in could be, the one that can be no other; `None` where there is doubt.
    let mut claimed: BTreeMap<usize, Option<&ExchangeId>> = BTreeMap::new();
    let mut crowds = BTreeSet::new();
    for record in new {
        let theirs = Facts::of(record, &mut numbers, &|_: &str| true);
        let (mut candidates, mut in_doubt) = (BTreeSet::new(), false);
        for (key, places) in theirs.keys.iter().filter_map(|key| holders.get_key_value(key)) {
            if places.len() > MOST_HOLDERS {
                in_doubt = true;
                crowds.insert(*key);
            } else {
                candidates.extend(places.iter().filter(|place| !theirs.contradicts(&ours[**place])));
            }
        }
        let sure = Some(&record.id).filter(|_| !in_doubt && candidates.len() == 1);
        for place in candidates {
            claimed.entry(place).and_modify(|claim| *claim = None).or_insert(sure);
        }
    }
    for place in crowds.iter().filter_map(|crowd| holders.get(crowd)).flatten() {
        claimed.remove(place);
    }
    let taken: BTreeSet<&ExchangeId> = base
        .iter()
        .chain(incoming)
        .map(|record| &record.id)
        .chain(known.iter().map(|(_, ours)| ours))
        .collect();
    for (place, theirs) in claimed {
        let ours = &here[place].id;
        if let Some(theirs) = theirs.filter(|_| !taken.contains(ours)) {
            pairs.extend([(theirs.clone(), ours.clone())]);
        }
    }
    pairs
}

/// What counts as common of paired contacts that were not common before: what the partner says of each field that has
/// a value here. Merged against it, values here stay, theirs fill what is empty, and nothing is a conflict.
///
/// `incoming` has paired contacts under our ids.
#[must_use]
pub fn common_at_first(
    local: &[Record],
    incoming: &[Record],
    base: &[Record],
    pairs: &ContactPairs,
) -> Vec<Record> {
    let here: BTreeMap<&ExchangeId, &Record> = contacts(local).map(|record| (&record.id, record)).collect();
    let common: BTreeSet<&ExchangeId> = base.iter().map(|record| &record.id).collect();
    let paired: BTreeSet<&ExchangeId> = pairs.iter().map(|(_, ours)| ours).collect();
    contacts(incoming)
        .filter(|record| paired.contains(&record.id) && !common.contains(&record.id))
        .filter_map(|record| {
            let ours = here.get(&record.id)?;
            let mut first = record.clone();
            first.fields.retain(|name, _| has_value(ours.fields.get(name)));
            Some(first)
        })
        .collect()
}

fn contacts(records: &[Record]) -> impl Iterator<Item = &Record> {
    records.iter().filter(|record| record.kind == RecordKind::Contact)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    External,
    Licence,
    Facility,
    Tax,
    BirthDate,
    Email,
    Phone,
    Address,
}

/// A fact of a contact of some type; `of` is the system of an external id, or the name beside the fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    fact: Fact,
    of: usize,
    value: String,
}

/// Numbers for texts, so that a long name is not kept with every telephone number beside it.
#[derive(Default)]
struct Numbers(BTreeMap<(usize, String), usize>);

impl Numbers {
    fn of(&mut self, kind: usize, text: String) -> usize {
        // 0 is what the kinds themselves are numbered under.
        let next = self.0.len() + 1;
        *self.0.entry((kind, text)).or_insert(next)
    }
}

/// What identifies a contact.
struct Facts {
    keys: BTreeSet<Key>,
    single: [Single; 3],
}

enum Single {
    Unknown,
    /// There, but not exchanged with this partner.
    Private,
    Known(String),
}

impl Facts {
    fn of(record: &Record, numbers: &mut Numbers, shared: &impl Fn(&str) -> bool) -> Self {
        let kind = text(record, "type").map(folded).unwrap_or_default();
        let is_company = kind == "company";
        let kind = numbers.of(0, kind);
        let shown = |name: &str| text(record, name).filter(|_| shared(name));
        let mut keys = BTreeSet::new();
        let mut add = |fact, of, value| {
            keys.insert(Key { fact, of, value });
        };

        let unnamed = numbers.of(kind, String::new());
        let identifiers =
            [(Fact::Licence, "licence_number"), (Fact::Facility, "facility_number"), (Fact::Tax, "tax_id")];
        for (fact, name) in identifiers {
            if let Some(number) = shown(name).and_then(identifier) {
                add(fact, unnamed, number);
            }
        }
        for external in items(record, "external_ids", shared) {
            let (system, value) = (member(external, "system"), member(external, "value"));
            if !system.is_empty() && !value.is_empty() {
                add(Fact::External, numbers.of(kind, folded(system)), value.to_owned());
            }
        }

        let full = match (shown("first_name").map(folded), shown("last_name").map(folded)) {
            (Some(first), Some(last)) if !first.is_empty() && !last.is_empty() => format!("{first} {last}"),
            _ => shown("name").map(folded).unwrap_or_default(),
        };
        if !full.is_empty() {
            let named = numbers.of(kind, full);
            if let Some(date) = shown("birth_date").map(str::trim).filter(|date| !date.is_empty()) {
                add(Fact::BirthDate, named, date.to_owned());
            }
            if let Some(email) = shown("email").map(folded).filter(|email| email.contains('@')) {
                add(Fact::Email, named, email);
            }
            for phone in items(record, "phones", shared) {
                let digits: String = member(phone, "number").chars().filter(char::is_ascii_digit).collect();
                if digits.len() >= 7 {
                    add(Fact::Phone, named, digits);
                }
            }
            let addresses = is_company.then(|| items(record, "addresses", shared));
            for place in addresses.into_iter().flatten().filter_map(postal_address) {
                add(Fact::Address, named, place);
            }
        }

        let single = SINGLE.map(|name| {
            let value = match (name, text(record, name)) {
                (_, None) => None,
                ("birth_date", Some(date)) => Some(date.trim().to_owned()).filter(|date| !date.is_empty()),
                (_, Some(number)) => identifier(number),
            };
            match value {
                None => Single::Unknown,
                Some(_) if !shared(name) => Single::Private,
                Some(value) => Single::Known(value),
            }
        });
        Self { keys, single }
    }

    fn contradicts(&self, ours: &Self) -> bool {
        self.single.iter().zip(&ours.single).any(|(theirs, ours)| match (theirs, ours) {
            (Single::Known(theirs), Single::Known(ours)) => theirs != ours,
            (Single::Known(_), Single::Private) => true,
            _ => false,
        })
    }
}

fn text<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    record.fields.get(name).and_then(|value| value.as_str())
}

/// The items of a list that is shared.
fn items<'a>(record: &'a Record, name: &str, shared: &impl Fn(&str) -> bool) -> &'a [Value] {
    let list = record.fields.get(name).filter(|_| shared(name)).and_then(|value| value.0.as_array());
    list.map(Vec::as_slice).unwrap_or_default()
}

fn member<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default().trim()
}

/// The form in which names are compared: lower case, NFC, single spaces inside and none around.
fn folded(text: &str) -> String {
    let lower = text.to_lowercase();
    to_nfc(&lower.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// A number as it is compared: its letters and digits; none where it is a mere filler such as `n/a` or `000-000`.
fn identifier(text: &str) -> Option<String> {
    let number: String =
        text.to_lowercase().chars().filter(|character| character.is_alphanumeric()).collect();
    let tells = number.chars().any(|character| character.is_ascii_digit())
        && number.chars().collect::<BTreeSet<_>>().len() > 1;
    tells.then_some(number)
}

/// An address as it is compared, where it names a place: lines, and a city or postal code.
fn postal_address(address: &Value) -> Option<String> {
    let lines = address.get("lines").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut parts: Vec<String> =
        lines.iter().filter_map(Value::as_str).map(folded).filter(|line| !line.is_empty()).collect();
    let [city, region, country] = ["city", "region", "country"].map(|name| folded(member(address, name)));
    let code = folded(member(address, "postal_code")).replace(' ', "");
    if parts.is_empty() || (city.is_empty() && code.is_empty()) {
        return None;
    }
    parts.extend([city, region, code, country]);
    Some(parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str, fields: &str) -> Record {
        let mut record = Record::new(RecordKind::Contact, id.parse().unwrap());
        let fields: BTreeMap<String, crate::model::Json> = serde_json::from_str(fields).unwrap();
        record.fields.extend(fields);
        record.fields.entry("type".into()).or_insert("person".into());
        record
    }

    fn matched(ours: &[&str], theirs: &[&str]) -> usize {
        matched_where(ours, theirs, |_| true)
    }

    fn matched_where(ours: &[&str], theirs: &[&str], shared: impl Fn(&str) -> bool) -> usize {
        let records = |site: &str, all: &[&str]| -> Vec<Record> {
            all.iter().enumerate().map(|(n, fields)| contact(&format!("{site}/P-{n}"), fields)).collect()
        };
        let pairs =
            match_contacts(&records("A", ours), &records("B", theirs), &[], &ContactPairs::new(), shared);
        pairs.iter().count()
    }

    const ANNA: &str = r#"{"first_name": "Anna", "last_name": "Roy", "birth_date": "1980-05-01"}"#;

    #[test]
    fn an_equal_identifier_is_enough() {
        for (ours, theirs) in [
            (r#"{"licence_number": "CPSO 12-345"}"#, r#"{"licence_number": "cpso12345"}"#),
            (r#"{"facility_number": "F-77"}"#, r#"{"facility_number": "F 77"}"#),
            (r#"{"tax_id": "123 456 789"}"#, r#"{"tax_id": "123-456-789", "name": "Another"}"#),
            (
                r#"{"external_ids": [{"system": "HCAI", "value": "9"}, {"system": "x", "value": "1"}]}"#,
                r#"{"external_ids": [{"system": "hcai ", "value": "9"}]}"#,
            ),
        ] {
            assert_eq!(matched(&[ours], &[theirs]), 1, "{ours}");
        }
        let other = r#"{"external_ids": [{"system": "other", "value": "9"}]}"#;
        assert_eq!(matched(&[r#"{"external_ids": [{"system": "HCAI", "value": "9"}]}"#], &[other]), 0);
    }

    #[test]
    fn a_filler_identifies_nobody() {
        for filler in ["n/a", "000-000", "", " ", "unknown"] {
            let fields = format!(r#"{{"tax_id": "{filler}", "licence_number": "{filler}"}}"#);
            assert_eq!(matched(&[&fields], &[&fields]), 0, "{filler}");
        }
    }

    #[test]
    fn names_need_one_equal_fact_beside_them() {
        assert_eq!(matched(&[ANNA], &[r#"{"name": " ANNA   roy", "birth_date": "1980-05-01"}"#]), 1);
        assert_eq!(matched(&[ANNA], &[r#"{"first_name": "Anna", "last_name": "Roy"}"#]), 0);
        assert_eq!(matched(&[ANNA], &[r#"{"last_name": "Roy", "birth_date": "1980-05-01"}"#]), 0);
        let zoe = |name: &str| format!(r#"{{"name": "{name}", "email": "Zoe@example.org"}}"#);
        assert_eq!(matched(&[&zoe("Zo\u{eb}")], &[&zoe("ZOE\u{308}").to_lowercase()]), 1, "NFC");
        let phone = |number: &str| format!(r#"{{"name": "Zoe", "phones": [{{"number": "{number}"}}]}}"#);
        assert_eq!(matched(&[&phone("(613) 555-0100")], &[&phone("613.555.0100")]), 1);
        assert_eq!(matched(&[&phone("0100")], &[&phone("0100")]), 0, "an extension");
    }

    #[test]
    fn half_of_a_name_gives_way_to_the_whole_one() {
        let halves = [r#""first_name": "", "last_name": "Roy""#, r#""first_name": "Anna", "last_name": " ""#];
        for half in halves {
            let ours = format!(r#"{{{half}, "name": "Anna Roy", "birth_date": "1980-05-01"}}"#);
            assert_eq!(matched(&[&ours], &[ANNA]), 1, "{half}");
        }
    }

    #[test]
    fn half_of_an_external_id_identifies_nobody() {
        for half in [r#"{"system": "HCAI", "value": " "}"#, r#"{"value": "9"}"#] {
            let fields = format!(r#"{{"external_ids": [{half}]}}"#);
            assert_eq!(matched(&[&fields], &[&fields]), 0, "{half}");
        }
    }

    #[test]
    fn companies_match_by_name_and_address_and_people_do_not() {
        let at = |kind: &str, line: &str| {
            format!(
                r#"{{"type": "{kind}", "name": "Knee Clinic", "addresses": [
                    {{"kind": "{line}", "lines": ["{line}"], "city": "Ottawa", "postal_code": "K1A 0B1"}}]}}"#
            )
        };
        let theirs = at("company", "1 Main ST")
            .replace("K1A 0B1", "k1a0b1")
            .replace("\"kind\": \"1 Main ST\"", "\"kind\": null");
        assert_eq!(matched(&[&at("company", "1 Main St")], &[&theirs]), 1);
        assert_eq!(matched(&[&at("company", "1 Main St")], &[&at("company", "2 Main St")]), 0);
        assert_eq!(matched(&[&at("person", "1 Main St")], &[&at("person", "1 Main St")]), 0);
        assert_eq!(matched(&[&at("company", "1 Main St")], &[&at("person", "1 Main St")]), 0);
    }

    #[test]
    fn an_address_needs_its_lines_and_a_city_or_a_postal_code() {
        for (address, places) in [
            (r#""lines": ["1 Main St"], "city": "Ottawa""#, 1),
            (r#""lines": ["1 Main St"], "postal_code": "K1A 0B1""#, 1),
            (r#""lines": ["1 Main St"], "region": "ON""#, 0),
            (r#""city": "Ottawa", "postal_code": "K1A 0B1""#, 0),
        ] {
            let fields =
                format!(r#"{{"type": "company", "name": "Knee Clinic", "addresses": [{{{address}}}]}}"#);
            assert_eq!(matched(&[&fields], &[&fields]), places, "{address}");
        }
    }

    #[test]
    fn a_contradiction_is_a_veto() {
        let of = |date: &str, tax: &str| {
            format!(
                r#"{{"name": "Anna Roy", "email": "a@example.org", "licence_number": "L-1",
                    "birth_date": {date}, "tax_id": {tax}}}"#
            )
        };
        let ours = of(r#""1980-05-01""#, "null");
        assert_eq!(matched(&[&ours], &[&of("null", r#""123-456""#)]), 1);
        assert_eq!(matched(&[&ours], &[&of(r#""2004-05-01""#, "null")]), 0, "father and son of one name");
        // And it singles out the right one of two.
        let son = of(r#""2004-05-01""#, "null");
        assert_eq!(matched(&[&ours, &son], &[&ours]), 1);
        assert_eq!(matched(&[&ours, &son], &[&of("null", "null")]), 0);
    }

    #[test]
    fn what_is_in_doubt_is_no_match() {
        assert_eq!(matched(&[ANNA, ANNA], &[ANNA]), 0);
        assert_eq!(matched(&[ANNA], &[ANNA, ANNA]), 0);
        assert_eq!(matched(&[ANNA; 20], &[ANNA]), 0);
        // Two of a kind, of which one could be a third: neither is sure.
        let by_licence = r#"{"licence_number": "L-1"}"#;
        let both = ANNA.replace('}', r#", "licence_number": "L-1"}"#);
        assert_eq!(matched(&[&both], &[ANNA, by_licence]), 0);
        assert_eq!(matched(&[ANNA, by_licence], &[&both]), 0);
    }

    #[test]
    fn a_family_of_one_address_is_told_apart_until_it_is_a_crowd() {
        let born = |day: usize| {
            format!(r#"{{"name": "Anna Roy", "email": "a@example.org", "birth_date": "1980-05-{day:02}"}}"#)
        };
        let family: Vec<String> = (1..=MOST_HOLDERS + 1).map(born).collect();
        let ours: Vec<&str> = family.iter().map(String::as_str).collect();
        assert_eq!(matched(&ours[..MOST_HOLDERS], &[ours[2]]), 1);
        assert_eq!(matched(&ours, &[ours[2]]), 0);
    }

    #[test]
    fn a_crowd_of_one_name_costs_no_more_than_its_size() {
        assert_eq!(matched(&[ANNA; 10_000], &[ANNA; 10_000]), 0);
    }

    #[test]
    fn what_is_not_shared_neither_matches_nor_can_be_guessed() {
        assert_eq!(matched_where(&[ANNA], &[ANNA], |_| false), 0);
        assert_eq!(matched_where(&[ANNA], &[ANNA], |field| field != "birth_date"), 0);
        let ours = r#"{"name": "Anna Roy", "email": "a@example.org", "birth_date": "1980-05-01"}"#;
        let no_dates = |field: &str| field != "birth_date";
        for guess in ["1980-05-01", "1980-05-02"] {
            let theirs = ours.replace("1980-05-01", guess);
            assert_eq!(matched_where(&[ours], &[&theirs], no_dates), 0, "right and wrong look the same");
        }
        assert_eq!(
            matched_where(&[ours], &[r#"{"name": "Anna Roy", "email": "a@example.org"}"#], no_dates),
            1
        );
    }

    #[test]
    fn a_contact_the_partner_knows_by_our_id_is_taken() {
        let (ours, theirs) = (contact("A/P-1", ANNA), contact("B/P-9", ANNA));
        let here = std::slice::from_ref(&ours);
        let none = ContactPairs::new();
        let both = [theirs.clone(), ours.clone()];
        assert!(match_contacts(here, &both, &[], &none, |_| true).is_empty());
        assert!(match_contacts(here, &both[..1], here, &none, |_| true).is_empty());
        let mut known = none.clone();
        known.add("B/P-8".parse().unwrap(), ours.id.clone());
        assert!(match_contacts(here, &both[..1], &[], &known, |_| true).is_empty());
        assert_eq!(match_contacts(here, &both[..1], &[], &none, |_| true).ours(&theirs.id), Some(&ours.id));
    }

    #[test]
    fn a_contact_known_by_our_id_is_not_taken_for_another_that_it_came_to_look_like() {
        let here = [contact("A/P-1", r#"{"name": "Anna Roy"}"#), contact("A/P-2", r#"{"tax_id": "1-2"}"#)];
        let incoming = [contact("A/P-1", r#"{"name": "Anna Roy", "tax_id": "1-2"}"#)];
        assert!(match_contacts(&here, &incoming, &[], &ContactPairs::new(), |_| true).is_empty());
    }

    #[test]
    fn values_here_stay_at_first_and_theirs_fill_what_is_empty() {
        let ours = contact("A/P-1", r#"{"email": "ours@example.org", "tax_id": null}"#);
        let theirs = contact("A/P-1", r#"{"email": "theirs@example.org", "tax_id": "1-2", "name": "Anna"}"#);
        let mut pairs = ContactPairs::new();
        pairs.add("B/P-9".parse().unwrap(), ours.id.clone());
        let first = common_at_first(&[ours], &[theirs], &[], &pairs);
        assert_eq!(first[0].fields.keys().collect::<Vec<_>>(), ["email", "type"]);
        assert_eq!(first[0].fields["email"].as_str(), Some("theirs@example.org"));
    }
}
