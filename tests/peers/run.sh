#!/usr/bin/env bash
# What headroom serves and stores, read by programs that know nothing of it: DuckDB, Polars, pandas, pyarrow, openpyxl, pdftotext,
# and Schemathesis for the contract. Usage: tests/peers/run.sh [BINARY]; the binary is $HEADROOM or target/debug/headroom otherwise.
# psql and drivers of PostgreSQL speak its wire. A reader that is missing and cannot be installed is a failure, not a reason to skip.
set -euo pipefail
cd "$(dirname "$0")/../.."

binary=${1:-${HEADROOM:-target/debug/headroom}}
work=target/peers
[ -x "$binary" ] || { echo "there is no program at $binary; cargo build makes one" >&2; exit 1; }
command -v python3 > /dev/null || { echo "python3 is missing" >&2; exit 1; }
as_root=$([ "$(id -u)" = 0 ] || echo sudo)
for needed in pdftotext:poppler-utils psql:postgresql-client; do
    command -v "${needed%:*}" > /dev/null && continue
    # Lists of packages may be old, or missing.
    $as_root apt-get install -y -qq "${needed#*:}" || { $as_root apt-get update -qq; $as_root apt-get install -y -qq "${needed#*:}"; }
done

mkdir -p "$work"
if ! cmp -s tests/peers/requirements.txt "$work/venv/requirements.txt"; then
    rm -rf "$work/venv"
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/peers/requirements.txt
    cp tests/peers/requirements.txt "$work/venv/"
fi

rm -rf "$work/store" "$work/files"
mkdir -p "$work/files"
"$binary" init --store "$work/store" --timezone Europe/Berlin
"$binary" import --store "$work/store" --server flex01 data/acme.log > /dev/null
"$binary" import --store "$work/store" data/lab.csv data/lab.ndjson > /dev/null
"$binary" import --store "$work/store" tests/integration/conformance/site.ndjson tests/peers/names.ndjson > /dev/null
token=$("$binary" token create --store "$work/store" --role admin peers)
limited=$("$binary" token create --store "$work/store" --role analyst --servers flex01 --names pseudonym limited)
viewer=$("$binary" token create --store "$work/store" --role viewer viewer)

: > "$work/serve.out" # there before it is looked at
"$binary" serve --store "$work/store" --listen 127.0.0.1:0 --pg 127.0.0.1:0 > "$work/serve.out" 2> "$work/serve.err" &
server=$!
trap 'kill "$server" 2> /dev/null || true' EXIT
for _ in $(seq 100); do
    address=$(sed -n 's|.*on \(http://.*\)|\1|p' "$work/serve.out")
    pg=$(sed -n 's|^serving clients of PostgreSQL on ||p' "$work/serve.out")
    [ -z "$address" ] || [ -z "$pg" ] || break
    sleep 0.1
done
[ -n "$address" ] && [ -n "$pg" ] || { echo "the server does not serve:" >&2; cat "$work/serve.err" >&2; exit 1; }

"$work/venv/bin/python" tests/peers/engines.py "$binary" "$work/store" "$work/files"
"$work/venv/bin/python" tests/peers/readers.py "$address" "$token" "$work/files"
# A small site under load, for a short time.
"$binary" generate --days 10 --events-per-day 10000 --seed 1 --first 2025-01-01 -o "$work/soak.ndjson" > /dev/null
rm -rf "$work/soak"
"$binary" import --store "$work/soak" --timezone Europe/Berlin "$work/soak.ndjson" > /dev/null
"$work/venv/bin/python" tests/peers/soak.py "$binary" "$work/soak" --seconds 30 --clients 16 --memory 1GiB
"$work/venv/bin/python" tests/peers/wire.py "$address" "$pg" "$token" "$limited" "$viewer"
bash tests/peers/contract.sh "$work/venv/bin/st" "$address" "$token"
