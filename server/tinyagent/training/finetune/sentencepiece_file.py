"""Read the pieces of a SentencePiece `tokenizer.model`: a protocol buffer of which few fields matter."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyagent.errors import ModelUnavailable

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_BPE = 2


@dataclass(frozen=True)
class Pieces:
    """Pieces in the order of their ids with their scores; types are SentencePiece's (1 is normal)."""

    texts: tuple[str, ...]
    scores: tuple[float, ...]
    types: tuple[int, ...]
    adds_space: bool
    """Whether a text is read as though it began with a space."""


def read_pieces(path: Path) -> Pieces:
    """Raises ModelUnavailable for a file that is damaged or holds no BPE."""
    try:
        fields = list(_fields(path.read_bytes()))
        pieces = [_piece(data) for number, data in fields if number == _PIECES and isinstance(data, bytes)]
        kind = _number_in(fields, _TRAINER, 3, default=1)
        adds_space = bool(_number_in(fields, _NORMALIZER, 3, default=1))
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise ModelUnavailable(f"{path} cannot be read.", hint="Download the file again.") from error
    if kind != _BPE or not pieces:
        raise ModelUnavailable(
            f"{path} holds no BPE pieces; other kinds of SentencePiece are not of the Llama family.",
            hint="Take a base of the Llama or Mistral architecture.",
        )
    texts, scores, types = zip(*pieces, strict=True)
    return Pieces(texts, scores, types, adds_space)


def _piece(data: bytes) -> tuple[str, float, int]:
    text, score, kind = "", 0.0, 1
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            text = value.decode("utf-8")
        elif number == 2 and isinstance(value, bytes):
            (score,) = struct.unpack("<f", value)
        elif number == 3 and isinstance(value, int):
            kind = value
    return text, score, kind


def _number_in(fields: list[tuple[int, int | bytes]], message: int, number: int, default: int) -> int:
    for outer, data in fields:
        if outer == message and isinstance(data, bytes):
            found = (value for inner, value in _fields(data) if inner == number and isinstance(value, int))
            return next(found, default)
    return default


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: whole numbers as such, all else as bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(data, at)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(data):
            raise ValueError("the file ends in the middle of a field")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
