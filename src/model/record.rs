//! A record seen as named fields: how selection and merging look at every level alike.

use super::{Assessment, Bill, Claim, ClaimFile, Contact, Document, ExchangeId, Json, Note};
use crate::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RecordKind {
    /// Level 1.
    Claim,
    /// Level 2.
    Assessment,
    /// Level 3.
    Bill,
    /// A person or a company.
    Contact,
    /// A note.
    Note,
    /// A file.
    Document,
}

impl RecordKind {
    /// Every kind, parents before their children.
    pub const ALL: &[Self] =
        &[Self::Claim, Self::Assessment, Self::Bill, Self::Contact, Self::Note, Self::Document];

    /// The kind's stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Assessment => "assessment",
            Self::Bill => "bill",
            Self::Contact => "contact",
            Self::Note => "note",
            Self::Document => "document",
        }
    }

    /// The kind with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The standard fields of a record of this kind; `bills` of an assessment are records of their own.
    #[must_use]
    pub fn standard_fields(self) -> &'static [&'static str] {
        match self {
            Self::Claim => Claim::FIELDS,
            Self::Assessment => Assessment::FIELDS,
            Self::Bill => Bill::FIELDS,
            Self::Contact => Contact::FIELDS,
            Self::Note => Note::FIELDS,
            Self::Document => Document::FIELDS,
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One record as named fields, without its id and without records below it.
///
/// A field that is there with `null` has no value; a field that is not there is not spoken of. Custom fields and
/// unknown members stand beside the standard fields under their own names, custom fields with the prefix
/// `custom_fields.`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Its exchange id.
    pub id: ExchangeId,
    /// For a bill: its assessment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ExchangeId>,
    /// Its fields.
    pub fields: BTreeMap<String, Json>,
}

const CUSTOM: &str = "custom_fields.";

impl Record {
    /// A record without fields.
    #[must_use]
    pub fn new(kind: RecordKind, id: ExchangeId) -> Self {
        Self { kind, id, parent: None, fields: BTreeMap::new() }
    }

    /// Whether the model can read it: each standard field that it has is of the type that the model says.
    pub(crate) fn is_readable(&self) -> bool {
        self.through_model().is_ok()
    }

    fn from_value(
        kind: RecordKind,
        parent: Option<&ExchangeId>,
        value: serde_json::Value,
    ) -> Result<Vec<Self>> {
        let invalid = |what: &str| Error::new(ErrorKind::InvalidPackage, format!("{kind} record: {what}"));
        let serde_json::Value::Object(mut members) = value else { return Err(invalid("not a JSON object")) };
        let id: ExchangeId = match members.remove("id") {
            Some(serde_json::Value::String(id)) => id.parse()?,
            _ => return Err(invalid("it has no `id`")),
        };
        let mut records =
            vec![Self { kind, id: id.clone(), parent: parent.cloned(), fields: BTreeMap::new() }];
        for (name, value) in members {
            match (name.as_str(), value) {
                ("custom_fields", serde_json::Value::Object(custom)) => {
                    for (name, value) in custom {
                        records[0].fields.insert(format!("{CUSTOM}{name}"), Json(value));
                    }
                }
                ("custom_fields", serde_json::Value::Null) => {}
                ("bills", value) if kind == RecordKind::Assessment => {
                    if let serde_json::Value::Array(bills) = value {
                        for bill in bills {
                            records.extend(Self::from_value(RecordKind::Bill, Some(&id), bill)?);
                        }
                    }
                }
                (_, value) => {
                    records[0].fields.insert(name, Json(value));
                }
            }
        }
        Ok(records)
    }

    /// The record with its standard fields as the model writes them, such as a time without a fraction of zeros: what came
    /// in is compared with what went through the model. One that is not of the model stays as it is.
    pub(crate) fn in_model_form(mut self) -> Self {
        let written = self.through_model().map(|json| json.0);
        let Ok(serde_json::Value::Object(mut written)) = written else { return self };
        for name in self.kind.standard_fields() {
            if let (Some(field), Some(value)) = (self.fields.get_mut(*name), written.remove(*name)) {
                field.0 = value;
            }
        }
        self
    }

    /// The record as the model writes what it reads of it.
    fn through_model(&self) -> Result<Json> {
        let value = Json(self.clone().into_value().into());
        match self.kind {
            RecordKind::Claim => rewritten::<Claim>(&value),
            RecordKind::Assessment => rewritten::<Assessment>(&value),
            RecordKind::Bill => rewritten::<Bill>(&value),
            RecordKind::Contact => rewritten::<Contact>(&value),
            RecordKind::Note => rewritten::<Note>(&value),
            RecordKind::Document => rewritten::<Document>(&value),
        }
    }

    fn into_value(self) -> serde_json::Map<String, serde_json::Value> {
        let mut members = serde_json::Map::new();
        members.insert("id".into(), self.id.to_string().into());
        let mut custom = serde_json::Map::new();
        for (name, value) in self.fields {
            match name.strip_prefix(CUSTOM) {
                Some(name) => custom.insert(name.to_owned(), value.0),
                None => members.insert(name, value.0),
            };
        }
        if !custom.is_empty() {
            members.insert("custom_fields".into(), custom.into());
        }
        members
    }
}

/// Records to be looked up by their ids; of several with one id the last.
pub(crate) fn by_id(records: &[Record]) -> BTreeMap<&ExchangeId, &Record> {
    records.iter().map(|record| (&record.id, record)).collect()
}

fn rewritten<T: Serialize + DeserializeOwned>(value: &Json) -> Result<Json> {
    Json::from_serialize(&value.to::<T>()?)
}

/// The lists of a claim file and the kind of record in each.
const LISTS: &[(&str, RecordKind)] = &[
    ("assessments", RecordKind::Assessment),
    ("contacts", RecordKind::Contact),
    ("notes", RecordKind::Note),
    ("documents", RecordKind::Document),
];

impl ClaimFile {
    /// The file's records, the claim first, parents before their children.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPackage`] when a record has no JSON form.
    pub fn to_records(&self) -> Result<Vec<Record>> {
        Self::records_of_json(Json::from_serialize(self)?)
    }

    /// The records of a claim file that stands as JSON, with every `null` it has.
    pub(crate) fn records_of_json(file: Json) -> Result<Vec<Record>> {
        let serde_json::Value::Object(mut members) = file.0 else {
            return Err(Error::new(ErrorKind::InvalidPackage, "the claim file is not a JSON object"));
        };
        let claim = members.remove("claim").unwrap_or_default();
        let mut records = Record::from_value(RecordKind::Claim, None, claim)?;
        for (list, kind) in LISTS {
            if let Some(serde_json::Value::Array(items)) = members.remove(*list) {
                for item in items {
                    records.extend(Record::from_value(*kind, None, item)?);
                }
            }
        }
        Ok(records)
    }

    /// The claim file that these records make up, as JSON with every `null` they have.
    pub(crate) fn json_of_records(records: impl IntoIterator<Item = Record>) -> Result<Json> {
        let mut file = serde_json::Map::new();
        let mut bills: BTreeMap<ExchangeId, Vec<serde_json::Value>> = BTreeMap::new();
        let mut others: BTreeMap<RecordKind, Vec<Record>> = BTreeMap::new();
        for record in records {
            match (record.kind, record.parent.clone()) {
                (RecordKind::Claim, _) => {
                    file.insert("claim".into(), record.into_value().into());
                }
                (RecordKind::Bill, Some(assessment)) => {
                    bills.entry(assessment).or_default().push(record.into_value().into());
                }
                (kind, _) => others.entry(kind).or_default().push(record),
            }
        }
        for (list, kind) in LISTS {
            let mut items = Vec::new();
            for record in others.remove(kind).unwrap_or_default() {
                let bills = bills.remove(&record.id);
                let mut members = record.into_value();
                if let Some(bills) = bills {
                    members.insert("bills".into(), bills.into());
                }
                items.push(serde_json::Value::Object(members));
            }
            file.insert((*list).to_owned(), items.into());
        }
        if let Some(assessment) = bills.keys().next() {
            return Err(Error::new(
                ErrorKind::InvalidPackage,
                format!("a bill names assessment {assessment}, which the claim file does not have"),
            ));
        }
        Ok(Json(file.into()))
    }

    /// The claim file that these records make up.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPackage`] when there is no claim, a bill's assessment is missing, or a field has
    /// another type than the model says.
    pub fn from_records(records: impl IntoIterator<Item = Record>) -> Result<Self> {
        Self::json_of_records(records)?.to().map_err(|error| {
            Error::new(ErrorKind::InvalidPackage, format!("the claim file is not valid: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "claim": {"id": "A/1", "claim_number": "C-1", "status": "open", "x_new": {"deep": [1.50, null]},
                  "custom_fields": {"region": "east"}},
        "assessments": [{"id": "A/2", "type": "IME", "bills": [
            {"id": "A/3", "total": {"amount": "10.00", "currency": "CAD", "basis": "net"}, "line_items": [{"seq": 1, "x": 12345678901234567890123}]}]}],
        "contacts": [], "notes": [{"id": "B/4", "body": "seen", "internal": true}], "documents": [],
        "x_file": 0.10
    }"#;

    #[test]
    fn standard_fields_are_written_as_the_model_writes_them_and_all_else_stays() {
        let text = r#"{"claim": {"id": "A/1", "loss_date": "2026-03-02", "claim_number": null, "x_new": 1.50,
              "custom_fields": {"seen_at": "2026-03-02T09:30:00.000Z"}},
            "assessments": [{"id": "A/2", "scheduled_at": "2026-03-02t09:30:00.000z", "bills": []}]}"#;
        let records = ClaimFile::records_of_json(text.parse().unwrap()).unwrap();
        let written: Vec<Record> = records.iter().cloned().map(Record::in_model_form).collect();
        assert_eq!(written[0], records[0]);
        assert_eq!(written[1].fields["scheduled_at"], "2026-03-02T09:30:00Z".into());
        let mut wrong = records[1].clone();
        wrong.fields.insert("scheduled_at".into(), "some day".into());
        assert_eq!(wrong.clone().in_model_form(), wrong, "what is not of the model is refused elsewhere");
    }

    #[test]
    fn unknown_members_survive_the_typed_round_trip_at_every_depth() {
        let file = ClaimFile::from_json(FILE.as_bytes()).unwrap();
        let json = String::from_utf8(file.to_json().unwrap()).unwrap();
        let (before, after): (Json, Json) = (FILE.parse().unwrap(), json.parse().unwrap());
        assert_eq!(before, after);
    }

    #[test]
    fn standard_fields_are_spelled_as_json_spells_them() {
        for kind in [RecordKind::Assessment, RecordKind::Bill, RecordKind::Contact] {
            assert!(kind.standard_fields().contains(&"type"), "{kind}");
        }
        let spelled = |name: &&str| {
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
        };
        assert!(RecordKind::ALL.iter().all(|kind| kind.standard_fields().iter().all(spelled)));
    }

    #[test]
    fn records_and_the_file_lead_to_each_other() {
        let mut file = ClaimFile::from_json(FILE.as_bytes()).unwrap();
        let records = file.to_records().unwrap();
        assert_eq!(
            records.iter().map(|r| r.kind).collect::<Vec<_>>(),
            [RecordKind::Claim, RecordKind::Assessment, RecordKind::Bill, RecordKind::Note]
        );
        assert_eq!(records[0].fields["custom_fields.region"], Json::from("east"));
        file.other.clear();
        assert_eq!(ClaimFile::from_records(records).unwrap(), file);
    }

    #[test]
    fn a_bill_without_its_assessment_is_refused() {
        let mut records = ClaimFile::from_json(FILE.as_bytes()).unwrap().to_records().unwrap();
        records.remove(1);
        assert_eq!(ClaimFile::from_records(records).unwrap_err().kind(), ErrorKind::InvalidPackage);
    }
}
