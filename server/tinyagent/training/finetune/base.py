"""The folder of a published base: its shape, and whether all that is needed is there and whole."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError, safe_open

from tinyagent.errors import ModelUnavailable

_ARCHITECTURES = {"LlamaForCausalLM", "MistralForCausalLM"}
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model")


@dataclass(frozen=True)
class Base:
    """A base of the Llama family. `window` is how far back attention reaches, None for everything."""

    folder: Path
    architecture: str
    vocabulary: int
    width: int
    layers: int
    heads: int
    key_value_heads: int
    head_size: int
    feed_forward: int
    context: int
    rope_base: float
    epsilon: float
    tied: bool
    window: int | None

    @property
    def linear_shapes(self) -> dict[str, tuple[int, int]]:
        """The seven matrices of a layer that LoRA adapts: name, columns, rows."""
        keys = self.key_value_heads * self.head_size
        queries = self.heads * self.head_size
        return {
            "q_proj": (self.width, queries), "k_proj": (self.width, keys), "v_proj": (self.width, keys),
            "o_proj": (queries, self.width), "gate_proj": (self.width, self.feed_forward),
            "up_proj": (self.width, self.feed_forward), "down_proj": (self.feed_forward, self.width),
        }  # fmt: skip

    @property
    def stored_bytes(self) -> int:
        """Size of the weights' files."""
        return sum(path.stat().st_size for path in weight_files(self.folder))

    @property
    def parameters(self) -> int:
        """Number of weights."""
        layer = sum(columns * rows for columns, rows in self.linear_shapes.values()) + 2 * self.width
        return self.layers * layer + self.vocabulary * self.width * (1 if self.tied else 2) + self.width


def read_base(folder: Path) -> Base:
    """Read and check a base. Raises ModelUnavailable with the reason for one that cannot be used."""
    if not folder.is_dir():
        raise ModelUnavailable(
            f"The base {folder} is no folder.",
            hint="Give the folder with config.json, tokenizer and weights of a published model.",
        )
    config = read_json(folder / "config.json")
    _check_config(folder, config)
    _check_tokenizer(folder)
    try:
        base = _base(folder, config)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelUnavailable(
            f"{folder / 'config.json'} is not a sound configuration: {error!r} is missing or wrong.",
            hint="Download the file again.",
        ) from error
    _check_weights(folder)
    return base


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of the base. Raises ModelUnavailable."""
    try:
        value: object = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{path} does not exist.", hint="Download the whole model folder.") from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path} cannot be read.", hint="Download the file again.") from error
    if not isinstance(value, dict):
        raise ModelUnavailable(f"{path} holds no JSON object.", hint="Download the file again.")
    return cast("dict[str, Any]", value)


def _base(folder: Path, config: dict[str, Any]) -> Base:
    rope = _rope(config)
    heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
    return Base(
        folder=folder,
        architecture=config["architectures"][0],
        vocabulary=int(config["vocab_size"]),
        width=width,
        layers=int(config["num_hidden_layers"]),
        heads=heads,
        key_value_heads=int(config.get("num_key_value_heads") or heads),
        head_size=int(config.get("head_dim") or width // heads),
        feed_forward=int(config["intermediate_size"]),
        context=int(config.get("max_position_embeddings", 2048)),
        rope_base=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0),
        epsilon=float(config.get("rms_norm_eps", 1e-6)),
        tied=bool(config.get("tie_word_embeddings", False)),
        window=int(config["sliding_window"]) if config.get("sliding_window") else None,
    )


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _check_config(folder: Path, config: dict[str, Any]) -> None:
    architectures = config.get("architectures") or ["(none)"]
    rope = _rope(config)
    kind = rope.get("rope_type", rope.get("type", "default"))
    reasons = [
        (architectures[0] not in _ARCHITECTURES, f"its architecture is {architectures[0]}"),
        (bool(config.get("quantization_config")), "its weights are quantized"),
        (config.get("hidden_act", "silu") != "silu", f"its activation is {config.get('hidden_act')}"),
        (bool(config.get("attention_bias") or config.get("mlp_bias")), "its layers have biases"),
        (kind not in ("default", None), f"its positions are scaled ({kind})"),
    ]
    for wrong, reason in reasons:
        if wrong:
            raise ModelUnavailable(
                f"The base {folder} cannot be fine-tuned here: {reason}.",
                hint="Take an unquantized base of the Llama or Mistral architecture, such as "
                "TinyLlama-1.1B or Mistral-7B.",
            )


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelUnavailable(
            f"The base {folder} has no tokenizer: neither {' nor '.join(TOKENIZER_FILES)} is there.",
            hint="Download the tokenizer's files of the model too.",
        )


def weight_files(folder: Path) -> list[Path]:
    """The files with a folder's weights."""
    return sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


def _check_weights(folder: Path) -> None:
    files = weight_files(folder)
    for index in sorted(folder.glob("*.index.json")):
        listed = cast("dict[str, str]", read_json(index).get("weight_map", {}))
        missing = sorted(set(listed.values()) - {path.name for path in folder.iterdir()})
        if missing and files and files[0].suffix == Path(missing[0]).suffix:
            raise ModelUnavailable(
                f"The base {folder} lacks {', '.join(missing)}.", hint="Download the missing files."
            )
    if not files:
        raise ModelUnavailable(
            f"The base {folder} has no weights (*.safetensors).", hint="Download the whole model folder."
        )
    for path in files:
        if not _is_whole(path):
            raise ModelUnavailable(
                f"{path} is damaged or not downloaded completely.", hint="Download the file again."
            )


def _is_whole(path: Path) -> bool:
    if path.suffix == ".bin":
        return zipfile.is_zipfile(path)
    try:
        with safe_open(path, framework="pt") as file:  # it compares the header with the file's length
            return bool(file.keys())
    except (SafetensorError, OSError):
        return False
