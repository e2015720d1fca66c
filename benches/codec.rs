//! Throughput of the four verbs of the codec, by size and by suite: `cargo bench --bench codec`.
//!
//! `compress` and `decompress` run over one document of bill lines (deflated, about 4 : 1) and over one scan (stored).

use std::io;

use claimwire::codec::{
    AgeIdentity, DesMd5Key, Framing, Limits, OpeningKey, SealingKey, compress_bytes, decompress_bytes,
    decrypt, encrypt, encrypt_bytes,
};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

const SIZES: [usize; 3] = [4 << 10, 1 << 20, 64 << 20];

fn main() {
    divan::main();
}

/// A document of `length` bytes that does not compress: a linear congruential generator (Knuth's MMIX), fixed seed.
fn scan(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

/// A document of `length` bytes as a workshop's bill has them.
fn bill(length: usize) -> Vec<u8> {
    let mut lines = Vec::with_capacity(length + 64);
    for (number, noise) in scan(length / 16 + 1).chunks(4).enumerate() {
        let price: u32 = noise.iter().map(|byte| u32::from(*byte)).product();
        lines.extend(format!("{number};windscreen, tinted;{};{price};EUR;19%\n", price % 7).bytes());
        if lines.len() >= length {
            break;
        }
    }
    lines.truncate(length);
    lines
}

fn des_md5() -> claimwire::Result<(SealingKey, OpeningKey)> {
    let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?;
    Ok((key.clone().into(), key.into()))
}

fn age() -> claimwire::Result<(SealingKey, OpeningKey)> {
    let identity = AgeIdentity::generate();
    Ok((identity.recipient().into(), identity.into()))
}

fn bench_encrypt(bencher: Bencher, size: usize, keys: claimwire::Result<(SealingKey, OpeningKey)>) {
    let Ok((sealing, _)) = keys else { return };
    let plaintext = scan(size);
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| encrypt(&sealing, black_box(&plaintext[..]), io::sink()));
}

fn bench_decrypt(bencher: Bencher, size: usize, keys: claimwire::Result<(SealingKey, OpeningKey)>) {
    let Ok((sealing, opening)) = keys else { return };
    let Ok(sealed) = encrypt_bytes(&sealing, &scan(size)) else { return };
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| decrypt(&opening, black_box(&sealed[..]), io::sink()));
}

#[divan::bench(args = SIZES)]
fn encrypt_des_md5(bencher: Bencher, size: usize) {
    bench_encrypt(bencher, size, des_md5());
}

#[divan::bench(args = SIZES)]
fn decrypt_des_md5(bencher: Bencher, size: usize) {
    bench_decrypt(bencher, size, des_md5());
}

#[divan::bench(args = SIZES)]
fn encrypt_age(bencher: Bencher, size: usize) {
    bench_encrypt(bencher, size, age());
}

#[divan::bench(args = SIZES)]
fn decrypt_age(bencher: Bencher, size: usize) {
    bench_decrypt(bencher, size, age());
}

#[divan::bench(args = SIZES)]
fn compress_bill(bencher: Bencher, size: usize) {
    let content = bill(size);
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| compress_bytes([("bill.csv", black_box(&content))]));
}

#[divan::bench(args = SIZES)]
fn decompress_bill(bencher: Bencher, size: usize) {
    let Ok(archive) = compress_bytes([("bill.csv", bill(size))]) else { return };
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| decompress_bytes(black_box(&archive), &Limits::default()));
}

#[divan::bench(args = SIZES)]
fn compress_scan(bencher: Bencher, size: usize) {
    let content = scan(size);
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| compress_bytes([("scan.jpg", black_box(&content))]));
}

#[divan::bench(args = SIZES)]
fn decompress_scan(bencher: Bencher, size: usize) {
    let Ok(archive) = compress_bytes([("scan.jpg", scan(size))]) else { return };
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| decompress_bytes(black_box(&archive), &Limits::default()));
}
