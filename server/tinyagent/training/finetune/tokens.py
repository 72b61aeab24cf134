"""A base's vocabulary as a GGUF file holds it, read from `tokenizer.json` and `tokenizer.model`.

Two kinds are known: SentencePiece BPE with byte pieces (`llama`: TinyLlama, Mistral) and byte-level BPE
(`gpt2`). The first needs a score for each piece, the second the list of merges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from gguf import TokenType
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from tinyagent.errors import ModelUnavailable
from tinyagent.training.finetune.base import Base, read_json
from tinyagent.training.finetune.sentencepiece_file import Pieces, read_pieces

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_NEVER_MERGED = -1e9


@dataclass(frozen=True)
class Tokens:
    """Pieces by id, padded to the size of the model's table. `reference` is the tokenizer to agree with."""

    model: Literal["llama", "gpt2"]
    pieces: tuple[str, ...]
    types: tuple[TokenType, ...]
    scores: tuple[float, ...]
    merges: tuple[str, ...]
    begin: int
    end: int
    adds_begin: bool
    adds_space: bool
    chat_template: str | None
    reference: Tokenizer


def read_tokens(base: Base) -> Tokens:
    """Raises ModelUnavailable for a vocabulary that is damaged, of another kind or too large."""
    settings = _optional(base.folder / "tokenizer_config.json")
    stored, proto = base.folder / "tokenizer.json", base.folder / "tokenizer.model"
    pieces = read_pieces(proto) if proto.is_file() else None
    reference = _load(stored) if stored.is_file() else _bpe_of(cast("Pieces", pieces), settings)
    raw = cast("dict[str, Any]", json.loads(reference.to_str()))
    model = cast("dict[str, Any]", raw["model"])
    if model.get("type", "BPE") != "BPE":
        raise ModelUnavailable(
            f"The tokenizer of {base.folder} is of the kind {model.get('type')}, not BPE.",
            hint="Take a base of the Llama or Mistral architecture.",
        )
    added = cast("list[dict[str, Any]]", raw.get("added_tokens") or [])
    by_id = {index: piece for piece, index in cast("dict[str, int]", model["vocab"]).items()}
    by_id |= {int(token["id"]): str(token["content"]) for token in added}
    if max(by_id) >= base.vocabulary:
        raise ModelUnavailable(
            f"The tokenizer of {base.folder} has {max(by_id) + 1} tokens, the model only {base.vocabulary}.",
            hint="The files are of different models: download the whole folder again.",
        )
    texts = tuple(by_id.get(index, f"<|unused {index}|>") for index in range(base.vocabulary))
    merges = _merges(model)
    begin, end = (_special(base, settings, reference, name) for name in ("bos", "eos"))
    spoken = bool(model.get("byte_fallback")) or "<0x0A>" in model["vocab"]
    return Tokens(
        model="llama" if spoken else "gpt2",
        pieces=texts,
        types=_types(texts, by_id, added, model.get("unk_token")),
        scores=_scores(texts, merges, pieces) if spoken else (),
        merges=() if spoken else tuple(merges),
        begin=begin,
        end=end,
        adds_begin=_adds_begin(reference, settings, begin),
        adds_space=pieces.adds_space if pieces else _adds_space(raw),
        chat_template=_chat_template(base.folder, settings),
        reference=reference,
    )


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _load(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_str(path.read_text("utf-8"))
    except Exception as error:  # the library raises bare Exceptions for whatever is wrong
        raise ModelUnavailable(
            f"{path} cannot be read as a tokenizer.", hint="Download the file again."
        ) from error


def _bpe_of(pieces: Pieces, settings: dict[str, Any]) -> Tokenizer:
    """The same tokenizer as merges: each piece from all pairs of pieces that make it, best score first."""
    ids = {text: index for index, text in enumerate(pieces.texts)}
    merges = all_merges(pieces.texts, pieces.scores)
    unknown = next((text for text, kind in zip(pieces.texts, pieces.types, strict=True) if kind == 2), None)
    bpe = models.BPE(ids, merges, unk_token=unknown, fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(bpe)
    steps = [normalizers.Prepend("▁")] if pieces.adds_space else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    marks = [text for text, kind in zip(pieces.texts, pieces.types, strict=True) if kind in (2, 3)]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in marks])
    extra = cast("dict[str, dict[str, Any]]", settings.get("added_tokens_decoder") or {})
    for _, token in sorted(extra.items(), key=lambda item: int(item[0])):
        tokenizer.add_tokens([AddedToken(token["content"], special=bool(token.get("special")))])
    return tokenizer


def all_merges(texts: Sequence[str], scores: Sequence[float]) -> list[tuple[str, str]]:
    """All pairs of pieces that join to a piece, in the order in which SentencePiece would join them."""
    ids = {text: index for index, text in enumerate(texts)}
    found: list[tuple[float, int, int, tuple[str, str]]] = []
    for text, score in zip(texts, scores, strict=True):
        for cut in range(1, len(text)):
            left, right = text[:cut], text[cut:]
            if left in ids and right in ids:
                found.append((-score, ids[left], ids[right], (left, right)))
    return [pair for *_, pair in sorted(found)]


def _merges(model: dict[str, Any]) -> list[str]:
    stored = cast("list[str | list[str]]", model.get("merges") or [])
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in stored]


def _scores(texts: Sequence[str], merges: Sequence[str], pieces: Pieces | None) -> tuple[float, ...]:
    """SentencePiece's own scores where they are known; else the place of a piece's first merge."""
    if pieces is not None:
        own = dict(zip(pieces.texts, pieces.scores, strict=True))
        return tuple(own.get(text, 0.0) for text in texts)
    places: dict[str, float] = {}
    for index, merge in enumerate(merges):
        places.setdefault(merge.replace(" ", ""), -float(index))
    return tuple(places.get(text, _NEVER_MERGED) for text in texts)


def _types(
    texts: Sequence[str], known: dict[int, str], added: Sequence[dict[str, Any]], unknown: str | None
) -> tuple[TokenType, ...]:
    marks = {int(token["id"]): bool(token.get("special")) for token in added}

    def kind(index: int, text: str) -> TokenType:
        if index not in known:
            return TokenType.UNUSED
        if text == unknown:
            return TokenType.UNKNOWN
        if index in marks:
            return TokenType.CONTROL if marks[index] else TokenType.USER_DEFINED
        return TokenType.BYTE if _BYTE.fullmatch(text) else TokenType.NORMAL

    return tuple(kind(index, text) for index, text in enumerate(texts))


def _special(base: Base, settings: dict[str, Any], reference: Tokenizer, name: str) -> int:
    """The id of the token that begins or ends a sequence."""
    given = settings.get(f"{name}_token")
    text = given.get("content") if isinstance(given, dict) else given
    index = reference.token_to_id(str(text)) if text else None
    if index is None:
        index = _optional(base.folder / "config.json").get(f"{name}_token_id")
    index = index[0] if isinstance(index, list) else index
    if not isinstance(index, int) or not 0 <= index < base.vocabulary:
        raise ModelUnavailable(
            f"Neither tokenizer_config.json nor config.json of {base.folder} names the {name} token.",
            hint="Download the tokenizer's files of the model again.",
        )
    return index


def _adds_begin(reference: Tokenizer, settings: dict[str, Any], begin: int) -> bool:
    ids = reference.encode("a", add_special_tokens=True).ids
    if ids[:1] == [begin]:
        return True
    return bool(settings.get("add_bos_token", False))


def _adds_space(raw: dict[str, Any]) -> bool:
    steps = json.dumps([raw.get("normalizer"), raw.get("pre_tokenizer")])
    return '"Prepend"' in steps or bool(re.search(r'"prepend_scheme": "(always|first)"', steps))


def _chat_template(folder: Path, settings: dict[str, Any]) -> str | None:
    own = folder / "chat_template.jinja"
    if own.is_file():
        return own.read_text("utf-8")
    template = settings.get("chat_template")
    if isinstance(template, list):
        named = {str(item.get("name")): str(item.get("template")) for item in template}
        return named.get("default") or next(iter(named.values()), None)
    return template if isinstance(template, str) else None
