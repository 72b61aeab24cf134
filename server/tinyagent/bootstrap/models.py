"""The bundled models: where they lie, and loading them once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinyagent.ports import Embedder

if TYPE_CHECKING:
    from tinyagent.planners.examples import ExampleIndex
    from tinyagent.toolrag.model import NanoModel

NANO, COMPACT, EXAMPLES = "nano", "compact", "examples"
BUNDLED_GGUF = Path("compact") / "compact-q8_0.gguf"


def models_folder() -> Path:
    """Where the bundled models lie: inside an installed package, beside the sources otherwise."""
    package = Path(__file__).parents[1]
    installed = package / "_models"
    return installed if installed.is_dir() else package.parents[1] / "models"


_nano: list[NanoModel] = []


def load_nano() -> NanoModel:
    """The bundled network, loaded once: Tool RAG and the nano planner share its encoder pass."""
    if not _nano:
        from tinyagent.toolrag.model import NanoModel

        _nano.append(NanoModel.load(models_folder() / NANO))
    return _nano[0]


def build_embedder() -> Embedder:
    """The bundled encoder for texts of any kind. Raises ModelUnavailable."""
    from tinyagent.toolrag.embedding import NanoEmbedder

    return NanoEmbedder.load(load_nano(), models_folder() / NANO)


def load_examples() -> ExampleIndex:
    """The bundled examples for planners. Raises ModelUnavailable when they are damaged or out of date."""
    from tinyagent.planners.examples import load_index
    from tinyagent.toolrag.manifest import check_contents

    folder = models_folder() / EXAMPLES
    check_contents(folder)
    return load_index(folder, encoder_digest())


def encoder_digest() -> str:
    """SHA-256 of the bundled encoder, whose vectors no other one can read. Raises ModelUnavailable."""
    from tinyagent.toolrag.manifest import MANIFEST, read_json, unavailable

    path = models_folder() / NANO / MANIFEST
    try:
        return str(read_json(path)["files"]["encoder.onnx"]["sha256"])
    except (KeyError, TypeError) as error:
        raise unavailable(path) from error
