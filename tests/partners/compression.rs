//! What packages to a partner are compressed with: the partner's own setting, for claims and for trials.

use crate::support::{Setup, TwoSites, examiner_site, id, put_document, sealed_path};
use claimwire::codec::{Compression, OpeningKey, decrypt_bytes};
use claimwire::exchange::TrialOptions;
use std::fs;

const ZSTD: u16 = 93;

fn sites(compression: Compression) -> TwoSites {
    TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |partner| partner.compressing_with(compression)),
        ..Setup::default()
    })
}

/// The method of each entry of the one package that waits in the insurer's outbox.
fn methods(sites: &TwoSites) -> Vec<u16> {
    let sealed = fs::read(sealed_path(&sites.insurer, "outbox")).unwrap();
    let archive = decrypt_bytes(&OpeningKey::from(sites.keys.legacy.clone()), &sealed).unwrap();
    let central = archive.windows(4).enumerate().filter(|(_, window)| *window == b"PK\x01\x02");
    central.map(|(at, _)| u16::from_le_bytes([archive[at + 10], archive[at + 11]])).collect()
}

#[test]
fn each_partner_gets_what_its_settings_say_and_reads_either() {
    for compression in [Compression::Deflate, Compression::Zstd] {
        let sites = sites(compression);
        let claim = sites.claim_at_insurer();
        let report = b"Left knee: sprain. Physiotherapy twice a week.\n".repeat(100);
        put_document(&sites.insurer, &claim, "D-2", "history.txt", &report);
        let package = sites.export(&claim).unwrap().package.id;
        let is_zstd = compression == Compression::Zstd;
        assert_eq!(methods(&sites).contains(&ZSTD), is_zstd);
        sites.insurer.exchange.send(package, &()).unwrap();
        sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
        assert_eq!(sites.examiner.bytes(&claim, &id("ON-INS/D-2")), report);
    }
}

#[test]
fn a_trial_tries_the_compression_too() {
    let sites = sites(Compression::Zstd);
    let report = sites.insurer.exchange.try_partner(&examiner_site(), &TrialOptions::by("admin")).unwrap();
    assert!(report.passed(), "{report:#?}");
}
