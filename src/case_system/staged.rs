//! Verified document files that wait to be copied into the case system.

use crate::model::ExchangeId;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// For each document of a package, the private file that holds its verified bytes.
///
/// The files belong to whoever staged them and are removed by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StagedDocuments(BTreeMap<ExchangeId, PathBuf>);

impl StagedDocuments {
    /// No documents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the file that holds the bytes of `document`.
    pub fn insert(&mut self, document: ExchangeId, path: impl Into<PathBuf>) {
        self.0.insert(document, path.into());
    }

    /// The file of `document`, when it is staged.
    #[must_use]
    pub fn path(&self, document: &ExchangeId) -> Option<&Path> {
        self.0.get(document).map(PathBuf::as_path)
    }

    /// Opens the file of `document` for reading.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the document is not staged, [`ErrorKind::Io`] when its file cannot be
    /// opened.
    pub fn open(&self, document: &ExchangeId) -> Result<File> {
        let Some(path) = self.path(document) else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("document {document}: its bytes are to change, but no file was staged for it"),
            ));
        };
        File::open(path).map_err(|error| {
            Error::from(error).within(format_args!("document {document}: its staged file cannot be opened"))
        })
    }

    /// The ids of the staged documents, in their order.
    pub fn ids(&self) -> impl Iterator<Item = &ExchangeId> {
        self.0.keys()
    }
}
