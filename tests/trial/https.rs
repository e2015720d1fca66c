//! A trial over real HTTPS: certificates of both sides, the address, and a partner that is not there.

use crate::support::*;
use crate::transport_tls::{Authority, Identity};
use claimwire::exchange::{TrialOptions, TrialReport};
use claimwire::protocol::{TrialOutcome, TrialSide};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{HttpsSettings, HttpsTransport};
use std::net::TcpListener;
use std::sync::Arc;

/// The examiner behind its HTTPS endpoint, below `/claimwire`.
struct Reached {
    sites: TwoSites,
    endpoint: Running,
}

impl Reached {
    fn new(server: Identity, clients: impl FnOnce(TlsSettings) -> TlsSettings) -> Self {
        let sites = TwoSites::with(Setup {
            examiner: Box::new(|settings| settings.at_base_path("/claimwire")),
            ..Setup::default()
        });
        let tls = clients(TlsSettings::new(server.chain, server.key));
        let exchange = Arc::new(sites.examiner.exchange.clone());
        let endpoint = Receiver::bind("127.0.0.1:0", tls, exchange, ReceiverSettings::default()).unwrap();
        Self { sites, endpoint }
    }

    fn address(&self, path: &str) -> HttpsSettings {
        HttpsSettings::new(&format!("https://127.0.0.1:{}{path}", self.endpoint.local_addr().port())).unwrap()
    }

    fn tried(&self, settings: HttpsSettings) -> TrialReport {
        let insurer = &self.sites.insurer;
        let partner = insurer.exchange.partner(&examiner_site()).unwrap();
        let transport = HttpsTransport::new(settings).unwrap();
        insurer.exchange.set_partner((*partner).clone().reached_by(transport));
        let report = insurer.exchange.try_partner(&examiner_site(), &TrialOptions::by("dana")).unwrap();
        for side in [&self.sites.insurer, &self.sites.examiner] {
            assert_eq!(stored(side), Vec::<String>::new());
        }
        report
    }
}

#[track_caller]
fn fails(report: &TrialReport, code: &str, side: TrialSide, words: &[&str]) {
    let failed: Vec<_> = report.failed().collect();
    assert_eq!(failed.len(), 1, "{report}");
    assert_eq!((failed[0].code.as_str(), failed[0].side), (code, side), "{report}");
    assert!(failed[0].remedy.is_some());
    for word in words {
        assert!(failed[0].message.contains(word), "`{word}` is not in: {}", failed[0].message);
    }
    // What needs no partner was checked all the same.
    assert!(
        report.checks.iter().any(|check| check.code == "settings" && check.outcome == TrialOutcome::Passed)
    );
}

#[test]
fn it_passes_with_certificates_on_both_sides() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let site = Reached::new(servers.server(), |tls| tls.require_client_certificates(clients.pem.as_str()));
    let client = clients.client();
    let settings = site.address("/claimwire").root_certificates(servers.pem.as_str());
    let report = site.tried(settings.client_certificate(client.chain, client.key));
    assert!(report.passed() && report.warnings().next().is_none(), "{report}");
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_with_the_reason() {
    let (servers, others) = (Authority::new(), Authority::new());
    let site = Reached::new(servers.server(), |tls| tls);
    let report = site.tried(site.address("/claimwire").root_certificates(others.pem.as_str()));
    fails(&report, "certificate", TrialSide::Either, &["unknown root"]);

    let expired = Reached::new(servers.expired_server(), |tls| tls);
    let report = expired.tried(expired.address("/claimwire").root_certificates(servers.pem.as_str()));
    fails(&report, "certificate", TrialSide::Either, &["has expired", "the partner has to renew it"]);

    let named = Reached::new(servers.server_for(&["exchange.example.com"]), |tls| tls);
    let report = named.tried(named.address("/claimwire").root_certificates(servers.pem.as_str()));
    fails(&report, "certificate", TrialSide::Either, &["another host name", "check the host in the URL"]);
}

#[test]
fn a_client_certificate_that_is_missing_or_refused_is_told() {
    let (servers, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let site = Reached::new(servers.server(), |tls| tls.require_client_certificates(clients.pem.as_str()));
    let address = || site.address("/claimwire").root_certificates(servers.pem.as_str());
    fails(&site.tried(address()), "certificate", TrialSide::Either, &["client certificate"]);
    let stranger = others.client();
    let report = site.tried(address().client_certificate(stranger.chain, stranger.key));
    fails(&report, "certificate", TrialSide::Either, &["client certificate"]);
}

#[test]
fn a_path_of_no_endpoint_is_told() {
    let servers = Authority::new();
    let site = Reached::new(servers.server(), |tls| tls);
    for path in ["", "/claims", "/claimwire/packages"] {
        let report = site.tried(site.address(path).root_certificates(servers.pem.as_str()));
        fails(&report, "address", TrialSide::Sender, &["path is not that of a claimwire endpoint", "404"]);
    }
}

#[test]
fn a_partner_that_is_not_there_is_told() {
    let servers = Authority::new();
    let site = Reached::new(servers.server(), |tls| tls);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = HttpsSettings::new(&format!("https://{nobody}/claimwire")).unwrap();
    let report = site.tried(settings.root_certificates(servers.pem.as_str()));
    fails(&report, "connection", TrialSide::Either, &["connection refused"]);
}
