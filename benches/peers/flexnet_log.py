"""Writes neutral events as a FlexNet debug log, a daemon for each license server, on the clock of UTC.

The log has what FlexNet writes for the events: OUT, IN, DENIED, a TIMESTAMP every six hours, and the lines of starts and ends. It cannot
tell versions, handles and projects, which a debug log does not have.
"""

import collections
import datetime
import json
import pathlib

# Reasons as FlexNet has them: its two numbers, the second of which says where in the program.
MINORS = {-4: 342, -5: 346, -24: 332, -25: 334}


def clock(at: datetime.datetime) -> str:
    """The time of a line: hours have no zero before them."""
    return f"{at.hour:2}:{at:%M:%S}"


def written(events: pathlib.Path, log: pathlib.Path) -> dict[str, int]:
    """Writes the log, and says how many lines of each kind there are for who reads it."""
    counts: collections.Counter[str] = collections.Counter()
    stamp: datetime.datetime | None = None
    with events.open(encoding="utf-8") as lines, log.open("w", encoding="utf-8", buffering=1 << 20) as out:
        for line in lines:
            event = json.loads(line)
            at = datetime.datetime.fromisoformat(event["time"])
            if stamp is None:
                out.write(f"{clock(at)} (lmgrd) FlexNet Licensing (v11.19.5 build 1 x64_lsb) started on site (linux) ({at:%-m/%-d/%Y})\n")
                stamp = at
            while at - stamp >= datetime.timedelta(hours=6):
                stamp += datetime.timedelta(hours=6)
                out.write(f"{clock(stamp)} (lmgrd) TIMESTAMP {stamp:%-m/%-d/%Y}\n")
            daemon = event["server"].replace("-", "")
            who = f"{event.get('user')}@{event.get('host')}"
            many = f" ({event['licenses']} licenses)" if event.get("licenses", 1) > 1 else ""
            match event["event"]:
                case "checkout":
                    out.write(f'{clock(at)} ({daemon}) OUT: "{event["feature"]}" {who} {many}\n')
                case "checkin":
                    out.write(f'{clock(at)} ({daemon}) IN: "{event["feature"]}" {who} {many}\n')
                case "denial":
                    code = event["reason_code"]
                    reason = f"({event['reason']} ({code},{MINORS.get(code, 1)}))"
                    out.write(f'{clock(at)} ({daemon}) DENIED: "{event["feature"]}" {who} {many} {reason}\n')
                case "server_up":
                    out.write(f"{clock(at)} ({daemon}) Server started on site for: all\n")
                case "server_down":
                    out.write(f"{clock(at)} ({daemon}) EXITING DUE TO SIGNAL 15\n")
            counts[event["event"]] += 1
    return {kind: counts[kind] for kind in ("checkout", "checkin", "denial")}
