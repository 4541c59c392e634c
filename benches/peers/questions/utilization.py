"""Utilization history: for each number of licenses, for how long at least so many were in use in working hours.

Peers are asked for the time at each level alone; sums over levels and the share of uptime, which headroom tells besides, are left out.
"""

import itertools
from collections.abc import Callable
from typing import Any

import polars

from questions.question import Parts, Question, Request, data, report, table


def hours(micros: int) -> float:
    """Microseconds as reports tell them: hours with two digits, a half away from zero."""
    hundredths = (micros * 2 + 36_000_000) // 72_000_000
    return hundredths / 100


class Utilization(Question):
    """The days of one feature, 09:00 to 17:00 in the store's zone."""

    def __init__(self, name: str, title: str, feature: int, *, month: bool = False) -> None:
        self.name, self.title, self.feature, self.month = name, title, feature, month
        self.times = 5 if month else 1

    def _days(self, store: Any) -> tuple[Any, Any]:
        return store.month if self.month else store.last_year

    def _report(self, store: Any, form: str) -> Request:
        first, last = self._days(store)
        return report(f"feature/{self.feature}/utilization-history/{form}", sd=first, ed=last, st="09:00", et="17:00")

    def request(self, store: Any) -> Request:
        return self._report(store, "json")

    def exact(self, store: Any, ask: Callable[[Request], bytes]) -> Parts:
        rows = table(ask(self._report(store, "arrow"))).to_pylist()
        at_least = [round(row["lhu"] * 3_600_000_000) for row in rows]
        assert [row["lc"] for row in rows] == list(range(1, len(rows) + 1))
        exactly = [more - less for more, less in itertools.pairwise([*at_least, 0])]
        return {"levels": [(level, micros) for level, micros in enumerate(exactly, 1) if micros]}

    def told(self, body: bytes) -> Parts:
        return {"levels": [(row["lc"], row["lhu"]) for row in data(body)]}

    def rounded(self, parts: Parts) -> Parts:
        exactly: dict[int, int] = dict(parts["levels"])
        highest = max(exactly, default=0)
        at_least = list(itertools.accumulate(exactly.get(level, 0) for level in range(highest, 0, -1)))
        return {"levels": [(level, hours(at_least[highest - level])) for level in range(1, highest + 1)]}

    def duckdb(self, store: Any) -> dict[str, str | list[str]]:
        first, last = self._days(store)
        return {
            "levels": f"""
            WITH pieces AS (
                SELECT greatest(epoch_us(started), opens) AS s, least(epoch_us(ended), closes) AS e, licenses
                FROM sessions JOIN days USING (day)
                WHERE feature_id = {self.feature} AND day BETWEEN '{first}' AND '{last}' AND s < e
            ),
            changes AS (FROM (SELECT s AS t, licenses AS d FROM pieces UNION ALL SELECT e, -licenses FROM pieces) ORDER BY t),
            -- Windows without an order go along with the rows as they come, and are not sorted a second time.
            steps AS (SELECT sum(d) OVER (ROWS UNBOUNDED PRECEDING) AS level, lead(t) OVER () - t AS micros FROM changes)
            SELECT level::BIGINT AS level, sum(micros)::BIGINT AS micros
            FROM steps WHERE level > 0 AND micros > 0 GROUP BY ALL ORDER BY ALL
            """
        }

    def chdb(self, store: Any) -> dict[str, str]:
        first, last = self._days(store)
        return {
            "levels": f"""
            WITH pieces AS (
                SELECT greatest(toUnixTimestamp64Micro(started), opens) AS s, least(toUnixTimestamp64Micro(ended), closes) AS e, licenses
                FROM sessions JOIN days ON sessions.day = days.day
                WHERE feature_id = {self.feature} AND sessions.day BETWEEN '{first}' AND '{last}' AND s < e
            ),
            changes AS (
                SELECT change.1 AS t, sum(change.2) AS d
                FROM (SELECT arrayJoin([(s, licenses), (e, -licenses)]) AS change FROM pieces)
                GROUP BY t
            ),
            steps AS (
                SELECT
                    sum(d) OVER (ORDER BY t ROWS UNBOUNDED PRECEDING) AS level,
                    leadInFrame(t, 1, t) OVER (ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) - t AS micros
                FROM changes
            )
            SELECT level, sum(micros) AS micros FROM steps WHERE level > 0 GROUP BY level ORDER BY level
            """
        }

    def polars(self, store: Any, frames: Any) -> dict[str, Callable[[], Any]]:
        first, last = self._days(store)
        col = polars.col
        pieces = (
            frames.sessions.filter(col.feature_id == self.feature, col.day.is_between(first, last))
            .select("day", "licenses", s=col.started.to_physical(), e=col.ended.to_physical())
            .join(frames.days, on="day")
            .select("licenses", s=polars.max_horizontal("s", "opens"), e=polars.min_horizontal("e", "closes"))
            .filter(col.s < col.e)
        )
        changes = polars.concat([pieces.select(t="s", d="licenses"), pieces.select(t="e", d=-col.licenses)])
        steps = changes.sort("t").select(level=col.d.cum_sum(), micros=col.t.shift(-1) - col.t)
        levels = steps.filter(col.level > 0, col.micros > 0).group_by("level").agg(col.micros.sum()).sort("level")
        return {"levels": lambda: levels.collect(engine="streaming")}
