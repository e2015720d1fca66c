//! One package over a wire that is cut at every place, both ways.

use super::check::check;
use super::keys::Name::{Examiner, Insurer};
use super::process::{Outcome, Pair};
use super::proxy::Fate;

/// Not every byte is worth a connection: a step that meets every part of head and body.
const STEP: usize = 41;

/// Sends one package, cut after more bytes each time, until all of it is through; then another one, whose answers
/// are cut.
pub(crate) fn cut_everywhere() {
    let mut pair = Pair::new(false);
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
