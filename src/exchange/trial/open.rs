//! A sample that came in, at either end: does its key fit, does it open, do its names and types have a meaning here.

use super::report::Checks;
use crate::codec::{Limits, OpeningKey};
use crate::exchange::Exchange;
use crate::exchange::partner::Partner;
use crate::exchange::summary::summary;
use crate::exchange::unpack::hinting_at_the_key;
use crate::merge::merge;
use crate::model::{PackageId, PackageKind, Record, RecordKind};
use crate::package::{self, Contents, FORMAT_VERSION};
use crate::protocol::{TrialOutcome, TrialSide};
use crate::rules::{ViolationCode, check_import, prepare_import};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;

/// What a sample may inflate to, in all and as JSON, and how many entries it may have.
const INFLATED: u64 = 16 << 20;
const JSON: u64 = 8 << 20;
const ENTRIES: u64 = 1000;

const CUSTOM: &str = "custom_fields.";

/// Which of the two samples of a trial.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// From the site that tries to its partner.
    There,
    /// From the partner to the site that tries.
    Back,
}

impl Way {
    /// What its codes begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::There => "",
            Self::Back => "back-",
        }
    }

    fn code(self, what: &str) -> String {
        format!("{}{what}", self.prefix())
    }

    /// The side that opens it.
    fn opener(self) -> TrialSide {
        match self {
            Self::There => TrialSide::Recipient,
            Self::Back => TrialSide::Sender,
        }
    }
}

/// A sample as its sender announced it.
pub(super) struct Announced<'a> {
    pub(super) package: PackageId,
    pub(super) suite: &'a str,
    pub(super) key_version: u32,
    pub(super) sealed: &'a [u8],
}

impl Exchange {
    /// Checks all that an unpack would, and changes nothing. Gives the records in this site's names, before the
    /// import rules, where it could be opened and named; `sent` are those this site had sent and may come back.
    ///
    /// A claim that stands here is not looked at: a trial must not tell which claims do.
    pub(super) fn check_sample(
        &self,
        way: Way,
        partner: &Partner,
        announced: &Announced<'_>,
        sent: &[Record],
        checks: &mut Checks,
    ) -> Result<Option<Vec<Record>>> {
        let Some(key) = self.check_key(way, partner, announced, checks) else { return Ok(None) };
        let (here, there) = (&self.0.site, &partner.site);
        let workplace = self.0.store.workplace()?;
        let limits = self
            .0
            .limits
            .clone()
            .with_json_size(JSON)
            .with_archive(Limits::default().with_inflated_size(INFLATED).with_entries(ENTRIES));
        let opened = package::read_bytes(announced.sealed, key, workplace.path(), &limits)
            .and_then(|contents| self.check_inside(partner, announced, contents));
        let records = match opened {
            Ok(contents) => contents.records,
            Err(error) => {
                self.tell_unopened(way, partner, hinting_at_the_key(error, key), checks)?;
                return Ok(None);
            }
        };
        checks.passed(
            way.code("opens"),
            way.opener(),
            format!("{here} opened the sample of {there} and verified all of it."),
        );
        self.check_meaning(way, partner, records, sent, checks)
    }

    /// The key to open it with, of the version and the suite that it is sealed with.
    fn check_key<'p>(
        &self,
        way: Way,
        partner: &'p Partner,
        announced: &Announced<'_>,
        checks: &mut Checks,
    ) -> Option<&'p OpeningKey> {
        let (here, there, version) = (&self.0.site, &partner.site, announced.key_version);
        let Some(known) = partner.opening.get(version) else {
            let known = partner.opening.listed();
            checks.failed(
                way.code("key-version"),
                TrialSide::Either,
                format!("{there} seals with key version {version}; {here} knows: {known}."),
                format!("Hand over version {version}, or let {there} seal with a version that {here} has."),
            );
            return None;
        };
        let (code, used) = (way.code("suite"), announced.suite);
        if let Some(agreed) =
            known.key.as_ref().map(|key| key.suite().name()).filter(|agreed| *agreed != used)
        {
            let used = used.chars().take(40).collect::<String>();
            let used = used.escape_debug();
            checks.failed(
                code,
                TrialSide::Either,
                format!(
                    "{there} seals key version {version} with the suite {used}; {here} expects {agreed}."
                ),
                "Agree on one suite for this key version, and give both sides a key of it.",
            );
            return None;
        }
        let now = self.now();
        let key = match partner.opening(version, used, now, now) {
            Ok(key) => key,
            Err(error) => {
                let refused =
                    if error.kind() == ErrorKind::KeyNotValid { way.code("key-version") } else { code };
                let remedy = format!("Let {there} seal with a version that {here} takes now.");
                checks.failed(refused, TrialSide::Either, error.to_string(), remedy);
                return None;
            }
        };
        let said = format!("{here} has version {version} of the key {there} seals with.");
        checks.passed(way.code("key-version"), way.opener(), said);
        checks.passed(
            code,
            way.opener(),
            format!("Both sides take the suite {used} for key version {version}."),
        );
        Some(key)
    }

    fn check_inside(
        &self,
        partner: &Partner,
        announced: &Announced<'_>,
        contents: Contents,
    ) -> Result<Contents> {
        let package = &contents.manifest.package;
        let is_announced = package.id == announced.package
            && package.kind == PackageKind::Trial
            && package.from == partner.site
            && package.to == self.0.site
            && package.key_version == announced.key_version;
        if is_announced {
            return Ok(contents);
        }
        let said = "the package inside is not the one that was announced";
        Err(Error::new(ErrorKind::EnvelopeMismatch, said))
    }

    /// Says why it could not be opened; a fault of this site's own is none of the sample.
    fn tell_unopened(&self, way: Way, partner: &Partner, error: Error, checks: &mut Checks) -> Result<()> {
        let (here, there) = (&self.0.site, &partner.site);
        let (code, side, remedy) = match error.kind() {
            ErrorKind::WrongKey | ErrorKind::NotAnArchive | ErrorKind::InvalidKey | ErrorKind::Truncated => (
                "opens",
                TrialSide::Either,
                format!(
                    "The two sites hold different keys under one version: exchange the key that {there} seals with anew."
                ),
            ),
            ErrorKind::UnsupportedSuite => (
                "opens",
                TrialSide::Either,
                "Compare the suite, its framing and its iterations in both sites' settings.".to_owned(),
            ),
            ErrorKind::UnsupportedFormatVersion => (
                "format-version",
                TrialSide::Either,
                format!(
                    "Update claimwire at {here}, which reads format version {FORMAT_VERSION}, or let {there} write that."
                ),
            ),
            ErrorKind::UnsupportedArchive => (
                "opens",
                TrialSide::Either,
                format!(
                    "Set `compression = \"deflate\"` for {here} at {there}, or update claimwire at {here} to one that reads it."
                ),
            ),
            kind if (100..300).contains(&kind.code()) => {
                ("opens", TrialSide::Either, format!("Find out at {there} what wrote such a package."))
            }
            _ => return Err(error),
        };
        let said = format!("{here} cannot open what {there} seals: {error}");
        checks.failed(way.code(code), side, said, remedy);
        Ok(())
    }

    /// Names, rules and a merge into nothing.
    fn check_meaning(
        &self,
        way: Way,
        partner: &Partner,
        records: Vec<Record>,
        sent: &[Record],
        checks: &mut Checks,
    ) -> Result<Option<Vec<Record>>> {
        let (here, there, opener) = (&self.0.site, &partner.site, way.opener());
        if partner.names.check().is_err() {
            // The site that tries has told the faults of its own settings already.
            if matches!(way, Way::There) {
                checks.failed(
                    "name-map",
                    opener,
                    format!(
                        "The name map that {here} has for {there} is not valid, so nothing can be unpacked."
                    ),
                    format!(
                        "Check the settings that {here} has for {there}; checking them names each fault."
                    ),
                );
            }
            return Ok(None);
        }
        let named = partner.names.to_ours(records, sent, &[]);
        let all_named = named.violations.is_empty();
        // What the sample of a site that knows nothing of this map has in a custom field is a text like any other.
        let (misfits, mut violations): (Vec<_>, Vec<_>) = named
            .violations
            .into_iter()
            .partition(|violation| violation.code == ViolationCode::ValueNotMapped);
        let remedy =
            format!("Let {there} send such values only; those of a sample that was made up do not count.");
        checks.violated(TrialOutcome::Warning, way.prefix(), opener, &misfits, &remedy);
        let catalogue = self.0.case_system.catalogue()?;
        violations.extend(check_import(&named.records, &[], &partner.import_rules, &catalogue));
        let remedy = format!(
            "Add it at {here}, or give it a name that {here} has in the name map of one of the two sites."
        );
        checks.violated(TrialOutcome::Failed, way.prefix(), opener, &violations, &remedy);
        if violations.is_empty() {
            let said = format!("{here} has a meaning for every type and status in the sample of {there}.");
            checks.passed(way.code("import-rules"), opener, said);
        }
        self.check_fields(way, partner, &named.records, checks);
        let imported = prepare_import(named.records.clone(), &partner.import_rules);
        match merge(&[], &imported, &[], partner.conflicts) {
            Ok(changes) => {
                let said = format!("{here} could add it; nothing was kept: {}.", summary(&changes));
                checks.passed(way.code("merge"), opener, said);
            }
            Err(error) => {
                let remedy = format!("Find out at {there} what wrote such records.");
                let said = format!("{here} cannot add it: {error}");
                checks.failed(way.code("merge"), TrialSide::Either, said, remedy);
            }
        }
        // Records of which some have no name here must not be used.
        Ok(all_named.then_some(named.records))
    }

    /// Fields with a value that nobody here speaks of: they are kept, and never seen or sent back.
    fn check_fields(&self, way: Way, partner: &Partner, records: &[Record], checks: &mut Checks) {
        let (here, there) = (&self.0.site, &partner.site);
        let mut unknown = BTreeSet::new();
        for kind in RecordKind::ALL {
            let [mapped, ..] = partner.names.ours(*kind);
            let known = |name: &str| match name.starts_with(CUSTOM) {
                true => partner.selection.exchanges_field(*kind, name) || mapped.contains(&name),
                false => kind.standard_fields().contains(&name),
            };
            for record in records.iter().filter(|record| record.kind == *kind) {
                let valued = record.fields.iter().filter(|(_, value)| !value.is_null());
                unknown
                    .extend(valued.filter(|(name, _)| !known(name)).map(|(name, _)| (*kind, name.as_str())));
            }
        }
        for (kind, name) in unknown {
            let name = name.chars().take(100).collect::<String>();
            let name = name.escape_debug();
            checks.warned(
                way.code("unknown-field"),
                way.opener(),
                format!("{there} sends the {kind} field `{name}`, which {here} neither exchanges nor maps."),
                format!(
                    "Add the field to those that {here} exchanges with {there}, map its name, or let {there} leave it out."
                ),
            );
        }
    }
}
