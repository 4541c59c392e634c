-- Format 2: tokens have roles, imports say of which license servers they are. The store's secret (`meta`, key `secret`) is
-- made beside this, since SQL has no random numbers that are good enough.

-- A token of before may do and see what it could: everything.
ALTER TABLE tokens ADD COLUMN role TEXT NOT NULL DEFAULT 'admin';
-- The names of the license servers that are seen, as a JSON array; NULL sees all.
ALTER TABLE tokens ADD COLUMN servers TEXT;
ALTER TABLE tokens ADD COLUMN names TEXT NOT NULL DEFAULT 'plain';

-- The servers of an import's events. An import without any is older than this table, and may be of every server.
CREATE TABLE import_servers (
    import_id INTEGER NOT NULL REFERENCES imports (id),
    server_id INTEGER NOT NULL REFERENCES servers (id),
    PRIMARY KEY (import_id, server_id)
) STRICT, WITHOUT ROWID;

-- The first instant of an import's events. A later import of the same name that begins at the same instant is of the same
-- file, or of a longer copy of it: what was lost of it counts once, as the last import tells it.
ALTER TABLE imports ADD COLUMN begins TEXT;
ALTER TABLE imports ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;
UPDATE imports SET begins = json_extract(summary, '$.first') WHERE json_valid(summary);
UPDATE imports SET superseded = 1 WHERE id NOT IN (SELECT max(id) FROM imports GROUP BY source, begins);
CREATE INDEX imports_by_beginning ON imports (source, begins);
CREATE INDEX imports_with_losses ON imports (id, undated, unparsed) WHERE superseded = 0 AND undated + unparsed > 0;
