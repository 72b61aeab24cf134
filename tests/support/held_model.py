"""A stand-in for a model behind an OpenAI-compatible URL that waits in the middle of its plan."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.support.local_http import serving

HOLD_S = 30.0


class HeldModel:
    """Plans, for a request about WORD, a note First WORD at once and Second WORD after `go_on(WORD)`."""

    def __init__(self) -> None:
        self.url = ""
        self.planned: list[str] = []
        """The word of each request for a plan."""
        self._gates: dict[str, threading.Event] = {}

    def gate(self, word: str) -> threading.Event:
        return self._gates.setdefault(word, threading.Event())

    def go_on(self, word: str) -> None:
        self.gate(word).set()

    def settings(self, name: str = "held") -> str:
        """The planner's section of `config.toml`."""
        return f'[planners.{name}]\nkind = "openai"\nbase_url = "{self.url}"\nmodel = "held"\n'


def request_about(word: str) -> str:
    """A request for which Tool RAG chooses notes, whatever the word."""
    return f"Make a note called {word}: in two parts"


def names_about(word: str) -> tuple[str, str]:
    """The two notes of its plan."""
    return f"First {word}", f"Second {word}"


@contextmanager
def held_model() -> Iterator[HeldModel]:
    """Serve a HeldModel on a free port."""
    model = HeldModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            words = re.findall(r"Make a note called (\w+): in two parts", json.dumps(asked["messages"]))
            model.planned.append(words[-1])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            try:
                self._plan(words[-1])
            except OSError:
                return

        def _plan(self, word: str) -> None:
            first, second = names_about(word)
            self._say({"content": f'1. create_note("{first}", "at once", "")\n'}, None)
            model.gate(word).wait(HOLD_S)
            self._say({"content": f'2. create_note("{second}", "later", "")\n3. join()<END_OF_PLAN>\n'}, None)
            self._say({}, "stop")
            self.wfile.write(b"data: [DONE]\n\n")

        def _say(self, delta: dict[str, str], reason: str | None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "held"}
            self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as url:
        model.url = f"{url}/v1"
        yield model
