#!/usr/bin/env python3
"""How cost grows with years of history and with events a day, for headroom alone.

    python3 benches/peers/growth.py              # after cargo build --release; the stores take some 4 GB in target/bench

One, three and ten years of 20,000 events a day; and a year of once, twice, four and eight times as many. Every store is asked the same
in turns with the others. Writes the medians into results.json and the plot to docs/growth.svg; run.py --readme puts them into the README.
"""

import argparse
import datetime
import pathlib
import sys

import environment

if __name__ == "__main__" and not {"-h", "--help"} & set(sys.argv[1:]):
    environment.enter()

import statistics  # noqa: E402
from typing import Any  # noqa: E402

import engines  # noqa: E402
import plot  # noqa: E402
import questions  # noqa: E402
import results  # noqa: E402
import server  # noqa: E402
import starts  # noqa: E402
import stores  # noqa: E402

YEARS, FACTORS = [1, 3, 10], [1, 2, 4, 8]
# How columns of the table and curves of the plot are called, by question.
ASKED = {
    "year of utilization": "utilization-year",
    "month of utilization": "utilization-month",
    "year of users": "users-year",
    "year of denials by hour": "grouped-year",
}
START = "server listens"


def measure(binary: pathlib.Path, sites: list[stores.Store], rounds: int) -> list[dict[str, Any]]:
    """Asks a server of each store in turns, then starts servers, in turns too."""
    kept: dict[str, dict[str, list[float]]] = {site.name: {column: [] for column in ASKED} for site in sites}
    peaks = {site.name: 0 for site in sites}
    for column, name in ASKED.items():
        question = questions.ALL[name]
        for turn in range(rounds + 1):
            for site in sites:
                with server.Server(binary, site.path) as one:
                    # A first answer warms its server and shows its memory; how long it takes does not count.
                    with server.Memory(one.process.pid) as memory:
                        one.ask(question.request(site))
                    seconds, _, _ = one.ask(question.request(site))
                peaks[site.name] = max(peaks[site.name], memory.peak)
                if turn:
                    kept[site.name][column].append(round(seconds, 6))
        print(column, {site.name: round(statistics.median(kept[site.name][column]), 4) for site in sites}, flush=True)
    for start in starts.measure(binary, sites, rounds):
        kept[start["store"]][START] = start["listens"]
    return [
        {
            "store": site.name,
            "days": len(site.days),
            "events": site.events,
            "seconds": kept[site.name],
            "medians": {column: statistics.median(samples) for column, samples in kept[site.name].items()},
            "peak_bytes": peaks[site.name],
        }
        for site in sites
    ]


def main() -> None:
    """Makes the stores, measures, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=environment.ROOT / "target" / "release" / "headroom")
    parser.add_argument("--work", type=pathlib.Path, default=environment.WORK)
    parser.add_argument("--per-day", type=int, default=20_000, help="events a day of the smallest site")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=pathlib.Path, default=results.FILE)
    parser.add_argument("--plot", type=pathlib.Path, default=environment.ROOT / "docs" / "growth.svg")
    args = parser.parse_args()
    binary = args.binary.absolute()
    args.work.mkdir(parents=True, exist_ok=True)
    sites = [
        stores.named(stores.history(binary, args.work, years, args.per_day), f"{stores.years_of(years)}, {args.per_day:,} a day")
        for years in YEARS
    ]
    sites += [
        stores.named(stores.history(binary, args.work, 1, factor * args.per_day), f"{stores.years_of(1)}, {factor * args.per_day:,} a day")
        for factor in FACTORS[1:]
    ]
    began = datetime.datetime.now(datetime.UTC)
    measured = measure(binary, sites, args.rounds)
    results.save(args.results, "growth", measured, binary, engines.versions(), began, args.rounds)
    by_years = list(zip(YEARS, measured[: len(YEARS)], strict=True))
    by_events = list(zip(FACTORS, [measured[0], *measured[len(YEARS) :]], strict=True))
    plot.drawn(args.plot, [("years of history", by_years), (f"times {args.per_day:,} events a day, a year", by_events)])


if __name__ == "__main__":
    main()
