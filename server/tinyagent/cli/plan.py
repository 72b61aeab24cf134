"""`tinyagent plan`: what would be done, without doing it and without a server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyagent.cli.ask import PlannerOption, RequestArgument, read_request
from tinyagent.cli.moments import NowOption, local_now, parse_now
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import print_json, printable

if TYPE_CHECKING:
    from datetime import datetime

    from tinyagent.evaluation.runner import Planning
    from tinyagent.settings import Settings


def plan(
    ctx: typer.Context,
    request: RequestArgument,
    planner: PlannerOption = None,
    now: NowOption = None,
    json: Annotated[bool, typer.Option("--json", help="Tools, scores, plan and latency as JSON.")] = False,
) -> None:
    """Print the plan for a request; nothing is carried out."""
    query, moment = read_request(request), parse_now(now) or local_now()
    options: GlobalOptions = ctx.obj
    settings = options.settings(planner=planner)
    planning = asyncio.run(_plan(settings, query, moment))
    if json:
        print_json(_as_json(settings.planner, planning))
    else:
        print(printable(planning.text))


async def _plan(settings: Settings, query: str, now: datetime) -> Planning:
    from tinyagent.bootstrap import build_toolkit
    from tinyagent.domain.plan import format_plan
    from tinyagent.evaluation.runner import plan_request
    from tinyagent.evaluation.scoring import read_generated

    toolkit = build_toolkit(settings)
    planner = await toolkit.planner(settings.planner)
    try:
        planning = await plan_request(query, now, toolkit.selector, planner, toolkit.tools)
    finally:
        await planner.close()
    return replace(planning, text=format_plan(read_generated(planning.text).calls))


def _as_json(planner: str, planning: Planning) -> dict[str, Any]:
    return {
        "planner": planner,
        "tools": list(planning.selection.tools),
        "scores": planning.selection.scores,
        "plan": planning.text,
        "prompt_tokens": planning.usage.prompt_tokens,
        "plan_tokens": planning.usage.plan_tokens,
        "cached_tokens": planning.usage.cached_tokens,
        "milliseconds": planning.milliseconds,
    }
