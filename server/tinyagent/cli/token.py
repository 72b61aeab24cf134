"""`tinyagent token`: what clients and workers must present to the server."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.errors import InvalidRequest


def token(
    ctx: typer.Context,
    path: Annotated[bool, typer.Option("--path", help="Print the file that holds it instead.")] = False,
    worker: Annotated[
        bool, typer.Option("--worker", help="The token of workers, which opens nothing else.")
    ] = False,
    revoke: Annotated[
        bool,
        typer.Option("--revoke", help="With --worker: delete it; a running server refuses it at once."),
    ] = False,
) -> None:
    """Print the server's access token; it is made if there is none yet."""
    options: GlobalOptions = ctx.obj
    settings = options.settings()
    if revoke and not worker:
        raise InvalidRequest(
            "Only the token of workers can be revoked while a server runs.",
            hint="For your own, stop the server and delete the file that `tinyagent token --path` names.",
        )
    if path:
        print(settings.worker_token_file if worker else settings.token_file)
        return
    from tinyagent.home import read_token, read_worker_token, revoke_worker_token

    if revoke:
        print("The workers' token is revoked." if revoke_worker_token(settings) else "There was none.")
        return
    print(read_worker_token(settings) if worker else read_token(settings))
