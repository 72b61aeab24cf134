"""`tinyagent mcp`: serve assistants that start this command, over its standard input and output."""

from __future__ import annotations

import asyncio
import signal
import sys

import typer

from tinyagent.cli.options import GlobalOptions, stored_token

TOOLS_S = 5.0
"""How long servers with further tools are waited for at the start."""


def mcp(ctx: typer.Context) -> None:
    """Let an assistant that speaks the Model Context Protocol use the tools; it starts this command itself.

    Calls go to the server that runs, or are carried out in this process when there is none.
    """
    options: GlobalOptions = ctx.obj
    try:
        asyncio.run(_serve(options))
    except asyncio.CancelledError:
        raise typer.Exit from None


async def _serve(options: GlobalOptions) -> None:
    """Serve until the input ends, or a signal stops it."""
    work = asyncio.current_task()
    assert work is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    client = options.client()
    async with client:
        found = options.url is not None or await client.alive()
        if found:
            await client.parameters()  # says now what is wrong with the address or the token
    if found:
        await _relay(options, client.url)
    else:
        await _carry_out(options)


async def _relay(options: GlobalOptions, url: str) -> None:
    from tinyagent.mcp_server.relay import Upstream, build_relay
    from tinyagent.mcp_server.stdio import standard_streams

    token = stored_token(options.settings())
    async with standard_streams() as speak:
        _say(f"Calls go to {url}.")
        await speak(build_relay(Upstream(url, token or "")))


async def _carry_out(options: GlobalOptions) -> None:
    from tinyagent.bootstrap import open_service
    from tinyagent.cli.local import USER
    from tinyagent.mcp_server.server import build_server
    from tinyagent.mcp_server.stdio import standard_streams

    # Clients ask only once which tools there are: those of servers should be there by then.
    async with standard_streams() as speak, open_service(options.settings(), patience_s=TOOLS_S) as service:
        _say("No server runs: calls are carried out in this process.")
        await speak(build_server(service, lambda context: USER))


def _say(sentence: str) -> None:
    """Standard output is the protocol's alone."""
    print(sentence, file=sys.stderr, flush=True)
