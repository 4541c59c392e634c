"""The peers, each in a process of its own that stays warm: DuckDB, chDB and Polars on the files of a store.

An engine is timed inside its process, from the query to columns in memory; no time of sending the rows here is in it.
"""

import dataclasses
import datetime
import importlib.metadata
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any, Protocol

import questions
from questions.question import Row
from stores import Store

THREADS = os.cpu_count() or 1
# Of a machine with 24 GB, on which a server of headroom and the other peers run as well.
MEMORY = "8GB"


class Engine(Protocol):
    """An engine opened on a store."""

    def prepare(self, question: str) -> dict[str, Any]:
        """What a question asks of this engine, by part."""

    def run(self, query: Any) -> Any:
        """Asks; the time of this counts."""

    def rows(self, answer: Any) -> list[Row]:
        """What was answered; the time of this does not count."""


class DuckDB:
    """DuckDB, in memory, with views on the files."""

    def __init__(self, store: Store, folder: str) -> None:
        import duckdb

        self.store = store
        self.connection = duckdb.connect()
        for setting in [
            f"threads = {THREADS}",
            f"memory_limit = '{MEMORY}'",
            f"temp_directory = '{folder}'",
            "parquet_metadata_cache = true",
            "TimeZone = 'UTC'",
        ]:
            self.connection.execute(f"SET {setting}")
        for table, files in (("sessions", store.sessions), ("denials", store.denials)):
            listed = ", ".join(f"'{file}'" for file in files)
            self.connection.execute(f"CREATE VIEW {table} AS FROM read_parquet([{listed}], hive_partitioning = true)")
        self.connection.execute("CREATE TABLE days (day DATE, midnight BIGINT, opens BIGINT, closes BIGINT)")
        self.connection.executemany("INSERT INTO days VALUES (?, ?, ?, ?)", [dataclasses.astuple(day) for day in store.clock()])

    def prepare(self, question: str) -> dict[str, Any]:
        return dict(questions.ALL[question].duckdb(self.store))

    def run(self, query: str | list[str]) -> Any:
        return [self.connection.sql(one).to_arrow_table() for one in ([query] if isinstance(query, str) else query)]

    def rows(self, answer: Any) -> list[Row]:
        return [tuple(row.values()) for told in answer for row in told.to_pylist()]


class ChDB:
    """ClickHouse within the process, with views on the files."""

    def __init__(self, store: Store, folder: str) -> None:
        import chdb.session

        self.store = store
        self.session = chdb.session.Session(f"{folder}/session")
        self.session.query("CREATE DATABASE bench ENGINE = Atomic")
        self.session.query("USE bench")
        for setting in [f"max_threads = {THREADS}", "use_hive_partitioning = 1"]:
            self.session.query(f"SET {setting}")
        for table, files in (("sessions", store.sessions), ("denials", store.denials)):
            # A pattern stands for the list: a folder of links to the files that count.
            for file in files:
                day = pathlib.Path(folder, table, pathlib.Path(file).parent.name)
                day.mkdir(parents=True)
                (day / "part.parquet").symlink_to(file)
            self.session.query(f"CREATE VIEW {table} AS SELECT * FROM file('{folder}/{table}/day=*/part.parquet', Parquet)")
        self.session.query("CREATE TABLE days (day Date, midnight Int64, opens Int64, closes Int64) ENGINE = Memory")
        days = ", ".join(f"('{day.day}', {day.midnight}, {day.opens}, {day.closes})" for day in store.clock())
        self.session.query(f"INSERT INTO days VALUES {days}")

    def prepare(self, question: str) -> dict[str, Any]:
        return dict(questions.ALL[question].chdb(self.store))

    def run(self, query: str) -> Any:
        return self.session.query(query, "Arrow")

    def rows(self, answer: Any) -> list[Row]:
        import pyarrow

        told = pyarrow.ipc.open_file(answer.bytes()).read_all()
        return [tuple(text(value) for value in row.values()) for row in told.to_pylist()]


def text(value: Any) -> Any:
    """ClickHouse tells texts as bytes."""
    return value.decode() if isinstance(value, bytes) else value


@dataclasses.dataclass
class Frames:
    """What Polars reads: tables as lazy frames, and the files of each day."""

    sessions: Any
    denials: Any
    days: Any
    session_days: dict[datetime.date, list[str]]


class Polars:
    """Polars, with its streaming engine where that is quicker."""

    def __init__(self, store: Store, folder: str) -> None:
        os.environ["POLARS_MAX_THREADS"] = str(THREADS)
        import polars

        self.store = store
        days = polars.DataFrame([dataclasses.astuple(day) for day in store.clock()], ["day", "midnight", "opens", "closes"], orient="row")
        by_day: dict[datetime.date, list[str]] = {}
        for file in store.sessions:
            by_day.setdefault(datetime.date.fromisoformat(file.split("/day=")[1][:10]), []).append(file)
        sessions, denials = (polars.scan_parquet(files, hive_partitioning=True) for files in (store.sessions, store.denials))
        self.frames = Frames(sessions, denials, days.lazy(), by_day)

    def prepare(self, question: str) -> dict[str, Any]:
        return dict(questions.ALL[question].polars(self.store, self.frames))

    def run(self, query: Callable[[], Any]) -> Any:
        return query()

    def rows(self, answer: Any) -> list[Row]:
        return answer.rows()


ENGINES: dict[str, type] = {"DuckDB": DuckDB, "chDB": ChDB, "Polars": Polars}


def versions() -> dict[str, str]:
    """What is installed of each."""
    return {name: importlib.metadata.version(name.lower()) for name in ENGINES}


def peak_memory() -> int:
    """The most that this process took since it was asked last, in bytes."""
    status = pathlib.Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return peak


def work(connection: multiprocessing.connection.Connection, name: str, store: Store) -> None:
    """A process of an engine: a question comes in, seconds and rows of its parts go out."""
    with tempfile.TemporaryDirectory(prefix="headroom-bench-") as folder:
        engine: Engine = ENGINES[name](store, folder)
        connection.send("ready")
        while (question := connection.recv()) is not None:
            try:
                seconds, parts = 0.0, {}
                peak_memory()
                for part, query in engine.prepare(question).items():
                    start = time.perf_counter()
                    answer = engine.run(query)
                    seconds += time.perf_counter() - start
                    parts[part] = engine.rows(answer)
                    del answer
                connection.send((seconds, parts, peak_memory()))
            except Exception as error:  # whatever it is, the run has to end with it
                connection.send(error)


class Peer:
    """A peer as the run sees it."""

    def __init__(self, name: str, store: Store) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self.connection, there = context.Pipe()
        self.process = context.Process(target=work, args=(there, name, store), daemon=True)
        self.process.start()
        there.close()
        self.connection.recv()

    def ask(self, question: str) -> tuple[float, dict[str, list[Row]], int]:
        """Seconds, rows by part, and the most memory of the process."""
        self.connection.send(question)
        answer = self.connection.recv()
        if isinstance(answer, Exception):
            raise SystemExit(f"{self.name} fails at {question}: {answer}")
        return answer

    def close(self) -> None:
        """Ends its process."""
        self.connection.send(None)
        self.process.join()
