/*
name = "grouped-denials"
title = "Grouped denials"
summary = "Denied licenses of a feature per hour, day, week, month, quarter or year; a row for every period, 0 included."
path = "/report/feature/{feature}/denials/grouped/{format}"
range = "days"
order = ["ldt"]

[[param]]
name = "grat"
aliases = ["granularity"]
type = "granularity"
required = true
summary = "length of a period"

[[param]]
name = "true"
type = "boolean"
summary = "only true denials, where the user went without (1), or only others (0)"

[[param]]
name = "reason"
type = "enumeration"
values = ["capacity", "queued", "not_entitled", "excluded", "other"]
summary = "only denials of this class"

[[column]]
name = "ldt"
title = "Date"
type = "period"
summary = "the period"

[[column]]
name = "ldtc"
title = "Denials"
type = "integer"
summary = "denied licenses in the period"
*/
SELECT
    fid,
    ldt,
    sum(denied) AS ldtc
FROM (
    SELECT
        feature_id AS fid,
        period_start(at, $grat, $tz) AS ldt,
        licenses AS denied
    FROM denials
    WHERE feature_id IN ($feature)
        AND at >= $from AND at < $until
        AND ($true IS NULL OR is_true = $true)
        AND ($reason IS NULL OR reason_class = $reason)
    UNION ALL
    -- A zero for every period, so that quiet ones have a row too.
    SELECT
        features.feature_id AS fid,
        quiet.ldt,
        0 AS denied
    FROM features
    CROSS JOIN (SELECT unnest(periods($sd, $ed, $grat)) AS ldt) AS quiet
    WHERE features.feature_id IN ($feature)
)
GROUP BY fid, ldt
