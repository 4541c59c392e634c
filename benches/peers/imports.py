"""Events come in, as Parquet, NDJSON and a FlexNet debug log: how long an import into an empty store takes, from the program's start
to its end. Beside the log there is a parser in plain Python, which stores nothing."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

import polars

import compare
import flexnet_log
from results import HEADROOM

DAYS, PER_DAY = 25, 200_000
PARSER = "a line parser in Python"
HERE = pathlib.Path(__file__).resolve().parent
# What a log calls them.
KINDS = {"checkout": "OUT", "checkin": "IN", "denial": "DENIED"}


def sources(binary: pathlib.Path, work: pathlib.Path) -> tuple[dict[str, pathlib.Path], dict[str, int]]:
    """The events in every format, kept for the next run, and how many of each kind there are."""
    folder = work / f"events-{DAYS}x{PER_DAY}"
    files = {"ndjson": folder / "events.ndjson", "parquet": folder / "events.parquet", "flexnet": folder / "debug.log"}
    counts = folder / "counts.json"
    if not counts.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        generate = ["generate", "--days", DAYS, "--events-per-day", PER_DAY, "--seed", 1, "--first", "2025-01-01", "-o", files["ndjson"]]
        subprocess.run([binary, *map(str, generate)], check=True, stdout=subprocess.DEVNULL)
        time_of = polars.col.time.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us").dt.replace_time_zone("UTC")
        day_of = polars.col.expires.str.to_date("%Y-%m-%d")
        rows = polars.scan_ndjson(files["ndjson"], infer_schema_length=200_000).with_columns(time_of, day_of)
        rows.sink_parquet(files["parquet"])
        found = flexnet_log.written(files["ndjson"], files["flexnet"])
        counts.write_text(json.dumps(found))
    return files, json.loads(counts.read_text())


def imported(binary: pathlib.Path, store: pathlib.Path, source: pathlib.Path, counts: dict[str, int], form: str) -> float:
    """Seconds of an import, which has to find all events."""
    command = [str(binary), "import", "--store", str(store), "--server", "site", "--timezone", "UTC", "--json", str(source)]
    start = time.perf_counter()
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    seconds = time.perf_counter() - start
    summary = json.loads(told)
    found = {kind: summary["events"].get(kind, 0) for kind in counts}
    if found != counts or summary["unparsedLines"] or summary["undatedLines"]:
        raise compare.Different(f"DIFFERENT: of {counts} headroom imports {found} from {form}: {told[:500]}")
    return seconds


def parsed(log: pathlib.Path, counts: dict[str, int]) -> float:
    """Seconds of the parser in Python, which has to find the same."""
    told = subprocess.run([sys.executable, HERE / "flexnet_lines.py", log], check=True, capture_output=True, text=True).stdout.split()
    if [int(count) for count in told[1:]] != [counts[kind] for kind in KINDS]:
        raise compare.Different(f"DIFFERENT: of {counts} the parser in Python finds {told[1:]}")
    return float(told[0])


def measure(binary: pathlib.Path, work: pathlib.Path, rounds: int) -> list[dict[str, Any]]:
    """Every format in turns, after a first round that does not count. Stores are written to a disk, as they would be."""
    files, counts = sources(binary, work)
    kept: dict[str, dict[str, list[float]]] = {form: {HEADROOM: []} for form in files}
    kept["flexnet"][PARSER] = []
    for turn in range(rounds + 1):
        for form, source in files.items():
            with tempfile.TemporaryDirectory(dir=work) as folder:
                seconds = imported(binary, pathlib.Path(folder, "store"), source, counts, form)
            samples = {HEADROOM: seconds}
            if form == "flexnet":
                samples[PARSER] = parsed(source, counts)
            for name, of in samples.items():
                if turn:
                    kept[form][name].append(round(of, 6))
                print(f"round {turn}: {form}, {name}: {sum(counts.values()) / of:,.0f} events/s", flush=True)
    events = sum(counts.values())
    return [{"format": form, "events": events, "bytes": files[form].stat().st_size, "seconds": of} for form, of in kept.items()]
