//! How a live handle of each type is made, in C, and what good values there are. A maker is written into the sweep when
//! the header has the functions it calls.

use super::generate::{is_lent, is_made};
use crate::surface::Surface;
use std::fmt::Write as _;

/// Texts that get a call past a parameter of this name, so that the others are looked at; "x" for all names else.
pub(crate) const GOOD_TEXTS: &[(&str, &str)] = &[
    ("framing", "salt-prefix"),
    ("format", "json"),
    ("pointer", ""),
    ("json", "{}"),
    ("catalogue", ""),
    ("method", "POST"),
    ("path", "/claimwire/v1/packages"),
    ("base_path", "/claimwire"),
    ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("claim", "0192f0c1-7a3b-7c00-8000-00000000000c"),
    ("valid_from", "2026-01-01T00:00:00Z"),
    ("valid_until", "2027-01-01T00:00:00Z"),
    ("document", "0192f0c1-7a3b-7c00-8000-00000000000d"),
    ("package", "0192f0c1-7a3b-7c00-8000-00000000000e"),
];

/// Where a text that is not UTF-8 is no mistake of the host's, because it came from a stranger who is answered.
pub(crate) const FROM_STRANGERS: &[&str] = &["cw_exchange_answer", "cw_incoming_request_new"];

/// Texts that are looked at only when others before them were found good, which the sweep's are not: a claim that is
/// there, a record that is whole, a signature that is right. They are refused all the same.
pub(crate) const LOOKED_AT_LATER: &[(&str, &str)] = &[
    ("cw_case_system_add_note", "note"),
    ("cw_case_system_document_versions", "document"),
    ("cw_case_system_read_document", "document"),
    ("cw_case_system_read_document_file", "document"),
    ("cw_case_system_read_document_file", "file"),
    ("cw_changes_apply", "claim_file"),
    ("cw_exchange_export", "partner"),
    ("cw_exchange_export_notes", "by"),
    ("cw_exchange_export_notes", "partner"),
    ("cw_exchange_mark_viewed", "by"),
    ("cw_exchange_try_partner", "collecting"),
    ("cw_exchange_replay_since", "by"),
    ("cw_receipt_verify", "key"),
    ("cw_receipt_verify", "key_id"),
];

/// Descriptors of the process itself are not for the sweep to read or to close.
pub(crate) fn good_number(name: &str) -> &'static str {
    match name {
        "from" | "to" | "descriptor" => "-1",
        _ => "0",
    }
}

/// The body of `static T *make_T(void)`; `at_folder(name)` is a new path in the sweep's folder.
const MAKERS: &[(&str, &str)] = &[
    ("cw_error", "    cw_json_quote(CW_STR(\"x\"), NULL, &fault);\n    return fault;\n"),
    ("cw_buffer", "    MUST(cw_json_quote(CW_STR(\"x\"), &made, &fault), \"buffer\");\n    return made;\n"),
    (
        "cw_sealing_key",
        "    MUST(cw_sealing_key_des_md5((const uint8_t *)\"sesame\", 6, CW_STR(\"salt-prefix\"), NULL, 0, &made, &fault), \"sealing key\");
    return made;
",
    ),
    (
        "cw_opening_key",
        "    cw_buffer *identity = NULL;
    cw_buffer *recipient = NULL;
    MUST(cw_age_generate(&identity, &recipient, &fault), \"age identity\");
    MUST(cw_opening_key_age((const char *)cw_buffer_data(identity), cw_buffer_len(identity), &made, &fault), \"opening key\");
    cw_buffer_free(identity);
    cw_buffer_free(recipient);
    return made;
",
    ),
    (
        "cw_sealed_batch",
        "    MUST(cw_encrypt_batch(live_cw_sealing_key(), NULL, 0, &made, &fault), \"sealed batch\");\n    return made;\n",
    ),
    (
        "cw_encryptor",
        "    MUST(cw_encryptor_new(live_cw_sealing_key(), NULL, NULL, NULL, &made, &fault), \"encryptor\");
    return made;
",
    ),
    (
        "cw_decryptor",
        "    MUST(cw_decryptor_new(live_cw_opening_key(), NULL, NULL, NULL, &made, &fault), \"decryptor\");
    return made;
",
    ),
    (
        "cw_archive_writer",
        "    MUST(cw_archive_writer_new(NULL, NULL, NULL, &made, &fault), \"archive writer\");\n    return made;\n",
    ),
    (
        "cw_archive_reader",
        "    cw_archive_writer *writer = make_cw_archive_writer();
    cw_buffer *archive = NULL;
    MUST(cw_archive_writer_add(writer, CW_STR(\"a.txt\"), (const uint8_t *)\"x\", 1, &fault), \"entry\");
    MUST(cw_archive_writer_finish(writer, &fault), \"archive\");
    MUST(cw_archive_writer_take(writer, &archive, &fault), \"archive\");
    MUST(cw_archive_reader_open_bytes(cw_buffer_data(archive), cw_buffer_len(archive), NULL, &made, &fault), \"archive reader\");
    cw_buffer_free(archive);
    cw_archive_writer_free(writer);
    return made;
",
    ),
    (
        "cw_signing_key",
        "    MUST(cw_signing_key_generate(CW_STR(\"own/1\"), &made, &fault), \"signing key\");\n    return made;\n",
    ),
    (
        "cw_transport",
        "    MUST(cw_transport_new(good_cw_transport_functions(), NULL, NULL, &made, &fault), \"transport\");
    return made;
",
    ),
    (
        "cw_directory_inbox",
        "    MUST(cw_directory_inbox_open(CW_Z(at_folder(\"inbox\")), &made, &fault), \"inbox\");\n    return made;\n",
    ),
    (
        "cw_case_system",
        "    MUST(cw_case_system_open(CW_Z(at_folder(\"cases\")), NULL, 0, &made, &fault), \"case system\");
    return made;
",
    ),
    (
        "cw_partner",
        "    char settings[1024];
    cw_buffer *identity = NULL;
    cw_buffer *recipient = NULL;
    cw_buffer *verifying = NULL;
    MUST(cw_age_generate(&identity, &recipient, &fault), \"age identity\");
    MUST(cw_signing_key_verifying_text(live_cw_signing_key(), &verifying, &fault), \"verifying key\");
    snprintf(settings, sizeof settings,
             \"{\\\"site\\\":\\\"IMEX\\\",\\\"number\\\":1,\\\"alias\\\":\\\"x\\\",\"
             \"\\\"keys\\\":{\\\"outgoing\\\":{\\\"version\\\":1,\\\"suite\\\":\\\"age\\\",\\\"recipients\\\":[\\\"%s\\\"]},\"
             \"\\\"incoming\\\":[],\\\"verifying\\\":[{\\\"id\\\":\\\"x/1\\\",\\\"public\\\":\\\"%s\\\"}]}}\",
             (const char *)cw_buffer_data(recipient), (const char *)cw_buffer_data(verifying));
    cw_buffer_free(identity);
    cw_buffer_free(recipient);
    cw_buffer_free(verifying);
    MUST(cw_partner_from_json(CW_Z(settings), NULL, live_cw_transport(), &made, &fault), \"partner\");
    return made;
",
    ),
    (
        "cw_exchange_settings",
        "    cw_case_system *cases = NULL;
    MUST(cw_case_system_new(good_cw_case_system_functions(), NULL, NULL, &cases, &fault), \"case system\");
    MUST(cw_exchange_settings_new(CW_STR(\"OWN\"), CW_Z(at_folder(\"exchange\")), live_cw_signing_key(), cases, &made,
                                  &fault),
         \"exchange settings\");
    cw_case_system_free(cases);
    return made;
",
    ),
    (
        "cw_exchange",
        "    cw_exchange_settings *settings = make_cw_exchange_settings();
    MUST(cw_exchange_settings_add_partner(settings, live_cw_partner(), &fault), \"partner of the exchange\");
    MUST(cw_exchange_open(settings, &made, &fault), \"exchange\");
    return made;
",
    ),
    (
        "cw_outbox",
        "    MUST(cw_outbox_start(live_cw_exchange(), &made, &fault), \"outbox\");
    return made;
",
    ),
    (
        "cw_webhook",
        "    cw_webhook_options *options = good_cw_webhook_options();
    cw_buffer *secret = NULL;
    const char *folder = at_folder(\"webhook\");
    MUST(cw_webhook_secret_generate(&secret, &fault), \"secret\");
    options->site = \"OWN\";
    options->site_len = strlen(options->site);
    options->url = \"http://127.0.0.1:9/\";
    options->url_len = strlen(options->url);
    options->folder = folder;
    options->folder_len = strlen(folder);
    options->secret = (const char *)cw_buffer_data(secret);
    options->secret_len = cw_buffer_len(secret);
    MUST(cw_webhook_open(options, NULL, NULL, NULL, &made, &fault), \"webhook\");
    cw_buffer_free(secret);
    return made;
",
    ),
    (
        "cw_receiver",
        // Its own options: the shared ones may hold the mistake that is about to be tried.
        "    cw_receiver_options own, *options = &own;
    memset(options, 0, sizeof own);
    options->struct_size = sizeof own;
    options->address = \"127.0.0.1:0\";
    options->address_len = strlen(options->address);
    options->certificates = (const uint8_t *)CERTIFICATE;
    options->certificates_len = sizeof CERTIFICATE - 1;
    options->private_key = (const uint8_t *)PRIVATE_KEY;
    options->private_key_len = sizeof PRIVATE_KEY - 1;
    MUST(cw_receiver_start(live_cw_exchange(), options, &made, &fault), \"receiver\");
    return made;
",
    ),
    (
        "cw_response",
        "    MUST(cw_exchange_answer(live_cw_exchange(), CW_STR(\"GET\"), CW_STR(\"/claimwire/none\"), NULL, 0, NULL, NULL, NULL,
                            &made, &fault), \"response\");
    return made;
",
    ),
    (
        "cw_incoming_request",
        "    MUST(cw_incoming_request_new(live_cw_exchange(), CW_STR(\"POST\"), CW_STR(\"/claimwire/none\"), NULL, 0, NULL, &made,
                                 &fault), \"incoming request\");
    return made;
",
    ),
];

fn called(body: &str) -> impl Iterator<Item = &str> {
    body.match_indices("cw_").filter_map(|(at, _)| {
        let word = &body[at..];
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        // `make_cw_x()` and its like are not the header's.
        let own = body[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        (!own && word[end..].starts_with('(')).then_some(&word[..end])
    })
}

/// The makers that this header has the functions for, and `live_T()`, which makes one handle for the whole sweep.
pub(crate) fn all(surface: &Surface) -> String {
    let there = |body: &str| called(body).all(|name| surface.function(name).is_some());
    let makers: Vec<_> = MAKERS.iter().filter(|(_, body)| there(body)).collect();
    let mut text = certificate();
    for (of, _) in &makers {
        writeln!(text, "static {of} *kept_{of};\nstatic {of} *make_{of}(void);").unwrap();
        writeln!(text, "static {of} *live_{of}(void) {{").unwrap();
        writeln!(text, "    if (kept_{of} == NULL) {{\n        kept_{of} = make_{of}();\n    }}").unwrap();
        writeln!(text, "    return kept_{of};\n}}\n").unwrap();
    }
    for (of, body) in &makers {
        let first = if *of == "cw_error" { "" } else { &format!("    {of} *made = NULL;\n") };
        writeln!(text, "static {of} *make_{of}(void) {{\n    cw_error *fault = NULL;\n{first}{body}}}\n")
            .unwrap();
    }
    text.push_str("static void end_live(void) {\n");
    // What was made of others ends before them, though the contract asks for no order.
    for (of, _) in makers.iter().rev() {
        writeln!(text, "    {of}_free(kept_{of});").unwrap();
    }
    text + "}\n\n"
}

/// The types that a host is given handles of, and for which there is no maker.
pub(crate) fn missing(surface: &Surface) -> Vec<&str> {
    let made = |of: &&str| !is_lent(surface, of) && is_made(surface, of);
    let known = |of: &str| MAKERS.iter().any(|(maker, _)| *maker == of);
    surface.opaque.iter().map(String::as_str).filter(made).filter(|of| !known(of)).collect()
}

fn certificate() -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let literal =
        |pem: String| pem.lines().fold(String::new(), |text, line| text + "\n    \"" + line + "\\n\"");
    format!(
        "static const char CERTIFICATE[] = {};\nstatic const char PRIVATE_KEY[] = {};\n\n",
        literal(made.cert.pem()),
        literal(made.signing_key.serialize_pem())
    )
}
