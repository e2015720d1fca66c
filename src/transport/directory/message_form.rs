//! Requests and answers as text: the message form of RFC 9112 section 2.1, which is the media type `message/http`.

use crate::protocol::{Headers, MAX_ANSWER_BYTES, Request, Response};
use crate::{Error, ErrorKind, Result};
use std::io::{BufRead, Read as _};

/// The most bytes of a head.
const MAX_HEAD: usize = 64 * 1024;

/// The head of a request with a body of `length` bytes.
pub(super) fn request_head(request: &Request, length: u64) -> String {
    let line = format!("{} {} HTTP/1.1\r\n", request.method(), request.path());
    head(line, request.headers(), length)
}

/// A whole answer.
pub(super) fn response(response: &Response) -> Vec<u8> {
    // The reason phrase may be empty (RFC 9112 section 4).
    let line = format!("HTTP/1.1 {} \r\n", response.status());
    let mut bytes = head(line, response.headers(), response.body().len() as u64).into_bytes();
    bytes.extend_from_slice(response.body());
    bytes
}

fn head(mut text: String, headers: &Headers, length: u64) -> String {
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str(&format!("content-length: {length}\r\n\r\n"));
    text
}

/// Reads the head of a request; gives the request and the length of its body, which `reader` then stands at.
pub(super) fn read_request(reader: &mut dyn BufRead) -> Result<(Request, u64)> {
    let bytes = read_head(reader)?;
    let mut fields = [httparse::EMPTY_HEADER; Headers::MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    complete(parsed.parse(&bytes))?;
    let (method, path) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    let mut request = Request::new(method, path)?;
    let length = take_fields(parsed.headers, request.headers_mut())?;
    Ok((request, length))
}

/// Reads a whole answer, of at most [`MAX_ANSWER_BYTES`].
pub(super) fn read_response(reader: &mut dyn BufRead) -> Result<Response> {
    let bytes = read_head(reader)?;
    let mut fields = [httparse::EMPTY_HEADER; Headers::MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    complete(parsed.parse(&bytes))?;
    let mut headers = Headers::new();
    let length = take_fields(parsed.headers, &mut headers)?;
    let mut body = Vec::new();
    reader.take(MAX_ANSWER_BYTES as u64 + 1).read_to_end(&mut body)?;
    if body.len() as u64 != length {
        return Err(bad("its body has another length than it says"));
    }
    let mut response = Response::new(parsed.code.unwrap_or_default(), body)?;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The bytes up to and with the empty line.
fn read_head(reader: &mut dyn BufRead) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for byte in reader.bytes() {
        bytes.push(byte?);
        if bytes.ends_with(b"\r\n\r\n") {
            return Ok(bytes);
        }
        if bytes.len() > MAX_HEAD {
            return Err(bad("its head is too long"));
        }
    }
    Err(bad("it ends inside its head"))
}

fn complete(parsed: httparse::Result<usize>) -> Result<()> {
    match parsed {
        Ok(httparse::Status::Complete(_)) => Ok(()),
        Ok(httparse::Status::Partial) => Err(bad("it ends inside its head")),
        Err(error) => Err(bad("its head is malformed").caused_by(error)),
    }
}

/// Takes all fields but the length, which is given back.
fn take_fields(fields: &[httparse::Header<'_>], headers: &mut Headers) -> Result<u64> {
    let mut length = None;
    for field in fields {
        let value = std::str::from_utf8(field.value).map_err(|_| bad("a header field is not text"))?;
        if field.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(bad("a file has no transfer encoding"));
        }
        if !field.name.eq_ignore_ascii_case("content-length") {
            headers.append(field.name, value)?;
        } else if length.replace(value.parse().map_err(|_| bad("its length is no number"))?).is_some() {
            return Err(bad("it has two lengths"));
        }
    }
    length.ok_or_else(|| bad("it has no content-length"))
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::BadMessage, format!("the file is no HTTP message: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_survive_their_form() {
        let mut request = Request::new("POST", "/a/packages").unwrap();
        request.headers_mut().append("x-a", "1").unwrap();
        request.headers_mut().append("x-a", "2, 3").unwrap();
        let text = request_head(&request, 7);
        assert_eq!(text, "POST /a/packages HTTP/1.1\r\nx-a: 1\r\nx-a: 2, 3\r\ncontent-length: 7\r\n\r\n");
        assert_eq!(read_request(&mut text.as_bytes()).unwrap(), (request, 7));

        let mut answer = Response::new(503, "later\r\n\r\n").unwrap();
        answer.headers_mut().append("retry-after", "30").unwrap();
        assert_eq!(read_response(&mut response(&answer).as_slice()).unwrap(), answer);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let long = format!("POST / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(70_000));
        for text in [
            "",
            "\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 1",
            "POST / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST /?q HTTP/1.1\r\ncontent-length: 1\r\n\r\n",
            long.as_str(),
        ] {
            assert_eq!(
                read_request(&mut text.as_bytes()).unwrap_err().kind(),
                ErrorKind::BadMessage,
                "{text:.60}"
            );
        }
        for text in
            ["HTTP/1.1 200 \r\ncontent-length: 3\r\n\r\nab", "HTTP/1.1 99 \r\ncontent-length: 0\r\n\r\n"]
        {
            assert_eq!(read_response(&mut text.as_bytes()).unwrap_err().kind(), ErrorKind::BadMessage);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = read_request(&mut bytes.as_slice());
            let _ = read_response(&mut bytes.as_slice());
        }
    }
}
