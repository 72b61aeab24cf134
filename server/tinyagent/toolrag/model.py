"""The network of `nano`: one encoder pass a request serves Tool RAG and the pointer decoder.

A folder holds `encoder.onnx` (wordpieces to states and to scores of 0, 1, 2, 3-or-more calls of each
tool), `bridge.onnx` and `step.onnx` (the decoder), `tokenizer.json`, `nano.json` and `manifest.json`.
Only the first `window` wordpieces of a request are read.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from tokenizers import Tokenizer

from tinyagent.errors import ModelUnavailable
from tinyagent.toolrag.files import (
    MAX_CHARACTERS,
    Floats,
    Graph,
    load_tokenizer,
    readable,
    softmax,
)
from tinyagent.toolrag.manifest import check_contents, read_json, read_thresholds

REMEMBERED = 32
"""Requests whose states are kept, so that the planner finds what Tool RAG computed."""
_COPY = 2
"""The symbol that is fed back for a copied word."""


@dataclass(frozen=True)
class Encoded:
    """A request as the network reads it.

    `offsets` say which characters each wordpiece covers, `states` are [wordpieces, width] and
    `counts` [tools, counts]: probabilities that a tool is called 0, 1, 2 or more times. `milliseconds` is how
    long reading took, whoever asked first.
    """

    offsets: tuple[tuple[int, int], ...]
    states: Floats
    counts: Floats
    milliseconds: float


@dataclass(frozen=True)
class _Settings:
    labels: tuple[str, ...]
    symbols: tuple[str, ...]
    window: int
    steps: int
    cache: tuple[int, int, int, int, int]
    thresholds: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> _Settings:
        raw: dict[str, Any] = read_json(path)
        try:
            layers, heads, width = (int(raw[name]) for name in ("layers", "heads", "width"))
            return cls(
                tuple(raw["labels"]), tuple(raw["symbols"]), int(raw["pieces"]), int(raw["steps"]),
                (layers, 1, heads, 0, width // heads), read_thresholds(raw, path),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ModelUnavailable(
                f"The model file {path} lacks a setting or holds a wrong one ({error}).",
                hint="Reinstall tinyagent to restore the bundled model.",
            ) from error


class NanoModel:
    """The loaded network; the latest requests are remembered. Safe to use from several threads."""

    def __init__(self, folder: Path, settings: _Settings, tokenizer: Tokenizer, threads: int) -> None:
        self.labels: Sequence[str] = settings.labels
        self.symbols: Sequence[str] = settings.symbols
        self.thresholds: Mapping[str, float] = settings.thresholds
        self.max_steps = settings.steps - 1
        self._settings = settings
        self._tokenizer = tokenizer
        self._encoder, self._bridge, self._step = (
            Graph(folder / f"{name}.onnx", threads) for name in ("encoder", "bridge", "step")
        )
        self._remembered: OrderedDict[str, Encoded] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> NanoModel:
        """Load a folder. Raises ModelUnavailable naming the file that is missing, damaged or wrong."""
        check_contents(folder)
        settings = _Settings.read(folder / "nano.json")
        return cls(folder, settings, load_tokenizer(folder / "tokenizer.json", settings.window), threads)

    async def encode(self, text: str) -> Encoded:
        """States and tool counts of a request, computed in a thread."""
        known = self._remembered.get(text)
        return known if known is not None else await asyncio.to_thread(self._encode, text)

    async def probabilities(self, text: str) -> Mapping[str, float]:
        """How probable it is that each tool is needed."""
        encoded = await self.encode(text)
        return {label: float(1 - encoded.counts[index, 0]) for index, label in enumerate(self.labels)}

    def embed(self, texts: list[str]) -> Floats:
        """One vector of length 1 for each text: the mean of its states. Not remembered."""
        means = np.stack([self._run(text).states.mean(0) for text in texts])
        return cast("Floats", means / np.linalg.norm(means, axis=1, keepdims=True))

    def write(self, encoded: Encoded, first: Sequence[int], last: Sequence[int]) -> Writer:
        """Begin a plan; word i of the request reaches from wordpiece first[i] to last[i]."""
        feed = {"states": encoded.states[None], "first": np.array(first), "last": np.array(last)}
        memory = dict(zip(_MEMORY, self._bridge.run(_MEMORY, feed), strict=True))
        return Writer(self._step, memory, np.zeros(self._settings.cache, dtype=np.float32))

    def _encode(self, text: str) -> Encoded:
        with self._lock:
            known = self._remembered.get(text)
            if known is None:
                known = self._remembered[text] = self._run(text)
            self._remembered.move_to_end(text)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            return known

    def _run(self, text: str) -> Encoded:
        began = time.monotonic()
        encoding = self._tokenizer.encode(readable(text)[:MAX_CHARACTERS])
        pieces = np.array([encoding.ids], dtype=np.int64)
        feed = {"input_ids": pieces, "attention_mask": np.ones_like(pieces)}
        states, counts = self._encoder.run(["states", "counts"], feed)
        milliseconds = (time.monotonic() - began) * 1000
        return Encoded(tuple(encoding.offsets), states[0], softmax(counts[0]), milliseconds)


_MEMORY = ["keys", "values", "pointed", "copied"]


class Writer:
    """The decoder at work on one request: keeps the keys and values of the plans that were written."""

    def __init__(self, step: Graph, memory: dict[str, Floats], empty: Floats) -> None:
        self._position = 0
        self._step = step
        copied = memory.pop("copied")
        self._copied = np.concatenate([copied, np.zeros_like(copied[:1])])
        self._memory = memory
        self._past_keys, self._past_values = empty, empty

    def step(
        self, symbols: Sequence[int], sources: Sequence[int], parents: Sequence[int]
    ) -> tuple[Floats, Floats]:
        """Go on with plans: each takes a symbol, or copies the request's word `source` (-1: none).

        `parents` says which plan of the step before each goes on from. Gives, a row for each plan,
        the log-probabilities of the next symbols and of copying each word.
        """
        fed = [_COPY if source >= 0 else symbol for symbol, source in zip(symbols, sources, strict=True)]
        feed = self._memory | {
            "symbol": np.array(fed, dtype=np.int64),
            "copied": self._copied[list(sources)],
            "position": np.array([self._position], dtype=np.int64),
            "past_keys": self._past_keys[:, list(parents)],
            "past_values": self._past_values[:, list(parents)],
        }
        names = ["symbols", "words", "own_keys", "own_values"]
        written, pointed, self._past_keys, self._past_values = self._step.run(names, feed)
        self._position += 1
        return written, pointed
