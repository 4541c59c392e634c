"""Times reports over HTTP, as a client sees them: time to first byte and total, first answer and median of four more.

    python3 benches/requests.py STORE FIRST_DAY LAST_DAY        # after cargo build --release

Serves the store on a free port, asks on loopback, and tells the server's memory after each report.
"""

import json
import statistics
import subprocess
import sys
import time
import urllib.request

store, first, last = sys.argv[1:4]
began = time.time()
server = subprocess.Popen(
    ["target/release/headroom", "serve", "--store", store, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
)
base = server.stdout.readline().strip().rsplit(" on ", 1)[1] + "/api/v1"
print(f"listens after {(time.time() - began) * 1000:.0f} ms")


def ask(path):
    start = time.time()
    answer = urllib.request.urlopen(base + path)
    size = len(answer.read(1))
    to_first = time.time() - start
    while chunk := answer.read(1 << 20):
        size += len(chunk)
    return to_first * 1000, (time.time() - start) * 1000, size


def peak_memory():
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


days = f"sd={first}&ed={last}"
features = json.load(urllib.request.urlopen(base + "/feature/json"))["totalCount"]
quiet = min(100, features)
for name, path in {
    "features": "/feature/json",
    "utilization, feature 1": f"/report/feature/1/utilization-history/json?{days}&st=09:00&et=17:00",
    f"utilization, feature {quiet}": f"/report/feature/{quiet}/utilization-history/json?{days}&st=09:00&et=17:00",
    "denials csv, feature 1": f"/report/feature/1/denials/csv?{days}",
    "denials json, feature 1": f"/report/feature/1/denials/json?{days}",
    "grouped by month": f"/report/feature/1/denials/grouped/json?{days}&grat=MONTH",
    "grouped by hour": f"/report/feature/1/denials/grouped/json?{days}&grat=HOUR",
    "users count": f"/report/users/realtime-count/json?{days}",
    "users count, model 2019": f"/report/users/realtime-count/json?{days}&model=2019",
}.items():
    runs = [ask(path) for _ in range(5)]
    to_first, total = (statistics.median(run[place] for run in runs[1:]) for place in (0, 1))
    print(
        f"{name:26} first {runs[0][0]:7.0f} / {runs[0][1]:7.0f} ms, then {to_first:7.0f} / {total:7.0f} ms,"
        f" {runs[0][2]:>10} bytes, peak {peak_memory()} MB",
        flush=True,
    )
server.terminate()
server.wait()
