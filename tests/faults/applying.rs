//! Between the case system and the ledger: what a site may have applied without knowing it cannot be rejected, and is
//! applied once.

use super::check::check;
use super::keys::Name;
use super::process::{Outcome, Pair, Way};

/// What keeps the ledger from learning that the case system has it: the process dies, or the disk fails.
const CUTS: [&str; 3] =
    ["case-committed=kill", "incoming-unpacked-written=kill", "incoming-unpacked-written=full"];

/// A claim and notes, each cut off between the two, which a person then wants to reject.
pub(crate) fn what_may_be_applied_is_not_rejected() {
    use Name::{Examiner, Insurer};
    for cut in CUTS {
        let mut pair = Pair::new(false, Way::Https);
        pair.site(Examiner).revive();
        pair.site(Insurer).must("claim C-1");
        pair.site(Insurer).must("export ON-INS/C-1");
        pair.site(Insurer).must("push");
        pair.site(Examiner).must(&format!("arm {cut}"));
        is_cut_off(&pair.site(Examiner).order("unpack"));
        refuses_to_reject(&mut pair, cut);
        pair.site(Examiner).must("unpack");

        pair.site(Insurer).must("note ON-INS/C-1 N-1");
        pair.site(Insurer).must("notes ON-INS/C-1");
        pair.site(Examiner).must(&format!("arm {cut}"));
        is_cut_off(&pair.site(Insurer).order("push"));
        // It cannot be opened when the site starts again, so that it is not simply finished then.
        pair.site(Examiner).quit();
        assert!(pair.site(Examiner).start(&[("CLAIMWIRE_FAILPOINTS", "package-opened=broken!")]));
        refuses_to_reject(&mut pair, cut);
        pair.site(Examiner).must("arm");
        pair.site(Examiner).must("unpack");

        pair.site(Insurer).must("push");
        pair.site(Insurer).must("ask");
        pair.end();
        assert_eq!(check(pair.folder.path()), 2, "{cut}");
    }
}

fn is_cut_off(outcome: &Outcome) {
    assert!(!matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

fn refuses_to_reject(pair: &mut Pair, cut: &str) {
    match pair.site(Name::Examiner).order("reject") {
        Outcome::Failed(why) => assert!(why.contains("cannot be rejected; unpack it again"), "{cut}: {why}"),
        other => panic!("{cut}: {other:?}"),
    }
}
