//! The partners: each a site of its own with its outbox, which sends until it has a receipt for everything.

use crate::noise::Noise;
use crate::{Load, Outcome, receiver};
use claimwire::case_system::SqliteCaseSystem;
use claimwire::codec::AgeIdentity;
use claimwire::exchange::{Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::{Ledger, OutgoingState, PackageQuery, SqliteLedger};
use claimwire::model::{Claim, ClaimFile, Document, ExchangeId, PackageId, SiteId};
use claimwire::protocol::SigningKey;
use claimwire::rules::ExportRules;
use claimwire::transport::{HttpsSettings, HttpsTransport};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How long a partner waits before it tries again.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn number_of(partner: usize) -> String {
    format!("S{partner}")
}

pub(crate) fn site_of(partner: usize) -> Outcome<SiteId> {
    Ok(SiteId::new(&number_of(partner))?)
}

pub(crate) fn signs_of(partner: usize) -> Outcome<SigningKey> {
    Ok(SigningKey::ed25519(&number_of(partner), &[u8::try_from(partner)?; 32])?)
}

/// One package and its way to its receipt.
#[derive(Clone)]
pub(crate) struct Sent {
    /// Of its document.
    pub(crate) size: u64,
    /// On the wire.
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) tries: u32,
}

struct Sender {
    exchange: Exchange,
    packages: Vec<(u64, PackageId)>,
}

/// All partners, with everything exported and nothing sent.
pub(crate) struct Traffic {
    senders: Vec<Sender>,
    arrived: Mutex<usize>,
    more_arrived: Condvar,
}

impl Traffic {
    pub(crate) fn prepare(folder: &Path, load: &Load, port: &str) -> Outcome<Self> {
        let identity: AgeIdentity = fs::read_to_string(folder.join("age.key"))?.parse()?;
        let certificate = fs::read(folder.join("certificate.pem"))?;
        let mut senders = Vec::new();
        for (partner, sizes) in load.packages.iter().enumerate() {
            let home = folder.join(number_of(partner));
            fs::create_dir(&home)?;
            let cases = std::sync::Arc::new(SqliteCaseSystem::open(home.join("cases"))?);
            let url = HttpsSettings::new(&format!("https://127.0.0.1:{port}"))?;
            let to = Partner::new(receiver::site()?, "receiver")
                .reached_by(HttpsTransport::new(url.root_certificates(certificate.as_slice()))?)
                .seal_with(1, identity.recipient())
                .verify_with(receiver::signs()?.verifying_key())
                .with_export_rules(ExportRules::new().note_required(false));
            let (site, signs) = (site_of(partner)?, signs_of(partner)?);
            let settings = ExchangeSettings::new(site.clone(), home.join("exchange"), signs, cases.clone());
            let exchange = Exchange::open(settings.with_partner(to))?;
            let mut packages = Vec::new();
            for (number, size) in sizes.iter().enumerate() {
                let mut claim = Claim::new(ExchangeId::new(&site, &format!("C-{number}"))?);
                claim.claim_number = Some(number.to_string());
                let id = claim.id.clone();
                cases.put(&ClaimFile::new(claim))?;
                let mut scan = Document::new(ExchangeId::new(&site, &format!("D-{number}"))?);
                scan.name = Some("scan.jpg".into());
                cases.add_document(&id, scan, Noise(1 + number as u64).take(*size))?;
                let exported = exchange.export(&id, &receiver::site()?, &ExportOptions::by("bench"))?;
                packages.push((*size, exported.package.id));
            }
            senders.push(Sender { exchange, packages });
        }
        Ok(Self { senders, arrived: Mutex::default(), more_arrived: Condvar::new() })
    }

    /// Lets all partners send at once.
    pub(crate) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        until: Instant,
    ) -> Vec<ScopedJoinHandle<'scope, Result<Vec<Sent>, String>>> {
        self.senders.iter().map(|sender| scope.spawn(move || self.send_all(sender, until))).collect()
    }

    fn send_all(&self, sender: &Sender, until: Instant) -> Result<Vec<Sent>, String> {
        let mut all = Vec::new();
        for (size, package) in &sender.packages {
            let (begun, mut tries) = (Instant::now(), 1);
            let sent = loop {
                match sender.exchange.send(*package, &()) {
                    Ok(sent) => break sent,
                    Err(error) if !error.is_retryable() || Instant::now() > until => {
                        self.arrives(usize::MAX / 2);
                        return Err(format!("after {tries} tries: {error}"));
                    }
                    Err(_) => std::thread::sleep(PAUSE),
                }
                tries += 1;
            };
            all.push(Sent { size: *size, bytes: sent.size, took: begun.elapsed(), tries });
            self.arrives(1);
        }
        Ok(all)
    }

    fn arrives(&self, count: usize) {
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner) += count;
        self.more_arrived.notify_all();
    }

    /// Returns once half of all packages have their receipts.
    pub(crate) fn wait_for_half(&self) {
        let half = self.senders.iter().map(|sender| sender.packages.len()).sum::<usize>() / 2;
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.more_arrived.wait_while(arrived, |arrived| *arrived < half);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Each receipt is for a package that the receiver holds, and it holds no other.
    pub(crate) fn nothing_is_lost(&self, folder: &Path) -> Outcome<()> {
        let ledger = SqliteLedger::open(folder.join("receiver/ledger.sqlite3"))?;
        let held = ledger.incoming_list(&PackageQuery::new().limit(u32::MAX))?;
        let mut held: BTreeMap<_, _> = held.into_iter().map(|it| (it.id, it)).collect();
        let inbox = folder.join("receiver/inbox");
        let files = fs::read_dir(&inbox)?.count();
        if files != held.len() {
            return Err(format!("{files} files lie in the inbox, {} packages are known", held.len()).into());
        }
        for sender in &self.senders {
            for outgoing in sender.exchange.outgoing_packages(&PackageQuery::new())? {
                let id = outgoing.package.id;
                let there = held.remove(&id).ok_or_else(|| format!("package {id} is lost"))?;
                let whole = fs::metadata(inbox.join(&there.file))?.len() == outgoing.size;
                if outgoing.state != OutgoingState::Delivered || there.sha256 != outgoing.sha256 || !whole {
                    return Err(format!("package {id} is not what its receipt says").into());
                }
            }
        }
        if held.is_empty() { Ok(()) } else { Err("the receiver holds what nobody sent".into()) }
    }
}

/// What became of one partner's packages.
pub(crate) fn joined(thread: ScopedJoinHandle<'_, Result<Vec<Sent>, String>>) -> Result<Vec<Sent>, String> {
    thread.join().unwrap_or_else(|_| Err("a partner panicked".to_owned()))
}
