//! One story that passes every point, in which every point strikes once.

use super::check::{check, check_hosts};
use super::keys::Name;
use super::process::{Outcome, Pair, Way};
use super::proxy::Fate;
use super::site::drop_folder;
use claimwire::failpoint::POINTS;
use std::collections::BTreeSet;

/// What happened on the way.
pub(crate) struct Swept {
    /// The points that were reached, listed or not.
    pub(crate) reached: BTreeSet<String>,
    /// Those that struck.
    pub(crate) struck: BTreeSet<String>,
}

struct Sweep {
    pair: Pair,
    fate: &'static str,
    /// What is still to strike.
    left: BTreeSet<&'static str>,
    swept: Swept,
}

/// Plays the story; whichever point is reached for the first time, at whichever site, strikes with this fate.
pub(crate) fn sweep(fate: &'static str) -> Swept {
    let swept = Swept { reached: BTreeSet::new(), struck: BTreeSet::new() };
    let mut sweep =
        Sweep { pair: Pair::new(false, Way::Https), fate, left: POINTS.iter().copied().collect(), swept };
    sweep.claim_goes_there_and_back();
    sweep.packages_are_taken_back();
    sweep.notes_and_a_package_that_comes_late();
    sweep.nobody_is_there();
    sweep.refusals();
    sweep.an_upload_is_removed();
    sweep.hosts_are_told();
    sweep.through_drop_folders();
    sweep.pair.end();
    check_hosts(&sweep.pair);
    check(sweep.pair.folder.path());
    sweep.swept
}

impl Sweep {
    fn claim_goes_there_and_back(&mut self) {
        use Name::{Examiner, Insurer};
        self.safely(Insurer, "claim C-1");
        self.safely(Insurer, "document ON-INS/C-1 D-1 70000");
        self.until_done(Insurer, "pause");
        self.until_done(Insurer, "resume");
        self.until_done(Insurer, "export ON-INS/C-1");
        self.until_done(Insurer, "push");
        self.until_done(Examiner, "unpack");
        self.until_done(Insurer, "ask");
        self.safely(Examiner, "document ON-INS/C-1 D-2 30000");
        self.until_done(Examiner, "export ON-INS/C-1");
        self.until_done(Examiner, "push");
        // Where an upload in parts cannot be begun, it is sent whole.
        while self.is_left("upload-kept") {
            self.until_done(Examiner, "export ON-INS/C-1");
            self.until_done(Examiner, "push");
        }
        self.until_done(Insurer, "unpack");
        self.until_done(Examiner, "ask");
        for name in Name::BOTH {
            self.until_done(name, "remove");
        }
    }

    /// The claim, and notes of it, are taken back before they leave, and exported anew.
    fn packages_are_taken_back(&mut self) {
        use Name::Insurer;
        self.until_done(Insurer, "export ON-INS/C-1");
        self.safely(Insurer, "note ON-INS/C-1 N-2");
        self.until_done(Insurer, "notes ON-INS/C-1");
        self.until_done(Insurer, "withdraw");
        assert_eq!(self.pair.site(Insurer).must("open"), "");
    }

    fn notes_and_a_package_that_comes_late(&mut self) {
        use Name::{Examiner, Insurer};
        self.safely(Insurer, "note ON-INS/C-1 N-1");
        self.until_done(Insurer, "notes ON-INS/C-1");
        self.until_done(Insurer, "push");
        // The later package overtakes the earlier one, which waits for its receipt to get through.
        self.safely(Insurer, "status ON-INS/C-1 1");
        self.until_done(Insurer, "export ON-INS/C-1");
        self.until_done(Insurer, "export ON-INS/C-1");
        self.until_done(Insurer, "push");
        self.until_done(Examiner, "unpack newest");
        self.until_done(Examiner, "unpack");
        self.until_done(Insurer, "ask");
    }

    /// One claim finds nobody, so the other one waits; then the partner is paused, and all is sent once more.
    fn nobody_is_there(&mut self) {
        use Name::{Examiner, Insurer};
        self.safely(Insurer, "claim C-2");
        for claim in ["ON-INS/C-1", "ON-INS/C-2"] {
            self.until_done(Insurer, &format!("export {claim}"));
        }
        while self.is_left("outgoing-failed") || self.is_left("outgoing-put-off") {
            self.pair.site(Examiner).proxy.next(Fate::IsRefused);
            self.order(Insurer, "push", "");
        }
        self.pair.site(Examiner).proxy.calm_down();
        self.until_done(Insurer, "pause");
        self.until_done(Insurer, "push");
        self.until_done(Insurer, "resume");
        self.until_done(Insurer, "push");
        self.until_done(Examiner, "unpack");
        self.until_done(Insurer, "replay");
        self.until_done(Insurer, "push");
        self.until_done(Insurer, "ask");
    }

    /// The package cannot be opened, and a person rejects it.
    fn refusals(&mut self) {
        use Name::{Examiner, Insurer};
        self.until_done(Insurer, "export ON-INS/C-1");
        self.until_done(Insurer, "push");
        while self.is_left("incoming-failed") {
            self.order(Examiner, "unpack", "package-opened=broken!");
        }
        self.until_done(Examiner, "reject");
        self.until_done(Insurer, "ask");
        // What is not told at once is told when the exchange is opened, where nothing strikes.
        while self.is_left("outgoing-told") {
            self.until_done(Insurer, "export ON-INS/C-1");
            self.until_done(Insurer, "push");
            self.until_done(Examiner, "reject");
            self.until_done(Insurer, "ask");
        }
    }

    /// The disk refuses in the midst of an upload, so that what came of it is not kept.
    fn an_upload_is_removed(&mut self) {
        use Name::{Examiner, Insurer};
        while self.is_left("upload-removed") {
            self.until_done(Insurer, "export ON-INS/C-1");
            self.order(Insurer, "push", "upload-writing=full");
            self.until_done(Insurer, "push");
            self.until_done(Examiner, "unpack");
            self.until_done(Insurer, "ask");
        }
    }

    /// The host of one site fails until it is given up, then wants no more, then all again.
    fn hosts_are_told(&mut self) {
        use Name::{Examiner, Insurer};
        for name in Name::BOTH {
            self.until_done(name, "hooks");
        }
        while self.is_left("webhook-set-aside") || self.is_left("webhook-queued-again") {
            self.until_done(Insurer, "export ON-INS/C-1");
            for _ in 0..8 {
                self.pair.site(Insurer).host.will_answer("500 Internal Server Error");
            }
            self.until_done(Insurer, "hooks");
            self.pair.site(Insurer).host.calm_down();
            self.until_done(Insurer, "hooks again");
            self.until_done(Insurer, "hooks");
        }
        while self.is_left("webhook-enabled") {
            self.until_done(Insurer, "export ON-INS/C-1");
            self.pair.site(Insurer).host.will_answer("410 Gone");
            self.until_done(Insurer, "hooks");
            self.pair.site(Insurer).host.calm_down();
            self.until_done(Insurer, "hooks enable");
            self.until_done(Insurer, "hooks");
        }
        self.until_done(Insurer, "push");
        self.until_done(Examiner, "unpack");
        self.until_done(Insurer, "ask");
    }

    fn through_drop_folders(&mut self) {
        use Name::{Examiner, Insurer};
        self.pair.go_over_to(Way::DropFolder);
        for name in Name::BOTH {
            self.pair.site(name).must("arm");
        }
        while ["requests", "answers", "sent", "refused"].iter().any(|step| self.is_left(step)) {
            self.until_done(Insurer, "export ON-INS/C-1");
            self.until_done(Insurer, "push");
            let dropped = drop_folder(&self.pair.site(Insurer).folder, Insurer);
            std::fs::write(dropped.join("requests/no-request"), "hello").unwrap();
            self.until_done(Examiner, "collect");
            std::fs::remove_dir_all(dropped.join("refused")).unwrap();
            std::fs::create_dir(dropped.join("refused")).unwrap();
            self.until_done(Insurer, "push");
            self.until_done(Examiner, "unpack");
            self.until_done(Insurer, "collect");
            self.until_done(Insurer, "ask");
            self.until_done(Examiner, "collect");
            self.until_done(Insurer, "ask");
        }
        for name in [Insurer, Examiner, Insurer, Examiner] {
            self.pair.site(name).must("arm");
            for order in ["push", "collect", "ask", "hooks"] {
                self.pair.site(name).must(order);
            }
        }
    }

    fn is_left(&self, point: &str) -> bool {
        self.left.iter().any(|left| left.starts_with(point))
    }

    /// A thing that is no work of the exchange: nothing strikes.
    fn safely(&mut self, name: Name, order: &str) {
        self.pair.site(name).must("arm");
        self.pair.site(name).must(order);
    }

    /// The same order as often as a point strikes on its way.
    fn until_done(&mut self, name: Name, order: &str) {
        for _ in 0..2 * POINTS.len() {
            let (outcome, struck) = self.order(name, order, "");
            if !struck {
                assert!(matches!(outcome, Outcome::Done(_)), "{order}: {outcome:?}");
                return;
            }
        }
        panic!("{name:?} never comes to {order}");
    }

    /// Gives an order with all that is left armed at both sites, and something besides; tells what came of it, and whether anything struck.
    fn order(&mut self, name: Name, order: &str, besides: &str) -> (Outcome, bool) {
        let armed: Vec<String> = self.left.iter().map(|point| format!("{point}={}", self.fate)).collect();
        let armed = format!("arm {},{besides}", armed.join(","));
        for name in Name::BOTH {
            self.pair.site(name).must(&armed);
        }
        let outcome = self.pair.site(name).order(order);
        let mut struck = false;
        for name in Name::BOTH {
            let site = self.pair.site(name);
            // A process that died has said where.
            if let Outcome::Done(reached) = site.order("reached") {
                self.swept.reached.extend(reached.split_whitespace().map(str::to_owned));
            }
            for point in site.struck() {
                self.left.remove(point.as_str());
                struck |= self.swept.struck.insert(point.clone());
                self.swept.reached.insert(point);
            }
        }
        (outcome, struck)
    }
}
