//! How the example tells what happens, and how it checks itself.

#![allow(dead_code, reason = "each example uses its own part of this")]

mod moves;

pub(crate) use moves::*;

use crate::site::Party;
use claimwire::ledger::{HistoryQuery, OutgoingState, PackageQuery, Step};
use claimwire::merge::{RecordAction, RecordChange};
use claimwire::model::Document;
use claimwire::{Error, ErrorKind, Result};
use std::fmt::Display;

pub(crate) fn step(title: &str) {
    println!("\n{title}");
}

pub(crate) fn say(line: impl Display) {
    println!("    {line}");
}

/// Says what holds, or ends the story.
pub(crate) fn check(what: &str, holds: bool) -> Result<()> {
    if !holds {
        return Err(Error::new(ErrorKind::Internal, format!("this should hold and does not: {what}")));
    }
    say(format!("✓ {what}"));
    Ok(())
}

/// Says that this was refused with this kind of error, and why; or ends the story when it was not, or not for these
/// reasons: codes of single faults, what they are about, or words of the sentence.
pub(crate) fn refused<T>(what: &str, kind: ErrorKind, tried: Result<T>, because: &[&str]) -> Result<Error> {
    let error = tried.err().filter(|error| error.kind() == kind);
    let tells = |reason: &str| {
        error.as_ref().is_some_and(|error| {
            let is_it = |text: &Option<String>| text.as_deref() == Some(reason);
            error.details().iter().any(|detail| is_it(&detail.code) || is_it(&detail.subject))
                || error.to_string().contains(reason)
        })
    };
    check(what, error.is_some() && because.iter().all(|reason| tells(reason)))?;
    let error = error.unwrap_or_else(|| Error::new(kind, what));
    match error.details() {
        [] => say(format!("  {error}")),
        details => details.iter().for_each(|detail| say(format!("  - {detail}"))),
    }
    Ok(error)
}

pub(crate) fn document_line(document: &Document) -> String {
    let name = document.name.as_deref().unwrap_or("(no name)");
    let size = document.size.unwrap_or(0);
    let internal = if document.is_internal() { "  (internal)" } else { "" };
    format!("{name:<44} {size:>10} bytes{internal}")
}

pub(crate) fn change_line(record: &RecordChange) -> String {
    let action = match record.action() {
        RecordAction::Added => "added",
        RecordAction::Updated => "updated",
        _ => "unchanged",
    };
    let fields: Vec<&str> = record.fields.iter().map(|field| field.name.as_str()).collect();
    match action {
        "updated" => format!("{} {} updated: {}", record.after.kind, record.after.id, fields.join(", ")),
        _ => format!("{} {} {action}", record.after.kind, record.after.id),
    }
}

pub(crate) fn print_history(party: &Party) -> Result<()> {
    say(format!("{} ({})", party.name, party.exchange.site()));
    for entry in party.exchange.history(&HistoryQuery::new())? {
        let at = entry.at.to_sortable();
        let time = &at[11..23];
        say(format!("  {time}  {:<8}  {:<12}  {}", entry.direction, entry.step, entry.outcome));
    }
    Ok(())
}

/// Every package of both directions was exported, delivered, received and unpacked, and each side knows it.
pub(crate) fn history_is_complete(party: &Party) -> Result<bool> {
    let entries = party.exchange.history(&HistoryQuery::new())?;
    let has = |step: Step| entries.iter().any(|entry| entry.step == step);
    let sent = party.exchange.outgoing_packages(&PackageQuery::new())?;
    let steps = [
        Step::Exported,
        Step::Sent,
        Step::Delivered,
        Step::Received,
        Step::Notified,
        Step::Unpacked,
        Step::Acknowledged,
    ];
    Ok(sent.iter().all(|package| package.state == OutgoingState::Unpacked) && steps.into_iter().all(has))
}
