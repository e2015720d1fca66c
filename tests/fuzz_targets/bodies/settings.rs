//! Partner settings in both of their forms.

use claimwire::ErrorKind;
use claimwire::protocol::SecretText;
use claimwire::settings::{PartnerSettings, SecretPlace, SecretSource};
use claimwire::{Error, Result};

/// Any text as TOML and as JSON: refused with a place for each mistake, or settings that survive being written, and make
/// a partner whatever the secrets are.
pub(crate) fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for read in [PartnerSettings::from_toml(text), PartnerSettings::from_json(text)] {
        let settings = match read {
            Ok(settings) => settings,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidSettings);
                assert!(error.details().iter().all(|detail| !detail.message.is_empty()));
                continue;
            }
        };
        let json = settings.to_json().expect("what was read can be written");
        assert_eq!(PartnerSettings::from_json(&json).ok().as_ref(), Some(&settings));
        let twice = [settings.clone(), settings];
        assert!(PartnerSettings::check_all(&twice).is_err(), "two partners of one number");
        let [settings, _] = twice;
        if let Ok(partner) = settings.to_partner(&Store) {
            assert!(format!("{partner:?}").find(SECRET).is_none());
        }
    }
}

const SECRET: &str = "hmac-sha256-secret:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A store that has a secret for the host's own names alone.
struct Store;

impl SecretSource for Store {
    fn secret(&self, place: &SecretPlace) -> Result<SecretText> {
        match place {
            SecretPlace::Host(_) => Ok(SecretText::new(SECRET.to_owned())),
            _ => Err(Error::new(ErrorKind::InvalidSettings, "not there")),
        }
    }
}
