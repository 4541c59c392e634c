-- Format 6: imports can be undone. What each of them tells is kept beside what all of them tell together.

-- Files of one import's events of one day, its run. Where nobody else tells of the day, it is the day's file of events as well.
CREATE TABLE run_files (
    id       INTEGER PRIMARY KEY,
    day      INTEGER NOT NULL,
    rows     INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    checksum BLOB NOT NULL
) STRICT;

-- The runs of imports: the rows of a file up to a line, or all; no file where the import tells nothing of a day. A superseded import has
-- the runs of the import that took its place, but for the days it has rows here for.
CREATE TABLE import_runs (
    import_id INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    file_id   INTEGER REFERENCES run_files (id),
    last_line INTEGER,
    PRIMARY KEY (import_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_runs_by_day ON import_runs (day);
CREATE INDEX import_runs_by_file ON import_runs (file_id);

-- Import 0 is everything that was imported before: it cannot be undone.
INSERT INTO run_files (id, day, rows, bytes, checksum)
    SELECT id, day, rows, bytes, checksum FROM files WHERE tbl = 'events' AND retired IS NULL;
INSERT INTO import_runs (import_id, day, file_id) SELECT 0, day, id FROM run_files;

-- The servers and features that an import names, as JSON. Imports of one growing log mostly share theirs.
CREATE TABLE name_sets (
    id    INTEGER PRIMARY KEY,
    names TEXT NOT NULL UNIQUE
) STRICT;
ALTER TABLE imports ADD COLUMN name_set INTEGER REFERENCES name_sets (id);
-- Servers and features of before stay whatever is undone: those up to these numbers.
INSERT INTO meta (key, value) SELECT 'lasting_servers', coalesce(max(id), 0) FROM servers;
INSERT INTO meta (key, value) SELECT 'lasting_features', coalesce(max(id), 0) FROM features;
