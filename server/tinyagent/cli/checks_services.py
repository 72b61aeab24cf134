"""Whether the model that writes prose and the workers that carry out calls are there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import httpx

from tinyagent.cli.findings import ANSWER_S, Finding
from tinyagent.cli.options import GlobalOptions, server_url, stored_token
from tinyagent.errors import TinyAgentError
from tinyagent.loopback import is_local_url

if TYPE_CHECKING:
    from tinyagent.settings import OpenAIPlannerSettings, Settings, WriterSettings

COMPOSED = "What it would write is composed without a model until then."
START_WORKER = (
    "Start one on the computer that is to do it: `tinyagent worker --server URL`, with what "
    "`tinyagent token --worker` prints."
)


async def examine_services(options: GlobalOptions, settings: Settings) -> AsyncIterator[Finding]:
    """The writer and the workers, where the settings name them."""
    if settings.writer is not None:
        yield await check_writer(settings, settings.writer)
    if settings.executor == "worker":
        yield await check_workers(options, settings)


async def check_writer(settings: Settings, writer: WriterSettings) -> Finding:
    """The model's file is there, or its server answers and knows the model."""
    from tinyagent.settings import OpenAIPlannerSettings

    if isinstance(writer.model, OpenAIPlannerSettings):
        fault = await _remote_fault(writer.model)
        described = f"{writer.model.model} at {writer.model.base_url}"
    else:
        fault = _file_fault(settings, writer)
        described = str(writer.model.path)
    if fault:
        return Finding("writer", "advice", fault, COMPOSED)
    return Finding("writer", "ok", f"{described} writes {', '.join(writer.roles)}")


def _file_fault(settings: Settings, writer: WriterSettings) -> str:
    from tinyagent.bootstrap import build_planners

    catalog = build_planners(settings.model_copy(update={"planners": {"writer": writer.model}}))
    return next(info.reason for info in catalog.infos() if info.name == "writer")


async def _remote_fault(model: OpenAIPlannerSettings) -> str:
    """What keeps the model behind a URL from being used, as far as its list of models tells."""
    headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"} if model.api_key else {}
    answer = await _get(f"{model.base_url.rstrip('/')}/models", headers)
    if answer is None:
        return f"nothing answers at {model.base_url}"
    if answer.status_code in (401, 403):
        return f"{model.base_url} does not accept the api_key"
    if answer.status_code >= 500:
        return f"{model.base_url} answers with status {answer.status_code}"
    names = [str(entry.get("id")) for entry in _entries(answer)]
    return f"{model.base_url} has no model {model.model}" if names and model.model not in names else ""


async def check_workers(options: GlobalOptions, settings: Settings) -> Finding:
    """Which workers the running server hears of, and what none of them can do."""
    url = options.url or server_url(settings)
    try:
        token = stored_token(settings)
    except TinyAgentError as error:
        return Finding("workers", "advice", error.message, error.hint or "")
    answer = await _get(f"{url}/v1/tools", {"Authorization": f"Bearer {token}"} if token else {})
    if answer is None or answer.status_code != 200:
        return Finding(
            "workers", "advice", f"unknown: no server tells at {url}", "Start it with `tinyagent serve`."
        )
    tools = _entries(answer)
    names = sorted({str(name) for tool in tools for name in cast("list[Any]", tool.get("workers") or [])})
    if not names:
        return Finding(
            "workers", "advice", "none is connected, so that no call can be carried out", START_WORKER
        )
    lacking = [str(tool.get("name")) for tool in tools if not tool.get("enabled")]
    without = f"; none for {', '.join(lacking)}" if lacking else ""
    return Finding("workers", "ok", f"connected: {', '.join(names)}{without}")


async def _get(url: str, headers: dict[str, str]) -> httpx.Response | None:
    """The answer, None when there is none in time."""
    try:
        async with (
            asyncio.timeout(ANSWER_S),
            httpx.AsyncClient(timeout=ANSWER_S, trust_env=not is_local_url(url)) as client,
        ):
            return await client.get(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeEncodeError):
        return None


def _entries(answer: httpx.Response) -> list[dict[str, Any]]:
    """The objects under `data`, as both OpenAI's lists and ours have them."""
    try:
        body: Any = answer.json()
    except ValueError:
        return []
    listed: Any = cast("dict[str, Any]", body).get("data") if isinstance(body, dict) else None
    entries = cast("list[Any]", listed) if isinstance(listed, list) else []
    return [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]
