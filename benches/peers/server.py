"""headroom as its clients see it: a server of its own on loopback, and the memory of it and of its workers."""

import http.client
import pathlib
import subprocess
import tempfile
import threading
import time
import types
from typing import Any, Self

from questions.question import Request

PIECE = 1 << 20


def taken(pid: int) -> int:
    """Bytes that a process and all below it take; pages that several share are counted once."""
    total = 0
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += sum(taken(int(child)) for child in (task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has just ended
    return total


class Memory:
    """The most that a process and its children take together while this is entered, looked at every ten milliseconds."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak = taken(pid)
        self.over = threading.Event()
        self.watch = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self.over.wait(0.01):
            self.peak = max(self.peak, taken(self.pid))

    def __enter__(self) -> Self:
        self.watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.watch.join()


class Server:
    """`headroom serve` on a free port, until it is closed."""

    def __init__(self, binary: pathlib.Path, store: pathlib.Path, *flags: str) -> None:
        self.log = tempfile.TemporaryFile()
        start = time.perf_counter()
        command = [str(binary), "serve", "--store", str(store), "--listen", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout is not None
        told = self.process.stdout.readline().strip()
        if " on http://" not in told:
            self.log.seek(0)
            raise SystemExit(f"headroom does not serve {store}: {self.log.read().decode()}")
        self.listens = time.perf_counter() - start
        self.address = told.rsplit("http://", 1)[1]
        self.connection = http.client.HTTPConnection(self.address, timeout=600)
        self.idle = taken(self.process.pid)

    def ask(self, request: Request, into: Any = None) -> tuple[float, bytes, int]:
        """Seconds from the request to the last byte, the body, and its length. `into` takes the body instead, or `os.devnull`
        opened: what is large need not be kept."""
        start = time.perf_counter()
        body = request.body.encode() if request.body is not None else None
        kind = {"Content-Type": "application/json"} if body else {}
        self.connection.request("POST" if body else "GET", request.path, body, kind)
        answer = self.connection.getresponse()
        pieces, length = [], 0
        while piece := answer.read(PIECE):
            length += len(piece)
            if into is None or answer.status != 200:
                pieces.append(piece)
            else:
                into.write(piece)
        seconds = time.perf_counter() - start
        if answer.status != 200:
            raise SystemExit(f"headroom answers {answer.status} to {request.path}: {b''.join(pieces)[:500].decode()}")
        return seconds, b"".join(pieces), length

    def close(self) -> None:
        """Ends the server."""
        self.connection.close()
        self.process.terminate()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: types.TracebackType | None) -> None:
        self.close()


def knows(binary: pathlib.Path, flag: str) -> bool:
    """Whether `headroom serve` has a flag."""
    return flag in subprocess.run([binary, "serve", "--help"], check=True, capture_output=True, text=True).stdout
