"""`tinyagent token`: what clients and workers must present to the server."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import diagnostics, output, print_json
from tinyagent.errors import InvalidRequest

if TYPE_CHECKING:
    from tinyagent.tokens import NamedToken, TokenScope

app = typer.Typer(help="The server's access token, and further ones that may do less.")

OWNER = "owner"
MAX_LIFE = timedelta(days=3650)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The token's name.")]


@app.callback(invoke_without_command=True)
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
    if ctx.invoked_subcommand is not None:
        return
    options: GlobalOptions = ctx.obj
    settings = options.settings()
    if revoke and not worker:
        raise InvalidRequest(
            "Only the token of workers is revoked like this.",
            hint="Use `tinyagent token rotate` for your own, `tinyagent token revoke NAME` for a named one.",
        )
    if path:
        print(settings.worker_token_file if worker else settings.token_file)
        return
    from tinyagent.home import read_token, read_worker_token, revoke_worker_token

    if revoke:
        print("The workers' token is revoked." if revoke_worker_token(settings) else "There was none.")
        return
    print(read_worker_token(settings) if worker else read_token(settings))


@app.command("create")
def create(
    ctx: typer.Context,
    name: Name,
    scope: Annotated[
        list[str], typer.Option("--scope", metavar="SCOPE", help="run, read, worker or admin; repeatable.")
    ],
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="How long it lasts, such as 30d, 12h or 90m.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Make a token and print its secret, once: it is kept nowhere.

    A running server knows it at once. `read` sees, `run` starts, answers and cancels runs, `worker` carries
    out calls, `admin` may do everything.
    """
    from tinyagent.tokens import create_token

    options: GlobalOptions = ctx.obj
    secret = create_token(options.settings(), name, _scopes(scope), _life(expires))
    _show_secret(name, secret, json)


@app.command("list")
def list_tokens(ctx: typer.Context, json: JsonOption = False) -> None:
    """List the named tokens; their secrets are kept nowhere."""
    from tinyagent.tokens import named_tokens

    options: GlobalOptions = ctx.obj
    tokens = named_tokens(options.settings())
    if json:
        print_json([_fields(token) for token in tokens])
    elif tokens:
        _print(tokens)
    else:
        diagnostics().print("There are no named tokens; `tinyagent token create` makes one.")


@app.command("revoke")
def revoke(ctx: typer.Context, name: Name) -> None:
    """End a token: a running server refuses it at once."""
    from tinyagent.tokens import revoke_token

    options: GlobalOptions = ctx.obj
    revoke_token(options.settings(), name)
    print(f"The token {name} is revoked.")


@app.command("rotate")
def rotate(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Your own, when left out.")] = OWNER,
    json: JsonOption = False,
) -> None:
    """Print a new secret for a token; a running server refuses the old one at once."""
    from tinyagent.home import rotate_owner_token
    from tinyagent.tokens import rotate_token

    options: GlobalOptions = ctx.obj
    settings = options.settings()
    secret = rotate_owner_token(settings) if name == OWNER else rotate_token(settings, name)
    _show_secret(name, secret, json)


def _show_secret(name: str, secret: str, json: bool) -> None:
    if json:
        print_json({"name": name, "token": secret})
    else:
        print(secret)


def _scopes(texts: list[str]) -> list[TokenScope]:
    from tinyagent.tokens import TokenScope

    known: tuple[TokenScope, ...] = get_args(TokenScope)
    for text in texts:
        if text not in known:
            raise typer.BadParameter(f"{text} is none of {', '.join(known)}.", param_hint="--scope")
    return cast("list[TokenScope]", texts)


def _life(text: str) -> timedelta | None:
    if not text:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,6})([mhd])", text)
    life = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta(0)
    if not timedelta(0) < life <= MAX_LIFE:
        raise typer.BadParameter(
            f"{text} is no time up to {MAX_LIFE.days} days; write it like 30d, 12h or 90m.",
            param_hint="--expires",
        )
    return life


def _fields(token: NamedToken) -> dict[str, object]:
    return token.model_dump(mode="json", exclude={"digest"})


def _print(tokens: tuple[NamedToken, ...]) -> None:
    """A table on a terminal; elsewhere columns divided by tabs."""
    rows = [(token.name, ", ".join(token.scopes), _day(token.created), _end(token)) for token in tokens]
    console = output()
    if not console.is_terminal:
        print("".join("\t".join(row) + "\n" for row in rows), end="")
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "scopes", "made", "ends"):
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _end(token: NamedToken) -> str:
    if token.expires is None:
        return "never"
    return "expired" if token.expired() else _day(token.expires)


def _day(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
