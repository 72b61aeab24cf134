"""`tinyagent serve`: the daemon."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinyagent.engine.runs import RunService
    from tinyagent.ports import ToolStatus
    from tinyagent.settings import Approval, Settings

_SENDING: dict[Approval, str] = {"ask": "and asks first", "auto": "without asking"}


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to serve on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to serve on; 0 takes a free one.")
    ] = None,
    planner: Annotated[str | None, typer.Option(help="The planner of requests that name none.")] = None,
) -> None:
    """Serve until stopped, with Ctrl-C or a signal."""
    options: GlobalOptions = ctx.obj
    settings = options.settings(host=host, port=port, planner=planner)
    # A service manager's SIGTERM is to end the process as cleanly as Ctrl-C does, also where a shell
    # script has started it in the background, with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    try:
        asyncio.run(_serve(settings))
    except KeyboardInterrupt:
        print("Stopped.", flush=True)


async def _serve(settings: Settings) -> None:
    from tinyagent.daemon import serve as serve_until_stopped

    await serve_until_stopped(settings, lambda url, service: print_banner(settings, url, service))


def print_banner(settings: Settings, url: str, service: RunService) -> None:
    """Where the server is, how to get in, and what it cannot do yet."""
    from rich.table import Table
    from rich.text import Text

    from tinyagent import __version__

    console = output()
    console.print(Text.assemble(("tinyagent ", "bold"), __version__, " serves at ", (url, "bold cyan")))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    facts.add_row("  token", "the one that is configured" if settings.token else str(settings.token_file))
    facts.add_row("  planner", settings.planner)
    for planner in service.planners():
        if planner.default and not planner.available:
            facts.add_row("", Text(planner.reason, style="yellow"))
    for reason, tools in _switched_off(service.tools()).items():
        facts.add_row("  off", Text(f"{', '.join(tools)}: {reason}", style="yellow"))
    if settings.approvals.send != "draft":
        facts.add_row("  sending", Text("is on, " + _SENDING[settings.approvals.send], style="yellow"))
    console.print(facts)
    console.print(Text('Try `tinyagent ask "…"` in another terminal; Ctrl-C stops the server.', style="dim"))


def _switched_off(statuses: Iterable[ToolStatus]) -> dict[str, list[str]]:
    """The tools that cannot be used, by the reason."""
    reasons: dict[str, list[str]] = {}
    for status in statuses:
        if not status.enabled:
            reasons.setdefault(status.reason, []).append(status.spec.name)
    return {
        reason: names if len(names) <= 3 else [f"{len(names)} tools"] for reason, names in reasons.items()
    }
