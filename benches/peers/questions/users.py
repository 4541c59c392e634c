"""Users count: for every day, over all servers, users, users of fourteen days, denied users, and the most hosts at one instant.

headroom answers the four with one request; of a peer each is a query of its own, and their times are added.
"""

import datetime
from collections.abc import Callable
from typing import Any

import polars

from questions.question import Parts, Question, Request, data, report

# Whatever a day has of microseconds, also one of 25 hours, is less than this.
DAY_BITS = 37


class Users(Question):
    """The days of a year."""

    name = "users-year"
    title = "users count, a year"

    def request(self, store: Any) -> Request:
        first, last = store.last_year
        return report("users/realtime-count/json", sd=first, ed=last)

    def exact(self, store: Any, ask: Callable[[Request], bytes]) -> Parts:
        return self.told(ask(self.request(store)))

    def told(self, body: bytes) -> Parts:
        columns = {"daily": "ucdy", "recent": "uct", "denied": "ucde", "hosts": "ucch"}
        # Peers have no row for a day of which there is nothing to count.
        return {part: [(row["ucd"], row[column]) for row in data(body) if row[column]] for part, column in columns.items()}

    def duckdb(self, store: Any) -> dict[str, str | list[str]]:
        first, last = store.last_year
        days = f"day BETWEEN '{first}' AND '{last}'"
        return {
            "daily": f"""
            SELECT day::VARCHAR AS day, count(DISTINCT user_name) AS users
            FROM sessions WHERE started < ended AND {days} GROUP BY ALL ORDER BY ALL
            """,
            # A user counts from a day on for fourteen days, or until the next day that does the same.
            "recent": f"""
            WITH held AS (
                SELECT DISTINCT day, user_name FROM sessions
                WHERE started < ended AND user_name IS NOT NULL AND day BETWEEN DATE '{first}' - 13 AND '{last}'
            ),
            spans AS (SELECT day, least(day + 14, lead(day) OVER (PARTITION BY user_name ORDER BY day)) AS until FROM held),
            changes AS (SELECT day, 1 AS d FROM spans UNION ALL SELECT until, -1 FROM spans),
            counted AS (SELECT day, sum(sum(d)) OVER (ORDER BY day)::BIGINT AS users FROM changes GROUP BY day)
            SELECT day::VARCHAR AS day, users FROM counted WHERE {days} ORDER BY day
            """,
            "denied": f"""
            SELECT day::VARCHAR AS day, count(DISTINCT user_name) AS users FROM denials WHERE {days} GROUP BY ALL ORDER BY ALL
            """,
            "hosts": [duckdb_hosts(file) for file in store.sessions if str(first) <= file.split("/day=")[1][:10] <= str(last)],
        }

    def chdb(self, store: Any) -> dict[str, str]:
        first, last = store.last_year
        days = f"day BETWEEN '{first}' AND '{last}'"
        return {
            "daily": f"""
            SELECT toString(day) AS date, uniqExact(user_name) AS users
            FROM sessions WHERE started < ended AND {days} GROUP BY day ORDER BY day
            """,
            "recent": f"""
            WITH
                held AS (
                    SELECT DISTINCT toInt32(day) AS d, user_name FROM sessions
                    WHERE started < ended AND user_name IS NOT NULL AND day BETWEEN toDate('{first}') - 13 AND '{last}'
                ),
                spans AS (
                    SELECT d, leadInFrame(d, 1, toInt32(d + 14)) OVER (
                        PARTITION BY user_name ORDER BY d ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                    ) AS next
                    FROM held
                ),
                changes AS (
                    SELECT change.1 AS d, sum(change.2) AS c
                    FROM (SELECT arrayJoin([(d, 1), (least(d + 14, next), -1)]) AS change FROM spans) GROUP BY d
                ),
                counted AS (SELECT d, sum(c) OVER (ORDER BY d) AS users FROM changes)
            SELECT toString(toDate32(d)) AS date, users FROM counted
            WHERE toDate32(d) BETWEEN toDate32('{first}') AND toDate32('{last}') ORDER BY d
            """,
            "denied": f"""
            SELECT toString(day) AS date, uniqExact(user_name) AS users FROM denials WHERE {days} GROUP BY day ORDER BY day
            """,
            "hosts": f"""
            WITH
                held AS (
                    SELECT
                        day,
                        arraySort(groupArray(toUnixTimestamp64Micro(started))) AS s,
                        arraySort(groupArray(toUnixTimestamp64Micro(ended))) AS e
                    FROM sessions WHERE started < ended AND host IS NOT NULL AND {days} GROUP BY day, host
                ),
                merged AS (
                    SELECT day, arrayJoin(arrayZip(
                        arrayFilter((start, before) -> start > before, s, arrayPushFront(arrayPopBack(e), 0)),
                        arrayFilter((end, next) -> end < next, e, arrayPushBack(arrayPopFront(s), 9223372036854775807))
                    )) AS held
                    FROM held
                )
            SELECT toString(day) AS date, maxIntersections(held.1, held.2) AS hosts FROM merged GROUP BY day ORDER BY day
            """,
        }

    def polars(self, store: Any, frames: Any) -> dict[str, Callable[[], Any]]:
        first, last = store.last_year
        col = polars.col
        held = frames.sessions.filter(col.started < col.ended, col.day.is_between(first, last))
        before = frames.sessions.filter(
            col.started < col.ended, col.user_name.is_not_null(), col.day.is_between(first - datetime.timedelta(days=13), last)
        )
        later = col.day.shift(-1).over("user_name", order_by="day")
        spans = before.select("day", "user_name").unique().select("day", until=polars.min_horizontal(col.day.dt.offset_by("14d"), later))
        changes = polars.concat([spans.select("day", d=1), spans.select(day="until", d=-1)]).group_by("day").agg(col.d.sum())
        counted = changes.sort("day").select("day", users=col.d.cum_sum()).filter(col.day.is_between(first, last))
        text = col.day.cast(polars.String)
        frame = {
            "daily": held.group_by("day").agg(users=col.user_name.drop_nulls().n_unique()).sort("day").with_columns(text),
            "recent": counted.with_columns(text),
            "denied": frames.denials.filter(col.day.is_between(first, last))
            .group_by("day")
            .agg(users=col.user_name.drop_nulls().n_unique())
            .sort("day")
            .with_columns(text),
        }

        def collects(rows: polars.LazyFrame) -> Callable[[], polars.DataFrame]:
            return lambda: rows.collect(engine="streaming")

        def hosts() -> polars.DataFrame:
            peaks = [(day.isoformat(), peak_hosts(files)) for day, files in frames.session_days.items() if first <= day <= last]
            return polars.DataFrame(peaks, schema=["day", "hosts"], orient="row")

        return {**{part: collects(rows) for part, rows in frame.items()}, "hosts": hosts}


def duckdb_hosts(file: str) -> str:
    """The most hosts at one instant of a day. Starts and ends of a host are sorted each by themselves: it holds nothing between an end
    and the start that is next. A day at a time is a little quicker than the year at once."""
    day = file.split("/day=")[1][:10]
    return f"""
    WITH held AS (
        SELECT list_sort(list(epoch_us(started))) AS s, list_sort(list(epoch_us(ended))) AS e
        FROM read_parquet('{file}') WHERE started < ended AND host IS NOT NULL GROUP BY host
    ),
    edges AS (
        SELECT unnest(s) AS s, unnest(e) AS e,
            unnest([0::BIGINT] || e[:-2]) AS before, unnest(s[2:] || [9223372036854775807::BIGINT]) AS next
        FROM held
    ),
    -- An end comes before a start of the same instant.
    changes AS (
        FROM (SELECT s * 2 + 1 AS t, 1 AS d FROM edges WHERE s > before UNION ALL SELECT e * 2, -1 FROM edges WHERE e < next)
        ORDER BY t
    ),
    steps AS (SELECT sum(d) OVER (ROWS UNBOUNDED PRECEDING) AS hosts FROM changes)
    SELECT '{day}' AS day, max(hosts)::BIGINT AS hosts FROM steps
    """


def peak_hosts(files: list[str]) -> int:
    """The most hosts at one instant of a day. Host and instant are one number: starts and ends, each sorted by themselves, then show
    where a host holds nothing between an end and the start that is next. A day at a time is three times as quick as the year at once."""
    col = polars.col
    low = 1 << DAY_BITS
    pieces = (
        polars.scan_parquet(files)
        .filter(col.started < col.ended, col.host.is_not_null())
        .select(host=col.host.to_physical().cast(polars.Int64) * low, s=col.started.to_physical(), e=col.ended.to_physical())
        .collect(engine="streaming")
    )
    if pieces.is_empty():
        return 0
    # Nothing of a day is before its first start.
    began = polars.lit(pieces["s"].min())
    keys = pieces.select(s=(col.host + col.s - began).sort(), e=(col.host + col.e - began).sort())
    starts = keys.select(col.s.filter((col.s > col.e.shift(1)).fill_null(True)) % low).to_series().sort()
    ends = keys.select(col.e.filter((col.s.shift(-1) > col.e).fill_null(True)) % low).to_series().sort()
    begun = polars.int_range(1, len(starts) + 1, eager=True)
    peak: Any = (begun - ends.search_sorted(starts, side="right").cast(polars.Int64)).max()
    return peak
