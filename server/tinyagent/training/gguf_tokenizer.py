"""The tokenizer of the small GGUF: byte-level BPE with single digits, markers and tags as own tokens.

llama.cpp reads such a vocabulary with `tokenizer.ggml.pre = "smollm"`. Control markers never match in
a user's text; tags are ordinary text for a grammar and one token each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits
from tokenizers.pre_tokenizers import Sequence as Steps
from tokenizers.trainers import BpeTrainer

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.planners.compact import ASK, PLAN, TOOLS, tag
from tinyagent.training.storage import write_whole

PAD = "<|pad|>"
CONTROLS = (PAD, TOOLS, ASK, PLAN, END_OF_PLAN)
_TAG = re.compile(r"(⟨\w+⟩)")


@dataclass(frozen=True)
class PlannerTokenizer:
    """BPE pieces first, then control markers, then tags; the ids are the places in `pieces`."""

    bpe: Tokenizer
    pieces: tuple[str, ...]
    merges: tuple[str, ...]
    tags: tuple[str, ...]

    @cached_property
    def ids(self) -> dict[str, int]:
        return {piece: index for index, piece in enumerate(self.pieces)}

    def prompt(self, query: str, tools: Sequence[str]) -> list[int]:
        """Ids of the prompt: tools, request, and the marker after which the plan begins."""
        ids = self.ids
        shown = [ids[tag(tool)] for tool in tools]
        return [ids[TOOLS], *shown, ids[ASK], *self._text(f" {query}"), ids[PLAN]]

    def plan(self, text: str) -> list[int]:
        """Ids of a plan in the inner language, the end included."""
        ids = self.ids
        parts = (part for part in _TAG.split(text) if part)
        found = [[ids[part]] if part in self.tags else self._text(part) for part in parts]
        return [index for part in found for index in part] + [ids[END_OF_PLAN]]

    def _text(self, text: str) -> list[int]:
        return self.bpe.encode(text).ids

    def save(self, path: Path) -> None:
        """Write it so that `load_tokenizer` reads it. Raises StorageFull or InvalidRequest."""
        stored = {"bpe": json.loads(self.bpe.to_str()), "tags": self.tags}
        write_whole(path, json.dumps(stored))


def train_tokenizer(texts: Iterable[str], tags: Sequence[str], vocabulary: int) -> PlannerTokenizer:
    """Learn the pieces from these texts; together with markers and tags they are `vocabulary` many."""
    bpe = Tokenizer(BPE())
    words = ByteLevel(add_prefix_space=False, use_regex=True)
    bpe.pre_tokenizer = Steps([Digits(individual_digits=True), words])
    bpe.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocabulary - len(CONTROLS) - len(tags),
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return _assemble(bpe, tags)


def load_tokenizer(path: Path) -> PlannerTokenizer:
    """A tokenizer that `save` wrote."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return _assemble(Tokenizer.from_str(json.dumps(stored["bpe"])), stored["tags"])


def _assemble(bpe: Tokenizer, tags: Sequence[str]) -> PlannerTokenizer:
    model: dict[str, Any] = json.loads(bpe.to_str())["model"]
    vocabulary: dict[str, int] = model["vocab"]
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    merges = tuple(" ".join(merge) for merge in model["merges"])
    return PlannerTokenizer(bpe, (*pieces, *CONTROLS, *tags), merges, tuple(tags))
