//! One package over a wire that is cut at every place, both ways.

use super::check::check;
use super::keys::Name::{Examiner, Insurer};
use super::process::{Outcome, Pair, Way};
use super::proxy::Fate;

/// Not every byte is worth a connection: a step that meets every part of head and body.
const STEP: usize = 41;

/// Sends one package, cut after more bytes each time, until all of it is through; then another one, whose answers
/// are cut.
pub(crate) fn cut_everywhere() {
    let mut pair = Pair::new(false, Way::Https);
    pair.site(Examiner).revive();
    pair.site(Insurer).must("claim C-1");
    let mut cuts = Vec::new();
    for fate in [Fate::IsCut, Fate::AnswerIsCut] {
        pair.site(Insurer).must("export ON-INS/C-1");
        let mut tries = 0;
        loop {
            pair.site(Examiner).proxy.next(fate(tries * STEP));
            let outcome = pair.site(Insurer).order("push");
            match &outcome {
                Outcome::Done(_) => break,
                Outcome::Failed(why) => {
                    assert!(why.contains("unreachable") || why.contains("no-receipt"), "{why}")
                }
                Outcome::Died => panic!("died of a cut: {}", pair.site(Insurer).said()),
            }
            tries += 1;
            assert!(tries < 200, "never gets through: {outcome:?}");
        }
        cuts.push(tries);
        pair.site(Examiner).must("unpack");
        pair.site(Insurer).must("ask");
    }
    // A request has more than a kilobyte, an answer with its signature most of one.
    assert!(cuts.iter().all(|tries| tries * STEP > 700), "{cuts:?}");
    pair.sites.iter_mut().for_each(|site| site.quit());
    assert_eq!(check(pair.folder.path()), 2);
}

/// So much comes before the receiver is killed: past the first sync on the way.
const BEFORE_THE_KILL: usize = 120_000;

/// A package larger than that is half there when its receiver is killed; what came is gone on with.
pub(crate) fn killed_in_the_midst() {
    let mut pair = Pair::new(false, Way::Https);
    pair.site(Examiner).revive();
    pair.site(Insurer).must("claim C-1");
    pair.site(Insurer).must("document ON-INS/C-1 D-1 700000");
    pair.site(Insurer).must("export ON-INS/C-1");
    pair.site(Examiner).proxy.next(Fate::Stalls(BEFORE_THE_KILL));
    pair.site(Insurer).begin("push");
    let uploads = pair.site(Examiner).folder.join("exchange/uploads");
    while lying(&uploads) < 100_000 {
        std::thread::yield_now();
    }
    pair.site(Examiner).kill();
    pair.site(Examiner).proxy.go_on();
    assert!(matches!(pair.site(Insurer).finish(), Outcome::Failed(_)));
    let came = lying(&uploads);
    assert!(came >= 100_000, "{came} bytes were kept");
    pair.site(Examiner).revive();
    assert_eq!(lying(&uploads), came, "the part is kept by the next opening");
    pair.site(Insurer).must("push");
    at_rest(pair);
}

/// Where the system could not make the bytes durable, none of them is relied on.
pub(crate) fn a_sync_that_fails() {
    let mut pair = Pair::new(false, Way::Https);
    pair.site(Insurer).must("claim C-1");
    pair.site(Insurer).must("document ON-INS/C-1 D-1 70000");
    pair.site(Insurer).must("export ON-INS/C-1");
    for point in ["upload-synced-so-far", "upload-whole"] {
        pair.site(Examiner).must(&format!("arm {point}=broken"));
        assert!(matches!(pair.site(Insurer).order("push"), Outcome::Failed(_)), "{point}");
        assert_eq!(lying(&pair.site(Examiner).folder.join("exchange/uploads")), 0, "{point}");
    }
    pair.site(Insurer).must("push");
    at_rest(pair);
}

/// How many bytes lie in a folder.
fn lying(folder: &std::path::Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn at_rest(mut pair: Pair) {
    pair.site(Examiner).must("unpack");
    pair.site(Insurer).must("ask");
    pair.sites.iter_mut().for_each(|site| site.quit());
    assert_eq!(check(pair.folder.path()), 1);
}
