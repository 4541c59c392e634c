-- What a report of several features says of each of them, before its own columns.
SELECT
    features.feature_id AS names_fid,
    features.name AS fns,
    servers.name AS lsn
FROM features
JOIN servers ON servers.server_id = features.server_id
