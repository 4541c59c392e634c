"""A server under load that means no good: many clients at once ask reports and SQL, read exports, hang up midway, read
nothing, and send bombs. Nothing may be wrong, nothing may stay behind.

    python3 tests/peers/soak.py BINARY STORE [--seconds 300] [--clients 64] [--memory 6GiB]

It starts the server, asks every question once alone to learn the answers, then asks all of them at once for as long as it was
told, and compares. It ends with a table, and with an error if

- an answer was wrong, or said it was whole and was not;
- a status was none of 200, and of the errors that were provoked (400, 413), 429, 503 and 504;
- the server and its workers took more memory than they were given;
- one in a hundred calls of `/healthz` took longer than a second, or half of them longer than 100 ms;
- a query was left over, or the processors were still busy two seconds after the last client was gone.

Needs nothing but Python, and Linux for /proc.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("store")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--memory", default="4GiB", help="what the server is given with --memory")
    parser.add_argument("--overhead", default="768MiB", help="what the processes may take besides")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def size(text):
    number, unit = re.fullmatch(r"(\d+)(MiB|GiB)", text).groups()
    return int(number) * {"MiB": 2**20, "GiB": 2**30}[unit]


class Server:
    def __init__(self, binary, store, memory):
        self.log = open(os.path.join(os.path.dirname(os.path.abspath(store)), "soak.log"), "w")
        command = [binary, "serve", "--store", store, "--listen", "127.0.0.1:0", "--memory", memory, "--queue", "40"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        self.address = line.rsplit("http://", 1)[1].strip()

    def connect(self, timeout=300):
        host, port = self.address.split(":")
        return http.client.HTTPConnection(host, int(port), timeout=timeout)

    def ask(self, question, timeout=300):
        connection = self.connect(timeout)
        try:
            connection.request(question.method, question.path, question.body, question.headers)
            answer = connection.getresponse()
            try:
                body, whole = answer.read(), True
            except (http.client.IncompleteRead, ConnectionError):
                body, whole = b"", False
            return answer.status, body, whole
        finally:
            connection.close()

    def processes(self):
        found, place = [self.process.pid], 0
        while place < len(found):
            try:
                for task in os.listdir(f"/proc/{found[place]}/task"):
                    with open(f"/proc/{found[place]}/task/{task}/children") as children:
                        found += map(int, children.read().split())
            except (FileNotFoundError, ProcessLookupError):
                pass
            place += 1
        return found

    def memory(self):
        total = 0
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/statm") as statm:
                    pages = statm.read().split()
                total += (int(pages[1]) - int(pages[2])) * PAGE
            except (FileNotFoundError, ProcessLookupError, IndexError):
                pass
        return total

    def busy(self, seconds=0.5):
        def ticks():
            total = 0
            for pid in self.processes():
                try:
                    with open(f"/proc/{pid}/stat") as stat:
                        fields = stat.read().rsplit(") ", 1)[1].split()
                    total += int(fields[11]) + int(fields[12])
                except (FileNotFoundError, ProcessLookupError, IndexError):
                    pass
            return total

        before = ticks()
        time.sleep(seconds)
        return max(ticks() - before, 0) / TICKS / seconds


class Question:
    """What is asked, and which answers are right."""

    def __init__(self, name, path, body=None, headers=None, expected=(200,), weight=1, manner="reads"):
        self.name, self.path, self.body = name, "/api/v1" + path, body
        self.headers = headers or {}
        self.method = "GET" if body is None else "POST"
        self.expected, self.weight, self.manner = expected, weight, manner
        self.digest = None


def sql(text, **options):
    return f"/sql?{urllib.parse.urlencode(options)}", text.encode(), {"Content-Type": "text/plain"}


def questions(server):
    path, body, headers = sql("SELECT feature_id FROM sessions GROUP BY feature_id ORDER BY count(*) DESC, feature_id", format="csv")
    ids = [int(line) for line in server.ask(Question("busiest", path, body, headers))[1].split()[1:]]
    busy, middle = ids[0], ids[len(ids) // 2]
    users = json.loads(server.ask(Question("users", "/report/users/realtime-count/json?limit=100000"))[1])["data"]
    first, last = users[0]["ucd"], users[-1]["ucd"]
    days = f"sd={first}&ed={last}"
    every = [
        Question("features", "/feature/json", weight=3),
        Question("denials csv", f"/report/feature/{busy}/denials/csv?{days}", weight=3),
        Question("denials ndjson", f"/report/feature/{middle}/denials/ndjson?{days}", weight=2),
        Question("grouped denials", f"/report/feature/{busy}/denials/grouped/json?{days}&grat=HOUR", weight=3),
        Question("utilization", f"/report/feature/{middle}/utilization-history/csv?{days}&st=09:00&et=17:00", weight=3),
        Question("utilization busy", f"/report/feature/{busy}/utilization-history/json?{days}&st=00:00&et=24:00"),
        Question("users", f"/report/users/realtime-count/csv?{days}"),
        Question("sql count", *sql("SELECT feature_id, count(*) AS n, sum(licenses) AS l FROM sessions GROUP BY feature_id ORDER BY feature_id", format="csv"), weight=3),
        Question("sql join", *sql(
            "SELECT f.name, count(*) AS n FROM denials d JOIN features f USING (feature_id) GROUP BY f.name ORDER BY n DESC, f.name LIMIT 20", format="csv"), weight=2),
        Question("sql parameters", "/sql", json.dumps({
            "sql": "SELECT count(*) AS n FROM sessions WHERE feature_id = $feature AND day BETWEEN $first AND $last",
            "params": {"feature": busy, "first": first, "last": last}}).encode(), {"Content-Type": "application/json"}, weight=2),
        Question("sql export", *sql(f"SELECT * FROM sessions WHERE feature_id = {busy} ORDER BY started, ended, user_name, host, licenses, session_started, continues, server_id", format="csv", limit=300000)),
        Question("gone", *sql("SELECT * FROM sessions", format="csv"), manner="leaves", weight=2),
        Question("gone report", f"/report/feature/all/denials/csv?{days}", manner="leaves", weight=2),
        Question("gone early", f"/report/feature/all/utilization-history/csv?{days}&st=09:00&et=17:00", manner="leaves at once", weight=2),
        Question("gone cross join", *sql("SELECT count(*) FROM sessions a CROSS JOIN sessions b"), manner="leaves at once"),
        Question("late", *sql("SELECT sum(a.licenses * b.licenses) FROM sessions a CROSS JOIN sessions b", timeout=1), expected=(504,)),
        Question("bomb of memory", *sql("SELECT array_agg(value) FROM generate_series(1, 2000000000)"), expected=(503, 504)),
        Question("bomb of text", *sql("SELECT length(repeat('x', 2000000000))"), expected=(400,)),
        Question("bomb of depth", *sql("SELECT 1" + " UNION ALL SELECT 1" * 1000), expected=(400,)),
        Question("bomb of length", *sql("SELECT '" + "x" * 10_000_000 + "'"), expected=(413,)),
        Question("nonsense", *sql("SELECT nothing FROM nowhere"), expected=(400,)),
    ]
    return every


def learn(server, every):
    for question in every:
        if question.manner != "reads" or question.expected != (200,):
            continue
        began = time.time()
        status, body, whole = server.ask(question)
        if status != 200 or not whole:
            sys.exit(f"{question.name}: {status} {body[:300]!r}")
        question.digest = hashlib.sha256(body).digest()
        print(f"{question.name:18} {len(body):>12,} bytes {time.time() - began:8.2f} s")


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.statuses = Counter()
        self.wrong = []
        self.cut = 0
        self.health = []
        self.peak = 0

    def count(self, question, status):
        with self.lock:
            self.statuses[question.name, status] += 1

    def fail(self, text):
        with self.lock:
            self.wrong.append(text)


def client(server, every, tally, until, seed):
    chance = random.Random(seed)
    weights = [question.weight for question in every]
    while time.time() < until:
        question = chance.choices(every, weights)[0]
        try:
            if question.manner == "reads":
                status, body, whole = server.ask(question)
                tally.count(question, status)
                if status == 200 and not whole:
                    # Cut is honest; a time limit may fall into an answer.
                    tally.cut += 1
                elif status == 200 and question.digest and hashlib.sha256(body).digest() != question.digest:
                    tally.fail(f"{question.name}: another answer than alone")
                elif status not in (*question.expected, 429, 503, 504):
                    tally.fail(f"{question.name}: {status} {body[:200]!r}")
                if status == 429:
                    time.sleep(chance.random())
            else:
                leave(server, question, chance)
                tally.count(question, "left")
        except (ConnectionError, socket.timeout, http.client.HTTPException, BlockingIOError) as error:
            tally.fail(f"{question.name}: {error!r}")


def leave(server, question, chance):
    """Hangs up: at once, or after a few bytes, sometimes with a reset."""
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        body = question.body or b""
        lines = [f"{question.method} {question.path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in question.headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        if question.manner == "leaves":
            connection.recv(chance.randrange(1, 200_000))
        else:
            time.sleep(chance.random())
        if chance.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def watch(server, tally, until):
    while time.time() < until:
        began = time.time()
        connection = server.connect(30)
        connection.request("GET", "/healthz")
        if connection.getresponse().read() != b"ok\n":
            tally.fail("/healthz")
        connection.close()
        tally.health.append(time.time() - began)
        tally.peak = max(tally.peak, server.memory())
        time.sleep(0.1)


def main():
    given = arguments()
    server = Server(given.binary, given.store, given.memory)
    try:
        every = questions(server)
        learn(server, every)
        idle = server.memory()
        tally, until = Tally(), time.time() + given.seconds
        threads = [threading.Thread(target=watch, args=(server, tally, until))]
        threads += [threading.Thread(target=client, args=(server, every, tally, until, given.seed + n)) for n in range(given.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = time.time()
        while (busy := server.busy()) > 0.2 and time.time() - ended < 2:
            pass
        if busy > 0.2:
            tally.fail(f"{busy:.1f} processors are busy two seconds after the last client")
        left = [query for query in json.loads(server.ask(Question("", "/queries"))[1])["data"] if query["state"] in ("waiting", "running")]
        if left:
            tally.fail(f"left over: {left}")
        # The answers are the same after all that.
        for question in every:
            if question.digest:
                status, body, whole = server.ask(question)
                if status != 200 or hashlib.sha256(body).digest() != question.digest:
                    tally.fail(f"{question.name}: {status}, another answer afterwards")
        time.sleep(2)
        report(given, server, tally, idle)
    finally:
        server.process.terminate()
        server.process.wait(60)
    sys.exit(1 if tally.wrong else 0)


def report(given, server, tally, idle):
    rows = {}
    for (name, status), count in sorted(tally.statuses.items(), key=str):
        rows.setdefault(name, []).append(f"{status}: {count}")
    for name, counts in rows.items():
        print(f"{name:18} {'  '.join(counts)}")
    health = sorted(tally.health)
    median, slow, slowest, worst = (health[int(len(health) * part)] * 1000 for part in (0.5, 0.95, 0.99, 0.9999))
    limit = size(given.memory) + size(given.overhead)
    print(f"{sum(tally.statuses.values())} requests of {given.clients} clients in {given.seconds:.0f} s; {tally.cut} answers cut")
    print(f"/healthz: median {median:.1f} ms, 95 % within {slow:.1f} ms, all within {worst:.1f} ms ({len(health)} times)")
    print(f"memory: idle {idle >> 20} MiB, peak {tally.peak >> 20} MiB of {limit >> 20}, afterwards {server.memory() >> 20} MiB")
    if tally.peak > limit:
        tally.fail("too much memory")
    if slowest > 1000 or median > 100:
        tally.fail("/healthz is slow")
    for text in tally.wrong[:20]:
        print("WRONG:", text)
    print("all good" if not tally.wrong else f"{len(tally.wrong)} things are wrong")


main()
