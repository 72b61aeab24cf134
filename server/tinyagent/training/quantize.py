"""Quantize a GGUF file with llama.cpp's own quantizer."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path
from typing import Any, Literal

import llama_cpp as bindings

from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.planners.gguf_header import read_header

Kind = Literal["q8_0", "q4_0"]
_FILE_TYPES: dict[Kind, int] = {"q8_0": 7, "q4_0": 2}
_BITS: dict[Kind, float] = {"q8_0": 8.5, "q4_0": 4.5}
"""Of a weight with its share of the group's scale."""
_FULL_TYPES = {0: "F32", 1: "F16", 32: "BF16"}


@bindings.llama_log_callback
def _silent(_level: int, _text: bytes, _data: object) -> None:
    """Keep the quantizer's notes on every tensor to itself."""


def quantize_file(source: Path, target: Path, kind: Kind, threads: int = 1) -> None:
    """Write `source` to `target` in fewer bits, whole or not at all.

    Raises ModelUnavailable for a damaged file, InvalidRequest for one that is quantized already, for
    `target` being `source`, and when the disk has no room.
    """
    _check(source, target, kind)
    bindings.llama_log_set(_silent, ctypes.c_void_p(0))
    bindings.llama_backend_init()
    parameters: Any = bindings.llama_model_quantize_default_params()
    parameters.ftype, parameters.nthread = _FILE_TYPES[kind], threads
    temporary = target.with_name(target.name + ".part")
    try:
        code = bindings.llama_model_quantize(
            str(source).encode(), str(temporary).encode(), ctypes.byref(parameters)
        )
        if code != 0:
            raise ModelUnavailable(
                f"llama.cpp cannot quantize {source}: the file is damaged or of an unknown kind.",
                hint="Export or copy the file again.",
            )
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _check(source: Path, target: Path, kind: Kind) -> None:
    file_type = int(read_header(source).get("general.file_type", 1))
    if file_type not in _FULL_TYPES:
        raise InvalidRequest(
            f"{source} is quantized already (file type {file_type}).",
            hint="Quantize the F16 or F32 file that it was made from.",
        )
    if target.exists() and target.samefile(source):
        raise InvalidRequest(f"{target} is the file to quantize.", hint="Give another file with --out.")
    if not target.parent.is_dir():
        raise InvalidRequest(f"The folder {target.parent} does not exist.", hint="Make it first.")
    width = 32 if file_type == 0 else 16
    needed = int(source.stat().st_size * _BITS[kind] / width * 1.1) + 2**20
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise InvalidRequest(
            f"{target.parent} has {free / 1e9:.1f} GB free, {kind} needs about {needed / 1e9:.1f} GB.",
            hint="Free some space, or give a file on another disk with --out.",
        )
