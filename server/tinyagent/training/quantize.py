"""Quantize a GGUF file with llama.cpp's own quantizer."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Literal

import llama_cpp as bindings

from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.planners.gguf_header import read_header
from tinyagent.training.storage import prepare_file, whole_file

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

    Raises ModelUnavailable for a damaged file, InvalidRequest for one that is quantized already and for
    `target` being `source` or unwritable, and StorageFull.
    """
    _check(source, target, kind)
    bindings.llama_log_set(_silent, ctypes.c_void_p(0))
    bindings.llama_backend_init()
    parameters: Any = bindings.llama_model_quantize_default_params()
    parameters.ftype, parameters.nthread = _FILE_TYPES[kind], threads
    with whole_file(target) as partial:
        code = bindings.llama_model_quantize(
            str(source).encode(), str(partial).encode(), ctypes.byref(parameters)
        )
        if code != 0:
            raise ModelUnavailable(
                f"llama.cpp cannot quantize {source}: the file is damaged or of an unknown kind.",
                hint="Export or copy the file again.",
            )


def _check(source: Path, target: Path, kind: Kind) -> None:
    file_type = int(read_header(source).get("general.file_type", 1))
    if file_type not in _FULL_TYPES:
        raise InvalidRequest(
            f"{source} is quantized already (file type {file_type}).",
            hint="Quantize the F16 or F32 file that it was made from.",
        )
    if target.exists() and target.samefile(source):
        raise InvalidRequest(f"{target} is the file to quantize.", hint="Give another file with --out.")
    width = 32 if file_type == 0 else 16
    needed = int(source.stat().st_size * _BITS[kind] / width * 1.1) + 2**20
    prepare_file(target, needed, kind)
