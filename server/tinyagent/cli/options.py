"""The options that every command knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyagent.errors import InvalidRequest

if TYPE_CHECKING:
    from tinyagent.client import Client
    from tinyagent.settings import Settings

GLOBAL_OPTIONS = ("--home", "--url")


@dataclass(frozen=True)
class GlobalOptions:
    """Where the data lies and which server to speak to; None stands for the settings' values."""

    home: Path | None
    url: str | None

    def settings(self, **flags: Any) -> Settings:
        """The settings with these flags on top. Raises ConfigurationError."""
        from tinyagent.settings import load_settings

        return load_settings(home=self.home, **flags)

    @property
    def log_file(self) -> Path:
        """Where unexpected failures of the command line are noted."""
        from platformdirs import user_data_path

        return (self.home or user_data_path("tinyagent")) / "cli.log"

    def client(self) -> Client:
        """A client of the server, with the token that lies in the home folder."""
        from tinyagent.client import Client

        settings = self.settings()
        return Client(self.url or server_url(settings), stored_token(settings))


def server_url(settings: Settings) -> str:
    """Where a server with these settings is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def stored_token(settings: Settings) -> str | None:
    """The server's token, or None where there is none yet. Raises InvalidRequest when it may not be read."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    try:
        return settings.token_file.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise InvalidRequest(
            f"The token in {settings.token_file} cannot be read: {reason}.",
            hint="Run as the user who runs the server, or set TINYAGENT_TOKEN.",
        ) from error


def hoist_options(arguments: list[str]) -> list[str]:
    """Move global options to the front, so that they may stand after the command as well."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in GLOBAL_OPTIONS:
            front += [argument, *[value for value in (next(remaining, None),) if value is not None]]
        elif argument.startswith(tuple(f"{option}=" for option in GLOBAL_OPTIONS)):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest
