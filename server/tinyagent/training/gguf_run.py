"""The folder of a training run of the small planner: its tokenizer and its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyagent.errors import ModelUnavailable
from tinyagent.training.checkpoints import DAMAGE, foreign, load_state, restore
from tinyagent.training.gguf_network import PlannerNetwork, Shape
from tinyagent.training.gguf_tokenizer import PlannerTokenizer, load_tokenizer

TOKENIZER, CHECKPOINT = "tokenizer.json", "checkpoint.pt"
PROGRAM = "python -m tinyagent.training.gguf_train"
_KEYS = ("shape", "network", "optimizers", "elapsed", "step", "stage")


def load_run(work: Path) -> tuple[PlannerNetwork, PlannerTokenizer]:
    """The network and the tokenizer of a run. Raises ModelUnavailable."""
    path = work / CHECKPOINT
    state = read_state(path)
    try:
        network = PlannerNetwork(Shape(**state["shape"]))
    except DAMAGE as error:
        raise foreign(path, "its shape is of another form", PROGRAM) from error
    restore(network, state["network"], path, PROGRAM)
    return network, read_tokenizer(work / TOKENIZER, network.shape.vocabulary)


def read_state(path: Path) -> dict[str, Any]:
    """A checkpoint of such a run. Raises ModelUnavailable."""
    return load_state(path, _KEYS, PROGRAM)


def read_tokenizer(path: Path, vocabulary: int) -> PlannerTokenizer:
    """A run's tokenizer for a network with so many tokens. Raises ModelUnavailable."""
    if not path.is_file():
        raise ModelUnavailable(f"The tokenizer {path} does not exist.", hint=f"{PROGRAM} writes one.")
    try:
        tokenizer = load_tokenizer(path)
    except Exception as error:  # the library raises bare Exception
        raise ModelUnavailable(
            f"The tokenizer {path} is damaged.",
            hint="Copy it again; without it the checkpoint beside it is of no use.",
        ) from error
    if len(tokenizer.pieces) > vocabulary:
        raise ModelUnavailable(
            f"The tokenizer {path} has {len(tokenizer.pieces)} pieces, the network only {vocabulary}.",
            hint="Give the folder of one and the same run.",
        )
    return tokenizer
