//! Puts files into the prefix: under its name each is whole, the old one or the new one, also for who looks meanwhile.

use crate::Outcome;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

/// Makes a folder, and tries whether files can be made in it.
pub(crate) fn prepare(folder: &Path) -> Outcome<()> {
    let probe = beside(&folder.join("probe"));
    let tried = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, ""))
        .and_then(|()| fs::remove_file(&probe));
    Ok(tried.map_err(|error| {
        format!(
            "cannot write into {}: {error}; take another --prefix, or run this as a user who may",
            folder.display()
        )
    })?)
}

pub(crate) fn copy(from: &Path, to: &Path) -> Outcome<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("copying {}: {error}", from.display()));
    put(to, |new| fs::copy(from, new).map(drop).map_err(named))
}

pub(crate) fn write(text: &str, to: &Path) -> Outcome<()> {
    put(to, |new| fs::write(new, text))
}

/// Makes `at` another name of `target`, which lies in the same folder.
pub(crate) fn link(target: &str, at: &Path) -> Outcome<()> {
    #[cfg(unix)]
    return put(at, |new| std::os::unix::fs::symlink(target, new));
    #[cfg(not(unix))]
    return copy(&at.with_file_name(target), at);
}

/// Makes a file beside its place, and gives it its name when it is whole.
fn put(to: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Outcome<()> {
    let new = beside(to);
    Ok(make(&new).and_then(|()| fs::rename(&new, to)).map_err(|error| {
        // Where nothing could be made there is nothing to remove.
        let _ = fs::remove_file(&new);
        format!("cannot make {}: {error}; look at its folder's rights and the disk's room", to.display())
    })?)
}

/// A name in the same folder that no other installation uses, and no loader or build tool looks for.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// A new folder that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("claimwire-install-{}-{name}", process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn who_reads_a_file_during_an_upgrade_has_the_old_one_whole() {
        let folder = Folder::new("upgrade");
        let (built, copied, written) =
            (folder.0.join("built"), folder.0.join("libclaimwire.a"), folder.0.join("claimwire.pc"));
        for path in [&built, &copied, &written] {
            fs::write(path, "old").unwrap();
        }
        let readers = [&copied, &written].map(|path| fs::File::open(path).unwrap());
        fs::write(&built, "new").unwrap();
        copy(&built, &copied).unwrap();
        write("new", &written).unwrap();
        for mut reader in readers {
            let mut read = String::new();
            reader.read_to_string(&mut read).unwrap();
            assert_eq!(read, "old");
        }
        assert_eq!([&copied, &written].map(|path| fs::read_to_string(path).unwrap()), ["new", "new"]);
        assert_eq!(folder.names(), ["built", "claimwire.pc", "libclaimwire.a"], "nothing else is left");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_there_until_the_new_one_takes_its_place() {
        let folder = Folder::new("link");
        let at = folder.0.join("libclaimwire.so");
        link("libclaimwire.so.0", &at).unwrap();
        assert!(link("", &at).is_err(), "a link to nothing cannot be made");
        assert_eq!(fs::read_link(&at).unwrap(), Path::new("libclaimwire.so.0"));
        link("libclaimwire.so.1", &at).unwrap();
        assert_eq!(fs::read_link(&at).unwrap(), Path::new("libclaimwire.so.1"));
        assert_eq!(folder.names(), ["libclaimwire.so"]);
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let folder = Folder::new("named");
        let (file, missing) = (folder.0.join("file"), folder.0.join("missing"));
        fs::write(&file, "").unwrap();
        let names = |outcome: Outcome<()>, path: &Path| {
            let said = outcome.unwrap_err().to_string();
            assert!(said.contains(&path.display().to_string()), "{said}");
        };
        names(prepare(&file.join("lib")), &file.join("lib"));
        names(write("text", &missing.join("claimwire.h")), &missing.join("claimwire.h"));
        names(copy(&missing, &folder.0.join("libclaimwire.a")), &missing);
        assert_eq!(folder.names(), ["file"]);
    }

    #[test]
    fn a_prepared_folder_is_there_and_empty() {
        let folder = Folder::new("prepared");
        prepare(&folder.0.join("lib")).unwrap();
        assert_eq!(fs::read_dir(folder.0.join("lib")).unwrap().count(), 0);
    }
}
