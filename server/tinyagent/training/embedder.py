"""Sentence embeddings of the pretrained MiniLM, as basic RAG uses them."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from tinyagent.toolrag.files import load_tokenizer, readable
from tinyagent.training.pretrained import pretrained_encoder, pretrained_folder

WINDOW = 256
"""Wordpieces that are read of a text."""


class SentenceEmbedder:
    """The pretrained encoder with mean pooling; loading takes some seconds."""

    def __init__(self) -> None:
        """Raises ConfigurationError where the extra `train` is not installed."""
        folder = pretrained_folder()
        self._encoder = pretrained_encoder(folder).eval()
        self._tokenizer = load_tokenizer(folder / "tokenizer.json", WINDOW)

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """One vector of length 1 for each text, row by row."""
        return np.stack([self._embed(text) for text in texts])

    def _embed(self, text: str) -> NDArray[np.float32]:
        # One text at a time: no padding enters the mean.
        pieces = torch.tensor([self._tokenizer.encode(readable(text)).ids])
        with torch.inference_mode():
            states = self._encoder(input_ids=pieces, attention_mask=torch.ones_like(pieces))
        mean = states.last_hidden_state[0].mean(0)
        return cast("NDArray[np.float32]", (mean / mean.norm()).numpy())
