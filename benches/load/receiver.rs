//! The receiving site: a process that takes what its partners send, and says what memory it took.

use crate::Outcome;
use crate::partner::{number_of, signs_of, site_of};
use claimwire::case_system::SqliteCaseSystem;
use claimwire::codec::AgeIdentity;
use claimwire::exchange::{Exchange, ExchangeSettings, Partner};
use claimwire::model::SiteId;
use claimwire::protocol::SigningKey;
use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How long requests that run may take to finish once it is told to go.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) fn site() -> Outcome<SiteId> {
    Ok(SiteId::new("IMEX")?)
}

pub(crate) fn signs() -> Outcome<SigningKey> {
    Ok(SigningKey::ed25519("imex-1", &[255; 32])?)
}

/// Keys and certificate of the receiving site.
pub(crate) fn prepare(folder: &Path) -> Outcome<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".into()])?;
    fs::write(folder.join("certificate.pem"), cert.pem())?;
    fs::write(folder.join("key.pem"), signing_key.serialize_pem())?;
    fs::write(folder.join("age.key"), AgeIdentity::generate().to_secret_string().expose())?;
    Ok(())
}

/// The receiver's process, as the bench holds it.
pub(crate) struct Running {
    pub(crate) port: String,
    child: Child,
    says: BufReader<ChildStdout>,
}

pub(crate) fn start(folder: &Path, port: &str, partners: usize) -> Outcome<Running> {
    let folder = folder.to_str().ok_or("a folder with a plain name")?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["receive", folder, port, &partners.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut says = BufReader::new(child.stdout.take().ok_or("its output")?);
    let mut port = String::new();
    says.read_line(&mut port)?;
    if port.is_empty() {
        return Err("the receiver did not start".into());
    }
    Ok(Running { port: port.trim().to_owned(), child, says })
}

impl Running {
    /// Shuts it down; gives its peak memory in KiB.
    pub(crate) fn stop(mut self) -> Outcome<u64> {
        drop(self.child.stdin.take());
        let mut peak = String::new();
        self.says.read_to_string(&mut peak)?;
        self.child.wait()?;
        Ok(peak.trim().parse()?)
    }
}

/// The process itself, until its input ends.
pub(crate) fn run(folder: &Path, port: &str, partners: usize) -> Outcome<()> {
    let identity: AgeIdentity = fs::read_to_string(folder.join("age.key"))?.parse()?;
    let cases = SqliteCaseSystem::open(folder.join("receiver-cases"))?;
    let mut settings = ExchangeSettings::new(site()?, folder.join("receiver"), signs()?, cases);
    for partner in 0..partners {
        let known = Partner::new(site_of(partner)?, number_of(partner))
            .open_with(1, identity.clone())
            .verify_with(signs_of(partner)?.verifying_key());
        settings = settings.with_partner(known);
    }
    let exchange = Exchange::open(settings)?;
    let tls = TlsSettings::new(fs::read(folder.join("certificate.pem"))?, fs::read(folder.join("key.pem"))?);
    let address = format!("127.0.0.1:{port}");
    // All partners have one address here, which they do not have elsewhere.
    let mut bounds = ReceiverSettings::default();
    bounds.max_connections_per_address = bounds.max_connections;
    let running = Receiver::bind(address, tls, Arc::new(exchange), bounds)?;
    println!("{}", running.local_addr().port());
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    running.shutdown(GRACE)?;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM: not Linux")?;
    println!("{}", peak.trim().trim_end_matches(" kB"));
    Ok(())
}
