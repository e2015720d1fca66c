//! A partner's settings as data: one document in TOML or JSON, validated as a whole.
//!
//! [`PartnerSettings`] is what an administrator writes; [`PartnerSettings::to_partner`] makes of it the
//! [`Partner`] that an exchange works with, once a [`SecretSource`] has fetched the keys. `docs/settings.md` shows
//! every member.
//!
//! ```
//! # #[cfg(feature = "toml")] {
//! use claimwire::settings::PartnerSettings;
//!
//! let mistaken = r#"
//!     site = "IMEX"
//!     number = 100
//!     alias = "Medical Examiners"
//!     colour = "blue"
//!     [[keys.verifying]]
//!     id = "imex-2026"
//!     secret = "not here!"
//! "#;
//! let error = PartnerSettings::from_toml(mistaken).unwrap_err();
//! assert_eq!(error.details().len(), 5);
//! assert_eq!(error.details()[0].subject.as_deref(), Some("number"));
//! assert!(!error.to_string().contains("not here!"));
//! # }
//! ```

mod keys;
mod retry;
mod rules;
mod secret;
mod suites;
mod table;

pub use secret::{LocalSecrets, SecretPlace, SecretSource};

use crate::codec::Compression;
use crate::exchange::Partner;
use crate::merge::ConflictPolicy;
use crate::model::SiteId;
use crate::protocol::DEFAULT_WINDOW;
use crate::rules::{ExportRules, FieldSelection, ImportRules, NameMap};
use crate::{Detail, Error, ErrorKind, Result};
use keys::Keys;
use retry::Retry;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use table::{Mistakes, Table};

/// A signature is valid for a year at most: who could replay it must not be able to wait for ever.
const LONGEST_WINDOW: u64 = 366 * 24 * 60 * 60;

/// What this site settled with one partner. Always valid as a whole; holds no secret, only where secrets are.
///
/// `Deserialize` validates too, and sums up every mistake in its error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartnerSettings {
    site: SiteId,
    number: u8,
    alias: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    signature_window_seconds: u64,
    conflicts: ConflictPolicy,
    #[serde(serialize_with = "write_name")]
    compression: Compression,
    paused: bool,
    retry: Retry,
    #[serde(skip_serializing_if = "Option::is_none")]
    automatic_unpack: Option<AutomaticUnpack>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback_field: Option<String>,
    keys: Keys,
    selection: FieldSelection,
    export: ExportRules,
    import: ImportRules,
    names: NameMap,
}

/// That packages are unpacked by themselves, and the account that does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct AutomaticUnpack {
    r#as: String,
}

impl PartnerSettings {
    /// Reads and validates settings in TOML.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`]: with the line where it is not TOML; else with one detail line for each
    /// mistake, which begins with its place (`keys.incoming[1].version: …`). No secret put there by mistake is
    /// repeated.
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self> {
        let members: toml::Table = toml::from_str(text).map_err(|error| {
            // The error's own text shows the line, which may hold what nobody shall see.
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            invalid(format!("the partner's settings are not TOML, line {line}: {}", error.message()))
        })?;
        Self::read(members.into_iter().map(|(name, value)| (name, to_json(value))).collect())
    }

    /// Reads and validates settings in JSON.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self> {
        let members = serde_json::from_str(text)
            .map_err(|error| invalid(format!("the partner's settings are not a JSON object: {error}")))?;
        Self::read(members)
    }

    /// The settings as JSON, with every default written out.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`], which does not occur.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|error| {
            Error::new(ErrorKind::Internal, "the settings have no JSON form").caused_by(error)
        })
    }

    /// Checks what must be unique at this site: site ids, numbers and aliases (but for case).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] with one detail line for each that two partners have.
    pub fn check_all(partners: &[Self]) -> Result<()> {
        let mistakes = Mistakes::default();
        let mut seen = BTreeMap::new();
        for partner in partners {
            let site = ("site", partner.site.to_string());
            let number = ("number", format!("{:02}", partner.number));
            let alias = ("alias", partner.alias.trim().to_lowercase());
            for (what, value) in [site, number, alias] {
                let place = format!("{what} {}", value.escape_debug());
                if let Some(other) = seen.insert((what, value), &partner.alias) {
                    let (one, two) = (other.escape_debug(), partner.alias.escape_debug());
                    mistakes.add(place, format_args!("both `{one}` and `{two}` have it"));
                }
            }
        }
        to_error("the partners' settings", mistakes)
    }

    /// The partner as an exchange works with it, with the secrets fetched; it still lacks its transport, see
    /// [`Partner::reached_by`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] with one detail line for each secret that cannot be had or is no key.
    pub fn to_partner(&self, secrets: &dyn SecretSource) -> Result<Partner> {
        let mistakes = Mistakes::default();
        let partner = Partner::new(self.site.clone(), &self.alias)
            .within_window(Duration::from_secs(self.signature_window_seconds))
            .settling_conflicts(self.conflicts)
            .compressing_with(self.compression)
            .paused(self.paused)
            .retrying(self.retry.policy())?
            .selecting(self.selection.clone())
            .with_export_rules(self.export.clone())
            .with_import_rules(self.import.clone())
            .mapping_names(self.names.clone());
        let partner = match &self.automatic_unpack {
            Some(automatic) => partner.unpacking_automatically_as(&automatic.r#as),
            None => partner,
        };
        let partner = match &self.feedback_field {
            Some(field) => partner.filling_on_unpack(field),
            None => partner,
        };
        let partner = self.keys.give(partner, secrets, &mistakes);
        to_error(&format!("the settings of {}", self.alias), mistakes)?;
        Ok(partner)
    }

    /// The partner's site id.
    #[must_use]
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// The partner's number at this site, 1 to 99.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.number
    }

    /// The name users know the partner by.
    #[must_use]
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// What else there is to say of the partner; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The address of the partner's target server; none for a partner that is reached otherwise.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    fn read(members: Map<String, Value>) -> Result<Self> {
        let mistakes = Mistakes::default();
        let read = read_partner(Table::new("", members, &mistakes), &mistakes);
        to_error("the partner's settings", mistakes)?;
        read.ok_or_else(|| invalid("the partner's settings are not complete"))
    }
}

impl<'de> Deserialize<'de> for PartnerSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Map::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The settings as far as they can be read; complete when there are no mistakes.
fn read_partner(mut table: Table<'_>, mistakes: &Mistakes) -> Option<PartnerSettings> {
    let site = table.need::<SiteId>("site");
    let number = table.need::<u8>("number");
    if number.is_some_and(|number| !(1..=99).contains(&number)) {
        table.mistake("number", "a partner has a number from 1 to 99");
    }
    let alias = table.need::<String>("alias");
    if alias.as_ref().is_some_and(|alias| alias.trim().is_empty()) {
        table.mistake("alias", "it must not be empty");
    }
    let description = table.take::<String>("description").unwrap_or_default();
    let url = table.take::<String>("url");
    if let Some(Err(error)) = url.as_deref().map(check_url) {
        table.mistake("url", error);
    }
    let window = table.take::<u64>("signature_window_seconds").unwrap_or(DEFAULT_WINDOW.as_secs());
    if !(1..=LONGEST_WINDOW).contains(&window) {
        table.mistake("signature_window_seconds", format_args!("1 to {LONGEST_WINDOW} seconds are expected"));
    }
    let conflicts = table.take::<ConflictPolicy>("conflicts").unwrap_or_default();
    let compression = read_compression(&mut table);
    let paused = table.take::<bool>("paused").unwrap_or_default();
    let automatic = table.table("automatic_unpack", "say who unpacks, { as = \"account\" }, or leave it out");
    let automatic_unpack = automatic.and_then(AutomaticUnpack::read);
    let feedback_field = table.take::<String>("feedback_field");
    if feedback_field
        .as_deref()
        .is_some_and(|field| field.trim().is_empty() || field.starts_with("custom_fields."))
    {
        table.mistake(
            "feedback_field",
            "the name of a custom field of the claim, without a prefix, is expected",
        );
    }

    let mut section = |name| {
        let given = table.table(name, "a table is expected");
        given.unwrap_or_else(|| Table::new(name, Map::new(), mistakes))
    };
    let retry = Retry::read(section("retry"));
    let keys = Keys::read(section("keys"));
    let selection = rules::read_selection(section("selection"));
    let export = rules::read_export(section("export"), &selection);
    let import = rules::read_import(section("import"));
    let names = rules::read_names(section("names"), &selection);
    table.finish();
    Some(PartnerSettings {
        site: site?,
        number: number?,
        alias: alias?,
        description,
        url,
        signature_window_seconds: window,
        conflicts,
        compression,
        paused,
        retry,
        automatic_unpack,
        feedback_field,
        keys,
        selection,
        export,
        import,
        names,
    })
}

fn read_compression(table: &mut Table<'_>) -> Compression {
    let named = table.take::<String>("compression");
    let read = named.map_or(Ok(Compression::default()), |name| name.parse());
    read.unwrap_or_else(|error: Error| {
        table.mistake("compression", error);
        Compression::default()
    })
}

fn write_name<S: Serializer>(compression: &Compression, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(compression.name())
}

impl AutomaticUnpack {
    fn read(mut table: Table<'_>) -> Option<Self> {
        let account = table.need::<String>("as");
        if account.as_ref().is_some_and(|account| account.trim().is_empty()) {
            table.mistake("as", "name the account that unpacks");
        }
        table.finish();
        Some(Self { r#as: account? })
    }
}

/// TOML has moments and dates of its own kind, JSON as text.
#[cfg(feature = "toml")]
fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(members) => {
            members.into_iter().map(|(name, value)| (name, to_json(value))).collect()
        }
    }
}

#[cfg(feature = "https")]
fn check_url(url: &str) -> Result<()> {
    crate::transport::HttpsSettings::new(url).map(drop)
}

#[cfg(not(feature = "https"))]
fn check_url(url: &str) -> Result<()> {
    if url.contains(['@', '?', '#']) || !url.starts_with("https://") {
        return Err(invalid("an https address without user name, password, query and fragment is expected"));
    }
    Ok(())
}

fn to_error(what: &str, mistakes: Mistakes) -> Result<()> {
    let details = mistakes.into_details();
    if details.is_empty() {
        return Ok(());
    }
    Err(invalid(format!("{what} are not valid: {}", Detail::joined(&details, "; "))).with_details(details))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}
