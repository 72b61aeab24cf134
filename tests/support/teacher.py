"""A chat server on a local port that teaches, and misbehaves on demand."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

PATIENCE_S = 20.0


def lesson(number: int) -> str:
    """A block with a request like no other."""
    words = [f"{word}{number}" for word in ("fig", "oak", "elm", "ivy", "yew", "ash")]
    text = " ".join(words)
    plan = f'1. append_note_content("{words[0]}", "{text}", "")\n2. join()'
    return f"Request: note under {words[0]}: {text}\nPlan:\n{plan}"


def completion(text: str, reason: str = "stop", prompt: int = 100, answer: int = 10) -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": answer},
    }


class Teacher(ThreadingHTTPServer):
    """Answers the n-th request by `script[n]`, and with two new lessons once the script is used up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Callable[[_Handler], None]] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.most_at_once = 0
        self.released = threading.Event()
        self.asked = threading.Event()
        self.lessons = count()
        self._lock = threading.Lock()
        self._now = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def enter(self, body: dict[str, Any], key: str | None) -> Callable[[_Handler], None]:
        with self._lock:
            self.bodies.append(body)
            self.keys.append(key)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            return self.script.pop(0) if self.script else good

    def leave(self) -> None:
        with self._lock:
            self._now -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    server: Teacher

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        act = self.server.enter(body, self.headers.get("authorization"))
        try:
            act(self)
        finally:
            self.server.leave()

    def reply(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""


Act = Callable[[_Handler], None]


def good(handler: _Handler) -> None:
    blocks = "\n###\n".join(lesson(next(handler.server.lessons)) for _ in range(2))
    handler.reply(json.dumps(completion(blocks)).encode())


def saying(text: str, reason: str = "stop") -> Act:
    return lambda handler: handler.reply(json.dumps(completion(text, reason)).encode())


def body(content: bytes, status: int = 200, **headers: str) -> Act:
    return lambda handler: handler.reply(content, status, **headers)


def hang(handler: _Handler) -> None:
    """Take the request and stay silent until the test is over."""
    handler.server.asked.set()
    handler.server.released.wait(PATIENCE_S)


def drop(handler: _Handler) -> None:
    """Break the connection off in the middle of an answer."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{")
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def trickle(handler: _Handler) -> None:
    """Send a byte now and then, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
    while not handler.server.released.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def flood(handler: _Handler) -> None:
    """Send more than anybody can want."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(200):
        handler.wfile.write(b"x" * 65536)


@contextmanager
def teaching() -> Generator[Teacher]:
    """A running teacher."""
    with Teacher() as teacher:
        thread = threading.Thread(target=teacher.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield teacher
        finally:
            teacher.released.set()
            teacher.shutdown()
            thread.join(PATIENCE_S)
