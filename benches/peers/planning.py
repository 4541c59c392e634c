"""How long a report takes to plan: what a request that was never made takes longer than the same one once more, whose plan is kept."""

import datetime
import pathlib
import statistics
from typing import Any

import server
from questions.question import report
from stores import Store

# How many requests there are for each round of the run, each for another range of days.
RANGES = 40
# All ranges of a length begin on another day; those of the first length only have the server read the days.
LENGTHS = (28, 27)

REPORTS: dict[str, tuple[str, dict[str, str]]] = {
    "utilization history": ("feature/1/utilization-history/json", {"st": "09:00", "et": "17:00"}),
    "denials": ("feature/1/denials/json", {}),
    "grouped denials": ("feature/1/denials/grouped/json", {"grat": "HOUR"}),
    "users count": ("users/realtime-count/json", {}),
}


def measure(binary: pathlib.Path, store: Store, rounds: int) -> list[dict[str, Any]]:
    """The seconds of new requests, and of the same ones again; reports take turns."""
    kept: dict[str, dict[str, list[float]]] = {name: {"new": [], "again": []} for name in REPORTS}
    year, _ = store.last_year
    with server.Server(binary, store.path) as one:
        for length in LENGTHS:
            for begin in range(min(RANGES * rounds, 365 - length)):
                first = year + datetime.timedelta(days=begin)
                last = first + datetime.timedelta(days=length)
                for name, (path, parameters) in REPORTS.items():
                    request = report(path, sd=first, ed=last, **parameters)
                    new, answer, _ = one.ask(request)
                    again, same, _ = one.ask(request)
                    if answer != same:
                        raise SystemExit(f"headroom answers {request.path} in two ways")
                    if length != LENGTHS[0]:
                        kept[name]["new"].append(round(new, 6))
                        kept[name]["again"].append(round(again, 6))
    return [
        {
            "report": name,
            "requests": len(seconds["new"]),
            "new": median(seconds["new"]),
            "again": median(seconds["again"]),
            "longer": median([new - again for new, again in zip(seconds["new"], seconds["again"], strict=True)]),
        }
        for name, seconds in kept.items()
    ]


def median(samples: list[float]) -> float:
    """The median, to the microsecond."""
    return round(statistics.median(samples), 6)
