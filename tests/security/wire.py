"""Requests byte by byte, as no well-behaved client would send them."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.support.server import Server

WAIT_S = 20.0


@dataclass(frozen=True)
class Answer:
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]

    @property
    def code(self) -> str:
        return self.error["code"]


def connect(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """The next response of a connection that has no more than one under way."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def request(
    server: Server,
    line: str = "GET /v1/models HTTP/1.1",
    *headers: str,
    body: bytes = b"",
    host: str | None = "own",
    token: str | None = "own",
) -> bytes:
    """A request with exactly these headers after `Host` and `Authorization`, which None leaves out."""
    own_host = f"127.0.0.1:{server.port}"
    lines = [line]
    if host is not None:
        lines.append(f"Host: {own_host if host == 'own' else host}")
    if token is not None:
        lines.append(f"Authorization: Bearer {server.token if token == 'own' else token}")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def exchange(server: Server, sent: bytes) -> Answer:
    """Send these bytes on a connection of their own and read what comes back."""
    with connect(server) as connection:
        connection.sendall(sent)
        return read_answer(connection, sent.partition(b" ")[0].decode("latin-1"))


def ended(connection: socket.socket) -> bool:
    """Whether the server closes the connection, with or without a farewell."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


JSON = "Content-Type: application/json"


def post(path: str = "/v1/runs") -> str:
    return f"POST {path} HTTP/1.1"


def json_body(text: str) -> tuple[str, str, bytes]:
    """Content type, length and bytes of a body."""
    body = text.encode()
    return JSON, f"Content-Length: {len(body)}", body
