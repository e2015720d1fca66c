//! ClamAV's daemon as a scanner: where it listens, and the way there.

use super::instream::{self, Deadline};
use super::{DocumentScan, Verdict};
use crate::model::ExchangeId;
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one document may take; clamd itself gives up after two minutes (`MaxScanTime`).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(180);

/// Scans with a clamd of ClamAV, by its command `INSTREAM` (clamd(8)): the document goes over the socket, so that clamd
/// needs no right to read the exchange's folder.
///
/// What `clamd.conf` must have:
///
/// - `StreamMaxLength`, `MaxFileSize` and `MaxScanSize` as large as the largest document. A longer one is refused by the
///   first, and, which is worse, passed over by the others without a word, unless there is
/// - `AlertExceedsMax yes`: what is not scanned whole is told as a finding.
/// - `AlertEncrypted yes`, where documents that nobody can look into are not wanted.
///
/// ```
/// use claimwire::scan::Clamd;
/// use std::time::Duration;
///
/// # #[cfg(unix)] {
/// let clamd = Clamd::local("/run/clamav/clamd.ctl")?.with_timeout(Duration::from_secs(60));
/// # }
/// assert!(Clamd::local("192.0.2.7:3310").is_err(), "documents would cross the network in the clear");
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Clamd {
    address: Address,
    timeout: Duration,
}

#[derive(Clone, Debug)]
enum Address {
    Here(Vec<SocketAddr>),
    Elsewhere(String),
    #[cfg(unix)]
    Socket(PathBuf),
}

impl Clamd {
    /// A clamd on this machine: the absolute path of its Unix socket, or `host:port` where the host is this machine.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] for anything else. Whether clamd is there shows with the first document.
    pub fn local(address: &str) -> Result<Self> {
        if Path::new(address).is_absolute() {
            return Self::socket(address);
        }
        let places = resolved(address).map_err(|error| invalid(address, &error.to_string()))?;
        if !places.iter().all(|place| place.ip().is_loopback()) {
            let said = "it is not on this machine, and clamd knows no encryption; where the network between is trusted \
                        with the documents, say so";
            return Err(invalid(address, said));
        }
        Ok(Self { address: Address::Here(places), timeout: DEFAULT_TIMEOUT })
    }

    /// A clamd at `host:port` on another machine. The documents go there **unencrypted**, and whoever answers is
    /// believed: only for a network that is trusted with them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] when it is not `host:port`.
    pub fn on_trusted_network(address: &str) -> Result<Self> {
        let port = address
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty())
            .map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(_)) => {
                Ok(Self { address: Address::Elsewhere(address.to_owned()), timeout: DEFAULT_TIMEOUT })
            }
            _ => Err(invalid(address, "it is not of the form `host:port`")),
        }
    }

    /// How long one document may take, from connecting to the verdict; by default three minutes.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    #[cfg(unix)]
    fn socket(path: &str) -> Result<Self> {
        Ok(Self { address: Address::Socket(PathBuf::from(path)), timeout: DEFAULT_TIMEOUT })
    }

    #[cfg(not(unix))]
    fn socket(path: &str) -> Result<Self> {
        Err(invalid(path, "this system has no Unix sockets; give `host:port`"))
    }

    fn ask(&self, file: &mut File) -> Result<Verdict> {
        let deadline = Deadline::after(self.timeout);
        match &self.address {
            Address::Here(places) => instream::scan(connected(places, &deadline)?, deadline, file),
            Address::Elsewhere(address) => {
                instream::scan(connected(&resolved(address)?, &deadline)?, deadline, file)
            }
            #[cfg(unix)]
            Address::Socket(path) => instream::scan(connected_socket(path, &deadline)?, deadline, file),
        }
    }

    fn name(&self) -> String {
        match &self.address {
            Address::Here(places) => {
                places.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" or ")
            }
            Address::Elsewhere(address) => address.clone(),
            #[cfg(unix)]
            Address::Socket(path) => path.display().to_string(),
        }
    }
}

impl DocumentScan for Clamd {
    fn scan(&self, _document: &ExchangeId, file: &Path) -> Result<Verdict> {
        self.ask(&mut File::open(file)?)
            .map_err(|error| error.within(format_args!("clamd at {}", self.name())))
    }
}

fn invalid(address: &str, why: &str) -> Error {
    let said = format!("`{}` is no address of a clamd: {why}", address.escape_debug());
    Error::new(ErrorKind::InvalidSettings, said)
}

fn resolved(address: &str) -> io::Result<Vec<SocketAddr>> {
    address.to_socket_addrs().map(Iterator::collect)
}

/// Connects to the first of these places that takes it.
fn connected(places: &[SocketAddr], deadline: &Deadline) -> Result<TcpStream> {
    let mut refused = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for place in places {
        match TcpStream::connect_timeout(place, deadline.left()?) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = error,
        }
    }
    Err(deadline.judged(refused))
}

/// Connects from a thread of its own: connecting to a Unix socket has no timeout, and waits where a daemon that hangs has
/// its queue full.
#[cfg(unix)]
fn connected_socket(path: &Path, deadline: &Deadline) -> Result<std::os::unix::net::UnixStream> {
    let (connected, answer) = std::sync::mpsc::channel();
    let path = path.to_owned();
    std::thread::Builder::new().name("claimwire-clamd".into()).spawn(move || {
        // Nobody waits any more when the time has run out.
        let _ = connected.send(std::os::unix::net::UnixStream::connect(path));
    })?;
    let stream =
        answer.recv_timeout(deadline.left()?).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    stream.map_err(|error| deadline.judged(error))
}
