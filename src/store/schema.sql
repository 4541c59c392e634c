-- The catalog of a store, format 1. Everything that is small, changes, or decides what is true:
-- a partition file that is not in `files` does not exist.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A license server; one that runs several vendor daemons is several rows, since each starts and stops on its own.
CREATE TABLE servers (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    daemon  TEXT NOT NULL,
    manager TEXT NOT NULL,
    UNIQUE (name, daemon)
) STRICT;

CREATE TABLE features (
    id        INTEGER PRIMARY KEY,
    server_id INTEGER NOT NULL REFERENCES servers (id),
    name      TEXT NOT NULL,
    version   TEXT NOT NULL,
    vendor    TEXT NOT NULL,
    -- The features that a package consists of, separated by blanks; empty for what is no package.
    package   TEXT NOT NULL,
    UNIQUE (server_id, name, version)
) STRICT;

-- Partition files. A file is live from the generation that created it until the one that retired it.
CREATE TABLE files (
    id       INTEGER PRIMARY KEY,
    tbl      TEXT NOT NULL,
    day      INTEGER NOT NULL,
    rows     INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    created  INTEGER NOT NULL,
    retired  INTEGER
) STRICT;
CREATE UNIQUE INDEX live_files ON files (tbl, day) WHERE retired IS NULL;

-- What a day's events say about a server, and what derivation counted.
CREATE TABLE server_days (
    day       INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (day, server_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE statuses (
    day       INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    up        INTEGER NOT NULL
) STRICT;
CREATE INDEX statuses_of_day ON statuses (day);

CREATE TABLE capacities (
    day        INTEGER NOT NULL,
    feature_id INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    expires    INTEGER
) STRICT;
CREATE INDEX capacities_of_day ON capacities (day);

CREATE TABLE derived_counts (
    day       INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    sessions  INTEGER NOT NULL,
    orphans   INTEGER NOT NULL,
    ambiguous INTEGER NOT NULL,
    truncated INTEGER NOT NULL,
    open      INTEGER NOT NULL,
    PRIMARY KEY (day, server_id)
) STRICT, WITHOUT ROWID;

-- The ledger: every file that was imported, when, and what was said about it.
CREATE TABLE imports (
    id       INTEGER PRIMARY KEY,
    source   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    undated  INTEGER NOT NULL,
    unparsed INTEGER NOT NULL,
    summary  TEXT NOT NULL
) STRICT;

CREATE TABLE tokens (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    hash    BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL
) STRICT;
