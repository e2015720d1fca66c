//! Events of a real exchange, posted to a real HTTP server: signed, in order, again when it fails, never lost.

use crate::support::*;
use crate::transport_tls::{Answering, Authority, ok};
use crate::webhook_host::{Host, Post};
use claimwire::ErrorKind;
use claimwire::exchange::{Event, ExportOptions, Partner};
use claimwire::model::{ExchangeId, SiteId, Timestamp};
use claimwire::protocol::Peer;
use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
use claimwire::transport::HttpsSettings;
use claimwire::webhook::{RetryPolicy, Trouble, Webhook, WebhookSecret, WebhookSettings};
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const PATIENT: Duration = Duration::from_secs(30);

/// The two sites hold each other, so a test that ends their process takes the webhook's listener from them.
type Listening = Arc<Mutex<Option<Box<dyn Fn(&Event) + Send + Sync>>>>;

/// An insurer whose events go to a webhook, and what the webhook told of its troubles.
struct Insurer {
    sites: TwoSites,
    claim: ExchangeId,
    listening: Listening,
    webhook: Webhook,
    secret: WebhookSecret,
    troubles: Arc<Mutex<Vec<String>>>,
    spool: TempDir,
}

impl Insurer {
    fn posting_to(url: &str) -> Self {
        Self::with(HttpsSettings::new(url).unwrap(), |settings| settings)
    }

    fn with(endpoint: HttpsSettings, change: impl FnOnce(WebhookSettings) -> WebhookSettings) -> Self {
        let spool = tempfile::tempdir().unwrap();
        let secret = WebhookSecret::generate().unwrap();
        let (webhook, troubles) = open(endpoint, spool.path(), &secret, change);
        let listening: Listening = Arc::new(Mutex::new(Some(Box::new(webhook.listener()))));
        let heard_by = listening.clone();
        let listener = move |event: &Event| {
            if let Some(listener) = &*heard_by.lock().unwrap() {
                listener(event);
            }
        };
        let keys = Keys::generate();
        let recipient = keys.identity.recipient();
        let setup = Setup {
            keys,
            insurer: Box::new(move |settings| {
                settings
                    .with_partner(Partner::new(third_site(), "Third Party").seal_with(1, recipient))
                    .on_event(listener)
            }),
            ..Setup::default()
        };
        let sites = TwoSites::with(setup);
        let claim = sites.claim_at_insurer();
        Self { sites, claim, listening, webhook, secret, troubles, spool }
    }

    /// With a new note, since each export needs one.
    fn exports_to(&self, site: &SiteId) {
        let notes = self.sites.insurer.file(&self.claim).notes.len();
        add_note(&self.sites.insurer, &self.claim, &format!("N-{}", notes + 1), "Please see to it.");
        self.sites.insurer.exchange.export(&self.claim, site, &ExportOptions::by("dana")).unwrap();
    }

    fn troubles(&self) -> Vec<String> {
        std::mem::take(&mut *self.troubles.lock().unwrap())
    }

    /// The process ends, and another begins with the same folder.
    fn restarted(self, endpoint: HttpsSettings) -> (Webhook, Arc<Mutex<Vec<String>>>, TempDir) {
        let Self { listening, webhook, secret, spool, .. } = self;
        drop((listening.lock().unwrap().take(), webhook));
        let (webhook, troubles) = open(endpoint, spool.path(), &secret, |settings| settings);
        (webhook, troubles, spool)
    }
}

fn open(
    endpoint: HttpsSettings,
    spool: &Path,
    secret: &WebhookSecret,
    change: impl FnOnce(WebhookSettings) -> WebhookSettings,
) -> (Webhook, Arc<Mutex<Vec<String>>>) {
    let troubles: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = troubles.clone();
    let settings = WebhookSettings::new(insurer_site(), endpoint, spool, secret.clone())
        .on_trouble(move |trouble| told.lock().unwrap().push(in_words(trouble)));
    (Webhook::open(change(settings)).unwrap(), troubles)
}

fn in_words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::NotKept(error) => format!("not kept: {error}"),
        Trouble::Retrying { tries, error, .. } => {
            format!("retrying after {tries}: {} {error}", error.kind().name())
        }
        Trouble::GivenUp { message, error } => format!("given up {message}: {error}"),
        Trouble::Disabled(error) => format!("disabled: {error}"),
        other => format!("{other:?}"),
    }
}

fn after(moment: Timestamp, seconds: u64) -> Timestamp {
    Timestamp::from(SystemTime::from(moment) + Duration::from_secs(seconds))
}

fn ids(posts: &[Post]) -> Vec<&str> {
    posts.iter().map(Post::id).collect()
}

fn partners(posts: &[Post]) -> Vec<String> {
    posts.iter().map(Post::partner).collect()
}

fn files_in(folder: &Path) -> usize {
    let json = |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|end| end == "json");
    std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(json).count()
}

#[test]
fn a_token_that_no_header_can_hold_is_told_when_the_webhook_is_opened() {
    let (folder, secret) = (TempDir::new().unwrap(), WebhookSecret::generate().unwrap());
    let endpoint = HttpsSettings::new("http://localhost:9/hooks").unwrap().bearer_token("two\nlines");
    let spool = folder.path().join("spool");
    let error = Webhook::open(WebhookSettings::new(insurer_site(), endpoint, &spool, secret)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{error}");
    assert!(!spool.exists());
}

#[test]
fn every_step_is_posted_signed_in_order_and_without_claim_data() {
    let host = Host::answering(&[]);
    let insurer = Insurer::posting_to(&host.url);
    let package = insurer.sites.deliver(&insurer.claim);
    add_note(&insurer.sites.examiner, &insurer.claim, "N-7", "Okafor can walk again.");
    let back = insurer.sites.deliver_back(&insurer.claim);
    let now = Timestamp::now();
    assert_eq!(insurer.webhook.waiting(), 4);
    assert_eq!(insurer.webhook.deliver_due(now), None);

    let posts = host.posts();
    let told: Vec<_> = posts
        .iter()
        .map(|post| (post.r#type(), post.json()["subject"].as_str().unwrap().to_owned()))
        .collect();
    let there = |step: &str| (format!("claimwire.package.{step}"), package.to_string());
    let here = ("claimwire.package.received".to_owned(), back.to_string());
    assert_eq!(told, [there("exported"), there("delivered"), there("unpacked"), here]);
    for post in &posts {
        assert_eq!(post.line, "POST /hooks/claimwire/ HTTP/1.1");
        assert_eq!(post.header("content-type"), "application/cloudevents+json");
        assert_eq!(post.verified_at(now, &insurer.secret).unwrap(), post.json()["id"]);
        assert_eq!(post.json()["source"], "/sites/ON-INS");
        assert_eq!(post.partner(), "IMEX");
        assert!(post.json()["time"].as_str().unwrap().parse::<Timestamp>().unwrap() <= now);
        let text = String::from_utf8(post.body.clone()).unwrap();
        for data in ["knee", "Okafor", "report.txt", "dana", "Independent Medical", "sprain", "open"] {
            assert!(!text.contains(data), "{data} in {text}");
        }
    }
    assert_eq!(posts[0].json()["data"]["claim"], "ON-INS/C-1");
    assert!(insurer.troubles().is_empty());
    assert_eq!((insurer.webhook.waiting(), files_in(insurer.spool.path())), (0, 0));
}

#[test]
fn a_failed_message_comes_again_later_under_the_same_id_and_freshly_signed() {
    let host = Host::answering(&["500 Internal Server Error", "302 Found"]);
    let insurer = Insurer::posting_to(&host.url);
    insurer.exports_to(&examiner_site());
    let start = Timestamp::now();
    let second = insurer.webhook.deliver_due(start).unwrap();
    assert!(second >= after(start, 5) && second <= after(start, 20), "{start} {second}");
    assert_eq!(insurer.webhook.deliver_due(start), Some(second), "not due yet");
    let third = insurer.webhook.deliver_due(second).unwrap();
    assert!(third >= after(second, 20) && third <= after(second, 40), "{second} {third}");
    assert_eq!(insurer.webhook.deliver_due(third), None);

    let posts = host.posts();
    assert_eq!(posts.len(), 3);
    for (post, at) in posts.iter().zip([start, second, third]) {
        assert_eq!((post.id(), &post.body), (posts[0].id(), &posts[0].body));
        post.verified_at(at, &insurer.secret).unwrap();
    }
    assert_ne!(posts[0].header("webhook-signature"), posts[1].header("webhook-signature"));
    let troubles = insurer.troubles();
    assert!(troubles[0].contains("retrying after 1") && troubles[0].contains("500"), "{troubles:?}");
    assert!(troubles[1].contains("redirects are not followed"), "{troubles:?}");
}

#[test]
fn a_partners_events_keep_their_order_and_hold_up_nobody_else_s() {
    let host = Host::answering(&["500 Internal Server Error"]);
    let insurer = Insurer::posting_to(&host.url);
    for site in [examiner_site(), third_site(), examiner_site()] {
        insurer.exports_to(&site);
    }
    let again = insurer.webhook.deliver_due(Timestamp::now()).unwrap();
    let first = host.posts();
    assert_eq!(partners(&first), ["IMEX", "THIRD"]);
    assert_eq!(insurer.webhook.deliver_due(again), None);
    let then = host.posts();
    assert_eq!(partners(&then), ["IMEX", "IMEX"]);
    assert_eq!(then[0].id(), first[0].id());
}

#[test]
fn a_receiver_that_asks_to_be_left_alone_is() {
    for head in ["503 Service Unavailable\r\nretry-after: 600", "429 Too Many Requests\r\nretry-after: 600"] {
        let host = Host::answering(&[head]);
        let insurer = Insurer::posting_to(&host.url);
        insurer.exports_to(&examiner_site());
        insurer.exports_to(&third_site());
        let start = Timestamp::now();
        let next = insurer.webhook.deliver_due(start).unwrap();
        assert!(next >= after(start, 600) && next <= after(start, 660), "{start} {next}");
        insurer.webhook.deliver_due(after(start, 599));
        assert_eq!(host.posts().len(), 1, "the other partner's event waits too");
        assert_eq!(insurer.webhook.deliver_due(after(next, 1)), None);
        assert_eq!(partners(&host.posts()), ["IMEX", "THIRD"]);
    }
}

#[test]
fn gone_disables_until_enabled_and_loses_nothing() {
    let host = Host::answering(&["410 Gone"]);
    let insurer = Insurer::posting_to(&host.url);
    insurer.exports_to(&examiner_site());
    assert_eq!(insurer.webhook.deliver_due(Timestamp::now()), None);
    assert!(insurer.webhook.is_disabled());
    insurer.exports_to(&third_site());
    assert_eq!(insurer.webhook.deliver_due(Timestamp::now()), None);
    let refused = host.posts();
    assert_eq!(refused.len(), 1);
    let troubles = insurer.troubles();
    assert!(matches!(troubles.as_slice(), [only] if only.starts_with("disabled:")), "{troubles:?}");

    let (webhook, _, _spool) = insurer.restarted(HttpsSettings::new(&host.url).unwrap());
    assert!(webhook.is_disabled() && webhook.waiting() == 2);
    assert_eq!(webhook.deliver_due(Timestamp::now()), None);
    assert!(host.posts().is_empty());
    webhook.enable().unwrap();
    assert_eq!(webhook.deliver_due(Timestamp::now()), None);
    let posts = host.posts();
    assert_eq!(partners(&posts), ["IMEX", "THIRD"]);
    assert_eq!(posts[0].id(), refused[0].id());
    assert!(!webhook.is_disabled() && webhook.waiting() == 0);
}

#[test]
fn events_survive_a_restart_with_their_ids_tries_and_order() {
    let host = Host::answering(&["500 Internal Server Error"]);
    let insurer = Insurer::posting_to(&host.url);
    insurer.exports_to(&examiner_site());
    insurer.exports_to(&examiner_site());
    let start = Timestamp::now();
    let next = insurer.webhook.deliver_due(start).unwrap();
    let before = host.posts();

    let (webhook, troubles, spool) = insurer.restarted(HttpsSettings::new(&host.url).unwrap());
    assert_eq!(webhook.waiting(), 2);
    assert_eq!(webhook.deliver_due(start), Some(next), "a restart does not hurry");
    assert_eq!(webhook.deliver_due(next), None);
    let posts = host.posts();
    assert_eq!((posts.len(), posts[0].id()), (2, before[0].id()));
    assert_ne!(posts[0].id(), posts[1].id());
    assert!(troubles.lock().unwrap().is_empty());
    assert_eq!(files_in(spool.path()), 0);
}

#[test]
fn what_is_given_up_is_told_kept_aside_and_can_be_tried_again() {
    let host = Host::answering(&["400 Bad Request", "400 Bad Request"]);
    let mut policy = RetryPolicy::default();
    policy.tries = 2;
    let endpoint = HttpsSettings::new(&host.url).unwrap();
    let insurer = Insurer::with(endpoint, |settings| settings.with_retry_policy(policy));
    insurer.exports_to(&examiner_site());
    insurer.exports_to(&examiner_site());
    let again = insurer.webhook.deliver_due(Timestamp::now()).unwrap();
    assert_eq!(insurer.webhook.deliver_due(again), None);
    let posts = host.posts();
    assert_eq!(posts.len(), 3, "the second event goes on behind the first");
    assert_eq!(posts[0].id(), posts[1].id());
    let given_up = insurer.troubles().pop().unwrap();
    assert!(given_up.starts_with(&format!("given up {}", posts[0].id())), "{given_up}");
    assert_eq!(files_in(&insurer.spool.path().join("failed")), 1);

    assert_eq!(insurer.webhook.retry_failed().unwrap(), 1);
    assert_eq!(insurer.webhook.deliver_due(Timestamp::now()), None);
    assert_eq!(ids(&host.posts()), [posts[0].id()]);
    assert_eq!(files_in(&insurer.spool.path().join("failed")), 0);
}

#[test]
fn a_full_spool_keeps_the_oldest_and_says_so() {
    let host = Host::answering(&[]);
    let endpoint = HttpsSettings::new(&host.url).unwrap();
    let insurer = Insurer::with(endpoint, |settings| settings.with_capacity(2));
    for site in [examiner_site(), third_site(), examiner_site()] {
        insurer.exports_to(&site);
    }
    let troubles = insurer.troubles();
    assert!(matches!(troubles.as_slice(), [only] if only.contains("2 events wait")), "{troubles:?}");
    insurer.webhook.deliver_due(Timestamp::now());
    assert_eq!(partners(&host.posts()), ["IMEX", "THIRD"]);
    insurer.exports_to(&examiner_site());
    assert_eq!(insurer.webhook.waiting(), 1, "there is room again");
}

#[test]
fn a_receiver_nobody_vouches_for_gets_nothing() {
    let (ours, stranger) = (Authority::new(), Authority::new());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let endpoint = Answering(move |_: &_, _: &Peer, body: &mut dyn Read| {
        count.fetch_add(1, Ordering::SeqCst);
        std::io::copy(body, &mut std::io::sink()).unwrap();
        ok("")
    });
    let server = ours.server();
    let tls = TlsSettings::new(server.chain, server.key);
    let running =
        Receiver::bind("127.0.0.1:0", tls, Arc::new(endpoint), ReceiverSettings::default()).unwrap();
    let url = format!("https://127.0.0.1:{}/packages", running.local_addr().port());
    let trusting = |root: &Authority| HttpsSettings::new(&url).unwrap().root_certificates(root.pem.as_str());

    let insurer = Insurer::with(trusting(&stranger), |settings| settings);
    insurer.exports_to(&examiner_site());
    let next = insurer.webhook.deliver_due(Timestamp::now()).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let troubles = insurer.troubles();
    assert!(troubles[0].contains(ErrorKind::BadCertificate.name()), "{troubles:?}");

    let (webhook, troubles, _spool) = insurer.restarted(trusting(&ours));
    assert_eq!(webhook.deliver_due(next), None);
    assert_eq!((asked.load(Ordering::SeqCst), webhook.waiting()), (1, 0), "{troubles:?}");
}

#[test]
fn the_worker_delivers_by_itself_until_it_is_stopped() {
    let host = Host::answering(&[]);
    let insurer = Insurer::posting_to(&host.url);
    insurer.exports_to(&examiner_site());
    insurer.webhook.start().unwrap();
    assert_eq!(insurer.webhook.start().unwrap_err().kind(), ErrorKind::WrongState);
    let waited = host.next();
    insurer.exports_to(&third_site());
    let came_later = host.next();
    assert_eq!(partners(&[waited, came_later]), ["IMEX", "THIRD"]);
    assert!(insurer.webhook.stop(PATIENT));
    assert_eq!(insurer.webhook.waiting(), 0);

    insurer.exports_to(&examiner_site());
    assert_eq!(insurer.webhook.deliver_due(Timestamp::now()), None);
    assert!(host.posts().is_empty(), "stopped");
    let (webhook, _, _spool) = insurer.restarted(HttpsSettings::new(&host.url).unwrap());
    webhook.start().unwrap();
    assert_eq!(host.next().partner(), "IMEX");
    assert!(webhook.stop(PATIENT));
}

#[test]
fn neither_stop_nor_drop_waits_for_a_receiver_that_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let insurer = Insurer::posting_to(&url);
    insurer.exports_to(&examiner_site());
    insurer.webhook.start().unwrap();
    let (mut silent, _) = listener.accept().unwrap();
    assert!(!insurer.webhook.stop(Duration::ZERO), "the try is under way");
    assert!(silent.read(&mut [0; 16]).unwrap() > 0);
    silent.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    assert!(insurer.webhook.stop(PATIENT));
    assert_eq!(insurer.webhook.waiting(), 0, "the try under way was finished");

    let insurer = Insurer::posting_to(&url);
    insurer.exports_to(&examiner_site());
    insurer.webhook.start().unwrap();
    let _silent = listener.accept().unwrap();
    drop(insurer.webhook);
    assert_eq!(files_in(insurer.spool.path()), 1, "and the message waits");
}

#[test]
fn during_a_rotation_either_secret_verifies_and_none_is_shown() {
    let host = Host::answering(&[]);
    let older = WebhookSecret::generate().unwrap();
    let other = older.clone();
    let endpoint = HttpsSettings::new(&host.url).unwrap();
    let insurer = Insurer::with(endpoint, |settings| settings.with_other_secret(other));
    insurer.exports_to(&examiner_site());
    let now = Timestamp::now();
    insurer.webhook.deliver_due(now);
    let post = host.posts().remove(0);
    for secret in [&insurer.secret, &older] {
        post.verified_at(now, secret).unwrap();
        assert!(!format!("{:?}", insurer.webhook).contains(&secret.to_text().as_str()[6..]));
    }
    let stranger = WebhookSecret::generate().unwrap();
    assert_eq!(post.verified_at(now, &stranger).unwrap_err().kind(), ErrorKind::BadSignature);
}

/// Runs Python with these lines; what was posted is its standard input, as JSON. `None` when it cannot be run here.
fn python(lines: &str, needs: &str, post: &Post, secret: &WebhookSecret) -> Option<String> {
    let probe =
        Command::new("python3").args(["-c", &format!("import {needs}")]).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "this test needs Python with {needs}");
        eprintln!("skipped: no Python with {needs} on this machine");
        return None;
    }
    let mut peer = Command::new("python3")
        .args(["-c", lines])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let headers: std::collections::BTreeMap<_, _> = post.headers.iter().collect();
    let told = serde_json::json!({
        "headers": headers,
        "body": String::from_utf8(post.body.clone()).unwrap(),
        "secret": secret.to_text().as_str(),
    });
    peer.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
    let output = peer.wait_with_output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn one_post() -> (Post, WebhookSecret) {
    let host = Host::answering(&[]);
    let insurer = Insurer::posting_to(&host.url);
    insurer.exports_to(&examiner_site());
    insurer.webhook.deliver_due(Timestamp::now());
    (host.posts().remove(0), insurer.secret)
}

const READ: &str = "import json, sys\ntold = json.load(sys.stdin)\nheaders, body, secret = \
                    told['headers'], told['body'].encode(), told['secret']\n";

#[test]
fn the_reference_library_for_python_takes_what_we_post() {
    let lines = format!(
        "{READ}from standardwebhooks import Webhook, WebhookVerificationError\n\
         print(Webhook(secret).verify(body, headers)['type'])\n\
         try:\n    Webhook(secret).verify(body + b' ', headers)\n\
         except WebhookVerificationError:\n    print('refused')\n"
    );
    let (post, secret) = one_post();
    if let Some(said) = python(&lines, "standardwebhooks", &post, &secret) {
        assert_eq!(said, "claimwire.package.exported\nrefused");
    }
}

#[test]
fn the_lines_of_python_in_the_docs_verify_what_we_post() {
    let docs = include_str!("../../docs/events.md");
    let snippet = docs.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let lines = format!(
        "{READ}{snippet}\nprint(verified(headers, body, secret))\n\
         try:\n    verified(headers, body + b' ', secret)\n\
         except ValueError:\n    print('refused')\n"
    );
    let (post, secret) = one_post();
    if let Some(said) = python(&lines, "hmac", &post, &secret) {
        assert_eq!(said, format!("{}\nrefused", post.id()));
    }
}

#[test]
fn a_poster_that_dies_half_way_does_not_end_the_host_of_these_tests() {
    let host = Host::answering(&[]);
    let address = host.url.trim_start_matches("http://").split('/').next().unwrap();
    for half in ["", "POST / HTTP/1.1\r\nhost: a", "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf"] {
        TcpStream::connect(address).unwrap().write_all(half.as_bytes()).unwrap();
    }
    let whole = "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nwhole";
    TcpStream::connect(address).unwrap().write_all(whole.as_bytes()).unwrap();
    assert_eq!(host.next().body, b"whole");
    assert_eq!(host.posts().len(), 0, "what is half is no post");
}
