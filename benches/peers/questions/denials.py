"""Every denial of a feature: when, how many licenses, who, on which host."""

from collections.abc import Callable
from typing import Any

import polars

from questions.question import Parts, Question, Request, data, report


class Denials(Question):
    """A list of rows, the times on the clock of the store's zone."""

    # Those of one second may come in any order.
    ordered = False

    def __init__(self, name: str, title: str, feature: int, *, month: bool = False) -> None:
        self.name, self.title, self.feature, self.month = name, title, feature, month
        self.times = 5 if month else 1

    def _days(self, store: Any) -> tuple[Any, Any]:
        return store.month if self.month else store.last_year

    def request(self, store: Any) -> Request:
        first, last = self._days(store)
        return report(f"feature/{self.feature}/denials/json", sd=first, ed=last)

    def exact(self, store: Any, ask: Callable[[Request], bytes]) -> Parts:
        return self.told(ask(self.request(store)))

    def told(self, body: bytes) -> Parts:
        return {"denials": [(row["ldt"], row["ldtc"], row["un"], row["hn"]) for row in data(body)]}

    def duckdb(self, store: Any) -> dict[str, str | list[str]]:
        first, last = self._days(store)
        return {
            "denials": f"""
            SELECT strftime(timezone('{store.zone}', "at"), '%Y-%m-%d %H:%M:%S') AS ldt, licenses, user_name, host
            FROM denials WHERE feature_id = {self.feature} AND day BETWEEN '{first}' AND '{last}'
            ORDER BY "at", user_name, host
            """
        }

    def chdb(self, store: Any) -> dict[str, str]:
        first, last = self._days(store)
        return {
            "denials": f"""
            SELECT formatDateTime(at, '%Y-%m-%d %H:%i:%S', '{store.zone}') AS ldt, licenses, user_name, host
            FROM denials WHERE feature_id = {self.feature} AND day BETWEEN '{first}' AND '{last}'
            ORDER BY at, user_name, host
            """
        }

    def polars(self, store: Any, frames: Any) -> dict[str, Callable[[], Any]]:
        first, last = self._days(store)
        col = polars.col
        denied = frames.denials.filter(col.feature_id == self.feature, col.day.is_between(first, last))
        local = col.at.dt.convert_time_zone(store.zone).dt.strftime("%Y-%m-%d %H:%M:%S")
        rows = denied.sort("at", "user_name", "host").select(local, "licenses", "user_name", "host")
        return {"denials": lambda: rows.collect(engine="streaming")}
