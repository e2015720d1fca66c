//! What a partner, or a stranger, can make a site keep, and for how long.

use super::*;
use claimwire::ErrorKind;
use claimwire::protocol::SigningKey;
use std::fs::File;
use std::time::{Duration, SystemTime};

fn limits(change: impl FnOnce(&mut UploadLimits)) -> UploadLimits {
    let mut limits = UploadLimits::default();
    change(&mut limits);
    limits
}

/// A package is taken in at once and as ever, though an upload of it would not be kept.
#[track_caller]
fn is_taken_but_not_kept(sites: &TwoSites, delivery: &Delivery) {
    let examiner = &sites.examiner.exchange;
    let before = sites.examiner.files_in("uploads");
    delivery.cut_at(examiner, 600);
    assert_eq!(delivery.standing(examiner), None);
    assert_eq!(sites.examiner.files_in("uploads"), before);
    let begun = ask(examiner, &delivery.beginning(), &mut io::empty());
    assert_eq!((begun.status(), refusal(&begun).kind), (409, ErrorKind::WrongState));
    assert!(Problem::from_response(&begun).retry_after.is_some());
    assert_eq!(ask(examiner, &delivery.resumable(), &mut delivery.body.as_slice()).status(), 200);
}

#[test]
fn a_partner_has_so_many_uploads() {
    let sites = sites_within(limits(|limits| limits.per_partner = 2));
    let deliveries = [1, 2, 3].map(|byte| Delivery::new(&sites, vec![byte; 1000]));
    let examiner = &sites.examiner.exchange;
    deliveries[0].cut_at(examiner, 600);
    deliveries[1].cut_at(examiner, 600);
    is_taken_but_not_kept(&sites, &deliveries[2]);
    // The same package again is no further one.
    deliveries[1].cut_at(examiner, 700);
    assert_eq!(deliveries[1].standing(examiner), Some((700, false)));
    assert_eq!(deliveries[0].finish(examiner, 600).status(), 200);
    let next = Delivery::new(&sites, vec![4; 1000]);
    next.cut_at(examiner, 10);
    assert_eq!(next.standing(examiner), Some((10, false)));
}

#[test]
fn a_partner_has_so_many_bytes() {
    let sites = sites_within(limits(|limits| limits.bytes_per_partner = 1999));
    let deliveries = [1, 2].map(|byte| Delivery::new(&sites, vec![byte; 1000]));
    // Counted as they will be, not as they are: the room is there when the rest comes.
    deliveries[0].cut_at(&sites.examiner.exchange, 1);
    is_taken_but_not_kept(&sites, &deliveries[1]);
}

#[test]
fn a_site_may_keep_none() {
    let sites = sites_within(limits(|limits| limits.per_partner = 0));
    is_taken_but_not_kept(&sites, &Delivery::new(&sites, vec![1; 1000]));
}

#[test]
fn a_connection_that_brought_nothing_leaves_nothing() {
    let sites = TwoSites::new();
    Delivery::new(&sites, vec![1; 1000]).cut_at(&sites.examiner.exchange, 0);
    assert!(sites.examiner.files_in("uploads").is_empty());
}

#[test]
fn a_whole_above_the_limit_is_refused_at_its_beginning() {
    let examiner: Box<dyn FnOnce(ExchangeSettings) -> ExchangeSettings> =
        Box::new(|settings| settings.with_sealed_size_limit(999));
    let sites = TwoSites::with(Setup { examiner, ..Setup::default() });
    let delivery = Delivery::new(&sites, vec![1; 1000]);
    for request in [delivery.resumable(), delivery.beginning()] {
        let mut body = CountedBody::of(1000);
        let answer = ask(&sites.examiner.exchange, &request, &mut body);
        assert_eq!((answer.status(), body.read), (413, 0));
        assert_eq!(answer.headers().get("upload-limit"), Some("max-size=999"));
    }
    assert!(sites.examiner.files_in("uploads").is_empty());
}

/// Makes the examiner's only upload so much older.
fn ages(sites: &TwoSites, by: Duration) {
    let name = &sites.examiner.files_in("uploads")[0];
    let path = sites.examiner.folder.join("exchange/uploads").join(name);
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
}

#[test]
fn an_upload_that_nobody_goes_on_with_is_removed_when_its_time_is_over() {
    let hour = Duration::from_secs(3600);
    let sites = sites_within(limits(|limits| limits.keep = 10 * hour));
    let delivery = Delivery::new(&sites, vec![1; 1000]);
    delivery.cut_at(&sites.examiner.exchange, 600);
    ages(&sites, 9 * hour);
    let answer = ask(
        &sites.examiner.exchange,
        &delivery.question(Route::UploadOffset(delivery.id())),
        &mut io::empty(),
    );
    let limit = answer.headers().get("upload-limit").unwrap();
    let left: u64 = limit.rsplit_once("max-age=").unwrap().1.parse().unwrap();
    assert!((3500..=3600).contains(&left), "{limit}");
    // This examiner is opened with the limit of a day.
    assert_eq!(delivery.standing(&restarted(&sites).0), Some((600, false)));
    ages(&sites, 25 * hour);
    let (examiner, folder) = restarted(&sites);
    assert_eq!(std::fs::read_dir(folder.path().join("uploads")).unwrap().count(), 1, "a copy is new");
    drop(examiner);
    let copy = std::fs::read_dir(folder.path().join("uploads")).unwrap().next().unwrap().unwrap().path();
    File::options().write(true).open(copy).unwrap().set_modified(SystemTime::now() - 25 * hour).unwrap();
    assert_eq!(delivery.standing(&opened(&sites, &folder)), None);
    assert_eq!(std::fs::read_dir(folder.path().join("uploads")).unwrap().count(), 0);
}

#[test]
fn a_site_that_is_not_restarted_removes_them_too() {
    let sites = sites_within(limits(|limits| limits.keep = Duration::ZERO));
    let delivery = Delivery::new(&sites, vec![1; 1000]);
    delivery.cut_at(&sites.examiner.exchange, 600);
    ages(&sites, Duration::from_secs(1));
    // Any request will do, even one that is refused.
    let stranger = Request::new("GET", "/elsewhere").unwrap();
    ask(&sites.examiner.exchange, &stranger, &mut io::empty());
    assert!(sites.examiner.files_in("uploads").is_empty());
}

#[test]
fn what_is_no_upload_is_swept_when_the_site_is_opened() {
    let sites = TwoSites::new();
    let uploads = sites.examiner.folder.join("exchange/uploads");
    std::fs::create_dir(uploads.join("folder.part")).unwrap();
    for name in ["a.part", ".x", "019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77.ON-INS.00.5.part"] {
        std::fs::write(uploads.join(name), b"x").unwrap();
    }
    let (_examiner, folder) = restarted(&sites);
    assert_eq!(std::fs::read_dir(folder.path().join("uploads")).unwrap().count(), 0);
}

#[test]
fn another_partner_sees_nothing_of_an_upload() {
    let (sites, third) = with_a_third();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    let known = Partner::new(third_site(), "Third Party").verify_with(third.verifying_key());
    examiner.set_partner(known.open_with(1, sites.keys.legacy.clone()));
    delivery.cut_at(examiner, 600);
    let foreign = delivery.clone().with(|it| {
        it.signer = third.clone();
        it.envelope.from = third_site();
    });
    assert_eq!(foreign.standing(examiner), None);
    let end = foreign.question(Route::UploadEnd(delivery.id()));
    assert_eq!(ask(examiner, &end, &mut io::empty()).status(), 404);
    assert_eq!(foreign.finish(examiner, 600).status(), 404);
    // Its own upload under the same id is another one.
    foreign.cut_at(examiner, 300);
    assert_eq!(foreign.standing(examiner), Some((300, false)));
    assert_eq!(delivery.standing(examiner), Some((600, false)));
    // Nor can it speak for the first.
    let forged = delivery.clone().with(|it| it.signer = third);
    let mut body = CountedBody::of(400);
    assert_eq!((ask(examiner, &forged.rest(600), &mut body).status(), body.read), (401, 0));
    assert_eq!(delivery.finish(examiner, 600).status(), 200);
    assert_eq!(
        foreign.standing(examiner),
        Some((300, false)),
        "what the first sent whole is not told either"
    );
}

#[test]
fn a_stranger_costs_no_disk_and_learns_nothing() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    let stranger = delivery.clone().with(|it| it.signer = SigningKey::generate("on-ins-1").unwrap());
    let refused = |request: &Request| {
        let mut body = CountedBody::of(1000);
        let answer = ask(examiner, request, &mut body);
        assert_eq!((answer.status(), body.read), (401, 0));
        assert_eq!(answer.headers().get("accept-patch"), None);
    };
    let everything = || {
        refused(&stranger.resumable());
        refused(&stranger.beginning());
        refused(&stranger.rest(600));
        for route in [Route::UploadOffset, Route::UploadEnd] {
            refused(&stranger.question(route(delivery.id())));
            refused(&Request::new(route(delivery.id()).method(), &route(delivery.id()).path("")).unwrap());
        }
        refused(&stranger.question(Route::UploadLimits));
    };
    everything();
    assert!(sites.examiner.files_in("uploads").is_empty());
    delivery.cut_at(examiner, 600);
    everything();
    // Who listened cannot move a part to another place, nor make it the last, nor another package's.
    for (name, value) in [
        ("upload-offset", "0"),
        ("upload-complete", "?0"),
        ("upload-length", "1000"),
        ("repr-digest", &Digest::of(b"x").to_string()),
    ] {
        let mut changed = delivery.rest(600);
        changed.headers_mut().insert(name, value).unwrap();
        refused(&changed);
    }
    assert_eq!(delivery.standing(examiner), Some((600, false)));
}

#[test]
fn a_part_says_all_that_it_must() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 600);
    for (name, value) in [("content-type", "application/octet-stream"), ("upload-offset", "x")] {
        let mut part = delivery.rest(600);
        part.headers_mut().insert(name, value).unwrap();
        sign_request(&mut part, &delivery.signer, delivery.signed_at).unwrap();
        let answer = ask(examiner, &part, &mut CountedBody::of(400));
        assert_eq!((answer.status(), refusal(&answer).kind), (400, ErrorKind::BadMessage), "{name}");
    }
    let elsewhere = Delivery::new(&sites, noise(1000));
    let mut part = Request::new("PATCH", &Route::UploadPart(elsewhere.id()).path("")).unwrap();
    *part.headers_mut() = delivery.rest(600).headers().clone();
    sign_request(&mut part, &delivery.signer, delivery.signed_at).unwrap();
    assert_eq!(ask(examiner, &part, &mut CountedBody::of(400)).status(), 400);
    assert_eq!(delivery.standing(examiner), Some((600, false)));
}
