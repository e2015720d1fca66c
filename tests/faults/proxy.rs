//! A loopback proxy in front of one site: it cuts, stalls, repeats, reorders and loses what passes, and answers by
//! itself.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A proxy that waits longer for a site than this has found a fault in it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of the next request; each travels on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Passes,
    /// Nobody answers.
    IsRefused,
    /// The connection is cut after so many bytes of the request.
    IsCut(usize),
    /// The request arrives; its answer is cut after so many bytes.
    AnswerIsCut(usize),
    /// The request stands still after so many bytes, until [`Proxy::go_on`].
    Stalls(usize),
    /// The site gets it twice, and the second answer comes back.
    ArrivesTwice,
    /// The connection is cut; the site gets the request after the next one.
    ArrivesLate,
    /// Something else than the site answers.
    IsAnswered(&'static str),
}

/// What stands in front of a site and is none: a server that is ill, busy, or a stranger.
pub(crate) const STRANGERS: &[&str] = &[
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<h1>500</",
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: soon\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 7\r\nConnection: close\r\n\r\nWelcome",
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "SSH-2.0-OpenSSH_9.6\r\n",
];

pub(crate) struct Proxy {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    site: Mutex<Option<SocketAddr>>,
    fates: Mutex<VecDeque<Fate>>,
    /// Whole requests that come late.
    late: Mutex<Vec<Vec<u8>>>,
    held: Mutex<bool>,
    released: Condvar,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/claimwire", listener.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        let serving = inner.clone();
        // It ends with the process: a listener has no end of its own.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || drop(serving.serve(client)));
            }
        });
        Self { url, inner }
    }

    /// The site behind it listens here from now on.
    pub(crate) fn leads_to(&self, port: u16) {
        *self.inner.site.lock().unwrap() = Some(([127, 0, 0, 1], port).into());
    }

    /// Decides over the next request; those after it pass.
    pub(crate) fn next(&self, fate: Fate) {
        if matches!(fate, Fate::Stalls(_)) {
            *self.inner.held.lock().unwrap() = true;
        }
        self.inner.fates.lock().unwrap().push_back(fate);
    }

    /// Lets what stands still go on.
    pub(crate) fn go_on(&self) {
        *self.inner.held.lock().unwrap() = false;
        self.inner.released.notify_all();
    }

    /// From now on everything passes; what was late arrives.
    pub(crate) fn calm_down(&self) {
        self.inner.fates.lock().unwrap().clear();
        self.go_on();
        self.inner.deliver_late();
    }
}

impl Inner {
    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_read_timeout(Some(PATIENCE))?;
        let fate = self.fates.lock().unwrap().pop_front().unwrap_or(Fate::Passes);
        match fate {
            Fate::Passes => {
                self.relay(&client, usize::MAX, usize::MAX, false)?;
                self.deliver_late();
            }
            Fate::IsRefused => {}
            Fate::IsCut(after) => self.relay(&client, after, usize::MAX, false)?,
            Fate::AnswerIsCut(after) => self.relay(&client, usize::MAX, after, false)?,
            Fate::Stalls(after) => self.relay(&client, after, usize::MAX, true)?,
            Fate::ArrivesTwice => {
                let request = whole_request(&mut client)?;
                self.deliver(&request)?;
                client.write_all(&self.deliver(&request)?)?;
            }
            Fate::ArrivesLate => self.late.lock().unwrap().push(whole_request(&mut client)?),
            Fate::IsAnswered(answer) => {
                whole_request(&mut client)?;
                client.write_all(answer.as_bytes())?;
            }
        }
        client.shutdown(Shutdown::Both)
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let site = self.site.lock().unwrap().ok_or(std::io::ErrorKind::ConnectionRefused)?;
        let stream = TcpStream::connect(site)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Carries bytes both ways as they come; past `up` and `down` bytes the connection is cut, or, where it is to
    /// stand still, goes on when it may.
    fn relay(&self, client: &TcpStream, up: usize, down: usize, stalls: bool) -> std::io::Result<()> {
        let site = &self.connect()?;
        let cut = || {
            let _ = (client.shutdown(Shutdown::Both), site.shutdown(Shutdown::Both));
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                if carry(client, site, up) {
                    if !stalls {
                        return cut();
                    }
                    let held = self.held.lock().unwrap();
                    drop(self.released.wait_while(held, |held| *held).unwrap());
                    carry(client, site, usize::MAX);
                }
                let _ = site.shutdown(Shutdown::Write);
            });
            carry(site, client, down);
            cut();
        });
        Ok(())
    }

    fn deliver(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut site = self.connect()?;
        site.write_all(request)?;
        let mut answer = Vec::new();
        site.read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn deliver_late(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for request in late {
            let _ = self.deliver(&request);
        }
    }
}

/// Carries up to `limit` bytes one way; tells whether it came to the limit.
fn carry(mut from: &TcpStream, mut to: &TcpStream, limit: usize) -> bool {
    let mut buffer = [0; 4096];
    let mut left = limit;
    while left > 0 {
        let most = buffer.len().min(left);
        match from.read(&mut buffer[..most]) {
            Ok(length) if length > 0 && to.write_all(&buffer[..length]).is_ok() => left -= length,
            _ => return false,
        }
    }
    true
}

/// A request with its body, as a client sends it that neither waits for a go-ahead nor keeps its connection.
fn whole_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let field = |line: &str, name: &str| Some(line.to_lowercase().strip_prefix(name)?.trim().to_owned());
    let length = text.lines().find_map(|line| field(line, "content-length:")?.parse().ok()).unwrap_or(0);
    if text.lines().any(|line| field(line, "expect:").is_some()) {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    let kept = text.trim_end().lines().filter(|line| field(line, "expect:").is_none());
    let head = kept.map(|line| format!("{line}\r\n")).collect::<String>();
    Ok([head.as_bytes(), b"connection: close\r\n\r\n", &body].concat())
}
