"""Stores to ask: generated and imported where none is given, and what peers have to know of one to read the same files."""

import dataclasses
import datetime
import pathlib
import shutil
import subprocess
import time
import zoneinfo

OPENS, CLOSES = datetime.time(9), datetime.time(17)


def micros(at: datetime.datetime) -> int:
    """An instant as the files have it: whole microseconds since 1970."""
    return (at - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


@dataclasses.dataclass(frozen=True)
class Day:
    """A calendar day of the store's zone, as instants: peers need not know of summer time."""

    day: datetime.date
    midnight: int
    opens: int
    closes: int


@dataclasses.dataclass(frozen=True)
class Store:
    """A store, the files that count in it, and its days."""

    name: str
    path: pathlib.Path
    zone: str
    sessions: list[str]
    denials: list[str]
    events: int

    @property
    def days(self) -> list[datetime.date]:
        """All days that the files span, first to last."""
        first, last = (datetime.date.fromisoformat(self.sessions[place].split("/day=")[1][:10]) for place in (0, -1))
        return [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]

    @property
    def last_year(self) -> tuple[datetime.date, datetime.date]:
        """The last 365 days."""
        days = self.days[-365:]
        return days[0], days[-1]

    @property
    def month(self) -> tuple[datetime.date, datetime.date]:
        """A month of the last year: thirty days in June, where work goes on."""
        return datetime.date(self.days[-1].year, 6, 1), datetime.date(self.days[-1].year, 6, 30)

    def clock(self) -> list[Day]:
        """Every day, with its first instant and its working hours."""
        zone = zoneinfo.ZoneInfo(self.zone)

        def at(day: datetime.date, clock: datetime.time) -> int:
            return micros(datetime.datetime.combine(day, clock, zone).astimezone(datetime.timezone.utc))

        return [Day(day, at(day, datetime.time(0)), at(day, OPENS), at(day, CLOSES)) for day in self.days]


def headroom(binary: pathlib.Path, *args: object) -> str:
    """What a command of headroom prints."""
    return subprocess.run([binary, *map(str, args)], check=True, capture_output=True, text=True).stdout


def opened(binary: pathlib.Path, path: pathlib.Path, name: str) -> Store:
    """A store that is there. It is only read."""
    files = {table: headroom(binary, "files", table, "--store", path).split() for table in ("sessions", "denials")}
    zone, events = (
        headroom(binary, "sql", "--store", path, "--format", "csv", query).split()[-1]
        for query in ("SELECT max(zone) AS zone FROM servers", "SELECT count(*) AS n FROM events")
    )
    return Store(name, path, zone, files["sessions"], files["denials"], int(events))


def made(binary: pathlib.Path, work: pathlib.Path, first: str, days: int, per_day: int) -> Store:
    """A generated store, kept in the folder of the benchmark for the next run."""
    path = work / f"store-{first}-{days}x{per_day}"
    ready = path.with_suffix(".ready")
    if not ready.exists():
        shutil.rmtree(path, ignore_errors=True)
        start = time.monotonic()
        generate = ["--days", days, "--events-per-day", per_day, "--seed", 1, "--first", first, "--timezone", "Europe/Berlin"]
        print(f"makes {path.name}", flush=True)
        with subprocess.Popen([binary, "generate", *map(str, generate)], stdout=subprocess.PIPE) as source:
            command = [binary, "import", "--store", path, "--timezone", "Europe/Berlin", "--server", "site", "--json", "-"]
            subprocess.run(command, check=True, stdin=source.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if source.returncode:
            raise SystemExit(f"headroom generate failed with {source.returncode}")
        ready.write_text(f"{time.monotonic() - start:.1f} seconds\n")
    return opened(binary, path, f"{days} days of {per_day:,} events")


def named(store: Store, name: str) -> Store:
    """The same store by another name."""
    return dataclasses.replace(store, name=name)


def history(binary: pathlib.Path, work: pathlib.Path, years: int) -> Store:
    """A site of 20,000 events a day with years of history, all of which end with 2025."""
    first = datetime.date(2026 - years, 1, 1)
    store = made(binary, work, first.isoformat(), (datetime.date(2026, 1, 1) - first).days, 20_000)
    return named(store, "1 year" if years == 1 else f"{years} years")
