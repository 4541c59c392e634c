"""What was measured, as results.json keeps it, and the README's tables, which are made of that and of nothing else."""

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
from collections.abc import Iterable
from typing import Any

from environment import ROOT

FILE = pathlib.Path(__file__).resolve().parent / "results.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
PEERS = ["DuckDB", "chDB", "Polars"]
HEADROOM, FROM_PIECES = "headroom", "headroom, from the pieces"
MIB = 1 << 20


def machine() -> dict[str, Any]:
    """What it was measured on."""
    model = next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name"))
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo", encoding="utf-8") if line.startswith("MemTotal"))
    return {"cpu": model, "cores": os.cpu_count(), "memory_bytes": memory * 1024, "kernel": platform.release()}


def save(
    path: pathlib.Path, stage: str, measured: Any, binary: pathlib.Path, versions: dict[str, str], began: datetime.datetime, rounds: int
) -> None:
    """Puts a stage into the file, where others stay."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept[stage] = {
        "began": began.isoformat(timespec="seconds"),
        "rounds": rounds,
        "machine": machine(),
        "versions": {"headroom": subprocess.check_output([binary, "--version"], text=True).split()[-1], **versions},
        "measured": measured,
    }
    path.write_text(json.dumps(kept, indent=1) + "\n")


def unit(seconds: float) -> tuple[float, str]:
    """What a time is told in: by what it is multiplied, and the unit."""
    return (1000, "ms") if seconds < 0.1 else (1, "s")


def digits(value: float) -> str:
    """Three digits at most, no fractions of a hundred."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def told(seconds: float) -> str:
    """A time as a table tells it."""
    times, name = unit(seconds)
    return f"{digits(seconds * times)} {name}"


def spread(samples: list[float]) -> str:
    """The median, and least and greatest in the same unit."""
    times, name = unit(statistics.median(samples))
    middle, least, most = (digits(times * of(samples)) for of in (statistics.median, min, max))
    return f"{middle} {name} ({least}–{most})"


def ratio(mine: float, theirs: float) -> str:
    """How many times as long the others take."""
    return f"{theirs / mine:.2g}×" if theirs / mine < 100 else f"{theirs / mine:.0f}×"


def table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows]]


def best(engines: dict[str, Any]) -> tuple[str, float]:
    """The quickest peer and its median."""
    return min(((name, statistics.median(engines[name]["seconds"])) for name in PEERS if name in engines), key=lambda peer: peer[1])


def questions(measured: list[dict[str, Any]], *, stores: bool) -> list[str]:
    """Questions of reports, an engine a column."""
    mine = [name for name in (HEADROOM, FROM_PIECES) if all(name in result["engines"] for result in measured)]
    head = [*(["history"] if stores else []), "question", "rows", *mine, *PEERS, *(f"best of the others / {name}" for name in mine)]
    rows = []
    for result in measured:
        engines = result["engines"]
        _, theirs = best(engines)
        rows.append(
            [
                *([f"{result['store']}, {result['events'] / 1e6:.1f} M events"] if stores else []),
                result["title"],
                f"{sum(result['rows'].values()):,}",
                *(spread(engines[name]["seconds"]) for name in [*mine, *PEERS]),
                *(ratio(statistics.median(engines[name]["seconds"]), theirs) for name in mine),
            ]
        )
    return [*table(head, rows), "", memory(measured)]


def memory(measured: list[dict[str, Any]]) -> str:
    """The most that each engine took for any of the questions."""
    most: dict[str, int] = {}
    for result in measured:
        for name, kept in result["engines"].items():
            most[name] = max(most.get(name, 0), kept["peak_bytes"])
    return f"The most memory for any of these: {', '.join(f'{name} {peak / MIB:,.0f} MiB' for name, peak in most.items())}."


def exports(measured: list[dict[str, Any]]) -> list[str]:
    """Formats, an engine a column, and headroom's memory."""
    rows = []
    for result in measured:
        engines = result["engines"]
        mine = statistics.median(engines[HEADROOM]["seconds"])
        above = f"{engines[HEADROOM]['above_idle_bytes'] / MIB:.0f} MiB"
        cells = [spread(engines[name]["seconds"]) for name in [HEADROOM, *PEERS]]
        rows.append([f"{result['rows']:,} sessions as {result['format']}", *cells, ratio(mine, best(engines)[1]), above])
    return table(["export", HEADROOM, *PEERS, "best of the others / headroom", "headroom's memory above idle"], rows)


def imports(measured: list[dict[str, Any]]) -> list[str]:
    """Formats and events a second."""
    rows = []
    for result in measured:
        for name, seconds in result["seconds"].items():
            rate = [result["events"] / of for of in seconds]
            cells = [f"{statistics.median(rate):,.0f} ({min(rate):,.0f}–{max(rate):,.0f})", f"{result['bytes'] / MIB:,.0f} MiB"]
            rows.append([result["format"], name, *cells])
    return table(["import", "by", "events/s", "input"], rows)


def starts(measured: list[dict[str, Any]]) -> list[str]:
    """Stores and how soon they are served."""
    rows = [[result["store"], f"{result['events']:,}", spread(result["listens"]), spread(result["ready"])] for result in measured]
    return table(["store", "events", "listens after", "answers /readyz after"], rows)


def planning(measured: list[dict[str, Any]]) -> list[str]:
    """Reports, and what it takes to plan each."""
    rows = [[result["report"], f"{result['requests']:,}", *(told(result[column]) for column in ("new", "again", "longer"))] for result in measured]
    return table(["report", "requests", "a new request", "the same again", "so planned in"], rows)


def growth(measured: list[dict[str, Any]]) -> list[str]:
    """Stores of several sizes, a question a column."""
    columns = list(measured[0]["medians"])
    rows = [
        [
            result["store"],
            f"{result['events'] / 1e6:.1f} M",
            *(told(result["medians"][column]) for column in columns),
            f"{result['peak_bytes'] / MIB:.0f} MiB",
        ]
        for result in measured
    ]
    return table(["store", "events", *columns, "most memory"], rows)


def block(path: pathlib.Path) -> str:
    """The README's part."""
    kept = json.loads(path.read_text())
    lines = [BEGIN, ""]
    stage = kept.get("year") or next(iter(kept.values()))
    versions = ", ".join(f"{name} {version}" for name, version in stage["versions"].items() if name != "headroom")
    on = stage["machine"]
    memory_of = f"{on['memory_bytes'] / (1 << 30):.0f} GiB of memory"
    lines += [
        f"`python3 benches/peers/run.py`, {stage['began'][:10]}: {on['cpu']}, {on['cores']} cores, {memory_of}; {versions},",
        f"each with {on['cores']} threads. Medians of {stage['rounds']} rounds or more after one to warm up, with least and greatest.",
        "Engines took turns and read the same files, and every answer was compared with headroom's: a difference ends the run.",
        "",
    ]
    tables = {
        "year": lambda measured: questions(measured, stores=False),
        "history": lambda measured: questions(measured, stores=True),
        "exports": exports,
        "imports": imports,
        "starts": starts,
        "planning": planning,
        "growth": growth,
    }
    for name, said in tables.items():
        if name in kept:
            lines += [*INTRODUCTIONS[name], "", *said(kept[name]["measured"]), ""]
    return "\n".join([*lines, END])


INTRODUCTIONS = {
    "year": ["A year of a large site:"],
    "history": ["A month, out of one year and out of ten years of a smaller site:"],
    "exports": ["Sessions leave: headroom over HTTP, peers into files in memory."],
    "imports": ["Events come in, into an empty store; the line parser keeps no store, and pairs nothing."],
    "starts": ["A server starts:"],
    "planning": ["Four weeks of a smaller site, of another range each time, and then once more, when the plan is kept; medians:"],
    "growth": [
        "How cost grows with years of history and with events a day, by `python3 benches/peers/growth.py`:",
        "",
        "![medians over years of history and over events a day](docs/growth.svg)",
    ],
}


def parts() -> tuple[str, str]:
    """The README before and after the tables."""
    text = README.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{README} has to have {BEGIN} and {END}, once")
    return text.split(BEGIN)[0], text.split(END)[1]


def write_readme(path: pathlib.Path) -> None:
    """Writes the tables into the README."""
    before, after = parts()
    README.write_text(f"{before}{block(path)}{after}")


def check(path: pathlib.Path) -> None:
    """Fails unless the README has what results.json gives."""
    before, after = parts()
    if README.read_text() != f"{before}{block(path)}{after}":
        raise SystemExit(f"the README's tables are not those of {path}; run.py --readme writes them")
    print("the README's tables are those of the results")
