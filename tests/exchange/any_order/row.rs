//! Sites in a row, each with private data, whose users, wires and inboxes do things in any order.

use super::wire::{Fate, Wire};
use crate::support::{LateEndpoint, Side, note, put_document};
use claimwire::case_system::SqliteCaseSystem;
use claimwire::codec::{AgeIdentity, Limits, decompress_bytes, decrypt_bytes};
use claimwire::exchange::{Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::{IncomingState, OutgoingState, PackageQuery, SqliteLedger};
use claimwire::merge::ConflictPolicy;
use claimwire::model::{
    Assessment, Claim, ClaimFile, Document, ExchangeId, Json, PackageId, RecordKind, SiteId,
};
use claimwire::protocol::{Route, SigningKey};
use claimwire::rules::{AssessmentStatuses, ExportRules, FieldChoice, FieldSelection, select};
use claimwire::{ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Stands in everything that must stay at its site.
const PRIVATE: &str = "PRIVATE";
const SITES: [&str; 3] = ["ON-INS", "IMEX", "CLINIC"];

/// A link goes from one site to its neighbour in the row.
pub(crate) type Link = (usize, usize);

pub(crate) struct Row {
    pub(crate) sites: Vec<Side>,
    pub(crate) claim: ExchangeId,
    /// The wire of each link, which leads to its second site.
    wires: BTreeMap<Link, Wire>,
    /// What opens the packages of each link.
    keys: BTreeMap<Link, AgeIdentity>,
    /// How many records and values were made up, so that each is another one.
    made: u32,
    _folder: TempDir,
}

impl Row {
    /// A row of as many sites as there are policies; the first one has the claim, and each has something private.
    pub(crate) fn new(policies: &[ConflictPolicy]) -> Self {
        let folder = disk();
        let names: Vec<SiteId> =
            SITES[..policies.len()].iter().map(|name| SiteId::new(name).unwrap()).collect();
        let signs: Vec<SigningKey> = names
            .iter()
            .map(|name| SigningKey::generate_shared(&name.as_str().to_lowercase()).unwrap())
            .collect();
        let doors: Vec<Arc<LateEndpoint>> = names.iter().map(|_| Arc::default()).collect();
        let links: Vec<Link> =
            (1..names.len()).flat_map(|site| [(site - 1, site), (site, site - 1)]).collect();
        let wires: BTreeMap<Link, Wire> =
            links.iter().map(|link| (*link, Wire::to(doors[link.1].clone()))).collect();
        let keys: BTreeMap<Link, AgeIdentity> =
            links.iter().map(|link| (*link, AgeIdentity::generate())).collect();

        let mut sites = Vec::new();
        for (here, policy) in policies.iter().enumerate() {
            let home = folder.path().join(names[here].as_str());
            let cases = Arc::new(SqliteCaseSystem::open(made(&home).join("cases")).unwrap());
            let mut settings = ExchangeSettings::new(
                names[here].clone(),
                home.join("exchange"),
                signs[here].clone(),
                cases.clone(),
            )
            .with_ledger(SqliteLedger::in_memory().unwrap());
            for (_, there) in links.iter().filter(|(from, _)| *from == here) {
                let partner = Partner::new(names[*there].clone(), names[*there].as_str())
                    .reached_by(wires[&(here, *there)].clone())
                    .seal_with(1, keys[&(here, *there)].recipient())
                    .open_with(1, keys[&(*there, here)].clone())
                    .verify_with(signs[*there].verifying_key())
                    .selecting(selection())
                    .with_export_rules(ExportRules::new().note_required(false).forwarding_allowed(true))
                    .settling_conflicts(*policy);
                settings = settings.with_partner(partner);
            }
            let exchange = Exchange::open(settings).unwrap();
            doors[here].open(&exchange);
            sites.push(Side { exchange, cases, folder: home, events: Arc::new(Mutex::default()) });
        }
        let claim = ExchangeId::new(&names[0], "C-1").unwrap();
        let mut row = Self { sites, claim, wires, keys, made: 0, _folder: folder };
        row.start();
        row
    }

    /// The claim is at the first site, goes down the row, and every site adds what is private to it.
    fn start(&mut self) {
        let mut claim = Claim::new(self.claim.clone());
        claim.claim_number = Some("C-1".into());
        let mut file = ClaimFile::new(claim);
        let mut assessment = Assessment::new(self.id(0, "A-1"));
        assessment.status = Some("scheduled".into());
        file.assessments.push(assessment);
        file.notes.push(note(self.sites[0].site(), "N-1", "Please examine the left knee."));
        self.sites[0].cases.put(&file).unwrap();
        put_document(&self.sites[0], &self.claim, "D-1", "report.txt", b"Left knee.");
        for site in 0..self.sites.len() {
            if site > 0 {
                self.pass_on((site - 1, site)).unwrap();
            }
            self.add_private(site);
        }
    }

    /// A field, a note, a document with bytes and an assessment that nobody but this site shall ever see.
    fn add_private(&self, site: usize) {
        let side = &self.sites[site];
        let secret = format!("{PRIVATE} of {}", side.site());
        let mut file = side.file(&self.claim);
        file.claim.loss_description = Some(secret.clone());
        file.claim.custom_fields.insert("reserve".into(), Json::from(secret.as_str()));
        let mut internal = note(side.site(), "N-P", &secret);
        internal.internal = Some(true);
        let mut drafted = Assessment::new(self.id(site, "A-P"));
        drafted.status = Some("report editing".into());
        drafted.findings = Some(secret.clone());
        let mut filed = note(side.site(), "N-F", &secret);
        filed.related_to = Some(drafted.id.clone());
        file.notes.extend([internal, filed]);
        file.assessments.push(drafted);
        side.cases.put(&file).unwrap();
        let mut document = Document::new(self.id(site, "D-P"));
        document.name = Some(format!("{secret}.txt"));
        document.internal = Some(true);
        side.cases.add_document(&self.claim, document, secret.as_bytes()).unwrap();
    }

    fn id(&self, site: usize, local: &str) -> ExchangeId {
        ExchangeId::new(self.sites[site].site(), local).unwrap()
    }

    pub(crate) fn links(&self) -> Vec<Link> {
        self.wires.keys().copied().collect()
    }

    /// A user of this site sets a field of a shared record, clears it, adds a note, or files a document.
    pub(crate) fn edit(&mut self, site: usize, what: Edit) {
        self.made += 1;
        let side = &self.sites[site];
        let mut file = side.file(&self.claim);
        let assessment = file.assessments.iter().position(|found| found.id == self.id(0, "A-1")).unwrap();
        match what {
            Edit::Claim(value) => file.claim.status = text(value),
            Edit::Adjuster(value) => file.claim.jurisdiction = text(value),
            Edit::Findings(value) => file.assessments[assessment].findings = text(value),
            Edit::Services(value) => {
                let services = text(value).map(|code| claimwire::model::Code::of("OHIP", &code));
                file.assessments[assessment].services = services.into_iter().collect();
            }
            Edit::Note => file.notes.push(note(side.site(), &format!("N-{}", self.made + 10), "Seen.")),
            Edit::Document(value) => {
                let mut record =
                    file.documents.iter().find(|known| known.id == self.id(0, "D-1")).unwrap().clone();
                record.name = Some(format!("report-{value}.txt"));
                let bytes = format!("Left knee, form {value}.");
                side.cases.add_document(&self.claim, record, bytes.as_bytes()).unwrap();
                return;
            }
            Edit::NewDocument => {
                let local = format!("D-{}", self.made + 10);
                put_document(side, &self.claim, &local, "scan.txt", local.as_bytes());
                return;
            }
        }
        side.cases.put(&file).unwrap();
    }

    pub(crate) fn export(&self, link: Link) -> Result<PackageId> {
        let (from, to) = (&self.sites[link.0], self.sites[link.1].site());
        Ok(from.exchange.export(&self.claim, to, &ExportOptions::by("user"))?.package.id)
    }

    /// Notes alone, where there are new ones.
    pub(crate) fn export_notes(&self, link: Link) {
        let (from, to) = (&self.sites[link.0], self.sites[link.1].site());
        if let Err(error) = from.exchange.export_notes(&self.claim, to, "user") {
            assert_eq!(error.kind(), ErrorKind::ExportRulesViolated, "{error}");
        }
    }

    /// The packages of this link that are not known to have arrived.
    fn to_send(&self, link: Link) -> Vec<PackageId> {
        let query = PackageQuery::new().partner(self.sites[link.1].site().clone()).outgoing_in([
            OutgoingState::Queued,
            OutgoingState::Sent,
            OutgoingState::Failed,
        ]);
        let waiting = self.sites[link.0].exchange.outgoing_packages(&query).unwrap();
        waiting.into_iter().map(|outgoing| outgoing.package.id).collect()
    }

    /// Sends one of the waiting packages; which one is the pick.
    pub(crate) fn send(&self, link: Link, pick: usize, fate: Fate) {
        let waiting = self.to_send(link);
        if waiting.is_empty() {
            return;
        }
        self.wires[&link].next(fate);
        let sent = self.sites[link.0].exchange.send(waiting[pick % waiting.len()], &());
        let lost = matches!(fate, Fate::IsLost | Fate::AnswerIsLost);
        if let Err(error) = sent {
            assert!(lost || error.kind() == ErrorKind::Conflict, "{error}");
        }
    }

    /// Sends all that waits, as it would in the end.
    pub(crate) fn send_all(&self, link: Link) {
        for pick in self.to_send(link) {
            self.sites[link.0].exchange.send(pick, &()).unwrap();
        }
    }

    /// Everything that arrived at a link's second site, done or not.
    fn arrived(&self, link: Link) -> Vec<(PackageId, IncomingState)> {
        let query = PackageQuery::new().partner(self.sites[link.0].site().clone());
        let incoming = self.sites[link.1].exchange.incoming_packages(&query).unwrap();
        incoming.into_iter().map(|incoming| (incoming.id, incoming.state)).collect()
    }

    /// Unpacks one of the packages that arrived, which may be done already. Private data must not change, and a
    /// package that was dealt with must change nothing.
    pub(crate) fn unpack(&self, link: Link, pick: usize) {
        let arrived = self.arrived(link);
        if arrived.is_empty() {
            return;
        }
        let (package, state) = arrived[pick % arrived.len()];
        let side = &self.sites[link.1];
        let before = side.file(&self.claim);
        let done = matches!(state, IncomingState::Unpacked | IncomingState::Superseded);
        let planned = side.exchange.preview(package, &()).ok();
        match side.exchange.unpack(package, "user", &()) {
            Ok(unpacked) if !done && !unpacked.superseded => {
                assert_eq!(planned, Some(unpacked.changes), "what the preview showed is what was done");
            }
            Ok(unpacked) => {
                assert!(unpacked.changes.is_empty());
                assert_eq!(side.file(&self.claim), before, "a package that is done changes nothing");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                assert!(!error.details().is_empty(), "a conflict says where: {error}");
                assert_eq!(side.file(&self.claim), before, "a package that is refused changes nothing");
            }
        }
        let after = side.file(&self.claim);
        assert_eq!(private_part(&before), private_part(&after), "private data at {}", side.site());
    }

    /// Puts an earlier request on the wire again: nothing changes.
    pub(crate) fn replay(&self, link: Link, pick: usize) {
        let wire = &self.wires[&link];
        let count = wire.travelled().len();
        if count == 0 {
            return;
        }
        let index = pick % count;
        let arrived_before = self.arrived(link);
        let came = &wire.travelled()[index].request.clone();
        let before = self.sites[link.1].file(&self.claim);
        wire.replay(index);
        if arrived_before == self.arrived(link) {
            assert_eq!(self.sites[link.1].file(&self.claim), before, "a replay changes nothing: {came:?}");
        }
    }

    /// Unpacks all that waits, the oldest first; tells whether a conflict was reported.
    pub(crate) fn unpack_all(&self, link: Link) -> bool {
        let mut conflict = false;
        for (package, state) in self.arrived(link) {
            if matches!(state, IncomingState::Received | IncomingState::Failed) {
                match self.sites[link.1].exchange.unpack(package, "user", &()) {
                    Err(error) if error.kind() == ErrorKind::Conflict => conflict = true,
                    done => drop(done.unwrap()),
                }
            }
        }
        conflict
    }

    /// Export, send, unpack: gives how many records changed.
    pub(crate) fn pass_on(&self, link: Link) -> Result<usize> {
        let package = self.export(link)?;
        self.sites[link.0].exchange.send(package, &())?;
        Ok(self.sites[link.1].exchange.unpack(package, "user", &())?.changes.records.len())
    }

    /// What a site has of what is exchanged: every field with a value, by record.
    pub(crate) fn exchanged(&self, site: usize) -> BTreeMap<ExchangeId, BTreeMap<String, Json>> {
        let records = self.sites[site].file(&self.claim).to_records().unwrap();
        let mut chosen = select(&records, &selection(), None);
        let empty = |value: &Json| *value == Json::NULL || value.to_string() == "[]";
        chosen.iter_mut().for_each(|record| record.fields.retain(|_, value| !empty(value)));
        chosen.into_iter().map(|record| (record.id, record.fields)).collect()
    }

    /// Opens everything that travelled on every link and looks for what should have stayed.
    pub(crate) fn nothing_private_travelled(&self) {
        let secret = |bytes: &[u8]| bytes.windows(PRIVATE.len()).any(|window| window == PRIVATE.as_bytes());
        for (link, wire) in &self.wires {
            for travelled in wire.travelled().iter() {
                assert!(!secret(&travelled.body), "in the open");
                let path = travelled.request.path();
                if path != Route::Package.path("") && path != Route::Notes.path("") {
                    continue;
                }
                let archive = decrypt_bytes(&self.keys[link].clone().into(), &travelled.body).unwrap();
                assert!(!secret(&archive), "in the names of the archive of {link:?}");
                for (name, bytes) in decompress_bytes(&archive, &Limits::default()).unwrap() {
                    assert!(!secret(&bytes), "{name} of {link:?}");
                }
            }
        }
    }

    /// No site has anything private of another, and each still has its own.
    pub(crate) fn everybody_keeps_its_own(&self) {
        for side in &self.sites {
            let json = String::from_utf8(side.file(&self.claim).to_json().unwrap()).unwrap();
            for name in SITES {
                let found = json.matches(&format!("{PRIVATE} of {name}")).count();
                let expected = if name == side.site().as_str() { 6 } else { 0 };
                assert_eq!(found, expected, "private data of {name} at {}", side.site());
            }
        }
    }
}

/// What a user does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    Claim(u8),
    Adjuster(u8),
    Findings(u8),
    Services(u8),
    Note,
    Document(u8),
    NewDocument,
}

/// One of few values, so that sides come to the same one too; 0 clears the field.
fn text(value: u8) -> Option<String> {
    (value > 0).then(|| format!("value {value}"))
}

/// Where the sites keep their files: in memory where the system has such a place, since what is synced to a disk is
/// not the subject here.
fn disk() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn made(folder: &std::path::Path) -> &std::path::Path {
    std::fs::create_dir(folder).unwrap();
    folder
}

/// A claim's description and custom fields stay at home, and so does an assessment whose report is being edited.
fn selection() -> FieldSelection {
    FieldSelection::new()
        .standard(RecordKind::Claim, FieldChoice::only(["claim_number", "status", "jurisdiction"]))
        .assessments(AssessmentStatuses::new().allow(["scheduled"]))
}

/// Everything a site keeps to itself, as its file has it.
fn private_part(file: &ClaimFile) -> BTreeSet<String> {
    let records = file.to_records().unwrap();
    let fields = records.iter().flat_map(|record| {
        record.fields.iter().map(move |(name, value)| format!("{} {name} {value}", record.id))
    });
    fields.filter(|line| line.contains(PRIVATE)).collect()
}
