//! The records of the zip format as bytes: PKWARE APPNOTE 6.3.10, section 4.3, all numbers little endian.

/// The length of a local file header before its name (4.3.7).
pub(super) const LOCAL_LENGTH: usize = 30;
/// The length of a central directory header before its name (4.3.12).
pub(super) const CENTRAL_LENGTH: usize = 46;
/// The length of the end record without a comment (4.3.16).
pub(super) const END_LENGTH: usize = 22;
/// The length of the zip64 end record, version 1 (4.3.14).
pub(super) const END64_LENGTH: usize = 56;
/// The length of the zip64 end locator (4.3.15).
pub(super) const LOCATOR_LENGTH: usize = 20;

pub(super) const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
pub(super) const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
pub(super) const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
pub(super) const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
pub(super) const LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
pub(super) const DESCRIPTOR_SIGNATURE: [u8; 4] = *b"PK\x07\x08";

/// General purpose bits (4.4.4): encrypted; sizes and CRC stand in a descriptor after the data; patched data; strong
/// encryption; the name is UTF-8; the central directory is encrypted.
pub(super) const ENCRYPTED: u16 = 1;
pub(super) const HAS_DESCRIPTOR: u16 = 1 << 3;
pub(super) const PATCHED: u16 = 1 << 5;
pub(super) const STRONGLY_ENCRYPTED: u16 = 1 << 6;
pub(super) const UTF8: u16 = 1 << 11;
pub(super) const MASKED: u16 = 1 << 13;

/// What stands in a field of 16 or 32 bits whose value is in the zip64 records.
pub(super) const IN_ZIP64_16: u16 = u16::MAX;
pub(super) const IN_ZIP64_32: u32 = u32::MAX;

/// Extra fields (4.5.2): zip64 sizes and offset; a name in UTF-8 beside one in another encoding.
const EXTRA_ZIP64: u16 = 0x0001;
const EXTRA_UNICODE_PATH: u16 = 0x7075;

/// Version 2.0 of the format, which is all that deflate needs, 4.5, which zip64 needs, and 6.3 for Zstandard (4.4.3.2).
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;
#[cfg(feature = "zstd")]
const VERSION_ZSTD: u16 = 63;
/// Made on Unix: the upper half of the external attributes is a file mode.
const MADE_ON_UNIX: u16 = 3 << 8;
/// 1980-01-01 00:00, the earliest time the format knows, so that the same input gives the same bytes.
const TIME: u16 = 0;
const DATE: u16 = 1 << 5 | 1;

/// How an entry's content is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
    #[cfg(feature = "zstd")]
    Zstd,
}

/// The method of Zstandard (4.4.5).
pub(super) const ZSTD: u16 = 93;

impl Method {
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflated => 8,
            #[cfg(feature = "zstd")]
            Self::Zstd => ZSTD,
        }
    }

    /// The version of the format that a reader needs.
    fn version(self) -> u16 {
        match self {
            Self::Stored | Self::Deflated => VERSION,
            #[cfg(feature = "zstd")]
            Self::Zstd => VERSION_ZSTD,
        }
    }

    pub(super) fn from_code(code: u16) -> Option<Self> {
        match code {
            0 => Some(Self::Stored),
            8 => Some(Self::Deflated),
            #[cfg(feature = "zstd")]
            ZSTD => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What the headers of one entry say, as this crate writes them.
pub(super) struct Header<'n> {
    pub(super) name: &'n str,
    pub(super) method: Method,
    pub(super) is_directory: bool,
    pub(super) has_descriptor: bool,
    pub(super) crc32: u32,
    pub(super) compressed: u64,
    pub(super) inflated: u64,
    pub(super) offset: u64,
}

impl Header<'_> {
    /// The header before the data. With a descriptor its sizes and CRC are zero; without one they fit in 32 bits,
    /// since only small entries are written so.
    pub(super) fn local(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LOCAL_LENGTH + self.name.len());
        bytes.extend(LOCAL_SIGNATURE);
        bytes.extend(self.method.version().to_le_bytes());
        self.flags_method_time(&mut bytes);
        let (crc32, compressed, inflated) = if self.has_descriptor {
            (0, 0, 0)
        } else {
            (self.crc32, low(self.compressed), low(self.inflated))
        };
        for field in [crc32, compressed, inflated] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.name_length().to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(self.name.as_bytes());
        bytes
    }

    /// The descriptor after the data: sizes of 64 bits only when 32 cannot hold them. So do Java and other streaming
    /// writers, which cannot know beforehand either, and so their readers expect it.
    pub(super) fn descriptor(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        bytes.extend(DESCRIPTOR_SIGNATURE);
        bytes.extend(self.crc32.to_le_bytes());
        if low(self.compressed) == IN_ZIP64_32 || low(self.inflated) == IN_ZIP64_32 {
            bytes.extend(self.compressed.to_le_bytes());
            bytes.extend(self.inflated.to_le_bytes());
        } else {
            bytes.extend(low(self.compressed).to_le_bytes());
            bytes.extend(low(self.inflated).to_le_bytes());
        }
        bytes
    }

    /// The header in the central directory.
    pub(super) fn central(&self) -> Vec<u8> {
        let zip64: Vec<u8> = [self.inflated, self.compressed, self.offset]
            .into_iter()
            .filter(|value| low(*value) == IN_ZIP64_32)
            .flat_map(u64::to_le_bytes)
            .collect();
        let version = self.method.version().max(if zip64.is_empty() { VERSION } else { VERSION_ZIP64 });
        let extra_length = if zip64.is_empty() { 0 } else { 4 + zip64.len() };
        let mode: u32 = if self.is_directory { 0o040_755 } else { 0o100_644 };
        let mut bytes = Vec::with_capacity(CENTRAL_LENGTH + self.name.len() + extra_length);
        bytes.extend(CENTRAL_SIGNATURE);
        bytes.extend((MADE_ON_UNIX | version).to_le_bytes());
        bytes.extend(version.to_le_bytes());
        self.flags_method_time(&mut bytes);
        for field in [self.crc32, low(self.compressed), low(self.inflated)] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.name_length().to_le_bytes());
        bytes.extend(length_field(extra_length).to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend((mode << 16 | u32::from(self.is_directory) << 4).to_le_bytes());
        bytes.extend(low(self.offset).to_le_bytes());
        bytes.extend(self.name.as_bytes());
        if !zip64.is_empty() {
            bytes.extend(EXTRA_ZIP64.to_le_bytes());
            bytes.extend(length_field(zip64.len()).to_le_bytes());
            bytes.extend(zip64);
        }
        bytes
    }

    fn flags_method_time(&self, bytes: &mut Vec<u8>) {
        let utf8 = if self.name.is_ascii() { 0 } else { UTF8 };
        let descriptor = if self.has_descriptor { HAS_DESCRIPTOR } else { 0 };
        for field in [utf8 | descriptor, self.method.code(), TIME, DATE] {
            bytes.extend(field.to_le_bytes());
        }
    }

    fn name_length(&self) -> u16 {
        length_field(self.name.len())
    }
}

/// The records that end an archive of this shape, the zip64 ones only where needed.
pub(super) fn end(entries: u64, directory_offset: u64, directory_size: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(END64_LENGTH + LOCATOR_LENGTH + END_LENGTH);
    let entries16 = u16::try_from(entries).unwrap_or(IN_ZIP64_16);
    let (size32, offset32) = (low(directory_size), low(directory_offset));
    if entries16 == IN_ZIP64_16 || size32 == IN_ZIP64_32 || offset32 == IN_ZIP64_32 {
        bytes.extend(END64_SIGNATURE);
        bytes.extend((END64_LENGTH as u64 - 12).to_le_bytes());
        bytes.extend((MADE_ON_UNIX | VERSION_ZIP64).to_le_bytes());
        bytes.extend(VERSION_ZIP64.to_le_bytes());
        bytes.extend([0; 8]);
        for field in [entries, entries, directory_size, directory_offset] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(LOCATOR_SIGNATURE);
        bytes.extend([0; 4]);
        bytes.extend((directory_offset + directory_size).to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
    }
    bytes.extend(END_SIGNATURE);
    bytes.extend([0; 4]);
    bytes.extend(entries16.to_le_bytes());
    bytes.extend(entries16.to_le_bytes());
    bytes.extend(size32.to_le_bytes());
    bytes.extend(offset32.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

/// The value, or the mark that it stands in the zip64 records.
fn low(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(IN_ZIP64_32)
}

/// A length that the name checks keep far below 64 KiB.
fn length_field(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// Takes numbers from the front of bytes; `None` where they end too early.
#[derive(Clone, Copy)]
pub(super) struct Fields<'b>(pub(super) &'b [u8]);

impl<'b> Fields<'b> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn signature(&mut self, expected: [u8; 4]) -> Option<()> {
        (self.take(4)? == expected).then_some(())
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

/// What a local or central header of any writer says; the fields that only the central one has are zero in the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed: u64,
    pub(super) inflated: u64,
    pub(super) name_length: usize,
    pub(super) extra_length: usize,
    pub(super) comment_length: usize,
    pub(super) disk: u16,
    pub(super) attributes: u32,
    pub(super) offset: u64,
}

impl Found {
    pub(super) fn local(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        fields.signature(LOCAL_SIGNATURE)?;
        fields.u16()?;
        let mut found = Self::default();
        found.common(&mut fields)?;
        Some(found)
    }

    pub(super) fn central(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        fields.signature(CENTRAL_SIGNATURE)?;
        fields.u32()?;
        let mut found = Self::default();
        found.common(&mut fields)?;
        found.comment_length = fields.u16()?.into();
        found.disk = fields.u16()?;
        fields.u16()?;
        found.attributes = fields.u32()?;
        found.offset = fields.u32()?.into();
        Some(found)
    }

    fn common(&mut self, fields: &mut Fields<'_>) -> Option<()> {
        self.flags = fields.u16()?;
        self.method = fields.u16()?;
        fields.u32()?;
        self.crc32 = fields.u32()?;
        self.compressed = fields.u32()?.into();
        self.inflated = fields.u32()?.into();
        self.name_length = fields.u16()?.into();
        self.extra_length = fields.u16()?.into();
        Some(())
    }

    /// Puts the values of a zip64 extra field (4.5.3) in place of the marks; `None` when marks are left, or the field
    /// is there twice or does not end where it says.
    pub(super) fn resolve_zip64(&mut self, extra: &[u8]) -> Option<()> {
        let mut zip64 = None;
        for field in extra_fields(extra) {
            let (id, content) = field?;
            if id == EXTRA_ZIP64 && zip64.replace(content).is_some() {
                return None;
            }
        }
        let mut zip64 = Fields(zip64.unwrap_or_default());
        for value in [&mut self.inflated, &mut self.compressed, &mut self.offset] {
            if *value == u64::from(IN_ZIP64_32) {
                *value = zip64.u64()?;
            }
        }
        Some(())
    }
}

/// The UTF-8 name of an Info-ZIP Unicode path field (4.6.9), if there is one that belongs to `raw_name`.
pub(super) fn unicode_path<'e>(extra: &'e [u8], raw_name: &[u8]) -> Option<&'e [u8]> {
    let (_, content) = extra_fields(extra).flatten().find(|(id, _)| *id == EXTRA_UNICODE_PATH)?;
    let mut fields = Fields(content);
    let version = fields.take(1)?;
    (version == [1] && fields.u32()? == crc32fast::hash(raw_name)).then_some(fields.0)
}

/// Each extra field as its id and content; a `None` ends it where the lengths do not fit.
pub(super) fn extra_fields(extra: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    let mut rest = Fields(extra);
    let mut next = move || {
        let id = rest.u16()?;
        let length = rest.u16()?;
        Some((id, rest.take(length.into())?))
    };
    let mut left = extra.len();
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let field = next();
        left = field.map_or(0, |(_, content)| left.saturating_sub(content.len() + 4));
        Some(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(compressed: u64, inflated: u64) -> Header<'static> {
        Header {
            name: "a",
            method: Method::Deflated,
            is_directory: false,
            has_descriptor: true,
            crc32: 7,
            compressed,
            inflated,
            offset: 9,
        }
    }

    /// Section 4.3.12 of the format, field by field.
    #[test]
    fn a_central_header_says_what_it_was_made_on_and_what_kind_of_file_it_is() {
        let file = header(3, 4);
        let mut expected = b"PK\x01\x02".to_vec();
        expected.extend([20, 3, 20, 0, 8, 0, 8, 0, 0, 0, 0x21, 0]);
        expected.extend([7_u32, 3, 4].map(u32::to_le_bytes).concat());
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend((0o100_644_u32 << 16).to_le_bytes());
        expected.extend([9, 0, 0, 0, b'a']);
        assert_eq!(file.central(), expected);
        expected[38..42].copy_from_slice(&(0o040_755_u32 << 16 | 0x10).to_le_bytes());
        assert_eq!(Header { is_directory: true, ..file }.central(), expected);
    }

    /// Bit 11 of the flags (4.4.4).
    #[test]
    fn a_name_is_marked_as_utf8_where_it_is_not_ascii() {
        let flags = |name| Header { name, has_descriptor: false, ..header(3, 4) }.local()[6..8].to_vec();
        assert_eq!((flags("u"), flags("\u{fc}")), (vec![0, 0], vec![0, 8]));
    }

    #[test]
    fn a_descriptor_is_long_where_either_size_is() {
        let long = u64::from(u32::MAX);
        for (compressed, inflated, length) in
            [(3, 4, 16), (long - 1, long - 1, 16), (3, long, 24), (long, 4, 24), (long, long, 24)]
        {
            assert_eq!(header(compressed, inflated).descriptor().len(), length, "{compressed} {inflated}");
        }
    }

    #[test]
    fn the_zip64_end_says_what_it_was_made_on() {
        assert_eq!(end(65_535, 0, 0)[12..16], [45, 3, 45, 0]);
    }

    /// Info-ZIP's field for a name, behind one with the time.
    #[test]
    fn a_unicode_path_is_taken_when_it_is_of_version_1_and_belongs_to_the_name() {
        let path = |version: u8, raw_name: &[u8]| {
            let crc32 = crc32fast::hash(raw_name).to_le_bytes();
            let time = [&b"UT\x05\0"[..], &[1; 5]].concat();
            [&time[..], b"up\x07\0", &[version], &crc32, "\u{fc}".as_bytes()].concat()
        };
        assert_eq!(unicode_path(&path(1, b"?"), b"?"), Some("\u{fc}".as_bytes()));
        assert_eq!(unicode_path(&path(2, b"?"), b"?"), None);
        assert_eq!(unicode_path(&path(1, b"!"), b"?"), None);
    }
}
