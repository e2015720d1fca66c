//! Requests that a host's server hands in, pulled or pushed, whole or cut short.

use super::*;
use crate::capi::answering::cw_exchange_answer;
use crate::capi::code::{CW_ERR_INVALID_ARGUMENT, CW_ERR_UNREACHABLE, CW_OK};
use crate::capi::message::{
    cw_response_body, cw_response_body_len, cw_response_free, cw_response_header_count,
    cw_response_header_name, cw_response_header_value, cw_response_status,
};
use crate::case_system::SqliteCaseSystem;
use crate::codec::AgeIdentity;
use crate::exchange::{Exchange, ExchangeSettings, ExportOptions, Partner};
use crate::ledger::OutgoingState;
use crate::model::{Claim, ClaimFile, Note, PackageId};
use crate::protocol::{Request, SigningKey};
use crate::transport::{Body, Reply, Resumption, Transport};
use crate::{Error, ErrorKind};
use std::ffi::{CStr, c_void};
use std::io::Read;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

/// How the receiving server hands a request over.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Pulled,
    Pushed,
    /// The connection breaks inside the body.
    Broken,
    /// The server claims an end where the connection broke.
    Cut,
    /// The server pushes on although it was told to stop.
    Deaf,
}

/// Hands what it sends to the other site as a server written in C does.
#[derive(Debug)]
struct Server(Arc<Mutex<Door>>, Option<Resumption>);

/// The exchange while it is open, how the next request gets there, and the methods and sizes of those that came.
type Door = (Option<Box<cw_exchange>>, Form, Vec<String>);

impl std::fmt::Debug for cw_exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn fields(request: &Request) -> Vec<cw_header> {
    let header = |(name, value): (&str, &str)| cw_header {
        name: name.as_ptr().cast(),
        name_len: name.len(),
        value: value.as_ptr().cast(),
        value_len: value.len(),
    };
    request.headers().iter().map(header).collect()
}

unsafe extern "C-unwind" fn read_body(
    body: *mut c_void,
    buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    // SAFETY: the library's own, for this call; `body` is the server's.
    unsafe {
        buffer.write_bytes(0, capacity);
        let room = std::slice::from_raw_parts_mut(buffer, capacity.min(700));
        *len = (*body.cast::<Body<'_>>()).read(room).unwrap();
    }
    CW_OK
}

unsafe fn answer_of(response: *mut cw_response) -> Response {
    // SAFETY: the library gave it out.
    unsafe {
        let text = |text| CStr::from_ptr(text).to_str().unwrap();
        let body = std::slice::from_raw_parts(cw_response_body(response), cw_response_body_len(response));
        let status = u16::try_from(cw_response_status(response)).unwrap();
        let mut answer = Response::new(status, body).unwrap();
        for index in 0..cw_response_header_count(response) {
            let (name, value) =
                (cw_response_header_name(response, index), cw_response_header_value(response, index));
            answer.headers_mut().append(text(name), text(value)).unwrap();
        }
        cw_response_free(response);
        answer
    }
}

impl Transport for Server {
    fn send(&self, request: &Request, mut body: Body<'_>) -> crate::Result<Reply> {
        let mut state = self.0.lock().unwrap();
        state.2.push(format!("{} {}", request.method(), body.length()));
        let Some(exchange) = &state.0 else { return Err(Error::new(ErrorKind::Unreachable, "closed")) };
        let exchange: *const cw_exchange = &raw const **exchange;
        let headers = fields(request);
        let (method, path) = (request.method(), request.path());
        let mut out = null_mut();
        // SAFETY: all of it is good for the calls.
        unsafe {
            if state.1 == Form::Pulled {
                let code = cw_exchange_answer(
                    exchange,
                    method.as_ptr().cast(),
                    method.len(),
                    path.as_ptr().cast(),
                    path.len(),
                    headers.as_ptr(),
                    headers.len(),
                    null(),
                    Some(read_body),
                    (&raw mut body).cast(),
                    &raw mut out,
                    null_mut(),
                );
                assert_eq!(code, CW_OK);
                return Ok(Reply::Answered(answer_of(out)));
            }
            let incoming = begun(exchange, (method, path), &headers);
            let mut wanted = cw_incoming_request_wants_body(incoming);
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            if matches!(state.1, Form::Broken | Form::Cut) {
                bytes.truncate(bytes.len() / 2);
            }
            for piece in bytes.chunks(900) {
                if wanted == 1 || state.1 == Form::Deaf {
                    let code = cw_incoming_request_write(
                        incoming,
                        piece.as_ptr(),
                        piece.len(),
                        &raw mut wanted,
                        null_mut(),
                    );
                    assert_eq!(code, CW_OK);
                }
            }
            if state.1 == Form::Broken {
                cw_incoming_request_free(incoming);
                return Err(Error::new(ErrorKind::Unreachable, "the connection broke"));
            }
            assert_eq!(cw_incoming_request_finish(incoming, &raw mut out, null_mut()), CW_OK);
            Ok(Reply::Answered(answer_of(out)))
        }
    }

    fn resumption(&self) -> Option<Resumption> {
        self.1
    }
}

unsafe fn begun(
    exchange: *const cw_exchange,
    (method, path): (&str, &str),
    headers: &[cw_header],
) -> *mut cw_incoming_request {
    let mut incoming = null_mut();
    // SAFETY: all of it is good for the call.
    let code = unsafe {
        cw_incoming_request_new(
            exchange,
            method.as_ptr().cast(),
            method.len(),
            path.as_ptr().cast(),
            path.len(),
            headers.as_ptr(),
            headers.len(),
            null(),
            &raw mut incoming,
            null_mut(),
        )
    };
    assert_eq!(code, CW_OK);
    incoming
}

struct Sites {
    sends: Exchange,
    server: Arc<Mutex<Door>>,
    package: PackageId,
    folder: tempfile::TempDir,
}

fn site(folder: &Path, id: &str, signs: SigningKey, partner: Partner) -> Exchange {
    std::fs::create_dir(folder).unwrap();
    let cases = SqliteCaseSystem::open(folder.join("cases")).unwrap();
    let mut file = ClaimFile::new(Claim::new("A/C-1".parse().unwrap()));
    file.claim.claim_number = Some("CLM-1".into());
    let mut note = Note::new("A/N-1".parse().unwrap());
    note.body = Some("Please examine.".into());
    file.notes.push(note);
    if id == "A" {
        cases.put(&file).unwrap();
    }
    let settings =
        ExchangeSettings::new(id.parse().unwrap(), folder.join("exchange"), signs, Arc::new(cases));
    Exchange::open(settings.with_partner(partner)).unwrap()
}

/// Two sites, and a package of one that waits to be sent to the other.
fn sites() -> Sites {
    sites_with(None)
}

fn sites_with(resumption: Option<Resumption>) -> Sites {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(Mutex::new((None, Form::Pulled, Vec::new())));
    let (a, b) = (SigningKey::generate("a").unwrap(), SigningKey::generate("b").unwrap());
    let identity = AgeIdentity::generate();
    let to_b = Partner::new("B".parse().unwrap(), "B")
        .reached_by(Server(server.clone(), resumption))
        .seal_with(1, identity.recipient())
        .verify_with(b.verifying_key());
    let from_a =
        Partner::new("A".parse().unwrap(), "A").open_with(1, identity).verify_with(a.verifying_key());
    let sends = site(&folder.path().join("a"), "A", a, to_b);
    let receives = site(&folder.path().join("b"), "B", b, from_a);
    server.lock().unwrap().0 = Some(Box::new(cw_exchange(receives)));
    let claim = "A/C-1".parse().unwrap();
    let exported = sends.export(&claim, &"B".parse().unwrap(), &ExportOptions::by("anna")).unwrap();
    Sites { sends, server, package: exported.package.id, folder }
}

impl Sites {
    fn send(&self, form: Form) -> crate::Result<OutgoingState> {
        self.server.lock().unwrap().1 = form;
        self.sends.send(self.package, &()).map(|sent| sent.state)
    }

    fn received(&self) -> usize {
        fn files(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
        }
        files(&self.folder.path().join("b/exchange/inbox"))
    }
}

#[test]
#[cfg_attr(miri, ignore = "files")]
fn a_package_is_received_whether_it_is_pulled_or_pushed() {
    for form in [Form::Pulled, Form::Pushed, Form::Deaf] {
        let sites = sites();
        assert_eq!(sites.send(form).unwrap(), OutgoingState::Delivered, "{form:?}");
        assert_eq!(sites.received(), 1);
    }
}

#[test]
#[cfg_attr(miri, ignore = "files")]
fn what_is_abandoned_or_cut_short_leaves_nothing_and_can_be_sent_again() {
    let sites = sites();
    for form in [Form::Broken, Form::Cut] {
        let error = sites.send(form).unwrap_err();
        assert!(error.is_retryable(), "{form:?}: {error}");
        assert_eq!(sites.received(), 0, "{form:?}");
    }
    assert_eq!(i32::from(sites.send(Form::Broken).unwrap_err().kind().code()), CW_ERR_UNREACHABLE);
    assert_eq!(sites.send(Form::Pushed).unwrap(), OutgoingState::Delivered);
}

#[test]
#[cfg_attr(miri, ignore = "files")]
fn what_is_abandoned_or_cut_short_is_gone_on_with() {
    for (broken, form) in [(Form::Broken, Form::Pulled), (Form::Cut, Form::Pushed)] {
        let sites = sites_with(Some(Resumption::default().from_bytes(1)));
        let size = sites.sends.outgoing(sites.package).unwrap().size;
        assert!(sites.send(broken).unwrap_err().is_retryable());
        assert_eq!(sites.received(), 0);
        assert_eq!(sites.send(form).unwrap(), OutgoingState::Delivered, "{form:?}");
        assert_eq!(sites.received(), 1);
        let (whole, rest) = (format!("POST {size}"), format!("PATCH {}", size - size / 2));
        // Where no answer came, the first question is whether the package is there.
        let asked: &[&str] = if broken == Form::Broken { &["GET 0", "HEAD 0"] } else { &["HEAD 0"] };
        let expected = [&[whole.as_str()], asked, &[rest.as_str()]].concat();
        assert_eq!(sites.server.lock().unwrap().2, expected, "{broken:?}");
    }
}

fn header(name: &'static [u8], value: &'static [u8]) -> cw_header {
    cw_header {
        name: name.as_ptr().cast(),
        name_len: name.len(),
        value: value.as_ptr().cast(),
        value_len: value.len(),
    }
}

#[test]
#[cfg_attr(miri, ignore = "files")]
fn what_is_no_request_is_answered_and_asked_for_no_body() {
    let sites = sites();
    let state = sites.server.lock().unwrap();
    let exchange: *const cw_exchange = &raw const **state.0.as_ref().unwrap();
    let many = vec![header(b"x", b"y"); 101];
    let none: &[cw_header] = &[];
    let cases = [
        (("PO ST", "/packages"), none, 400),
        (("POST", "packages"), none, 400),
        (("POST", "/packages?a=b"), none, 400),
        (("", "/packages"), none, 400),
        (("POST", "/packages"), &[header(b"a b", b"c")], 400),
        (("POST", "/packages"), &[header(b"\xff", b"c")], 400),
        (("POST", "/packages"), &[header(b"x", b"\xff")], 400),
        (("POST", "/packages"), &[header(b"x", b"a\r\nb")], 400),
        (("POST", "/packages"), &many[..], 400),
        (("POST", "/elsewhere"), none, 404),
        (("GET", "/packages"), none, 405),
    ];
    for (line, headers, status) in cases {
        // SAFETY: all of it is good for the calls.
        let answer = unsafe {
            let incoming = begun(exchange, line, headers);
            assert_eq!(cw_incoming_request_wants_body(incoming), 0, "{line:?}");
            let mut wanted = 7;
            let code = cw_incoming_request_write(incoming, b"x".as_ptr(), 1, &raw mut wanted, null_mut());
            assert_eq!((code, wanted), (CW_OK, 0));
            let mut out = null_mut();
            assert_eq!(cw_incoming_request_finish(incoming, &raw mut out, null_mut()), CW_OK);
            answer_of(out)
        };
        assert_eq!(answer.status(), status, "{line:?}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "files")]
fn a_call_that_is_wrong_is_an_error_and_gives_nothing_out() {
    let sites = sites();
    let state = sites.server.lock().unwrap();
    let exchange: *const cw_exchange = &raw const **state.0.as_ref().unwrap();
    let good = header(b"x", b"y");
    let no_name = cw_header { name: null(), ..good };
    let peer = cw_peer {
        struct_size: size_of::<cw_peer>(),
        certificate: b"der".as_ptr(),
        certificate_len: 3,
        address: c"[::1]:9".as_ptr(),
        address_len: 7,
        stored: 0,
    };
    let wrong_size = cw_peer { struct_size: 4, ..peer };
    let no_address = cw_peer { address_len: 5, ..peer };
    let half_stored = cw_peer { stored: 2, ..peer };
    type Given = (*const cw_exchange, *const cw_header, usize, *const cw_peer);
    let answer = |(exchange, headers, count, peer): Given, method: Option<&str>| {
        let mut outs = [std::ptr::dangling_mut::<cw_response>(); 1];
        let mut begun = std::ptr::dangling_mut::<cw_incoming_request>();
        let (at, len) = method.map_or((null(), 4), |method| (method.as_ptr().cast(), method.len()));
        let path = c"/packages";
        // SAFETY: what is wrong is what the functions check.
        unsafe {
            let pulled = cw_exchange_answer(
                exchange,
                at,
                len,
                path.as_ptr(),
                9,
                headers,
                count,
                peer,
                None,
                null_mut(),
                &raw mut outs[0],
                null_mut(),
            );
            let pushed = cw_incoming_request_new(
                exchange,
                at,
                len,
                path.as_ptr(),
                9,
                headers,
                count,
                peer,
                &raw mut begun,
                null_mut(),
            );
            assert_eq!(pulled, pushed);
            assert_eq!((outs[0].is_null(), begun.is_null()), (pulled != CW_OK, pulled != CW_OK));
            cw_response_free(outs[0]);
            cw_incoming_request_free(begun);
            pulled
        }
    };
    assert_eq!(answer((exchange, &raw const good, 1, &raw const peer), Some("POST")), CW_OK);
    let wrong: [Given; 7] = [
        (null(), &raw const good, 1, null()),
        (exchange, null(), 1, null()),
        (exchange, &raw const good, usize::MAX, null()),
        (exchange, &raw const no_name, 1, null()),
        (exchange, null(), 0, &raw const wrong_size),
        (exchange, null(), 0, &raw const no_address),
        (exchange, null(), 0, &raw const half_stored),
    ];
    for given in wrong {
        assert_eq!(answer(given, Some("POST")), CW_ERR_INVALID_ARGUMENT);
    }
    assert_eq!(answer((exchange, null(), 0, null()), None), CW_ERR_INVALID_ARGUMENT);
}

#[test]
fn null_is_no_request() {
    let mut wanted = 7;
    let mut out = std::ptr::dangling_mut();
    // SAFETY: NULL is one of what may be handed over.
    unsafe {
        assert_eq!(cw_incoming_request_wants_body(null_mut()), 0);
        let code = cw_incoming_request_write(null_mut(), null(), 0, &raw mut wanted, null_mut());
        assert_eq!((code, wanted), (CW_ERR_INVALID_ARGUMENT, 0));
        let code = cw_incoming_request_finish(null_mut(), &raw mut out, null_mut());
        assert_eq!((code, out.is_null()), (CW_ERR_INVALID_ARGUMENT, true));
        cw_incoming_request_free(null_mut());
        assert_eq!(cw_response_status(null()), 0);
        assert!(cw_response_body(null()).is_null() && cw_response_header_name(null(), 0).is_null());
    }
}
