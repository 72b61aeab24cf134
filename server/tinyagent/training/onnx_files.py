"""What all exports to ONNX share: 8-bit weights, and the manifest of a model's folder."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def fuse_attention(path: Path, heads: int, width: int) -> None:
    """Make each attention of a BERT's graph a single node, in place."""
    from onnxruntime.transformers.optimizer import optimize_model  # pyright: ignore

    with _quiet():
        fused: Any = optimize_model(
            str(path), model_type="bert", num_heads=heads, hidden_size=width, opt_level=0
        )
    fused.save_model_to_file(str(path))


def compress(source: Path, target: Path) -> None:
    """The graph with 8-bit weights of its matrix products, a scale for each channel."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic  # pyright: ignore

    graph: Any = onnx.load(str(source))
    # Shapes that the exporter noted contradict the transposed weights of the quantized graph.
    del graph.graph.value_info[:]
    with _quiet():
        quantize_dynamic(
            graph, target, per_channel=True, weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )  # fmt: skip


@contextmanager
def _quiet() -> Generator[None]:
    """Without the libraries' warnings, which advise steps that bring nothing here."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def write_manifest(folder: Path) -> None:
    """List every file that the runtime needs with its size and SHA-256."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.suffix in (".onnx", ".json") and path.name not in ("manifest.json", "figures.json")
    }
    (folder / "manifest.json").write_text(json.dumps({"files": files}, indent=2) + "\n", "utf-8")
