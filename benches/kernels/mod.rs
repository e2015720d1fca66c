//! The codec's kernels on fixed inputs, through the public interface, for the benches that time them and the one that
//! counts their instructions.

// Each program uses its part of this module.
#![allow(dead_code)]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::num::{NonZeroU32, NonZeroUsize};

use claimwire::codec::{
    AgeIdentity, ArchiveWriter, Decryptor, DesMd5Key, Framing, Limits, OpeningKey, PackOptions, SealingKey,
    UnpackOptions, compress_bytes, decompress_bytes, encrypt, encrypt_batch, encrypt_bytes, pack, unpack,
};

use crate::corpus;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

pub(crate) const NAMES: [&str; 14] = [
    "des-md5-encrypt",
    "des-md5-batch",
    "des-md5-derive",
    "des-md5-notes",
    "des-md5-decrypt",
    "age-seal",
    "age-open",
    "deflate-1",
    "deflate-6",
    "inflate",
    "store",
    "restore",
    "pack-note",
    "unpack-note",
];

/// A note package is a claim file, a manifest and a few notes.
pub(crate) const NOTE: u64 = 20_000;

/// So many note packages, for one call.
pub(crate) const NOTES: u64 = 48;

/// A kernel that is ready to run: everything it needs was made.
pub(crate) struct Kernel {
    /// The bytes that one run takes in, or gives out where it decrypts or inflates.
    pub(crate) bytes: u64,
    run: Box<dyn FnMut() -> Outcome<()>>,
}

impl Kernel {
    fn new(bytes: u64, run: impl FnMut() -> Outcome<()> + 'static) -> Self {
        Self { bytes, run: Box::new(run) }
    }

    pub(crate) fn run(&mut self) -> Outcome<()> {
        (self.run)()
    }

    /// The kernel of this name over an input of `length` bytes; those of packages are over [`NOTE`] bytes, and those of
    /// batches of them over [`NOTES`] packages.
    pub(crate) fn prepare(name: &str, length: u64) -> Outcome<Self> {
        match name {
            "des-md5-encrypt" => sealing(des_md5()?.0, length),
            "des-md5-batch" => batching(des_md5()?.0, 3, length / 3),
            "des-md5-derive" => batching(iterated()?, NOTES, 8),
            "des-md5-notes" => batching(iterated()?, NOTES, NOTE),
            "des-md5-decrypt" => opening(des_md5()?, length),
            "age-seal" => sealing(age().0, length),
            "age-open" => opening(age(), length),
            "deflate-1" => archiving(report(length)?, PackOptions::default().with_level(1)),
            "deflate-6" => archiving(report(length)?, PackOptions::default().with_level(6)),
            "inflate" => restoring(report(length)?),
            "store" => archiving(scan(length)?, PackOptions::default()),
            "restore" => restoring(scan(length)?),
            "pack-note" => packing(des_md5()?.0),
            "unpack-note" => unpacking(des_md5()?),
            other => Err(format!("there is no kernel `{other}`").into()),
        }
    }
}

/// Keys whose derivation costs nothing beside what is measured.
pub(crate) fn des_md5() -> Outcome<(SealingKey, OpeningKey)> {
    let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?.with_iterations(NonZeroU32::MIN)?;
    Ok((key.clone().into(), key.into()))
}

/// A key with the iterations that are usual.
pub(crate) fn iterated() -> Outcome<SealingKey> {
    Ok(DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?.into())
}

pub(crate) fn age() -> (SealingKey, OpeningKey) {
    let identity = AgeIdentity::generate();
    (identity.recipient().into(), identity.into())
}

fn report(length: u64) -> Outcome<Vec<u8>> {
    Ok(corpus::report(length).content()?)
}

fn scan(length: u64) -> Outcome<Vec<u8>> {
    Ok(corpus::photo(length).content()?)
}

fn sealing(key: SealingKey, length: u64) -> Outcome<Kernel> {
    let plaintext = scan(length)?;
    Ok(Kernel::new(length, move || {
        encrypt(&key, &plaintext[..], io::sink())?;
        Ok(())
    }))
}

/// So many messages of `length` bytes in one call.
fn batching(key: SealingKey, messages: u64, length: u64) -> Outcome<Kernel> {
    let plaintext = scan(length)?;
    Ok(Kernel::new(messages * length, move || {
        encrypt_batch(&key, (0..messages).map(|_| (&plaintext[..], io::sink())))?;
        Ok(())
    }))
}

fn opening((sealing, opening): (SealingKey, OpeningKey), length: u64) -> Outcome<Kernel> {
    let sealed = encrypt_bytes(&sealing, &scan(length)?)?;
    let mut plaintext = vec![0; 64 << 10];
    Ok(Kernel::new(length, move || {
        let mut decryptor = Decryptor::new(&opening, &sealed[..])?;
        while decryptor.read(&mut plaintext)? > 0 {}
        Ok(())
    }))
}

fn archiving(content: Vec<u8>, options: PackOptions) -> Outcome<Kernel> {
    let options = options.with_threads(NonZeroUsize::MIN);
    Ok(Kernel::new(content.len() as u64, move || {
        let mut archive = ArchiveWriter::with_options(io::sink(), &options);
        archive.add("document", &content[..])?;
        archive.finish()?;
        Ok(())
    }))
}

fn restoring(content: Vec<u8>) -> Outcome<Kernel> {
    let archive = compress_bytes([("document", &content)])?;
    Ok(Kernel::new(content.len() as u64, move || {
        decompress_bytes(&archive, &Limits::default())?;
        Ok(())
    }))
}

fn packing(key: SealingKey) -> Outcome<Kernel> {
    let folder = tempfile::tempdir()?;
    corpus::write(&[corpus::report(NOTE)], folder.path())?;
    let options = PackOptions::default().with_threads(NonZeroUsize::MIN);
    Ok(Kernel::new(NOTE, move || {
        pack(folder.path(), &key, io::sink(), &options, &())?;
        Ok(())
    }))
}

fn unpacking((sealing, opening): (SealingKey, OpeningKey)) -> Outcome<Kernel> {
    let folder = tempfile::tempdir()?;
    let from = folder.path().join("from");
    corpus::write(&[corpus::report(NOTE)], &from)?;
    pack(&from, &sealing, File::create(folder.path().join("sealed"))?, &PackOptions::default(), &())?;
    let options = UnpackOptions::default().with_threads(NonZeroUsize::MIN);
    Ok(Kernel::new(NOTE, move || {
        let to = folder.path().join("to");
        unpack(&File::open(folder.path().join("sealed"))?, &opening, &to, &options, &())?;
        Ok(fs::remove_dir_all(&to)?)
    }))
}
