-- Format 5: `derivation` is the version of the rules that the derived files follow. A writer that finds an older one derives
-- every day again.
INSERT INTO meta (key, value) SELECT 'derivation', CASE WHEN EXISTS (SELECT 1 FROM files) THEN '1' ELSE '2' END;
