"""The wire of PostgreSQL, as psql, psycopg and asyncpg speak it, compared with what HTTP says.

Usage: wire.py HTTP PG TOKEN LIMITED VIEWER. LIMITED sees the server flex01 and pseudonyms; VIEWER may not query.
"""

import asyncio
import datetime
import decimal
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request

import asyncpg
import psycopg

HTTP, PG, TOKEN, LIMITED, VIEWER = sys.argv[1:6]
HOST, PORT = PG.rsplit(":", 1)
UTC = datetime.timezone.utc
# What keeps a query busy for longer than any test waits.
ENDLESS = "SELECT count(*) FROM generate_series(1, 10000000) AS a(x), generate_series(1, 10000000) AS b(y) WHERE a.x * b.y = -1"
TABLES = ["denials", "events", "features", "servers", "sessions", "uptime"]

FAULTS = []


def check(what, found, expected):
    if found != expected:
        FAULTS.append(f"{what}: {found!r} is not {expected!r}")


def over_http(sql, token=TOKEN):
    """The rows of a query as texts; nothing is an empty text."""
    request = urllib.request.Request(f"{HTTP}/api/v1/sql?format=ndjson", sql.encode(), {"X-Auth-token": token, "Content-Type": "text/plain"})
    with urllib.request.urlopen(request) as answer:
        return [[text(value) for value in json.loads(line).values()] for line in answer]


def connect(token=TOKEN, **more):
    return psycopg.connect(host=HOST, port=PORT, user="anybody", password=token, dbname="headroom", autocommit=True, **more)


def psql(*commands, token=TOKEN):
    given = [argument for command in commands for argument in ("-c", command)]
    environment = {**os.environ, "PGHOST": HOST, "PGPORT": PORT, "PGUSER": "anybody", "PGDATABASE": "headroom", "PGPASSWORD": token}
    return subprocess.run(["psql", "-X", "--no-align", "--tuples-only", *given], env=environment, capture_output=True, text=True)


def refused(state, work, *args, **more):
    try:
        work(*args, **more)
    except psycopg.Error as error:
        found = error.sqlstate or ("28P01" if "password authentication failed" in str(error) else "42501" if "may not" in str(error) else str(error))
        check(f"{args}", found, state)
    else:
        FAULTS.append(f"{args}: is not refused")


def text(value):
    """A value as a text, from whichever side."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def whole_tables():
    for table in TABLES:
        names = ", ".join(name for (name,) in over_http(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"))
        sql = f"SELECT {names} FROM {table} ORDER BY {names}"
        expected = over_http(sql)
        for binary in (False, True):
            with connect() as connection, connection.cursor(binary=binary) as cursor:
                found = [[text(value) for value in row] for row in cursor.execute(sql)]
            check(f"{table}, binary {binary}: rows", len(found), len(expected))
            for row, (one, other) in enumerate(zip(found, expected)):
                # Fractions of seconds are left out of both; over HTTP the offset is told as well.
                other = [re.sub(r"^(\d+-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d+)?\+00:00$", r"\1", value) for value in other]
                check(f"{table}, binary {binary}, row {row}", one, other)


def types():
    instant = datetime.datetime(2026, 3, 2, 9, 0, 0, 250000, UTC)
    sql = """SELECT 1::smallint AS a, 2::int AS b, 3::bigint AS c, 0.5::real AS d, 2.5::float8 AS e, 1.25::numeric(10,2) AS f, true AS g, 'größe' AS h,
      date '2026-03-02' AS i, timestamp '2026-03-02 09:00:00.25' AS j, timestamp '2026-03-02 09:00:00.25' AT TIME ZONE 'UTC' AS k, NULL AS l,
      ARRAY[1, NULL, 3] AS m, ARRAY['a', NULL, 'b,c"d'] AS n, interval '1 day 2 hours' AS o, CAST(NULL AS interval) AS p, 'Infinity'::float8 AS q,
      arrow_cast('x', 'Dictionary(Int32, Utf8)') AS r"""
    expected = (1, 2, 3, 0.5, 2.5, decimal.Decimal("1.25"), True, "größe", datetime.date(2026, 3, 2), instant.replace(tzinfo=None), instant, None,
                [1, None, 3], ["a", None, 'b,c"d'], datetime.timedelta(days=1, hours=2), None, float("inf"), "x")
    for binary in (False, True):
        with connect() as connection:
            check(f"types, binary {binary}", connection.cursor(binary=binary).execute(sql).fetchone(), expected)


def parameters():
    at = datetime.datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    sql = "SELECT count(*) FROM sessions WHERE started >= %s AND day >= %s AND user_name <> %s AND licenses >= %s AND continues = %s AND licenses / 2.0 < %s"
    values = (at, at.date(), "nobody", 1, False, 1000.5)
    expected = over_http("SELECT count(*) FROM sessions WHERE started >= '2026-03-02T08:00:00Z' AND day >= '2026-03-02' AND user_name <> 'nobody' AND licenses >= 1 AND NOT continues AND licenses / 2.0 < 1000.5")
    with connect() as connection:
        for placeholder in ("%s", "%b", "%t"):
            found = connection.execute(sql.replace("%s", placeholder), values).fetchone()
            check(f"parameters as {placeholder}", str(found[0]), expected[0][0])
        for _ in range(7):
            # Prepared by the server from some time on.
            found = connection.execute("SELECT count(*) FROM sessions WHERE user_name = %s", ("nobody",), prepare=True).fetchone()
            check("prepared", found, (0,))
        check("nothing", connection.execute("SELECT count(*) FROM sessions WHERE user_name = %s", (None,)).fetchone(), (0,))
        check("decimal", connection.execute("SELECT 1 WHERE 1.5 = %s", (decimal.Decimal("1.5"),)).fetchone(), (1,))
        check("a text is data", connection.execute("SELECT %s::text AS t", ("'; DROP TABLE sessions; --",)).fetchone(), ("'; DROP TABLE sessions; --",))
        with connection.transaction(), connection.cursor("bit by bit") as cursor:
            cursor.itersize = 2
            cursor.execute("SELECT user_name FROM sessions WHERE licenses >= %s ORDER BY 1", (1,))
            check("cursor", [row[0] for row in cursor], [row[0] for row in over_http("SELECT user_name FROM sessions WHERE licenses >= 1 ORDER BY 1")])
        with connection.pipeline():
            both = connection.execute("SELECT 1"), connection.execute("SELECT 2 WHERE 2 = %s", (2,))
            check("pipeline", [one.fetchone() for one in both], [(1,), (2,)])


def lists():
    with connect() as connection:
        ones = over_http("SELECT count(*) FROM sessions WHERE licenses IN (1, 2)")[0][0]
        for placeholder in ("%s", "%b", "%t"):
            count = lambda condition, values: str(connection.execute(f"SELECT count(*) FROM sessions WHERE {condition}".replace("%s", placeholder), (values,)).fetchone()[0])
            check(f"numbers as {placeholder}", count("licenses = ANY(%s)", [1, 2]), ones)
            check(f"texts as {placeholder}", count("user_name = ANY(%s)", ["ana", None]), over_http("SELECT count(*) FROM sessions WHERE user_name = 'ana'")[0][0])
            check(f"days as {placeholder}", count("day = ANY(%s)", [datetime.date(2026, 3, 2)]), over_http("SELECT count(*) FROM sessions WHERE day = '2026-03-02'")[0][0])
            check(f"nothing as {placeholder}", count("licenses = ANY(%s)", []), "0")


def copies():
    query = "SELECT user_name, licenses, NULL FROM sessions ORDER BY 1, 2"
    expected = [(name or None, licenses, None) for name, licenses, _ in over_http(query)]
    with connect() as connection, connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as rows:
        check("COPY", sorted(map(str, rows.rows())), sorted(map(str, expected)))
    copied = psql(r"\copy (SELECT 1 AS a, 'x,y' AS b) to stdout csv header").stdout
    check("\\copy", copied, 'a,b\n1,"x,y"\n')


def zones():
    with connect(options="-c timezone=America/Denver") as connection:
        check("a zone to begin with", connection.execute("SHOW TimeZone").fetchone(), ("America/Denver",))
        for binary in (False, True):
            at = connection.cursor(binary=binary).execute("SELECT timestamptz '2024-07-01 00:30:00Z'").fetchone()[0]
            check(f"the same instant, binary {binary}", at, datetime.datetime(2024, 7, 1, 0, 30, tzinfo=UTC))
        check("its clock", connection.execute("SELECT (timestamptz '2024-07-01 00:30:00Z')::date").fetchone(), (datetime.date(2024, 6, 30),))


def refusals():
    refused("28P01", connect, "wrong")
    refused("42501", connect, VIEWER)
    with connect() as connection:
        for sql, state in [
            ("SELEC 1", "42601"),
            ("SELECT * FROM nothing", "42P01"),
            ("SELECT nothing FROM sessions", "42703"),
            ("SELECT nothing(1)", "42883"),
            ("INSERT INTO sessions VALUES (1)", "25006"),
            ("UPDATE sessions SET licenses = 0", "25006"),
            ("CREATE TABLE a AS SELECT 1", "25006"),
            ("COPY sessions FROM STDIN", "25006"),
            ("COPY sessions TO '/tmp/x'", "42501"),
            ("SET TimeZone = 'Europe/Nowhere'", "22023"),
        ]:
            refused(state, connection.execute, sql)
        refused("22P02", connection.execute, "SELECT count(*) FROM sessions WHERE licenses >= %s", ("one",))
        check("after refusals", connection.execute("SELECT 1").fetchone(), (1,))


def stops():
    with connect() as connection:
        threading.Timer(1, connection.cancel).start()
        begun = time.monotonic()
        refused("57014", connection.execute, ENDLESS)
        check("a cancelled query ends within three seconds", time.monotonic() - begun < 4, True)
        connection.execute("SET statement_timeout = '500ms'")
        refused("57014", connection.execute, ENDLESS)
        check("after a timeout", connection.execute("SELECT 1").fetchone(), (1,))


def fences():
    sql = "SELECT servers.name, user_name, sessions.host FROM sessions JOIN servers USING (server_id) ORDER BY 1, 2, 3, started"
    with connect(LIMITED) as connection:
        found = [[text(value) for value in row] for row in connection.execute(sql)]
    check("a limited token", found, over_http(sql, LIMITED))
    check("its servers", {row[0] for row in found}, {"flex01"})
    with connect() as connection:
        names = {name for row in connection.execute("SELECT user_name, host FROM sessions") for name in row if name}
    check("names that must not be seen", names & {name for row in found for name in row[1:]}, set())


def tools():
    listed = psql(r"\dt").stdout
    check("\\dt", all(table in listed for table in TABLES), True)
    described = psql(r"\d sessions").stdout
    check("\\d sessions", "started|timestamp with time zone||not null|" in described and "user_name|text" in described, True)
    many = psql("SELECT 1 AS a; SELECT 2 AS b; SELEC 3; SELECT 4")
    check("several statements", (many.stdout.split(), "syntax" in many.stderr.lower() or "Expected" in many.stderr), (["1", "2"], True))
    for command in (r"\d+ sessions", r"\df", r"\du", r"\l+", r"\dn+", r"\dt+", r"\dp", r"\dT"):
        check(command, psql(command).stderr, "")
    check("psql in a transaction", psql("BEGIN", "SELECT 1", "COMMIT").stdout.split(), ["BEGIN", "1", "COMMIT"])
    with connect() as connection:
        ask = lambda sql: connection.execute(sql).fetchall()
        check("version", ask("SELECT version()")[0][0].startswith("PostgreSQL 16"), True)
        # What Grafana's data source asks before anything else, and for the tables and columns of its editor.
        check("Grafana: version", ask("SELECT current_setting('server_version_num')::int/100 as version"), [(1600,)])
        check("Grafana: extension", ask("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"), [])
        tables = ask("""select quote_ident(table_name) as "table" from information_schema.tables
            where quote_ident(table_schema) not in ('information_schema', 'pg_catalog') order by 1""")
        check("Grafana: tables", sorted(table for (table,) in tables), TABLES)
        columns = ask("""select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns
            where quote_ident(table_name) = 'sessions'""")
        check("Grafana: columns", dict(columns)["started"], "timestamp with time zone")
        # $__timeGroup(started, '1h') and $__timeFilter(started), expanded.
        grouped = ask("""SELECT floor(extract(epoch from started)/3600)*3600 AS "time", count(*) AS sessions FROM sessions
            WHERE started BETWEEN '2026-03-01T00:00:00Z' AND '2026-04-01T00:00:00Z' GROUP BY 1 ORDER BY 1""")
        truncated = ask("""SELECT date_trunc('hour', started) AS "time", count(*) FROM sessions
            WHERE started BETWEEN '2026-03-01T00:00:00Z' AND '2026-04-01T00:00:00Z' GROUP BY 1 ORDER BY 1""")
        check("Grafana: time groups", grouped, [(at.timestamp(), count) for at, count in truncated])


async def asynchronous():
    connection = await asyncpg.connect(host=HOST, port=int(PORT), user="anybody", password=TOKEN, database="headroom")
    at = datetime.datetime(2026, 3, 2, tzinfo=UTC)
    found = await connection.fetch("SELECT user_name, licenses, started, day FROM sessions WHERE licenses >= $1 AND started >= $2 AND day >= $3 ORDER BY 3, 1", 1, at, at.date())
    expected = over_http("SELECT user_name, licenses, started, day FROM sessions WHERE started >= '2026-03-02T00:00:00Z' AND day >= '2026-03-02' ORDER BY 3, 1")
    check("asyncpg: rows", [(row[0] or "", str(row[1])) for row in found], [(row[0], row[1]) for row in expected])
    check("asyncpg: casts", await connection.fetchval("SELECT $1::int + 1", 5), 6)
    check("asyncpg: lists", sorted(await connection.fetchval("SELECT array_agg(DISTINCT name) FROM servers")), sorted({name for (name,) in over_http("SELECT name FROM servers")}))
    async with connection.transaction():
        rows = [row[0] async for row in connection.cursor("SELECT user_name FROM sessions ORDER BY 1", prefetch=3)]
    check("asyncpg: cursor", [row or "" for row in rows], [row[0] for row in over_http("SELECT user_name FROM sessions ORDER BY 1")])
    try:
        await connection.fetch(ENDLESS, timeout=1)
        FAULTS.append("asyncpg: no timeout")
    except asyncio.TimeoutError:
        pass
    await connection.reset()
    check("asyncpg: after a timeout", await connection.fetchval("SELECT 1"), 1)
    await connection.close()


def nothing_is_left():
    request = urllib.request.Request(f"{HTTP}/api/v1/queries", headers={"X-Auth-token": TOKEN})
    for _ in range(100):
        with urllib.request.urlopen(request) as answer:
            running = [query["sql"] for query in json.load(answer)["data"] if query["state"] in ("running", "waiting")]
        if not running:
            return
        time.sleep(0.1)
    FAULTS.append(f"still running: {running}")


for part in (whole_tables, types, parameters, lists, copies, zones, refusals, stops, fences, tools):
    part()
asyncio.run(asynchronous())
nothing_is_left()
if FAULTS:
    print(f"{len(FAULTS)} faults on the wire of PostgreSQL", *FAULTS[:50], sep="\n")
    sys.exit(1)
print("the wire of PostgreSQL: psql, psycopg and asyncpg read what HTTP tells")
