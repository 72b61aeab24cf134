"""The base's vocabulary in llama.cpp's hands, as it will tokenize when the planner serves.

Prompts for training are tokenized by it too, so that training and serving cannot differ. It is
compared with the base's own tokenizer before anything is trained.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyagent.errors import ModelUnavailable
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.profiles import PROFILES, InstructedProfile, ProfileName
from tinyagent.training.finetune.base import Base
from tinyagent.training.finetune.gguf_file import write_vocabulary
from tinyagent.training.finetune.tokens import Tokens
from tinyagent.training.gguf_agreement import NASTY_TEXTS

_SMALL_WIDTH = 2048
_PRE_TOKENIZERS = ("gpt-2", "smollm", "llama-bpe", "qwen2", "deepseek-llm", "deepseek-coder", "tekken")
"""What llama.cpp knows of byte-level BPE; the first that agrees on all texts is taken."""


@dataclass(frozen=True)
class BaseVocabulary:
    """An open vocabulary with the way in which its planner is asked; close `model` after use."""

    model: LlamaModel
    pre: str
    profile_name: ProfileName
    template: str

    @property
    def profile(self) -> InstructedProfile:
        return instructed(self.profile_name)


def instructed(name: ProfileName) -> InstructedProfile:
    """The profile of a published TinyAgent model."""
    profile = PROFILES[name]
    assert isinstance(profile, InstructedProfile)
    return profile


def open_vocabulary(base: Base, tokens: Tokens, texts: Sequence[str] = ()) -> BaseVocabulary:
    """The vocabulary under the first way of cutting words that agrees with the base's own tokenizer.

    Raises ModelUnavailable when none does: the planner would read other tokens than it was trained on.
    """
    name: ProfileName = "tinyagent-1.1b" if base.width <= _SMALL_WIDTH else "tinyagent-7b"
    template = tokens.chat_template or instructed(name).template
    samples = [*NASTY_TEXTS, *texts]
    fault = ""
    for pre in ("default",) if tokens.model == "llama" else _PRE_TOKENIZERS:
        model = _load(base, tokens, pre, template)
        found = model and first_difference(model, tokens, samples)
        if model and not found:
            return BaseVocabulary(model, pre, name, template)
        if model:
            model.close()
        fault = fault or found or ""
    raise ModelUnavailable(
        f"llama.cpp would tokenize differently from the tokenizer of {base.folder}: {fault or 'unloadable'}.",
        hint="Its tokenizer is of a kind that GGUF files of the Llama family cannot hold; take another base.",
    )


def first_difference(model: LlamaModel, tokens: Tokens, texts: Sequence[str]) -> str | None:
    """Where the two tokenizers disagree, in words; None when they never do."""
    for text in texts:
        own = tokens.reference.encode(text, add_special_tokens=False).ids
        theirs = model.tokenize(text)
        if own != theirs:
            return f"{text[:40]!r} is {own[:12]} for one and {theirs[:12]} for the other"
    for index in (tokens.begin, tokens.end):
        if model.tokenize(tokens.pieces[index], special=True)[-1:] != [index]:
            return f"{tokens.pieces[index]!r} is not token {index}"
    return None


def _load(base: Base, tokens: Tokens, pre: str, template: str) -> LlamaModel | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.gguf"
        write_vocabulary(path, base, tokens, pre, template)
        try:
            return LlamaModel(path, context=256, threads=1)
        except ModelUnavailable:
            return None
