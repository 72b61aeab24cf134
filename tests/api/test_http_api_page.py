"""docs/http-api.md names everything that there is, and its examples run."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.api.conftest import ADMIN, Serve, build
from tinyagent.api.approvals import RejectTask, RejectTasks
from tinyagent.api.chat_request import NEUTRAL, ChatRequest
from tinyagent.api.runs import StartRun
from tinyagent.domain.events import EVENT

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
        *StartRun.model_fields,
        *RejectTask.model_fields,
        *RejectTasks.model_fields,
        "limit",
        "before",
    ],
)
def test_every_parameter_is_on_the_page(name: str) -> None:
    assert re.search(rf"`{name}\b", PAGE)


def test_every_type_of_event_is_on_the_page() -> None:
    types = EVENT.json_schema()["discriminator"]["mapping"]
    assert len(types) > 10
    assert [name for name in types if f"`{name}`" not in PAGE] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples call curl")
async def test_the_examples_run_in_their_order(serve: Serve) -> None:
    served = await serve()
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
    assert statuses == [
        "404",
        "200",
        "200",
        *["200"] * 3,
        "200",
        "200",
        "200",
        "200",
        "409",
        "409",
        "204",
        "200",
        "200",
    ]
