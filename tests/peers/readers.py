"""Every report in every format, read by other people's readers and compared with what JSON says.

Usage: readers.py ADDRESS TOKEN FOLDER. The server tells which reports there are; nothing here names one.
"""

import csv
import datetime
import decimal
import io
import itertools
import json
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zoneinfo

import duckdb
import openpyxl
import pyarrow
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

ADDRESS, TOKEN, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])

# What reports are asked for: days with events of each of the files, and a day without any.
RANGES = [("2026-03-02", "2026-03-03"), ("2026-03-04", "2026-03-05"), ("2015-01-01", "2015-01-02"), ("2015-03-01", "2015-03-06"), ("2010-01-01", "2010-01-01")]
ZONES = ["Europe/Berlin", "America/New_York"]
OWN = {"grat": ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR"], "st": ["08:00"], "et": ["18:00"]}


# What was wrong.
FAULTS = []


def ask(path, given):
    """The body of an answer."""
    url = f"{ADDRESS}{path}?{urllib.parse.urlencode(given)}"
    request = urllib.request.Request(url, headers={"X-Auth-token": TOKEN})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.code} {error.read().decode()}") from None


def file(name, content):
    """A file with this content, for readers that want one."""
    path = FOLDER / name
    path.write_bytes(content)
    return str(path)


def same(told, expected, what):
    if told != expected:
        pairs = itertools.zip_longest(told, expected) if isinstance(told, list) and isinstance(expected, list) else [(told, expected)]
        first = next(((ours, theirs) for ours, theirs in pairs if ours != theirs), None)
        raise AssertionError(f"{what}: {first}")


def defused(text):
    """A text in a cell that a spreadsheet would take for a formula otherwise."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


class Answer:
    """A request in every format; `chosen` are the handles of the columns that it asks for."""

    def __init__(self, report, path, given, chosen=()):
        self.path, self.given = path, given
        self.zone = zoneinfo.ZoneInfo(given["tz"])
        self.hourly = given.get("grat") == "HOUR"
        of_features = [("fid", "Feature ID", "integer"), ("fns", "Feature Name", "text"), ("lsn", "License Server", "text")]
        own = [(column["name"], column["title"], column["type"]) for column in report["columns"] if column["visibility"] != "named"]
        several = re.search(r"/feature/(all|\d+,)", path)
        self.columns = [*of_features, *own] if several else own
        hidden = {column["name"] for column in report["columns"] if column["visibility"] != "shown"}
        envelope = json.loads(self.body("json"))
        assert list(envelope)[:5] == ["success", "msg", "data", "code", "totalCount"], self
        self.rows = envelope["data"]
        if self.rows:
            same(list(self.rows[0]), [handle for handle, _, _ in self.columns], f"columns of {self}")
        shown = [next(column for column in self.columns if column[0] == handle) for handle in chosen]
        # What formats for programs have, and what exports.
        self.told = shown or self.columns
        self.exported = shown or [column for column in self.columns if column[0] not in hidden]
        self.expected = [{handle: row[handle] for handle, _, _ in self.told} for row in self.rows]

    def __str__(self):
        return f"{self.path} {self.given}"

    def body(self, form):
        return ask(self.path.replace("{format}", form), self.given)

    def check(self):
        """Reads every format; what one of them gets wrong does not keep the others from being read."""
        for read in (self.ndjson, self.tables, self.csv, self.xlsx, self.pdf):
            try:
                read()
            except AssertionError as fault:
                FAULTS.append(str(fault))
                print(f"FAULT {fault}", file=sys.stderr, flush=True)

    def tables(self):
        parquet = pyarrow.parquet.read_table(io.BytesIO(self.body("parquet")))
        arrow = pyarrow.ipc.open_stream(io.BytesIO(self.body("arrow"))).read_all()
        self.typed("pyarrow, Parquet", parquet)
        self.typed("pyarrow, Arrow", arrow)
        self.duckdb(arrow)

    def ndjson(self):
        lines = self.body("ndjson").decode().split("\n")
        assert lines.pop() == "", self
        same([json.loads(line) for line in lines], self.expected, f"NDJSON of {self}")

    def printed(self, value, told, kind):
        """What text formats say where a format with types says this."""
        if value is None or isinstance(value, (str, bool, int)):
            return value
        if isinstance(value, float):
            rounded = decimal.Decimal(repr(value)).quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)
            # A half in decimal may be a little less in binary.
            return told if abs(decimal.Decimal(repr(told)) - decimal.Decimal(repr(value))) <= decimal.Decimal("0.0050000001") else float(rounded)
        if isinstance(value, datetime.datetime) and value.tzinfo:
            return value.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")
        if kind != "period":
            return value.isoformat()
        if isinstance(value, datetime.datetime):
            return value.strftime("%Y-%m-%d %H:%M")
        week = f"{value}-{value + datetime.timedelta(days=6)}"
        labels = {"YEAR": f"{value:%Y}", "QUARTER": f"{value:%Y}-Q{(value.month + 2) // 3}", "MONTH": f"{value:%Y-%m}", "WEEK": week}
        return labels.get(self.given["grat"], str(value))

    def typed(self, what, table):
        types = {
            "text": pyarrow.string(),
            "enumeration": pyarrow.string(),
            "integer": pyarrow.int64(),
            "float": pyarrow.float64(),
            "boolean": pyarrow.bool_(),
            "date": pyarrow.date32(),
            "datetime": pyarrow.timestamp("us", self.given["tz"]),
            "period": pyarrow.timestamp("us") if self.hourly else pyarrow.date32(),
        }
        same(table.schema.names, [handle for handle, _, _ in self.told], f"{what}: names of {self}")
        same(table.schema.types, [types[kind] for _, _, kind in self.told], f"{what}: types of {self}")
        rows = [
            {handle: self.printed(row[handle], told[handle], kind) for handle, _, kind in self.told}
            for row, told in zip(table.to_pylist(), self.rows, strict=True)
        ]
        same(rows, self.expected, f"{what} of {self}")

    def duckdb(self, arrow):
        path = file("report.parquet", self.body("parquet"))
        types = {
            "text": "VARCHAR",
            "enumeration": "VARCHAR",
            "integer": "BIGINT",
            "float": "DOUBLE",
            "boolean": "BOOLEAN",
            "date": "DATE",
            "datetime": "TIMESTAMP WITH TIME ZONE",
            "period": "TIMESTAMP" if self.hourly else "DATE",
        }
        for what, relation in [("Parquet", duckdb.read_parquet(path)), ("Arrow", duckdb.from_arrow(arrow))]:
            same(relation.columns, [handle for handle, _, _ in self.told], f"DuckDB, {what}: names of {self}")
            same([str(kind) for kind in relation.types], [types[kind] for _, _, kind in self.told], f"DuckDB, {what}: types of {self}")
            # Instants as numbers, so that no zone of the machine matters.
            picked = ", ".join(f'epoch_us("{handle}")' if kind == "datetime" else f'"{handle}"' for handle, _, kind in self.told)
            epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
            rows = []
            for values, told in zip(relation.project(picked).fetchall(), self.rows, strict=True):
                row = {}
                for (handle, _, kind), value in zip(self.told, values):
                    if kind == "datetime" and value is not None:
                        value = epoch + datetime.timedelta(microseconds=value)
                    row[handle] = self.printed(value, told[handle], kind)
                rows.append(row)
            same(rows, self.expected, f"DuckDB, {what} of {self}")

    def csv(self):
        content = self.body("csv")
        head = [defused(title) for _, title, _ in self.exported]

        def cell(told, kind):
            if told is None:
                return ""
            if kind in ("text", "enumeration"):
                return defused(told)
            return json.dumps(told) if not isinstance(told, str) else told

        expected = [[cell(row[handle], kind) for handle, _, kind in self.exported] for row in self.rows]
        records = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
        same(records, [head, *expected], f"CSV, Python: {self}")
        path = file("report.csv", content)
        options = "header = true, all_varchar = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\r\\n'"
        names = ", ".join("'" + title.replace("'", "''") + "': 'VARCHAR'" for title in head)
        relation = duckdb.sql(f"SELECT * FROM read_csv('{path}', {options}, columns = {{{names}}})")
        same(relation.columns, head, f"CSV, DuckDB: {self}")
        same([[text or "" for text in row] for row in relation.fetchall()], expected, f"CSV, DuckDB: {self}")
        texts = pyarrow.csv.ConvertOptions(column_types={title: pyarrow.string() for title in head}, strings_can_be_null=False)
        parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
        table = pyarrow.csv.read_csv(io.BytesIO(content), convert_options=texts, parse_options=parse)
        same(table.schema.names, head, f"CSV, pyarrow: {self}")
        same([list(row.values()) for row in table.to_pylist()], expected, f"CSV, pyarrow: {self}")

    def xlsx(self):
        workbook = openpyxl.load_workbook(io.BytesIO(self.body("xlsx")))
        assert workbook.sheetnames[-1] == "About" and len(workbook.sheetnames) == 2, f"{workbook.sheetnames} of {self}"
        sheet = workbook.worksheets[0]
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref, f"first sheet of {self}"
        rows = list(sheet.iter_rows())
        # A text cell cannot run: it holds the text as it is.
        same([cell.value for cell in rows[0]], [title for _, title, _ in self.exported], f"XLSX: {self}")
        assert all(cell.font.bold for cell in rows[0]), self
        assert len(rows) == len(self.rows) + 1, f"XLSX: {len(rows)} rows of {self}"
        for cells, row in zip(rows[1:], self.rows):
            for cell, (handle, _, kind) in zip(cells, self.exported, strict=True):
                self.xlsx_cell(cell, row[handle], kind)
        about = "\n".join(str(cell.value) for row in workbook["About"].iter_rows() for cell in row if cell.value is not None)
        for value in self.given.values():
            assert value in about, f"{value} is not told about {self}: {about}"

    def xlsx_cell(self, cell, told, kind):
        what = f"XLSX: {cell.coordinate} is {cell.value!r} ({cell.data_type}), not {told!r} ({kind}): {self}"
        if told is None or told == "":
            assert cell.value in (None, ""), what
        elif kind == "date" or kind == "period" and self.given["grat"] == "DAY":
            assert cell.is_date and isinstance(cell.value, datetime.datetime) and f"{cell.value:%Y-%m-%d %H:%M:%S}" == f"{told} 00:00:00", what
        elif kind == "datetime":
            # The cell has fractions of seconds that JSON does not print.
            seconds = (cell.value - datetime.datetime.fromisoformat(told)).total_seconds()
            assert cell.is_date and -0.001 <= seconds < 1, what
        elif kind in ("integer", "float"):
            assert cell.data_type == "n" and not cell.is_date and cell.value == told, what
        elif kind == "boolean":
            assert cell.data_type == "b" and cell.value is told, what
        else:
            assert cell.data_type == "s" and cell.value.replace("\r\n", "\n") == told, what

    def pdf(self):
        path = file("report.pdf", self.body("pdf"))
        told = subprocess.run(["pdftotext", "-enc", "UTF-8", path, "-"], check=True, capture_output=True).stdout.decode()
        # Cells may be broken into lines, anywhere in a long word; and what is read from right to left is marked.
        found = re.sub(r"[\s\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", told)
        texts = [defused(title) for _, title, _ in self.exported]
        for row in self.rows:
            for handle, _, _ in self.exported:
                value = row[handle]
                texts.append("" if value is None else value if isinstance(value, str) else json.dumps(value))
        for word in {word for text in texts for word in text.split()}:
            # What is wider than its column is cut, and says so.
            cut = any(word[:length] + "…" in found for length in range(4, len(word)))
            if word not in found and not cut:
                raise AssertionError(f"PDF: {word!r} is not in {self}")


def filters(answer):
    """Filters that some of the rows match, by the types of columns."""
    for handle, _, kind in answer.columns:
        values = [row[handle] for row in answer.rows if row[handle] is not None]
        if not values:
            continue
        middle = values[len(values) // 2]
        if kind in ("text", "period"):
            yield [{"property": handle, "value": middle[1:4]}]
            yield [{"type": "string", "field": handle, "value": middle}]
        elif kind in ("integer", "float"):
            yield [{"property": handle, "operator": "ge", "value": middle}]
            yield [{"type": "numeric", "comparison": "lt", "field": handle, "value": str(middle)}]
        elif kind in ("date", "datetime"):
            yield [{"property": handle, "operator": "gt", "value": middle[:10]}]
        elif kind == "enumeration":
            yield [{"property": handle, "value": [middle]}]
        elif kind == "boolean":
            yield [{"property": handle, "value": middle}]


def requests(report, features):
    """Paths and parameters to ask a report for: every value of its own parameters, of all features and of each in turn."""
    required = [parameter["name"] for parameter in report["parameters"] if parameter["required"]]
    ranged = any(parameter["name"] == "sd" for parameter in report["parameters"])
    own = [name for name in required if name in OWN]
    unknown = set(required) - set(OWN) - {"sd", "ed", "feature"}
    assert not unknown, f"what are {unknown} of {report['name']}?"
    choices = list(itertools.product(RANGES if ranged else [None], *[OWN[name] for name in own]))
    turns, zones = itertools.cycle(features), itertools.cycle(ZONES)
    singles = max(1, 20 // len(choices)) if "{feature}" in report["path"] else 1
    for days, *values in choices:
        given = dict(zip(own, values))
        if days:
            given.update(sd=days[0], ed=days[1])
        for feature in ["all", *itertools.islice(turns, singles)]:
            yield report["path"].replace("{feature}", feature), {**given, "tz": next(zones)}


def main():
    reports = json.loads(ask("/api/v1/reports", {}))["data"]
    listed = next(report["path"] for report in reports if report["name"] == "features")
    known = [str(row["fid"]) for row in json.loads(ask(listed.replace("{format}", "json"), {}))["data"]]
    features = [*known, ",".join(known[:3])]
    for report in reports:
        asked = rows = 0
        for number, (path, given) in enumerate(requests(report, features)):
            answer = Answer(report, path, given)
            answer.check()
            asked, rows = asked + 1, rows + len(answer.rows)
            if number % 4 == 0:
                # Every other column from the last on.
                handles = [handle for handle, _, _ in answer.columns][::-2]
                visible = json.dumps({handle: "1" for handle in handles})
                Answer(report, path, {**given, "fieldsVisibility": visible}, handles).check()
            wanted = list(filters(answer))
            # One filter of each request, another each time.
            for wanted in wanted[number % max(len(wanted), 1) :][:1]:
                narrowed = Answer(report, path, {**given, "filter": json.dumps(wanted)})
                assert len(narrowed.rows) <= len(answer.rows)
                if "comparison" not in wanted[0]:
                    narrowed.check()
                    asked, rows = asked + 1, rows + len(narrowed.rows)
        assert rows, f"{report['name']} never has a row"
        print(f"{report['name']}: {asked} requests, {rows} rows in every format", flush=True)
    if FAULTS:
        sys.exit(f"{len(FAULTS)} faults")


main()
