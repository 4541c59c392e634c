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
-- When who was active: held a license, or in model 2019 was denied one.
active AS (
    SELECT
        user_name,
        host,
        started,
        ended,
        TRUE AS held
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
        FALSE AS held
    FROM denials
    WHERE server_id IN ($server) AND at < $until AND $model = '2019'
),
holders AS (
    SELECT
        active_users(user_name, started, ended, $tz) AS users,
        daily_peak(host, started, ended, $tz) FILTER (WHERE held AND ended > $from) AS hosts
    FROM active
),
-- Both lists have days of their own, side by side.
pairs AS (SELECT unnest(users) AS users, unnest(hosts) AS peak FROM holders),
changes AS (
    SELECT change['ucd'] AS ucd, change['change'] AS change, change['daily'] AS daily, 0 AS denied, change['hosts'] AS hosts
    FROM (
        SELECT unnest(make_array(
            named_struct(
                'ucd', users['day'],
                'change', CASE WHEN $model = '2019' THEN users['ever_change'] ELSE users['recent_change'] END,
                'daily', users['daily'],
                'hosts', 0
            ),
            named_struct('ucd', peak['day'], 'change', 0, 'daily', 0, 'hosts', peak['peak'])
        )) AS change
        FROM pairs
    )
    UNION ALL
    SELECT users['day'] AS ucd, 0 AS change, 0 AS daily, users['daily'] AS denied, 0 AS hosts
    FROM (
        SELECT unnest(active_users(user_name, at, at + INTERVAL '1 microsecond', $tz)) AS users
        FROM denials
        WHERE server_id IN ($server) AND at >= $from AND at < $until
    )
    UNION ALL
    SELECT CAST(day AS DATE) AS ucd, 0 AS change, 0 AS daily, 0 AS denied, 0 AS hosts
    FROM (SELECT unnest(periods($sd, $ed, 'DAY')) AS day)
),
days AS (
    SELECT
        ucd,
        sum(change) AS change,
        sum(daily) AS daily,
        sum(denied) AS denied,
        max(hosts) AS hosts
    FROM changes
    GROUP BY ucd
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
        daily AS ucdy,
        denied AS ucde,
        hosts AS ucch
    FROM days
)
WHERE ucd BETWEEN $sd AND $ed
