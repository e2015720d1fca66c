//! A process that plays a case with secrets, and then looks for them in all of its writable memory.
//!
//! Secrets come to it masked, and it knows them masked alone, so that it does not find its own copy of what it looks for.
//! It is told what follows from a secret, a key that is derived from it say, only after it has played, by the process that
//! started it. The case is played on a thread that stands still afterwards, with room above, so that what was left on its
//! stack is still there when the process looks; and eight bytes of a secret, of any eighth of it, are a find.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::channel;

const MASK: u8 = 0xa7;
/// As many bytes of a secret as are no accident.
const PIECE: usize = 8;
/// What a thread may need of its stack after a case, at most.
const ROOM: usize = 1 << 16;
const CASE: &str = "CLAIMWIRE_TEST_CASE";

/// Something that must not be found, and its name.
pub(crate) type Secret = (&'static str, Vec<u8>);

/// This program as a process of its own, which is to play the case: `test` is the ignored test that calls [`play`].
pub(crate) fn playing(test: &str, case: &str) -> Command {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args([test, "--include-ignored", "--nocapture", "--exact"]).env(CASE, case);
    process
}

/// Has a process play with what it is `lent`. Of the secrets that are `sought` after that, made of what it gave back, the
/// names of those that it finds, and where.
pub(crate) fn found(
    mut process: Command,
    lent: &[Secret],
    sought: impl FnOnce(&[u8]) -> Vec<Secret>,
) -> BTreeMap<String, Vec<String>> {
    let mut process = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = process.stdin.take().unwrap();
    tell(&mut told, lent);
    let gave = said.find_map(|line| line.strip_prefix("gave ").map(of_hex)).expect("the case is played");
    tell(&mut told, &sought(&gave));
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for line in said.filter_map(|line| line.strip_prefix("found ").map(str::to_owned)) {
        let (name, place) = line.split_once(" | ").unwrap();
        found.entry(name.to_owned()).or_default().push(place.to_owned());
    }
    assert!(process.wait().unwrap().success());
    found
}

fn tell(process: &mut ChildStdin, secrets: &[Secret]) {
    for (name, secret) in secrets {
        let masked = secret.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{:02x}", byte ^ MASK).unwrap();
            text
        });
        writeln!(process, "{name} | {masked}").unwrap();
    }
    writeln!(process, "go on").unwrap();
}

fn of_hex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    text.trim().as_bytes().chunks(2).map(|two| digit(two[0]) << 4 | digit(two[1])).collect()
}

/// The secrets that a process was told, masked.
pub(crate) struct Lent(Vec<(String, Vec<u8>)>);

impl Lent {
    fn told() -> Self {
        let lines = std::io::stdin().lines().map(Result::unwrap).take_while(|line| line != "go on");
        Self(
            lines
                .map(|line| {
                    let (name, masked) = line.split_once(" | ").unwrap();
                    (name.to_owned(), of_hex(masked))
                })
                .collect(),
        )
    }

    /// Lends a secret, and wipes that copy.
    pub(crate) fn lend<T>(&self, name: &str, to: impl FnOnce(&[u8]) -> T) -> T {
        let (_, masked) = self.0.iter().find(|(known, _)| known == name).unwrap();
        let mut plain = vec![0; masked.len()];
        plain.iter_mut().zip(masked).for_each(|(plain, masked)| *plain = *masked ^ MASK);
        let given = to(&plain);
        plain.fill(0);
        black_box(&plain);
        given
    }

    pub(crate) fn lend_text<T>(&self, name: &str, to: impl FnOnce(&str) -> T) -> T {
        self.lend(name, |bytes| to(std::str::from_utf8(bytes).unwrap()))
    }
}

/// What the process does: plays the case, gives back what came of it, and tells what it finds.
pub(crate) fn play(case: impl FnOnce(&str, &Lent) -> Vec<u8> + Send + 'static) {
    let lent = Lent::told();
    let (gives, gave) = channel();
    let (go_on, goes_on) = channel::<()>();
    let player = std::thread::spawn(move || {
        let name = std::env::var(CASE).unwrap();
        gives.send(with_room(|| case(&name, &lent))).unwrap();
        // The end of the sender.
        goes_on.recv().unwrap_err();
    });
    let gave = gave.recv().unwrap();
    println!("\ngave {}", gave.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")));
    for (name, place) in standing(&Lent::told().0) {
        println!("found {name} | {place}");
    }
    drop(go_on);
    player.join().unwrap();
}

/// Calls with some stack between the caller and the called, which stays as it was when the caller goes on.
#[inline(never)]
fn with_room<T>(call: impl FnOnce() -> T) -> T {
    let room = black_box([0_u8; ROOM]);
    let given = call();
    black_box(&room);
    given
}

/// The pieces of the secrets by their first two bytes, all masked.
struct Pieces<'s> {
    by_start: Vec<Vec<(&'s str, &'s [u8])>>,
    longest: usize,
}

impl<'s> Pieces<'s> {
    fn of(secrets: &'s [(String, Vec<u8>)]) -> Self {
        let (mut by_start, mut longest) = (vec![Vec::new(); 1 << 16], PIECE);
        for (name, secret) in secrets {
            assert!(secret.len() >= PIECE, "{name} is too short to be looked for");
            // Where bytes say one bit each, it takes all of them to be no accident.
            let is_bits = secret.iter().collect::<BTreeSet<_>>().len() <= 2;
            let piece = if is_bits { secret.len() } else { PIECE };
            longest = longest.max(piece);
            let last = &secret[secret.len() - piece..];
            for piece in secret.chunks_exact(piece).chain([last]) {
                by_start[start(piece[0], piece[1])].push((name.as_str(), piece));
            }
        }
        Self { by_start, longest }
    }

    /// Those that stand in masked memory.
    fn within(&self, memory: &[u8], mut found: impl FnMut(&'s str)) {
        for at in 0..memory.len().saturating_sub(1) {
            for (name, piece) in &self.by_start[start(memory[at], memory[at + 1])] {
                if memory[at..].starts_with(piece) {
                    found(name);
                }
            }
        }
    }
}

fn start(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// What stands in this process's writable memory, and where.
fn standing(secrets: &[(String, Vec<u8>)]) -> BTreeSet<(String, String)> {
    let pieces = Pieces::of(secrets);
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut found = BTreeSet::new();
    let (mut page, nothing) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    for map in maps.lines().filter(|map| map.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (start, end) = map.split(' ').next().unwrap().split_once('-').unwrap();
        let (mut at, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        while at < end {
            let Ok(length) = memory.read_at(&mut page, at) else { break };
            if page[..length] != nothing[..length] {
                page.iter_mut().for_each(|byte| *byte ^= MASK);
                pieces.within(&page[..length], |name| {
                    found.insert((name.to_owned(), map.to_owned()));
                });
            }
            page.fill(0);
            if length < pieces.longest {
                break;
            }
            at += (length + 1 - pieces.longest) as u64;
        }
    }
    found
}
