"""A stand-in for a model behind an OpenAI-compatible URL that writes a plan line by line, when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.support.local_http import serving


class SlowModel:
    """Streams the given lines; before each line but the first it waits for `more`."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.more = threading.Semaphore(0)
        self.gone = threading.Event()
        """Set when the client closed the connection early."""
        self.url = ""


@contextmanager
def slow_model(lines: list[str]) -> Iterator[SlowModel]:
    """Serve a SlowModel on a free port."""
    model = SlowModel(lines)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            try:
                for number, line in enumerate(model.lines):
                    if number:
                        model.more.acquire(timeout=30)
                    self._chunk({"content": line + "\n"}, None)
                self._chunk({}, "stop")
                self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                model.gone.set()

        def _chunk(self, delta: dict[str, str], reason: str | None) -> None:
            chunk = {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": "slow",
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            }
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as url:
        model.url = f"{url}/v1"
        yield model
