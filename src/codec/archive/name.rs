//! Names inside an archive: which may be written to a file system of any kind, and which would meet there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::limits::Limits;
use crate::{Error, ErrorKind, Result};

/// What Windows takes for a device, with any extension and in any case.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// The most parts of a path. Who removes a directory of such a depth holds a descriptor for each level.
const PARTS: usize = 64;

/// Checks that `path` is a relative path of plain names, separated by `/`, that every common file system can hold.
/// The marks `" < > | ? *` pass: titles of documents have them, and Windows alone refuses to write them.
///
/// Refused are: a leading or trailing `/`, empty names, `.` and `..`, a backslash, a colon (drives, and streams of
/// NTFS), control characters, marks that change the direction of writing (they hide an extension), a dot or a space
/// at the end of a name, the names of Windows devices (`NUL`, `com1.txt`), more than 64 names, and what is longer than
/// `limits` says.
///
/// # Errors
///
/// [`HostileName`](ErrorKind::HostileName), with the name and the reason.
pub fn check_path(path: &str, limits: &Limits) -> Result<()> {
    match path_fault(path, limits) {
        None => Ok(()),
        Some(fault) => {
            let shown: String = path.chars().take(120).collect();
            Err(Error::new(ErrorKind::HostileName, format!("the name `{}` {fault}", shown.escape_debug())))
        }
    }
}

/// `name` in Unicode normalization form C, the form of all names that [`ArchiveWriter`](super::ArchiveWriter) takes.
#[must_use]
pub fn to_nfc(name: &str) -> Cow<'_, str> {
    match is_nfc_quick(name.chars()) {
        IsNormalized::Yes => Cow::Borrowed(name),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(name.nfc().collect()),
    }
}

fn path_fault(path: &str, limits: &Limits) -> Option<String> {
    if path.len() > limits.path_length() {
        return Some(format!("has {} bytes, {} are allowed", path.len(), limits.path_length()));
    }
    if path.starts_with('/') {
        return Some("is absolute".to_owned());
    }
    let parts = path.split('/').count();
    if parts > PARTS {
        return Some(format!("leads through {parts} parts, {PARTS} are allowed"));
    }
    path.split('/').find_map(|name| name_fault(name, limits))
}

fn name_fault(name: &str, limits: &Limits) -> Option<String> {
    let fault = match name {
        "" => "has an empty part",
        "." | ".." => "leads to another directory",
        _ if name.len() > limits.name_length() => {
            return Some(format!("has a part of {} bytes, {} are allowed", name.len(), limits.name_length()));
        }
        _ if name.contains('\\') => "holds a backslash",
        _ if name.contains(':') => "holds a colon",
        _ if name.chars().any(char::is_control) => "holds a control character",
        _ if name.chars().any(is_invisible) => "holds a mark that hides how it reads",
        _ if name.ends_with(['.', ' ']) => "has a part that ends with a dot or a space",
        _ if is_device(name) => "is a device on Windows",
        _ => return None,
    };
    Some(fault.to_owned())
}

/// Marks that change the direction of writing (Unicode Bidi_Control), line and paragraph separators, and the byte
/// order mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_lowercase();
    if DEVICES.contains(&stem.as_str()) {
        return true;
    }
    let number = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let mut digits = number.unwrap_or_default().chars();
    matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
}

/// The names of an archive so far. Finds those that would meet in one place on a file system that does not tell upper
/// from lower case (Windows, macOS) or one normalization form from another (macOS).
#[derive(Default)]
pub(super) struct Names {
    /// From the folded path, with `/` made the lowest character so that what lies inside a directory follows it, to
    /// the path as it is spelled and whether it is a directory.
    folded: BTreeMap<String, (String, bool)>,
    directories: u64,
}

impl Names {
    /// Adds a file's or a directory's path; the sentence says with what it collides.
    pub(super) fn insert(&mut self, path: &str, is_directory: bool) -> Result<(), String> {
        let folded = fold(path);
        if let Some((other, _)) = self.folded.get(&folded) {
            let how =
                if other == path { "is there twice" } else { "differs from another only in case or accents" };
            return Err(format!("the name `{path}` {how}"));
        }
        let before =
            self.folded.range::<str, _>((Bound::Unbounded, Bound::Excluded(folded.as_str()))).next_back();
        let after = self.folded.range::<str, _>((Bound::Excluded(folded.as_str()), Bound::Unbounded)).next();
        let own = leading_directories(&folded, is_directory);
        let mut known = 0;
        // All that lies in one directory stands together in this order, so looking at both neighbours is enough.
        for (other_folded, (other, other_is_directory)) in before.into_iter().chain(after) {
            if !other_is_directory && is_inside(&folded, other_folded)
                || !is_directory && is_inside(other_folded, &folded)
            {
                return Err(format!("`{path}` and `{other}` need one name for a file and a directory"));
            }
            if spells_a_directory_otherwise(path, other) {
                return Err(format!("`{path}` and `{other}` spell one directory in two ways"));
            }
            let others = leading_directories(other_folded, *other_is_directory);
            known = known.max(own.clone().zip(others).take_while(|(own, other)| own == other).count());
        }
        self.directories += (own.count() - known) as u64;
        self.folded.insert(folded, (path.to_owned(), is_directory));
        Ok(())
    }

    /// How many directories all these paths need.
    pub(super) fn directories(&self) -> u64 {
        self.directories
    }
}

/// The names of the directories on the way to a folded path, and its own if it is one.
fn leading_directories(folded: &str, is_directory: bool) -> impl Iterator<Item = &str> + Clone {
    let on_the_way = folded.matches('\0').count();
    folded.split('\0').take(on_the_way + usize::from(is_directory))
}

fn is_inside(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('\0'))
}

/// Whether the paths share a leading directory in folded form that they spell differently.
fn spells_a_directory_otherwise(one: &str, other: &str) -> bool {
    one.split('/')
        .zip(other.split('/'))
        .take_while(|(one, other)| one == other || fold(one) == fold(other))
        .any(|(one, other)| one != other)
}

/// Maps all paths that some file system takes for the same to one: form C, each character to upper case and back to
/// lower case.
fn fold(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase().replace('/', "\0");
    }
    let folded: String = path.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    folded.nfc().map(|c| if c == '/' { '\0' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_claims_have_them_are_taken() {
        let path = "documents/01890a5d/Gutachten Müller (2. Fassung) – 100% \"final\".pdf";
        for path in [path, "claim.json", ".hidden", "a/b/c", "conto.txt", "com10", "写真.jpg", "x.", "👩‍🔧.png"]
        {
            let taken = check_path(path, &Limits::default());
            assert_eq!(taken.is_ok(), path != "x.", "{path}: {taken:?}");
        }
    }

    #[test]
    fn names_that_escape_deceive_or_cannot_be_written_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "a//b",
            "a/",
            "..",
            "../x",
            "a/../../x",
            ".",
            "a/./b",
            "C:/x",
            "C:x",
            "a\\b",
            "\\\\host\\x",
            "file.txt:stream",
            "a\0b",
            "a\nb",
            "\u{85}",
            "invoice\u{202e}fdp.exe",
            "a\u{2066}b",
            "a\u{feff}",
            "x.",
            "x ",
            "a. /b",
            "nul",
            "NUL.txt",
            "Com1",
            "lpt9.pdf",
            "com¹",
            "aux .txt",
            "CONOUT$",
            "dir/PRN/x",
        ] {
            let error = check_path(path, &Limits::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::HostileName, "{path:?}");
            assert!(!error.to_string().chars().any(|c| c.is_control() || is_invisible(c)), "{error}");
        }
        assert!(
            check_path("a/../b", &Limits::default()).unwrap_err().to_string().contains("another directory")
        );
        let long = "a".repeat(256);
        assert!(check_path(&long, &Limits::default()).is_err());
        assert!(check_path(&long, &Limits::default().with_name_length(256)).is_ok());
        let long_in_all = "fifteen letters/".repeat(63) + "sixteen letters!";
        assert!(check_path(&long_in_all, &Limits::default()).is_ok(), "1024 bytes in 64 parts");
        assert!(check_path(&(long_in_all + "!"), &Limits::default()).is_err());
        let deep = "a/".repeat(64) + "a";
        assert!(check_path(&deep, &Limits::default()).unwrap_err().to_string().contains("65 parts, 64 are"));
    }

    fn collides(paths: &[&str]) -> bool {
        let mut names = Names::default();
        paths.iter().any(|path| names.insert(path.trim_end_matches('/'), path.ends_with('/')).is_err())
    }

    #[test]
    fn names_that_would_meet_are_found_in_any_order() {
        for pair in [
            ["a.txt", "a.txt"],
            ["a.txt", "A.TXT"],
            ["é.txt", "e\u{301}.txt"],
            ["ΟΔΟΣ", "οδος"],
            ["straße", "STRASSE"],
            ["dir", "dir/a"],
            ["Dir", "dir/a"],
            ["dir/a", "Dir/b"],
            ["dir/", "DIR/a"],
            ["a/b/", "a/b"],
            ["x/Ä/1", "x/ä/2"],
        ] {
            assert!(collides(&pair), "{pair:?}");
            assert!(collides(&[pair[1], "dir!/x", "zebra", pair[0]]), "{pair:?} the other way round");
        }
    }

    #[test]
    fn a_name_that_is_there_twice_is_told_from_one_in_another_case() {
        for (second, how) in [("a.txt", "is there twice"), ("A.txt", "only in case or accents")] {
            let mut names = Names::default();
            names.insert("a.txt", false).unwrap();
            assert!(names.insert(second, false).unwrap_err().contains(how), "{second}");
        }
    }

    #[test]
    fn names_that_only_look_alike_are_not_refused() {
        assert!(!collides(&["dir/", "dir/a", "dir.txt", "dir/b/c", "dir!/a", "e", "é", "dir/b/d"]));
    }

    #[test]
    fn directories_are_counted_once_in_any_order() {
        for paths in [
            ["a/b/c/1", "a/b/2", "a/d/", "3"],
            ["3", "a/d/", "a/b/2", "a/b/c/1"],
            ["a/", "a/b/c/", "a/d/x", "a/b/"],
        ] {
            let mut names = Names::default();
            for path in paths {
                names.insert(path.trim_end_matches('/'), path.ends_with('/')).unwrap();
            }
            assert_eq!(names.directories(), 4, "{paths:?}");
        }
    }
}
