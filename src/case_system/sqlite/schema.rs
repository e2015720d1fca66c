//! The tables of the embedded case system.

use crate::ErrorKind;
use crate::sqlite::Schema;

pub(super) const SCHEMA: Schema = Schema {
    what: "case system",
    kind: ErrorKind::CaseSystem,
    // "CWCS"
    application_id: 0x4357_4353,
    version: 1,
    upgrades: &[],
    sql: "
CREATE TABLE claims (
    id TEXT PRIMARY KEY,
    other TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    claim TEXT NOT NULL REFERENCES claims (id),
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (claim, id)
) STRICT;

CREATE TABLE document_versions (
    claim TEXT NOT NULL REFERENCES claims (id),
    document TEXT NOT NULL,
    number INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    name TEXT NOT NULL,
    stored_at TEXT NOT NULL,
    stored_by TEXT NOT NULL,
    PRIMARY KEY (claim, document, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_versions_by_bytes ON document_versions (sha256);
",
};
