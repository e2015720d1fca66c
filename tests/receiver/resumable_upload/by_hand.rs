//! Uploads as the endpoint answers them, request by request.

use super::*;
use claimwire::ErrorKind;
use claimwire::ledger::IncomingState;
use claimwire::model::PackageId;
use claimwire::protocol::ReceiptState;
use std::io::Cursor;
use std::sync::mpsc::{Receiver, channel};

const MISMATCH: &str = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";

/// The package came in whole: a receipt over these bytes, once, and nothing beside it.
#[track_caller]
fn is_received(sites: &TwoSites, delivery: &Delivery, answer: &Response) {
    let receipt = receipt_in(answer).unwrap();
    assert_eq!((receipt.package_id, receipt.state), (delivery.id(), ReceiptState::Received));
    assert_eq!(receipt.digest, delivery.digest);
    assert_eq!(std::fs::read(sealed_path(&sites.examiner, "inbox")).unwrap(), delivery.body);
    assert_eq!(sites.examiner.new_packages(), [delivery.id()]);
    assert!(sites.examiner.files_in("uploads").is_empty() && is_tidy(&sites.examiner));
}

#[test]
fn an_upload_goes_on_from_any_byte_where_it_broke() {
    for cut in [1, 63, 65_536, 65_537, 120_000, 199_999] {
        let sites = TwoSites::new();
        let delivery = Delivery::new(&sites, noise(200_000));
        let examiner = &sites.examiner.exchange;
        delivery.cut_at(examiner, cut);
        assert_eq!(delivery.standing(examiner), Some((cut as u64, false)));
        assert!(sites.examiner.new_packages().is_empty());
        let answer = delivery.finish(examiner, cut as u64);
        assert_eq!(UploadState::from_headers(answer.headers()).complete, Some(true));
        is_received(&sites, &delivery, &answer);
        assert_eq!(delivery.standing(examiner), Some((200_000, true)));
        // Whoever missed the answer gets it again, by each of the two ways.
        let receipt = receipt_in(&answer).unwrap();
        assert_eq!(receipt_in(&delivery.finish(examiner, cut as u64)).unwrap(), receipt);
        assert_eq!(receipt_in(&delivery.post(&sites)).unwrap(), receipt);
    }
}

#[test]
fn an_upload_that_broke_again_and_again_is_whole_in_the_end() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(100_000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 7);
    for end in [8, 31_000, 31_001, 99_999] {
        let (offset, _) = delivery.standing(examiner).unwrap();
        let from = usize::try_from(offset).unwrap();
        ask(examiner, &delivery.rest(offset), &mut Breaking(&delivery.body[from..end]));
        assert_eq!(delivery.standing(examiner), Some((end as u64, false)));
    }
    is_received(&sites, &delivery, &delivery.finish(examiner, 99_999));
}

#[test]
fn an_upload_comes_in_parts() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(50_000));
    let examiner = &sites.examiner.exchange;
    let begun = ask(examiner, &delivery.beginning(), &mut io::empty());
    assert_eq!(begun.status(), 201);
    let location = Route::UploadPart(delivery.id()).path("");
    assert_eq!(begun.headers().get("location"), Some(location.as_str()));
    for (from, to) in [(0, 20_000), (20_000, 20_000), (20_000, 50_000)] {
        let part = delivery.part(from as u64, (to - from) as u64, false);
        let answer = ask(examiner, &part, &mut &delivery.body[from..to]);
        assert_eq!(answer.status(), 204);
        let expected = state(Some(to as u64), Some(false), Some(50_000));
        assert_eq!(UploadState::from_headers(answer.headers()), expected);
    }
    // All bytes are there, and it is no package before its sender says so.
    assert!(sites.examiner.new_packages().is_empty());
    is_received(&sites, &delivery, &delivery.finish(examiner, 50_000));
}

#[test]
fn a_part_at_another_offset_is_refused_with_the_right_one() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 600);
    for offset in [0, 599, 601, 1000] {
        let answer = delivery.finish(examiner, offset);
        assert_eq!((answer.status(), answer.headers().get("upload-offset")), (409, Some("600")));
        let problem = Problem::from_response(&answer);
        assert_eq!(problem.problem_type, MISMATCH);
        assert_eq!(problem.other["expected-offset"].to_string(), "600");
    }
    is_received(&sites, &delivery, &delivery.finish(examiner, 600));
}

#[test]
fn lengths_that_contradict_each_other_are_refused_before_a_byte_is_read() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 600);
    for part in [delivery.part(600, 401, false), delivery.part(600, 399, true), delivery.part(600, 401, true)]
    {
        let mut body = CountedBody::of(401);
        let answer = ask(examiner, &part, &mut body);
        assert_eq!((answer.status(), body.read), (400, 0));
        assert!(Problem::from_response(&answer).problem_type.ends_with("#inconsistent-upload-length"));
    }
    is_received(&sites, &delivery, &delivery.finish(examiner, 600));
}

#[test]
fn a_part_that_goes_on_past_the_whole_ends_the_upload() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 600);
    let mut undeclared = delivery.rest(600);
    undeclared.headers_mut().remove("content-length");
    let answer = ask(examiner, &undeclared, &mut CountedBody::of(401));
    assert_eq!(refusal(&answer).kind, ErrorKind::SealedTooLarge);
    assert_eq!(delivery.standing(examiner), None);
    assert!(sites.examiner.files_in("uploads").is_empty());
}

#[test]
fn other_bytes_than_announced_leave_nothing_behind() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 600);
    let answer = ask(examiner, &delivery.rest(600), &mut Cursor::new(vec![7; 400]));
    assert_eq!(refusal(&answer).kind, ErrorKind::DigestMismatch);
    assert_eq!(delivery.standing(examiner), None);
    assert!(sites.examiner.files_in("uploads").is_empty() && stored(&sites.examiner).is_empty());
    // The failed try never blocks the next.
    is_received(&sites, &delivery, &ask(examiner, &delivery.resumable(), &mut delivery.body.as_slice()));
}

#[test]
fn other_bytes_under_the_same_id_do_not_join_an_upload() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 600);
    let other = Delivery::new(&sites, vec![1; 1000]).with(|it| it.envelope = delivery.envelope.clone());
    assert_eq!(refusal(&other.finish(examiner, 600)).kind, ErrorKind::IdReused);
    is_received(&sites, &delivery, &delivery.finish(examiner, 600));
}

#[test]
fn an_upload_outlives_the_process_that_took_it() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(100_000));
    delivery.cut_at(&sites.examiner.exchange, 60_000);
    let (examiner, folder) = restarted(&sites);
    assert_eq!(delivery.standing(&examiner), Some((60_000, false)));
    ask(&examiner, &delivery.rest(60_000), &mut Breaking(&delivery.body[60_000..80_000]));
    drop(examiner);
    let examiner = opened(&sites, &folder);
    assert_eq!(delivery.standing(&examiner), Some((80_000, false)));
    let answer = delivery.finish(&examiner, 80_000);
    assert_eq!(receipt_in(&answer).unwrap().digest, delivery.digest);
    assert_eq!(examiner.incoming(delivery.id()).unwrap().state, IncomingState::Received);
    assert_eq!(std::fs::read_dir(folder.path().join("uploads")).unwrap().count(), 0);
}

#[test]
fn what_a_crash_added_to_the_bytes_is_noticed_and_sent_anew() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    delivery.cut_at(&sites.examiner.exchange, 600);
    let name = &sites.examiner.files_in("uploads")[0];
    let path = sites.examiner.folder.join("exchange/uploads").join(name);
    std::fs::write(&path, [&delivery.body[..600], &[0; 100]].concat()).unwrap();
    let examiner = &sites.examiner.exchange;
    assert_eq!(delivery.standing(examiner), Some((700, false)));
    let answer = delivery.finish(examiner, 700);
    assert_eq!(refusal(&answer).kind, ErrorKind::DigestMismatch);
    assert!(Problem::from_response(&answer).retry_after.is_some(), "it can be tried again");
    is_received(&sites, &delivery, &ask(examiner, &delivery.resumable(), &mut delivery.body.as_slice()));
}

#[test]
fn an_upload_that_is_not_wanted_any_more_is_removed() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(1000));
    let examiner = &sites.examiner.exchange;
    let end =
        || ask(examiner, &delivery.question(Route::UploadEnd(delivery.id())), &mut io::empty()).status();
    assert_eq!(end(), 404);
    delivery.cut_at(examiner, 600);
    assert_eq!((end(), end()), (204, 404));
    assert!(sites.examiner.files_in("uploads").is_empty());
    assert_eq!(delivery.finish(examiner, 600).status(), 404);
}

/// A body that comes when the test lets it come.
struct Fed(Receiver<Vec<u8>>);

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(bytes) = self.0.recv() else { return Ok(0) };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

#[test]
fn of_two_requests_for_one_upload_the_later_goes_on() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(100));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 40);
    std::thread::scope(|scope| {
        let (feed, fed) = channel();
        let first = scope.spawn(|| ask(examiner, &delivery.rest(40), &mut Fed(fed)));
        feed.send(delivery.body[40..60].to_vec()).unwrap();
        // Its sender lost the connection, and is back: a part at the wrong place changes nothing for the first.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let answer = delivery.finish(examiner, 99);
            if answer.headers().get("upload-offset") == Some("60") {
                break;
            }
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        assert_eq!(delivery.standing(examiner), Some((60, false)));
        // From here on the first has no say, whatever its connection still brings.
        feed.send(vec![0; 30]).unwrap();
        let stopped = first.join().unwrap();
        assert_eq!((stopped.status(), refusal(&stopped).kind), (409, ErrorKind::WrongState));
        assert_eq!(delivery.standing(examiner), Some((60, false)));
    });
    is_received(&sites, &delivery, &delivery.finish(examiner, 60));
}

#[test]
fn many_requests_for_one_upload_leave_one_whole_package() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, noise(300_000));
    let examiner = &sites.examiner.exchange;
    delivery.cut_at(examiner, 100_000);
    let answers: Vec<Response> = std::thread::scope(|scope| {
        let threads = [(); 6].map(|()| scope.spawn(|| delivery.finish(examiner, 100_000)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in answers.iter().filter(|answer| answer.status() != 200) {
        assert!([404, 409].contains(&answer.status()), "{:?}", Problem::from_response(answer));
        assert!(Problem::from_response(answer).retry_after.is_some());
    }
    let received = answers.iter().find(|answer| answer.status() == 200).expect("the last to come wins");
    is_received(&sites, &delivery, received);
}

#[test]
fn a_site_tells_that_it_keeps_uploads() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, vec![1]);
    let examiner = &sites.examiner.exchange;
    let answer = ask(examiner, &delivery.question(Route::UploadLimits), &mut io::empty());
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers().get("accept-patch"), Some(PARTIAL_UPLOAD_MEDIA_TYPE));
    assert_eq!(answer.headers().get("upload-limit"), Some("max-size=262144000, max-age=86400"));
    let route = Route::UploadOffset(PackageId::generate());
    let nothing = ask(examiner, &delivery.question(route), &mut io::empty());
    assert_eq!(
        (nothing.status(), nothing.headers().get("accept-patch")),
        (404, Some(PARTIAL_UPLOAD_MEDIA_TYPE))
    );
}
