//! Uploads over the real receiver and the real transport, through a line that can be cut, with processes that die.

use super::*;
use crate::transport_tls::Authority;
use claimwire::case_system::SqliteCaseSystem;
use claimwire::ledger::OutgoingState;
use claimwire::model::PackageId;
use claimwire::protocol::{SigningKey, VerifyingKey};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{HttpsSettings, HttpsTransport, Resumption};
use claimwire::{Error, ErrorKind};
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver as Told, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A line to a receiver: counts what goes there, and breaks once after so many bytes of one connection.
struct Line {
    address: SocketAddr,
    carried: Arc<AtomicU64>,
    break_after: Arc<AtomicU64>,
    /// Told when the line is to break; then it only falls silent, until the sender is gone.
    silent: Arc<Mutex<Option<Sender<()>>>>,
}

impl Line {
    fn to(receiver: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = Self {
            address: listener.local_addr().unwrap(),
            carried: Arc::default(),
            break_after: Arc::new(AtomicU64::new(u64::MAX)),
            silent: Arc::default(),
        };
        let (carried, break_after, silent) =
            (line.carried.clone(), line.break_after.clone(), line.silent.clone());
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(receiver).unwrap());
                let (mut back_from, mut back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = io::copy(&mut back_from, &mut back_to);
                    let _ = back_to.shutdown(Shutdown::Write);
                });
                let (carried, break_after, silent) = (carried.clone(), break_after.clone(), silent.clone());
                std::thread::spawn(move || carry(near, far, &carried, &break_after, &silent));
            }
        });
        line
    }

    fn breaks_after(&self, bytes: u64) {
        self.break_after.store(bytes, Ordering::SeqCst);
    }

    /// Falls silent after so many bytes instead, and says so.
    fn falls_silent_after(&self, bytes: u64) -> Told<()> {
        let (tell, told) = channel();
        *self.silent.lock().unwrap() = Some(tell);
        self.breaks_after(bytes);
        told
    }

    /// How many bytes went there since the last call.
    fn carried(&self) -> u64 {
        self.carried.swap(0, Ordering::SeqCst)
    }
}

fn carry(
    mut near: TcpStream,
    mut far: TcpStream,
    carried: &AtomicU64,
    break_after: &AtomicU64,
    silent: &Mutex<Option<Sender<()>>>,
) {
    let mut buffer = vec![0; 1 << 16];
    let mut here = 0;
    while let Ok(length @ 1..) = near.read(&mut buffer) {
        let room = break_after.load(Ordering::SeqCst).saturating_sub(here);
        let passed = usize::try_from(room).unwrap_or(usize::MAX).min(length);
        // Before it is written: the answer to it may be there before this thread goes on.
        carried.fetch_add(passed as u64, Ordering::SeqCst);
        if far.write_all(&buffer[..passed]).is_err() {
            break;
        }
        here += passed as u64;
        if passed < length {
            break_after.store(u64::MAX, Ordering::SeqCst);
            if let Some(tell) = silent.lock().unwrap().take() {
                tell.send(()).unwrap();
                let _ = io::copy(&mut near, &mut io::sink());
            }
            break;
        }
    }
    let _ = (near.shutdown(Shutdown::Both), far.shutdown(Shutdown::Write));
}

/// The examiner's endpoint, which tells how many posts it is done with, whole or not.
#[derive(Default)]
struct Door {
    exchange: LateEndpoint,
    done: Mutex<u64>,
    changed: Condvar,
}

impl Door {
    fn done(&self) -> u64 {
        *self.done.lock().unwrap()
    }

    /// Waits for another one: until then the examiner may still take in what a connection held when it broke.
    #[track_caller]
    fn is_done_with_more_than(&self, before: u64) {
        let (done, far_off) = (self.done.lock().unwrap(), Duration::from_secs(60));
        let waited = self.changed.wait_timeout_while(done, far_off, |done| *done == before).unwrap().1;
        assert!(!waited.timed_out(), "the examiner goes on with a body that broke off");
    }
}

impl Endpoint for Door {
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        let answer = self.exchange.answer(request, peer, body);
        if request.method() == "POST" {
            *self.done.lock().unwrap() += 1;
            self.changed.notify_all();
        }
        answer
    }
}

/// The insurer sends through a line to the examiner's receiver.
struct Lined {
    sites: TwoSites,
    line: Line,
    door: Arc<Door>,
    authority: Authority,
    _receiver: Running,
}

fn lined(resumption: Option<Resumption>) -> Lined {
    lined_within(resumption, UploadLimits::default())
}

/// The same, with an examiner that keeps uploads within these limits.
fn lined_within(resumption: Option<Resumption>, limits: UploadLimits) -> Lined {
    let authority = Authority::new();
    let server = authority.server();
    let door = Arc::new(Door::default());
    let tls = TlsSettings::new(server.chain, server.key);
    let receiver = Receiver::bind("127.0.0.1:0", tls, door.clone(), ReceiverSettings::default()).unwrap();
    let line = Line::to(receiver.local_addr());
    let transport = transport(&line.address.to_string(), &authority.pem, resumption);
    let keys = Keys::generate();
    let recipient = keys.identity.recipient();
    let sites = TwoSites::with(Setup {
        keys,
        insurer_of_examiner: Box::new(|partner| partner.reached_by(transport).seal_with(2, recipient)),
        examiner: Box::new(|settings| settings.with_upload_limits(limits)),
        ..Setup::default()
    });
    door.exchange.open(&sites.examiner.exchange);
    Lined { sites, line, door, authority, _receiver: receiver }
}

fn transport(address: &str, roots: &str, resumption: Option<Resumption>) -> HttpsTransport {
    let settings = HttpsSettings::new(&format!("https://{address}")).unwrap().root_certificates(roots);
    HttpsTransport::new(settings.resumption(resumption)).unwrap()
}

/// For packages of 64 KiB and more.
fn soon() -> Resumption {
    Resumption::default().from_bytes(1 << 16)
}

impl Lined {
    /// A package with a scan of so many bytes, in the insurer's outbox.
    fn exported(&self, bytes: usize) -> (PackageId, u64) {
        let claim = self.sites.claim_at_insurer();
        put_document(&self.sites.insurer, &claim, "D-9", "scan.jpg", &noise(bytes));
        let outgoing = self.sites.export(&claim).unwrap();
        (outgoing.package.id, outgoing.size)
    }

    fn send(&self, package: PackageId) -> Result<OutgoingState, Error> {
        self.sites.insurer.exchange.send(package, &()).map(|outgoing| outgoing.state)
    }

    /// Sends over a line that breaks after so many bytes.
    #[track_caller]
    fn cut(&self, package: PackageId, bytes: u64) {
        self.line.breaks_after(bytes);
        let error = self.send(package).unwrap_err();
        assert!(error.is_retryable() && error.kind() == ErrorKind::Unreachable, "{error}");
        self.line.carried();
    }

    /// The same, and waits until the examiner has taken what came of the body: the sender knows earlier that the line is
    /// broken.
    #[track_caller]
    fn cut_in_the_body(&self, package: PackageId, bytes: u64) {
        let before = self.door.done();
        self.cut(package, bytes);
        self.door.is_done_with_more_than(before);
    }

    /// The package came in once, as it was sent, and can be opened.
    #[track_caller]
    fn arrived(&self, package: PackageId) {
        let sent = std::fs::read(sealed_path(&self.sites.insurer, "outbox")).unwrap();
        assert!(std::fs::read(sealed_path(&self.sites.examiner, "inbox")).unwrap() == sent);
        assert!(self.sites.examiner.files_in("uploads").is_empty());
        assert_eq!(self.sites.examiner.new_packages(), [package]);
        self.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    }
}

#[test]
fn a_send_cut_at_60_percent_goes_on_from_there() {
    let it = lined(Some(Resumption::default()));
    let (package, size) = it.exported(24_000_000);
    it.cut_in_the_body(package, size * 6 / 10);
    assert_eq!(it.send(package).unwrap(), OutgoingState::Delivered);
    let carried = it.line.carried();
    assert!(carried < size * 4 / 10 + (1 << 20), "{carried} of {size} bytes");
    it.arrived(package);
}

#[test]
fn a_send_is_cut_again_and_again_wherever_it_is() {
    let it = lined(Some(soon()));
    let (package, size) = it.exported(3_000_000);
    // The first ends in the handshake, the second in the head of the request.
    for bytes in [200, 2_500, 400_000, 1_000_003, 700_000, 12_345] {
        it.cut(package, bytes);
    }
    assert_eq!(it.send(package).unwrap(), OutgoingState::Delivered);
    assert!(it.line.carried() < size / 2);
    it.arrived(package);
}

#[test]
fn a_send_in_parts_goes_on_with_the_part_that_broke() {
    let it = lined(Some(soon().in_parts_of(NonZeroU64::new(500_000).unwrap())));
    let (package, size) = it.exported(3_000_000);
    // Counted per connection, and each part has one.
    it.cut_in_the_body(package, 450_000);
    assert_eq!(it.send(package).unwrap(), OutgoingState::Delivered);
    let carried = it.line.carried();
    assert!((size - 450_000..size + 50_000).contains(&carried), "{carried} of {size} bytes");
    it.arrived(package);
}

#[test]
fn a_small_package_and_a_partner_set_so_get_the_whole_each_time() {
    for resumption in [Some(Resumption::default()), None] {
        let it = lined(resumption);
        let (package, size) = it.exported(1_000_000);
        it.cut_in_the_body(package, size / 2);
        assert!(it.sites.examiner.files_in("uploads").is_empty());
        assert_eq!(it.send(package).unwrap(), OutgoingState::Delivered);
        assert!(it.line.carried() > size);
        it.arrived(package);
    }
}

#[test]
fn a_site_that_keeps_nothing_gets_the_whole_again() {
    let mut limits = UploadLimits::default();
    limits.per_partner = 0;
    for resumption in [soon(), soon().in_parts_of(NonZeroU64::new(500_000).unwrap())] {
        let it = lined_within(Some(resumption), limits.clone());
        let (package, size) = it.exported(1_000_000);
        it.cut_in_the_body(package, size / 2);
        assert_eq!(it.send(package).unwrap(), OutgoingState::Delivered);
        assert!(it.line.carried() > size);
    }
}

#[test]
fn an_answer_that_was_lost_is_asked_for_without_the_package() {
    let it = lined(Some(soon()));
    let (package, size) = it.exported(1_000_000);
    it.cut_in_the_body(package, size / 2);
    // The rest comes in by another way, and its answer is lost.
    let sealed = std::fs::read(sealed_path(&it.sites.insurer, "outbox")).unwrap();
    let delivery = Delivery::new(&it.sites, sealed).with(|lie| {
        lie.envelope.package_id = package;
        lie.envelope.suite = "age".to_owned();
        lie.envelope.key_version = 2;
    });
    let (offset, _) = delivery.standing(&it.sites.examiner.exchange).unwrap();
    assert!(offset > size / 4);
    assert_eq!(delivery.finish(&it.sites.examiner.exchange, offset).status(), 200);
    assert_eq!(it.send(package).unwrap(), OutgoingState::Delivered);
    assert!(it.line.carried() < 50_000);
    it.arrived(package);
}

#[test]
fn bytes_that_changed_in_the_outbox_are_told_as_damaged_wherever_they_are() {
    let it = lined(Some(soon()));
    let (package, size) = it.exported(1_000_000);
    it.cut_in_the_body(package, size / 2);
    let path = sealed_path(&it.sites.insurer, "outbox");
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[1000] ^= 1;
    std::fs::write(&path, bad).unwrap();
    // The part that is sent is good, and so the package comes in whole; the outbox is damaged all the same.
    assert_eq!(it.send(package).unwrap_err().kind(), ErrorKind::StoreDamaged);
    std::fs::write(&path, good).unwrap();
    assert_eq!(it.send(package).unwrap(), OutgoingState::Delivered);
    it.arrived(package);
}

/// What a sender in a process of its own is told by its environment.
const SENDER: &str = "CLAIMWIRE_TEST_SENDER";

/// Not a test in this process: what `a_killed_sender_goes_on` runs as another, which is killed.
#[test]
fn a_sender_in_a_process_of_its_own() {
    let Ok(folder) = std::env::var(SENDER).map(PathBuf::from) else { return };
    let told = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let partner = Partner::new(examiner_site(), "Independent Medical Examiners")
        .reached_by(transport(&told("address"), &told("roots"), Some(Resumption::default())))
        .verify_with(VerifyingKey::from_text("imex-1", &told("examiner")).unwrap());
    let signs = SigningKey::from_secret_text("on-ins-1", &told("insurer")).unwrap();
    let cases = SqliteCaseSystem::open(folder.join("cases")).unwrap();
    let settings = ExchangeSettings::new(insurer_site(), folder.join("exchange"), signs, Arc::new(cases));
    let exchange = Exchange::open(settings.with_partner(partner)).unwrap();
    let sent = exchange.send(told("package").parse().unwrap(), &()).unwrap();
    assert_eq!(sent.state, OutgoingState::Delivered);
}

fn sender_at(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "resumable_upload::over_https::a_sender_in_a_process_of_its_own"])
        .env(SENDER, folder);
    command
}

#[test]
fn a_killed_sender_goes_on() {
    let it = lined(Some(Resumption::default()));
    let (package, size) = it.exported(12_000_000);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("exchange")).unwrap();
    copy_folder(&it.sites.insurer.folder.join("exchange"), &folder.path().join("exchange"));
    let keys = &it.sites.keys;
    for (name, text) in [
        ("address", it.line.address.to_string().as_str()),
        ("roots", &it.authority.pem),
        ("examiner", keys.examiner_signs.verifying_key().to_text().as_str()),
        ("insurer", keys.insurer_signs.to_secret_text().as_str()),
        ("package", &package.to_string()),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let before = it.door.done();
    let silent = it.line.falls_silent_after(size * 6 / 10);
    let mut sender = sender_at(folder.path()).spawn().unwrap();
    silent.recv().unwrap();
    sender.kill().unwrap();
    assert!(!sender.wait().unwrap().success());
    it.door.is_done_with_more_than(before);
    it.line.carried();
    assert!(sender_at(folder.path()).status().unwrap().success());
    let carried = it.line.carried();
    assert!(carried < size * 4 / 10 + (1 << 20), "{carried} of {size} bytes");
    it.arrived(package);
}
