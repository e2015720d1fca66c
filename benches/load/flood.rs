//! Strangers: connections that never come to an end, bodies beyond all bounds, requests that nobody signed.

use crate::noise::Noise;
use crate::{Load, Outcome};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::runtime::Builder;

/// How often a slow stranger says one byte more.
const DRIP: Duration = Duration::from_millis(100);

/// How many addresses the strangers have.
const ADDRESSES: usize = 4;

/// What became of one stranger's attempts, and how often.
pub(crate) type Refused = Vec<(String, usize)>;

struct Stranger<'a> {
    address: SocketAddr,
    /// Where it comes from: another address than the partners'.
    from: SocketAddr,
    tls: Arc<ClientConfig>,
    over: &'a AtomicBool,
}

type Attempt<'a> = fn(&Stranger<'a>) -> io::Result<String>;

/// Lets all strangers loose until it is over.
pub(crate) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    load: &Load,
    folder: &Path,
    port: &str,
    over: &'scope AtomicBool,
) -> Outcome<Vec<ScopedJoinHandle<'scope, Refused>>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(folder.join("certificate.pem"))?)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let tls = Arc::new(tls.with_root_certificates(roots).with_no_client_auth());
    let address = format!("127.0.0.1:{port}").parse()?;
    let kinds: [(usize, &str, Attempt<'scope>); 4] = [
        (load.slow / 2, "silent connections", Stranger::says_nothing),
        (load.slow / 2, "slow heads", Stranger::drips),
        (load.oversize, "oversize bodies", Stranger::posts_without_end),
        (load.unauthenticated, "unsigned packages", Stranger::signs_nothing),
    ];
    let mut threads = Vec::new();
    for (count, what, attempt) in kinds {
        for number in 0..count {
            let from = format!("127.0.0.{}:0", 2 + number % ADDRESSES).parse()?;
            let stranger = Stranger { address, from, tls: tls.clone(), over };
            threads.push(scope.spawn(move || stranger.goes_on(what, attempt)));
        }
    }
    Ok(threads)
}

pub(crate) fn joined(thread: ScopedJoinHandle<'_, Refused>) -> Outcome<Refused> {
    thread.join().map_err(|_| "a stranger panicked".into())
}

impl<'a> Stranger<'a> {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn goes_on(&self, what: &str, attempt: Attempt<'a>) -> Refused {
        let mut refused: Refused = Vec::new();
        while !self.is_over() {
            let came = match attempt(self) {
                Ok(answer) if answer.is_empty() => format!("{what}: closed"),
                Ok(answer) => format!("{what}: answered {answer}"),
                Err(_) => {
                    // The place is taken, or the receiver is starting.
                    std::thread::sleep(DRIP);
                    format!("{what}: closed")
                }
            };
            match refused.iter_mut().find(|(known, _)| *known == came) {
                Some((_, count)) => *count += 1,
                None => refused.push((came, 1)),
            }
        }
        refused
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let connecting = Builder::new_current_thread().enable_io().build()?;
        let stream = connecting.block_on(async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(self.from)?;
            socket.connect(self.address).await?.into_std()
        })?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(DRIP))?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        Ok(stream)
    }

    fn open(&self) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let stream = self.connect()?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let name = "127.0.0.1".try_into().map_err(io::Error::other)?;
        let connection = ClientConnection::new(self.tls.clone(), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }

    /// Waits for the other side to give up.
    fn says_nothing(&self) -> io::Result<String> {
        let mut stream = self.connect()?;
        while !self.is_over() {
            match stream.read(&mut [0]) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                }
                Ok(1..) => {}
                _ => break,
            }
        }
        Ok(String::new())
    }

    /// A head of which every byte takes its time.
    fn drips(&self) -> io::Result<String> {
        let mut stream = self.open()?;
        stream.write_all(b"POST /packages HTTP/1.1\r\nX: ")?;
        while !self.is_over() {
            std::thread::sleep(DRIP);
            stream.write_all(b"x")?;
            stream.flush()?;
        }
        Ok(String::new())
    }

    /// A body that says how large it is, then one that does not.
    fn posts_without_end(&self) -> io::Result<String> {
        let mut stream = self.open()?;
        write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n")?;
        let mut declared = status_of(&mut stream)?;
        let mut stream = self.open()?;
        write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let mut chunk = vec![b'x'; 1 << 16];
        Noise(1).read_exact(&mut chunk)?;
        let endless = loop {
            if self.is_over() {
                return Ok(declared);
            }
            let written = write!(stream, "10000\r\n")
                .and_then(|()| stream.write_all(&chunk))
                .and_then(|()| stream.write_all(b"\r\n"));
            if written.is_err() {
                break status_of(&mut stream).unwrap_or_default();
            }
        };
        declared.push_str(" and ");
        declared.push_str(if endless.is_empty() { "closed" } else { &endless });
        Ok(declared)
    }

    /// All the headers of a package, and a signature that nobody made.
    fn signs_nothing(&self) -> io::Result<String> {
        let mut stream = self.open()?;
        let digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
        write!(
            stream,
            "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\
             Content-Type: application/vnd.claimwire.package\r\n\
             Idempotency-Key: \"019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77\"\r\n\
             Claimwire-Package: from=\"S0\", to=\"IMEX\", kind=claim, suite=age, key-version=1\r\n\
             Content-Digest: {digest}\r\nRepr-Digest: {digest}\r\n\
             Signature-Input: claimwire=(\"@method\" \"@path\" \"content-digest\" \"repr-digest\" \"content-type\" \
             \"idempotency-key\" \"claimwire-package\");created=1772461800;keyid=\"S0\";nonce=\"AAAA\";tag=\"claimwire\"\r\n\
             Signature: claimwire=:{key}:\r\n\r\n"
        )?;
        io::copy(&mut Noise(2).take(1_000_000), &mut stream)?;
        status_of(&mut stream)
    }
}

/// The status of an answer; nothing where the connection was closed.
fn status_of(stream: &mut impl Read) -> io::Result<String> {
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(String::from_utf8_lossy(&head[9..]).into_owned())
}
