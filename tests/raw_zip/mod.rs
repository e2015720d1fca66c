//! Builds zip archives byte by byte, so that a test can say exactly one thing wrongly.

#![allow(clippy::cast_possible_truncation, reason = "what is built here is small")]
#![allow(dead_code, reason = "each test file tells its own lies")]

/// One entry; every field can lie.
#[derive(Clone)]
pub(crate) struct RawEntry {
    pub(crate) name: Vec<u8>,
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) local_method: Option<u16>,
    pub(crate) flags: u16,
    pub(crate) crc32: u32,
    pub(crate) inflated: u32,
    pub(crate) local_inflated: Option<u32>,
    pub(crate) attributes: u32,
    pub(crate) extra: Vec<u8>,
    /// Stands in the directory only.
    pub(crate) comment: Vec<u8>,
    pub(crate) after_data: Vec<u8>,
    pub(crate) before_header: Vec<u8>,
    pub(crate) offset: Option<u32>,
    pub(crate) in_directory: bool,
}

impl RawEntry {
    /// A stored entry that tells the truth.
    pub(crate) fn stored(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            local_name: None,
            data: data.to_vec(),
            method: 0,
            local_method: None,
            flags: 1 << 11,
            crc32: crc32fast::hash(data),
            inflated: data.len() as u32,
            local_inflated: None,
            attributes: 0,
            extra: Vec::new(),
            comment: Vec::new(),
            after_data: Vec::new(),
            before_header: Vec::new(),
            offset: None,
            in_directory: true,
        }
    }

    /// A deflated entry that tells the truth.
    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut deflater, content).unwrap();
        let mut entry = Self::stored(name, content);
        entry.data = deflater.finish().unwrap();
        entry.method = 8;
        entry
    }

    pub(crate) fn with(mut self, lie: impl FnOnce(&mut Self)) -> Self {
        lie(&mut self);
        self
    }

    fn header(&self, name: &[u8], method: u16, inflated: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [self.flags, method, 0, 33] {
            bytes.extend(field.to_le_bytes());
        }
        for field in [self.crc32, self.data.len() as u32, inflated] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend((self.extra.len() as u16).to_le_bytes());
        bytes
    }
}

/// An archive of these entries, with an end record that tells the truth.
pub(crate) fn archive(entries: &[RawEntry]) -> Vec<u8> {
    archive_ending(entries, |_| {})
}

/// The fields of the end record, before they are written.
pub(crate) struct End {
    pub(crate) entries: u16,
    pub(crate) size: u32,
    pub(crate) offset: u32,
    pub(crate) comment: Vec<u8>,
}

/// An archive whose end record lies as `lie` says.
pub(crate) fn archive_ending(entries: &[RawEntry], lie: impl FnOnce(&mut End)) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        bytes.extend(&entry.before_header);
        let offset = entry.offset.unwrap_or(bytes.len() as u32);
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        let local_method = entry.local_method.unwrap_or(entry.method);
        bytes.extend(b"PK\x03\x04\x14\0");
        bytes.extend(entry.header(local_name, local_method, entry.local_inflated.unwrap_or(entry.inflated)));
        bytes.extend(local_name);
        bytes.extend(&entry.extra);
        bytes.extend(&entry.data);
        bytes.extend(&entry.after_data);
        if entry.in_directory {
            directory.extend(b"PK\x01\x02\x14\x03\x14\0");
            directory.extend(entry.header(&entry.name, entry.method, entry.inflated));
            directory.extend((entry.comment.len() as u16).to_le_bytes());
            directory.extend([0; 4]);
            directory.extend(entry.attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&entry.name);
            directory.extend(&entry.extra);
            directory.extend(&entry.comment);
        }
    }
    let listed = entries.iter().filter(|entry| entry.in_directory).count();
    let (size, offset) = (directory.len() as u32, bytes.len() as u32);
    let mut end = End { entries: listed as u16, size, offset, comment: Vec::new() };
    lie(&mut end);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(end.entries.to_le_bytes());
    bytes.extend(end.entries.to_le_bytes());
    bytes.extend(end.size.to_le_bytes());
    bytes.extend(end.offset.to_le_bytes());
    bytes.extend((end.comment.len() as u16).to_le_bytes());
    bytes.extend(end.comment);
    bytes
}
