//! The S-boxes of DES as circuits. Generated: `cargo run --release -- emit` in tools/sboxes, which also found them.
//!
//! Each function takes an input bit where a gate first needs it, and gives an output bit as soon as it is known,
//! so that few values are alive at once. Bit 0 is the highest, as in FIPS 46-3.

use super::lanes::Lanes;

/// Gates AND, OR, XOR, NOT and AND NOT, 51.250 a box on average.
pub(super) mod gates {
    use super::Lanes;

    /// Box 1: 60 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s1<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a3 = input(3);
        let a5 = input(5);
        let x0 = a3.xor(a5);
        let a4 = input(4);
        let x1 = a4.xor(x0);
        let a0 = input(0);
        let x2 = a0.xor(a3);
        let x3 = x2.and_not(x1);
        let a2 = input(2);
        let x4 = a2.and_not(a3);
        let x5 = x3.and_not(a2);
        let x6 = x4.not();
        let x7 = x5.xor(x4);
        let x8 = x7.and(a0);
        let x9 = x6.xor(x8);
        let x10 = x1.and_not(a5);
        let x11 = x1.xor(x5);
        let a1 = input(1);
        let x12 = x9.and_not(a1);
        let x13 = a1.and_not(a5);
        let x14 = x2.xor(x13);
        let x15 = x11.xor(x12);
        let x16 = x15.or(x0);
        let x17 = x16.and(a2);
        let x18 = x14.xor(x17);
        let x19 = x18.and(x11);
        let x20 = x18.or(x3);
        let x21 = x18.and(a0);
        let x22 = x21.and_not(x8);
        let x23 = x10.xor(x21);
        let x24 = x23.and_not(a4);
        let x25 = x15.xor(x24);
        output(0, x25);
        let x26 = a1.xor(x19);
        let x27 = x19.or(x12);
        let x28 = x17.xor(x27);
        let x29 = x28.and(a4);
        let x30 = x26.xor(x29);
        let x31 = a1.xor(x22);
        let x32 = x31.and(a0);
        let x33 = x20.and_not(x32);
        let x34 = x33.and(a3);
        let x35 = x10.or(a2);
        let x36 = x15.xor(x35);
        let x37 = x36.xor(x32);
        let x38 = x37.or(x0);
        let x39 = x12.xor(x38);
        let x40 = x39.and_not(a0);
        let x41 = x37.and_not(a5);
        let x42 = x30.or(x10);
        let x43 = x30.xor(x41);
        output(2, x43);
        let x44 = x43.and(x15);
        let x45 = x31.and_not(x23);
        let x46 = x17.xor(x45);
        let x47 = x46.xor(x34);
        let x48 = x23.xor(x44);
        let x49 = x48.xor(x40);
        let x50 = x2.xor(x49);
        let x51 = x22.or(x50);
        let x52 = x51.and_not(a4);
        let x53 = x42.xor(x52);
        let x54 = x53.and(a2);
        let x55 = x49.xor(x54);
        output(1, x55);
        let x56 = x55.or(x40);
        let x57 = x5.xor(x56);
        let x58 = x57.and(a5);
        let x59 = x47.xor(x58);
        output(3, x59);
    }

    /// Box 2: 49 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s2<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a3 = input(3);
        let x0 = a3.not();
        let a4 = input(4);
        let a5 = input(5);
        let x1 = a4.xor(a5);
        let a0 = input(0);
        let x2 = a4.and(a0);
        let x3 = x2.or(a5);
        let x4 = x1.xor(x3);
        let x5 = a0.xor(x1);
        let a2 = input(2);
        let x6 = a2.and_not(a5);
        let x7 = x6.xor(x5);
        let x8 = a2.xor(x7);
        let x9 = x7.and_not(a0);
        let x10 = x0.and_not(x4);
        let x11 = x10.xor(x9);
        let x12 = x4.and_not(x0);
        let x13 = x6.xor(x12);
        let x14 = x8.and_not(x2);
        let x15 = x14.xor(x13);
        let x16 = x15.and_not(x5);
        let a1 = input(1);
        let x17 = a1.and_not(x11);
        let x18 = x15.xor(x17);
        let x19 = x18.not();
        output(0, x19);
        let x20 = a1.xor(x12);
        let x21 = x0.xor(x16);
        let x22 = x0.and_not(x3);
        let x23 = x6.xor(x22);
        let x24 = x23.and(a1);
        let x25 = x3.and_not(a2);
        let x26 = x20.and(x25);
        let x27 = x8.xor(x26);
        let x28 = x24.xor(x27);
        let x29 = x0.xor(x28);
        output(1, x29);
        let x30 = x0.xor(x20);
        let x31 = x25.or(x11);
        let x32 = a0.and_not(x25);
        let x33 = x2.xor(x32);
        let x34 = x21.and(a0);
        let x35 = x21.xor(x33);
        let x36 = x31.and_not(x34);
        let x37 = x36.and(x27);
        let x38 = x35.xor(x36);
        let x39 = x38.or(x3);
        let x40 = x34.xor(x39);
        let x41 = x40.and(a1);
        let x42 = x35.xor(x41);
        output(3, x42);
        let x43 = x42.and_not(x6);
        let x44 = x10.and_not(x43);
        let x45 = a2.xor(x44);
        let x46 = x37.or(x45);
        let x47 = x39.xor(x46);
        let x48 = x30.xor(x47);
        output(2, x48);
    }

    /// Box 3: 54 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s3<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a5 = input(5);
        let a3 = input(3);
        let x0 = a5.and_not(a3);
        let a2 = input(2);
        let x1 = a2.xor(x0);
        let a0 = input(0);
        let x2 = a0.and_not(x1);
        let x3 = a3.xor(x2);
        let x4 = x2.or(a2);
        let x5 = a2.xor(x3);
        let x6 = x3.and_not(a5);
        let x7 = a0.xor(x1);
        let x8 = x1.xor(x6);
        let x9 = a5.xor(x4);
        let x10 = x9.not();
        let x11 = x7.xor(x10);
        let x12 = x4.xor(x6);
        let x13 = x4.or(a5);
        let a4 = input(4);
        let x14 = x13.or(a4);
        let x15 = x5.and_not(a4);
        let x16 = a3.and_not(x9);
        let x17 = x16.xor(x14);
        let a1 = input(1);
        let x18 = a1.xor(x9);
        let x19 = x18.xor(x15);
        let x20 = x17.and(a1);
        let x21 = x11.and_not(a1);
        let x22 = x16.xor(x21);
        let x23 = x12.and(a4);
        let x24 = x7.xor(x23);
        let x25 = x24.xor(x20);
        output(1, x25);
        let x26 = x19.or(x7);
        let x27 = x25.xor(x26);
        let x28 = x27.and(a4);
        let x29 = x22.xor(x28);
        let x30 = x12.xor(x29);
        let x31 = x30.or(x27);
        let x32 = x31.and_not(a4);
        let x33 = x8.xor(x32);
        let x34 = x31.and_not(x6);
        let x35 = x29.and(a0);
        let x36 = x19.xor(x35);
        output(3, x36);
        let x37 = x36.or(x34);
        let x38 = x16.xor(x37);
        let x39 = x38.and(a0);
        let x40 = x34.and_not(x19);
        let x41 = x34.xor(x39);
        let x42 = x41.or(x25);
        let x43 = x42.and(a3);
        let x44 = x40.xor(x43);
        let x45 = x44.and_not(a1);
        let x46 = x41.and(a1);
        let x47 = x11.xor(x33);
        let x48 = x33.xor(x46);
        output(2, x48);
        let x49 = x48.and(x23);
        let x50 = x46.and_not(x49);
        let x51 = x50.and(a5);
        let x52 = x47.xor(x51);
        let x53 = x52.xor(x45);
        output(0, x53);
    }

    /// Box 4: 37 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s4<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a2 = input(2);
        let a0 = input(0);
        let x0 = a2.and(a0);
        let x1 = a0.xor(a2);
        let a1 = input(1);
        let x2 = a1.xor(x1);
        let a3 = input(3);
        let x3 = a3.xor(x0);
        let a4 = input(4);
        let x4 = x3.and_not(a4);
        let x5 = x2.xor(x4);
        let x6 = x1.and_not(a1);
        let x7 = a4.and_not(x6);
        let x8 = x3.xor(x7);
        let x9 = x8.or(a0);
        let x10 = x9.and_not(a3);
        let x11 = x10.and_not(x0);
        let x12 = a2.xor(x11);
        let x13 = a1.and_not(x12);
        let x14 = x5.and_not(a2);
        let x15 = x5.xor(x13);
        let x16 = x9.and(a4);
        let x17 = x16.xor(x15);
        let x18 = x3.and_not(x15);
        let x19 = x18.or(x6);
        let x20 = a4.xor(x18);
        let x21 = x3.xor(x17);
        let x22 = x20.and(x21);
        let x23 = x1.and_not(x14);
        let x24 = x14.xor(x22);
        let x25 = x24.or(x10);
        let x26 = x25.xor(x19);
        let a5 = input(5);
        let x27 = a5.and_not(x26);
        let x28 = x17.xor(x27);
        let x29 = x23.xor(x28);
        output(0, x29);
        let x30 = a5.not();
        let x31 = x29.xor(x30);
        let x32 = x26.xor(x31);
        output(1, x32);
        let x33 = x30.and_not(x24);
        let x34 = x15.xor(x33);
        output(2, x34);
        let x35 = x24.xor(x34);
        let x36 = a5.xor(x35);
        output(3, x36);
    }

    /// Box 5: 57 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s5<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a4 = input(4);
        let a5 = input(5);
        let x0 = a4.xor(a5);
        let a0 = input(0);
        let x1 = a0.xor(x0);
        let a2 = input(2);
        let x2 = a5.or(a2);
        let x3 = x2.and_not(x1);
        let x4 = x3.or(a4);
        let x5 = a2.xor(x4);
        let a1 = input(1);
        let a3 = input(3);
        let x6 = a1.xor(a3);
        let x7 = x6.and_not(a0);
        let x8 = x5.xor(x7);
        let x9 = x8.and(a5);
        let x10 = a0.xor(x9);
        let x11 = a3.and(a0);
        let x12 = x5.or(x11);
        let x13 = a3.xor(x12);
        let x14 = x10.and_not(a4);
        let x15 = x13.xor(x14);
        let x16 = x12.and_not(x13);
        let x17 = x3.xor(x16);
        let x18 = x15.and(a1);
        let x19 = x17.xor(x18);
        output(3, x19);
        let x20 = x10.and_not(x19);
        let x21 = x20.or(x11);
        let x22 = x7.xor(x21);
        let x23 = x17.and_not(a0);
        let x24 = x22.and_not(a3);
        let x25 = a5.xor(x6);
        let x26 = x12.xor(x25);
        let x27 = x26.xor(x24);
        let x28 = x10.xor(x27);
        let x29 = x28.or(x16);
        let x30 = x29.and_not(a5);
        let x31 = x17.xor(x30);
        let x32 = x31.or(x28);
        let x33 = x15.xor(x32);
        let x34 = x25.xor(x33);
        let x35 = x26.xor(x31);
        let x36 = x35.and(x1);
        let x37 = x34.or(x36);
        let x38 = x24.xor(x37);
        let x39 = a4.and_not(x38);
        let x40 = x35.xor(x39);
        let x41 = x33.and(a2);
        let x42 = x41.xor(x40);
        output(0, x42);
        let x43 = x29.xor(x31);
        let x44 = x31.and(x26);
        let x45 = x43.and(a2);
        let x46 = x27.xor(x45);
        output(1, x46);
        let x47 = x6.xor(x19);
        let x48 = x47.or(x36);
        let x49 = x23.or(x48);
        let x50 = x5.xor(x49);
        let x51 = x6.xor(x44);
        let x52 = x50.and(a4);
        let x53 = x51.and(a2);
        let x54 = x53.xor(x52);
        let x55 = x22.xor(x54);
        let x56 = x55.not();
        output(2, x56);
    }

    /// Box 6: 51 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s6<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a0 = input(0);
        let a4 = input(4);
        let x0 = a0.xor(a4);
        let x1 = x0.or(a4);
        let a1 = input(1);
        let x2 = a1.xor(x1);
        let a2 = input(2);
        let x3 = x2.or(a2);
        let x4 = a0.xor(x3);
        let a3 = input(3);
        let x5 = a4.and_not(a3);
        let x6 = x4.xor(x5);
        let x7 = x0.and(a2);
        let x8 = x7.and_not(a4);
        let x9 = a3.xor(x8);
        let x10 = x6.and_not(x9);
        let x11 = x2.xor(x10);
        let x12 = x8.xor(x11);
        let x13 = a3.and_not(x12);
        let x14 = x11.xor(x13);
        let x15 = a2.and_not(a3);
        let a5 = input(5);
        let x16 = a5.and_not(x14);
        let x17 = x16.xor(x15);
        let x18 = x17.or(a4);
        let x19 = x3.and(a5);
        let x20 = x11.and_not(x0);
        let x21 = x9.and_not(x20);
        let x22 = x21.xor(x19);
        let x23 = x22.and(x4);
        let x24 = x23.and(a5);
        let x25 = x7.xor(x24);
        let x26 = x11.xor(x25);
        let x27 = x19.xor(x26);
        output(3, x27);
        let x28 = a5.xor(x25);
        let x29 = x8.xor(x28);
        let x30 = x29.and_not(a3);
        let x31 = x24.xor(x30);
        let x32 = a2.xor(x31);
        let x33 = x21.and_not(a5);
        let x34 = x33.or(x32);
        let x35 = x33.or(a1);
        let x36 = x32.xor(x35);
        let x37 = x0.xor(x36);
        let x38 = x37.not();
        output(1, x38);
        let x39 = x38.or(x29);
        let x40 = x39.and(a5);
        let x41 = x18.xor(x40);
        let x42 = x41.and_not(a1);
        let x43 = x6.xor(x41);
        let x44 = x20.xor(x42);
        let x45 = x44.and_not(x29);
        let x46 = x43.not();
        output(0, x46);
        let x47 = x27.and(x46);
        let x48 = x47.or(x45);
        let x49 = x48.xor(x34);
        let x50 = x0.xor(x49);
        output(2, x50);
    }

    /// Box 7: 54 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s7<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a5 = input(5);
        let a3 = input(3);
        let x0 = a5.or(a3);
        let a2 = input(2);
        let x1 = a2.xor(a3);
        let x2 = a5.and(a2);
        let a1 = input(1);
        let x3 = x1.and_not(a1);
        let x4 = x3.xor(x0);
        let x5 = a1.xor(x1);
        let x6 = x5.xor(x2);
        let a4 = input(4);
        let x7 = x4.and(a4);
        let x8 = x7.or(x3);
        let x9 = x7.xor(x6);
        let a0 = input(0);
        let x10 = x5.or(a0);
        let x11 = a0.xor(x6);
        let x12 = a3.xor(x10);
        let x13 = x8.and_not(x11);
        let x14 = x10.xor(x13);
        let x15 = x8.and_not(a5);
        let x16 = x9.or(a5);
        let x17 = x16.and_not(a2);
        let x18 = x4.or(a4);
        let x19 = a4.xor(x11);
        let x20 = x17.and(a1);
        let x21 = x18.or(a0);
        let x22 = x18.xor(x20);
        let x23 = x15.xor(x22);
        let x24 = x23.and_not(a0);
        let x25 = x9.xor(x24);
        output(0, x25);
        let x26 = x19.or(x14);
        let x27 = x20.xor(x26);
        let x28 = x27.and_not(x23);
        let x29 = x17.and_not(x28);
        let x30 = x4.and_not(x29);
        let x31 = x26.and(x11);
        let x32 = x31.or(x1);
        let x33 = x32.xor(x30);
        let x34 = a5.and_not(x33);
        let x35 = x25.xor(x21);
        let x36 = x34.xor(x35);
        let x37 = x23.xor(x36);
        let x38 = x37.not();
        output(1, x38);
        let x39 = x19.xor(x31);
        let x40 = x39.or(x12);
        let x41 = x14.and(a5);
        let x42 = a1.and_not(x41);
        let x43 = x19.xor(x42);
        let x44 = x29.xor(x43);
        output(3, x44);
        let x45 = x25.and_not(a1);
        let x46 = a5.xor(x45);
        let x47 = x26.and_not(x46);
        let x48 = x47.or(a2);
        let x49 = x48.or(x15);
        let x50 = x45.xor(x49);
        let x51 = x40.xor(x50);
        let x52 = x21.and_not(x51);
        let x53 = x11.xor(x52);
        output(2, x53);
    }

    /// Box 8: 48 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s8<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a0 = input(0);
        let a2 = input(2);
        let x0 = a0.xor(a2);
        let x1 = x0.and(a0);
        let a4 = input(4);
        let x2 = a4.xor(x0);
        let a3 = input(3);
        let x3 = a3.xor(x1);
        let a1 = input(1);
        let x4 = x1.or(a1);
        let x5 = a0.and_not(a3);
        let x6 = x5.or(a1);
        let x7 = x4.and(x5);
        let x8 = a3.xor(x4);
        let x9 = a3.and_not(x2);
        let x10 = x7.or(x3);
        let a5 = input(5);
        let x11 = x7.or(a5);
        let x12 = a1.xor(x11);
        let x13 = x10.and_not(a1);
        let x14 = x13.xor(x6);
        let x15 = x3.xor(x14);
        let x16 = x12.or(x9);
        let x17 = x14.xor(x2);
        let x18 = x15.and(a4);
        let x19 = x18.xor(x16);
        let x20 = x10.and_not(a4);
        let x21 = a0.and_not(a5);
        let x22 = x4.and_not(x13);
        let x23 = x19.or(a5);
        let x24 = x8.and_not(x20);
        let x25 = x24.xor(x17);
        let x26 = x14.xor(x25);
        let x27 = x26.not();
        let x28 = x13.xor(x27);
        let x29 = x28.xor(x23);
        output(0, x29);
        let x30 = x21.or(x27);
        let x31 = x30.and_not(a4);
        let x32 = x25.or(a4);
        let x33 = x8.xor(x12);
        let x34 = x8.xor(x32);
        let x35 = x22.and_not(x21);
        let x36 = x35.or(a2);
        let x37 = x36.xor(x33);
        let x38 = x31.xor(x37);
        let x39 = x35.xor(x38);
        output(1, x39);
        let x40 = x15.and(a5);
        let x41 = x40.and(x17);
        let x42 = x21.xor(x41);
        let x43 = x42.xor(x34);
        output(2, x43);
        let x44 = x43.and(x20);
        let x45 = x38.xor(x44);
        let x46 = x45.and(a5);
        let x47 = x28.xor(x46);
        output(3, x47);
    }
}

/// Lookups of three inputs, 30.000 a box on average.
pub(super) mod lookups {
    use super::Lanes;

    /// Box 1: 31 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s1<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a3 = input(3);
        let a4 = input(4);
        let a5 = input(5);
        let x0 = L::lookup::<0xb6>(a3, a4, a5);
        let a2 = input(2);
        let x1 = L::lookup::<0x56>(a4, a2, x0);
        let x2 = L::lookup::<0xc7>(a2, a5, x1);
        let x3 = L::lookup::<0x67>(x1, a4, x2);
        let a0 = input(0);
        let x4 = L::lookup::<0x4b>(a0, x0, x2);
        let x5 = L::lookup::<0x8b>(a0, a2, a3);
        let x6 = L::lookup::<0x67>(x1, x3, x5);
        let x7 = L::lookup::<0x1a>(a3, x3, x4);
        let x8 = L::lookup::<0x52>(a3, x6, x4);
        let x9 = L::lookup::<0xac>(a0, x3, x1);
        let a1 = input(1);
        let x10 = L::lookup::<0x69>(a1, x1, x3);
        let x11 = L::lookup::<0x9c>(a0, x1, x7);
        let x12 = L::lookup::<0xca>(a1, x6, x9);
        output(0, x12);
        let x13 = L::lookup::<0x9a>(x0, x12, x10);
        let x14 = L::lookup::<0xd4>(x9, x7, x10);
        let x15 = L::lookup::<0xca>(a0, x13, x14);
        let x16 = L::lookup::<0x1d>(a2, a4, x7);
        let x17 = L::lookup::<0xca>(a1, x16, x7);
        let x18 = L::lookup::<0xac>(a5, x15, x17);
        output(2, x18);
        let x19 = L::lookup::<0xb1>(x5, x16, x15);
        let x20 = L::lookup::<0xac>(a5, x11, x8);
        let x21 = L::lookup::<0x6c>(x6, x16, x20);
        let x22 = L::lookup::<0x1e>(a2, x8, x20);
        let x23 = L::lookup::<0x8e>(x8, x18, x21);
        let x24 = L::lookup::<0x5c>(a4, x9, x22);
        let x25 = L::lookup::<0xac>(a4, x22, x23);
        let x26 = L::lookup::<0xac>(a1, x25, x20);
        output(1, x26);
        let x27 = L::lookup::<0xe6>(a4, x18, x26);
        let x28 = L::lookup::<0x69>(a1, x12, x27);
        let x29 = L::lookup::<0xca>(a1, x24, x19);
        let x30 = L::lookup::<0xac>(a5, x28, x29);
        output(3, x30);
    }

    /// Box 2: 31 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s2<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a0 = input(0);
        let a3 = input(3);
        let a4 = input(4);
        let x0 = L::lookup::<0x17>(a0, a3, a4);
        let x1 = L::lookup::<0x76>(a0, a3, a4);
        let a1 = input(1);
        let x2 = L::lookup::<0x66>(a0, a1, x0);
        let x3 = L::lookup::<0x97>(a1, a3, x1);
        let a5 = input(5);
        let x4 = L::lookup::<0xca>(a5, x3, x2);
        let x5 = L::lookup::<0x53>(a0, x1, x4);
        let x6 = L::lookup::<0x69>(a0, a3, a5);
        let x7 = L::lookup::<0x68>(a3, x1, x6);
        let x8 = L::lookup::<0xca>(a1, x7, x5);
        let a2 = input(2);
        let x9 = L::lookup::<0x96>(a2, x3, x8);
        let x10 = L::lookup::<0xca>(a2, x4, x8);
        output(2, x10);
        let x11 = L::lookup::<0x82>(a3, x0, x4);
        let x12 = L::lookup::<0x9a>(a0, a2, a4);
        let x13 = L::lookup::<0x99>(a0, a3, x12);
        let x14 = L::lookup::<0x9a>(a4, x12, x9);
        let x15 = L::lookup::<0xa3>(a1, x9, x13);
        let x16 = L::lookup::<0x66>(x0, x11, x14);
        let x17 = L::lookup::<0x6c>(a1, x5, x16);
        let x18 = L::lookup::<0x6a>(a0, x7, x17);
        let x19 = L::lookup::<0x21>(a1, a2, x7);
        let x20 = L::lookup::<0x69>(x6, x12, x19);
        let x21 = L::lookup::<0xca>(a5, x20, x18);
        output(1, x21);
        let x22 = L::lookup::<0x39>(a5, x12, x16);
        let x23 = L::lookup::<0xca>(a5, x16, x15);
        output(0, x23);
        let x24 = L::lookup::<0x8b>(a5, x23, x18);
        let x25 = L::lookup::<0xb6>(x6, x19, x24);
        let x26 = L::lookup::<0xe6>(x0, x6, x15);
        let x27 = L::lookup::<0xd7>(x14, x26, x22);
        let x28 = L::lookup::<0x93>(x17, x10, x27);
        let x29 = L::lookup::<0x93>(a2, x25, x28);
        let x30 = L::lookup::<0x54>(x0, x27, x29);
        output(3, x30);
    }

    /// Box 3: 31 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s3<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a0 = input(0);
        let a4 = input(4);
        let a5 = input(5);
        let x0 = L::lookup::<0x78>(a0, a4, a5);
        let a1 = input(1);
        let x1 = L::lookup::<0x59>(a5, a1, x0);
        let x2 = L::lookup::<0xac>(a0, a1, a5);
        let x3 = L::lookup::<0x6b>(a4, x1, x2);
        let a2 = input(2);
        let x4 = L::lookup::<0xac>(a2, x3, x1);
        let x5 = L::lookup::<0xd2>(a4, x2, x4);
        let x6 = L::lookup::<0x29>(a2, a4, x2);
        let x7 = L::lookup::<0x69>(a0, a1, a2);
        let x8 = L::lookup::<0x6a>(a4, a2, x7);
        let x9 = L::lookup::<0x69>(a4, a5, x7);
        let x10 = L::lookup::<0xca>(a5, x8, x5);
        let a3 = input(3);
        let x11 = L::lookup::<0xac>(a3, x10, x4);
        output(1, x11);
        let x12 = L::lookup::<0xba>(a2, x11, x6);
        let x13 = L::lookup::<0x4a>(a2, a0, x6);
        let x14 = L::lookup::<0xca>(a1, x12, x13);
        let x15 = L::lookup::<0x27>(a2, x14, x9);
        let x16 = L::lookup::<0xac>(a1, x15, x9);
        let x17 = L::lookup::<0xca>(a3, x16, x14);
        output(0, x17);
        let x18 = L::lookup::<0x51>(a0, x11, x16);
        let x19 = L::lookup::<0x8f>(a0, a5, x14);
        let x20 = L::lookup::<0x36>(a3, x9, x19);
        let x21 = L::lookup::<0x96>(x3, x14, x20);
        let x22 = L::lookup::<0x65>(a0, a5, x21);
        let x23 = L::lookup::<0x97>(x8, x12, x22);
        let x24 = L::lookup::<0xf1>(x6, x19, x22);
        let x25 = L::lookup::<0xca>(a3, x22, x21);
        let x26 = L::lookup::<0xac>(a4, x25, x20);
        output(3, x26);
        let x27 = L::lookup::<0x16>(a3, x26, x24);
        let x28 = L::lookup::<0xca>(a3, x24, x18);
        let x29 = L::lookup::<0xca>(a2, x23, x27);
        let x30 = L::lookup::<0xac>(a1, x29, x28);
        output(2, x30);
    }

    /// Box 4: 27 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s4<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a0 = input(0);
        let a1 = input(1);
        let a3 = input(3);
        let x0 = L::lookup::<0x96>(a0, a1, a3);
        let x1 = L::lookup::<0x23>(a0, a1, x0);
        let a2 = input(2);
        let x2 = L::lookup::<0x36>(a2, x0, x1);
        let x3 = L::lookup::<0xc2>(a0, a1, x2);
        let x4 = L::lookup::<0x58>(a2, x2, x3);
        let a4 = input(4);
        let x5 = L::lookup::<0xa3>(a4, x2, x4);
        let x6 = L::lookup::<0x51>(x0, x4, x5);
        let x7 = L::lookup::<0x5b>(a1, x0, x6);
        let x8 = L::lookup::<0x85>(x0, x4, x5);
        let x9 = L::lookup::<0x65>(a2, a4, x7);
        let x10 = L::lookup::<0x3d>(x4, x7, x9);
        let x11 = L::lookup::<0x9e>(x2, x3, x10);
        let x12 = L::lookup::<0x53>(a3, x9, x10);
        let x13 = L::lookup::<0x66>(a2, x3, x8);
        let x14 = L::lookup::<0x2d>(a4, x5, x9);
        let x15 = L::lookup::<0xb9>(x3, x8, x14);
        let a5 = input(5);
        let x16 = L::lookup::<0x96>(a5, x5, x12);
        let x17 = L::lookup::<0x3a>(a5, x5, x12);
        output(1, x17);
        let x18 = L::lookup::<0x8d>(x5, x16, x13);
        let x19 = L::lookup::<0x7b>(a1, x11, x18);
        let x20 = L::lookup::<0xc2>(a4, x11, x19);
        let x21 = L::lookup::<0x3c>(x16, x17, x20);
        output(0, x21);
        let x22 = L::lookup::<0xa3>(a5, x20, x15);
        let x23 = L::lookup::<0x35>(a5, x20, x15);
        let x24 = L::lookup::<0xc5>(a0, x19, x22);
        output(2, x24);
        let x25 = L::lookup::<0x69>(a5, x13, x24);
        let x26 = L::lookup::<0xc5>(a0, x25, x23);
        output(3, x26);
    }

    /// Box 5: 31 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s5<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a0 = input(0);
        let a2 = input(2);
        let a3 = input(3);
        let x0 = L::lookup::<0x16>(a0, a2, a3);
        let x1 = L::lookup::<0x87>(a0, a2, a3);
        let a5 = input(5);
        let x2 = L::lookup::<0x97>(a2, a5, x1);
        let x3 = L::lookup::<0xca>(a5, x1, x0);
        let a4 = input(4);
        let x4 = L::lookup::<0x16>(a4, x0, x2);
        let x5 = L::lookup::<0xca>(a4, x2, x3);
        let x6 = L::lookup::<0x69>(a0, x0, x5);
        let x7 = L::lookup::<0x84>(a5, x2, x6);
        let x8 = L::lookup::<0x46>(x5, a2, x7);
        let x9 = L::lookup::<0xac>(a4, x8, x6);
        let x10 = L::lookup::<0xcb>(a0, a4, x9);
        let x11 = L::lookup::<0x6d>(a5, x9, x10);
        let x12 = L::lookup::<0xac>(a2, x11, x4);
        let x13 = L::lookup::<0x94>(a2, a5, x3);
        let x14 = L::lookup::<0x1e>(x1, x6, x13);
        let x15 = L::lookup::<0x1e>(x12, a3, x13);
        let x16 = L::lookup::<0x95>(a3, x15, x14);
        let x17 = L::lookup::<0x9a>(a5, x9, x16);
        let x18 = L::lookup::<0x47>(a3, x10, x17);
        let x19 = L::lookup::<0x5e>(x5, x3, x16);
        let x20 = L::lookup::<0xca>(a4, x19, x14);
        let a1 = input(1);
        let x21 = L::lookup::<0xac>(a1, x9, x5);
        output(3, x21);
        let x22 = L::lookup::<0xac>(a1, x15, x12);
        output(1, x22);
        let x23 = L::lookup::<0x43>(a1, x7, x22);
        let x24 = L::lookup::<0xe9>(x2, x8, x17);
        let x25 = L::lookup::<0x6d>(x2, x12, x17);
        let x26 = L::lookup::<0xac>(a0, x24, x17);
        let x27 = L::lookup::<0xca>(a1, x26, x20);
        output(0, x27);
        let x28 = L::lookup::<0xca>(a1, x18, x25);
        let x29 = L::lookup::<0x65>(x20, x24, x23);
        let x30 = L::lookup::<0xca>(a4, x29, x28);
        output(2, x30);
    }

    /// Box 6: 29 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s6<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a0 = input(0);
        let a3 = input(3);
        let a4 = input(4);
        let x0 = L::lookup::<0x69>(a0, a3, a4);
        let a1 = input(1);
        let x1 = L::lookup::<0x4b>(a1, a4, x0);
        let x2 = L::lookup::<0x56>(a0, a3, x1);
        let x3 = L::lookup::<0x93>(a3, x0, x1);
        let a2 = input(2);
        let x4 = L::lookup::<0xac>(a2, x1, x0);
        let x5 = L::lookup::<0xc4>(a0, x0, x4);
        let x6 = L::lookup::<0x69>(a4, a2, x5);
        let x7 = L::lookup::<0x6b>(x0, x6, x2);
        let x8 = L::lookup::<0x39>(a4, x0, x6);
        let x9 = L::lookup::<0xc9>(a4, x1, x8);
        let x10 = L::lookup::<0xac>(a1, x8, x6);
        let a5 = input(5);
        let x11 = L::lookup::<0xca>(a5, x10, x4);
        output(0, x11);
        let x12 = L::lookup::<0xc1>(a2, x10, x2);
        let x13 = L::lookup::<0xf6>(a0, a5, x9);
        let x14 = L::lookup::<0x97>(x6, a1, x13);
        let x15 = L::lookup::<0xac>(a2, x3, x2);
        let x16 = L::lookup::<0x87>(a2, x2, x3);
        let x17 = L::lookup::<0x69>(a5, x5, x15);
        let x18 = L::lookup::<0xca>(a2, x17, x14);
        let x19 = L::lookup::<0x4a>(a4, x3, x17);
        let x20 = L::lookup::<0xca>(a5, x16, x12);
        let x21 = L::lookup::<0xca>(a4, x20, x18);
        output(2, x21);
        let x22 = L::lookup::<0xca>(a0, x9, x7);
        let x23 = L::lookup::<0xca>(a5, x22, x15);
        output(3, x23);
        let x24 = L::lookup::<0xc6>(x23, x18, x20);
        let x25 = L::lookup::<0x9a>(x16, x9, x19);
        let x26 = L::lookup::<0x61>(x15, x19, x24);
        let x27 = L::lookup::<0xca>(a1, x26, x24);
        let x28 = L::lookup::<0xca>(a0, x27, x25);
        output(1, x28);
    }

    /// Box 7: 32 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s7<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a1 = input(1);
        let a4 = input(4);
        let a5 = input(5);
        let x0 = L::lookup::<0x87>(a1, a4, a5);
        let a3 = input(3);
        let x1 = L::lookup::<0xe6>(a3, a4, a5);
        let x2 = L::lookup::<0x9a>(a3, x0, x1);
        let x3 = L::lookup::<0xe5>(a3, a4, x0);
        let a0 = input(0);
        let x4 = L::lookup::<0x9c>(a0, a3, x1);
        let x5 = L::lookup::<0xac>(a0, x2, x3);
        let x6 = L::lookup::<0x81>(a0, x2, x5);
        let x7 = L::lookup::<0xe1>(x0, x6, x4);
        let a2 = input(2);
        let x8 = L::lookup::<0x97>(a0, a1, a2);
        let x9 = L::lookup::<0xa5>(x2, x3, x8);
        let x10 = L::lookup::<0xac>(a5, x7, x6);
        let x11 = L::lookup::<0xca>(a2, x10, x5);
        output(0, x11);
        let x12 = L::lookup::<0x8b>(a0, a2, x5);
        let x13 = L::lookup::<0xe9>(a4, a1, x12);
        let x14 = L::lookup::<0xac>(a3, x9, x13);
        let x15 = L::lookup::<0x52>(a4, x7, x14);
        let x16 = L::lookup::<0xa9>(a2, a5, x7);
        let x17 = L::lookup::<0xca>(a0, x15, x16);
        let x18 = L::lookup::<0x9e>(a1, x12, x9);
        let x19 = L::lookup::<0x79>(a2, x16, x17);
        let x20 = L::lookup::<0x69>(a1, a3, x9);
        let x21 = L::lookup::<0xa2>(a0, x10, x20);
        let x22 = L::lookup::<0xac>(a0, x20, x18);
        let x23 = L::lookup::<0xca>(a1, x21, x19);
        let x24 = L::lookup::<0xca>(a3, x23, x17);
        output(2, x24);
        let x25 = L::lookup::<0x76>(x6, x9, x19);
        let x26 = L::lookup::<0xdc>(a3, x6, x25);
        let x27 = L::lookup::<0xac>(a5, x26, x25);
        let x28 = L::lookup::<0xac>(a5, x22, x14);
        output(1, x28);
        let x29 = L::lookup::<0xba>(x14, x22, x21);
        let x30 = L::lookup::<0xca>(a2, x20, x29);
        let x31 = L::lookup::<0xac>(a1, x30, x27);
        output(3, x31);
    }

    /// Box 8: 28 gates.
    #[inline(always)]
    pub(in crate::codec::des) fn s8<L: Lanes>(input: impl Fn(usize) -> L, mut output: impl FnMut(usize, L)) {
        let a1 = input(1);
        let a2 = input(2);
        let a3 = input(3);
        let x0 = L::lookup::<0xcb>(a1, a2, a3);
        let x1 = L::lookup::<0x65>(a1, a3, x0);
        let a4 = input(4);
        let x2 = L::lookup::<0xc3>(a2, a4, x1);
        let a0 = input(0);
        let x3 = L::lookup::<0x69>(a0, a4, x0);
        let x4 = L::lookup::<0xa5>(a1, x1, x3);
        let x5 = L::lookup::<0x96>(x1, x3, x2);
        let x6 = L::lookup::<0xc5>(a4, x5, x4);
        let x7 = L::lookup::<0x4d>(x3, x2, x5);
        let x8 = L::lookup::<0xe1>(a3, a4, x7);
        let x9 = L::lookup::<0x09>(a4, x5, x8);
        let x10 = L::lookup::<0x52>(x3, x2, x9);
        let x11 = L::lookup::<0xe3>(x9, x6, x10);
        let x12 = L::lookup::<0x5a>(a0, a0, x10);
        let x13 = L::lookup::<0x22>(a3, x7, x12);
        let x14 = L::lookup::<0x36>(a1, x8, x13);
        let x15 = L::lookup::<0x3a>(a0, x3, x14);
        let a5 = input(5);
        let x16 = L::lookup::<0xc5>(a5, x14, x15);
        output(1, x16);
        let x17 = L::lookup::<0x96>(x14, x12, x16);
        let x18 = L::lookup::<0x3a>(a5, x11, x17);
        output(0, x18);
        let x19 = L::lookup::<0x6e>(x4, x15, x18);
        let x20 = L::lookup::<0x96>(a0, x2, x14);
        let x21 = L::lookup::<0xc9>(x2, x20, x12);
        let x22 = L::lookup::<0x3a>(a3, x3, x20);
        let x23 = L::lookup::<0xac>(a5, x11, x22);
        output(3, x23);
        let x24 = L::lookup::<0x2c>(a5, x21, x19);
        let x25 = L::lookup::<0xa6>(a0, a5, x24);
        let x26 = L::lookup::<0x51>(x3, x9, x25);
        let x27 = L::lookup::<0xd2>(a4, x25, x26);
        output(2, x27);
    }
}
