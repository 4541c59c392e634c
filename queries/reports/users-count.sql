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
-- Each list has days of its own; they lie side by side.
lists AS (
    SELECT
        unnest(users) AS users,
        unnest(denied) AS denied,
        unnest(hosts) AS hosts,
        unnest(periods($sd, $ed, 'DAY')) AS day
    FROM holders
),
changes AS (
    SELECT unnest(make_array(
        named_struct(
            'day', users['day'],
            'change', CASE WHEN $model = '2019' THEN users['ever_change'] ELSE users['recent_change'] END,
            'daily', users['daily'],
            'denied', 0,
            'hosts', 0
        ),
        named_struct('day', denied['day'], 'change', 0, 'daily', 0, 'denied', denied['daily'], 'hosts', 0),
        named_struct('day', hosts['day'], 'change', 0, 'daily', 0, 'denied', 0, 'hosts', hosts['peak']),
        named_struct('day', CAST(day AS DATE), 'change', 0, 'daily', 0, 'denied', 0, 'hosts', 0)
    )) AS change
    FROM lists
),
days AS (
    SELECT
        change['day'] AS ucd,
        sum(change['change']) AS change,
        sum(change['daily']) AS ucdy,
        sum(change['denied']) AS ucde,
        max(change['hosts']) AS ucch
    FROM changes
    GROUP BY change['day']
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
