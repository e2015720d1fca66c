//! A site in a process of its own, which does what its standard input says, one line at a time, and answers each line
//! with one that begins with `@`.

use super::check;
use super::keys::{self, Name};
use super::random::Random;
use axum::Router;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::middleware::map_response;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
use claimwire::exchange::{Event, Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::failpoint;
use claimwire::ledger::{IncomingState, OutgoingState, PackageQuery};
use claimwire::merge::ConflictPolicy;
use claimwire::model::{Claim, ClaimFile, Document, ExchangeId, Note, PackageId, SiteId, Timestamp};
use claimwire::receiver::{EndpointService, ReceiverSettings};
use claimwire::rules::ExportRules;
use claimwire::transport::{
    DirectoryInbox, DirectoryTransport, HttpsSettings, HttpsTransport, Resumption, Transport,
};
use claimwire::webhook::{RetryPolicy, Trouble, Webhook, WebhookSecret, WebhookSettings};
use claimwire::{Error, ErrorKind, Result};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

struct Site {
    site: SiteId,
    partner: SiteId,
    cases: Arc<SqliteCaseSystem>,
    exchange: Exchange,
    /// Where the partner's requests lie.
    inbox: Option<DirectoryInbox>,
    webhook: Webhook,
}

/// Plays the site that the environment names, until its input ends.
pub(crate) fn play() {
    let told = |name: &str| std::env::var(name).unwrap();
    let folder = PathBuf::from(told("CLAIMWIRE_TEST_FOLDER"));
    let name = Name::from_word(&told("CLAIMWIRE_TEST_SITE"));
    let site = Site::open(&folder, name, &told("CLAIMWIRE_TEST_PARTNER")).unwrap();
    let (port, stop, server) = listen(site.exchange.clone());
    answer(&format!("port {port}"));
    for line in std::io::stdin().lock().lines() {
        let words = line.unwrap();
        let words: Vec<&str> = words.split(' ').collect();
        match site.does(&words) {
            Ok(done) => answer(&format!("ok {done}")),
            Err(error) => answer(&format!("err {}: {}", error.kind().name(), error)),
        }
    }
    // The last handle on the exchange is then dropped here, and waits for an unpack that is under way.
    drop(stop);
    server.join().unwrap();
}

fn answer(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@{}", line.replace('\n', " ")).unwrap();
    out.flush().unwrap();
}

/// Serves the exchange on a free port; each connection carries one request.
fn listen(exchange: Exchange) -> (u16, tokio::sync::oneshot::Sender<()>, JoinHandle<()>) {
    let service = EndpointService::new(Arc::new(exchange), ReceiverSettings::default());
    let app = Router::new().nest_service("/claimwire", service).layer(map_response(
        |mut response: axum::response::Response| async {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        },
    ));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                served = axum::serve(listener, app) => served.unwrap(),
                _ = stopped => {}
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(5));
    });
    (port, stop, server)
}

impl Site {
    fn open(folder: &Path, name: Name, partner_url: &str) -> Result<Self> {
        let cases = Arc::new(SqliteCaseSystem::open(folder.join("cases"))?);
        let other = name.other();
        let by_folder = std::env::var_os("CLAIMWIRE_TEST_DROP").is_some();
        let (transport, inbox): (Arc<dyn Transport>, _) = match by_folder {
            true => {
                let inbox = DirectoryInbox::new(drop_folder(folder, other))?;
                let transport = DirectoryTransport::new(drop_folder(folder, name))?;
                (Arc::new(transport.with_base_path("/claimwire")), Some(inbox))
            }
            false => {
                let settings = HttpsSettings::new(partner_url)?.resumption(Some(resumption(name)));
                (Arc::new(HttpsTransport::new(settings)?), None)
            }
        };
        let webhook = Webhook::open(hooks(&name.site(), folder)?)?;
        let mut partner = Partner::new(other.site(), other.site().as_str())
            .reached_by(transport)
            // What waits in a folder gets old, and clocks are wrong.
            .within_window(Duration::from_secs(if by_folder { 7 * 86_400 } else { 300 }))
            .seal_with(1, keys::seals(name, folder))
            .open_with(1, keys::opens(name, folder))
            .verify_with(keys::signs(other).verifying_key())
            .settling_conflicts(ConflictPolicy::Theirs)
            .filling_on_unpack("answer")
            .with_export_rules(ExportRules::new().note_required(false).forwarding_allowed(true));
        if std::env::var_os("CLAIMWIRE_TEST_ROBOT").is_some() {
            partner = partner.unpacking_automatically_as("robot");
        }
        let settings =
            ExchangeSettings::new(name.site(), folder.join("exchange"), keys::signs(name), cases.clone())
                .at_base_path("/claimwire")
                .with_partner(partner)
                .on_event(kept(&webhook, folder));
        let exchange = Exchange::open(settings)?;
        Ok(Self { site: name.site(), partner: other.site(), cases, exchange, inbox, webhook })
    }

    fn does(&self, words: &[&str]) -> Result<String> {
        match *words {
            ["claim", local] => {
                let mut claim = Claim::new(ExchangeId::new(&self.site, local)?);
                claim.claim_number = Some(local.to_owned());
                claim.status = Some("form 0".into());
                let id = claim.id.clone();
                self.cases.put(&ClaimFile::new(claim))?;
                Ok(id.to_string())
            }
            ["status", claim, form] => {
                self.edit(claim, |file| file.claim.status = Some(format!("form {form}")))
            }
            ["note", claim, local] => {
                let mut note = Note::new(ExchangeId::new(&self.site, local)?);
                note.body = Some(format!("Note {} on {claim}.", note.id));
                self.edit(claim, |file| file.notes.push(note))
            }
            ["document", claim, local, size] => {
                let mut document = Document::new(ExchangeId::new(&self.site, local)?);
                document.name = Some(format!("{local}.txt"));
                let mut bytes = Random::from_seed(local.replace("D-", "").parse().unwrap());
                let bytes = (0..size.parse().unwrap()).map(|_| bytes.byte()).collect::<Vec<u8>>();
                self.cases.add_document(&claim.parse()?, document, bytes.as_slice()).map(|_| String::new())
            }
            ["export", claim] => {
                let options = ExportOptions::by("user");
                let outgoing = self.exchange.export(&claim.parse()?, &self.partner, &options)?;
                Ok(outgoing.package.id.to_string())
            }
            ["notes", claim] => {
                let outgoing = self.exchange.export_notes(&claim.parse()?, &self.partner, "user")?;
                Ok(outgoing.package.id.to_string())
            }
            ["push"] => self.push_on(),
            ["retry"] => self.replay_what_failed(),
            ["replay"] => self.replay_all(),
            ["withdraw"] => self.withdraw_what_waits(),
            ["remove"] => {
                let later = Timestamp::now().unix_seconds() + 3600;
                let removed = self.exchange.remove_sealed(Timestamp::from_unix_seconds(later)?, "user")?;
                Ok(removed.to_string())
            }
            ["ask"] => self.ask(),
            ["collect"] => self.collect(),
            ["hooks"] => Ok(self.tell_host()),
            ["hooks", "again"] => self.webhook.retry_failed().map(|count| count.to_string()),
            ["hooks", "enable"] => self.webhook.enable().map(|()| String::new()),
            ["unpack"] => self.unpack_all(self.waiting()?),
            ["unpack", "newest"] => self.unpack_all(self.waiting()?.pop()),
            ["reject"] => self.reject_one(),
            ["pause"] => self.exchange.pause(&self.partner).map(|()| String::new()),
            ["resume"] => self.exchange.resume(&self.partner).map(|()| String::new()),
            ["arm"] => Ok(arm("")),
            ["arm", what] => Ok(arm(what)),
            ["clock", seconds] => {
                failpoint::shift_clock(seconds.parse().unwrap());
                Ok(String::new())
            }
            ["reached"] => Ok(failpoint::reached().into_iter().collect::<Vec<_>>().join(" ")),
            ["open"] => self.open_ends(),
            _ => panic!("no such order: {words:?}"),
        }
    }

    fn edit(&self, claim: &str, change: impl FnOnce(&mut ClaimFile)) -> Result<String> {
        let claim: ExchangeId = claim.parse()?;
        let mut file = self
            .cases
            .load(&claim)?
            .ok_or_else(|| Error::new(ErrorKind::UnknownClaim, format!("{claim} is not here yet")))?;
        change(&mut file);
        self.cases.put(&file)?;
        Ok(String::new())
    }

    /// Sends what is queued, at a time when all of it is due.
    fn push_on(&self) -> Result<String> {
        let open = self.exchange.outgoing_packages(&PackageQuery::new().outgoing_in(OutgoingState::OPEN))?;
        let due = open.into_iter().filter_map(|outgoing| outgoing.retry_at).max();
        let now = Timestamp::now();
        let run = self.exchange.send_due(due.map_or(now, |due| due.max(now)), &())?;
        match run.failed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(run.sent.len().to_string()),
        }
    }

    /// Queues again what failed for good: what a person does once the reason is gone.
    fn replay_what_failed(&self) -> Result<String> {
        for package in self.sent_in(OutgoingState::Failed)? {
            self.exchange.replay(package, "user")?;
        }
        Ok(String::new())
    }

    /// Queues again all that was ever delivered, as if the partner had restored a backup.
    fn replay_all(&self) -> Result<String> {
        let ever = Timestamp::from_unix_seconds(0)?;
        let queued = self.exchange.replay_since(&self.partner, ever, "user")?;
        Ok(queued.len().to_string())
    }

    /// Takes back what is queued; again, where that came no further than the entry.
    fn withdraw_what_waits(&self) -> Result<String> {
        for state in [OutgoingState::Queued, OutgoingState::Withdrawn] {
            for package in self.sent_in(state)? {
                self.exchange.withdraw(package, "user", "not for them")?;
            }
        }
        Ok(String::new())
    }

    /// Asks what became of the packages of which only the receipt is known.
    fn ask(&self) -> Result<String> {
        for package in self.sent_in(OutgoingState::Delivered)? {
            self.exchange.poll(package)?;
        }
        Ok(String::new())
    }

    /// Answers what the partner dropped.
    fn collect(&self) -> Result<String> {
        let answered = self.inbox.as_ref().map(|inbox| inbox.poll(&self.exchange)).transpose()?;
        Ok(answered.unwrap_or_default().to_string())
    }

    /// Tells the host what waits, at times when all of it is due; says how much still waits.
    fn tell_host(&self) -> String {
        // Each pass tries what is due first, which is then delivered, given up, or one try nearer to that. What was kept
        // while the clock was ahead is due at as many moments as there were events.
        let mut due = Some(Timestamp::now());
        while let Some(now) = due {
            due = self.webhook.deliver_due(now);
        }
        self.webhook.waiting().to_string()
    }

    fn sent_in(&self, state: OutgoingState) -> Result<Vec<PackageId>> {
        let query = PackageQuery::new().outgoing_in([state]);
        Ok(self.exchange.outgoing_packages(&query)?.into_iter().map(|outgoing| outgoing.package.id).collect())
    }

    fn waiting(&self) -> Result<Vec<PackageId>> {
        let query = PackageQuery::new().incoming_in([IncomingState::Received, IncomingState::Failed]);
        Ok(self.exchange.incoming_packages(&query)?.into_iter().map(|incoming| incoming.id).collect())
    }

    /// Unpacks packages; one that cannot be unpacked does not stop the others.
    fn unpack_all(&self, packages: impl IntoIterator<Item = PackageId>) -> Result<String> {
        let mut refused = None;
        for package in packages {
            if let Err(error) = self.exchange.unpack(package, "user", &()) {
                refused = refused.or(Some(error));
            }
        }
        refused.map_or(Ok(String::new()), Err)
    }

    fn reject_one(&self) -> Result<String> {
        if let Some(package) = self.waiting()?.pop() {
            self.exchange.reject(package, "user", "not ours")?;
        }
        Ok(String::new())
    }

    /// The packages that are not at their end, either way; nothing where there are none.
    fn open_ends(&self) -> Result<String> {
        let mut open = self.waiting()?.iter().map(ToString::to_string).collect::<Vec<_>>();
        for it in self.exchange.outgoing_packages(&PackageQuery::new())? {
            if !check::is_at_its_end(&it) {
                let kind = it.package.kind.name();
                open.push(format!("{} {kind} {} {:?}", it.package.id, it.state.name(), it.last_error));
            }
        }
        Ok(open.join(", "))
    }
}

/// Where the requests of this site lie, for a run whose sites stand in folders beside this one.
pub(crate) fn drop_folder(folder: &Path, from: Name) -> PathBuf {
    folder.parent().unwrap().join("drop").join(from.word())
}

/// After so many tries a message is given up.
const HOST_TRIES: u32 = 2;

fn hooks(site: &SiteId, folder: &Path) -> Result<WebhookSettings> {
    let endpoint = HttpsSettings::new(&std::env::var("CLAIMWIRE_TEST_HOST").unwrap())?;
    let mut policy = RetryPolicy::default();
    policy.tries = HOST_TRIES;
    let lost = folder.join("not-kept");
    let settings =
        WebhookSettings::new(site.clone(), endpoint, folder.join("webhook"), WebhookSecret::generate()?);
    Ok(settings.with_retry_policy(policy).on_trouble(move |trouble| {
        if matches!(trouble, Trouble::NotKept(_)) {
            std::fs::write(&lost, "").unwrap();
        }
    }))
}

/// The webhook's listener, and beside it a list of what it kept: what a host must have been told in the end.
fn kept(webhook: &Webhook, folder: &Path) -> impl Fn(&Event) + Send + Sync + 'static {
    let listener = webhook.listener();
    let (list, lost) = (folder.join("kept"), folder.join("not-kept"));
    let one_at_a_time = Mutex::new(());
    move |event| {
        let _turn = one_at_a_time.lock().unwrap();
        listener(event);
        if std::fs::remove_file(&lost).is_ok() {
            return;
        }
        let mut list = std::fs::File::options().append(true).create(true).open(&list).unwrap();
        writeln!(list, "{}", event.package()).unwrap();
    }
}

/// From a size on that some documents have, an upload goes on where it broke off; the examiner sends it in parts.
fn resumption(name: Name) -> Resumption {
    let resumption = Resumption::default().from_bytes(10_000);
    match name {
        Name::Insurer => resumption,
        Name::Examiner => resumption.in_parts_of(20_000.try_into().unwrap()),
    }
}

fn arm(what: &str) -> String {
    failpoint::arm(what).unwrap();
    String::new()
}
