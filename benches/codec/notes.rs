//! Small packages: what one costs apart from its key and its files, what a thousand leave in memory, and what it saves to
//! seal a thousand in one call.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;

use claimwire::codec::{
    ArchiveWriter, Encryptor, Limits, OpeningKey, PackOptions, SealingKey, UnpackOptions, decompress_bytes,
    decrypt_bytes, encrypt, encrypt_batch, encrypt_bytes, pack, unpack,
};

use crate::corpus;
use crate::kernels::{NOTE, Outcome, age, des_md5, iterated};
use crate::spent::{median, processor, resident};

const PACKAGES: u32 = 1_000;
const ROUNDS: u32 = 7;
const MOST_MICROSECONDS: f64 = 200.0;
const MOST_GROWTH_KIB: u64 = 1 << 10;

/// Prints the figures, and fails above 200 microseconds each way or a MiB of growth.
pub(crate) fn measure() -> Outcome<()> {
    let mut within = true;
    println!("{:<8} {:>10} {:>12} {:>18}", "suite", "pack us", "unpack us", "growth of 1,000");
    for (suite, keys) in [("des-md5", des_md5()?), ("age", age())] {
        let (packing, unpacking) = time(&keys)?;
        let growth = growth(&keys)?;
        println!("{suite:<8} {packing:>10.1} {unpacking:>12.1} {growth:>14} KiB");
        within &= packing.max(unpacking) <= MOST_MICROSECONDS && growth <= MOST_GROWTH_KIB;
    }
    seal_many()?;
    if within { Ok(()) } else { Err("a note package costs more than it may".into()) }
}

/// Prints what sealing costs, key and all, when each package is sealed by itself and when all are sealed in one call.
fn seal_many() -> Outcome<()> {
    let note = corpus::report(NOTE).content()?;
    println!("{:<8} {:>10} {:>12}", "suite", "alone us", "in batch us");
    for (suite, key) in [("des-md5", iterated()?), ("age", age().0)] {
        let alone = microseconds(&|| Ok(encrypt(&key, &note[..], io::sink()).map(drop)?))?;
        let batch = share(&|| {
            encrypt_batch(&key, (0..PACKAGES).map(|_| (&note[..], io::sink())))?;
            Ok(())
        })?;
        println!("{suite:<8} {alone:>10.1} {batch:>12.1}");
    }
    Ok(())
}

/// The claim file, the manifest and the documents of a note package.
fn entries() -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let mut rest = corpus::report(NOTE).content()?;
    let manifest = rest.split_off(rest.len() - 2_000);
    let letter = rest.split_off(rest.len() - 6_000);
    Ok(vec![("documents/ON-INS/D-1/letter.txt", letter), ("claim.json", rest), ("manifest.json", manifest)])
}

/// The microseconds of packing and of unpacking in memory; what sealing and opening nothing costs, which is the key's
/// share, is taken off.
fn time((sealing, opening): &(SealingKey, OpeningKey)) -> Outcome<(f64, f64)> {
    let entries = entries()?;
    let options = PackOptions::default().with_threads(NonZeroUsize::MIN);
    let pack = || -> Outcome<Vec<u8>> {
        let mut archive = ArchiveWriter::with_options(Encryptor::new(sealing, Vec::new())?, &options);
        for (name, content) in &entries {
            archive.add(name, &content[..])?;
        }
        Ok(archive.finish()?.finish()?)
    };
    let packed = pack()?;
    let empty = encrypt_bytes(sealing, b"")?;
    let packing = microseconds(&|| pack().map(drop))?;
    let unpacking = microseconds(&|| {
        let archive = decrypt_bytes(opening, &packed)?;
        decompress_bytes(&archive, &Limits::default())?;
        Ok(())
    })?;
    let sealing_nothing = microseconds(&|| {
        encrypt_bytes(sealing, b"")?;
        Ok(())
    })?;
    let opening_nothing = microseconds(&|| {
        decrypt_bytes(opening, &empty)?;
        Ok(())
    })?;
    Ok((packing - sealing_nothing, unpacking - opening_nothing))
}

/// The processor's time of one, when a thousand are done one after the other.
fn microseconds(work: &dyn Fn() -> Outcome<()>) -> Outcome<f64> {
    work()?;
    share(&|| (0..PACKAGES).try_for_each(|_| work()))
}

/// What one has of the processor's time of a thousand: the median of several rounds.
fn share(thousand: &dyn Fn() -> Outcome<()>) -> Outcome<f64> {
    let round = |_| {
        let begun = processor()?;
        thousand()?;
        Ok((processor()? - begun).as_secs_f64() * 1e6 / f64::from(PACKAGES))
    };
    Ok(median((0..ROUNDS).map(round).collect::<Outcome<_>>()?))
}

/// The KiB that this process holds more after a thousand packages from directory to directory than after the first
/// fifty, which fill what is kept for reuse.
fn growth((sealing, opening): &(SealingKey, OpeningKey)) -> Outcome<u64> {
    let folder = tempfile::tempdir()?;
    let (from, sealed, to) =
        (folder.path().join("from"), folder.path().join("sealed"), folder.path().join("to"));
    corpus::write(&[corpus::report(NOTE)], &from)?;
    let one = || -> Outcome<()> {
        pack(&from, sealing, File::create(&sealed)?, &PackOptions::default(), &())?;
        unpack(&File::open(&sealed)?, opening, &to, &UnpackOptions::default(), &())?;
        Ok(fs::remove_dir_all(&to)?)
    };
    for _ in 0..50 {
        one()?;
    }
    let before = resident()?;
    for _ in 0..PACKAGES {
        one()?;
    }
    Ok(resident()?.saturating_sub(before))
}
