"""The folder of the project's requests, as an option of several commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.terminal import diagnostics, printable

if TYPE_CHECKING:
    from tinyagent.training.corpus import Corpus

DataOption = Annotated[
    Path, typer.Option("--data", help="The folder of the project's requests (natural/ and written/).")
]


def open_corpus(data: Path) -> Corpus:
    """The project's requests, parted; faulty ones are told. Raises InvalidRequest when there are none."""
    from tinyagent.training.corpus import read_corpus

    return read_corpus(data, told)


def told(line: str) -> None:
    """Say something on standard error."""
    diagnostics().print(printable(line), markup=False)
