"""How people name a run: by its id, by the beginning of it, or as the last one."""

from __future__ import annotations

from typing import Annotated, Protocol

import typer

from tinyagent.errors import Ambiguous, NotFound

LAST = "last"
SHOWN = 5
_PREFIX = "run_"
_BEHIND = "~"
"""Sorts behind every character of an id."""

RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help="The run's id, the beginning of it, or `last` for the latest run."),
]


class Listed(Protocol):
    """Where runs are listed."""

    async def run_ids(self, limit: int, before: str | None = None) -> list[str]:
        """Ids of runs, newest first, of those below `before`."""
        ...


async def find_run(runs: Listed, name: str) -> str:
    """The id of the run that is meant. Raises NotFound, or Ambiguous with the runs that begin so."""
    if name == LAST:
        latest = await runs.run_ids(1)
        if not latest:
            raise NotFound("There are no runs yet.")
        return latest[0]
    start = name if name.startswith(_PREFIX) else _PREFIX + name
    matching = [run for run in await runs.run_ids(SHOWN, start + _BEHIND) if run.startswith(start)]
    if not matching:
        raise NotFound(f"There is no run {name!r}.", hint="`tinyagent runs` lists the known ones.")
    if len(matching) > 1:
        raise Ambiguous(
            f"Several runs begin with {name!r}.", hint="Write more of the id.", candidates=matching
        )
    return matching[0]
