"""Examples in prompts: where they stand, how many fit, and what of a prompt is read again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from tests.support.plan_requests import make_request
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.bootstrap import build_planners
from tinyagent.planners.grammar import Limits
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.profiles import ProfileName
from tinyagent.planners.prompts import Message, chat_messages, tinyagent_messages
from tinyagent.ports import Example, PlanRequest, Usage
from tinyagent.settings import load_settings

NOW = datetime(2024, 5, 8, 10, 20)
NAMES = ["Ada", "Bo", "Cy", "Di"]
PLANS = [f'1. get_phone_number("{name}")\n2. join()<END_OF_PLAN>' for name in NAMES]
EXAMPLES = [
    Example(number, f"Look up {name}", NOW, plan, ("get_phone_number",))
    for number, (name, plan) in enumerate(zip(NAMES, PLANS, strict=True))
]
SMALL = Limits(calls=3, items=2, characters=12, references=2)
TOOLS = ["get_phone_number", "send_sms"]


def found(*places: int) -> tuple[Example, ...]:
    return tuple(EXAMPLES[place] for place in places)


def text_of(messages: list[Message]) -> str:
    return "\n".join(message.content for message in messages)


def shared(one: str, other: str) -> str:
    pairs = zip(one, other, strict=False)
    return "".join(pair[0] for pair in takewhile(lambda pair: pair[0] == pair[1], pairs))


# --- where they stand -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "time", "asked"),
    [
        (chat_messages, "Current time: 2024-05-08 10:20 (Wednesday)", "Request: Text Sid"),
        (tinyagent_messages, "Now: Wednesday, 2024-05-08 10:20:00", "Question: Text Sid"),
    ],
)
def test_examples_stand_between_what_is_always_said_and_the_request(
    messages: Any, time: str, asked: str
) -> None:
    request = make_request("Text Sid", TOOLS, instructions="Be brief.", examples=found(1))
    text = text_of(messages(request))
    assert f"Look up Bo\n{time}\n{PLANS[1]}" in text
    places = [text.index(part) for part in ("send_sms(", "Be brief.", "Look up Bo", asked)]
    assert places == sorted(places)


@pytest.mark.parametrize("messages", [chat_messages, tinyagent_messages])
def test_a_prompt_without_examples_says_nothing_of_them(messages: Any) -> None:
    bare, shown = (messages(make_request(tools=TOOLS, examples=items)) for items in ((), found(0)))
    assert "like the next request" not in text_of(bare)
    assert "\n\nExamples:" not in text_of(bare)
    assert shown[0].content.startswith(bare[0].content)


@pytest.mark.parametrize("messages", [chat_messages, tinyagent_messages])
def test_examples_stand_by_their_numbers_so_that_two_requests_share_a_longer_beginning(messages: Any) -> None:
    one = text_of(messages(make_request("Text Sid", TOOLS, examples=found(2, 0, 1))))
    other = text_of(messages(make_request("Text Lutfi", TOOLS, examples=found(3, 1, 0))))
    assert one.index("Look up Ada") < one.index("Look up Bo") < one.index("Look up Cy")
    assert "Look up Bo" in shared(one, other)
    assert "Look up Cy" not in shared(one, other)


# --- how many fit -----------------------------------------------------------------------------------


class Finder:
    """Finds the same examples for every request and keeps the requests."""

    def __init__(self, *places: int) -> None:
        self.requests: list[PlanRequest] = []
        self._examples = found(*places)

    def __call__(self, request: PlanRequest) -> tuple[Example, ...]:
        self.requests.append(request)
        return self._examples


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf")


async def usage_of(
    gguf: Path, examples: Finder, *, profile: ProfileName = "tinyagent-1.1b", context: int = 8192
) -> Usage:
    planner = LlamaPlanner(
        gguf, profile=profile, limits=SMALL, context=context, max_tokens=400, examples=examples
    )
    usage = [piece async for piece in planner.plan(make_request("Text Sid", TOOLS))][-1]
    await planner.close()
    assert isinstance(usage, Usage)
    return usage


async def test_a_small_context_gets_the_nearest_examples_that_leave_room_for_a_plan(gguf: Path) -> None:
    none, one, two = [(await usage_of(gguf, Finder(*range(count)))).prompt_tokens for count in range(3)]
    assert none < one < two
    for context, expected in ((two + 400, two), (two + 399, one), (none + 200, none)):
        assert (await usage_of(gguf, Finder(0, 1, 2), context=context)).prompt_tokens == expected


async def test_a_model_with_a_language_of_its_own_gets_no_examples(gguf: Path) -> None:
    finder = Finder(0, 1)
    assert (await usage_of(gguf, finder, profile="compact")).prompt_tokens < 100
    assert finder.requests == []


async def test_rules_tools_and_common_examples_are_not_read_again(gguf: Path) -> None:
    several = iter([found(0, 3), found(2, 0)])
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192, examples=lambda _: next(several))
    usages: list[Usage] = []
    for query in ("Text Sid", "Text Lutfi"):
        last = [piece async for piece in planner.plan(make_request(query, TOOLS))][-1]
        assert isinstance(last, Usage)
        usages.append(last)
    await planner.close()
    assert usages[0].cached_tokens == 0
    without = await usage_of(gguf, Finder())
    assert usages[1].cached_tokens > without.prompt_tokens - 60


# --- behind a URL -----------------------------------------------------------------------------------


@pytest.fixture
def model_server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A URL that answers with a plan, and the bodies of the requests to it."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            chunk = {"choices": [{"index": 0, "delta": {"content": "1. join()"}}]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", bodies
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.mark.parametrize("count", [0, 2])
async def test_the_setting_says_how_many_examples_a_model_is_shown(
    tmp_path: Path, model_server: tuple[str, list[dict[str, Any]]], count: int
) -> None:
    url, bodies = model_server
    planners = {"far": {"kind": "openai", "base_url": url, "model": "m"}}
    settings = load_settings(home=tmp_path, planners=planners, planner_examples=count)
    planner = await build_planners(settings).get("far")
    request = make_request("Text Zinaida that my train is late")
    text = "".join([piece async for piece in planner.plan(request) if isinstance(piece, str)])
    await planner.close()
    assert text == "1. join()<END_OF_PLAN>"
    _, _, after = bodies[0]["messages"][0]["content"].partition("Examples that are like the next request")
    assert after.count("Request: ") == count
