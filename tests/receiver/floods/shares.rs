//! Partners in numbers: one that lets its requests stand still holds its share of the receiver and no more, and keeps
//! neither another partner nor a shutdown waiting.

use super::*;
use claimwire::exchange::Partner;

/// A request of this partner whose body does not come.
fn stalls(site: &Site, proven: &Told<()>, partner: &str) -> Tls {
    let mut stream = site.connect();
    ask(&mut stream, &format!("POST /{partner} HTTP/1.1\r\nContent-Length: 5"));
    proven.recv().unwrap();
    stream
}

/// What becomes of a request of this partner that has no body.
fn asks(site: &Site, partner: &str) -> String {
    let mut stream = site.connect();
    ask(&mut stream, &format!("POST /{partner} HTTP/1.1\r\nContent-Length: 0"));
    answer_of(stream)
}

#[track_caller]
fn is_told_to_come_back(answer: &str, words: &str) {
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(words), "{answer}");
    assert!(answer.to_lowercase().contains("\r\nretry-after: "), "{answer}");
}

#[test]
fn a_partner_that_stalls_holds_half_and_all_others_are_served() {
    let Gated { endpoint, proven, .. } = gated();
    let site = site(endpoint, |limits| limits.max_requests = 4);
    let mut stalled = [stalls(&site, &proven, "A"), stalls(&site, &proven, "A")];
    for _ in 0..3 {
        is_told_to_come_back(&asks(&site, "A"), "2 requests of A");
        for other in ["B", "C", "D"] {
            assert!(asks(&site, other).starts_with("HTTP/1.1 200"));
        }
    }
    // Each of its own that ends makes room for the next.
    stalled[0].write_all(b"claim").unwrap();
    assert!(answer_of(&mut stalled[0]).ends_with("claim"));
    assert!(asks(&site, "A").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_connection_that_breaks_gives_its_slot_back_to_its_partner() {
    let Gated { endpoint, proven, .. } = gated();
    let site = site(endpoint, |limits| limits.max_requests = 1);
    drop(stalls(&site, &proven, "A"));
    // The receiver notices in its own time.
    let until = Instant::now() + FAR_OFF / 10;
    while !asks(&site, "A").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "the slot is not given back");
        std::thread::yield_now();
    }
}

#[test]
fn the_settings_make_a_share_less_and_leave_each_partner_one() {
    for (most, share) in [(1, 1), (0, 1), (100, 4)] {
        let Gated { endpoint, proven, .. } = gated();
        let site = site(endpoint, |limits| {
            (limits.max_requests, limits.max_requests_per_partner) = (8, Some(most));
        });
        let stalled: Vec<Tls> = (0..share).map(|_| stalls(&site, &proven, "A")).collect();
        is_told_to_come_back(&asks(&site, "A"), &format!("{share} requests of A"));
        assert!(asks(&site, "B").starts_with("HTTP/1.1 200"));
        drop(stalled);
    }
}

#[test]
fn a_shutdown_waits_for_the_share_of_a_partner_and_for_nothing_above_it() {
    let Gated { endpoint, proven, .. } = gated();
    let site = site(endpoint, |limits| (limits.max_requests, limits.drain) = (2, FAR_OFF));
    let mut stalled = stalls(&site, &proven, "A");
    // Refused, with its body still to come.
    let mut above = site.connect();
    ask(&mut above, "POST /A HTTP/1.1\r\nContent-Length: 5");
    let mut status = [0; 12];
    above.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 503");
    let stopping = std::thread::spawn(move || site.running.shutdown(FAR_OFF));
    answer_of(above);
    assert!(!stopping.is_finished());
    stalled.write_all(b"claim").unwrap();
    assert!(answer_of(stalled).ends_with("claim"));
    stopping.join().unwrap().unwrap();
}

/// A signed head, whose body does not come.
fn begins(site: &Site, delivery: &Delivery) -> Tls {
    let mut stream = site.connect();
    write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\n").unwrap();
    for (name, value) in delivery.request().headers().iter() {
        write!(stream, "{name}: {value}\r\n").unwrap();
    }
    // The receiver says when it wants the body: then the slot is taken.
    write!(stream, "Expect: 100-continue\r\n\r\n").unwrap();
    stream.flush().unwrap();
    stream
}

#[test]
fn a_package_comes_in_at_once_beside_a_partner_that_stalls_with_all_it_can() {
    let (sites, third) = with_a_third();
    let known = Partner::new(third_site(), "Third Party")
        .open_with(1, sites.keys.legacy.clone())
        .verify_with(third.verifying_key());
    sites.examiner.exchange.set_partner(known);
    let site = site(sites.examiner.exchange.clone(), |limits| limits.max_requests = 4);
    let delivery = || Delivery::new(&sites, vec![7; 50_000]);
    let mut status = [0; 12];
    let mut stalled = Vec::new();
    for _ in 0..2 {
        let mut stream = begins(&site, &delivery());
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 100");
        stalled.push(stream);
    }
    let mut above = begins(&site, &delivery());
    above.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 503");

    let other = delivery().with(|it| {
        (it.envelope.from, it.signer) = (third_site(), third.clone());
        // The transport says it.
        it.declared = None;
    });
    let mut body = &other.body[..];
    let sent = site.transport().send(&other.request(), Body::new(50_000, &mut body)).unwrap();
    let Reply::Answered(answer) = sent else { panic!() };
    assert_eq!(answer.status(), 200, "{:?}", Problem::from_response(&answer));
    assert_eq!(sites.examiner.exchange.incoming(other.id()).unwrap().size, 50_000);
}
