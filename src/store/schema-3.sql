-- Format 3: days have rollups. Those that were derived before have none until they are derived again: `rollups` is `all` when no
-- such day is left.
INSERT INTO meta (key, value) SELECT 'rollups', CASE WHEN EXISTS (SELECT 1 FROM files) THEN 'some' ELSE 'all' END;
