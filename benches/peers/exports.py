"""Whole days of sessions as CSV, JSON and NDJSON, all columns as they are.

headroom streams them over HTTP to a client that throws the bytes away; a peer writes a file into memory. Each answer is read back once
by DuckDB, and has to hold the same rows.
"""

import datetime
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import duckdb
import polars

import compare
import engines
import server
from questions.question import Request
from results import HEADROOM
from stores import Store

ROWS = 3_600_000
FORMATS = ["csv", "json", "ndjson"]
COLUMNS = ["started", "ended", "session_started", "continues", "server_id", "feature_id", "user_name", "host", "licenses"]
INSTANTS = COLUMNS[:3]


def chosen(store: Store) -> tuple[datetime.date, datetime.date, int]:
    """Days from the first of March that have as many rows as are wanted, and how many those are."""
    rows = 0
    first = datetime.date(store.days[-1].year, 3, 1)
    for file in store.sessions:
        day = datetime.date.fromisoformat(file.split("/day=")[1][:10])
        if day < first:
            continue
        rows += polars.scan_parquet(file).select(polars.len()).collect().item()
        if rows >= ROWS:
            return first, day, rows
    raise SystemExit(f"{store.path} has no {ROWS} pieces of sessions after {first}")


def request(days: str, form: str) -> Request:
    """What headroom is asked."""
    return Request("/api/v1/sql", json.dumps({"sql": f"SELECT {', '.join(COLUMNS)} FROM sessions WHERE {days}", "format": form}))


class Array(io.RawIOBase):
    """Takes headroom's envelope and writes the array within, which other programs read row by row."""

    def __init__(self, path: pathlib.Path) -> None:
        self.out = path.open("wb")
        self.begun = False
        self.held = b""

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        """Writes all but the end of what came so far, which may be that of the envelope."""
        self.held += piece
        if not self.begun:
            _, begun, self.held = self.held.partition(b'"data":')
            self.begun = bool(begun)
        self.out.write(self.held[:-4096])
        self.held = self.held[-4096:]
        return len(piece)

    def close(self) -> None:
        """Leaves out what follows the array."""
        end = self.held.rindex(b'],"code"')
        self.out.write(self.held[: end + 1])
        self.out.close()
        super().close()


def contents(path: pathlib.Path, form: str) -> tuple[Any, ...]:
    """Rows of a file, and a sum over hashes of all their values, in whichever order they come."""
    times = {column: "VARCHAR" for column in INSTANTS}
    others = {"continues": "BOOLEAN", "server_id": "INTEGER", "feature_id": "INTEGER", "user_name": "VARCHAR", "host": "VARCHAR"}
    types = str(times | others | {"licenses": "INTEGER"})
    reader = {
        "csv": f"read_csv('{path}', header = true, columns = {types})",
        "json": f"read_json('{path}', format = 'array', columns = {types})",
        "ndjson": f"read_json('{path}', format = 'newline_delimited', columns = {types})",
    }[form]
    values = ", ".join(f"epoch_us({column}::TIMESTAMPTZ)" if column in INSTANTS else column for column in COLUMNS)
    connection = duckdb.connect()
    for setting in ["TimeZone = 'UTC'", f"memory_limit = '{engines.MEMORY}'"]:
        connection.execute(f"SET {setting}")
    return connection.sql(f"SELECT count(*), sum(hash({values})::HUGEINT), sum(licenses) FROM {reader}").fetchall()[0]


def exporter(
    name: str, folder: str, store: Store, days: tuple[datetime.date, datetime.date], form: str, path: pathlib.Path
) -> Callable[[], Any]:
    """How a peer writes a file."""
    columns, where = ", ".join(COLUMNS), f"day BETWEEN '{days[0]}' AND '{days[1]}'"
    match name:
        case "DuckDB":
            duck = engines.DuckDB(store, folder)
            options = {"csv": "FORMAT csv", "json": "FORMAT json, ARRAY true", "ndjson": "FORMAT json"}[form]
            copy = f"COPY (SELECT {columns} FROM sessions WHERE {where}) TO '{path}' ({options})"
            return lambda: duck.connection.execute(copy).fetchall()
        case "chDB":
            click = engines.ChDB(store, folder)
            kind = "CSVWithNames" if form == "csv" else "JSONEachRow"
            array = "SETTINGS output_format_json_array_of_rows = 1" if form == "json" else ""
            query = f"SELECT {columns} FROM sessions WHERE {where} INTO OUTFILE '{path}' TRUNCATE FORMAT {kind} {array}"
            return lambda: click.session.query(query)
        case _:
            rows = engines.Polars(store, folder).frames.sessions.filter(polars.col.day.is_between(*days)).select(COLUMNS)
            return {
                "csv": lambda: rows.sink_csv(path),
                "ndjson": lambda: rows.sink_ndjson(path),
                "json": lambda: rows.collect(engine="streaming").write_json(path),
            }[form]


def work(connection: multiprocessing.connection.Connection, name: str, *what: Any) -> None:
    """A process of a peer: writes the file whenever it is told to, and says how long that took."""
    with tempfile.TemporaryDirectory(prefix="headroom-bench-") as folder:
        try:
            export = exporter(name, folder, *what)
            while connection.recv():
                engines.peak_memory()
                start = time.perf_counter()
                export()
                connection.send((time.perf_counter() - start, engines.peak_memory()))
        except Exception as error:  # whatever it is, the run has to end with it
            connection.send(error)


def measure(binary: pathlib.Path, store: Store, scratch: pathlib.Path, rounds: int) -> list[dict[str, Any]]:
    """Every format by every engine in turns, after a first round that is read back and does not count."""
    first, last, rows = chosen(store)
    days = f"day BETWEEN DATE '{first}' AND DATE '{last}'"
    results = []
    with tempfile.TemporaryDirectory(dir=scratch) as folder, open(os.devnull, "wb") as nowhere:
        for form in FORMATS:
            paths = {name: pathlib.Path(folder, f"{name}.{form}") for name in [HEADROOM, *engines.ENGINES]}
            peers = {name: started(name, store, (first, last), form, paths[name]) for name in engines.ENGINES}
            kept: dict[str, dict[str, Any]] = {name: {"seconds": []} for name in paths}
            with server.Server(binary, store.path) as one:
                with Array(paths[HEADROOM]) if form == "json" else paths[HEADROOM].open("wb") as into:
                    one.ask(request(days, form), into)
                expected = contents(paths[HEADROOM], form)
                if expected[0] != rows:
                    raise compare.Different(f"DIFFERENT: headroom exports {expected[0]} rows as {form}, and files have {rows}")
                # Looking at memory takes time, and is done once.
                with server.Memory(one.process.pid) as memory:
                    one.ask(request(days, form), nowhere)
                kept[HEADROOM]["above_idle_bytes"] = memory.peak - one.idle
                for turn in range(rounds + 1):
                    seconds, _, length = one.ask(request(days, form), nowhere)
                    sample(kept[HEADROOM], turn, seconds, memory.peak, length)
                    for name, (_, connection) in peers.items():
                        connection.send(True)
                        told = connection.recv()
                        if isinstance(told, Exception):
                            raise SystemExit(f"{name} fails at exporting {form}: {told}")
                        sample(kept[name], turn, told[0], told[1], paths[name].stat().st_size)
                        if not turn and (found := contents(paths[name], form)) != expected:
                            raise compare.Different(f"DIFFERENT: {name}, {form}: {found} of its file is not headroom's {expected}")
            for process, connection in peers.values():
                connection.send(False)
                process.join()
            for path in paths.values():
                path.unlink()
            results.append({"format": form, "rows": rows, "first": str(first), "last": str(last), "engines": kept})
            medians = ", ".join(f"{name} {statistics.median(of['seconds']):.2f} s" for name, of in kept.items())
            print(f"{rows} sessions as {form}: {medians}; the same rows", flush=True)
    return results


def started(name: str, *what: Any) -> tuple[Any, multiprocessing.connection.Connection]:
    """A process of a peer, and what it is spoken to through."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, name, *what), daemon=True)
    process.start()
    return process, here


def sample(kept: dict[str, Any], turn: int, seconds: float, peak: int, length: int) -> None:
    """A sample, unless it is of the first round."""
    kept["peak_bytes"] = max(kept.get("peak_bytes", 0), peak)
    kept["bytes"] = length
    if turn:
        kept["seconds"].append(round(seconds, 6))
