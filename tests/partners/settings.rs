//! Partner settings as data: what is read, what is refused and where, and that no secret shows.

use claimwire::codec::{AgeIdentity, Suite};
use claimwire::protocol::{SecretText, SigningKey};
use claimwire::settings::{LocalSecrets, PartnerSettings, SecretPlace, SecretSource};
use claimwire::{Detail, ErrorKind, Result};
use std::path::Path;

/// The example in the documentation.
fn example() -> String {
    let page = include_str!("../../docs/settings.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Settings with the least that must be there, and `more` after it.
fn with(more: &str) -> String {
    let public = SigningKey::generate("k").unwrap().verifying_key().to_text();
    format!(
        "site = \"IMEX\"\nnumber = 7\nalias = \"Examiners\"\n{more}\n[[keys.verifying]]\nid = \"k\"\npublic = \"{}\"\n\
         [[keys.incoming]]\nversion = 1\nsuite = \"age\"\nsecret = {{ host = \"imex\" }}\n",
        public.as_str()
    )
}

fn mistakes(toml: &str) -> Vec<Detail> {
    let error = PartnerSettings::from_toml(toml).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    error.details().to_vec()
}

#[track_caller]
fn assert_places(mistakes: &[Detail], places: &[&str]) {
    let found: Vec<&str> = mistakes.iter().map(|mistake| mistake.subject.as_deref().unwrap()).collect();
    for (mistake, place) in mistakes.iter().zip(places) {
        assert!(mistake.message.starts_with(&format!("{place}: ")), "{mistake}");
    }
    assert_eq!(found, places, "{mistakes:#?}");
}

#[test]
fn the_documented_example_is_valid_and_survives_json() {
    let settings = PartnerSettings::from_toml(&example()).unwrap();
    assert_eq!((settings.site().as_str(), settings.number()), ("IMEX", 7));
    assert!(settings.to_json().unwrap().contains("\"feedback_field\": \"imex_unpacked\""));
    assert_eq!(settings.url(), Some("https://exchange.imex.example/claimwire"));
    let json = settings.to_json().unwrap();
    assert_eq!(PartnerSettings::from_json(&json).unwrap(), settings);
    assert_eq!(serde_json::from_str::<PartnerSettings>(&json).unwrap(), settings);
}

#[test]
fn settings_with_the_least_have_the_defaults_of_the_rules() {
    let settings = PartnerSettings::from_toml(&with("")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&settings.to_json().unwrap()).unwrap();
    assert_eq!(json["signature_window_seconds"], 300);
    assert_eq!(json["conflicts"], "stop");
    assert_eq!(json["compression"], "deflate");
    assert_eq!(json["export"]["sealed_size_limit"], 262_144_000);
    assert_eq!(json["import"]["unknown_claim_types"], "reject");
}

#[cfg(feature = "zstd")]
#[test]
fn a_compression_is_named_and_written_out() {
    let settings = PartnerSettings::from_toml(&with("compression = \"zstd\"")).unwrap();
    let json = settings.to_json().unwrap();
    assert!(json.contains("\"compression\": \"zstd\""), "{json}");
    assert_eq!(PartnerSettings::from_json(&json).unwrap(), settings);
    for wrong in ["\"Zstd\"", "\"\"", "93"] {
        assert_places(&mistakes(&with(&format!("compression = {wrong}"))), &["compression"]);
    }
}

#[test]
fn the_feedback_field_is_a_custom_field_without_prefix() {
    for field in ["", " ", "custom_fields.imex_unpacked"] {
        assert_places(&mistakes(&with(&format!("feedback_field = \"{field}\""))), &["feedback_field"]);
    }
}

#[test]
fn every_mistake_is_reported_at_once_with_its_place() {
    let found = mistakes(
        r#"
        number = 100
        alias = " "
        colour = "blue"
        url = "http://exchange.imex.example"
        signature_window_seconds = 0
        conflicts = "mine"
        compression = "lzma"
        paused = "yes"
        automatic_unpack = { as = " ", at = "night" }
        retry = { first_delay_seconds = 0, factor = 101, tries = 5000000000, give_up = 3 }
        [keys.outgoing]
        version = 0
        suite = "rot13"
        [[keys.incoming]]
        version = 1
        suite = "des-md5"
        framing = "openssl"
        salt = "0123456789abcdef"
        iterations = 20000000
        secret = { env = "A", host = "b" }
        [[keys.incoming]]
        version = 2
        suite = "age"
        secret = { file = "relative.key" }
        [[keys.incoming]]
        version = 2
        suite = "age"
        secret = { host = "x" }
        [[keys.verifying]]
        id = "k"
        [selection.levels.claim]
        standard = { only = [] }
        [selection.levels.vehicle]
        exchanged = true
        [selection.levels.note]
        exchanged = false
        [export]
        naming = "{dat:YYYY}"
        sealed_size_limit = 0
        required_fields = { claim = ["colour", "custom_fields.region"] }
        [import]
        unknown_bill_types = "perhaps"
        forced_status = { note = { status = "seen" }, claim = { exceptions = ["closed"] } }
        [names.claim]
        fields = { "custom_fields.a" = "status" }
        statuses = { open = "x", closed = "X" }
        "#,
    );
    let mut places: Vec<&str> = found.iter().map(|mistake| mistake.subject.as_deref().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "alias",
            "automatic_unpack.as",
            "automatic_unpack.at",
            "colour",
            "compression",
            "conflicts",
            "export.naming",
            "export.note_required",
            "export.required_fields.claim",
            "export.required_fields.claim",
            "export.sealed_size_limit",
            "import.forced_status.claim.status",
            "import.forced_status.note",
            "import.unknown_bill_types",
            "keys.incoming[0].salt",
            "keys.incoming[0].secret",
            "keys.incoming[1].secret.file",
            "keys.incoming[2].version",
            "keys.outgoing.suite",
            "keys.outgoing.version",
            "keys.verifying[0].public",
            "names.claim.fields.custom_fields.a",
            "names.claim.statuses.open",
            "number",
            "paused",
            "retry.factor",
            "retry.first_delay_seconds",
            "retry.give_up",
            "retry.tries",
            "selection.levels.claim",
            "selection.levels.vehicle",
            "signature_window_seconds",
            "site",
            "url",
        ],
        "{found:#?}"
    );
}

#[test]
fn a_partner_without_any_key_is_refused() {
    let found = mistakes("site = \"IMEX\"\nnumber = 7\nalias = \"Examiners\"");
    assert_places(&found, &["keys.outgoing", "keys.verifying"]);
}

#[test]
fn a_partner_that_cannot_sign_has_one_thing_that_proves_it_and_is_sent_nothing() {
    let unsigned = |unsigned: &str| {
        let sealing = AgeIdentity::generate().recipient();
        mistakes(&format!(
            "site = \"IMEX\"\nnumber = 7\nalias = \"Examiners\"\n[keys]\nunsigned = {unsigned}\n\
             [keys.outgoing]\nversion = 1\nsuite = \"age\"\nrecipients = [\"{sealing}\"]"
        ))
    };
    let digits = "ab".repeat(32);
    assert_places(&unsigned(&format!("{{ certificate_sha256 = \"{digits}\" }}")), &["keys.verifying"]);
    let both = format!("{{ certificate_sha256 = \"{digits}\", token = {{ env = \"T\" }} }}");
    assert_places(&unsigned(&both), &["keys.unsigned", "keys.verifying"]);
    assert_places(&unsigned("{}"), &["keys.unsigned", "keys.verifying"]);
    let wrong = ["keys.unsigned.certificate_sha256", "keys.verifying"];
    assert_places(&unsigned("{ certificate_sha256 = \"ab:cd\" }"), &wrong);
    let told = unsigned("{ token = \"hunter2\" }");
    assert_places(&told, &["keys.unsigned.token", "keys.verifying"]);
    assert!(told.iter().all(|mistake| !format!("{mistake:?}").contains("hunter2")));
    assert_places(&unsigned("\"hunter2\""), &["keys.unsigned", "keys.verifying"]);
}

#[test]
fn a_retry_policy_is_written_out_and_read_again() {
    let read = |more: &str| {
        let settings = PartnerSettings::from_toml(&with(more)).unwrap();
        let text = settings.to_json().unwrap();
        assert_eq!(PartnerSettings::from_json(&text).unwrap(), settings);
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["retry"].clone()
    };
    let mut expected = serde_json::json!({
        "first_delay_seconds": 30, "factor": 2, "longest_delay_seconds": 3600, "tries": 250,
        "give_up_after_seconds": 432_000,
    });
    assert_eq!(read(""), expected);
    expected["factor"] = 3.into();
    expected["give_up_after_seconds"] = 600.into();
    assert_eq!(read("retry = { factor = 3, give_up_after_seconds = 600 }"), expected);
}

#[test]
fn a_pause_and_automatic_unpack_are_written_out_and_read_again() {
    let more = "paused = true\nautomatic_unpack = { as = \"night shift\" }";
    let settings = PartnerSettings::from_toml(&with(more)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&settings.to_json().unwrap()).unwrap();
    assert_eq!((&json["paused"], &json["automatic_unpack"]["as"]), (&true.into(), &"night shift".into()));
    assert_eq!(PartnerSettings::from_json(&settings.to_json().unwrap()).unwrap(), settings);
    let plain = PartnerSettings::from_toml(&with("")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&plain.to_json().unwrap()).unwrap();
    assert_eq!((&json["paused"], json.get("automatic_unpack")), (&false.into(), None));
}

#[test]
fn a_file_that_is_not_toml_names_the_line_and_repeats_nothing_of_it() {
    let error = PartnerSettings::from_toml("site = \"IMEX\"\npassword = hunter2 2\n").unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn a_secret_that_was_put_into_the_settings_is_refused_and_not_repeated() {
    let (identity, shared) =
        (AgeIdentity::generate().to_secret_string(), SigningKey::generate_shared("s").unwrap());
    let shared = shared.to_secret_text();
    let found = mistakes(&format!(
        "site = \"IMEX\"\nnumber = 7\nalias = \"Examiners\"\nurl = \"https://user:hunter2@imex.example\"\n\
         [keys.outgoing]\nversion = 1\nsuite = \"age\"\nrecipients = [\"{}\"]\n\
         [[keys.incoming]]\nversion = 1\nsuite = \"des-md5\"\nframing = \"openssl\"\nsecret = \"hunter2\"\n\
         [[keys.verifying]]\nid = \"s\"\npublic = \"{}\"\n",
        identity.expose(),
        shared.as_str()
    ));
    let places =
        ["url", "keys.outgoing.recipients[0]", "keys.incoming[0].secret", "keys.verifying[0].public"];
    assert_places(&found, &places);
    let told: String = found.iter().map(|mistake| format!("{mistake}\n")).collect();
    assert!(
        !told.contains("hunter2") && !told.contains(identity.expose()) && !told.contains(shared.as_str())
    );
}

#[test]
fn two_partners_must_not_share_site_number_or_alias() {
    let one = PartnerSettings::from_toml(&with("")).unwrap();
    let other = with("").replace("IMEX", "IMEX-2").replace("Examiners", "examiners ");
    let other = PartnerSettings::from_toml(&other).unwrap();
    PartnerSettings::check_all(std::slice::from_ref(&one)).unwrap();
    let error = PartnerSettings::check_all(&[one.clone(), other]).unwrap_err();
    assert_places(error.details(), &["number 07", "alias examiners"]);
    assert_eq!(PartnerSettings::check_all(&[one.clone(), one]).unwrap_err().details().len(), 3);
}

#[test]
fn settings_make_a_partner_once_its_secrets_are_fetched() {
    let identity = AgeIdentity::generate();
    let sealing =
        format!("[keys.outgoing]\nversion = 3\nsuite = \"age\"\nrecipients = [\"{}\"]", identity.recipient());
    let settings = PartnerSettings::from_toml(&with(&sealing)).unwrap();
    let text = identity.to_secret_string().expose().to_owned();
    let secrets = LocalSecrets::new().with_host(move |name| {
        assert_eq!(name, "imex");
        Ok(SecretText::new(text.clone()))
    });
    let partner = settings.to_partner(&secrets).unwrap();
    assert_eq!((partner.alias(), partner.suite()), ("Examiners", Some(Suite::Age)));
    let shown = format!("{settings:?} {partner:?} {secrets:?} {}", settings.to_json().unwrap());
    assert!(!shown.contains("AGE-SECRET-KEY"));
}

#[test]
fn every_secret_that_cannot_be_had_is_told() {
    let settings = PartnerSettings::from_toml(&example()).unwrap();
    let error = settings.to_partner(&LocalSecrets::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    assert_places(error.details(), &["keys.incoming[0]", "keys.incoming[1]", "keys.verifying[1]"]);
}

fn file_secret(path: &Path) -> Result<SecretText> {
    LocalSecrets::new().secret(&SecretPlace::File(path.to_owned()))
}

#[test]
fn one_line_end_is_taken_off_a_secret_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (content, secret) in [("one", "one"), ("one\n", "one"), ("one\r\n", "one"), ("one \n\n", "one \n")] {
        let path = private_file(folder.path(), content);
        assert_eq!(file_secret(&path).unwrap().as_str(), secret);
    }
    let empty = private_file(folder.path(), "\n");
    assert!(file_secret(&empty).unwrap_err().to_string().ends_with("it is empty"));
    assert_eq!(file_secret(folder.path()).unwrap_err().kind(), ErrorKind::InvalidSettings);
    assert_eq!(file_secret(&folder.path().join("absent")).unwrap_err().kind(), ErrorKind::Io);
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = private_file(folder.path(), "hunter2");
    for mode in [0o640, 0o604, 0o620, 0o644] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = file_secret(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{mode:o}: {error}");
        assert!(!error.to_string().contains("hunter2"));
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(file_secret(&path).unwrap().as_str(), "hunter2");
}

fn private_file(folder: &Path, content: &str) -> std::path::PathBuf {
    let path = folder.join("secret");
    std::fs::write(&path, content).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}

/// The keys of a partner, written as TOML, with the mistakes they have.
fn keys(toml: &str) -> Vec<Detail> {
    mistakes(&format!("{}{toml}", with("")))
}

const AGE: &str = "suite = \"age\"\nsecret = { host = \"imex\" }";
const LEGACY: &str = "suite = \"des-md5\"\nframing = \"openssl\"\nsecret = { host = \"p\" }";

#[test]
fn keys_have_times_and_versions_that_were_given_up() {
    let recipient = AgeIdentity::generate().recipient();
    let sealing = format!("suite = \"age\"\nrecipients = [\"{recipient}\"]");
    // Moments as text, and as TOML has them.
    let toml = format!(
        "{}[[keys.outgoing]]\nversion = 1\nvalid_until = \"2026-06-01T00:00:00Z\"\n{sealing}\n\
         [[keys.outgoing]]\nversion = 2\nvalid_from = 2026-05-01T00:00:00+02:00\n{sealing}\n\
         [[keys.incoming]]\nversion = 2\nretired = \"2026-04-01T00:00:00Z\"\n\
         [[keys.incoming]]\nversion = 3\nvalid_from = 2026-04-01T00:00:00Z\n{AGE}\n\
         [[keys.verifying]]\nid = \"shared\"\nsecret = {{ host = \"signs\" }}\nvalid_until = 2026-04-01T00:00:00Z\n",
        with("[keys]\ngrace_days = 14")
    );
    let settings = PartnerSettings::from_toml(&toml).unwrap();
    let json: serde_json::Value = serde_json::from_str(&settings.to_json().unwrap()).unwrap();
    assert_eq!(json["keys"]["outgoing"][1]["valid_from"], "2026-05-01T00:00:00+02:00");
    assert_eq!(
        json["keys"]["incoming"][1],
        serde_json::json!({"version": 2, "retired": "2026-04-01T00:00:00Z"})
    );
    assert_eq!(json["keys"]["grace_days"], 14);
    assert_eq!(PartnerSettings::from_json(&json.to_string()).unwrap(), settings);

    let identity = AgeIdentity::generate();
    let shared = SigningKey::generate_shared("shared").unwrap().to_secret_text();
    let secrets = LocalSecrets::new().with_host(move |name| {
        let own = identity.to_secret_string();
        let text = if name == "signs" { shared.as_str() } else { own.expose() };
        Ok(SecretText::new(text.to_owned()))
    });
    let partner = settings.to_partner(&secrets).unwrap();
    let states = |moment: &str| -> Vec<_> {
        partner.keys(moment.parse().unwrap()).iter().map(|key| key.state).collect()
    };
    use claimwire::exchange::KeyState::{Ended, NotYet, Retired, Valid};
    assert_eq!(states("2026-03-01T00:00:00Z"), [Valid, NotYet, Valid, Retired, NotYet, Valid, Valid]);
    assert_eq!(states("2026-06-01T00:00:00Z"), [Ended, Valid, Valid, Retired, Valid, Valid, Ended]);
}

#[test]
fn one_key_to_seal_with_stays_a_table_in_json() {
    let recipient = AgeIdentity::generate().recipient();
    for key in ["[keys.outgoing]", "[[keys.outgoing]]"] {
        let toml = format!("{}{key}\nversion = 3\nsuite = \"age\"\nrecipients = [\"{recipient}\"]", with(""));
        let json = PartnerSettings::from_toml(&toml).unwrap().to_json().unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["keys"]["outgoing"]["version"], 3);
    }
}

#[test]
fn times_that_are_none_are_mistakes() {
    let found = keys(&format!(
        "[[keys.incoming]]\nversion = 2\nvalid_from = 2026-05-01T00:00:00Z\nvalid_until = 2026-04-01T00:00:00Z\n{AGE}\n\
         [[keys.incoming]]\nversion = 3\nvalid_until = \"2026-04-01\"\n{AGE}\n\
         [[keys.incoming]]\nversion = 4\nretired = 2026-04-01T00:00:00Z\n{AGE}\n"
    ));
    assert_places(
        &found,
        &[
            "keys.incoming[1].valid_until",
            "keys.incoming[2].valid_until",
            "keys.incoming[3].secret",
            "keys.incoming[3].suite",
        ],
    );
    assert_places(&mistakes(&with("[keys]\ngrace_days = 367")), &["keys.grace_days"]);
}

#[test]
fn the_legacy_suite_is_named_dated_and_not_gone_back_to() {
    let dated = |legacy: &str| {
        let toml = format!(
            "{}[[keys.incoming]]\nversion = 2\n{LEGACY}\n",
            with(&format!("[keys.legacy]\n{legacy}"))
        );
        PartnerSettings::from_toml(
            &toml.replace("suite = \"age\"\nsecret", "suite = \"des-md5\"\nframing = \"openssl\"\nsecret"),
        )
    };
    let settings = dated("review_by = 2026-12-31").unwrap();
    assert!(settings.to_json().unwrap().contains("\"after_review\": \"warn\""));
    assert_eq!(PartnerSettings::from_json(&settings.to_json().unwrap()).unwrap(), settings);
    dated("review_by = \"2026-12-31\"\nafter_review = \"refuse\"").unwrap();
    let mistaken = |legacy| dated(legacy).unwrap_err().details().to_vec();
    assert_places(&mistaken("after_review = \"refuse\""), &["keys.legacy.review_by"]);
    assert_places(&mistaken("review_by = \"soon\""), &["keys.legacy.review_by"]);
    assert_places(
        &mistaken("review_by = 2026-12-31\nafter_review = \"never\""),
        &["keys.legacy.after_review"],
    );
    // It stands for no suite by itself.
    assert_places(&mistakes(&with("[keys.legacy]\nreview_by = 2026-12-31")), &["keys.legacy"]);
    // A password and its framing name no suite, and those of one do not fit the other.
    let unnamed = LEGACY.replace("suite = \"des-md5\"\n", "");
    assert_places(
        &keys(&format!("[[keys.incoming]]\nversion = 2\n{unnamed}\n")),
        &["keys.incoming[1].suite"],
    );
    let mixed = LEGACY.replace("des-md5", "age");
    assert_places(
        &keys(&format!("[[keys.incoming]]\nversion = 2\n{mixed}\n")),
        &["keys.incoming[1].framing"],
    );
    // Version 1 is age.
    let back = keys(&format!("[[keys.incoming]]\nversion = 2\n{LEGACY}\n"));
    assert_places(&back, &["keys.incoming[1].suite"]);
    assert!(back[0].message.contains("goes back to des-md5"), "{}", back[0]);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_secret_is_followed_and_the_file_at_its_end_is_judged() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let path = private_file(folder.path(), "hunter2");
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(file_secret(&link).unwrap().as_str(), "hunter2");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(file_secret(&link).unwrap_err().to_string().contains("chmod 600"));
}
