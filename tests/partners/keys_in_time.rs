//! Keys over time: rotation in both directions without a gap, what is refused before and after, the legacy suite's
//! quarantine, and what an administrator is warned of. The clock is the test's own; nobody sleeps.

mod held_up;
mod receipts;

use crate::support::*;
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing};
use claimwire::exchange::{AfterReview, Event, Exchange, ExportOptions, Partner, WarningCode};
use claimwire::ledger::{Outgoing, OutgoingState};
use claimwire::model::{ExchangeId, PackageId, Timestamp};
use claimwire::protocol::{SigningKey, Validity};
use claimwire::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

fn at(text: &str) -> Timestamp {
    format!("2026-{text}T00:00:00Z").parse().unwrap()
}

fn from(begin: &str) -> Validity {
    Validity::new(Some(at(begin)), None).unwrap()
}

fn until(end: &str) -> Validity {
    Validity::new(None, Some(at(end))).unwrap()
}

/// Two sites whose clock is the test's.
struct Timed {
    sites: TwoSites,
    seconds: Arc<AtomicI64>,
    claim: ExchangeId,
    notes: Mutex<u32>,
}

type Change = Box<dyn FnOnce(&Keys, Partner) -> Partner>;

impl Timed {
    /// At midnight of a day, with what the insurer knows of the examiner, and the other way round.
    fn at(day: &str, insurer_of_examiner: Change, examiner_of_insurer: Change) -> Self {
        Self::listening(day, insurer_of_examiner, examiner_of_insurer, |_| {})
    }

    /// The same, and what the insurer is told.
    fn listening(
        day: &str,
        insurer_of_examiner: Change,
        examiner_of_insurer: Change,
        listener: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        let seconds = Arc::new(AtomicI64::new(at(day).unix_seconds()));
        let clock = |seconds: &Arc<AtomicI64>| {
            let seconds = seconds.clone();
            move || Timestamp::from_unix_seconds(seconds.load(Ordering::Relaxed)).unwrap()
        };
        let (here, there) = (clock(&seconds), clock(&seconds));
        let keys = Keys::generate();
        let (at_insurer, at_examiner) = (keys.clone(), keys.clone());
        let sites = TwoSites::with(Setup {
            keys,
            insurer_of_examiner: Box::new(move |partner| insurer_of_examiner(&at_insurer, partner)),
            examiner_of_insurer: Box::new(move |partner| examiner_of_insurer(&at_examiner, partner)),
            insurer: Box::new(|settings| settings.with_clock(here).on_event(listener)),
            examiner: Box::new(|settings| settings.with_clock(there)),
        });
        let claim = sites.claim_at_insurer();
        Self { sites, seconds, claim, notes: Mutex::new(0) }
    }

    fn insurer(&self) -> &Exchange {
        &self.sites.insurer.exchange
    }

    fn examiner(&self) -> &Exchange {
        &self.sites.examiner.exchange
    }

    fn set(&self, day: &str) {
        self.set_to(at(day));
    }

    fn set_to(&self, moment: Timestamp) {
        self.seconds.store(moment.unix_seconds(), Ordering::Relaxed);
    }

    fn export(&self) -> Result<Outgoing> {
        let mut notes = self.notes.lock().unwrap();
        *notes += 1;
        add_note(&self.sites.insurer, &self.claim, &format!("N-{notes}"), "One more.");
        self.sites.export(&self.claim)
    }

    /// Exports and sends, and gives the package and the version it was sealed under.
    fn send(&self) -> Result<(PackageId, u32)> {
        let package = self.export()?.package;
        self.insurer().send(package.id, &())?;
        Ok((package.id, package.key_version))
    }

    fn deliver(&self) -> Result<u32> {
        let (package, version) = self.send()?;
        self.examiner().unpack(package, "front desk", &())?;
        Ok(version)
    }

    /// From the examiner to the insurer.
    fn deliver_back(&self) -> Result<u32> {
        let mut notes = self.notes.lock().unwrap();
        *notes += 1;
        add_note(&self.sites.examiner, &self.claim, &format!("B-{notes}"), "Seen.");
        let options = ExportOptions::by("front desk");
        let package = self.examiner().export(&self.claim, self.insurer().site(), &options)?.package;
        self.examiner().send(package.id, &())?;
        self.insurer().unpack(package.id, "dana", &())?;
        Ok(package.key_version)
    }

    fn change(&self, of: &Exchange, partner: &Exchange, change: impl FnOnce(Partner) -> Partner) {
        let known = Partner::clone(&of.partner(partner.site()).unwrap());
        of.set_partner(change(known));
    }

    fn examiner_knows(&self, change: impl FnOnce(Partner) -> Partner) {
        self.change(self.examiner(), self.insurer(), change);
    }

    fn insurer_knows(&self, change: impl FnOnce(Partner) -> Partner) {
        self.change(self.insurer(), self.examiner(), change);
    }
}

fn as_it_was() -> Change {
    Box::new(|_, partner| partner)
}

#[track_caller]
fn says<T>(result: Result<T>, kind: ErrorKind, words: &[&str]) -> Error {
    let error = result.err().expect("it must be refused");
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "no `{word}` in: {error}");
    }
    error
}

#[track_caller]
fn warns(exchange: &Exchange, codes: &[WarningCode]) -> String {
    let warnings = exchange.warnings();
    let found: Vec<_> = warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(found, codes, "{warnings:?}");
    warnings.into_iter().map(|warning| warning.message).collect()
}

mod rotation {
    use super::*;

    /// Version 1 until June, version 2 from May on, both ways; the receivers know both.
    fn overlapping() -> Timed {
        let next = AgeIdentity::generate();
        let recipient = next.recipient();
        let (there, back) = (next.clone(), next);
        let (to_examiner, to_insurer) = (recipient.clone(), recipient);
        Timed::at(
            "04-30",
            Box::new(move |keys, partner| {
                partner
                    .seal_during(until("06-01"), 1, keys.legacy.clone())
                    .seal_during(from("05-01"), 2, to_examiner)
                    .open_during(until("06-01"), 1, keys.identity.clone())
                    .open_during(from("05-01"), 2, back)
                    .reviewing_legacy_by("2026-12-31".parse().unwrap(), AfterReview::Warn)
            }),
            Box::new(move |keys, partner| {
                partner
                    .open_during(until("06-01"), 1, keys.legacy.clone())
                    .open_during(from("05-01"), 2, there)
                    .seal_during(until("06-01"), 1, keys.identity.recipient())
                    .seal_during(from("05-01"), 2, to_insurer)
                    .reviewing_legacy_by("2026-12-31".parse().unwrap(), AfterReview::Warn)
            }),
        )
    }

    #[test]
    fn the_newest_valid_version_seals_and_each_is_opened_in_both_directions() {
        let timed = overlapping();
        for (day, version) in [("04-30", 1), ("05-01", 2), ("06-01", 2), ("12-01", 2)] {
            timed.set(day);
            assert_eq!(timed.deliver().unwrap(), version, "{day}");
            assert_eq!(timed.deliver_back().unwrap(), version, "{day}");
        }
    }

    #[test]
    fn what_was_sealed_in_time_is_opened_though_it_comes_and_is_unpacked_late() {
        let timed = overlapping();
        let waits = timed.export().unwrap().package;
        assert_eq!(waits.key_version, 1);
        // Six days after the end, within the grace of seven.
        timed.set("06-07");
        timed.insurer().send(waits.id, &()).unwrap();
        // When a user comes to unpack it does not matter: it came in time.
        timed.set("12-01");
        timed.examiner().unpack(waits.id, "front desk", &()).unwrap();
    }

    #[test]
    fn what_comes_after_the_grace_is_refused_at_the_door_with_version_and_dates() {
        let timed = overlapping();
        let waits = timed.export().unwrap().package.id;
        timed.set("06-08");
        let words = [
            "key version 1",
            "until 2026-06-01T00:00:00Z",
            "7 days of grace",
            "2026-06-08",
            "Export it anew",
        ];
        let error = says(timed.insurer().send(waits, &()), ErrorKind::KeyNotValid, &words);
        assert!(!error.is_retryable());
        assert_eq!(timed.insurer().outgoing(waits).unwrap().state, OutgoingState::Failed);
        assert!(timed.sites.examiner.files_in("inbox").is_empty(), "nothing of it was taken in");
        // A longer grace lets it in.
        timed
            .examiner_knows(|partner| partner.taking_late(std::time::Duration::from_secs(30 * 24 * 60 * 60)));
        timed.insurer().send(waits, &()).unwrap();
        timed.examiner().unpack(waits, "front desk", &()).unwrap();
    }

    #[test]
    fn a_version_that_was_given_up_is_told_as_such_and_not_as_an_unknown_one() {
        let timed = overlapping();
        let (held, _) = timed.send().unwrap();
        let waits = timed.export().unwrap().package.id;
        timed.examiner_knows(|partner| partner.retire(1, at("04-29")));
        let words = ["key version 1", "was retired", "2026-04-29"];
        says(timed.insurer().send(waits, &()), ErrorKind::KeyNotValid, &words);
        // One that came in before, and finds its key gone.
        says(timed.examiner().unpack(held, "front desk", &()), ErrorKind::KeyNotValid, &words);
        timed.insurer_knows(|partner| {
            partner.seal_with(9, DesMd5Key::new("other", Framing::OpenSsl).unwrap())
        });
        timed.examiner_knows(|partner| {
            partner.open_with(3, DesMd5Key::new("third", Framing::OpenSsl).unwrap())
        });
        let (unknown, _) = timed.send().unwrap();
        let words = ["key version 9", "1 (retired", "2 (from 2026-05-01"];
        says(timed.examiner().unpack(unknown, "front desk", &()), ErrorKind::UnknownKeyVersion, &words);
    }

    #[test]
    fn a_key_that_is_not_yet_valid_waits_and_clocks_may_differ() {
        let timed = overlapping();
        let next = AgeIdentity::generate();
        let recipient = next.recipient();
        timed.examiner_knows(|partner| partner.open_during(from("05-01"), 3, next));
        timed.insurer_knows(|partner| partner.seal_with(3, recipient));
        let (early, _) = timed.send().unwrap();
        let words = ["key version 3", "from 2026-05-01T00:00:00Z", "unpack it then"];
        says(timed.examiner().unpack(early, "front desk", &()), ErrorKind::KeyNotValid, &words);
        // The sender's clock is four minutes ahead: within the window.
        timed.set_to("2026-04-30T23:56:00Z".parse().unwrap());
        timed.examiner().unpack(early, "front desk", &()).unwrap();
    }

    #[test]
    fn a_sender_whose_keys_all_ended_exports_nothing() {
        let timed = overlapping();
        timed.insurer_knows(|partner| {
            partner.seal_during(until("05-10"), 2, AgeIdentity::generate().recipient())
        });
        timed.set("06-01");
        let words = ["no key to seal with", "1 (until 2026-06-01", "2 (until 2026-05-10"];
        says(timed.export(), ErrorKind::KeyNotValid, &words);
        warns(timed.insurer(), &[WarningCode::NoValidKey]);
        assert!(timed.sites.insurer.files_in("outbox").is_empty());
    }

    /// The insurer signs with a new key from May on; its first ends in June. The examiner knows both.
    fn signing() -> (Timed, SigningKey) {
        let timed = Timed::at("04-30", as_it_was(), as_it_was());
        let first = timed.sites.keys.insurer_signs.clone().valid_during(until("06-01"));
        let next = SigningKey::generate("on-ins-2").unwrap().valid_during(from("05-01"));
        timed.insurer().set_signing_key(first.clone());
        timed.insurer().set_signing_key(next.clone());
        timed.examiner_knows(|_| {
            Partner::new(insurer_site(), "Northern Mutual")
                .open_with(1, timed.sites.keys.legacy.clone())
                .verify_with(first.verifying_key())
                .verify_with(next.verifying_key())
        });
        (timed, first)
    }

    fn signer(timed: &Timed) -> String {
        let keys = timed.insurer().signing_keys();
        let mut valid = keys.iter().filter(|key| key.state == claimwire::exchange::KeyState::Valid);
        valid.next_back().and_then(|key| key.id.clone()).unwrap()
    }

    #[test]
    fn the_newest_valid_signing_key_signs_and_each_is_verified_in_its_time() {
        let (timed, _) = signing();
        for (day, id) in [("04-30", "on-ins-1"), ("05-01", "on-ins-2"), ("06-01", "on-ins-2")] {
            timed.set(day);
            timed.deliver().unwrap();
            assert_eq!(signer(&timed), id, "{day}");
        }
    }

    #[test]
    fn a_signature_by_a_key_that_ended_is_refused_with_its_dates_and_costs_nothing() {
        let (timed, first) = signing();
        timed.set("06-02");
        // The insurer goes on with its first key, whatever was agreed.
        let dishonest = SigningKey::from_secret_text(first.id(), first.to_secret_text().as_str()).unwrap();
        timed.insurer().set_signing_key(dishonest.valid_during(from("06-02")));
        let waits = timed.export().unwrap().package.id;
        let words = ["on-ins-1", "until 2026-06-01T00:00:00Z", "2026-06-02"];
        says(timed.insurer().send(waits, &()), ErrorKind::KeyNotValid, &words);
        assert!(timed.sites.examiner.files_in("inbox").is_empty());
        says(timed.insurer().poll(waits), ErrorKind::KeyNotValid, &words);
    }

    #[test]
    fn a_receipt_by_a_key_that_ended_proves_nothing() {
        let timed = Timed::at("06-02", as_it_was(), as_it_was());
        let ended = timed.sites.keys.examiner_signs.verifying_key().valid_during(until("06-01"));
        timed.insurer_knows(|partner| partner.verify_with(ended));
        let waits = timed.export().unwrap().package.id;
        let words = ["no receipt to rely on", "imex-1", "until 2026-06-01", "2026-06-02"];
        let error = says(timed.insurer().send(waits, &()), ErrorKind::KeyNotValid, &words);
        assert!(error.is_retryable(), "the dates may be put right");
        assert_eq!(timed.insurer().outgoing(waits).unwrap().state, OutgoingState::Sent);
    }

    #[test]
    fn a_site_without_a_valid_key_signs_nothing_and_is_warned() {
        let (timed, first) = signing();
        timed
            .insurer()
            .set_signing_key(SigningKey::generate("on-ins-2").unwrap().valid_during(until("05-10")));
        let waits = timed.export().unwrap().package.id;
        timed.set("05-20");
        assert!(
            warns(timed.insurer(), &[WarningCode::KeyEnding, WarningCode::LegacyReviewOverdue])
                .contains("2026-06-01")
        );
        timed.set("06-01");
        says(
            timed.insurer().send(waits, &()),
            ErrorKind::KeyNotValid,
            &[first.id(), "on-ins-2", "until 2026-05-10"],
        );
    }
}

mod legacy {
    use super::*;

    const REVIEWED: &str = "2026-06-30";

    fn reviewed(after: AfterReview) -> Timed {
        let set = move |partner: Partner| partner.reviewing_legacy_by(REVIEWED.parse().unwrap(), after);
        Timed::at("05-01", Box::new(move |_, partner| set(partner)), Box::new(move |_, partner| set(partner)))
    }

    #[test]
    fn the_last_day_is_in_time_and_the_next_warns_and_goes_on() {
        let timed = reviewed(AfterReview::Warn);
        for (day, warning) in [
            ("05-30", None),
            ("05-31", Some(WarningCode::LegacyReviewDue)),
            ("06-30", Some(WarningCode::LegacyReviewDue)),
            ("07-01", Some(WarningCode::LegacyReviewOverdue)),
        ] {
            timed.set(day);
            for exchange in [timed.insurer(), timed.examiner()] {
                let told = warns(exchange, warning.as_slice());
                assert!(warning.is_none() || told.contains(REVIEWED), "{told}");
            }
            assert_eq!(timed.deliver().unwrap(), 1, "{day}");
        }
    }

    #[test]
    fn what_nobody_reviews_is_overdue_from_the_first_day() {
        let timed = Timed::at("05-01", as_it_was(), as_it_was());
        assert!(warns(timed.insurer(), &[WarningCode::LegacyReviewOverdue]).contains("no day is set"));
        timed.deliver().unwrap();
        // A partner with whom all is age has nothing to be reviewed.
        timed.insurer_knows(|partner| {
            partner.seal_during(until("05-01"), 1, AgeIdentity::generate().recipient())
        });
        timed.insurer_knows(|partner| partner.seal_with(2, AgeIdentity::generate().recipient()));
        warns(timed.insurer(), &[]);
    }

    #[test]
    fn a_site_may_refuse_to_seal_under_it_after_the_review() {
        let timed = reviewed(AfterReview::Refuse);
        timed.deliver().unwrap();
        timed.set("07-01");
        says(
            timed.export(),
            ErrorKind::UnsupportedSuite,
            &["des-md5", "refused", REVIEWED, "Move to age", "review_by"],
        );
        assert!(timed.sites.insurer.files_in("outbox").len() == 1, "the first alone");
        // Age is not touched by it, nor is the way back.
        let next = AgeIdentity::generate();
        let recipient = next.recipient();
        timed.insurer_knows(|partner| partner.seal_with(2, recipient));
        timed.examiner_knows(|partner| partner.open_with(2, next));
        assert_eq!(timed.deliver().unwrap(), 2);
        assert_eq!(timed.deliver_back().unwrap(), 1);
    }

    #[test]
    fn a_site_may_refuse_to_take_it_in_after_the_review() {
        let timed = reviewed(AfterReview::Warn);
        timed.examiner_knows(|partner| {
            partner.reviewing_legacy_by(REVIEWED.parse().unwrap(), AfterReview::Refuse)
        });
        let (held, _) = timed.send().unwrap();
        timed.set("07-01");
        let waits = timed.export().unwrap().package.id;
        says(
            timed.insurer().send(waits, &()),
            ErrorKind::UnsupportedSuite,
            &["des-md5", "refused", REVIEWED],
        );
        assert_eq!(timed.sites.examiner.files_in("inbox").len(), 1, "nothing of it was taken in");
        // What came in time is opened, and the same again gets the same receipt.
        timed.insurer().poll(held).unwrap();
        timed.examiner().unpack(held, "front desk", &()).unwrap();
    }

    #[test]
    fn a_partner_whose_settings_name_age_alone_is_not_talked_down() {
        let timed = reviewed(AfterReview::Warn);
        let identity = timed.sites.keys.identity.clone();
        timed.examiner_knows(|_| {
            Partner::new(insurer_site(), "Northern Mutual")
                .open_with(2, identity)
                .verify_with(timed.sites.keys.insurer_signs.verifying_key())
        });
        // Under a version of its own, and under the name of the one that is agreed.
        for version in [1, 2] {
            let delivery = Delivery::of_archive(&timed.sites, Parts::new().id(), &Parts::new().archive(), 1)
                .with(|it| {
                    it.envelope.key_version = version;
                    it.signed_at = at("05-01");
                });
            let problem = claimwire::protocol::Problem::from_response(&delivery.post(&timed.sites));
            assert_eq!(problem.kind(), Some(ErrorKind::UnsupportedSuite), "{problem:?}");
            assert!(problem.detail.contains("des-md5"), "{problem:?}");
        }
        assert!(timed.sites.examiner.files_in("inbox").is_empty(), "it is refused before anything is opened");
    }

    #[test]
    fn a_header_that_claims_age_over_a_legacy_package_opens_nothing() {
        let timed = reviewed(AfterReview::Warn);
        let delivery = Delivery::of_archive(&timed.sites, Parts::new().id(), &Parts::new().archive(), 1)
            .with(|it| {
                it.envelope.key_version = 1;
                it.envelope.suite = "age".into();
                it.signed_at = at("05-01");
            });
        assert!(delivery.post(&timed.sites).is_success(), "what it is shows when it is opened");
        let words = ["sealed with suite age", "agreed for key version 1 is des-md5"];
        says(timed.examiner().unpack(delivery.id(), "x", &()), ErrorKind::UnsupportedSuite, &words);
    }
}

mod warnings {
    use super::*;

    #[test]
    fn keys_warn_before_their_end_at_the_site_that_has_to_act() {
        let timed = Timed::at(
            "05-01",
            Box::new(|keys, partner| {
                partner.seal_during(until("06-15"), 1, keys.identity.recipient()).open_during(
                    until("06-15"),
                    1,
                    keys.identity.clone(),
                )
            }),
            as_it_was(),
        );
        warns(timed.insurer(), &[]);
        timed.set("05-16");
        let told = warns(timed.insurer(), &[WarningCode::KeyEnding, WarningCode::KeyEnding]);
        for word in ["seals", "opens", "Independent Medical Examiners", "version 1", "2026-06-15"] {
            assert!(told.contains(word), "no `{word}` in: {told}");
        }
        timed.insurer_knows(|partner| {
            partner.seal_during(from("06-10"), 2, AgeIdentity::generate().recipient())
        });
        assert!(warns(timed.insurer(), &[WarningCode::KeyEnding]).contains("opens"));
    }
}
