#!/usr/bin/env python3
"""headroom beside DuckDB, chDB and Polars: the same questions on the same files, in turns, and the same answers or none.

    python3 benches/peers/run.py                 # after cargo build --release; makes its environment and its stores in target/bench
    python3 benches/peers/run.py --readme        # writes the tables of the README from results.json, measures nothing
    python3 benches/peers/run.py --check         # fails if the README's tables are not those of results.json

What is asked is in questions/, a file a kind of question with the request to headroom and the SQL or code of each peer. headroom is
timed over HTTP on loopback to the last byte of its JSON; a peer is timed within its process, until columns are in memory.
"""

import argparse
import datetime
import pathlib
import sys

import environment

if __name__ == "__main__" and not {"--check", "--readme", "-h", "--help"} & set(sys.argv[1:]):
    environment.enter()

import results  # noqa: E402

STAGES = ["year", "history", "exports", "imports", "starts", "planning"]


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=environment.ROOT / "target" / "release" / "headroom")
    parser.add_argument("--work", type=pathlib.Path, default=environment.WORK, help="folder for stores that are made, 10 GB")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("/dev/shm"), help="folder for exports, 5 GB")
    parser.add_argument("--store", type=pathlib.Path, help="a store of a large site's year, instead of making one; it is only read")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--per-day", type=int, default=20_000, help="events a day of the stores with years of history")
    parser.add_argument("--only", nargs="+", choices=STAGES, default=STAGES, help="stages to measure; results of others are kept")
    parser.add_argument("--questions", nargs="+", help="of the stages year and history only these, by name; for trying")
    parser.add_argument("--results", type=pathlib.Path, default=results.FILE)
    parser.add_argument("--readme", action="store_true", help="write the README's tables")
    parser.add_argument("--check", action="store_true", help="compare the README's tables with results.json")
    return parser.parse_args()


def main() -> None:
    """Measures what is asked for, a stage at a time, each written as soon as it is there."""
    args = arguments()
    if args.check:
        results.check(args.results)
        return
    if args.readme:
        results.write_readme(args.results)
        return

    import engines
    import exports
    import imports
    import measure
    import planning
    import questions
    import starts
    import stores

    binary = args.binary.absolute()
    args.work.mkdir(parents=True, exist_ok=True)
    if args.store:
        year = stores.opened(binary, args.store.absolute(), "the year of a large site")
    else:
        year = stores.made(binary, args.work, "2025-01-01", 365, 200_000)
        year = stores.named(year, "the year of a large site")

    def history(years: int) -> stores.Store:
        return stores.history(binary, args.work, years, args.per_day)

    def asked(of: list[questions.Question]) -> list[questions.Question]:
        return [question for question in of if not args.questions or question.name in args.questions]

    stages = {
        "year": lambda: measure.ask_in_turns(binary, year, asked(questions.YEAR + questions.MONTH), args.rounds),
        "history": lambda: [
            result for years in (1, 10) for result in measure.ask_in_turns(binary, history(years), asked(questions.MONTH), args.rounds)
        ],
        "exports": lambda: exports.measure(binary, year, args.scratch, args.rounds),
        "imports": lambda: imports.measure(binary, args.work, args.rounds),
        "starts": lambda: starts.measure(binary, [year, history(1), history(10)], args.rounds),
        "planning": lambda: planning.measure(binary, history(1), args.rounds),
    }
    for stage in STAGES:
        if stage in args.only:
            began = datetime.datetime.now(datetime.UTC)
            measured = stages[stage]()
            results.save(args.results, stage, measured, binary, engines.versions(), began, args.rounds)


if __name__ == "__main__":
    main()
