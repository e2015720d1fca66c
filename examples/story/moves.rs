//! What every story does: send a claim, unpack what came, compare what arrived.

use super::{change_line, check, say};
use crate::progress_bar::ProgressBar;
use crate::site::Party;
use claimwire::Result;
use claimwire::exchange::ExportOptions;
use claimwire::model::ExchangeId;
use std::collections::BTreeMap;

/// Export to the other side, and post it there.
pub(crate) fn send_claim(from: &Party, to: &Party, claim: &ExchangeId, by: &str) -> Result<()> {
    let bar = ProgressBar::new("packing");
    let exported =
        from.exchange.export(claim, to.exchange.site(), &ExportOptions::by(by).watched_by(&bar))?;
    bar.finish();
    say(format!("sealed with {}: {} bytes, package {}", exported.suite, exported.size, exported.package.id));
    say(format!("POST {}/packages", to.url));
    let bar = ProgressBar::of("sending", exported.size);
    let sent = from.exchange.send(exported.package.id, &bar)?;
    bar.finish();
    say(format!("{}: {} holds it and signed a receipt", sent.state, to.name));
    check("the receipt is kept as evidence", sent.receipt.is_some())
}

pub(crate) fn unpack_new_packages(party: &Party, by: &str) -> Result<()> {
    for package in party.new_packages() {
        let incoming = party.exchange.incoming(package)?;
        say(format!("New Package from {}: {package}", incoming.from));
        let planned = party.exchange.preview(package, &())?;
        say(format!("a look before: {} records would change", planned.records.len()));
        let bar = ProgressBar::of("unpacking", incoming.size);
        let unpacked = party.exchange.unpack(package, by, &bar)?;
        bar.finish();
        check("what the look before showed is what was done", unpacked.changes == planned)?;
        unpacked.changes.records.iter().for_each(|record| say(format!("  {}", change_line(record))));
    }
    Ok(())
}

/// Whether what may leave of one side's documents is what the other side has, byte for byte.
pub(crate) fn same_documents(from: &Party, to: &Party, claim: &ExchangeId) -> Result<bool> {
    let digests = |party: &Party| -> Result<BTreeMap<ExchangeId, String>> {
        let file = party.file(claim)?;
        let open = file.documents.iter().filter(|document| !document.is_internal());
        open.map(|document| Ok((document.id.clone(), party.digest(claim, &document.id)?))).collect()
    };
    Ok(digests(from)? == digests(to)?)
}
