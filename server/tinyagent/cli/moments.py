"""The moment that a request is made at, as the command line takes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

NowOption = Annotated[
    str | None,
    typer.Option(metavar="'YYYY-MM-DD HH:MM'", help="The time that dates are counted from; now if left out."),
]


def parse_now(text: str | None) -> datetime | None:
    """Wall-clock time without zone. Anything else is a usage error."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date and time such as '2025-03-08 11:20'.", param_hint="--now"
        ) from None
    return moment.replace(tzinfo=None)


def local_now() -> datetime:
    """The wall-clock time of this machine, to the second."""
    return datetime.now().replace(microsecond=0)
