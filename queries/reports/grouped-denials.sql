/*
name = "grouped-denials"
title = "Grouped denials"
summary = "Denied licenses of a feature per hour, day, week, month, quarter or year; a row for every period, 0 included."
path = "/report/feature/{feature}/denials/grouped/{format}"
range = "days"
order = ["ldt"]

[chart]
kind = "bars"
x = "ldt"
y = ["ldtc"]

[[param]]
name = "grat"
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
WITH counted AS (
    SELECT
        feature_id AS fid,
        period_start(at, $grat, $tz) AS ldt,
        sum(licenses) AS ldtc
    FROM denials
    WHERE feature_id IN ($feature)
        AND at >= $from AND at < $until
        AND ($true IS NULL OR is_true = $true)
        AND ($reason IS NULL OR reason_class = $reason)
    GROUP BY feature_id, period_start(at, $grat, $tz)
),
-- Quiet periods have a row too. There may be millions, so that it is the counts that are kept in memory.
wanted AS (
    SELECT
        features.feature_id AS fid,
        range.ldt
    FROM features
    CROSS JOIN (SELECT unnest(periods($sd, $ed, $grat)) AS ldt) AS range
    WHERE features.feature_id IN ($feature)
)
SELECT
    wanted.fid,
    wanted.ldt,
    coalesce(counted.ldtc, 0) AS ldtc
FROM counted
RIGHT JOIN wanted ON counted.fid = wanted.fid AND counted.ldt = wanted.ldt
