/*
name = "utilization-history"
title = "Utilization history"
summary = "For each number of licenses: for how many of the working hours at least so many were in use."
path = "/report/feature/{feature}/utilization-history/{format}"
range = "days"
order = ["lc"]

[chart]
kind = "steps"
x = "lc"
y = ["lhu"]
shares = "lutil"

[[param]]
name = "st"
type = "time"
required = true
summary = "start of the working hours of each day"

[[param]]
name = "et"
type = "closing_time"
required = true
summary = "their end; before the start it is the next morning, equal to it a whole day later"

[[param]]
name = "incd"
type = "boolean"
default = "false"
summary = "whether downtime counts: true divides by all working hours, false by those in which the server was up"

[[param]]
name = "wd"
type = "weekdays"
summary = "only hours that begin on these weekdays"

[[param]]
name = "holidays"
type = "holidays"
summary = "no hours that begin on these days"

[[column]]
name = "lc"
title = "Licenses In Use"
type = "integer"
summary = "usage level k, 1 to the greatest that was reached"

[[column]]
name = "lhu"
title = "Hours Used"
type = "float"
summary = "hours with at least k licenses in use"

[[column]]
name = "lutil"
title = "Utilization"
type = "float"
summary = "100 times these hours through all working hours"
*/
WITH used AS (
    SELECT
        fid,
        level['level'] AS lc,
        level['micros'] AS micros
    FROM (
        SELECT
            feature_id AS fid,
            unnest(time_at_level(started, ended, licenses, working_hours($sd, $ed, $st, $et, $tz, $wd, $holidays))) AS level
        FROM sessions
        WHERE feature_id IN ($feature)
            -- Windows over midnight run into the morning after the last day, which may have 25 hours.
            AND started < $until + INTERVAL '25 hours' AND ended > $from
        GROUP BY feature_id
    )
),
up AS (
    SELECT
        features.feature_id AS fid,
        sum(time_within(uptime.started, uptime.ended, working_hours($sd, $ed, $st, $et, $tz, $wd, $holidays))) AS micros
    FROM features
    JOIN uptime ON uptime.server_id = features.server_id
    WHERE features.feature_id IN ($feature)
    GROUP BY features.feature_id
)
SELECT
    used.fid,
    used.lc,
    used.micros / 3.6e9 AS lhu,
    100.0 * used.micros / nullif(
        CASE WHEN $incd THEN working_time(working_hours($sd, $ed, $st, $et, $tz, $wd, $holidays)) ELSE up.micros END, 0
    ) AS lutil
FROM used
LEFT JOIN up ON up.fid = used.fid
