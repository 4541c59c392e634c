"""How long a server takes from its start until it says that it listens, and until it answers that it is ready."""

import pathlib
import time
from typing import Any

import server
from questions.question import Request
from stores import Store

READY = Request("/readyz")


def measure(binary: pathlib.Path, stores: list[Store], rounds: int) -> list[dict[str, Any]]:
    """Starts on every store in turns."""
    kept: dict[str, dict[str, list[float]]] = {store.name: {"listens": [], "ready": []} for store in stores}
    for turn in range(rounds + 1):
        for store in stores:
            start = time.perf_counter()
            with server.Server(binary, store.path) as one:
                one.ask(READY)
                ready = time.perf_counter() - start
            if turn:
                kept[store.name]["listens"].append(round(one.listens, 6))
                kept[store.name]["ready"].append(round(ready, 6))
    return [{"store": store.name, "days": len(store.days), "events": store.events, **kept[store.name]} for store in stores]
