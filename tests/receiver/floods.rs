//! Strangers in numbers: they hold up neither a partner nor a shutdown, whatever they send and however slowly.

mod shares;

use crate::support::*;
use crate::transport_tls::{Answering, Authority, Tls, answer_of, ok, post};
use claimwire::protocol::{Endpoint, Peer, Problem, Request, Response};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver as Told, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Far longer than anything here takes, so that whoever waits for it has failed.
const FAR_OFF: Duration = Duration::from_secs(300);

struct Site {
    authority: Authority,
    running: Running,
}

fn site(endpoint: impl Endpoint + 'static, change: impl FnOnce(&mut ReceiverSettings)) -> Site {
    let authority = Authority::new();
    let server = authority.server();
    let tls = TlsSettings::new(server.chain, server.key);
    let mut settings = ReceiverSettings::default();
    (settings.header_deadline, settings.body_idle) = (FAR_OFF, FAR_OFF);
    change(&mut settings);
    let running = Receiver::bind("127.0.0.1:0", tls, Arc::new(endpoint), settings).unwrap();
    Site { authority, running }
}

impl Site {
    fn address(&self) -> SocketAddr {
        self.running.local_addr()
    }

    fn transport(&self) -> HttpsTransport {
        let settings = HttpsSettings::new(&format!("https://127.0.0.1:{}", self.address().port())).unwrap();
        HttpsTransport::new(settings.root_certificates(self.authority.pem.as_str())).unwrap()
    }

    fn send(&self) -> claimwire::Result<Response> {
        match self.transport().send(&post(), Body::new(0, &mut io::empty()))? {
            Reply::Answered(response) => Ok(response),
            other => panic!("{other:?}"),
        }
    }

    /// A connection of which the receiver knows, for the handshake is done.
    fn connect(&self) -> Tls {
        self.secure(TcpStream::connect(self.address()).unwrap())
    }

    /// The same from another address of this machine.
    #[cfg(target_os = "linux")]
    fn connect_from(&self, address: &str) -> Tls {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        let _entered = runtime.enter();
        let stream = runtime.block_on(socket.connect(self.address())).unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        self.secure(stream)
    }

    fn secure(&self, stream: TcpStream) -> Tls {
        stream.set_read_timeout(Some(FAR_OFF / 2)).unwrap();
        let mut stream = self.authority.connect(stream);
        stream.conn.complete_io(&mut stream.sock).unwrap();
        stream
    }
}

/// Whether the receiver has closed the connection, once it says anything about it.
fn is_closed(stream: &mut impl Read) -> bool {
    match stream.read(&mut [0]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    }
}

fn is_still_open(stream: &mut Tls) -> bool {
    stream.sock.set_nonblocking(true).unwrap();
    let open = matches!(stream.read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    stream.sock.set_nonblocking(false).unwrap();
    open
}

fn ask(stream: &mut Tls, head: &str) {
    write!(stream, "{head}\r\nHost: x\r\n\r\n").unwrap();
    stream.flush().unwrap();
}

/// Strangers, who ask with `GET`, are looked at until the test lets them go. Partners post: whoever does is proven to be
/// the one that the path names.
struct Gated {
    endpoint: Arc<dyn Endpoint>,
    looked_at: Told<()>,
    proven: Told<()>,
    release: Sender<()>,
}

fn gated() -> Gated {
    let ((looking, looked_at), (proving, proven), (release, released)) = (channel(), channel(), channel());
    let released = Mutex::new(released);
    let endpoint = Answering(move |request: &Request, peer: &Peer, body: &mut dyn Read| {
        if request.method() == "GET" {
            looking.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
            return Response::new(401, "who are you?").unwrap();
        }
        let partner = request.path().trim_start_matches('/').parse().unwrap_or_else(|_| insurer_site());
        if let Err(error) = peer.proven(&partner) {
            return Problem::from_error(&error).to_response();
        }
        let _ = proving.send(());
        let mut bytes = Vec::new();
        match body.read_to_end(&mut bytes) {
            Ok(_) => ok(bytes),
            Err(error) => Problem::from_error(&error.into()).to_response(),
        }
    });
    Gated { endpoint: Arc::new(endpoint), looked_at, proven, release }
}

#[test]
fn a_shutdown_waits_for_no_stranger() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, vec![7; 100_000]);
    let site = site(sites.examiner.exchange.clone(), |limits| limits.drain = FAR_OFF);
    let mut silent = TcpStream::connect(site.address()).unwrap();
    silent.set_read_timeout(Some(FAR_OFF / 2)).unwrap();
    let mut no_head = site.connect();
    let mut half_a_head = site.connect();
    half_a_head.write_all(b"POST /packages HTTP/1.1\r\nHost:").unwrap();
    half_a_head.flush().unwrap();
    // Refused, and still sending its body.
    let mut unsigned = site.connect();
    write!(unsigned, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf").unwrap();
    unsigned.flush().unwrap();
    let mut answer = [0; 12];
    unsigned.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    // Nobody signed what he posts, however much it looks like a package.
    let mut forged = site.connect();
    write!(forged, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n").unwrap();
    for (name, value) in delivery.unsigned().headers().iter().filter(|(name, _)| *name != "content-length") {
        write!(forged, "{name}: {value}\r\n").unwrap();
    }
    write!(forged, "\r\nhalf").unwrap();
    forged.flush().unwrap();
    forged.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");

    let begun = Instant::now();
    site.running.shutdown(FAR_OFF).unwrap();
    assert!(begun.elapsed() < FAR_OFF / 10, "{:?}", begun.elapsed());
    assert!(is_closed(&mut silent) && is_closed(&mut no_head) && is_closed(&mut half_a_head));
    assert!(stored(&sites.examiner).is_empty());
}

#[test]
fn a_shutdown_waits_for_a_partner_among_strangers_and_keeps_what_it_sends() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, vec![7; 100_000]).with(|it| it.declared = None);
    let site = site(sites.examiner.exchange.clone(), |_| {});
    let transport = site.transport();
    let mut strangers: Vec<Tls> = (0..5).map(|_| site.connect()).collect();
    let (reading, is_read) = channel();
    let (goes_on, wait) = channel();
    let mut body = Gate { rest: &delivery.body, reading: Some(reading), wait };
    std::thread::scope(|scope| {
        let sending =
            scope.spawn(|| transport.send(&delivery.request(), Body::new(100_000, &mut body)).unwrap());
        // The first half was asked for, so the signature is checked.
        is_read.recv().unwrap();
        let stopping = scope.spawn(move || site.running.shutdown(FAR_OFF));
        for stranger in &mut strangers {
            assert!(is_closed(stranger));
        }
        assert!(!stopping.is_finished());
        goes_on.send(()).unwrap();
        let Reply::Answered(answer) = sending.join().unwrap() else { panic!() };
        assert_eq!(answer.status(), 200);
        stopping.join().unwrap().unwrap();
    });
    assert_eq!(sites.examiner.exchange.incoming(delivery.id()).unwrap().size, 100_000);
}

/// A body whose second half waits.
struct Gate<'a> {
    rest: &'a [u8],
    reading: Option<Sender<()>>,
    wait: Told<()>,
}

impl Read for Gate<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.len() <= 50_000
            && let Some(reading) = self.reading.take()
        {
            reading.send(()).unwrap();
            self.wait.recv().unwrap();
        }
        let most = buffer.len().min(10_000);
        self.rest.read(&mut buffer[..most])
    }
}

#[test]
fn strangers_that_are_looked_at_take_no_slot_of_a_partner() {
    let Gated { endpoint, looked_at, release, proven, .. } = gated();
    let site = site(endpoint, |limits| limits.max_requests = 1);
    let mut strangers: Vec<Tls> = (0..7).map(|_| site.connect()).collect();
    for stranger in &mut strangers {
        ask(stranger, "GET / HTTP/1.1");
        looked_at.recv().unwrap();
    }
    assert_eq!(site.send().unwrap().status(), 200);
    proven.recv().unwrap();

    // The one slot is a partner's, and a stranger is told what he always is.
    let mut partner = site.connect();
    ask(&mut partner, "POST / HTTP/1.1\r\nContent-Length: 5");
    proven.recv().unwrap();
    let busy = site.send().unwrap();
    assert_eq!((busy.status(), busy.headers().get("retry-after").is_some()), (503, true));
    strangers.iter().for_each(|_| release.send(()).unwrap());
    for stranger in strangers {
        assert!(answer_of(stranger).starts_with("HTTP/1.1 401"));
    }
    partner.write_all(b"claim").unwrap();
    assert!(answer_of(partner).ends_with("claim"));
}

#[test]
fn a_partner_waits_for_the_heads_before_its_own_and_is_then_served() {
    let Gated { endpoint, looked_at, release, .. } = gated();
    let site = site(endpoint, |limits| limits.max_requests = 1);
    // More than are looked at at once: the rest waits in its order.
    let mut strangers: Vec<Tls> = (0..20).map(|_| site.connect()).collect();
    strangers.iter_mut().for_each(|stranger| ask(stranger, "GET / HTTP/1.1"));
    looked_at.recv().unwrap();
    std::thread::scope(|scope| {
        let partner = scope.spawn(|| site.send().unwrap().status());
        strangers.iter().for_each(|_| release.send(()).unwrap());
        assert_eq!(partner.join().unwrap(), 200);
    });
    for stranger in strangers {
        assert!(answer_of(stranger).starts_with("HTTP/1.1 401"));
    }
}

#[test]
fn when_all_places_are_taken_the_oldest_stranger_gives_way_to_a_newcomer() {
    let Gated { endpoint, proven, .. } = gated();
    let site = site(endpoint, |limits| limits.max_connections = 3);
    let mut partner = site.connect();
    ask(&mut partner, "POST / HTTP/1.1\r\nContent-Length: 5");
    proven.recv().unwrap();
    let (mut oldest, mut other) = (site.connect(), site.connect());
    assert_eq!(site.send().unwrap().status(), 200);
    assert!(is_closed(&mut oldest) && is_still_open(&mut other));
    partner.write_all(b"claim").unwrap();
    assert!(answer_of(partner).ends_with("claim"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_at_its_bound_costs_no_other_address_a_place() {
    let site = site(gated().endpoint, |limits| limits.max_connections_per_address = 2);
    let mut partner = site.connect();
    let mut flood: Vec<Tls> = (0..10).map(|_| site.connect_from("127.0.0.2")).collect();
    for stranger in &mut flood[..8] {
        assert!(is_closed(stranger));
    }
    assert!(is_still_open(&mut flood[8]) && is_still_open(&mut flood[9]));
    ask(&mut partner, "POST / HTTP/1.1\r\nContent-Length: 0");
    assert!(answer_of(partner).starts_with("HTTP/1.1 200"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_flood_from_elsewhere_crowds_out_itself_and_no_partner() {
    let site = site(gated().endpoint, |limits| limits.max_connections = 4);
    let mut partner = site.connect();
    let mut flood: Vec<Tls> = (0..20)
        .map(|number| site.connect_from(if number % 2 == 0 { "127.0.0.2" } else { "127.0.0.3" }))
        .collect();
    for stranger in &mut flood[..17] {
        assert!(is_closed(stranger));
    }
    assert!(is_still_open(&mut partner));
    ask(&mut partner, "POST / HTTP/1.1\r\nContent-Length: 0");
    assert!(answer_of(partner).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_connection_that_says_nothing_after_its_handshake_is_closed_in_time() {
    let site = site(gated().endpoint, |limits| limits.header_deadline = Duration::from_millis(300));
    assert!(is_closed(&mut site.connect()));
}
