"""A TCP server that says what a test tells it to: the misbehaviour that no real server shows on demand."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

WAIT_S = 30.0

Conversation = Callable[["Peer"], None]


@dataclass
class Peer:
    """The client at the other end of a connection."""

    connection: socket.socket
    heard: list[bytes]
    released: threading.Event
    _buffer: bytes = field(default=b"")

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)

    def hear(self, end: bytes = b"\r\n") -> bytes:
        """What the client says up to and with `end`. Raises ConnectionError when it goes away."""
        while end not in self._buffer:
            chunk = self.connection.recv(65536)
            if not chunk:
                raise ConnectionError
            self._buffer += chunk
        said, _, self._buffer = self._buffer.partition(end)
        self.heard.append(said)
        return said + end

    def answer(self, *answers: bytes) -> None:
        """One answer to each line."""
        for answer in answers:
            self.hear()
            self.say(answer)

    def answer_http(self, *answers: bytes) -> None:
        """One answer to each request with a body of a known length."""
        for answer in answers:
            head = self.hear(b"\r\n\r\n").decode("latin-1")
            lengths = [
                int(line[15:]) for line in head.split("\r\n") if line.casefold().startswith("content-length:")
            ]
            while lengths and len(self._buffer) < lengths[0]:
                self._buffer += self.connection.recv(65536)
            self._buffer = self._buffer[lengths[0] if lengths else 0 :]
            self.say(answer)

    def hang(self) -> None:
        """Say nothing more until the test is over or the client has gone."""
        with suppress(OSError):
            while not self.released.is_set() and self.connection.recv(65536):
                pass

    def drip(self) -> None:
        """Say a byte now and then and never finish a line."""
        with suppress(OSError):
            while not self.released.wait(0.02):
                self.say(b"*")


@dataclass
class TalkingServer:
    port: int
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def talking_server(
    *conversations: Conversation, tls: ssl.SSLContext | None = None
) -> Iterator[TalkingServer]:
    """Hold one conversation with each client that connects, the last one with all further ones."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = TalkingServer(listener.getsockname()[1])
    released = threading.Event()
    open_connections: list[socket.socket] = []

    def serve() -> None:
        left: Sequence[Conversation] = conversations
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(WAIT_S)
            open_connections.append(connection)
            with suppress(OSError, ssl.SSLError):
                wrapped = tls.wrap_socket(connection, server_side=True) if tls else connection
                with wrapped:
                    left[0](Peer(wrapped, server.heard, released))
            left = left[1:] or left

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        released.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in open_connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join(WAIT_S)
