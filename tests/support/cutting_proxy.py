"""A TCP proxy before a server that breaks connections where a test says.

Each connection carries one request, for the proxy asks the server to close it after the answer.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

WAIT_S = 30.0
HEAD_END = b"\r\n\r\n"
FRAME_END = b"\n\n"

Spot = Literal["request head", "request body", "before the answer", "answer head", "answer body", "frame"]

SPOTS: tuple[Spot, ...] = ("request head", "request body", "before the answer", "answer head", "answer body")
"""Where any connection can break."""


@dataclass(frozen=True)
class Cut:
    """Where a connection breaks.

    In the `request head` or `request body`: in its middle, so that the server never has the whole request.
    `before the answer`: when the server begins to answer. `answer head`: after it. `answer body`: in its
    middle. `frame`: after the `number`th frame of a stream, which is the whole stream if it has no more.
    """

    spot: Spot
    number: int = 0


@dataclass
class CuttingProxy:
    """`cuts` are used up one by one, by each connection that comes; further ones are left alone."""

    target: int
    port: int = 0
    cuts: list[Cut] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    """The head of each request that came."""
    frames: int = 0
    """How many frames of a stream the last connection let through."""
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released whenever a request has come in."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def carry(self, client: socket.socket) -> None:
        """Carry one request and its answer, as far as the next cut allows."""
        cut = self.cuts.pop(0) if self.cuts else None
        head, body = _read_request(client)
        self.heads.append(head.decode("latin-1"))
        self.arrived.release()
        with socket.create_connection(("127.0.0.1", self.target), WAIT_S) as server:
            head = self._for_server(head)
            if cut is not None and cut.spot == "request head":
                server.sendall(head[: len(head) // 2])
            elif cut is not None and cut.spot == "request body":
                server.sendall(head + body[: len(body) // 2])
            else:
                server.sendall(head + body)
                self._carry_answer(client, server, cut)

    def _for_server(self, head: bytes) -> bytes:
        head = head.replace(f"127.0.0.1:{self.port}".encode(), f"127.0.0.1:{self.target}".encode())
        head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)
        return head.removesuffix(HEAD_END) + b"\r\nConnection: close" + HEAD_END

    def _carry_answer(self, client: socket.socket, server: socket.socket, cut: Cut | None) -> None:
        """Pass the answer on, until its end, the cut, or the client's leaving."""
        leaving = threading.Thread(target=_close_with, args=(client, server), daemon=True)
        leaving.start()
        answer, passed = b"", 0
        self.frames = 0
        while chunk := server.recv(65536):
            answer += chunk
            end = _allowed(answer, cut)
            client.sendall(answer[passed:end])
            passed = max(passed, len(answer) if end is None else end)
            self.frames = answer[:passed].count(FRAME_END)
            if end is not None:
                return


def _read_request(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while HEAD_END not in data:
        data += _some(client)
    head, _, body = data.partition(HEAD_END)
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += _some(client)
    return head + HEAD_END, body


def _some(peer: socket.socket) -> bytes:
    chunk = peer.recv(65536)
    if not chunk:
        raise ConnectionError
    return chunk


def _close_with(client: socket.socket, server: socket.socket) -> None:
    """Leave the server when the client leaves; it says nothing more while it waits."""
    with suppress(OSError):
        client.recv(1)
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _allowed(answer: bytes, cut: Cut | None) -> int | None:
    """How much of the answer may pass before the connection breaks; None while it need not break."""
    head, found, body = answer.partition(HEAD_END)
    if cut is None:
        return None
    if cut.spot == "before the answer":
        return 0
    if not found:
        return None
    start = len(head) + len(HEAD_END)
    if cut.spot == "answer head":
        return start
    if cut.spot == "answer body":
        return start + len(body) // 2 if body else None
    ends = [match.end() for match in re.finditer(re.escape(FRAME_END), body)]
    return start + ends[cut.number - 1] if len(ends) >= cut.number else None


@contextmanager
def cutting_proxy(target: int) -> Iterator[CuttingProxy]:
    """Stand before the server at this port of this computer."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = CuttingProxy(target, listener.getsockname()[1])

    def carry(client: socket.socket) -> None:
        client.settimeout(WAIT_S)
        with client:
            with suppress(OSError):
                proxy.carry(client)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)  # a thread may still wait for its words

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=carry, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(WAIT_S)
