//! Archives written entry by entry, and read file by file.

use super::archive_reader::*;
use super::archive_writer::{
    cw_archive_writer, cw_archive_writer_add, cw_archive_writer_add_stream, cw_archive_writer_finish,
    cw_archive_writer_free, cw_archive_writer_new, cw_archive_writer_new_with_options,
    cw_archive_writer_queue, cw_archive_writer_queue_stream, cw_archive_writer_settle,
    cw_archive_writer_take,
};
use super::buffer::{cw_buffer, cw_buffer_data, cw_buffer_free, cw_buffer_len};
use super::callback::{cw_read_fn, cw_write_fn};
use super::code::{
    CW_ERR_ALTERED, CW_ERR_HOSTILE_NAME, CW_ERR_INTERNAL, CW_ERR_INVALID_ARGUMENT, CW_ERR_NOT_AN_ARCHIVE,
    CW_ERR_TRUNCATED, CW_ERR_UNREACHABLE, CW_ERR_WRONG_STATE,
};
use super::digest::CW_SHA256_SIZE;
use super::error::cw_error;
use super::host_for_tests::{
    collect, count, data, fails, give, panic, panic_instead_of_giving, refuse, refuse_to_give, works,
};
use super::pack::cw_pack_options;
use crate::codec::EntryDigest;
use std::ffi::CStr;
use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};

fn writer(write: cw_write_fn, user_data: *mut c_void) -> *mut cw_archive_writer {
    let mut writer = null_mut();
    // SAFETY: all pointers are good.
    works(|error| unsafe { cw_archive_writer_new(write, user_data, None, &raw mut writer, error) });
    writer
}

fn add(writer: *mut cw_archive_writer, name: &str, content: &str, error: *mut *mut cw_error) -> i32 {
    let (name, name_len) = (name.as_ptr().cast(), name.len());
    // SAFETY: all pointers are good.
    unsafe { cw_archive_writer_add(writer, name, name_len, content.as_ptr(), content.len(), error) }
}

fn reader(archive: &[u8]) -> *mut cw_archive_reader {
    let mut reader = null_mut();
    let (bytes, length) = (archive.as_ptr(), archive.len());
    // SAFETY: all pointers are good.
    works(|error| unsafe { cw_archive_reader_open_bytes(bytes, length, null(), &raw mut reader, error) });
    reader
}

fn archive() -> Vec<u8> {
    crate::codec::compress_bytes([("note.txt", "Please call back."), ("documents/1/a.txt", "claim")]).unwrap()
}

#[test]
fn entries_go_in_and_come_out_again() {
    let mut streamed = &b"claim"[..];
    // SAFETY: the handles are live and freed once.
    unsafe {
        let writer = writer(None, null_mut());
        works(|error| add(writer, "note.txt", "Please call back.", error));
        let name = "documents/1/a.txt";
        works(|error| {
            let from = data(&mut streamed);
            let (name, len) = (name.as_ptr().cast(), name.len());
            cw_archive_writer_add_stream(writer, name, len, Some(give), from, null(), error)
        });
        works(|error| cw_archive_writer_finish(writer, error));
        let mut buffer = null_mut();
        works(|error| cw_archive_writer_take(writer, &raw mut buffer, error));
        cw_archive_writer_free(writer);
        let bytes = std::slice::from_raw_parts(cw_buffer_data(buffer), cw_buffer_len(buffer));
        assert_eq!(bytes, archive());
        let reader = reader(bytes);
        cw_buffer_free(buffer);
        assert_eq!(cw_archive_reader_count(reader), 2);
        assert_eq!(CStr::from_ptr(cw_archive_reader_name(reader, 1)), c"documents/1/a.txt");
        assert_eq!(cw_archive_reader_size(reader, 1), 5);
        let (mut content, mut buffer) = (Vec::<u8>::new(), null_mut());
        let into = data(&mut content);
        works(|error| cw_archive_reader_read(reader, 0, Some(collect), into, null(), error));
        works(|error| cw_archive_reader_read_bytes(reader, 1, &raw mut buffer, error));
        assert_eq!(content, b"Please call back.");
        assert_eq!(CStr::from_ptr(cw_buffer_data(buffer).cast()), c"claim");
        cw_buffer_free(buffer);
        cw_archive_reader_free(reader);
    }
}

#[test]
fn what_is_queued_is_listed_once_and_read_back_by_its_digest() {
    let options = cw_pack_options {
        struct_size: size_of::<cw_pack_options>(),
        threads: 2,
        level: 9,
        compression: null(),
        compression_len: 0,
        store: 1,
    };
    let mut streamed = &b"claim"[..];
    // SAFETY: the handles are live and freed once.
    unsafe {
        let (mut writer, mut bytes) = (null_mut(), Vec::<u8>::new());
        let (into, given) = (data(&mut bytes), &raw const options);
        works(|error| {
            let out = &raw mut writer;
            cw_archive_writer_new_with_options(Some(collect), into, None, given, out, error)
        });
        let (name, content) = ("note.txt", "Please call back. ".repeat(9));
        works(|error| {
            let (name, content, length) = (name.as_ptr().cast(), content.as_ptr(), content.len());
            cw_archive_writer_queue(writer, name, 8, content, length, error)
        });
        works(|error| {
            let from = data(&mut streamed);
            cw_archive_writer_queue_stream(writer, c"a".as_ptr(), 1, Some(give), from, null(), error)
        });
        let list = |listed: &mut *mut cw_buffer| {
            works(|error| cw_archive_writer_settle(writer, listed, error));
            let text = CStr::from_ptr(cw_buffer_data(*listed).cast()).to_str().unwrap().to_owned();
            cw_buffer_free(*listed);
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        let mut listed = null_mut();
        let entry = |name: &str, content: &str| {
            let digest = EntryDigest::of(content.as_bytes());
            serde_json::json!({"name": name, "size": digest.size(), "sha256": digest.to_hex()})
        };
        assert_eq!(
            list(&mut listed),
            serde_json::Value::from(vec![entry(name, &content), entry("a", "claim")])
        );
        assert_eq!(list(&mut listed), serde_json::json!([]));
        works(|error| cw_archive_writer_settle(writer, null_mut(), error));
        works(|error| cw_archive_writer_finish(writer, error));
        fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| {
            cw_archive_writer_settle(writer, &raw mut listed, error)
        });
        cw_archive_writer_free(writer);
        assert!(bytes.windows(content.len()).any(|window| window == content.as_bytes()), "it is stored");

        let reader = reader(&bytes);
        let (mut sha256, mut buffer) = ([0 as c_char; CW_SHA256_SIZE], null_mut());
        let place = sha256.as_mut_ptr();
        fails(CW_ERR_WRONG_STATE, "`a` was not read", |error| {
            cw_archive_reader_digest(reader, 1, place, error)
        });
        fails(CW_ERR_INVALID_ARGUMENT, "has 2 files", |error| {
            cw_archive_reader_digest(reader, 2, place, error)
        });
        works(|error| cw_archive_reader_read_bytes(reader, 1, &raw mut buffer, error));
        works(|error| cw_archive_reader_digest(reader, 1, place, error));
        works(|error| cw_archive_reader_digest(reader, 1, null_mut(), error));
        assert_eq!(CStr::from_ptr(place).to_str().unwrap(), EntryDigest::of(b"claim").to_hex());
        cw_buffer_free(buffer);
        cw_archive_reader_free(reader);
    }
}

#[test]
fn a_bad_name_leaves_the_archive_as_it_was() {
    let mut bytes = Vec::<u8>::new();
    let writer = writer(Some(collect), data(&mut bytes));
    works(|error| add(writer, "note.txt", "Please call back.", error));
    fails(CW_ERR_HOSTILE_NAME, "", |error| add(writer, "../note.txt", "x", error));
    fails(CW_ERR_INVALID_ARGUMENT, "", |error| add(writer, "NOTE.TXT", "x", error));
    fails(CW_ERR_INVALID_ARGUMENT, "`name`", |error| add(writer, "", "x", error));
    works(|error| add(writer, "documents/1/a.txt", "claim", error));
    // SAFETY: the handle is live and freed once.
    unsafe {
        let mut none = null_mut();
        fails(CW_ERR_INVALID_ARGUMENT, "`write`", |error| {
            cw_archive_writer_take(writer, &raw mut none, error)
        });
        works(|error| cw_archive_writer_finish(writer, error));
        fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| add(writer, "b", "x", error));
        fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| cw_archive_writer_finish(writer, error));
        cw_archive_writer_free(writer);
    }
    assert_eq!(bytes, archive());
}

#[test]
fn functions_that_fail_or_panic_are_told() {
    let mut unreachable = CW_ERR_UNREACHABLE;
    let unreachable = data(&mut unreachable);
    let (name, len) = (c"a.txt".as_ptr(), 5);
    // SAFETY: the handles are live and freed once.
    unsafe {
        let refusing = writer(Some(refuse), unreachable);
        fails(CW_ERR_UNREACHABLE, "`write`", |error| add(refusing, "a", "x", error));
        fails(CW_ERR_INVALID_ARGUMENT, "start anew", |error| cw_archive_writer_finish(refusing, error));
        cw_archive_writer_free(refusing);
        let panicking = writer(Some(panic), null_mut());
        fails(CW_ERR_INTERNAL, "", |error| add(panicking, "a", "x", error));
        fails(CW_ERR_INVALID_ARGUMENT, "start anew", |error| add(panicking, "b", "x", error));
        cw_archive_writer_free(panicking);
        let good = writer(None, null_mut());
        let cases: [(cw_read_fn, _, _); 3] = [
            (Some(refuse_to_give), unreachable, CW_ERR_UNREACHABLE),
            (Some(panic_instead_of_giving), null_mut(), CW_ERR_INTERNAL),
            (None, null_mut(), CW_ERR_INVALID_ARGUMENT),
        ];
        for (read, from, code) in cases {
            fails(code, "", |error| cw_archive_writer_add_stream(good, name, len, read, from, null(), error));
        }
        cw_archive_writer_free(good);
        let reader = reader(&archive());
        fails(CW_ERR_UNREACHABLE, "`write`", |error| {
            cw_archive_reader_read(reader, 0, Some(refuse), unreachable, null(), error)
        });
        fails(CW_ERR_INTERNAL, "", |error| {
            cw_archive_reader_read(reader, 0, Some(panic), null_mut(), null(), error)
        });
        fails(CW_ERR_INVALID_ARGUMENT, "`write`", |error| {
            cw_archive_reader_read(reader, 0, None, null_mut(), null(), error)
        });
        let mut content = Vec::<u8>::new();
        let into = data(&mut content);
        works(|error| cw_archive_reader_read(reader, 1, Some(collect), into, null(), error));
        cw_archive_reader_free(reader);
    }
}

#[test]
fn a_writers_data_is_ended_once() {
    let mut ended = 0_usize;
    let ended = &raw mut ended;
    // SAFETY: the handles are live and freed once; the data is a `usize`.
    unsafe {
        let mut made = null_mut();
        let none = null_mut();
        fails(CW_ERR_INVALID_ARGUMENT, "`out`", |error| {
            cw_archive_writer_new(Some(collect), ended.cast(), Some(count), none, error)
        });
        works(|error| cw_archive_writer_new(Some(collect), ended.cast(), Some(count), &raw mut made, error));
        cw_archive_writer_free(made);
        assert_eq!(*ended, 2);
    }
}

#[test]
fn what_is_no_archive_or_not_there_is_refused() {
    let code = CW_ERR_INVALID_ARGUMENT;
    // SAFETY: NULL is checked, and the handle is live and freed once.
    unsafe {
        let mut none = null_mut();
        let out = &raw mut none;
        let other = b"an archive begins in another way";
        fails(CW_ERR_NOT_AN_ARCHIVE, "", |error| {
            cw_archive_reader_open_bytes(other.as_ptr(), other.len(), null(), out, error)
        });
        fails(CW_ERR_TRUNCATED, "", |error| cw_archive_reader_open_bytes(null(), 0, null(), out, error));
        fails(code, "`archive`", |error| cw_archive_reader_open_bytes(null(), 9, null(), out, error));
        fails(code, "`out`", |error| cw_archive_reader_open_bytes(null(), 0, null(), null_mut(), error));
        fails(code, "`from`", |error| cw_archive_reader_open(null(), 9, null(), out, error));
        fails(code, "UTF-8", |error| cw_archive_reader_open(c"\xff".as_ptr(), 1, null(), out, error));
        assert!(none.is_null());
        assert_eq!(cw_archive_reader_count(null()), 0);
        assert!(cw_archive_reader_name(null(), 0).is_null());
        assert_eq!(cw_archive_reader_size(null(), 0), 0);
        let mut buffer = null_mut();
        let buffer = &raw mut buffer;
        fails(code, "`reader`", |error| cw_archive_reader_read_bytes(null_mut(), 0, buffer, error));
        fails(code, "`reader`", |error| {
            cw_archive_reader_read(null_mut(), 0, Some(collect), null_mut(), null(), error)
        });
        fails(code, "`writer`", |error| add(null_mut(), "a", "x", error));
        fails(code, "`writer`", |error| cw_archive_writer_finish(null_mut(), error));
        fails(code, "`writer`", |error| cw_archive_writer_take(null_mut(), buffer, error));
        let reader = reader(&archive());
        assert!(cw_archive_reader_name(reader, 2).is_null());
        assert_eq!(cw_archive_reader_size(reader, 2), 0);
        fails(code, "has 2 files", |error| cw_archive_reader_read_bytes(reader, 2, buffer, error));
        fails(code, "`out`", |error| cw_archive_reader_read_bytes(reader, 0, null_mut(), error));
        cw_archive_reader_free(reader);
        cw_archive_reader_free(null_mut());
        cw_archive_writer_free(null_mut());
    }
}

#[test]
fn altered_content_gives_no_buffer() {
    let mut bytes = archive();
    let place = bytes.windows(5).position(|window| window == b"claim").unwrap();
    bytes[place] ^= 1;
    let reader = reader(&bytes);
    // SAFETY: the handle is live and freed once.
    unsafe {
        let mut buffer = null_mut();
        fails(CW_ERR_ALTERED, "documents/1/a.txt", |error| {
            cw_archive_reader_read_bytes(reader, 1, &raw mut buffer, error)
        });
        assert!(buffer.is_null());
        cw_archive_reader_free(reader);
    }
}

#[test]
#[cfg_attr(miri, ignore = "touches files")]
fn an_archive_is_opened_at_its_path_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claim.zip").to_str().unwrap().to_owned();
    let (from, from_len) = (path.as_ptr().cast(), path.len());
    let mut reader = null_mut();
    // SAFETY: the handle is live and freed once.
    unsafe {
        fails(CW_ERR_INVALID_ARGUMENT, "claim.zip", |error| {
            cw_archive_reader_open(from, from_len, null(), &raw mut reader, error)
        });
        std::fs::write(&path, archive()).unwrap();
        works(|error| cw_archive_reader_open(from, from_len, null(), &raw mut reader, error));
        assert_eq!(cw_archive_reader_count(reader), 2);
        cw_archive_reader_free(reader);
    }
}

#[test]
fn handles_go_from_thread_to_thread() {
    fn moves<T: Send>() {}
    moves::<cw_archive_writer>();
    moves::<cw_archive_reader>();
    fn is_shared<T: Sync>() {}
    is_shared::<cw_archive_reader>();
}
