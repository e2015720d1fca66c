//! Peak resident memory of export + send and of receive + unpack, for a 250 MB package, over real HTTPS on loopback.
//!
//! ```sh
//! cargo bench --bench memory
//! ```
//!
//! Each side is a process of its own, so that what the kernel reports (VmHWM of `/proc/self/status`, Linux only) is
//! that side's peak and nothing else's. Preparing the claim is a third process that is not counted.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

#[path = "load/noise.rs"]
mod noise;

use claimwire::case_system::SqliteCaseSystem;
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, OpeningKey, SealingKey, Suite};
use claimwire::exchange::{Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::PackageQuery;
use claimwire::model::{Claim, ClaimFile, Document, ExchangeId, SiteId};
use claimwire::protocol::SigningKey;
use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
use claimwire::rules::ExportRules;
use claimwire::transport::{HttpsSettings, HttpsTransport};
use noise::Noise;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LIMIT_KIB: u64 = 64 << 10;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["receive", folder, suite] => receive(Path::new(folder), suite.parse()?),
        ["send", folder, suite, port] => send(Path::new(folder), suite.parse()?, port),
        _ => measure(),
    }
}

/// Runs the three processes for each suite and prints what the two sides report.
fn measure() -> Outcome<()> {
    println!("{:<10} {:<18} {:>10} {:>10} {:>12}", "suite", "side", "peak KiB", "seconds", "bytes");
    let mut within = true;
    for suite in [Suite::DesMd5, Suite::Age] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().to_str().ok_or("a folder with a plain name")?;
        start(&["prepare", path])?.wait()?;
        let mut receiver = start(&["receive", path, suite.name()])?;
        let mut said = BufReader::new(receiver.stdout.take().ok_or("its output")?).lines();
        let port = said.next().ok_or("its port")??;
        let sender = start(&["send", path, suite.name(), &port])?.wait_with_output()?;
        drop(receiver.stdin.take());
        let received = said.next().ok_or("what it measured")??;
        receiver.wait()?;
        let sent = String::from_utf8(sender.stdout)?;
        for (side, report) in [("export + send", sent.trim()), ("receive + unpack", received.trim())] {
            let figures: Vec<&str> = report.split(' ').collect();
            let [peak, seconds, bytes] = figures[..] else {
                return Err(format!("{side} failed: {report}").into());
            };
            println!("{:<10} {side:<18} {peak:>10} {seconds:>10} {bytes:>12}", suite.name());
            within &= peak.parse::<u64>()? <= LIMIT_KIB;
        }
    }
    println!("{} the limit of {LIMIT_KIB} KiB", if within { "within" } else { "ABOVE" });
    if within { Ok(()) } else { Err("peak memory is above the limit".into()) }
}

fn start(arguments: &[&str]) -> Outcome<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    Ok(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
}

/// A claim with one scan of 40 MB, a hundred of 2 MB, and 20 MB of text; keys and certificates for both sides.
fn prepare(folder: &Path) -> Outcome<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".into()])?;
    fs::write(folder.join("certificate.pem"), cert.pem())?;
    fs::write(folder.join("key.pem"), signing_key.serialize_pem())?;
    fs::write(folder.join("age.key"), AgeIdentity::generate().to_secret_string().expose())?;

    let cases = SqliteCaseSystem::open(folder.join("sender-cases"))?;
    let mut claim = Claim::new(claim_id()?);
    claim.claim_number = Some("C-1".into());
    cases.put(&ClaimFile::new(claim))?;
    let add = |name: String, content: &mut dyn Read| -> Outcome<()> {
        let mut document = Document::new(ExchangeId::new(&SiteId::new("ON-INS")?, &name)?);
        document.name = Some(name);
        cases.add_document(&claim_id()?, document, content)?;
        Ok(())
    };
    add("big-scan.tif".into(), &mut Noise(1).take(40 << 20))?;
    for number in 0..100 {
        add(format!("scan-{number}.jpg"), &mut Noise(number + 2).take(2 << 20))?;
    }
    let line = b"2026-02-26 Swelling down. Referred to physiotherapy, twice a week, for six weeks.\n";
    let text: Vec<u8> = line.iter().copied().cycle().take(20 << 20).collect();
    add("notes.txt".into(), &mut text.as_slice())
}

fn send(folder: &Path, suite: Suite, port: &str) -> Outcome<()> {
    let url = format!("https://127.0.0.1:{port}");
    let settings = HttpsSettings::new(&url)?.root_certificates(fs::read(folder.join("certificate.pem"))?);
    let partner = Partner::new(SiteId::new("IMEX")?, "Examiners")
        .reached_by(HttpsTransport::new(settings)?)
        .seal_with(1, keys(folder, suite)?.0)
        .verify_with(signs("imex", 2)?.verifying_key())
        .with_export_rules(ExportRules::new().note_required(false));
    let exchange = open(folder, "sender", "ON-INS", signs("on-ins", 1)?, partner)?;
    let begun = Instant::now();
    let exported = exchange.export(&claim_id()?, &SiteId::new("IMEX")?, &ExportOptions::by("bench"))?;
    exchange.send(exported.package.id, &())?;
    report(begun.elapsed(), exported.size)
}

fn receive(folder: &Path, suite: Suite) -> Outcome<()> {
    let partner = Partner::new(SiteId::new("ON-INS")?, "Insurer")
        .open_with(1, keys(folder, suite)?.1)
        .verify_with(signs("on-ins", 1)?.verifying_key());
    let exchange = open(folder, "receiver", "IMEX", signs("imex", 2)?, partner)?;
    let tls = TlsSettings::new(fs::read(folder.join("certificate.pem"))?, fs::read(folder.join("key.pem"))?);
    let endpoint = Arc::new(exchange.clone());
    let running = Receiver::bind("127.0.0.1:0", tls, endpoint, ReceiverSettings::default())?;
    println!("{}", running.local_addr().port());
    std::io::stdout().flush()?;
    // The end of the input is the word that all was sent.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let begun = Instant::now();
    let incoming = exchange.incoming_packages(&PackageQuery::new())?.pop().ok_or("nothing arrived")?;
    exchange.unpack(incoming.id, "bench", &())?;
    let took = begun.elapsed();
    running.shutdown(Duration::from_secs(5))?;
    report(took, incoming.size)
}

fn report(took: Duration, bytes: u64) -> Outcome<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM: not Linux")?;
    println!("{} {:.2} {bytes}", peak.trim().trim_end_matches(" kB"), took.as_secs_f64());
    Ok(())
}

fn open(folder: &Path, side: &str, site: &str, signs: SigningKey, partner: Partner) -> Outcome<Exchange> {
    let cases = SqliteCaseSystem::open(folder.join(format!("{side}-cases")))?;
    let settings =
        ExchangeSettings::new(SiteId::new(site)?, folder.join(side), signs, cases).with_partner(partner);
    Ok(Exchange::open(settings)?)
}

fn keys(folder: &Path, suite: Suite) -> Outcome<(SealingKey, OpeningKey)> {
    if suite == Suite::Age {
        let identity: AgeIdentity = fs::read_to_string(folder.join("age.key"))?.parse()?;
        return Ok((identity.recipient().into(), identity.into()));
    }
    let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?;
    Ok((key.clone().into(), key.into()))
}

fn signs(id: &str, seed: u8) -> Outcome<SigningKey> {
    Ok(SigningKey::ed25519(id, &[seed; 32])?)
}

fn claim_id() -> Outcome<ExchangeId> {
    Ok("ON-INS/C-1".parse()?)
}
