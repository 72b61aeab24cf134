"""The folder of the project's requests, as an option of several commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.errors import InvalidRequest

if TYPE_CHECKING:
    from tinyagent.training.corpus import Corpus

DataOption = Annotated[
    Path, typer.Option("--data", help="The folder of the project's requests (natural/ and written/).")
]


def open_corpus(data: Path) -> Corpus:
    """The project's requests, parted. Raises InvalidRequest when there are none or a file is bad."""
    from tinyagent.training.corpus import read_corpus

    try:
        corpus = read_corpus(data)
    except (OSError, ValueError) as error:
        raise InvalidRequest(
            f"The requests cannot be read: {error}.",
            hint="`tinyagent data check` names all faults of a file.",
        ) from error
    if not any(corpus.parts.values()):
        raise InvalidRequest(
            f"{data} holds no requests.", hint="Give the folder with natural/ and written/ as --data."
        )
    return corpus
