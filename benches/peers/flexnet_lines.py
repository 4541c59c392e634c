"""Reads a FlexNet debug log as scripts of administrators do: a regular expression for each line, dates from TIMESTAMP lines.

Those that can be found are for versions of Python that are gone, or are of licenses that do not fit here, so that this is a new one in
their manner: it keeps a list of what happened, and counts per feature how many are out, and the most. It matches no checkin with
its checkout, knows no restart, and stores nothing, which is less than an import does.
"""

import collections
import dataclasses
import datetime
import pathlib
import re
import sys
import time

LINE = re.compile(r'^ ?(\d+):(\d+):(\d+) \((\S+)\) (OUT|IN|DENIED): "([^"]+)" (\S+)@(\S+)(?:\s+\((\d+) licenses\))?')
STAMP = re.compile(r"^ ?\d+:\d+:\d+ \(\S+\) (?:TIMESTAMP (\d+)/(\d+)/(\d+)|.* started on .* \((\d+)/(\d+)/(\d+)\))")


@dataclasses.dataclass
class Log:
    """What a log says: events in their order, how many there are of each kind, and the most licenses out of each feature."""

    events: list[tuple[datetime.datetime, str, str, str, str, str, int]]
    counts: collections.Counter[str]
    peaks: dict[tuple[str, str], int]


def read(path: pathlib.Path) -> Log:
    """Reads a log, line by line."""
    log = Log([], collections.Counter(), {})
    out: collections.Counter[tuple[str, str]] = collections.Counter()
    day = datetime.datetime(1970, 1, 1)
    before = 0
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if found := LINE.match(line):
                hour, minute, second, daemon, kind, feature, user, host, licenses = found.groups()
                seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
                if seconds < before - 43_200:
                    day += datetime.timedelta(days=1)
                before = seconds
                many = int(licenses or 1)
                log.events.append((day + datetime.timedelta(seconds=seconds), daemon, kind, feature, user, host, many))
                log.counts[kind] += 1
                key = (daemon, feature)
                if kind == "OUT":
                    out[key] += many
                    log.peaks[key] = max(log.peaks.get(key, 0), out[key])
                elif kind == "IN":
                    out[key] -= many
            elif found := STAMP.match(line):
                month, date, year = (int(part) for part in found.groups() if part)
                day = datetime.datetime(year, month, date)
                before = 0
    return log


def main() -> None:
    """Prints how long it takes to read a log, and what was in it."""
    start = time.perf_counter()
    log = read(pathlib.Path(sys.argv[1]))
    print(f"{time.perf_counter() - start:.6f}", *(log.counts[kind] for kind in ("OUT", "IN", "DENIED")))


if __name__ == "__main__":
    main()
