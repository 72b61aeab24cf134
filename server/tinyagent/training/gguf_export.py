"""Write the small planner as GGUF: `python -m tinyagent.training.gguf_export --work FOLDER --out FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType
from gguf.quants import quantize

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.errors import ModelUnavailable
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.symbols import FIELDS
from tinyagent.training.gguf_agreement import NASTY_TEXTS, ScoreGap, score_gap
from tinyagent.training.gguf_network import PlannerNetwork, Shape
from tinyagent.training.gguf_run import load_run
from tinyagent.training.gguf_tokenizer import CONTROLS, PAD, PlannerTokenizer
from tinyagent.training.script import run
from tinyagent.training.storage import prepare_file, whole_file

Precision = Literal["F32", "Q8_0"]
_TYPES = {
    "F32": (LlamaFileType.ALL_F32, GGMLQuantizationType.F32),
    "Q8_0": (LlamaFileType.MOSTLY_Q8_0, GGMLQuantizationType.Q8_0),
}


_TOLERANCE: dict[Precision, tuple[float, float]] = {"F32": (0.15, 0.999), "Q8_0": (0.5, 0.99)}
"""Largest difference of a score, in standard deviations of all, and smallest cosine."""


def export(
    network: PlannerNetwork, tokenizer: PlannerTokenizer, path: Path, precision: Precision = "Q8_0"
) -> ScoreGap:
    """Write network and tokenizer to `path`, whole or not at all; how far the file is from the network.

    Raises ModelUnavailable when llama.cpp does not read the same tokens and scores out of it, and
    StorageFull or InvalidRequest for what cannot be written.
    """
    if len(tokenizer.pieces) > network.shape.vocabulary:
        raise ModelUnavailable(
            f"The tokenizer has {len(tokenizer.pieces)} pieces, the network only {network.shape.vocabulary}.",
            hint="Give tokenizer and checkpoint of one and the same run.",
        )
    needed = sum(item.nbytes for item in network.parameters())
    prepare_file(path, needed, "the GGUF file")
    with whole_file(path) as partial:
        _write(network, tokenizer, partial, precision)
        return _compared(network, tokenizer, partial, precision)


def _write(network: PlannerNetwork, tokenizer: PlannerTokenizer, path: Path, precision: Precision) -> None:
    writer = GGUFWriter(str(path), "llama")
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
        writer.add_tensor(tensor_name(name), stored, raw_dtype=kind if matrix else GGMLQuantizationType.F32)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _compared(
    network: PlannerNetwork, tokenizer: PlannerTokenizer, path: Path, precision: Precision
) -> ScoreGap:
    """Run the file. Raises ModelUnavailable when it is another model than the network."""
    model = LlamaModel(path, context=network.shape.context, threads=torch.get_num_threads())
    try:
        for text in NASTY_TEXTS:
            if model.tokenize(text) != tokenizer.bpe.encode(text).ids:
                raise _refused(f"llama.cpp tokenizes {text[:40]!r} in another way")
        ids = tokenizer.prompt(NASTY_TEXTS[0], list(FIELDS))[: network.shape.context - 1]
        with torch.inference_mode():
            expected = network.eval().logits(network(torch.tensor([ids])))[0].numpy()
        gap = score_gap(model, ids, expected)
    finally:
        model.close()
    if not gap.within(*_TOLERANCE[precision]):
        raise _refused(f"its {gap}")
    return gap


def _refused(reason: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The file would not be the trained network, so nothing was exported: {reason}.",
        hint="Another version of gguf or llama-cpp-python may do.",
    )


def tensor_name(name: str) -> str:
    """The name in the file: `blk.0.attn.q.weight` is `blk.0.attn_q.weight` there."""
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and export. Raises a TinyAgentError with what to do for what cannot be done."""
    parser = argparse.ArgumentParser(description="Write the trained small planner as GGUF.")
    parser.add_argument("--work", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--out", type=Path, required=True, help="the GGUF file to write")
    parser.add_argument("--precision", choices=sorted(_TYPES), default="Q8_0")
    options = parser.parse_args(arguments)
    network, tokenizer = load_run(options.work)
    gap = export(network, tokenizer, options.out, options.precision)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB; {gap}")


if __name__ == "__main__":
    sys.exit(run(main))
