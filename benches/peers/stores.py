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
    return (at - datetime.datetime.fromtimestamp(0, datetime.UTC)) // datetime.timedelta(microseconds=1)


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
    month: tuple[datetime.date, datetime.date]

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

    def clock(self) -> list[Day]:
        """Every day, with its first instant and its working hours."""
        zone = zoneinfo.ZoneInfo(self.zone)

        def at(day: datetime.date, clock: datetime.time) -> int:
            return micros(datetime.datetime.combine(day, clock, zone).astimezone(datetime.UTC))

        return [Day(day, at(day, datetime.time(0)), at(day, OPENS), at(day, CLOSES)) for day in self.days]


def headroom(binary: pathlib.Path, *args: object) -> str:
    """What a command of headroom prints."""
    return subprocess.run([str(word) for word in (binary, *args)], check=True, capture_output=True, text=True).stdout


def opened(binary: pathlib.Path, path: pathlib.Path, name: str) -> Store:
    """A store that is there. It is only read."""
    files = {table: headroom(binary, "files", table, "--store", path).split() for table in ("sessions", "denials")}

    def ask(query: str) -> str:
        return headroom(binary, "sql", "--store", path, "--format", "csv", query).split("\n")[1]

    zone, events = ask("SELECT max(zone) AS zone FROM servers"), int(ask("SELECT count(*) AS n FROM events"))
    # The month of the last year in which the busiest feature was denied most, so that there is something to tell of it.
    year = datetime.date.fromisoformat(files["sessions"][-1].split("/day=")[1][:10]).replace(month=1, day=1)
    most = ask(f"""
        SELECT CAST(date_trunc('month', day) AS DATE) AS month FROM denials WHERE feature_id = 1 AND day >= DATE '{year}'
        GROUP BY month ORDER BY count(*) DESC, month LIMIT 1
    """)
    first = datetime.date.fromisoformat(most)
    last = (first + datetime.timedelta(days=31)).replace(day=1) - datetime.timedelta(days=1)
    return Store(name, path, zone, files["sessions"], files["denials"], events, (first, last))


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
            command = [str(binary), "import", "--store", str(path), "--timezone", "Europe/Berlin", "--server", "site", "--json", "-"]
            subprocess.run(command, check=True, stdin=source.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if source.returncode:
            raise SystemExit(f"headroom generate failed with {source.returncode}")
        ready.write_text(f"{time.monotonic() - start:.1f} seconds\n")
    return opened(binary, path, f"{days} days of {per_day:,} events")


def named(store: Store, name: str) -> Store:
    """The same store by another name."""
    return dataclasses.replace(store, name=name)


def history(binary: pathlib.Path, work: pathlib.Path, years: int, per_day: int) -> Store:
    """A site with years of history, all of which end with 2025."""
    first = datetime.date(2026 - years, 1, 1)
    store = made(binary, work, first.isoformat(), (datetime.date(2026, 1, 1) - first).days, per_day)
    return named(store, years_of(years))


def years_of(years: int) -> str:
    """So many years in words."""
    return "1 year" if years == 1 else f"{years} years"
