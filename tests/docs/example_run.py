"""The run with an approval that `docs/events.md` shows: a real server, the bundled planner, made-up people.

`PYTHONPATH=server:. python -m tests.docs.example_run` records it and writes it into the page.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.server import serve, tinyagent
from tests.support.smtp_server import PASSWORD, USER, smtp_server
from tinyagent.client import Client
from tinyagent.domain.events import EVENT

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
REQUEST = "Email Jane that dinner is at seven"
NOW = datetime(2026, 3, 6, 18, 20)
START, END = "<!-- example -->\n```json\n", "```\n<!-- end -->"
WIDTH = 110
MEASURED = ("milliseconds", "prompt_ms", "plan_ms", "scores", "tokens", "expires")
"""Parts of the names of fields that differ from run to run."""
_MESSAGE_ID = re.compile(r"<[\d.]+@")

Shown = dict[str, Any]
"""An event as the page shows it: `seq`, `type` and `data`, without `run` and `time`."""


async def record(home: Path) -> tuple[list[Shown], list[list[str]]]:
    """Carry the request out and approve what it asks; its events, and to whom mail was sent."""
    tinyagent(home, "demo").check_returncode()
    with smtp_server() as mail:
        (home / "config.toml").write_text(_settings(mail.port))
        with serve(home) as server:
            async with Client(server.url, server.token) as client:
                events = await _events(client)
        return events, [envelope.rcpt_tos for envelope in mail.received]


def _settings(port: int) -> str:
    account = (
        f'host = "127.0.0.1"\nport = {port}\nuser = "{USER}"\npassword = "{PASSWORD}"\nsecurity = "none"'
    )
    return f'sender = "{USER}"\ntimezone = "UTC"\n[approvals]\nsend = "ask"\n[smtp]\n{account}\n'


async def _events(client: Client) -> list[Shown]:
    run = await client.start(REQUEST, now=NOW)
    events: list[Shown] = []
    async for event in client.events(run):
        events.append(_short(EVENT.dump_python(event, mode="json")))
        if event.type == "approval.requested":
            await client.decide(run, {event.data.task: event.data.digest}, approved=True)
    return events


def _short(event: Shown) -> Shown:
    """Without `run`, `time`, further digits, and the scores of tools that nobody would think of."""
    data = dict(event["data"])
    for name in ("milliseconds", "prompt_ms", "plan_ms"):
        if name in data:
            data[name] = round(data[name], 1)
    if "scores" in data:
        data["scores"] = {tool: round(data["scores"][tool], 4) for tool in data["tools"]}
    return {"seq": event["seq"], "type": event["type"], "data": data}


def shown(page: str) -> list[Shown]:
    """The events that stand in the page."""
    text, decoder = page.split(START, 1)[1].split(END, 1)[0].strip(), json.JSONDecoder()
    events: list[Shown] = []
    while text:
        event, end = decoder.raw_decode(text)
        events.append(event)
        text = text[end:].lstrip()
    return events


def comparable(events: list[Shown]) -> dict[str, Any]:
    """What is the same in every such run: by type and task, without times; pieces of text are joined.

    A call may start before or after its plan is complete, so the order is not part of it.
    """
    same: dict[str, Any] = {}
    for event in events:
        data = {
            name: value for name, value in event["data"].items() if not any(part in name for part in MEASURED)
        }
        if event["type"].endswith(".delta"):
            same[event["type"]] = same.get(event["type"], "") + data["text"]
        else:
            if isinstance(data.get("value"), str):
                data["value"] = _MESSAGE_ID.sub("<@", data["value"])
            same[f"{event['type']} {data.get('task', '')}"] = data
    return same


def written(events: list[Shown]) -> str:
    """One event a line; the fields of a longer one stand below each other."""
    return "".join(f"{_event(event)}\n" for event in events)


def _event(event: Shown) -> str:
    line = json.dumps(event, ensure_ascii=False)
    if len(line) <= WIDTH:
        return line
    fields = [
        f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in event["data"].items()
    ]
    head = json.dumps({"seq": event["seq"], "type": event["type"]})
    return f'{head[:-1]}, "data": {{\n' + ",\n".join(fields) + "}}"


def main() -> None:
    page = PAGE.read_text()
    before, rest = page.split(START, 1)
    with tempfile.TemporaryDirectory() as home:
        events, _ = asyncio.run(record(Path(home)))
    PAGE.write_text(f"{before}{START}{written(events)}{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
