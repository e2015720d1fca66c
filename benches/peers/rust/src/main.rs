//! Zip, then DES/MD5, both in memory, as one writes them from the examples of the crates.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Cursor};
use std::path::Path;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use md5::{Digest, Md5};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

type Outcome<T> = Result<T, Box<dyn Error>>;

const SALT: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["pack", directory, file, password] => pack(Path::new(directory), file, &fs::read_to_string(password)?),
        ["unpack", file, directory, password] => {
            unpack(file, Path::new(directory), &fs::read_to_string(password)?)
        }
        _ => Err("usage: claimwire-peer pack DIR FILE PASSWORD-FILE | unpack FILE DIR PASSWORD-FILE".into()),
    }
}

fn pack(directory: &Path, file: &str, password: &str) -> Outcome<()> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut paths = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a name in Unicode")?;
        archive.start_file(name, options)?;
        io::copy(&mut File::open(&path)?, &mut archive)?;
    }
    let archive = archive.finish()?.into_inner();
    let (key, iv) = derive(password, SALT);
    let mut sealed = SALT.to_vec();
    sealed.extend(cbc::Encryptor::<des::Des>::new(&key.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(&archive));
    Ok(fs::write(file, sealed)?)
}

fn unpack(file: &str, directory: &Path, password: &str) -> Outcome<()> {
    let mut sealed = fs::read(file)?;
    let (salt, sealed) = sealed.split_first_chunk_mut::<8>().ok_or("no salt")?;
    let (key, iv) = derive(password, *salt);
    let archive = cbc::Decryptor::<des::Des>::new(&key.into(), &iv.into())
        .decrypt_padded::<Pkcs7>(sealed)
        .map_err(|_| "wrong padding")?;
    let mut archive = ZipArchive::new(Cursor::new(archive))?;
    fs::create_dir_all(directory)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.enclosed_name().ok_or("a hostile name")?;
        io::copy(&mut entry, &mut File::create(directory.join(name))?)?;
    }
    Ok(())
}

/// PBKDF1 with MD5 and 1000 iterations (RFC 8018 section 5.1).
fn derive(password: &str, salt: [u8; 8]) -> ([u8; 8], [u8; 8]) {
    let mut hash = Md5::new().chain_update(password.trim_end()).chain_update(salt).finalize();
    for _ in 1..1000 {
        hash = Md5::digest(hash);
    }
    let (mut key, mut iv) = ([0; 8], [0; 8]);
    key.copy_from_slice(&hash[..8]);
    iv.copy_from_slice(&hash[8..]);
    (key, iv)
}
