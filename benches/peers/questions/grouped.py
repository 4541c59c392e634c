"""Grouped denials: denied licenses of a feature for every hour of the clock of the store's zone, 0 included."""

from collections.abc import Callable
from typing import Any

import polars

from questions.question import Parts, Question, Request, data, report


class Grouped(Question):
    """Twenty-four rows a day, whatever clocks do on it."""

    def __init__(self, name: str, title: str, feature: int, *, month: bool = False) -> None:
        self.name, self.title, self.feature, self.month = name, title, feature, month
        self.times = 5 if month else 3

    def _days(self, store: Any) -> tuple[Any, Any]:
        return store.month if self.month else store.last_year

    def request(self, store: Any) -> Request:
        first, last = self._days(store)
        return report(f"feature/{self.feature}/denials/grouped/json", sd=first, ed=last, grat="HOUR")

    def exact(self, store: Any, ask: Callable[[Request], bytes]) -> Parts:
        return self.told(ask(self.request(store)))

    def told(self, body: bytes) -> Parts:
        return {"hours": [(row["ldt"], row["ldtc"]) for row in data(body)]}

    def duckdb(self, store: Any) -> dict[str, str | list[str]]:
        first, last = self._days(store)
        return {
            "hours": f"""
            WITH counted AS (
                SELECT date_trunc('hour', timezone('{store.zone}', "at")) AS hour, sum(licenses) AS licenses
                FROM denials WHERE feature_id = {self.feature} AND day BETWEEN '{first}' AND '{last}'
                GROUP BY hour
            ),
            wanted AS (SELECT unnest(range(TIMESTAMP '{first}', TIMESTAMP '{last}' + INTERVAL 1 DAY, INTERVAL 1 HOUR)) AS hour)
            SELECT strftime(hour, '%Y-%m-%d %H:%M') AS hour, coalesce(licenses, 0)::BIGINT AS licenses
            FROM wanted LEFT JOIN counted USING (hour) ORDER BY hour
            """
        }

    def chdb(self, store: Any) -> dict[str, str]:
        first, last = self._days(store)
        hours = ((last - first).days + 1) * 24
        return {
            "hours": f"""
            WITH
                counted AS (
                    SELECT dateDiff('day', toDate('{first}'), toDate(at, '{store.zone}')) * 24 + toHour(at, '{store.zone}') AS hour,
                        sum(licenses) AS licenses
                    FROM denials WHERE feature_id = {self.feature} AND day BETWEEN '{first}' AND '{last}'
                    GROUP BY hour
                ),
                wanted AS (SELECT toInt64(number) AS hour FROM numbers({hours}))
            SELECT
                formatDateTime(toDateTime('{first} 00:00:00', 'UTC') + INTERVAL wanted.hour HOUR, '%Y-%m-%d %H:%i', 'UTC') AS hour_text,
                toInt64(counted.licenses) AS licenses
            FROM wanted LEFT JOIN counted ON wanted.hour = counted.hour ORDER BY wanted.hour
            """
        }

    def polars(self, store: Any, frames: Any) -> dict[str, Callable[[], Any]]:
        first, last = self._days(store)
        col = polars.col
        hour = col.at.dt.convert_time_zone(store.zone).dt.replace_time_zone(None).dt.truncate("1h")
        counted = (
            frames.denials.filter(col.feature_id == self.feature, col.day.is_between(first, last))
            .group_by(hour=hour)
            .agg(col.licenses.sum())
        )
        until = polars.lit(last).cast(polars.Datetime("us")) + polars.duration(hours=23)
        wanted = polars.select(hour=polars.datetime_range(polars.lit(first).cast(polars.Datetime("us")), until, "1h")).lazy()
        rows = wanted.join(counted, on="hour", how="left").sort("hour")
        told = rows.select(col.hour.dt.strftime("%Y-%m-%d %H:%M"), col.licenses.fill_null(0).cast(polars.Int64))
        return {"hours": lambda: told.collect(engine="streaming")}
