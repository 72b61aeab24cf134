"""What a model weighs: precision, bytes on disk, and a digest by which other weights are noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import tinyagent
from tinyagent.errors import ModelUnavailable
from tinyagent.planners.gguf_header import read_header
from tinyagent.toolrag.manifest import MANIFEST, check_files, read_json, unavailable

CHUNK = 64 * 2**20
"""Bytes of a file that are read at once."""

_QUANTIZED_NODE = b"DynamicQuantizeLinear"
"""An operator that only graphs with 8-bit weights hold."""

_GGUF_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    32: "BF16",
}  # fmt: skip
"""llama.cpp's numbers of the usual file types."""

_PLANNING_CODE = (
    "domain", "planners", "toolrag", "tools",
    "evaluation/ablations.py", "evaluation/cosine.py", "evaluation/runner.py",
)  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """A model's files; for a model behind a URL there are none, and `digest` stands for its name."""

    precision: str
    size_bytes: int | None
    digest: str


def onnx_weights(folder: Path) -> Weights:
    """A folder of graphs with a manifest, whose sums are checked on loading. Raises ModelUnavailable."""
    check_files(folder)
    names = cast("dict[str, object]", read_json(folder / MANIFEST)["files"])
    try:
        manifest = (folder / MANIFEST).read_bytes()
        graphs = [(folder / name).read_bytes() for name in names if name.endswith(".onnx")]
        size = len(manifest) + sum((folder / name).stat().st_size for name in names)
    except OSError as error:
        raise unavailable(folder / MANIFEST) from error
    precision = "int8 (dynamic)" if any(_QUANTIZED_NODE in graph for graph in graphs) else "float32"
    return Weights(precision, size, hashlib.sha256(manifest).hexdigest())


def gguf_weights(path: Path, advance: Callable[[], None]) -> Weights:
    """A GGUF file; `advance` is called after every `CHUNK` read. Raises ModelUnavailable."""
    kind = int(read_header(path).get("general.file_type", -1))
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                advance()
        size = path.stat().st_size
    except OSError as error:
        raise ModelUnavailable(
            f"The planner's model file {path} cannot be read: {error.strerror}.",
            hint="Check its permissions, or choose another planner.",
        ) from error
    return Weights(_GGUF_TYPES.get(kind, f"GGUF type {kind}"), size, digest.hexdigest())


def remote_weights(base_url: str, model: str) -> Weights:
    """A model behind a URL, known by its address and name only: its server may change it unnoticed."""
    return Weights("as served", None, f"{model} at {base_url}")


def code_digest() -> str:
    """A digest of the code that plans: outcomes of other rules are no outcomes of these."""
    package = Path(tinyagent.__file__).parent
    digest = hashlib.sha256()
    for name in _PLANNING_CODE:
        for path in sorted(package.glob(f"{name}/**/*.py" if "." not in name else name)):
            digest.update(f"{path.relative_to(package)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
