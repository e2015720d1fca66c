//! Strangers cost a site no disk and bounded memory. Alone in its program, since it measures its whole process.

#![cfg(all(feature = "sqlite", feature = "age"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use claimwire::model::{PackageId, Timestamp};
use claimwire::protocol::{Endpoint, Peer, SigningKey, sign_request};
use std::path::PathBuf;
use support::*;

#[test]
fn strangers_cost_no_disk_and_bounded_memory() {
    let sites = TwoSites::new();
    let before = kept(&sites.examiner);
    let on_disk = |side: &Side| -> Vec<(PathBuf, u64)> {
        let mut found = Vec::new();
        let mut folders = vec![side.folder.join("exchange")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => found.push((entry.path(), entry.metadata().unwrap().len())),
                }
            }
        }
        found.sort();
        found
    };
    let files = on_disk(&sites.examiner);
    let stranger = SigningKey::generate("on-ins-1").unwrap();
    let memory = resident();
    for number in 0..2_000 {
        let mut delivery = Delivery::new(&sites, b"x".to_vec()).with(|it| it.signer = stranger.clone());
        delivery.declared = Some(1 << 20);
        let request = match number % 4 {
            0 => delivery.request(),
            1 => delivery.unsigned(),
            2 => bearing(delivery.unsigned(), "legacy-token-0123456789-abcdefghij"),
            _ => {
                let mut request = state_request(PackageId::generate(), &stranger);
                sign_request(&mut request, &stranger, Timestamp::now()).unwrap();
                request
            }
        };
        let mut body = CountedBody::of(1 << 20);
        let response = sites.examiner.exchange.answer(&request, &Peer::unknown(), &mut body);
        assert_eq!((response.status(), body.read), (401, 0));
    }
    let grown = resident().saturating_sub(memory);
    assert!(grown < 8 << 10, "memory grew by {grown} KiB");
    assert_eq!(on_disk(&sites.examiner), files);
    assert_eq!(kept(&sites.examiner), before);
}

/// The memory that this process has resident, in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}
