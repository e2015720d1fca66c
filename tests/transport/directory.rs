//! The drop folder: late answers, crashes between two steps, and what does not belong there.

use claimwire::model::PackageId;
use claimwire::protocol::{Endpoint, Peer, Problem, Request, Response};
use claimwire::transport::{Body, DirectoryInbox, DirectoryTransport, Reply, Transport};
use claimwire::{ErrorKind, Result};
use std::fs;
use std::io::Read;
use std::path::Path;
use tempfile::TempDir;

struct Echo;

impl Endpoint for Echo {
    fn answer(&self, _: &Request, _: &Peer, body: &mut dyn Read) -> Response {
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).unwrap();
        Response::new(200, bytes).unwrap()
    }
}

fn folder() -> (TempDir, DirectoryTransport, DirectoryInbox) {
    let folder = tempfile::tempdir().unwrap();
    let (transport, inbox) = (DirectoryTransport::new(folder.path()), DirectoryInbox::new(folder.path()));
    (folder, transport.unwrap(), inbox.unwrap())
}

fn package(id: PackageId) -> Request {
    let mut request = Request::new("POST", "/packages").unwrap();
    request.headers_mut().insert("idempotency-key", format!("\"{id}\"")).unwrap();
    request
}

fn send(transport: &DirectoryTransport, request: &Request, body: &[u8]) -> Result<Reply> {
    transport.send(request, Body::new(body.len() as u64, &mut &body[..]))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_newly_signed_request_collects_the_answer_to_the_one_that_was_dropped() {
    let (_folder, transport, inbox) = folder();
    let id = PackageId::generate();
    let mut first = package(id);
    first.headers_mut().insert("signature", "claimwire=:AQ==:").unwrap();
    assert!(matches!(send(&transport, &first, b"sealed").unwrap(), Reply::Pending));
    let mut second = package(id);
    second.headers_mut().insert("signature", "claimwire=:Ag==:").unwrap();
    assert!(matches!(send(&transport, &second, b"sealed").unwrap(), Reply::Pending));
    assert_eq!(inbox.poll(&Echo).unwrap(), 1);
    match send(&transport, &second, b"sealed").unwrap() {
        Reply::Collected { request, response } => {
            assert_eq!(request, first);
            assert_eq!(response.body(), b"sealed");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_dropped_is_an_http_message_that_only_its_owner_reads() {
    let (folder, transport, _inbox) = folder();
    let id = PackageId::generate();
    assert!(matches!(send(&transport, &package(id), b"sealed").unwrap(), Reply::Pending));
    let path = folder.path().join(format!("requests/{id}.http"));
    let text = fs::read_to_string(&path).unwrap();
    let expected =
        format!("POST /packages HTTP/1.1\r\nidempotency-key: \"{id}\"\r\ncontent-length: 6\r\n\r\nsealed");
    assert_eq!(text, expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.path().join("requests")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_crash_between_answer_and_removal_is_answered_once_more() {
    let (folder, transport, inbox) = folder();
    let id = PackageId::generate();
    send(&transport, &package(id), b"sealed").unwrap();
    let path = folder.path().join(format!("requests/{id}.http"));
    let dropped = fs::read(&path).unwrap();
    assert_eq!(inbox.poll(&Echo).unwrap(), 1);
    fs::write(&path, dropped).unwrap();
    assert_eq!(inbox.poll(&Echo).unwrap(), 1);
    assert!(matches!(send(&transport, &package(id), b"sealed").unwrap(), Reply::Answered(_)));
    assert!(names(&folder.path().join("requests")).is_empty());
}

#[test]
fn a_crash_inside_a_write_leaves_what_the_next_try_overwrites() {
    let (folder, transport, inbox) = folder();
    let id = PackageId::generate();
    let requests = folder.path().join("requests");
    fs::write(requests.join(format!(".{id}.http.part")), "POST /pack").unwrap();
    assert_eq!(inbox.poll(&Echo).unwrap(), 0);
    send(&transport, &package(id), b"sealed").unwrap();
    assert_eq!(names(&requests), [format!("{id}.http")]);
}

#[test]
fn an_answer_to_a_request_nobody_knows_is_dropped() {
    let (folder, transport, inbox) = folder();
    let id = PackageId::generate();
    let answer = folder.path().join(format!("answers/{id}.http"));
    fs::write(&answer, "HTTP/1.1 200 \r\ncontent-length: 6\r\n\r\nforged").unwrap();
    assert!(matches!(send(&transport, &package(id), b"sealed").unwrap(), Reply::Pending));
    inbox.poll(&Echo).unwrap();
    let reply = send(&transport, &package(id), b"sealed").unwrap();
    assert!(matches!(reply, Reply::Answered(response) if response.body() == b"sealed"));
}

#[test]
fn an_answer_that_is_none_is_an_error_once_and_not_for_ever() {
    let (folder, transport, inbox) = folder();
    let id = PackageId::generate();
    send(&transport, &package(id), b"sealed").unwrap();
    fs::write(folder.path().join(format!("answers/{id}.http")), "nonsense").unwrap();
    assert_eq!(send(&transport, &package(id), b"sealed").unwrap_err().kind(), ErrorKind::BadMessage);
    inbox.poll(&Echo).unwrap();
    assert!(matches!(send(&transport, &package(id), b"sealed").unwrap(), Reply::Pending));
    inbox.poll(&Echo).unwrap();
    assert!(matches!(send(&transport, &package(id), b"sealed").unwrap(), Reply::Answered(_)));
}

#[test]
fn what_is_no_request_is_moved_aside_and_holds_up_no_other() {
    let (folder, transport, inbox) = folder();
    let requests = folder.path().join("requests");
    let (good, cut, garbage) = (PackageId::generate(), PackageId::generate(), PackageId::generate());
    send(&transport, &package(good), b"sealed").unwrap();
    send(&transport, &package(cut), b"sealed").unwrap();
    let path = requests.join(format!("{cut}.http"));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    fs::write(requests.join(format!("{garbage}.http")), vec![0xff; 100_000]).unwrap();
    fs::write(requests.join("notes.txt"), "hello").unwrap();
    fs::create_dir(requests.join(format!("{}.http", PackageId::generate()))).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", requests.join(format!("{}.http", PackageId::generate())))
        .unwrap();
    inbox.poll(&Echo).unwrap();
    assert!(names(&requests).is_empty(), "{:?}", names(&requests));
    assert!(names(&folder.path().join("refused")).len() >= 4);
    assert!(matches!(send(&transport, &package(good), b"sealed").unwrap(), Reply::Answered(_)));
    let Reply::Answered(told) = send(&transport, &package(cut), b"sealed").unwrap() else {
        panic!("no answer")
    };
    assert_eq!(Problem::from_response(&told).kind(), Some(ErrorKind::BadMessage));
    // The same bad name again does not push out the first.
    fs::write(requests.join("notes.txt"), "again").unwrap();
    inbox.poll(&Echo).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("refused/notes.txt")).unwrap(), "hello");
}

#[test]
fn requests_without_an_id_are_told_apart_by_path_and_body() {
    let (_folder, transport, inbox) = folder();
    let receipts = Request::new("POST", "/receipts").unwrap();
    let state = Request::new("GET", &format!("/packages/{}", PackageId::generate())).unwrap();
    for (request, body) in [(&receipts, &b"one"[..]), (&receipts, b"two"), (&state, b"")] {
        assert!(matches!(send(&transport, request, body).unwrap(), Reply::Pending));
    }
    assert_eq!(inbox.poll(&Echo).unwrap(), 3);
    for (request, body) in [(&receipts, &b"two"[..]), (&state, b""), (&receipts, b"one")] {
        let Reply::Answered(response) = send(&transport, request, body).unwrap() else { panic!("no answer") };
        assert_eq!(response.body(), body);
    }
}

#[test]
fn what_a_process_left_in_the_making_is_swept_by_its_own_side() {
    let (folder, _transport, _inbox) = folder();
    let part = format!(".{}.http.part", PackageId::generate());
    let lying = |name: &str| names(&folder.path().join(name)).len();
    let place = |name: &str| fs::write(folder.path().join(name).join(&part), "POST /pack").unwrap();
    for name in ["requests", "sent", "answers"] {
        place(name);
    }
    DirectoryInbox::new(folder.path()).unwrap();
    assert_eq!(["requests", "sent", "answers"].map(lying), [1, 1, 0]);
    place("answers");
    DirectoryTransport::new(folder.path()).unwrap();
    assert_eq!(["requests", "sent", "answers"].map(lying), [0, 0, 1]);
}

#[test]
fn a_recipient_that_died_after_its_answer_does_not_answer_what_was_collected() {
    let (folder, transport, inbox) = folder();
    let id = PackageId::generate();
    send(&transport, &package(id), b"sealed").unwrap();
    let path = folder.path().join(format!("requests/{id}.http"));
    let dropped = fs::read(&path).unwrap();
    inbox.poll(&Echo).unwrap();
    fs::write(&path, dropped).unwrap();
    assert!(matches!(send(&transport, &package(id), b"sealed").unwrap(), Reply::Answered(_)));
    assert_eq!(inbox.poll(&Echo).unwrap(), 0);
    for empty in ["requests", "answers", "sent"] {
        assert!(names(&folder.path().join(empty)).is_empty(), "{empty}");
    }
}

#[test]
fn answers_that_nobody_waits_for_are_removed() {
    let (folder, transport, inbox) = folder();
    let [awaited, late, stray] = [(); 3].map(|()| PackageId::generate());
    for id in [awaited, late, stray] {
        send(&transport, &package(id), b"sealed").unwrap();
    }
    inbox.poll(&Echo).unwrap();
    let month = std::time::Duration::from_secs(31 * 24 * 60 * 60);
    let answer =
        fs::File::options().write(true).open(folder.path().join(format!("answers/{late}.http"))).unwrap();
    answer.set_modified(std::time::SystemTime::now() - month).unwrap();
    fs::remove_file(folder.path().join(format!("sent/{stray}.http"))).unwrap();
    let transport = DirectoryTransport::new(folder.path()).unwrap();
    for left in ["answers", "sent"] {
        assert_eq!(names(&folder.path().join(left)), [format!("{awaited}.http")], "{left}");
    }
    assert!(
        matches!(send(&transport, &package(late), b"sealed").unwrap(), Reply::Pending),
        "it is dropped anew"
    );
}
