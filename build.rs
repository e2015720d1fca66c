//! With the feature `capi`, generates the C header into the build folder; nothing is written beside the sources.

fn main() {
    #[cfg(feature = "capi")]
    header::generate();
    println!("cargo::rerun-if-changed=build.rs");
}

#[cfg(feature = "capi")]
mod header {
    use std::path::{Path, PathBuf};

    /// The files of `src/capi/` in the order of the header: first what every host needs, then tier by tier.
    const FILES: &[&str] = &[
        // Tier 1
        "version",
        "code",
        "error",
        "buffer",
        "json",
        "callback",
        "failure",
        "watch",
        "log",
        // Tier 2
        "key",
        "codec_bytes",
        "codec_batch",
        "codec_stream",
        "codec_file",
        "digest",
        "archive_directory",
        "pack",
        "archive_name",
        "archive_writer",
        "archive_reader",
        "unpack",
        // Tier 3
        "signing_key",
        "message",
        "transport",
        "transport_https",
        "host_transport",
        "host_reply",
        "directory_inbox",
        "case_system",
        "case_documents",
        "claim_out",
        "staged",
        "host_case_system",
        "partner",
        "naming",
        "package_state",
        "event",
        "webhook_options",
        "webhook",
        "exchange_settings",
        "scan",
        "exchange",
        "exchange_keys",
        "outgoing",
        "outbox",
        "incoming",
        "history",
        "monitoring",
        "partner_trial",
        // Tier 4
        "answering",
        "incoming_request",
        "receiver",
    ];

    pub(crate) fn generate() {
        for watched in ["cbindgen.toml", "src/capi"] {
            println!("cargo::rerun-if-changed={watched}");
        }
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).unwrap_or_default();
        match bindings(&folder("CARGO_MANIFEST_DIR")) {
            Ok(bindings) => {
                bindings.write_to_file(folder("OUT_DIR").join("claimwire.h"));
            }
            Err(error) => println!("cargo::error=the C header could not be generated: {error}"),
        }
    }

    fn bindings(root: &Path) -> Result<cbindgen::Bindings, String> {
        let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
        let guide = std::fs::read_to_string(root.join("src/capi/guide.h"));
        config.header = Some(guide.map_err(|error| error.to_string())?);
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(root.join(format!("src/capi/{file}.rs")));
        }
        builder.generate().map_err(|error| error.to_string())
    }
}
