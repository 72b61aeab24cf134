"""docs/http-api.md names everything that there is, and its examples run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import ADMIN, PLAN, Serve, build
from tests.api.test_openapi import Counted, Encoder
from tests.support.scripted import ScriptedPlanner
from tinyagent.api import responses_request
from tinyagent.api.approvals import RejectTask, RejectTasks
from tinyagent.api.chat_request import NEUTRAL, ChatRequest
from tinyagent.api.embeddings import EmbeddingRequest
from tinyagent.api.responses_request import ResponseRequest
from tinyagent.api.runs import StartRun
from tinyagent.domain.events import EVENT
from tinyagent.ports import PlanRequest

PAGE = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text()


def test_every_route_is_on_the_page() -> None:
    for path, methods in build().app.openapi()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in PAGE


@pytest.mark.parametrize(
    "name",
    [
        *ChatRequest.model_fields,
        *NEUTRAL,
        *ResponseRequest.model_fields,
        *responses_request.NEUTRAL,
        *EmbeddingRequest.model_fields,
        *StartRun.model_fields,
        *RejectTask.model_fields,
        *RejectTasks.model_fields,
        "limit",
        "before",
        "order",
        "after",
    ],
)
def test_every_parameter_is_on_the_page(name: str) -> None:
    assert re.search(rf"`{name}\b", PAGE)


def test_every_type_of_event_is_on_the_page() -> None:
    types = EVENT.json_schema()["discriminator"]["mapping"]
    assert len(types) > 10
    assert [name for name in types if f"`{name}`" not in PAGE] == []


class Planner(ScriptedPlanner):
    """Plans over the server's own tools, or over the functions of the page."""

    async def plan(self, request: PlanRequest) -> AsyncIterator[Any]:
        functions = any(tool.name == "send_sms" for tool in request.tools)
        yield '1. get_phone_number("Sid")\n2. send_sms(["$1"], "I am late.")\n' if functions else PLAN


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples call curl")
async def test_the_examples_run_in_their_order(serve: Serve) -> None:
    served = await serve(Planner(""), embedder=Encoder(), figures=Counted())
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert blocks[0] == "TOKEN=$(tinyagent token)\n"
    script = "".join(["set -euo pipefail\n", *blocks[1:]]).replace("http://127.0.0.1:8765", served.url)
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script.replace("curl -s", "curl -w '\\n%{http_code}\\n' -s"),
        env={"PATH": os.environ["PATH"], "TOKEN": ADMIN},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    statuses = re.findall(r"^(\d{3})$", output, re.MULTILINE)
    asked = sum(block.count("curl -s") for block in blocks) - 2  # those that only look for an id say nothing
    assert len(statuses) == asked
    assert [status for status in statuses if status != "200"] == UNUSUAL
    answers = [json.loads(line) for line in output.splitlines() if line.startswith('{"id":"chatcmpl')]
    calls = [call["function"] for answer in answers for call in _message(answer).get("tool_calls", [])]
    assert [call["name"] for call in calls] == ["get_phone_number", "send_sms"]
    assert json.loads(calls[1]["arguments"]) == {"recipients": ["+14155550101"], "message": "I am late."}


def _message(answer: dict[str, Any]) -> dict[str, Any]:
    return answer["choices"][0]["message"]


UNUSUAL = [
    "404",  # an unknown model
    "409",  # the response has ended
    "202",  # a run that follows another
    "409",  # the run has ended
    "409",  # nothing to take back
    "204",  # the run is deleted
]
"""What the examples are answered with beside 200, in their order."""
