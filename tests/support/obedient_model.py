"""A model behind an OpenAI-compatible URL that was talked over: it writes whatever plans a test gives it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.support.local_http import serving


class ObedientModel:
    """Writes the plans in turn, the last one again and again; keeps what it was shown."""

    def __init__(self) -> None:
        self.plans: Sequence[str] = ()
        self.shown: list[str] = []
        self.url = ""

    def obey(self, *plans: str) -> None:
        """Begin anew, with these plans."""
        self.plans, self.shown = plans, []

    def write(self, body: str) -> str:
        self.shown.append(body)
        return self.plans[min(len(self.shown), len(self.plans)) - 1]


@contextmanager
def obedient_model() -> Iterator[ObedientModel]:
    """Serve an ObedientModel on a free port."""
    model = ObedientModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            plan = model.write(self.rfile.read(int(self.headers["Content-Length"])).decode())
            choice = {"index": 0, "delta": {"content": plan}, "finish_reason": None}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for choices in ([choice], [{"index": 0, "delta": {}, "finish_reason": "stop"}]):
                self.wfile.write(f"data: {json.dumps({**chunk, 'choices': choices})}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as url:
        model.url = f"{url}/v1"
        yield model
