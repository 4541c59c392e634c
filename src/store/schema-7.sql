-- Format 7: a feature that sources name without its vendor daemon, or in a `capacity` alone, is taken for the one that is used.
-- Both are of one license server by name.
CREATE TABLE aliases (
    feature_id INTEGER PRIMARY KEY REFERENCES features (id),
    target_id  INTEGER NOT NULL REFERENCES features (id)
) STRICT;
