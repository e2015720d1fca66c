//! The whole way over the transports that leave the process: HTTPS with the real receiver, and the drop folder.

use crate::support::*;
use crate::transport_tls::Authority;
use claimwire::exchange::{Acknowledgement, Event, ExportOptions};
use claimwire::ledger::{OutgoingState, Step};
use claimwire::model::{PackageId, Timestamp};
use claimwire::protocol::{DEFAULT_WINDOW, SigningKey};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{
    Body, DirectoryInbox, DirectoryTransport, HttpsSettings, HttpsTransport, Transport,
};
use claimwire::{Error, ErrorKind};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// Two sites over HTTPS on loopback, each with its own authority for servers and one for clients.
struct Online {
    sites: TwoSites,
    _endpoints: [Running; 2],
}

/// The insurer knows the examiner as `settings` say, made from the examiner's address.
fn online(
    settings: impl FnOnce(&str, &Authority, &Authority) -> HttpsSettings,
    receiver: ReceiverSettings,
) -> Online {
    let (servers, clients) = (Authority::new(), Authority::new());
    let doors = [Arc::new(LateEndpoint::default()), Arc::new(LateEndpoint::default())];
    let [insurer, examiner] = [0, 1].map(|of: usize| {
        let server = servers.server();
        let tls =
            TlsSettings::new(server.chain, server.key).require_client_certificates(clients.pem.as_str());
        Receiver::bind("127.0.0.1:0", tls, doors[of].clone(), receiver.clone()).unwrap()
    });
    let url = |running: &Running| format!("https://127.0.0.1:{}", running.local_addr().port());
    let to_examiner = HttpsTransport::new(settings(&url(&examiner), &servers, &clients)).unwrap();
    let to_insurer = HttpsTransport::new(trusted(&url(&insurer), &servers, &clients)).unwrap();
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| partner.reached_by(to_examiner)),
        examiner_of_insurer: Box::new(|partner| partner.reached_by(to_insurer)),
        ..Setup::default()
    });
    doors[0].open(&sites.insurer.exchange);
    doors[1].open(&sites.examiner.exchange);
    Online { sites, _endpoints: [insurer, examiner] }
}

/// The settings that are right: the server's authority is trusted, and a client certificate is shown.
fn trusted(url: &str, servers: &Authority, clients: &Authority) -> HttpsSettings {
    let client = clients.client();
    let settings = HttpsSettings::new(url).unwrap().root_certificates(servers.pem.as_str());
    settings.client_certificate(client.chain, client.key)
}

#[test]
fn a_claim_goes_there_and_back_over_https() {
    let Online { sites, _endpoints } = online(trusted, ReceiverSettings::default());
    let claim = sites.claim_at_insurer();
    let noise = |n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[2];
    let scan: Vec<u8> = (0..300_000).map(noise).collect();
    let scan_id = put_document(&sites.insurer, &claim, "D-2", "scan.jpg", &scan);
    let package = sites.deliver(&claim);
    assert_eq!(sites.examiner.bytes(&claim, &scan_id), scan);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Unpacked);
    assert_eq!(steps(&sites.insurer, package), [Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked]);

    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    let back = sites.deliver_back(&claim);
    assert_eq!(sites.examiner.exchange.poll(back).unwrap().state, OutgoingState::Unpacked);
    assert!(sites.insurer.file(&claim).notes.iter().any(|note| note.body.as_deref() == Some("Seen.")));
    assert!(is_tidy(&sites.insurer) && is_tidy(&sites.examiner));
}

/// Exports and sends, and expects that the package does not arrive, and that the insurer is told why.
#[track_caller]
fn does_not_arrive(sites: &TwoSites, kind: ErrorKind, state: OutgoingState) -> Error {
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let error = sites.insurer.exchange.send(package, &()).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let said = error.to_string();
    assert!(said.contains("Independent Medical Examiners") && said.contains(&package.to_string()), "{said}");
    let outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!((outgoing.state, outgoing.receipt), (state, None));
    assert_eq!(outgoing.last_error.unwrap().kind, kind.name());
    assert_eq!(steps(&sites.insurer, package), [Step::Exported, Step::Sent, Step::Failed]);
    let events = sites.insurer.events.lock().unwrap();
    let told: Vec<_> = events.iter().skip(1).map(Event::name).collect();
    drop(events);
    let expected = match (state, kind) {
        (OutgoingState::Failed, _) => &["failed"][..],
        (_, ErrorKind::BadCertificate) => &["held-up"],
        _ => &[],
    };
    assert_eq!(told, expected);
    assert!(stored(&sites.examiner).is_empty() && sites.examiner.new_packages().is_empty());
    assert_eq!(stored(&sites.insurer).len(), 1, "the package waits in the outbox");
    error
}

#[test]
fn a_partner_with_an_untrusted_certificate_gets_nothing() {
    let stranger = Authority::new();
    let wrong_root = |url: &str, _: &Authority, clients: &Authority| trusted(url, &stranger, clients);
    let Online { sites, _endpoints } = online(wrong_root, ReceiverSettings::default());
    let error = does_not_arrive(&sites, ErrorKind::BadCertificate, OutgoingState::Queued);
    assert!(error.to_string().contains("root certificates"), "{error}");
}

#[test]
fn a_sender_without_a_client_certificate_does_not_come_in() {
    let without = |url: &str, servers: &Authority, _: &Authority| {
        HttpsSettings::new(url).unwrap().root_certificates(servers.pem.as_str())
    };
    let Online { sites, _endpoints } = online(without, ReceiverSettings::default());
    let error = does_not_arrive(&sites, ErrorKind::BadCertificate, OutgoingState::Queued);
    assert!(error.to_string().contains("client certificate"), "{error}");
}

#[test]
fn a_sender_with_a_client_certificate_of_a_stranger_does_not_come_in() {
    let stranger = Authority::new();
    let other = |url: &str, servers: &Authority, _: &Authority| trusted(url, servers, &stranger);
    let Online { sites, _endpoints } = online(other, ReceiverSettings::default());
    does_not_arrive(&sites, ErrorKind::BadCertificate, OutgoingState::Queued);
}

#[test]
fn no_partner_is_reached_over_plain_http() {
    let error = HttpsSettings::new("http://exchange.example.com/claimwire").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PlainHttp);
    assert!(error.to_string().contains("http://exchange.example.com"), "{error}");
    assert!(error.to_string().contains("https"), "{error}");
}

#[test]
fn an_https_endpoint_takes_nothing_over_plain_http() {
    let plain = |url: &str, _: &Authority, _: &Authority| {
        HttpsSettings::new(&url.replace("https://", "http://")).unwrap()
    };
    let Online { sites, _endpoints } = online(plain, ReceiverSettings::default());
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap_err();
    assert_ne!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Delivered);
    assert!(stored(&sites.examiner).is_empty());
}

#[test]
fn a_receiver_refuses_a_package_above_its_bound_before_it_is_sent() {
    let mut receiver = ReceiverSettings::default();
    receiver.max_body_bytes = 100;
    let Online { sites, _endpoints } = online(trusted, receiver);
    let error = does_not_arrive(&sites, ErrorKind::SealedTooLarge, OutgoingState::Failed);
    assert!(error.to_string().contains("100 bytes"), "{error}");
}

/// A server without TLS on loopback that serves one connection.
fn server(serve: impl FnOnce(TcpStream) -> u64 + Send + 'static) -> (String, JoinHandle<u64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, std::thread::spawn(move || serve(listener.accept().unwrap().0)))
}

/// Two sites, of which the insurer takes this server for the examiner.
fn sites_against(url: &str) -> TwoSites {
    let transport = HttpsTransport::new(HttpsSettings::new(url).unwrap()).unwrap();
    TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| partner.reached_by(transport)),
        ..Setup::default()
    })
}

#[test]
fn nobody_listening_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let sites = sites_against(&url);
    does_not_arrive(&sites, ErrorKind::Unreachable, OutgoingState::Queued);
}

/// Reads a request's head, and asks for its body when the sender waits for that.
fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    if String::from_utf8_lossy(&head).to_lowercase().contains("100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    }
}

#[test]
fn an_endless_answer_is_given_up_at_its_limit() {
    let (url, served) = server(|mut stream| {
        read_head(&mut stream);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.claimwire.receipt+json\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let piece = [b'['; 64 * 1024];
        let mut written = 0;
        // Ends when the other side has had enough and closes.
        while stream.write_all(&piece).is_ok() {
            written += piece.len() as u64;
            assert!(written < 1 << 30, "nobody stops reading");
        }
        written
    });
    let sites = sites_against(&url);
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let error = sites.insurer.exchange.send(package, &()).unwrap_err();
    assert_ne!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Delivered, "{error}");
    // 1 MiB is the limit of an answer; the rest lay in the buffers of the connection.
    assert!(served.join().unwrap() < 32 << 20);
}

#[test]
fn a_connection_that_breaks_while_sending_is_tried_again() {
    let (url, served) = server(|mut stream| {
        read_head(&mut stream);
        0
    });
    let sites = sites_against(&url);
    does_not_arrive(&sites, ErrorKind::Unreachable, OutgoingState::Sent);
    served.join().unwrap();
}

#[test]
fn an_answer_that_is_not_http_proves_nothing() {
    let (url, served) = server(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").unwrap();
        // Until the other side has read it and closes; a reset is as good.
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap_or_default()
    });
    let sites = sites_against(&url);
    let error = does_not_arrive(&sites, ErrorKind::BadMessage, OutgoingState::Sent);
    assert!(error.to_string().contains("not HTTP"), "{error}");
    served.join().unwrap();
}

/// Two sites that share a drop folder for each direction.
struct DropFolders {
    sites: TwoSites,
    at_examiner: DirectoryInbox,
    at_insurer: DirectoryInbox,
    folder: TempDir,
}

impl DropFolders {
    /// The examiner takes what the insurer signed up to `window` ago.
    fn new(window: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [out, back] = ["out", "back"].map(|name| folder.path().join(name));
        let (to_examiner, to_insurer) =
            (DirectoryTransport::new(&out).unwrap(), DirectoryTransport::new(&back).unwrap());
        let sites = TwoSites::with(Setup {
            insurer_of_examiner: Box::new(|partner| partner.reached_by(to_examiner)),
            examiner_of_insurer: Box::new(move |partner| {
                partner.reached_by(to_insurer).within_window(window)
            }),
            ..Setup::default()
        });
        let (at_examiner, at_insurer) =
            (DirectoryInbox::new(out).unwrap(), DirectoryInbox::new(back).unwrap());
        Self { sites, at_examiner, at_insurer, folder }
    }

    /// All files that lie in both drop folders.
    fn files(&self) -> Vec<PathBuf> {
        files_below(self.folder.path())
    }

    fn exported(&self) -> PackageId {
        let claim = self.sites.claim_at_insurer();
        self.sites.export(&claim).unwrap().package.id
    }

    #[track_caller]
    fn send(&self, package: PackageId) -> OutgoingState {
        self.sites.insurer.exchange.send(package, &()).unwrap().state
    }

    /// Both sides look again until the package is delivered: a lost or forged answer costs a round, not the package.
    #[track_caller]
    fn settles(&self, package: PackageId) {
        for _ in 0..3 {
            if self.send(package) == OutgoingState::Delivered {
                assert_eq!(self.sites.examiner.new_packages(), [package]);
                return;
            }
            self.at_examiner.poll(&self.sites.examiner.exchange).unwrap();
        }
        panic!("not delivered after three rounds");
    }

    fn path(&self, package: PackageId, folder: &str) -> PathBuf {
        self.folder.path().join("out").join(folder).join(format!("{package}.http"))
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn a_claim_goes_there_and_back_through_drop_folders() {
    let drop = DropFolders::new(DEFAULT_WINDOW);
    let DropFolders { sites, at_examiner, at_insurer, .. } = &drop;
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    assert_eq!(drop.send(package), OutgoingState::Sent);
    assert_eq!(drop.send(package), OutgoingState::Sent, "nobody has looked yet");
    assert_eq!(at_examiner.poll(&sites.examiner.exchange).unwrap(), 1);
    assert_eq!(drop.send(package), OutgoingState::Delivered);

    let unpacked = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert!(matches!(unpacked.acknowledgement, Acknowledgement::Left));
    assert_eq!(at_insurer.poll(&sites.insurer.exchange).unwrap(), 1);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Unpacked);
    let told = sites.examiner.exchange.acknowledge(package).unwrap();
    assert!(matches!(told, Acknowledgement::Told), "{told:?}");

    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    let options = ExportOptions::by("front desk");
    let back = sites.examiner.exchange.export(&claim, sites.insurer.site(), &options).unwrap().package.id;
    assert_eq!(sites.examiner.exchange.send(back, &()).unwrap().state, OutgoingState::Sent);
    assert_eq!(at_insurer.poll(&sites.insurer.exchange).unwrap(), 1);
    assert_eq!(sites.examiner.exchange.send(back, &()).unwrap().state, OutgoingState::Delivered);
    sites.insurer.exchange.unpack(back, "dana", &()).unwrap();
    assert!(sites.insurer.file(&claim).notes.iter().any(|note| note.body.as_deref() == Some("Seen.")));
    assert_eq!(at_examiner.poll(&sites.examiner.exchange).unwrap(), 1);
    sites.insurer.exchange.acknowledge(back).unwrap();
    assert_eq!(sites.examiner.exchange.outgoing(back).unwrap().state, OutgoingState::Unpacked);
    assert!(drop.files().is_empty(), "{:?}", drop.files());
    assert!(is_tidy(&sites.insurer) && is_tidy(&sites.examiner));
}

#[test]
fn an_answer_forged_in_the_drop_folder_is_no_receipt() {
    let drop = DropFolders::new(DEFAULT_WINDOW);
    let package = drop.exported();
    assert_eq!(drop.send(package), OutgoingState::Sent);
    let forged = "HTTP/1.1 200 \r\ncontent-type: application/vnd.claimwire.receipt+json\r\ncontent-length: 2\r\n\r\n{}";
    fs::write(drop.path(package, "answers"), forged).unwrap();
    let error = drop.sites.insurer.exchange.send(package, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoReceipt, "{error}");
    assert_eq!(drop.sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Queued);
    drop.settles(package);
}

#[test]
fn an_answer_that_is_none_is_told_and_thrown_away() {
    let drop = DropFolders::new(DEFAULT_WINDOW);
    let package = drop.exported();
    drop.send(package);
    fs::write(drop.path(package, "answers"), b"\0\0garbage").unwrap();
    let error = drop.sites.insurer.exchange.send(package, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadMessage, "{error}");
    drop.settles(package);
}

#[test]
fn a_request_damaged_in_the_drop_folder_is_refused_and_sent_anew() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes.truncate(bytes.len() - 100),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| bytes.truncate(20),
    ];
    for damage in damages {
        let drop = DropFolders::new(DEFAULT_WINDOW);
        let package = drop.exported();
        drop.send(package);
        let path = drop.path(package, "requests");
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        assert_eq!(drop.at_examiner.poll(&drop.sites.examiner.exchange).unwrap(), 1);
        assert!(stored(&drop.sites.examiner).is_empty());
        let error = drop.sites.insurer.exchange.send(package, &()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadMessage | ErrorKind::DigestMismatch), "{error}");
        drop.settles(package);
    }
}

#[test]
fn what_a_stranger_drops_into_the_folder_costs_the_exchange_nothing() {
    let drop = DropFolders::new(DEFAULT_WINDOW);
    let stranger = SigningKey::generate("stranger").unwrap();
    let delivery = Delivery::new(&drop.sites, vec![7; 5000]).with(|it| it.signer = stranger);
    let dropper = DirectoryTransport::new(drop.folder.path().join("out")).unwrap();
    let mut body = delivery.body.as_slice();
    dropper.send(&delivery.request(), Body::new(5000, &mut body)).unwrap();
    let requests = drop.folder.path().join("out/requests");
    fs::write(requests.join("README.txt"), b"not a request").unwrap();
    fs::write(requests.join(format!("{}.http", PackageId::generate())), [0; 100_000]).unwrap();
    drop.at_examiner.poll(&drop.sites.examiner.exchange).unwrap();
    assert!(stored(&drop.sites.examiner).is_empty());
    assert!(files_below(&requests).is_empty());
    // And the partner's own package passes beside it.
    let package = drop.exported();
    drop.send(package);
    drop.at_examiner.poll(&drop.sites.examiner.exchange).unwrap();
    assert_eq!(drop.send(package), OutgoingState::Delivered);
}

/// Lays a request for an exported package into the drop folder that was signed an hour ago.
fn drop_an_hour_ago(drop: &DropFolders, package: PackageId) {
    let sealed = fs::read(sealed_path(&drop.sites.insurer, "outbox")).unwrap();
    let hour_ago = Timestamp::from_unix_seconds(Timestamp::now().unix_seconds() - 3600).unwrap();
    let delivery = Delivery::new(&drop.sites, sealed).with(|it| {
        it.envelope.package_id = package;
        it.signed_at = hour_ago;
    });
    let dropper = DirectoryTransport::new(drop.folder.path().join("out")).unwrap();
    let mut body = delivery.body.as_slice();
    dropper.send(&delivery.request(), Body::new(delivery.body.len() as u64, &mut body)).unwrap();
    assert_eq!(drop.at_examiner.poll(&drop.sites.examiner.exchange).unwrap(), 1);
}

#[test]
fn a_request_that_waited_too_long_is_told_as_such_and_goes_through_when_sent_anew() {
    let drop = DropFolders::new(DEFAULT_WINDOW);
    let package = drop.exported();
    drop_an_hour_ago(&drop, package);
    let error = drop.sites.insurer.exchange.send(package, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Replayed, "{error}");
    drop.settles(package);
}

#[test]
fn a_partner_whose_requests_may_wait_longer_is_given_that_time() {
    let drop = DropFolders::new(Duration::from_secs(7200));
    let package = drop.exported();
    drop_an_hour_ago(&drop, package);
    assert_eq!(drop.send(package), OutgoingState::Delivered);
    assert_eq!(drop.sites.examiner.new_packages(), [package]);
}
