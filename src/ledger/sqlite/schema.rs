//! The tables of the embedded ledger.
//!
//! What is queried has a column; the rest of a value stands in `body` as JSON.

use crate::ErrorKind;
use crate::sqlite::Schema;

pub(super) const SCHEMA: Schema = Schema {
    what: "ledger",
    kind: ErrorKind::Ledger,
    // "CWLG"
    application_id: 0x4357_4c47,
    version: 1,
    sql: "
CREATE TABLE packages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    direction TEXT NOT NULL,
    id TEXT NOT NULL,
    partner TEXT NOT NULL,
    claim TEXT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    is_new INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (direction, id)
) STRICT;
CREATE INDEX packages_by_claim ON packages (direction, claim, number);
CREATE INDEX packages_by_partner ON packages (direction, partner, number);
CREATE INDEX packages_by_state ON packages (direction, state, number);
CREATE INDEX packages_by_mark ON packages (direction, number) WHERE is_new = 1;

CREATE TABLE links (
    claim TEXT NOT NULL,
    partner TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (claim, partner)
) STRICT, WITHOUT ROWID;

CREATE TABLE base (
    claim TEXT NOT NULL,
    partner TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (claim, partner, id)
) STRICT;

CREATE TABLE snapshots (
    claim TEXT NOT NULL,
    partner TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (claim, partner, sequence)
) STRICT;

CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    direction TEXT NOT NULL,
    package TEXT NOT NULL,
    kind TEXT NOT NULL,
    claim TEXT,
    partner TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX history_by_claim ON history (claim, number);
CREATE INDEX history_by_partner ON history (partner, number);
CREATE INDEX history_by_package ON history (package, number);

CREATE TABLE history_assessments (
    assessment TEXT NOT NULL,
    number INTEGER NOT NULL REFERENCES history (number),
    PRIMARY KEY (assessment, number)
) STRICT, WITHOUT ROWID;
",
};
