"""A server that is used for all kinds of requests, and the words in them that nobody else may see."""

from __future__ import annotations

from pathlib import Path

from tests.security.wire import exchange
from tests.support.server import Server
from tinyagent.demo import make_demo
from tinyagent.home import prepare_home
from tinyagent.settings import load_settings

WORD = "zanzibarquux"
"""Stands in requests, and so in plans, notes and answers."""
PERSON = "Wilhelmina Quuxberry"
ADDRESS = "wilhelmina@quuxberry.example"

CARD = f"BEGIN:VCARD\nVERSION:3.0\nFN:{PERSON}\nEMAIL:{ADDRESS}\nTEL:+15550142\nEND:VCARD\n"
REQUESTS = (
    f"Create a note called Plans saying {WORD}",
    f"What is the email address of {PERSON}?",
    f"Send an email to {PERSON} about {WORD}",
    f"Open my note {WORD}",
    f"Summarize the file {WORD}.pdf",
    f"Remind me tomorrow to {WORD}",
    f"Text {PERSON} {WORD}",
    f"{WORD}",
)


def fill(home: Path) -> None:
    settings = load_settings(home=home)
    prepare_home(settings)
    make_demo(settings.data, settings.documents)
    (settings.data / "contacts" / "one.vcf").write_text(CARD)


def use(server: Server) -> None:
    with server.client(timeout=120) as client:
        for query in REQUESTS:
            body = {"model": "tinyagent", "messages": [{"role": "user", "content": query}]}
            client.post("/v1/chat/completions", json=body)
        runs = [run["run"] for run in client.get("/v1/runs").json()["data"]]
        for run in runs:
            client.get(f"/v1/runs/{run}")
        client.post(f"/v1/runs/{runs[1]}/undo")
        client.get(f"/v1/runs/{WORD}")
        client.get("/v1/runs", params={WORD: WORD})
        client.post("/v1/runs", json={"query": WORD, WORD: WORD})
        client.post("/v1/runs", json={"query": WORD, "planner": WORD})
        unfinished = f'{{"query": "{WORD}'.encode()
        client.post("/v1/runs", content=unfinished, headers={"Content-Type": "application/json"})
        client.get(f"/{WORD}", headers={"X-Header": WORD, "User-Agent": WORD})
        (server.home / "tokens.json").write_text("{")
        assert client.get("/v1/models").status_code == 200
        (server.home / "tokens.json").unlink()
        client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    exchange(server, f"GET /{WORD} garbage\r\n\r\n".encode())
