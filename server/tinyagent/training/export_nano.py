"""Write a trained `nano` as ONNX: `python -m tinyagent.training.export_nano --checkpoint FILE --out DIR`.

Three graphs: `encoder` (request to states and tool counts), `bridge` (states to what the decoder
attends and points to, once a request) and `step` (one symbol, with cached keys and values). The
weights of matrix products become 8-bit integers; everything else stays as trained.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tinyagent.toolrag.labels import CLASSES
from tinyagent.training.examples import MAX_PIECES
from tinyagent.training.network import Layer, PlanNetwork, attend
from tinyagent.training.train_nano import build_network, pretrained_folder

OPSET = 17


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
    torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
        graph.eval(), tuple(inputs.values()), str(path), input_names=list(inputs), output_names=list(outputs),
        dynamic_axes=axes, opset_version=OPSET, dynamo=False,
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


def compress(source: Path, target: Path) -> None:
    """Fuse the encoder's attention and write the graphs with 8-bit weights."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic  # pyright: ignore
    from onnxruntime.transformers.optimizer import optimize_model  # pyright: ignore

    fused: Any = optimize_model(
        str(source / "encoder.onnx"), model_type="bert", num_heads=12, hidden_size=384, opt_level=0
    )
    fused.save_model_to_file(str(source / "encoder.onnx"))
    for name in ("encoder", "bridge", "step"):
        quantize_dynamic(
            source / f"{name}.onnx", target / f"{name}.onnx", per_channel=True, weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )  # fmt: skip


def write_manifest(folder: Path) -> None:
    """List every file that the runtime needs with its size and SHA-256."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.suffix in (".onnx", ".json") and path.name not in ("manifest.json", "figures.json")
    }
    (folder / "manifest.json").write_text(json.dumps({"files": files}, indent=2) + "\n", "utf-8")


def export(
    network: PlanNetwork, symbols: Sequence[str], tokenizer: Path, out: Path, *, small: bool = True
) -> None:
    """Write graphs, symbols, labels, tokenizer and manifest; `small` with 8-bit weights."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        export_graphs(network, Path(folder))
        if small:
            compress(Path(folder), out)
        else:
            for path in Path(folder).glob("*.onnx"):
                shutil.copyfile(path, out / path.name)
    shape = network.shape
    settings = {
        "labels": CLASSES, "symbols": list(symbols), "pieces": MAX_PIECES, "steps": shape.steps,
        "layers": shape.layers, "heads": shape.heads, "width": shape.width,
    }  # fmt: skip
    (out / "nano.json").write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", "utf-8")
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    write_manifest(out)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="keep float32 weights")
    options = parser.parse_args()
    torch.set_num_threads(1)
    state = torch.load(options.checkpoint, weights_only=True)
    folder = pretrained_folder()
    network = build_network(state["symbols"], folder)
    network.load_state_dict(state["network"])
    export(network, state["symbols"], folder / "tokenizer.json", options.out, small=not options.full)


if __name__ == "__main__":
    main()
