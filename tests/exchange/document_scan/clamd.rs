//! The client of clamd: against the real one where it is installed, and against servers that break the protocol.

use crate::peers::find;
use crate::support::*;
use claimwire::ErrorKind;
use claimwire::model::ExchangeId;
use claimwire::scan::{Clamd, DocumentScan, Verdict};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The test file of EICAR, which scanners call malware by agreement (<https://www.eicar.org/download-anti-malware-testfile/>);
/// in two parts, so that no scanner takes this source for it.
const EICAR: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// Its MD5 and size as a signature of clamd's: all that this one knows.
const SIGNATURE: &str = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n";

/// A clamd of this test's own.
struct Daemon {
    process: Child,
    socket: PathBuf,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Daemon {
    /// Starts one that takes documents of up to a megabyte; none where clamd is not installed.
    fn start() -> Option<Self> {
        let program = find(&["clamd", "/usr/sbin/clamd"], "--version")?;
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("database");
        std::fs::create_dir(&database).unwrap();
        std::fs::write(database.join("eicar.hdb"), SIGNATURE).unwrap();
        let socket = folder.path().join("clamd.sock");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "Foreground yes\nLocalSocket {}\nTCPAddr 127.0.0.1\nTCPSocket {port}\nDatabaseDirectory {}\n\
             StreamMaxLength 1M\nAlertExceedsMax yes\n",
            socket.display(),
            database.display()
        );
        let file = folder.path().join("clamd.conf");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = Self { process: command.spawn().unwrap(), socket, port, _folder: folder };
        let start = Instant::now();
        while std::os::unix::net::UnixStream::connect(&daemon.socket).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "clamd does not start");
            std::thread::yield_now();
        }
        Some(daemon)
    }
}

fn document() -> ExchangeId {
    id("ON-INS/D-1")
}

fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn the_real_clamd_finds_the_eicar_file_over_both_sockets() {
    let Some(daemon) = Daemon::start() else { return };
    let eicar = EICAR.concat();
    for clamd in [
        Clamd::local(daemon.socket.to_str().unwrap()).unwrap(),
        Clamd::local(&format!("127.0.0.1:{}", daemon.port)).unwrap(),
        Clamd::on_trusted_network(&format!("localhost:{}", daemon.port)).unwrap(),
    ] {
        let scan = |bytes: &[u8]| clamd.scan(&document(), file_of(bytes).path());
        for clean in [&b""[..], b"Left knee: sprain.\n", &[7; 65_536], &[7; 1_000_000]] {
            assert_eq!(scan(clean).unwrap(), Verdict::Clean, "{} bytes", clean.len());
        }
        let found = scan(eicar.as_bytes()).unwrap();
        assert!(
            matches!(&found, Verdict::Infected(name) if name.starts_with("Eicar-Test-Signature")),
            "{found:?}"
        );
        let error = scan(&vec![7; 20_000_000]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ScanFailed, "{error}");
    }
}

#[test]
fn a_package_with_the_eicar_file_is_held_back_by_the_real_clamd() {
    let Some(daemon) = Daemon::start() else { return };
    let sites = super::scanning(Clamd::local(daemon.socket.to_str().unwrap()).unwrap());
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    put_document(&sites.insurer, &claim, "D-2", "report.com", EICAR.concat().as_bytes());
    add_note(&sites.insurer, &claim, "N-2", "See the report.");
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let error = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InfectedDocument, "{error}");
    says(&error, &["ON-INS/D-2", "Eicar-Test-Signature"]);
    assert_eq!(sites.examiner.file(&claim).documents.len(), 1);
}

/// A server that handles one connection like this; and what a scan of these bytes by it comes to.
fn scanned_by(bytes: &[u8], serve: impl FnOnce(TcpStream) + Send) -> claimwire::Result<Verdict> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let clamd = Clamd::local(&listener.local_addr().unwrap().to_string()).unwrap();
    let file = file_of(bytes);
    std::thread::scope(|scope| {
        scope.spawn(move || serve(listener.accept().unwrap().0));
        clamd.with_timeout(Duration::from_secs(30)).scan(&document(), file.path())
    })
}

/// Reads a whole request as clamd does; gives the document.
fn take(stream: &mut TcpStream) -> Vec<u8> {
    let mut command = [0; 10];
    stream.read_exact(&mut command).unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    let mut document = Vec::new();
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let length = u32::from_be_bytes(length);
        if length == 0 {
            return document;
        }
        stream.take(u64::from(length)).read_to_end(&mut document).unwrap();
    }
}

#[test]
fn the_document_goes_over_whole_in_chunks_and_the_reply_may_come_in_pieces() {
    let bytes: Vec<u8> = (0..=250).cycle().take(200_001).collect();
    let verdict = scanned_by(&bytes, |mut stream| {
        assert!(take(&mut stream) == bytes);
        for byte in b"stream: Some.Name-1 FOUND\0" {
            stream.write_all(&[*byte]).unwrap();
        }
    });
    assert_eq!(verdict.unwrap(), Verdict::Infected("Some.Name-1".into()));
    // What comes after its end is not waited for.
    let verdict = scanned_by(b"x", |mut stream| {
        take(&mut stream);
        stream.write_all(b"stream: OK\0").unwrap();
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(verdict.unwrap(), Verdict::Clean);
}

#[test]
fn whatever_is_no_clear_reply_is_no_verdict() {
    let endless = vec![b'x'; 10_000];
    for reply in [&b""[..], b"stream: OK", b"stream: ", b"\0", b"OK\0", b"stream: X ERROR\0", &endless] {
        let error = scanned_by(b"claim", |mut stream| {
            take(&mut stream);
            let _ = stream.write_all(reply);
        })
        .unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::ScanFailed, true), "{error}");
        assert!(error.to_string().starts_with("clamd at 127.0.0.1:"), "{error}");
    }
}

#[test]
fn a_document_that_was_not_read_to_its_end_is_never_clean() {
    let long = vec![7; 50_000_000];
    for (reply, kind) in [("stream: OK\0", None), ("stream: Early FOUND\0", Some("Early")), ("", None)] {
        let outcome = scanned_by(&long, |mut stream| {
            stream.read_exact(&mut [0; 1000]).unwrap();
            stream.write_all(reply.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        });
        match (outcome, kind) {
            (Ok(Verdict::Infected(name)), Some(found)) => assert_eq!(name, found),
            // Closing with bytes unread resets the connection, which may take the reply with it.
            (Err(error), _) => assert_eq!(error.kind(), ErrorKind::ScanFailed, "{error}"),
            (outcome, _) => panic!("{reply}: {outcome:?}"),
        }
    }
}

#[test]
fn a_scanner_that_hangs_or_drips_is_given_up_when_its_time_is_over() {
    let drips = |mut stream: TcpStream| while stream.write_all(b"s").is_ok() {};
    let hangs = |mut stream: TcpStream| {
        let _ = stream.read_to_end(&mut Vec::new());
    };
    let servers: [fn(TcpStream); 2] = [drips, hangs];
    for serve in servers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let clamd = Clamd::local(&address.to_string()).unwrap();
        let file = file_of(b"claim");
        let (start, timeout) = (Instant::now(), Duration::from_millis(200));
        let error = std::thread::scope(|scope| {
            scope.spawn(move || serve(listener.accept().unwrap().0));
            let error = clamd.with_timeout(timeout).scan(&document(), file.path()).unwrap_err();
            // On a machine that stalls, its time is over before it calls, and the server would wait for ever.
            drop(TcpStream::connect(address));
            error
        });
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::ScanFailed, true), "{error}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_daemon_that_takes_no_connection_is_not_waited_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    // Nobody accepts.
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let clamd = Clamd::local(path.to_str().unwrap()).unwrap().with_timeout(Duration::from_millis(100));
    let error = clamd.scan(&document(), file_of(b"claim").path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScanFailed);
    says(&error, &["within 100ms", "full.sock"]);
}

#[test]
fn a_clamd_that_is_not_there_or_not_here_is_told() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for address in [gone.as_str(), "/no/such/clamd.sock"] {
        let error = Clamd::local(address).unwrap().scan(&document(), file_of(b"claim").path()).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::ScanFailed, true));
        says(&error, &[address, "start it"]);
    }
    for wrong in ["", "clamd", "relative/clamd.sock", "127.0.0.1", "192.0.2.7:3310", "127.0.0.1:99999"] {
        let error = Clamd::local(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{wrong}: {error}");
    }
    for wrong in ["", "clamd", ":3310", "clamd:", "clamd:x", "/run/clamd.sock"] {
        assert_eq!(Clamd::on_trusted_network(wrong).unwrap_err().kind(), ErrorKind::InvalidSettings);
    }
}
