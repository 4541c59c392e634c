/*
name = "users-count"
title = "Realtime users count"
summary = "Per day over all servers: users, users of the last 14 days, denied users, and the most hosts at one instant."
path = "/report/users/realtime-count/{format}"
range = "history"
order = ["ucd"]

[chart]
kind = "lines"
x = "ucd"
y = ["uct", "ucdy", "ucde", "ucch"]

[[param]]
name = "model"
type = "enumeration"
values = ["2013", "2019"]
default = "2013"
summary = "licensing model: 2013 counts users that held a license, 2019 those that were denied one as well"

[[param]]
name = "gathering"
type = "enumeration"
values = ["realtime", "imported"]
summary = "only servers whose usage is gathered so"

[[column]]
name = "ucd"
title = "Date"
type = "date"
summary = "the date"

[[column]]
name = "uct"
title = "Total Users"
type = "integer"
summary = "distinct users of the last 14 days (model 2019: up to that day)"

[[column]]
name = "ucdy"
title = "Daily Users"
type = "integer"
summary = "distinct users of the day"

[[column]]
name = "ucde"
title = "Denial Users"
type = "integer"
summary = "distinct users denied on the day"

[[column]]
name = "ucch"
title = "Concurrent Hosts"
type = "integer"
summary = "the most distinct hosts that held a license at one instant of the day"
*/
WITH
-- When who was active: held a license, or was denied one.
active AS (
    SELECT
        user_name,
        host,
        started,
        ended,
        TRUE AS held,
        FALSE AS denied
    FROM sessions
    WHERE server_id IN ($server)
        AND started < $until
        -- The 13 days before the first count, and a little more, which changes nothing.
        AND ($model = '2019' OR ended > $from - INTERVAL '14 days')
    UNION ALL
    SELECT
        user_name,
        host,
        at AS started,
        at + INTERVAL '1 microsecond' AS ended,
        FALSE AS held,
        TRUE AS denied
    FROM denials
    WHERE server_id IN ($server) AND at < $until AND ($model = '2019' OR at >= $from)
),
holders AS (
    SELECT
        active_users(user_name, started, ended, $tz) FILTER (WHERE held OR $model = '2019') AS users,
        active_users(user_name, started, ended, $tz) FILTER (WHERE denied AND started >= $from) AS denied,
        daily_peak(host, started, ended, $tz) FILTER (WHERE held AND ended > $from) AS hosts
    FROM active
),
-- The days of the report, and those on which a count changes before and after it.
told AS (SELECT unnest(by_day($sd, $ed, users, denied, hosts)) AS day FROM holders),
days AS (
    SELECT
        day['day'] AS ucd,
        CASE WHEN $model = '2019' THEN day['list_1']['ever_change'] ELSE day['list_1']['recent_change'] END AS change,
        day['list_1']['daily'] AS ucdy,
        day['list_2']['daily'] AS ucde,
        day['list_3']['peak'] AS ucch
    FROM told
)
SELECT
    ucd,
    uct,
    ucdy,
    ucde,
    ucch
FROM (
    SELECT
        ucd,
        sum(change) OVER (ORDER BY ucd ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS uct,
        ucdy,
        ucde,
        ucch
    FROM days
)
WHERE ucd BETWEEN $sd AND $ed
