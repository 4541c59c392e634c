#!/usr/bin/env python3
"""Five million denials leave the server in every format that streams: how long it takes, how large it is, and how much memory the
server takes at most, a server for each format.

    python3 benches/streaming.py [ROWS]

makes the rows and a store in a folder that is thrown away, with target/release/headroom.
"""

import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "target" / "release" / "headroom"
FORMATS = ["json", "ndjson", "csv", "arrow", "parquet", "xlsx", "html"]
DAYS = 365


def write_rows(path, rows):
    """One feature, a year, 5,000 users on 3,000 hosts, in a fixed order that looks like none."""
    midnight = 20089  # 2025-01-01, in days since 1970
    with open(path, "w", buffering=1 << 20) as out:
        out.write("time,event,server,feature,user,host,licenses,reason_code\n")
        for row in range(rows):
            second = row * DAYS * 86400 // rows
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(midnight * 86400 + second))
            user, host = row * 7919 % 5000, row * 104729 % 3000
            out.write(f"{at},denial,big,cad,user{user:04},ws{host:04}.example.com,{1 + row % 3},-4\n")


def peak_mib(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmHWM")


def measure(store, format):
    server = subprocess.Popen([PROGRAM, "serve", "--store", store, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[-1]
        url = f"{address}/api/v1/report/feature/1/denials/{format}?sd=2025-01-01&ed=2025-12-31"
        start = time.monotonic()
        size = 0
        with urllib.request.urlopen(url) as answer:
            first = None
            while piece := answer.read(1 << 20):
                first = first or time.monotonic() - start
                size += len(piece)
        return first, time.monotonic() - start, size / 1e6, peak_mib(server.pid)
    finally:
        server.terminate()
        server.wait()


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        source, store = f"{folder}/denials.csv", f"{folder}/store"
        write_rows(source, rows)
        subprocess.run([PROGRAM, "import", "--store", store, source], check=True, stdout=subprocess.DEVNULL)
        print(f"{rows} denials of one feature\n\n| format | first MB, s | all, s | MB | peak MiB of the server |\n|---|---|---|---|---|")
        for format in FORMATS:
            first, whole, size, peak = measure(store, format)
            print(f"| {format} | {first:.2f} | {whole:.1f} | {size:.0f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
