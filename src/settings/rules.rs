//! The rules in a partner's settings: what travels, what is asked of an export and of an import, what names map.

use super::table::Table;
use crate::Error;
use crate::model::RecordKind;
use crate::rules::{
    AssessmentStatuses, ExportRules, FieldChoice, FieldSelection, ImportRules, NameMap, NamingConvention,
    UnknownType,
};
use std::collections::BTreeMap;

const A_TABLE: &str = "a table is expected";
const KINDS: &str = "claim, assessment, bill, contact, note, document";

pub(super) fn read_selection(mut table: Table<'_>) -> FieldSelection {
    let mut selection = FieldSelection::new();
    for (kind, mut level) in levels(table.table("levels", A_TABLE)) {
        if level.take::<bool>("exchanged") == Some(false) {
            selection = selection.without(kind);
        }
        if let Some(choice) = level.take::<FieldChoice>("standard") {
            selection = selection.standard(kind, choice);
        }
        if let Some(choice) = level.take::<FieldChoice>("custom") {
            selection = selection.custom(kind, choice);
        }
        level.finish();
    }
    if let Some(mut assessments) = table.table("assessments", A_TABLE) {
        let mut statuses = AssessmentStatuses::new();
        if let Some(allowed) = assessments.take::<Vec<String>>("allowed") {
            statuses = statuses.allow(allowed);
        }
        if let Some(forced) = assessments.take::<Vec<String>>("forced") {
            statuses = statuses.force(forced);
        }
        assessments.finish();
        selection = selection.assessments(statuses);
    }
    if let Err(error) = selection.check() {
        report(&table, "levels.", &error);
    }
    table.finish();
    selection
}

pub(super) fn read_export(mut table: Table<'_>, selection: &FieldSelection) -> ExportRules {
    let mut rules = ExportRules::new();
    let note_required = table.take::<bool>("note_required").unwrap_or(true);
    rules = rules.note_required(note_required);
    if note_required && !selection.exchanges(RecordKind::Note) {
        table.mistake("note_required", "notes are not exchanged, so no export could have one");
    }
    if let Some(convention) = table.take::<NamingConvention>("naming") {
        rules = rules.naming(convention);
    }
    if let Some(allowed) = table.take::<bool>("forwarding_allowed") {
        rules = rules.forwarding_allowed(allowed);
    }
    if let Some(bytes) = table.take::<u64>("sealed_size_limit") {
        if bytes == 0 {
            table.mistake("sealed_size_limit", "no package has 0 bytes");
        }
        rules = rules.sealed_size_limit(bytes);
    }
    let required = table.take::<BTreeMap<RecordKind, Vec<String>>>("required_fields").unwrap_or_default();
    for (kind, names) in required {
        for name in &names {
            let exists = ExportRules::new().require(kind, [name.as_str()]).check();
            if let Err(error) = exists {
                report(&table, "required_fields.", &error);
            } else if !selection.exchanges_field(kind, name) {
                let member = format!("required_fields.{kind}");
                table.mistake(&member, format_args!("`{}` is not exchanged", name.escape_debug()));
            }
        }
        rules = rules.require(kind, names);
    }
    table.finish();
    rules
}

pub(super) fn read_import(mut table: Table<'_>) -> ImportRules {
    let mut rules = ImportRules::new();
    if let Some(rule) = table.take::<UnknownType>("unknown_claim_types") {
        rules = rules.unknown_claim_types(rule);
    }
    if let Some(rule) = table.take::<UnknownType>("unknown_assessment_types") {
        rules = rules.unknown_assessment_types(rule);
    }
    if let Some(rule) = table.take::<UnknownType>("unknown_bill_types") {
        rules = rules.unknown_bill_types(rule);
    }
    if let Some(imported) = table.take::<bool>("contacts") {
        rules = rules.contacts(imported);
    }
    for (kind, mut forced) in levels(table.table("forced_status", A_TABLE)) {
        if !matches!(kind, RecordKind::Claim | RecordKind::Assessment | RecordKind::Bill) {
            table.mistake(&format!("forced_status.{kind}"), "only claims, assessments and bills have one");
        }
        let status = forced.need::<String>("status");
        let exceptions = forced.take::<Vec<String>>("exceptions").unwrap_or_default();
        if status.as_ref().is_some_and(|status| status.trim().is_empty()) {
            forced.mistake("status", "it must not be empty");
        }
        forced.finish();
        rules = rules.force_status(kind, status.unwrap_or_default(), exceptions);
    }
    if let Some(statuses) = table.take::<Vec<String>>("protected_statuses") {
        rules = rules.protect(statuses);
    }
    table.finish();
    rules
}

pub(super) fn read_names(table: Table<'_>, selection: &FieldSelection) -> NameMap {
    let mut map = NameMap::new();
    let place = table.place().to_owned();
    let mistakes = table.mistakes();
    for (kind, mut level) in levels(Some(table)) {
        let mut pairs = |list| level.take::<BTreeMap<String, String>>(list).unwrap_or_default();
        let (fields, types, statuses) = (pairs("fields"), pairs("types"), pairs("statuses"));
        for name in fields.keys().filter(|name| !selection.exchanges_field(kind, name)) {
            level.mistake(&format!("fields.{}", name.escape_debug()), "this field is not exchanged");
        }
        level.finish();
        map = map.fields(kind, fields).types(kind, types).statuses(kind, statuses);
    }
    if let Err(error) = map.check() {
        for detail in error.details() {
            mistakes.add_placed(detail.clone().below(&format!("{place}.")));
        }
    }
    map
}

fn levels(table: Option<Table<'_>>) -> Vec<(RecordKind, Table<'_>)> {
    table.map(|table| table.by_name(RecordKind::from_name, KINDS)).unwrap_or_default()
}

/// Reports the details of a check, which begin with the level they are about.
fn report(table: &Table<'_>, prefix: &str, error: &Error) {
    for detail in error.details() {
        table.mistakes().add_placed(detail.clone().below(&format!("{}.{prefix}", table.place())));
    }
}
