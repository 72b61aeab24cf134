"""Write the small planner as GGUF: `python -m tinyagent.training.gguf_export --work FOLDER --out FILE`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal

import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType
from gguf.quants import quantize

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.training.gguf_network import PlannerNetwork, Shape
from tinyagent.training.gguf_tokenizer import CONTROLS, PAD, PlannerTokenizer, load_tokenizer

Precision = Literal["F32", "Q8_0"]
_TYPES = {
    "F32": (LlamaFileType.ALL_F32, GGMLQuantizationType.F32),
    "Q8_0": (LlamaFileType.MOSTLY_Q8_0, GGMLQuantizationType.Q8_0),
}


def export(
    network: PlannerNetwork, tokenizer: PlannerTokenizer, path: Path, precision: Precision = "Q8_0"
) -> None:
    """Write network and tokenizer to `path`, whole or not at all."""
    temporary = path.with_suffix(".part")
    writer = GGUFWriter(str(temporary), "llama")
    _write_shape(writer, network.shape)
    _write_tokenizer(writer, tokenizer, network.shape.vocabulary)
    file_type, kind = _TYPES[precision]
    writer.add_file_type(file_type)
    if precision != "F32":
        writer.add_quantization_version(2)
    for name, weight in network.state_dict().items():
        data = weight.detach().float().numpy()
        matrix = data.ndim == 2
        stored = quantize(data, kind) if matrix else data
        writer.add_tensor(_tensor_name(name), stored, raw_dtype=kind if matrix else GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    temporary.replace(path)


def _tensor_name(name: str) -> str:
    """`blk.0.attn.q.weight` is `blk.0.attn_q.weight` in the file."""
    return name.replace("attn.", "attn_").replace("ffn.", "ffn_")


def _write_shape(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_name("tinyagent compact planner")
    writer.add_string("tinyagent.profile", "compact")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_vocab_size(shape.vocabulary)


def _write_tokenizer(writer: GGUFWriter, tokenizer: PlannerTokenizer, size: int) -> None:
    unused = [f"<|unused {index}|>" for index in range(size - len(tokenizer.pieces))]
    special = dict.fromkeys(CONTROLS, TokenType.CONTROL)
    special |= dict.fromkeys(tokenizer.tags, TokenType.USER_DEFINED)
    end = tokenizer.ids[END_OF_PLAN]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([*tokenizer.pieces, *unused])
    types = [special.get(piece, TokenType.NORMAL) for piece in tokenizer.pieces]
    writer.add_token_types([*types, *[TokenType.UNUSED] * len(unused)])
    writer.add_token_merges(list(tokenizer.merges))
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(tokenizer.ids[PAD])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)


def load_network(checkpoint: Path) -> PlannerNetwork:
    """The network of a training checkpoint."""
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    network = PlannerNetwork(Shape(**state["shape"]))
    network.load_state_dict(state["network"])
    return network


def main() -> None:
    """Read the command line and export."""
    parser = argparse.ArgumentParser(description="Write the trained small planner as GGUF.")
    parser.add_argument("--work", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="the GGUF file to write")
    parser.add_argument("--precision", choices=sorted(_TYPES), default="Q8_0")
    arguments = parser.parse_args()
    tokenizer = load_tokenizer(arguments.work / "tokenizer.json")
    export(load_network(arguments.work / "checkpoint.pt"), tokenizer, arguments.out, arguments.precision)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
