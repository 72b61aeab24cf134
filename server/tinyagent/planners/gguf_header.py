"""The metadata at the head of a GGUF file, read without loading the model."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from tinyagent.errors import ModelUnavailable

_FORMATS = {kind: f"<{code}" for kind, code in zip((*range(8), 10, 11, 12), "BbHhIif?Qqd", strict=True)}
_STRING, _ARRAY = 8, 9
_LONGEST_STRING = 1 << 24

Scalar = str | int | float | bool


def read_header(path: Path) -> dict[str, Scalar]:
    """Texts, numbers and flags of the metadata; lists are skipped.

    Raises ModelUnavailable when the file is missing or no sound GGUF.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError as error:
        raise ModelUnavailable(
            f"The planner's model file {path} does not exist.",
            hint="Put a GGUF file there, or set another planner in the configuration.",
        ) from error
    except (OSError, ValueError, OverflowError, struct.error, KeyError) as error:
        raise ModelUnavailable(
            f"The planner's model file {path} cannot be read as GGUF: it is damaged or of another kind.",
            hint="Download or copy the file again and compare its size with the original.",
        ) from error


def _read(file: BinaryIO) -> dict[str, Scalar]:
    if file.read(4) != b"GGUF":
        raise ValueError("no GGUF magic")
    _version, _tensors, count = _number(file, "<I"), _number(file, "<Q"), _number(file, "<Q")
    if not 0 <= count < 100_000:
        raise ValueError("implausible number of entries")
    found: dict[str, Scalar] = {}
    for _ in range(int(count)):
        name, kind = _string(file), int(_number(file, "<I"))
        if kind == _ARRAY:
            _skip_array(file)
        elif kind == _STRING:
            found[name] = _string(file)
        else:
            found[name] = _number(file, _FORMATS[kind])
    return found


def _number(file: BinaryIO, form: str) -> int | float | bool:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _string(file: BinaryIO) -> str:
    length = int(_number(file, "<Q"))
    if length > _LONGEST_STRING:
        raise ValueError("implausible length of a text")
    data = file.read(length)
    if len(data) < length:
        raise ValueError("the file ends in the middle of a text")
    return data.decode("utf-8")


def _skip_array(file: BinaryIO) -> None:
    kind, count = int(_number(file, "<I")), int(_number(file, "<Q"))
    if kind == _STRING:
        for _ in range(count):
            file.seek(int(_number(file, "<Q")), 1)
    else:
        file.seek(count * struct.calcsize(_FORMATS[kind]), 1)
