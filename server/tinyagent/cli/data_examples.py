"""`tinyagent data examples`: the solved requests that planners are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyagent.cli.data_folder import DataOption, open_corpus
from tinyagent.cli.terminal import printable
from tinyagent.errors import InvalidRequest


def examples(
    out: Annotated[Path, typer.Option(help="The folder of the index.")] = Path("models/examples"),
    data: DataOption = Path("training/data"),
    count: Annotated[int, typer.Option(min=1, help="How many examples to choose.")] = 1200,
) -> None:
    """Choose examples for planners that read instructions, and embed them with the bundled encoder.

    To be run again whenever the encoder's weights change: planners refuse the index until then.
    """
    from tinyagent.bootstrap import encoder_digest, load_nano
    from tinyagent.cli.progress import LateProgress
    from tinyagent.training.build_examples import choose_examples, write_examples

    model = load_nano()
    chosen = choose_examples(open_corpus(data).parts["train"], count)
    if not chosen:
        raise InvalidRequest(
            f"None of the requests in {data} makes an example.", hint="`tinyagent data check` says why."
        )
    with LateProgress("embedding", len(chosen)) as progress:
        written = write_examples(chosen, model.embed, encoder_digest(), out, progress.advance)
    covered = f"{written.examples} examples of {written.combinations} combinations of tools"
    print(f"{printable(str(out))}: {covered}, {written.size / 1e6:.2f} MB")
