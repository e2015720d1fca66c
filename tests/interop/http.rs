//! Other people's HTTP: curl as a sender that cannot sign, and nginx in front of the receiver.

use crate::peers::{attempt, find};
use crate::support::*;
use crate::transport_tls::{Authority, Identity};
use claimwire::ErrorKind;
use claimwire::exchange::Partner;
use claimwire::ledger::{IncomingState, OutgoingState};
use claimwire::protocol::{Credential, Peer, Problem, Receipt, ReceiptState, SigningKey};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TOKEN: &str = "legacy-token-0123456789-abcdefghij";

/// The examiner's receiver, and a folder with the files that programs are told of.
struct Served {
    sites: TwoSites,
    running: Running,
    folder: TempDir,
    servers: Authority,
    clients: Authority,
}

impl Served {
    fn new(sites: TwoSites, change: impl FnOnce(TlsSettings, &Authority) -> TlsSettings) -> Self {
        let (folder, servers, clients) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
        let server = servers.server();
        let tls = change(TlsSettings::new(server.chain, server.key), &clients);
        let endpoint = Arc::new(sites.examiner.exchange.clone());
        let running = Receiver::bind("127.0.0.1:0", tls, endpoint, ReceiverSettings::default()).unwrap();
        let served = Self { sites, running, folder, servers, clients };
        served.write("inner-authority.pem", &served.servers.pem);
        served
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn write_identity(&self, name: &str, identity: &Identity) {
        self.write(&format!("{name}-chain.pem"), &identity.chain);
        self.write(&format!("{name}-key.pem"), &identity.key);
    }

    fn port(&self) -> u16 {
        self.running.local_addr().port()
    }
}

/// Has the examiner take the insurer's packages without a signature when this proves them.
fn unsigned_by(credential: Credential) -> TwoSites {
    TwoSites::with(Setup {
        examiner_of_insurer: Box::new(|partner| partner.accept_unsigned(credential)),
        ..Setup::default()
    })
}

/// What curl posts, and what it gets for it.
fn post_with_curl(served: &Served, delivery: &Delivery, options: &[&str]) -> (bool, Vec<u8>, String) {
    let sealed = served.folder.path().join("package.sealed");
    fs::write(&sealed, &delivery.body).unwrap();
    let mut command = Command::new("sh");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/curl/post_package.sh"))
        .arg(format!("https://127.0.0.1:{}", served.port()))
        .arg(sealed)
        .args([&delivery.id().to_string(), "ON-INS", "IMEX", "des-md5", "1", "--cacert"])
        .arg(served.folder.path().join("inner-authority.pem"))
        .args(options);
    attempt(&mut command, b"")
}

#[test]
fn curl_alone_sends_a_package_with_a_bearer_token() {
    let (Some(_), Some(_)) = (find(&["curl"], "--version"), find(&["openssl"], "version")) else { return };
    let served = Served::new(unsigned_by(Credential::bearer_token(TOKEN).unwrap()), |tls, _| tls);
    let parts = Parts::new();
    let delivery = Delivery::of_archive(&served.sites, parts.id(), &parts.archive(), 1);
    let token = |text: &str| {
        format!("@{}", served.write("token", &format!("Authorization: Bearer {text}\n")).display())
    };
    let (taken, problem, _) = post_with_curl(&served, &delivery, &["-H", &token(&TOKEN[1..])]);
    assert!(!taken && String::from_utf8_lossy(&problem).contains("unknown-sender"));

    let right = token(TOKEN);
    for state in [ReceiptState::Received, ReceiptState::Unpacked] {
        let (taken, receipt, complaint) = post_with_curl(&served, &delivery, &["-H", &right]);
        assert!(taken, "{complaint} {}", String::from_utf8_lossy(&receipt));
        let receipt = Receipt::from_json(&receipt).unwrap();
        assert_eq!((receipt.package_id, receipt.state), (delivery.id(), state));
        served.sites.examiner.exchange.unpack(delivery.id(), "front desk", &()).unwrap();
    }
    assert_eq!(served.sites.examiner.file(&id("ON-INS/C-1")).notes.len(), 1);
}

#[test]
fn curl_alone_sends_a_package_with_a_client_certificate() {
    let (Some(_), Some(_)) = (find(&["curl"], "--version"), find(&["openssl"], "version")) else { return };
    let served =
        Served::new(TwoSites::new(), |tls, clients| tls.accept_client_certificates(clients.pem.as_str()));
    let (known, other) = (served.clients.client(), served.clients.client());
    let fingerprint = Peer::unknown().with_certificate(known.der.clone()).fingerprint().unwrap();
    let insurer = served.sites.examiner.exchange.partner(&insurer_site()).unwrap();
    let credential = Credential::client_certificate(&fingerprint).unwrap();
    served.sites.examiner.exchange.set_partner(Partner::clone(&insurer).accept_unsigned(credential));
    // Above the size from which on curl asks first: `Expect: 100-continue`.
    let delivery = Delivery::new(&served.sites, vec![7; 3_000_000]);
    for (identity, admitted) in [(other, false), (known, true)] {
        served.write_identity("client", &identity);
        let file = |name: &str| served.folder.path().join(name).display().to_string();
        let options = ["--cert", &file("client-chain.pem"), "--key", &file("client-key.pem")];
        let (taken, answer, complaint) = post_with_curl(&served, &delivery, &options);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(taken, admitted, "{complaint} {answer}");
        assert!(answer.contains(if admitted { "received" } else { "unknown-sender" }), "{answer}");
    }
    let held = served.sites.examiner.exchange.incoming(delivery.id()).unwrap();
    assert_eq!((held.state, held.size), (IncomingState::Received, 3_000_000));
}

/// An nginx of this test's own, set up as docs/reverse-proxy.md says.
struct Nginx {
    process: Child,
    port: u16,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Nginx {
    /// Starts one in front of the receiver; none where nginx is not installed. `change` changes its settings.
    fn start(served: &Served, change: impl Fn(String) -> String) -> Option<Self> {
        let program = find(&["nginx", "/usr/sbin/nginx"], "-v")?;
        served.write_identity("front", &served.servers.server());
        served.write_identity("proxy", &served.clients.client());
        let folder = served.folder.path().display().to_string();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let documented = include_str!("../../docs/reverse-proxy.md");
        let server = documented.split("```nginx\n").nth(1).unwrap().split("```").next().unwrap();
        let server = server
            .replace("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl"))
            .replace("https://127.0.0.1:8443", &format!("https://127.0.0.1:{}", served.port()))
            .replace("/etc/claimwire", &folder);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("    {kind}_temp_path {folder}/{kind};\n"))
            .collect();
        // One process, so that ending it ends all of it.
        let settings = format!(
            "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\n\
             events {{}}\nhttp {{\n    access_log off;\n{temporary}{}}}\n",
            change(server)
        );
        let file = served.write("nginx.conf", &settings);
        let mut command = Command::new(program);
        command.arg("-p").arg(&folder).arg("-e").arg(format!("{folder}/nginx.log")).arg("-c").arg(file);
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(format!("{folder}/nginx.log")).unwrap_or_default();
            assert!(process.try_wait().unwrap().is_none(), "nginx ended: {}", log());
            assert!(start.elapsed() < Duration::from_secs(60), "nginx does not start: {}", log());
            std::thread::yield_now();
        }
        Some(Self { process, port })
    }

    fn settings(&self, served: &Served) -> HttpsSettings {
        let url = format!("https://127.0.0.1:{}", self.port);
        HttpsSettings::new(&url).unwrap().root_certificates(served.servers.pem.as_str())
    }

    fn transport(&self, served: &Served) -> HttpsTransport {
        HttpsTransport::new(self.settings(served)).unwrap()
    }
}

/// A receiver that takes only those whom the inner authority vouches for: the proxy.
fn behind_a_proxy(sites: TwoSites) -> Served {
    Served::new(sites, |tls, clients| tls.require_client_certificates(clients.pem.as_str()))
}

fn unchanged(settings: String) -> String {
    settings
}

/// Bytes that no proxy can compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Where the examiner keeps what it has not taken wholly yet.
fn arriving(side: &Side) -> u64 {
    let folder = side.folder.join("exchange");
    ["inbox", "work"]
        .iter()
        .flat_map(|name| fs::read_dir(folder.join(name)).unwrap())
        .map(|entry| entry.unwrap().metadata().map_or(0, |it| it.len()))
        .sum()
}

/// A body that does something once, when half of it is read.
struct Halfway<'a, F: FnMut()> {
    rest: &'a [u8],
    half: usize,
    then: Option<F>,
}

impl<F: FnMut()> Read for Halfway<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.len() < self.half
            && let Some(mut then) = self.then.take()
        {
            then();
        }
        self.rest.read(buffer)
    }
}

fn send(transport: &HttpsTransport, delivery: &Delivery, halfway: impl FnMut()) -> claimwire::Result<Reply> {
    // The transport declares the length itself.
    let request = delivery.clone().with(|it| it.declared = None).request();
    let length = delivery.body.len();
    let mut body = Halfway { rest: &delivery.body, half: length / 2, then: Some(halfway) };
    transport.send(&request, Body::new(length as u64, &mut body))
}

#[test]
fn a_signed_exchange_goes_through_nginx_and_nobody_goes_past_it() {
    let served = behind_a_proxy(TwoSites::new());
    let Some(nginx) = Nginx::start(&served, unchanged) else { return };
    let insurer = &served.sites.insurer.exchange;
    let examiner = insurer.partner(&examiner_site()).unwrap();
    insurer.set_partner(Partner::clone(&examiner).reached_by(nginx.transport(&served)));
    let claim = served.sites.claim_at_insurer();
    put_document(&served.sites.insurer, &claim, "D-2", "scan.jpg", &noise(9_000_000));
    let package = served.sites.export(&claim).unwrap().package.id;
    let sent = insurer.send(package, &()).unwrap();
    assert_eq!(sent.state, OutgoingState::Delivered);
    served.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert_eq!(served.sites.examiner.file(&claim).documents.len(), 2);

    let past = HttpsSettings::new(&format!("https://127.0.0.1:{}", served.port())).unwrap();
    let past = HttpsTransport::new(past.root_certificates(served.servers.pem.as_str())).unwrap();
    let error = send(&past, &Delivery::new(&served.sites, noise(100)), || {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCertificate, "{error}");
}

#[test]
fn nginx_streams_a_big_body_and_keeps_none_of_it() {
    let served = behind_a_proxy(TwoSites::new());
    let Some(nginx) = Nginx::start(&served, unchanged) else { return };
    let delivery = Delivery::new(&served.sites, noise(60_000_000));
    let arrived = || {
        let start = Instant::now();
        while arriving(&served.sites.examiner) < 10_000_000 {
            assert!(start.elapsed() < Duration::from_secs(60), "half is sent, and nothing has arrived");
            std::thread::yield_now();
        }
        assert_eq!(fs::read_dir(served.folder.path().join("client_body")).unwrap().count(), 0);
    };
    let reply = send(&nginx.transport(&served), &delivery, arrived).unwrap();
    assert!(matches!(&reply, Reply::Answered(answer) if answer.status() == 200), "{reply:?}");
    assert_eq!(served.sites.examiner.exchange.incoming(delivery.id()).unwrap().size, 60_000_000);
}

#[test]
fn a_refusal_of_the_receivers_comes_through_nginx_with_its_reason() {
    let served = behind_a_proxy(TwoSites::new());
    let Some(nginx) = Nginx::start(&served, unchanged) else { return };
    let stranger = SigningKey::generate("on-ins-1").unwrap();
    let delivery = Delivery::new(&served.sites, noise(10_000)).with(|it| it.signer = stranger);
    let Reply::Answered(answer) = send(&nginx.transport(&served), &delivery, || {}).unwrap() else {
        panic!()
    };
    let refused = refusal(&answer);
    assert_eq!((refused.status, refused.kind), (401, ErrorKind::UnknownSender));
    assert!(refused.said.contains("on-ins-1"), "{}", refused.said);
}

#[test]
fn the_certificate_of_the_proxy_is_nobodys_and_its_headers_prove_nothing() {
    let served = behind_a_proxy(TwoSites::new());
    let client = served.clients.client();
    let fingerprint = Peer::unknown().with_certificate(client.der.clone()).fingerprint().unwrap();
    let insurer = served.sites.examiner.exchange.partner(&insurer_site()).unwrap();
    let credential = Credential::client_certificate(&fingerprint).unwrap();
    served.sites.examiner.exchange.set_partner(Partner::clone(&insurer).accept_unsigned(credential));
    served.write("clients.pem", &served.clients.pem);
    let folder = served.folder.path().display().to_string();
    let telling = move |settings: String| {
        let verify =
            format!("ssl_client_certificate {folder}/clients.pem; ssl_verify_client on;\n    location /");
        let told = "proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;\n        proxy_pass ";
        settings.replace("location /", &verify).replacen("proxy_pass ", told, 1)
    };
    let Some(nginx) = Nginx::start(&served, telling) else { return };
    let transport = HttpsTransport::new(nginx.settings(&served).client_certificate(client.chain, client.key));
    let delivery = Delivery::new(&served.sites, noise(1000)).with(|it| it.declared = None);
    let mut body = delivery.body.as_slice();
    let reply = transport.unwrap().send(&delivery.unsigned(), Body::new(1000, &mut body)).unwrap();
    let Reply::Answered(answer) = reply else { panic!("{reply:?}") };
    assert_eq!(refusal(&answer).kind, ErrorKind::UnknownSender);
}

#[test]
fn an_nginx_that_dies_in_the_middle_costs_one_try_and_leaves_nothing() {
    let served = behind_a_proxy(TwoSites::new());
    let Some(mut nginx) = Nginx::start(&served, unchanged) else { return };
    let delivery = Delivery::new(&served.sites, noise(20_000_000));
    let transport = nginx.transport(&served);
    let error = send(&transport, &delivery, || nginx.process.kill().unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unreachable, true), "{error}");
    let start = Instant::now();
    while arriving(&served.sites.examiner) > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", stored(&served.sites.examiner));
        std::thread::yield_now();
    }
    let error = send(&transport, &delivery, || {}).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unreachable, true), "{error}");
    let again = Nginx::start(&served, unchanged).unwrap();
    let reply = send(&again.transport(&served), &delivery, || {}).unwrap();
    assert!(matches!(&reply, Reply::Answered(answer) if answer.status() == 200), "{reply:?}");
}

#[test]
fn a_body_that_nginx_does_not_take_is_told_as_the_refusal_it_is() {
    let served = behind_a_proxy(TwoSites::new());
    let small = |settings: String| settings.replace("300m", "1m");
    let Some(nginx) = Nginx::start(&served, small) else { return };
    let delivery = Delivery::new(&served.sites, noise(3_000_000));
    let Reply::Answered(answer) = send(&nginx.transport(&served), &delivery, || {}).unwrap() else {
        panic!()
    };
    let error = Problem::from_response(&answer).into_error("Independent Medical Examiners");
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Refused, false), "{error}");
    says(&error, &["Independent Medical Examiners", "413"]);
    assert!(stored(&served.sites.examiner).is_empty());
}
