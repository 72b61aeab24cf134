"""Write a trained `nano` as ONNX: `python -m tinyagent.training.export_nano --checkpoint FILE --out DIR`.

Three graphs: `encoder` (request to states and tool counts), `bridge` (states to what the decoder
attends and points to, once a request) and `step` (one symbol, with cached keys and values). The
weights of matrix products become 8-bit integers; everything else stays as trained.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tinyagent.toolrag.labels import CLASSES
from tinyagent.toolrag.manifest import MANIFEST
from tinyagent.training import nano_agreement
from tinyagent.training.examples import MAX_PIECES
from tinyagent.training.network import Layer, PlanNetwork, attend
from tinyagent.training.onnx_files import compress, fuse_attention, write_manifest
from tinyagent.training.pretrained import pretrained_folder
from tinyagent.training.script import run
from tinyagent.training.storage import cannot_write, prepare_folder
from tinyagent.training.train_nano import network_of

OPSET = 17
GRAPHS = ("encoder", "bridge", "step")


class EncoderGraph(nn.Module):
    """Wordpieces to their states and the scores of each tool's counts."""

    def __init__(self, network: PlanNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pieces: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        states = self.network.encode(pieces, mask)
        return states, self.network.counts(states, mask)


class BridgeGraph(nn.Module):
    """States of one request to keys and values of each layer, pointer keys and copied words."""

    def __init__(self, network: PlanNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, states: Tensor, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        words = (states[0].index_select(0, first) + states[0].index_select(0, last)) / 2
        memory = self.network.remember(states)
        pairs = [layer.remember(memory) for layer in _layers(self.network)]
        keys, values = (torch.cat([pair[index] for pair in pairs]) for index in (0, 1))
        return keys, values, self.network.pointed(words), self.network.copied(words)


class StepGraph(nn.Module):
    """One symbol more for several plans: log-probabilities of the next, and the longer caches."""

    def __init__(self, network: PlanNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        symbol: Tensor,
        copied: Tensor,
        position: Tensor,
        past_keys: Tensor,
        past_values: Tensor,
        keys: Tensor,
        values: Tensor,
        pointed: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        network = self.network
        x = (network.symbols(symbol) + network.steps(position) + copied)[:, None]
        own_keys: list[Tensor] = []
        own_values: list[Tensor] = []
        for index, layer in enumerate(_layers(network)):
            query, key, value = layer.project(x)
            key = torch.cat([past_keys[index], key], 2)
            value = torch.cat([past_values[index], value], 2)
            own_keys.append(key)
            own_values.append(value)
            mixed = attend(query, key, value, None)
            x = layer.finish(x, mixed, keys[index : index + 1], values[index : index + 1], None)
        symbols, words = network.score(network.norm(x), pointed[None], None)
        return symbols[:, 0], words[:, 0], torch.stack(own_keys), torch.stack(own_values)


def _layers(network: PlanNetwork) -> list[Layer]:
    return [layer for layer in network.layers if isinstance(layer, Layer)]


def _export(
    graph: nn.Module,
    inputs: dict[str, Tensor],
    outputs: Sequence[str],
    axes: dict[str, dict[int, str]],
    path: Path,
) -> None:
    with warnings.catch_warnings():
        # The exporter warns of every size that it might have taken for fixed; `export` tries several.
        warnings.simplefilter("ignore")
        torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
            graph.eval(), tuple(inputs.values()), str(path), input_names=list(inputs),
            output_names=list(outputs), dynamic_axes=axes, opset_version=OPSET, dynamo=False,
        )  # fmt: skip


def export_graphs(network: PlanNetwork, folder: Path) -> None:
    """Write the three graphs in float32."""
    shape = network.shape
    depth = shape.width // shape.heads
    if hasattr(network.encoder, "set_attn_implementation"):
        network.encoder.set_attn_implementation("eager")  # pyright: ignore
    pieces = torch.ones(1, 7, dtype=torch.long)
    _export(
        EncoderGraph(network), {"input_ids": pieces, "attention_mask": pieces}, ("states", "counts"),
        {name: {0: "batch", 1: "pieces"} for name in ("input_ids", "attention_mask", "states")}
        | {"counts": {0: "batch"}},
        folder / "encoder.onnx",
    )  # fmt: skip
    words = torch.tensor([1, 2, 3])
    _export(
        BridgeGraph(network), {"states": torch.zeros(1, 7, shape.encoder), "first": words, "last": words},
        ("keys", "values", "pointed", "copied"),
        {"states": {1: "pieces"}, "first": {0: "words"}, "last": {0: "words"}, "keys": {2: "pieces"},
         "values": {2: "pieces"}, "pointed": {0: "words"}, "copied": {0: "words"}},
        folder / "bridge.onnx",
    )  # fmt: skip
    past = torch.zeros(shape.layers, 2, shape.heads, 2, depth)
    memory = torch.zeros(shape.layers, shape.heads, 7, depth)
    inputs = {
        "symbol": torch.tensor([1, 1]), "copied": torch.zeros(2, shape.width), "position": torch.tensor([2]),
        "past_keys": past, "past_values": past, "keys": memory, "values": memory,
        "pointed": torch.zeros(3, shape.width),
    }  # fmt: skip
    axes = {name: {1: "plans", 3: "past"} for name in ("past_keys", "past_values")}
    axes |= {name: {2: "pieces"} for name in ("keys", "values")}
    axes |= {"symbol": {0: "plans"}, "copied": {0: "plans"}, "pointed": {0: "words"}}
    axes |= {"symbols": {0: "plans"}, "words": {0: "plans", 1: "words"}}
    axes |= {name: {1: "plans", 3: "steps"} for name in ("own_keys", "own_values")}
    outputs = ("symbols", "words", "own_keys", "own_values")
    _export(StepGraph(network), inputs, outputs, axes, folder / "step.onnx")


def _compress(folder: Path, network: PlanNetwork) -> None:
    """Fuse the encoder's attention and give the graphs 8-bit weights."""
    config: Any = network.encoder.config
    fuse_attention(folder / "encoder.onnx", int(config.num_attention_heads), int(config.hidden_size))
    for name in GRAPHS:
        whole = folder / f"{name}.whole"
        (folder / f"{name}.onnx").replace(whole)
        compress(whole, folder / f"{name}.onnx")
        whole.unlink()


def export(
    network: PlanNetwork, symbols: Sequence[str], tokenizer: Path, out: Path, *, small: bool = True
) -> float:
    """Write graphs, symbols, labels, tokenizer and manifest; `small` with 8-bit weights.

    The result is how far the graphs are from the network, as `nano_agreement` measures it. Raises
    ModelUnavailable, and leaves `out` as it was, when they are too far, and StorageFull or InvalidRequest.
    """
    weights = sum(item.nbytes for item in network.parameters())
    prepare_folder(out, 3 * weights, "the export")
    network.eval()
    try:
        with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as name:
            folder = Path(name)
            export_graphs(network, folder)
            if small:
                _compress(folder, network)
            _write_settings(network, symbols, tokenizer, folder)
            write_manifest(folder)
            apart = nano_agreement.check(network, symbols, folder, small=small)
            for file in (*(f"{graph}.onnx" for graph in GRAPHS), "nano.json", "tokenizer.json", MANIFEST):
                (folder / file).replace(out / file)
    except OSError as error:
        raise cannot_write(out, error) from error
    return apart


def _write_settings(network: PlanNetwork, symbols: Sequence[str], tokenizer: Path, folder: Path) -> None:
    shape = network.shape
    settings = {
        "labels": CLASSES, "symbols": list(symbols), "pieces": MAX_PIECES, "steps": shape.steps,
        "layers": shape.layers, "heads": shape.heads, "width": shape.width,
    }  # fmt: skip
    (folder / "nano.json").write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", "utf-8")
    shutil.copyfile(tokenizer, folder / "tokenizer.json")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and export. Raises a TinyAgentError with what to do for what cannot be done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True, help="what train_nano wrote")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the model")
    parser.add_argument("--full", action="store_true", help="keep float32 weights")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    folder = pretrained_folder()
    network, symbols = network_of(options.checkpoint, folder)
    apart = export(network, symbols, folder / "tokenizer.json", options.out, small=not options.full)
    print(f"{options.out}: plans of the graphs and of the network are {apart:.2g} apart")


if __name__ == "__main__":
    sys.exit(run(main))
