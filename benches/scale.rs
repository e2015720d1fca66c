//! Time and peak memory of export and of unpack for claims with many records: a thousand assessments with a bill each,
//! ten thousand notes and two thousand small documents, then twice and four times that.
//!
//! ```sh
//! cargo bench --bench scale            # 1x, 2x and 4x, the median of three
//! cargo bench --bench scale -- 1       # one size, once: to profile
//! ```
//!
//! Each step is a process of its own, so that its peak (VmHWM of `/proc/self/status`, Linux only) is that step's and
//! nothing else's. It fails when four times the records cost more than six times the processor's time or five times the
//! memory: a quadratic step would cost sixteen times. The clock's time, which hangs on the disk too, is only shown.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

use claimwire::case_system::{CaseSystem, SqliteCaseSystem, StagedDocuments};
use claimwire::codec::{AgeIdentity, Limits};
use claimwire::exchange::{Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::{IncomingState, PackageQuery};
use claimwire::merge::{ConflictPolicy, merge};
use claimwire::model::{Assessment, Bill, Claim, ClaimFile, Document, ExchangeId, Money, Note, SiteId};
use claimwire::package::PackageLimits;
use claimwire::protocol::{Digest, SigningKey};
use claimwire::rules::ExportRules;
use claimwire::transport::{DirectoryInbox, DirectoryTransport};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 3;
const SIZES: [usize; 3] = [1, 2, 4];
const STEPS: [&str; 4] = ["export", "unpack", "export of a change", "unpack of a change"];
/// What four times the records may cost, as multiples of once.
const TIME_RATIO: f64 = 6.0;
const MEMORY_RATIO: f64 = 5.0;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder, times] => prepare(Path::new(folder), times.parse()?),
        ["export", folder, run] => export(Path::new(folder), run),
        ["unpack", folder, run] => unpack(Path::new(folder), run),
        [times] => measure(&[times.parse()?], 1),
        _ => measure(&SIZES, RUNS),
    }
}

/// What one step took: seconds by the clock and of the processor, and KiB at its peak.
#[derive(Clone, Copy, Default)]
struct Figures {
    seconds: f64,
    busy: f64,
    peak: f64,
}

/// Runs every step for every size and prints the medians, with their ratios to the first size.
fn measure(sizes: &[usize], runs: usize) -> Outcome<()> {
    println!(
        "{:<20} {:>5} {:>8} {:>8} {:>6} {:>8} {:>6} {:>9} {:>6}",
        "step", "size", "records", "seconds", "ratio", "busy", "ratio", "peak MiB", "ratio"
    );
    let mut within = true;
    let mut first: BTreeMap<&str, Figures> = BTreeMap::new();
    for times in sizes {
        let folder = tempfile::tempdir()?;
        let path = folder.path().to_str().ok_or("a folder with a plain name")?;
        run(&["prepare", path, &times.to_string()])?;
        let mut taken: BTreeMap<&str, Vec<Figures>> = BTreeMap::new();
        for number in 0..runs {
            let number = number.to_string();
            for (step, title) in ["export", "unpack", "export", "unpack"].into_iter().zip(STEPS) {
                taken.entry(title).or_default().push(figures(&run(&[step, path, &number])?)?);
            }
        }
        for title in STEPS {
            let median = median(taken.remove(title).unwrap_or_default());
            let base = *first.entry(title).or_insert(median);
            let ratio = |of: fn(&Figures) -> f64| of(&median) / of(&base);
            let (clock, busy, memory) = (ratio(|f| f.seconds), ratio(|f| f.busy), ratio(|f| f.peak));
            println!(
                "{title:<20} {times:>4}x {:>8} {:>8.2} {clock:>6.2} {:>8.2} {busy:>6.2} {:>9.1} {memory:>6.2}",
                records_at(*times),
                median.seconds,
                median.busy,
                median.peak / 1024.0
            );
            within &= *times != 4 || (busy <= TIME_RATIO && memory <= MEMORY_RATIO);
        }
    }
    let limits =
        format!("{TIME_RATIO}x the processor's time and {MEMORY_RATIO}x the memory at 4x the records");
    println!("{} {limits}", if within { "within" } else { "ABOVE" });
    if within { Ok(()) } else { Err("the cost grows faster than the records".into()) }
}

fn run(arguments: &[&str]) -> Outcome<String> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{arguments:?} failed").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn figures(report: &str) -> Outcome<Figures> {
    let figures: Vec<f64> = report.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [seconds, busy, peak] = figures[..] else { return Err("a report has three figures".into()) };
    Ok(Figures { seconds, busy, peak })
}

/// The middle one of each figure.
fn median(taken: Vec<Figures>) -> Figures {
    let middle = |of: fn(&Figures) -> f64| {
        let mut sorted: Vec<f64> = taken.iter().map(of).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    };
    Figures { seconds: middle(|f| f.seconds), busy: middle(|f| f.busy), peak: middle(|f| f.peak) }
}

/// The claim, its assessments with a bill each, notes and documents.
fn records_at(times: usize) -> usize {
    1 + times * (1_000 + 1_000 + 10_000 + 2_000)
}

/// Stores the claim in the sender's case system, through the same door as an unpack.
fn prepare(folder: &Path, times: usize) -> Outcome<()> {
    let site = SiteId::new("ON-INS")?;
    fs::write(folder.join("age.key"), AgeIdentity::generate().to_secret_string().expose())?;
    let mut claim = Claim::new(claim_id()?);
    claim.claim_number = Some("C-1".into());
    let mut file = ClaimFile::new(claim);
    for number in 0..times * 1_000 {
        let mut assessment = Assessment::new(ExchangeId::new(&site, &format!("A-{number}"))?);
        assessment.r#type = Some("orthopaedic examination".into());
        assessment.status = Some("completed".into());
        assessment.findings = Some(format!("Visit {number}: full range of motion, no effusion."));
        let mut bill = Bill::new(ExchangeId::new(&site, &format!("B-{number}"))?);
        bill.status = Some("paid".into());
        bill.total = Some(Money::new("282.50".parse()?, "CAD".parse()?));
        assessment.bills = vec![bill];
        file.assessments.push(assessment);
    }
    file.notes = (0..times * 10_000).map(|number| note(&site, number)).collect::<Outcome<_>>()?;
    let mut staged = StagedDocuments::new();
    for number in 0..times * 2_000 {
        let id = ExchangeId::new(&site, &format!("D-{number}"))?;
        let bytes = format!("Clinic note {number}. Swelling down, twice a week for six weeks.\n").repeat(30);
        let path = folder.join(format!("document-{number}"));
        fs::write(&path, &bytes)?;
        let mut document = Document::new(id.clone());
        document.name = Some(format!("clinic-note-{number}.txt"));
        document.media_type = Some("text/plain".into());
        document.size = Some(bytes.len() as u64);
        document.sha256 = Some(Digest::of(bytes.as_bytes()).to_hex());
        file.documents.push(document);
        staged.insert(id, path);
    }
    let changes = merge(&[], &file.to_records()?, &[], ConflictPolicy::Stop)?;
    Ok(SqliteCaseSystem::open(folder.join("sender-cases"))?.apply(&changes, &staged, "bench")?)
}

fn note(site: &SiteId, number: usize) -> Outcome<Note> {
    let mut note = Note::new(ExchangeId::new(site, &format!("N-{number}"))?);
    note.author = Some("Dana Whitfield".into());
    note.body =
        Some(format!("Call {number}: spoke with the claimant about the treatment plan and the next visit."));
    Ok(note)
}

/// Exports with one note more, and drops the package where the other side looks for it.
fn export(folder: &Path, run: &str) -> Outcome<()> {
    let partner = Partner::new(SiteId::new("IMEX")?, "Examiners")
        .reached_by(DirectoryTransport::new(folder.join(format!("drop-{run}")))?)
        .seal_with(1, identity(folder)?.recipient())
        .verify_with(signs("imex", 2)?.verifying_key())
        .with_export_rules(ExportRules::new());
    let cases = std::sync::Arc::new(SqliteCaseSystem::open(folder.join("sender-cases"))?);
    let settings = ExchangeSettings::new(
        SiteId::new("ON-INS")?,
        folder.join(format!("sender-{run}")),
        signs("on-ins", 1)?,
        cases.clone(),
    );
    let exchange = Exchange::open(settings.with_partner(partner))?;
    let sent = exchange.outgoing_packages(&PackageQuery::new())?.len();
    let number = 1_000_000 + 10 * run.parse::<usize>()? + sent;
    cases.add_note(&claim_id()?, &note(exchange.site(), number)?)?;

    let begun = Begun::now()?;
    let exported = exchange.export(&claim_id()?, &SiteId::new("IMEX")?, &ExportOptions::by("bench"))?;
    let took = begun.end()?;
    exchange.send(exported.package.id, &())?;
    println!("{took} {}", peak()?);
    Ok(())
}

fn unpack(folder: &Path, run: &str) -> Outcome<()> {
    let partner = Partner::new(SiteId::new("ON-INS")?, "Insurer")
        .open_with(1, identity(folder)?)
        .verify_with(signs("on-ins", 1)?.verifying_key());
    let cases = SqliteCaseSystem::open(folder.join(format!("receiver-cases-{run}")))?;
    // The claims measured are larger than what a site takes in by default.
    let limits = PackageLimits::default()
        .with_archive(Limits::default().with_entries(100_000))
        .with_json_size(256 << 20);
    let settings = ExchangeSettings::new(
        SiteId::new("IMEX")?,
        folder.join(format!("receiver-{run}")),
        signs("imex", 2)?,
        cases,
    );
    let exchange = Exchange::open(settings.with_partner(partner).with_package_limits(limits))?;
    DirectoryInbox::new(folder.join(format!("drop-{run}")))?.poll(&exchange)?;
    let waiting = PackageQuery::new().incoming_in([IncomingState::Received]);
    let incoming = exchange.incoming_packages(&waiting)?.pop().ok_or("nothing arrived")?;

    let begun = Begun::now()?;
    let unpacked = exchange.unpack(incoming.id, "bench", &())?;
    let took = begun.end()?;
    if unpacked.superseded || unpacked.changes.is_empty() {
        return Err("nothing was unpacked".into());
    }
    println!("{took} {}", peak()?);
    Ok(())
}

/// A moment, by the clock and by what the processor has done for this thread.
struct Begun(Instant, Duration);

impl Begun {
    fn now() -> Outcome<Self> {
        Ok(Self(Instant::now(), busy()?))
    }

    /// The seconds since, both ways.
    fn end(&self) -> Outcome<String> {
        Ok(format!("{:.3} {:.3}", self.0.elapsed().as_secs_f64(), (busy()? - self.1).as_secs_f64()))
    }
}

fn busy() -> Outcome<Duration> {
    let spent = fs::read_to_string("/proc/self/schedstat")?;
    Ok(Duration::from_nanos(spent.split(' ').next().ok_or("no time in schedstat")?.parse()?))
}

fn peak() -> Outcome<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM: not Linux")?;
    Ok(peak.trim().trim_end_matches(" kB").to_owned())
}

fn identity(folder: &Path) -> Outcome<AgeIdentity> {
    Ok(fs::read_to_string(folder.join("age.key"))?.parse()?)
}

fn signs(id: &str, seed: u8) -> Outcome<SigningKey> {
    Ok(SigningKey::ed25519(id, &[seed; 32])?)
}

fn claim_id() -> Outcome<ExchangeId> {
    Ok("ON-INS/C-1".parse()?)
}
