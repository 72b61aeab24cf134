"""Any ONNX sequence classifier as Tool RAG: a folder with `model.onnx`, `tokenizer.json`, `labels.json`.

The graph takes `input_ids` and `attention_mask` (and `token_type_ids`, where the architecture has
them) and gives `logits`, one for each label. The published DeBERTa-v3 classifier, exported to ONNX,
is of this form; without `labels.json` its sixteen classes are taken in their published order.
`tinyagent train toolrag` adds `toolrag.json` (the window in wordpieces, and the tools' thresholds once
they are fitted) and `manifest.json`, against which the files are checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from tokenizers import Tokenizer

from tinyagent.errors import ModelUnavailable
from tinyagent.toolrag.files import MAX_CHARACTERS, Graph, load_tokenizer, readable
from tinyagent.toolrag.labels import CLASSES
from tinyagent.toolrag.manifest import MANIFEST, check_contents, read_json, read_thresholds, unavailable

WINDOW = 256
"""Wordpieces that are read where the folder does not say."""
SETTINGS = "toolrag.json"


class SequenceClassifier:
    """Multi-label classifier of requests: which tools are needed, each with its own probability."""

    def __init__(
        self,
        graph: Graph,
        tokenizer: Tokenizer,
        labels: Sequence[str],
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self.thresholds: Mapping[str, float] = thresholds or {}
        self._graph = graph
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> SequenceClassifier:
        """The classifier of a folder. Raises ModelUnavailable naming the file at fault."""
        if (folder / MANIFEST).exists():
            check_contents(folder)
        labels: Sequence[str] = CLASSES
        if (folder / "labels.json").exists():
            labels = cast("list[str]", read_json(folder / "labels.json")["labels"])
        window, thresholds = _settings(folder / SETTINGS)
        path = folder / "model.onnx"
        graph = Graph(path, threads)
        classes = graph.last_sizes[0]
        if isinstance(classes, int) and classes != len(labels):
            raise ModelUnavailable(
                f"The classifier {path} tells {classes} classes apart, not {len(labels)}.",
                hint=f"List its classes in order as `labels` in {folder / 'labels.json'}.",
            )
        return cls(graph, load_tokenizer(folder / "tokenizer.json", window), labels, thresholds)

    async def probabilities(self, text: str) -> Mapping[str, float]:
        """How probable it is that each tool is needed, computed in a thread."""
        return await asyncio.to_thread(self._run, text)

    def _run(self, text: str) -> dict[str, float]:
        encoding = self._tokenizer.encode(readable(text)[:MAX_CHARACTERS])
        known = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        feed = {name: np.array([known[name]], dtype=np.int64) for name in self._graph.inputs}
        logits = self._graph.run(None, feed)[0][0]
        return {
            label: float(1 / (1 + np.exp(-value))) for label, value in zip(self.labels, logits, strict=True)
        }


def _settings(path: Path) -> tuple[int, dict[str, float]]:
    """The window in wordpieces and the thresholds. Raises ModelUnavailable."""
    if not path.exists():
        return WINDOW, {}
    settings = read_json(path)
    window: object = settings.get("pieces", WINDOW)
    if not isinstance(window, int) or window < 1:
        raise unavailable(path)
    return window, read_thresholds(settings, path)
