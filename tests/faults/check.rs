//! What must hold of two sites once everything has settled, read from their disks: every package has come to its end
//! once, both histories tell the same, nothing lies about, and what was sent is there.

use super::keys::{self, Name};
use super::process::Pair;
use super::site::drop_folder;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
use claimwire::codec::{Limits, decompress_bytes, decrypt_bytes};
use claimwire::ledger::{
    Direction, HistoryEntry, HistoryHead, HistoryQuery, Incoming, IncomingState, Ledger, Outgoing,
    OutgoingState, PackageQuery, SqliteLedger, Step, verify_history,
};
use claimwire::model::{ClaimFile, ExchangeId, PackageId, PackageKind};
use claimwire::protocol::{Digest, Receipt};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Whether nothing more will come of an outgoing package. Notes that came before their claim are refused for good, and
/// exported anew once it is there.
pub(crate) fn is_at_its_end(outgoing: &Outgoing) -> bool {
    let refused_as = outgoing.last_error.as_ref().map(|fault| fault.kind.as_str());
    match outgoing.state {
        OutgoingState::Unpacked | OutgoingState::Rejected | OutgoingState::Withdrawn => true,
        OutgoingState::Failed => {
            outgoing.package.kind == PackageKind::Notes && refused_as == Some("unknown-claim")
        }
        _ => false,
    }
}

/// A site at rest.
struct Resting {
    name: Name,
    folder: PathBuf,
    cases: SqliteCaseSystem,
    outgoing: Vec<Outgoing>,
    incoming: BTreeMap<PackageId, Incoming>,
    history: Vec<HistoryEntry>,
}

/// Checks both sites of a run; no process of theirs may be alive. Gives the number of packages.
pub(crate) fn check(run: &Path) -> usize {
    if run.join("drop").exists() {
        for name in Name::BOTH {
            check_drop_folder(&drop_folder(&run.join(name.word()), name));
        }
    }
    let [insurer, examiner] = Name::BOTH.map(|name| Resting::at(name, run.join(name.word())));
    insurer.agrees_with(&examiner);
    examiner.agrees_with(&insurer);
    insurer.outgoing.len() + examiner.outgoing.len()
}

impl Resting {
    fn at(name: Name, folder: PathBuf) -> Self {
        // Looked at before anything is opened, since opening sweeps.
        let lying = files(&folder.join("cases/documents"));
        let ledger = SqliteLedger::open(folder.join("exchange/ledger.sqlite3")).unwrap();
        let outgoing = ledger.outgoing_list(&PackageQuery::new()).unwrap();
        let incoming = ledger.incoming_list(&PackageQuery::new()).unwrap();
        let history = ledger.history(&HistoryQuery::new().limit(u32::MAX)).unwrap();
        verify_history(&history, &HistoryHead::start()).unwrap();
        for it in &outgoing {
            assert_eq!(it.untold_failure, None, "{name:?}: package {}", it.package.id);
        }
        for it in &incoming {
            assert!(!it.applying, "{name:?}: package {}", it.id);
        }
        for it in outgoing.iter().filter(|it| it.state != OutgoingState::Failed) {
            assert_eq!(
                ledger.sent_notes(it.package.id).unwrap(),
                None,
                "{name:?}: the notes of {}",
                it.package.id
            );
        }

        let sent = outgoing.iter().filter(|it| !it.sealed_removed);
        let sent = sent.map(|it| (it.file.clone(), it.sha256.clone())).collect();
        assert_eq!(files(&folder.join("exchange/outbox")), sent, "{name:?}: outbox");
        let came = incoming.iter().filter(|it| !it.sealed_removed);
        let came = came.map(|it| (it.file.clone(), it.sha256.clone())).collect();
        assert_eq!(files(&folder.join("exchange/inbox")), came, "{name:?}: inbox");
        for empty in ["work", "uploads"] {
            assert_eq!(files(&folder.join("exchange").join(empty)), BTreeMap::new(), "{name:?}: {empty}");
        }

        let cases = SqliteCaseSystem::open(folder.join("cases")).unwrap();
        let mut named = BTreeMap::new();
        for claim in cases.claims().unwrap() {
            for document in cases.load(&claim).unwrap().unwrap().documents {
                let versions = cases.document_versions(&claim, &document.id).unwrap();
                assert_eq!(versions.len(), 1, "{name:?}: {} was brought once", document.id);
                named.extend(versions.into_iter().map(|version| (version.sha256.clone(), version.sha256)));
            }
        }
        assert_eq!(lying, named, "{name:?}: documents");
        let incoming = incoming.into_iter().map(|it| (it.id, it)).collect();
        Self { name, folder, cases, outgoing, incoming, history }
    }

    /// What this site sent is what the other one says of it.
    fn agrees_with(&self, other: &Self) {
        let sent: BTreeSet<PackageId> = self.outgoing.iter().map(|it| it.package.id).collect();
        assert!(other.incoming.keys().all(|id| sent.contains(id)), "{:?} has what nobody sent", other.name);
        for outgoing in &self.outgoing {
            let id = outgoing.package.id;
            let incoming = other.incoming.get(&id);
            if outgoing.state == OutgoingState::Withdrawn {
                assert_eq!(incoming, None, "{:?} has what was taken back", other.name);
                continue;
            }
            let incoming = incoming.unwrap_or_else(|| panic!("{:?} lost package {id}", other.name));
            assert_eq!(
                (&outgoing.sha256, outgoing.size, outgoing.package.kind),
                (&incoming.sha256, incoming.size, incoming.kind)
            );
            self.tells_the_same(outgoing, incoming, other);
            if outgoing.state == OutgoingState::Unpacked && !outgoing.sealed_removed {
                other.has_what_it_said(&self.opened(outgoing), outgoing);
            }
        }
        self.last_word_stands(other);
    }

    /// Both histories have each step once, that of the sender once more for each time that it was told to send it again,
    /// and come to the same end, which the receipt proves.
    fn tells_the_same(&self, outgoing: &Outgoing, incoming: &Incoming, other: &Self) {
        let id = outgoing.package.id;
        let here = Steps::of(&self.history, Direction::Outgoing, id);
        let there = Steps::of(&other.history, Direction::Incoming, id);
        let both = format!("package {id} of {:?}: {:?}, there {:?}", self.name, here.0, there.0);
        assert_eq!((here.0.first(), here.count(Step::Exported)), (Some(&Step::Exported), 1), "{both}");
        assert_eq!((there.0.first(), there.count(Step::Received)), (Some(&Step::Received), 1), "{both}");
        let times = 1 + here.count(Step::Requeued);
        assert!(here.count(Step::Sent) >= 1 && here.count(Step::Delivered) <= times, "{both}");
        let at_most = if outgoing.package.kind == PackageKind::Claim { 1 } else { 2 };
        assert!(there.count(Step::Notified) <= at_most, "{both}");
        let ends = |steps: &Steps| {
            let applied = steps.count(Step::Unpacked) + steps.count(Step::Superseded);
            (applied, steps.count(Step::Rejected))
        };
        let expected = match (outgoing.state, incoming.state) {
            (OutgoingState::Unpacked, IncomingState::Unpacked | IncomingState::Superseded) => {
                ((ends(&here).0.clamp(1, times), 0), (1, 0))
            }
            (OutgoingState::Rejected, IncomingState::Rejected) => ((0, 1), (0, 1)),
            (OutgoingState::Failed, IncomingState::Rejected) if is_at_its_end(outgoing) => {
                assert!(here.count(Step::Failed) > 0, "{both}");
                assert_eq!((ends(&here), ends(&there)), ((0, 0), (0, 1)), "{both}");
                return;
            }
            states => panic!("{both}: {states:?}"),
        };
        assert_eq!((ends(&here), ends(&there)), expected, "{both}");
        let kept = incoming.receipt.as_ref().map(|json| Receipt::from_json(json.as_bytes()).unwrap());
        assert_eq!(outgoing.word().unwrap(), kept, "{both}");
    }

    /// The sealed package as its recipient opens it.
    fn opened(&self, outgoing: &Outgoing) -> BTreeMap<String, Vec<u8>> {
        let sealed = fs::read(self.folder.join("exchange/outbox").join(&outgoing.file)).unwrap();
        let key = keys::opens(self.name.other(), &self.folder);
        let archive = decrypt_bytes(&key, &sealed).unwrap();
        decompress_bytes(&archive, &Limits::default()).unwrap().into_iter().collect()
    }

    /// Every note and every document of the package is here as it was sent.
    fn has_what_it_said(&self, entries: &BTreeMap<String, Vec<u8>>, outgoing: &Outgoing) {
        let said = ClaimFile::from_json(&entries["claim.json"]).unwrap();
        let claim = &outgoing.package.claim;
        let have = self.cases.load(claim).unwrap().unwrap();
        for note in &said.notes {
            let found = have.notes.iter().find(|found| found.id == note.id);
            assert_eq!(found.map(|found| &found.body), Some(&note.body), "{:?}: note {}", self.name, note.id);
        }
        for document in &said.documents {
            assert_eq!(
                Digest::of(&self.bytes(claim, &document.id)).to_hex(),
                *document.sha256.as_ref().unwrap()
            );
        }
        let documents = entries.keys().filter(|name| name.starts_with("documents/")).count();
        assert_eq!(documents, said.documents.len());
    }

    /// Where only one side writes a field, the other has what its last applied package said.
    fn last_word_stands(&self, other: &Self) {
        let mut last = BTreeMap::new();
        let sealed = self.outgoing.iter().filter(|it| !it.sealed_removed);
        for outgoing in sealed.filter(|it| it.state == OutgoingState::Unpacked) {
            if outgoing.package.kind == PackageKind::Claim
                && outgoing.package.claim.is_from(&self.name.site())
            {
                let latest = last.entry(&outgoing.package.claim).or_insert(outgoing);
                if outgoing.package.sequence > latest.package.sequence {
                    *latest = outgoing;
                }
            }
        }
        for (claim, outgoing) in last {
            let said = ClaimFile::from_json(&self.opened(outgoing)["claim.json"]).unwrap();
            let have = other.cases.load(claim).unwrap().unwrap();
            assert_eq!(have.claim.status, said.claim.status, "{:?} of {claim}", other.name);
        }
    }

    fn bytes(&self, claim: &ExchangeId, document: &ExchangeId) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.cases.open_document(claim, document).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }
}

/// Nothing waits in a drop folder, nothing is in the making, nothing was refused, and every answer that is there belongs to
/// a request whose copy is: one that was settled in another way.
fn check_drop_folder(folder: &Path) {
    let names = |name: &str| files(&folder.join(name)).into_keys().collect::<BTreeSet<String>>();
    for empty in ["requests", "refused"] {
        assert_eq!(names(empty), BTreeSet::new(), "{}", folder.join(empty).display());
    }
    let (answers, sent) = (names("answers"), names("sent"));
    assert!(answers.iter().chain(&sent).all(|name| !name.starts_with('.')), "{answers:?} {sent:?}");
    assert!(answers.is_subset(&sent), "{answers:?} {sent:?}");
}

/// Every event that was kept was told to the host, and nothing of it is left.
pub(crate) fn check_hosts(pair: &Pair) {
    for site in &pair.sites {
        let posts = site.host.posts();
        let told = posts.iter().map(|post| post.json()["data"]["package"].as_str().unwrap().to_owned());
        let told: BTreeSet<String> = told.collect();
        let kept = fs::read_to_string(site.folder.join("kept")).unwrap_or_default();
        for package in kept.lines() {
            assert!(told.contains(package), "{:?}: the host was not told of {package}", site.name);
        }
        let spool = site.folder.join("webhook");
        let left: Vec<_> = fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(
            left.len(),
            2,
            "{:?}: more than the lock and the folder of what failed: {left:?}",
            site.name
        );
        assert_eq!(files(&spool.join("failed")), BTreeMap::new());
        let mut bodies = BTreeMap::new();
        for post in &posts {
            let body = bodies.entry(post.id().to_owned()).or_insert(&post.body);
            assert_eq!(*body, &post.body, "one id, one body");
        }
        // Several events may be of one package.
        let told = bodies.values().map(|body| String::from_utf8_lossy(body)).collect::<Vec<_>>().join("\n");
        assert!(bodies.len() >= kept.lines().count(), "{:?} kept\n{kept}and told\n{told}", site.name);
    }
}

/// The steps that a history has of one package.
struct Steps(Vec<Step>);

impl Steps {
    fn of(history: &[HistoryEntry], direction: Direction, id: PackageId) -> Self {
        let of_it = history.iter().filter(|entry| entry.package == id && entry.direction == direction);
        // A field that could not be filled is a fault of this side alone.
        Self(of_it.map(|entry| entry.step).collect())
    }

    fn count(&self, step: Step) -> usize {
        self.0.iter().filter(|found| **found == step).count()
    }
}

/// What lies in a folder: names, and the SHA-256 of each.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, Digest::of(&fs::read(entry.path()).unwrap()).to_hex())
        })
        .collect()
}
