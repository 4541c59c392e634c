"""What a question is: one request to headroom, one way to ask each peer, and what makes their answers the same."""

import abc
import dataclasses
import io
import json
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow

if TYPE_CHECKING:
    from engines import Frames
    from stores import Store

Row: TypeAlias = tuple[Any, ...]
# Parts of an answer by name: a question that a peer has to be asked in several queries has several.
Parts: TypeAlias = dict[str, list[Row]]


@dataclasses.dataclass(frozen=True)
class Request:
    """A request to headroom; with a body it is a POST of JSON."""

    path: str
    body: str | None = None


def report(path: str, **parameters: object) -> Request:
    """A request for a report."""
    return Request(f"/api/v1/report/{path}?{urllib.parse.urlencode(parameters)}")


def table(body: bytes) -> pyarrow.Table:
    """The rows of an answer in Arrow, which has all digits."""
    return pyarrow.ipc.open_stream(io.BytesIO(body)).read_all()


def data(body: bytes) -> list[dict[str, Any]]:
    """The rows of an answer in JSON."""
    envelope = json.loads(body)
    if envelope["success"] is not True or len(envelope["data"]) != envelope["totalCount"]:
        raise SystemExit(f"headroom says {body[:200]!r}")
    return envelope["data"]


class Question(abc.ABC):
    """A question. SQL of peers reads the tables `sessions`, `denials` and `days`, whatever those are in the engine."""

    # How it is called in results, and how tables tell it.
    name: str
    title: str
    # Rounds per round of the run: what is quick is asked more often.
    times = 1
    # Whether the order of rows is part of the answer.
    ordered = True

    @abc.abstractmethod
    def request(self, store: "Store") -> Request:
        """What headroom is asked, and timed with."""

    @abc.abstractmethod
    def exact(self, store: "Store", ask: Callable[[Request], bytes]) -> Parts:
        """headroom's answer with all digits, which is asked for once, besides."""

    @abc.abstractmethod
    def told(self, body: bytes) -> Parts:
        """The answer that was timed."""

    def rounded(self, parts: Parts) -> Parts:
        """The exact answer as the timed one tells it."""
        return parts

    @abc.abstractmethod
    def duckdb(self, store: "Store") -> dict[str, str | list[str]]:
        """DuckDB's SQL for each part; several queries are asked one after the other."""

    @abc.abstractmethod
    def chdb(self, store: "Store") -> dict[str, str]:
        """ClickHouse's SQL for each part."""

    @abc.abstractmethod
    def polars(self, store: "Store", frames: "Frames") -> dict[str, Callable[[], Any]]:
        """Polars' code for each part, which makes a data frame."""
