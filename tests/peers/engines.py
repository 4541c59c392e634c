"""Other engines on a store and on what is exported from it, compared with what reports say.

Usage: engines.py HEADROOM STORE FOLDER. The code of the README's section on other engines is run as it stands there.
"""

import collections
import csv
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

import duckdb
import pyarrow.parquet

HEADROOM, STORE, FOLDER = (pathlib.Path(path).absolute() for path in sys.argv[1:4])
DAYS = ("2010-01-01", "2030-12-31")
FORMATS = ["parquet", "csv", "ndjson"]


def headroom(*args):
    return subprocess.run([HEADROOM, *args, "--store", STORE], check=True, capture_output=True, text=True).stdout


def report(name, *args):
    """The rows of a report of all features, with full precision."""
    path = FOLDER / "report.parquet"
    headroom("report", name, "--feature", "all", "--sd", DAYS[0], "--ed", DAYS[1], *args, "--format", "parquet", "-o", path)
    return pyarrow.parquet.read_table(path).to_pylist()


def total(rows, key, value):
    sums = collections.defaultdict(float)
    for row in rows:
        sums[row[key]] += row[value]
    return {key: value for key, value in sums.items() if value}


def close(told, expected, what):
    assert told.keys() == expected.keys() and expected, f"{what}: {told} is not {expected}"
    for key, value in expected.items():
        assert abs(told[key] - value) < 1e-6 * max(1, abs(value)), f"{what} of {key}: {told[key]} is not {value}"


def readme():
    """License hours by feature, as the README computes them, and as the report of utilization does: at least k licenses, summed over
    k, for days of 24 hours."""
    text = pathlib.Path("README.md").read_text()
    section = text.split("## Other engines\n")[1].split("\n## ")[0]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    expected = total(report("utilization-history", "--st", "00:00", "--et", "24:00"), "fid", "lhu")
    os.environ["PATH"] = f"{HEADROOM.parent}:{os.environ['PATH']}"
    link = FOLDER / "licenses"
    link.symlink_to(STORE)
    before = os.getcwd()
    os.chdir(FOLDER)
    told = {}
    exec(compile(code, "README.md", "exec"), told)
    os.chdir(before)
    close({feature: hours for feature, hours in told["by_duckdb"].fetchall() if hours}, expected, "DuckDB's hours")
    close({feature: hours for feature, hours in told["by_polars"].iter_rows() if hours}, expected, "Polars' hours")
    close({feature: hours for feature, hours in told["by_pandas"].items() if hours}, expected, "pandas' hours")
    link.unlink()
    print(f"the README's code: {len(expected)} features, {sum(expected.values()):.2f} license hours, thrice", flush=True)


def denials():
    sql = headroom("files", "denials", "--sql", "duckdb")
    told = duckdb.sql(f"SELECT feature_id, sum(licenses) FROM {sql} GROUP BY feature_id").fetchall()
    expected = total(report("denials"), "fid", "ldtc")
    close(dict(told), expected, "denied licenses")
    print(f"denials: {int(sum(expected.values()))} licenses", flush=True)


def empty():
    """Where there is no file there is a table still, of the same columns."""
    for table in ["events", "sessions", "denials"]:
        some = duckdb.sql(f"FROM {headroom('files', table, '--sql', 'duckdb')}")
        none = duckdb.sql(f"FROM {headroom('files', table, '--sql', 'duckdb', '--days', '1999-12-31')}")
        assert (none.columns, none.types) == (some.columns, some.types), f"{none.columns} {none.types} of {table}"
        assert len(none) == 0 < len(some), table


def exported(table, form):
    target = FOLDER / "export"
    headroom("export", table, "--format", form, "-o", target)
    return sorted((target / table).rglob(f"part.{form}"))


def printed(value):
    """What a text says of a value; instants are compared as such."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    return value


def instants(row, kinds):
    return {name: datetime.datetime.fromisoformat(value) if value and kinds[name] else value for name, value in row.items()}


def defused(text):
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def cell(value):
    if isinstance(value, (datetime.datetime, type(None))):
        return value or ""
    return defused(value) if isinstance(value, str) else json.dumps(value)


def exports():
    for table in ["events", "sessions", "denials", "servers", "features", "uptime"]:
        files = {form: exported(table, form) for form in FORMATS}
        days = {form: [file.parent.name for file in files[form]] for form in FORMATS}
        assert days["parquet"] == days["csv"] == days["ndjson"] != [], f"{days} of {table}"
        rows = instant = 0
        for parquet, text, lines in zip(*files.values()):
            # Alone: the path would give a column besides.
            expected = pyarrow.parquet.ParquetFile(parquet).read()
            kinds = {field.name: pyarrow.types.is_timestamp(field.type) for field in expected.schema}
            expected = [{name: printed(value) for name, value in row.items()} for row in expected.to_pylist()]
            with lines.open() as opened:
                told = [instants(json.loads(line), kinds) for line in opened]
            assert told == expected, f"NDJSON {lines} is not {parquet}"
            with text.open(newline="") as opened:
                told = [instants(row, kinds) for row in csv.DictReader(opened, strict=True)]
            told = [{name: value or "" for name, value in row.items()} for row in told]
            wanted = [{name: cell(value) for name, value in row.items()} for row in expected]
            assert told == wanted, f"CSV {text} is not {parquet}: {next(pair for pair in zip(told, wanted) if pair[0] != pair[1])}"
            rows += len(expected)
            instant += sum(value.microsecond != 0 for row in expected for value in row.values() if isinstance(value, datetime.datetime))
        globbed = FOLDER / "export" / table / ("*" if len(days["csv"]) > 1 else "") / "part"
        for read in [f"read_parquet('{globbed}.parquet')", f"read_csv('{globbed}.csv', all_varchar = true)", f"read_json('{globbed}.ndjson')"]:
            assert duckdb.sql(f"SELECT count(*) FROM {read}").fetchall() == [(rows,)], read
        print(f"export of {table}: {rows} rows, {instant} of their instants with parts of seconds, in {', '.join(FORMATS)}", flush=True)


readme()
denials()
empty()
exports()
