"""Questions asked of every engine in turns, so that a machine that slows down does so for all of them."""

import dataclasses
import pathlib
from typing import Any

import compare
import server
from engines import ENGINES, Peer
from questions.question import Parts, Question, Request
from results import FROM_PIECES, HEADROOM
from stores import Store

PIECES = "--no-rollups"


@dataclasses.dataclass
class Servers:
    """headroom as it is served, and once more from the pieces alone if it can be told to."""

    by_name: dict[str, server.Server]

    @classmethod
    def start(cls, binary: pathlib.Path, store: Store) -> "Servers":
        """Starts one, or two."""
        running = {HEADROOM: server.Server(binary, store.path)}
        if server.knows(binary, PIECES):
            running[FROM_PIECES] = server.Server(binary, store.path, PIECES)
        return cls(running)

    def close(self) -> None:
        """Ends them."""
        for one in self.by_name.values():
            one.close()


def exactly(question: Question, store: Store, one: server.Server) -> Parts:
    """headroom's answer with all digits."""

    def ask(request: Request) -> bytes:
        return one.ask(request)[1]

    return question.exact(store, ask)


def ask_in_turns(binary: pathlib.Path, store: Store, asked: list[Question], rounds: int) -> list[dict[str, Any]]:
    """Every question on a store: samples of each engine, after a first round that warms up and does not count."""
    servers = Servers.start(binary, store)
    peers = [Peer(name, store) for name in ENGINES]
    results = []
    try:
        for question in asked:
            expected = exactly(question, store, servers.by_name[HEADROOM])
            told = question.rounded(expected)
            engines: dict[str, dict[str, Any]] = {}
            for turn in range(rounds * question.times + 1):
                for name, one in servers.by_name.items():
                    seconds, body, peak = timed(one, question.request(store), turn)
                    compare.same(told, question.told(body), name, question)
                    keep(engines, name, turn, seconds, peak)
                for peer in peers:
                    seconds, parts, peak = peer.ask(question.name)
                    compare.same(expected, parts, peer.name, question)
                    keep(engines, peer.name, turn, seconds, peak)
            rows = {part: len(rows) for part, rows in expected.items()}
            results.append(
                {
                    "question": question.name,
                    "title": question.title,
                    "store": store.name,
                    "events": store.events,
                    "rows": rows,
                    "engines": engines,
                }
            )
            medians = ", ".join(f"{name} {sorted(kept['seconds'])[len(kept['seconds']) // 2]:.3f} s" for name, kept in engines.items())
            print(f"{store.name}: {question.title}: {medians}; the same answer of {sum(rows.values())} rows", flush=True)
    finally:
        for peer in peers:
            peer.close()
        servers.close()
    return results


def timed(one: server.Server, request: Request, turn: int) -> tuple[float, bytes, int]:
    """Asks a server: seconds, the body, and the most memory, which is looked at in the first round alone, as looking takes time."""
    if turn:
        seconds, body, _ = one.ask(request)
        return seconds, body, 0
    with server.Memory(one.process.pid) as memory:
        seconds, body, _ = one.ask(request)
    return seconds, body, memory.peak


def keep(engines: dict[str, dict[str, Any]], name: str, turn: int, seconds: float, peak: int) -> None:
    """A sample, unless it is of the first round."""
    kept = engines.setdefault(name, {"seconds": [], "peak_bytes": 0})
    kept["peak_bytes"] = max(kept["peak_bytes"], peak)
    if turn:
        kept["seconds"].append(round(seconds, 6))
