-- Format 4: the ledger tells more of each import, logs tell until when they go on, and servers may stop without a word.

ALTER TABLE imports ADD COLUMN ends TEXT;
ALTER TABLE imports ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN dialect TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
-- The names of its license servers, as a JSON array: they stay when the servers go.
ALTER TABLE imports ADD COLUMN servers TEXT NOT NULL DEFAULT '[]';
-- The later import of the same file that took its place.
ALTER TABLE imports ADD COLUMN superseded_by INTEGER;
-- When it was undone.
ALTER TABLE imports ADD COLUMN undone INTEGER;
UPDATE imports SET
    ends = json_extract(summary, '$.last'),
    events = coalesce((SELECT sum(value) FROM json_each(summary, '$.events')), 0)
WHERE json_valid(summary);
UPDATE imports SET servers = (
    SELECT json_group_array(name) FROM (
        SELECT DISTINCT name FROM servers JOIN import_servers ON server_id = servers.id WHERE import_id = imports.id ORDER BY name));

-- Until when the logs of an import go on. By name: a log may tell so of a server that nothing else is known of.
CREATE TABLE marks (
    import_id INTEGER NOT NULL REFERENCES imports (id),
    server    TEXT NOT NULL,
    daemon    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (import_id, server, daemon)
) STRICT, WITHOUT ROWID;

-- The rows among a day's events that no source told: a server went down without a word.
CREATE TABLE silent_stops (
    day       INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (day, server_id, at)
) STRICT, WITHOUT ROWID;

-- The last instant known of the server on the day before it came up or went down. Days of before lack it until the next import:
-- `facts` is `all` when no such day is left.
ALTER TABLE statuses ADD COLUMN before_at INTEGER;
INSERT INTO meta (key, value) SELECT 'facts', CASE WHEN EXISTS (SELECT 1 FROM statuses) THEN 'some' ELSE 'all' END;
