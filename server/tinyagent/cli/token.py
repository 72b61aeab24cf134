"""`tinyagent token`: what clients must present to the server."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyagent.cli.options import GlobalOptions


def token(
    ctx: typer.Context,
    path: Annotated[bool, typer.Option("--path", help="Print the file that holds it instead.")] = False,
) -> None:
    """Print the server's access token; it is made if there is none yet."""
    options: GlobalOptions = ctx.obj
    settings = options.settings()
    if path:
        print(settings.token_file)
        return
    from tinyagent.home import read_token

    print(read_token(settings))
