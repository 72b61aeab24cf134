"""Model files: reading and running them, with errors that name the file at fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tinyagent.toolrag.manifest import unavailable
from tinyagent.toolrag.runtime import onnxruntime

MAX_CHARACTERS = 20_000
"""Longer texts are cut before the tokenizer; the window is far shorter."""

Floats = NDArray[np.float32]


class Graph:
    """An ONNX graph that takes and gives arrays by name. Safe to run from several threads."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load a graph. Raises ModelUnavailable naming the file."""
        options: Any = onnxruntime.SessionOptions()  # pyright: ignore
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises many types, all of its own
            raise unavailable(path) from error
        self.inputs = tuple(cast("str", item.name) for item in self._session.get_inputs())
        self.last_sizes = tuple(item.shape[-1] for item in self._session.get_outputs())
        """The last dimension of each output; a number when it is fixed."""

    def run(self, outputs: Sequence[str] | None, feed: Mapping[str, NDArray[Any]]) -> list[Floats]:
        """The named outputs, or all."""
        return cast("list[Floats]", self._session.run(outputs, feed))


def load_tokenizer(path: Path, window: int) -> Tokenizer:
    """A tokenizer without padding that reads `window` wordpieces. Raises ModelUnavailable."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise unavailable(path) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(window)  # pyright: ignore[reportUnknownMemberType]
    return tokenizer


def softmax(scores: Floats) -> Floats:
    """Probabilities along the last axis."""
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return cast("Floats", raised / raised.sum(-1, keepdims=True))


def readable(text: str) -> str:
    """The text without lone surrogates, which no tokenizer takes; its length stays the same."""
    return text.encode("utf-8", "replace").decode("utf-8")
