"""`tinyagent secret`: passwords and keys in the system's keychain instead of a file."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Annotated

import typer

from tinyagent.errors import InvalidRequest

app = typer.Typer(help="Passwords and keys in the system's keychain.", no_args_is_help=True)


def _known(name: str) -> str:
    from tinyagent.secrets import NAMES, is_secret

    if not is_secret(name):
        raise typer.BadParameter(f"{name} is none of {', '.join(NAMES)}, mcp.SERVER.token.")
    return name


Name = Annotated[str, typer.Argument(callback=_known, help="The setting, such as zoom.client_secret.")]


@app.command("set")
def set_secret(name: Name) -> None:
    """Ask for a secret, or read it from standard input, and keep it in the keychain."""
    from tinyagent.secrets import require_keychain, store_secret

    require_keychain(name)
    value = _read(name)
    if not value:
        raise InvalidRequest(f"Nothing was given for {name}; nothing was changed.")
    store_secret(name, value)
    print(f"Kept {name} in the keychain.")


@app.command("delete")
def delete(name: Name) -> None:
    """Take a secret out of the keychain."""
    from tinyagent.secrets import delete_secret

    delete_secret(name)
    print(f"Deleted {name} from the keychain.")


def _read(name: str) -> str:
    """What the user types unseen; the first line of standard input where there is no terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return getpass(f"{name}: ")
    except EOFError:
        print(file=sys.stderr)
        return ""
