"""The encoder of `nano` as an embedder: texts become vectors whose cosine tells how near they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from tokenizers import Tokenizer

from tinyagent.errors import InvalidRequest
from tinyagent.ports import Embeddings
from tinyagent.toolrag.files import MAX_CHARACTERS, load_tokenizer, readable
from tinyagent.toolrag.manifest import read_json
from tinyagent.toolrag.model import NanoModel

NAME = "nano-encoder"
BATCH = 8
"""Texts that are computed at one go. Between two batches whoever waits for the encoder gets it."""


class NanoEmbedder:
    """Embeds texts with a loaded network; one request at a time, so that runs find a free core."""

    def __init__(self, model: NanoModel, tokenizer: Tokenizer, max_tokens: int, name: str = NAME) -> None:
        """`tokenizer` is the model's own, without truncation."""
        self._model = model
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._name = name
        self._size = model.embed(["size"]).shape[1]
        self._turn = asyncio.Lock()

    @classmethod
    def load(cls, model: NanoModel, folder: Path, name: str = NAME) -> NanoEmbedder:
        """The embedder of a loaded model and the folder that it came from. Raises ModelUnavailable."""
        window = int(read_json(folder / "nano.json")["pieces"])
        tokenizer = load_tokenizer(folder / "tokenizer.json", window)
        tokenizer.no_truncation()
        return cls(model, tokenizer, window, name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        return self._size

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of one text, its beginning and end marks among them."""
        return self._max_tokens

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """The vectors, each of length 1. Raises InvalidRequest for a text that is too long."""
        tokens = await asyncio.to_thread(self._count, texts)
        vectors: list[tuple[float, ...]] = []
        async with self._turn:
            for start in range(0, len(texts), BATCH):
                batch = list(texts[start : start + BATCH])
                computed = await asyncio.to_thread(self._model.embed, batch)
                vectors += [tuple(cast("list[float]", row.tolist())) for row in computed]
        return Embeddings(tuple(vectors), tokens)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of these tokens of the model's own tokenizer, without beginning and end marks.

        Raises InvalidRequest for tokens that spell no text, which are most likely another model's.
        """
        known = all(0 <= token < self._tokenizer.get_vocab_size() for token in tokens)
        text = self._tokenizer.decode(list(tokens)) if known else ""
        marks = {self._tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]")}
        spelled = [token for token in tokens if token not in marks]
        if not text or self._tokenizer.encode(text, add_special_tokens=False).ids != spelled:
            raise InvalidRequest(
                f"These tokens are not those of {self._name}: they spell no text.",
                hint="Send the text itself; for LangChain: `check_embedding_ctx_length=False`.",
                param="tokens",
            )
        return text

    def _count(self, texts: Sequence[str]) -> int:
        """Tokens of all texts together. Raises InvalidRequest."""
        total = 0
        for number, text in enumerate(texts):
            if len(text) > MAX_CHARACTERS:
                raise _too_long(number, f"{len(text)} characters", f"{MAX_CHARACTERS}")
            tokens = len(self._tokenizer.encode(readable(text)))
            if tokens > self._max_tokens:
                raise _too_long(number, f"{tokens} tokens", f"{self._max_tokens}")
            total += tokens
        return total


def _too_long(number: int, found: str, limit: str) -> InvalidRequest:
    return InvalidRequest(
        f"Text {number} has {found}; the limit is {limit}.",
        hint="Split it into parts and embed each.",
        param=f"texts[{number}]",
    )
