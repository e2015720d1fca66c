//! What must hold after every refusal, whatever it was for.

use super::{Delivery, Parts, Side, TwoSites, add_note, archive_of, is_tidy};
use claimwire::ledger::{HistoryEntry, HistoryQuery, IncomingState, PackageQuery, Step};
use claimwire::model::{ExchangeId, PackageId};
use claimwire::{Error, ErrorKind};

/// All that is kept of a package's way at one side.
pub(crate) fn trail(side: &Side, package: PackageId) -> Vec<HistoryEntry> {
    side.exchange.history(&HistoryQuery::new().package(package)).unwrap()
}

pub(crate) fn steps(side: &Side, package: PackageId) -> Vec<Step> {
    trail(side, package).into_iter().map(|entry| entry.step).collect()
}

/// The bytes that lie in the exchange's folders, by folder and name.
pub(crate) fn stored(side: &Side) -> Vec<String> {
    let folders = ["inbox", "outbox", "work"];
    folders
        .iter()
        .flat_map(|folder| side.files_in(folder).into_iter().map(move |name| format!("{folder}/{name}")))
        .collect()
}

/// All that a site keeps, to be compared.
pub(crate) fn kept(side: &Side) -> String {
    let packages = side.exchange.incoming_packages(&PackageQuery::new()).unwrap();
    let outgoing = side.exchange.outgoing_packages(&PackageQuery::new()).unwrap();
    let history = side.exchange.history(&HistoryQuery::new()).unwrap();
    format!("{packages:?} {outgoing:?} {history:?} {:?}", stored(side))
}

/// Two sites that have exchanged a claim once.
pub(crate) struct Known {
    pub(crate) sites: TwoSites,
    pub(crate) claim: ExchangeId,
}

impl Known {
    pub(crate) fn new() -> Self {
        Self::of(TwoSites::new())
    }

    pub(crate) fn of(sites: TwoSites) -> Self {
        let claim = sites.claim_at_insurer();
        sites.deliver(&claim);
        Self { sites, claim }
    }

    /// Unpacks a package that the examiner holds, and expects that it is refused as a whole: by this kind, with the
    /// partner and the package named, the reason kept, nothing of it applied and nothing left of the work.
    #[track_caller]
    pub(crate) fn refuses(&self, package: PackageId, kind: ErrorKind) -> Error {
        let examiner = &self.sites.examiner;
        let (held, before) = (stored(examiner), examiner.file(&self.claim));
        let error = examiner.exchange.unpack(package, "front desk", &()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let said = error.to_string();
        assert!(said.contains("Northern Mutual") && said.contains(&package.to_string()), "{said}");
        assert!(!said.chars().any(char::is_control), "{said:?}");

        assert!(is_tidy(examiner), "{:?}", stored(examiner));
        assert_eq!(stored(examiner), held);
        assert_eq!(examiner.file(&self.claim), before);
        let incoming = examiner.exchange.incoming(package).unwrap();
        assert_eq!(incoming.state, IncomingState::Failed);
        assert_eq!(incoming.last_error.unwrap().kind, kind.name());
        let last = trail(examiner, package).pop().unwrap();
        assert_eq!((last.step, last.by.as_str()), (Step::Failed, "front desk"));
        let kept = last.error.unwrap();
        assert_eq!((kept.kind.as_str(), kept.message.as_str()), (kind.name(), said.as_str()));
        error
    }

    /// After a refusal the next right package of the claim goes through, and brings what it should.
    #[track_caller]
    pub(crate) fn the_right_one_goes_through(&self) {
        let notes = self.sites.insurer.file(&self.claim).notes.len();
        add_note(&self.sites.insurer, &self.claim, &format!("N-right-{notes}"), "This one is right.");
        self.sites.deliver(&self.claim);
        let file = self.sites.examiner.file(&self.claim);
        assert!(file.notes.iter().any(|note| note.body.as_deref() == Some("This one is right.")));
        assert_eq!(file.claim.status.as_deref(), Some("open"));
    }
}

/// Delivers an archive under both suites, expects that each is refused by `kind`, and that the right one then passes.
#[track_caller]
pub(crate) fn refused(parts: impl Fn() -> Parts, kind: ErrorKind) -> Error {
    refused_at(&Known::new(), |parts: Parts| archive_of(&parts.entries()), parts, kind)
}

#[track_caller]
pub(crate) fn refused_at(
    known: &Known,
    archive: impl Fn(Parts) -> Vec<u8>,
    parts: impl Fn() -> Parts,
    kind: ErrorKind,
) -> Error {
    let mut told = None;
    for key_version in [1, 2] {
        let parts = parts().with(|parts| parts.package.key_version = key_version);
        let id = parts.id();
        let delivery = Delivery::of_archive(&known.sites, id, &archive(parts), key_version);
        told = Some(known.refuses(delivery.taken(&known.sites), kind));
    }
    known.the_right_one_goes_through();
    told.unwrap()
}

#[track_caller]
pub(crate) fn says(error: &Error, words: &[&str]) {
    let said = error.to_string();
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}
