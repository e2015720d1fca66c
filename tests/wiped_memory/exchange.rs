//! One whole exchange over HTTPS, there and back: of the secrets of both sites nothing is left when all of it is dropped.

use super::process::{Lent, Secret};
use super::support::{Keys, LateEndpoint, Setup, TwoSites, add_note};
use super::transport::forms_of;
use super::transport_tls::Authority;
use super::{base64, noise, only};
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing};
use claimwire::ledger::OutgoingState;
use claimwire::protocol::SigningKey;
use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
use claimwire::transport::{HttpsSettings, HttpsTransport};
use std::sync::Arc;
use std::time::Duration;

const SITES: [[&str; 7]; 2] = [
    [
        "insurer roots",
        "insurer chain",
        "insurer key",
        "insurer client chain",
        "insurer client key",
        "insurer client roots",
        "insurer token",
    ],
    [
        "examiner roots",
        "examiner chain",
        "examiner key",
        "examiner client chain",
        "examiner client key",
        "examiner client roots",
        "examiner token",
    ],
];

/// What a process plays.
pub(crate) fn play(_: &str, lent: &Lent) -> Vec<u8> {
    let doors = [Arc::new(LateEndpoint::default()), Arc::new(LateEndpoint::default())];
    let running = [0, 1].map(|of: usize| {
        let [_, chain, key, _, _, clients, _] = SITES[of];
        let tls = lent.lend_text(chain, |chain| lent.lend_text(key, |key| TlsSettings::new(chain, key)));
        let tls = lent.lend_text(clients, |clients| tls.require_client_certificates(clients));
        Receiver::bind("127.0.0.1:0", tls, doors[of].clone(), ReceiverSettings::default()).unwrap()
    });
    let [to_insurer, to_examiner] = [0, 1].map(|of: usize| {
        let [roots, _, _, chain, key, _, token] = SITES[of];
        let settings =
            HttpsSettings::new(&format!("https://127.0.0.1:{}", running[of].local_addr().port())).unwrap();
        let settings = lent.lend_text(roots, |roots| settings.root_certificates(roots));
        let settings = lent.lend_text(token, |token| settings.bearer_token(token));
        let settings =
            lent.lend_text(chain, |chain| lent.lend_text(key, |key| settings.client_certificate(chain, key)));
        HttpsTransport::new(settings).unwrap()
    });
    let keys = Keys {
        insurer_signs: lent
            .lend_text("insurer signs", |text| SigningKey::from_secret_text("on-ins-1", text))
            .unwrap(),
        examiner_signs: lent
            .lend_text("examiner signs", |text| SigningKey::from_secret_text("imex-1", text))
            .unwrap(),
        legacy: lent.lend("password", |password| DesMd5Key::new(password, Framing::SaltPrefix)).unwrap(),
        identity: lent.lend_text("identity", str::parse::<AgeIdentity>).unwrap(),
    };
    let sites = TwoSites::with(Setup {
        keys,
        insurer_of_examiner: Box::new(|partner| partner.reached_by(to_examiner)),
        examiner_of_insurer: Box::new(|partner| partner.reached_by(to_insurer)),
        ..Setup::default()
    });
    doors[0].open(&sites.insurer.exchange);
    doors[1].open(&sites.examiner.exchange);
    drop(doors);

    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Unpacked);
    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    let back = sites.deliver_back(&claim);
    assert_eq!(sites.examiner.exchange.poll(back).unwrap().state, OutgoingState::Unpacked);

    drop(sites);
    running.into_iter().for_each(|running| running.shutdown(Duration::from_secs(10)).unwrap());
    Vec::new()
}

#[test]
fn of_the_secrets_of_both_sites_nothing_is_left_after_an_exchange_there_and_back() {
    let mut lent: Vec<Secret> = Vec::new();
    let mut sought: Vec<Secret> = Vec::new();
    for ([roots, chain, key, client_chain, client_key, clients, token], seed) in
        SITES.into_iter().zip([21, 22])
    {
        let (servers, authority) = (Authority::new(), Authority::new());
        let (server, client) = (servers.server(), authority.client());
        sought.extend(forms_of(&server.key));
        sought.extend(forms_of(&client.key));
        let secret = base64(&noise(seed, 48));
        sought.push((token, secret.clone().into_bytes()));
        lent.extend(
            [
                (roots, servers.pem),
                (chain, server.chain),
                (key, server.key),
                (client_chain, client.chain),
                (client_key, client.key),
                (clients, authority.pem),
                (token, secret),
            ]
            .map(|(name, text)| (name, text.into_bytes())),
        );
    }
    for (name, seed) in [("insurer signs", 23), ("examiner signs", 24)] {
        let bytes = noise(seed, 32);
        lent.push((name, format!("ed25519-secret:{}", base64(&bytes)).into_bytes()));
        sought.extend(super::keys::forms_of_a_seed(&bytes));
    }
    let identity = AgeIdentity::generate().to_secret_string().expose().as_bytes().to_vec();
    sought.extend(super::keys::forms_of_an_identity(&identity));
    let password = base64(&noise(25, 15)).into_bytes();
    sought.push(("the password", password.clone()));
    lent.extend([("identity", identity), ("password", password)]);
    only(&["insurer token", "examiner token"], "an exchange", lent, |_| sought);
}
