//! Disks that really refuse: a file that may grow no further, a file system that is full.

use super::check::check;
use super::keys::Name::{self, Examiner, Insurer};
use super::process::{Outcome, Pair, Site, Way, this_program};
use super::site::drop_folder;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the site may have so many bytes; the document is larger, the databases are smaller.
const LONGEST_FILE: usize = 512 << 10;

/// What a process does when a file grows past what it may.
#[derive(Clone, Copy, PartialEq)]
enum Excess {
    IsRefused,
    Kills,
}

fn started_with_limit(site: &mut Site, excess: Excess) {
    let trap = if excess == Excess::IsRefused { "trap '' XFSZ; " } else { "" };
    let limited = format!("{trap}ulimit -f {}; exec \"$0\" \"$@\"", LONGEST_FILE / 512);
    let mut command = Command::new("sh");
    command.args(["-c", &limited]).args(this_program());
    site.quit();
    assert!(site.start_as(command, &[]));
}

/// Export, send and unpack, each tried at a site that cannot write first.
pub(crate) fn files_that_may_not_grow() {
    for excess in [Excess::IsRefused, Excess::Kills] {
        let mut pair = Pair::new(false, Way::Https);
        pair.site(Insurer).must("claim C-1");
        pair.site(Insurer).must(&format!("document ON-INS/C-1 D-1 {}", 2 * LONGEST_FILE));
        for (name, order, at) in [
            (Insurer, "export ON-INS/C-1", Insurer),
            (Insurer, "push", Examiner),
            (Examiner, "unpack", Examiner),
        ] {
            started_with_limit(pair.site(at), excess);
            let outcome = pair.site(name).order(order);
            let expected = match (excess, at == name) {
                (Excess::Kills, true) => outcome == Outcome::Died,
                _ => matches!(outcome, Outcome::Failed(_)),
            };
            assert!(expected, "{order}: {outcome:?}");
            // It was refused as an input of this system, and not by chance.
            if excess == Excess::IsRefused && at == name {
                assert!(format!("{outcome:?}").contains("(os error 27)"), "{order}: {outcome:?}");
            }
            pair.site(at).quit();
            pair.site(at).revive();
            pair.site(name).must(order);
        }
        at_rest(pair, 1);
    }
}

/// The folder of a site as a file system of its own, as long as this lives.
struct Mounted(PathBuf);

impl Mounted {
    /// None where this machine does not let us mount.
    fn over(site: &Site) -> Option<Self> {
        let folder = site.folder.clone();
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(&folder).output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        for size in [1 << 16, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// The same on a file system that is full; tells whether this machine let us mount one.
pub(crate) fn full_disks() -> bool {
    let mut pair = Pair::new(false, Way::Https);
    let mounted = Name::BOTH.map(|name| Mounted::over(pair.site(name)));
    let [Some(insurer), Some(examiner)] = &mounted else { return false };
    pair.site(Insurer).must("claim C-1");
    pair.site(Insurer).must("document ON-INS/C-1 D-1 700000");
    for (name, order, at) in
        [(Insurer, "export ON-INS/C-1", insurer), (Insurer, "push", examiner), (Examiner, "unpack", examiner)]
    {
        for site in Name::BOTH {
            pair.site(site).revive();
        }
        at.fill();
        let outcome = pair.site(name).order(order);
        assert!(matches!(outcome, Outcome::Failed(_)), "full, {order}: {outcome:?}");
        at.free();
        pair.site(name).must(order);
    }
    at_rest(pair, 1);
    true
}

/// Where the word that it was unpacked did not come through, the sender asks.
fn at_rest(mut pair: Pair, packages: usize) {
    pair.site(Insurer).must("ask");
    for site in &mut pair.sites {
        assert_eq!(site.must("open"), "");
        site.quit();
    }
    assert_eq!(check(pair.folder.path()), packages);
}

/// A folder that nobody may write into, as long as this lives.
enum ReadOnly {
    ByMode(PathBuf),
    ByMount(PathBuf),
}

impl ReadOnly {
    /// By its mode; for root, whom that does not keep from writing, by a mount. None where neither can be.
    fn made(folder: PathBuf) -> Option<Self> {
        set_mode(&folder, 0o555);
        let by_mode = Self::ByMode(folder.clone());
        let probe = folder.join(".probe");
        if File::create(&probe).is_err() {
            return Some(by_mode);
        }
        fs::remove_file(probe).unwrap();
        drop(by_mode);
        let mount = |options: &str| {
            let done = Command::new("mount").args(["-o", options]).args([&folder, &folder]).output();
            done.is_ok_and(|done| done.status.success())
        };
        if !mount("bind") {
            return None;
        }
        let by_mount = Self::ByMount(folder.clone());
        mount("remount,bind,ro").then_some(by_mount)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        match self {
            Self::ByMode(folder) => set_mode(folder, 0o700),
            Self::ByMount(folder) => {
                let _ = Command::new("umount").arg("--lazy").arg(folder).status();
            }
        }
    }
}

fn set_mode(folder: &Path, mode: u32) {
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// Each folder that a package passes, read-only once; tells whether this machine let us make one so.
pub(crate) fn read_only_folders() -> bool {
    let mut pair = with_a_claim(Way::Https);
    for (name, order, at, folders) in [
        (Insurer, "export ON-INS/C-1", Insurer, &["exchange/outbox"][..]),
        (Insurer, "push", Examiner, &["exchange/uploads", "exchange/inbox"]),
        (Examiner, "unpack", Examiner, &["exchange/work", "cases/documents"]),
    ] {
        for folder in folders {
            let folder = pair.site(at).folder.join(folder);
            if refused(&mut pair, name, order, &folder).is_none() {
                return false;
            }
        }
        pair.site(name).must(order);
    }
    at_rest(pair, 1);
    true
}

/// The same through drop folders, on the way there and back.
pub(crate) fn read_only_drop_folders() -> bool {
    let mut pair = with_a_claim(Way::DropFolder);
    pair.site(Insurer).must("export ON-INS/C-1");
    let dropped = drop_folder(&pair.site(Insurer).folder, Insurer);
    let [requests, answers, sent] = ["requests", "answers", "sent"].map(|name| dropped.join(name));
    for (name, order, folders) in [
        (Insurer, "push", [&sent, &requests]),
        (Examiner, "collect", [&answers, &requests]),
        (Insurer, "push", [&answers, &sent]),
    ] {
        for folder in folders {
            let Some(why) = refused(&mut pair, name, order, folder) else { return false };
            assert!(why.contains(folder.to_str().unwrap()), "{why}");
        }
        pair.site(name).must(order);
    }
    // The answer was taken and its request's copy could not be: it is asked for once more.
    pair.site(Examiner).must("collect");
    // What its own folder refuses, the recipient answers as a fault of its own, and takes when it comes again.
    let inbox = pair.site(Examiner).folder.join("exchange/inbox");
    pair.site(Insurer).must("push");
    pair.site(Insurer).must("export ON-INS/C-1");
    pair.site(Insurer).must("push");
    let Some(read_only) = ReadOnly::made(inbox) else { return false };
    pair.site(Examiner).must("collect");
    drop(read_only);
    let outcome = pair.site(Insurer).order("push");
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    for (name, order) in [(Insurer, "push"), (Examiner, "collect"), (Insurer, "push"), (Examiner, "unpack")] {
        pair.site(name).must(order);
    }
    for (name, order) in [(Insurer, "collect"), (Insurer, "ask"), (Examiner, "collect"), (Insurer, "ask")] {
        pair.site(name).must(order);
    }
    at_rest(pair, 2);
    true
}

fn with_a_claim(way: Way) -> Pair {
    let mut pair = Pair::new(false, way);
    pair.site(Examiner).revive();
    pair.site(Insurer).must("claim C-1");
    pair.site(Insurer).must("document ON-INS/C-1 D-1 70000");
    pair
}

/// Why an order fails while nobody may write into a folder; none where this machine lets us make none so.
fn refused(pair: &mut Pair, name: Name, order: &str, folder: &Path) -> Option<String> {
    let read_only = ReadOnly::made(folder.to_owned())?;
    let outcome = pair.site(name).order(order);
    drop(read_only);
    let Outcome::Failed(why) = outcome else { panic!("{}: {outcome:?}", folder.display()) };
    Some(why)
}
