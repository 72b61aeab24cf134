"""Write a model of the Llama family as GGUF, tensor by tensor, so that no second copy is in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from numpy.typing import NDArray

from tinyagent.planners.profiles import ProfileName
from tinyagent.training.finetune.base import Base
from tinyagent.training.finetune.tokens import Tokens
from tinyagent.training.storage import whole_file

Precision = Literal["F16", "F32"]
Array = NDArray[Any]
_TYPES: dict[Precision, tuple[LlamaFileType, GGMLQuantizationType, type]] = {
    "F16": (LlamaFileType.MOSTLY_F16, GGMLQuantizationType.F16, np.float16),
    "F32": (LlamaFileType.ALL_F32, GGMLQuantizationType.F32, np.float32),
}
_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_LAYER_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip


def tensor_names(base: Base) -> dict[str, str]:
    """Every tensor of the model by its name in transformers, with its name in the file."""
    names = {name: own for name, own in _NAMES.items() if not (base.tied and name == "lm_head.weight")}
    for layer in range(base.layers):
        for theirs, own in _LAYER_NAMES.items():
            names[f"model.layers.{layer}.{theirs}.weight"] = f"blk.{layer}.{own}.weight"
    return names


def interleave(weight: Array, heads: int) -> Array:
    """Rows of a query or key matrix in llama.cpp's order: pairs that turn together stand side by side."""
    half = weight.shape[0] // heads // 2
    return weight.reshape(heads, 2, half, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(
    path: Path,
    base: Base,
    tokens: Tokens,
    pre: str,
    profile: ProfileName,
    template: str,
    load: Callable[[str], Array],
    precision: Precision = "F16",
) -> None:
    """Write the file, whole or not at all. `load` gives the tensor of a name in transformers.

    Raises StorageFull or InvalidRequest for what cannot be written.
    """
    file_type, kind, number = _TYPES[precision]
    with whole_file(path) as partial:
        writer = GGUFWriter(str(partial), "llama")
        _write_shape(writer, base)
        _write_tokens(writer, tokens, pre)
        writer.add_string("tinyagent.profile", profile)
        writer.add_chat_template(template)
        writer.add_file_type(file_type)
        names = tensor_names(base)
        shapes = _shapes(base)
        for theirs, own in names.items():
            shape = shapes(theirs)
            matrix = len(shape) == 2
            stored, raw = (number, kind) if matrix else (np.float32, GGMLQuantizationType.F32)
            size = int(np.prod(shape)) * np.dtype(stored).itemsize
            writer.add_tensor_info(own, shape, np.dtype(stored), size, raw_dtype=raw)
        try:
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            for theirs in names:
                weight = load(theirs)
                if weight.shape != shapes(theirs):
                    raise ValueError(f"{theirs} has the shape {weight.shape}, not {shapes(theirs)}")
                writer.write_tensor_data(_as_stored(theirs, weight, base, number))
        finally:
            writer.close()


def _as_stored(name: str, weight: Array, base: Base, number: type) -> Array:
    if name.endswith("q_proj.weight"):
        weight = interleave(weight, base.heads)
    elif name.endswith("k_proj.weight"):
        weight = interleave(weight, base.key_value_heads)
    return np.ascontiguousarray(weight.astype(number if weight.ndim == 2 else np.float32))


def _shapes(base: Base) -> Callable[[str], tuple[int, ...]]:
    def shape(name: str) -> tuple[int, ...]:
        linear = next((key for key in base.linear_shapes if f".{key}." in name), None)
        if linear:
            columns, rows = base.linear_shapes[linear]
            return rows, columns
        return (base.width,) if "norm" in name else (base.vocabulary, base.width)

    return shape


def _write_shape(writer: GGUFWriter, base: Base) -> None:
    writer.add_name(f"{base.folder.name} planner")
    # llama.cpp looks at everything before a token, so that a file never takes more than one window.
    writer.add_context_length(min(base.context, base.window or base.context))
    if base.window:
        writer.add_sliding_window(base.window)
    writer.add_embedding_length(base.width)
    writer.add_block_count(base.layers)
    writer.add_feed_forward_length(base.feed_forward)
    writer.add_head_count(base.heads)
    writer.add_head_count_kv(base.key_value_heads)
    writer.add_key_length(base.head_size)
    writer.add_value_length(base.head_size)
    writer.add_layer_norm_rms_eps(base.epsilon)
    writer.add_rope_dimension_count(base.head_size)
    writer.add_rope_freq_base(base.rope_base)
    writer.add_vocab_size(base.vocabulary)


def _write_tokens(writer: GGUFWriter, tokens: Tokens, pre: str) -> None:
    writer.add_tokenizer_model(tokens.model)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(list(tokens.pieces))
    writer.add_token_types(list(tokens.types))
    if tokens.model == "llama":
        writer.add_token_scores(list(tokens.scores))
    else:
        writer.add_token_merges(list(tokens.merges))
    writer.add_bos_token_id(tokens.begin)
    writer.add_eos_token_id(tokens.end)
    writer.add_add_bos_token(tokens.adds_begin)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(tokens.adds_space)


def write_vocabulary(path: Path, base: Base, tokens: Tokens, pre: str, template: str) -> None:
    """A file with the base's vocabulary and the smallest possible model, which llama.cpp can load."""
    small = _stub(base)
    shape = _shapes(small)
    write_gguf(path, small, tokens, pre, "chat", template, lambda name: np.zeros(shape(name)))


def _stub(base: Base) -> Base:
    return Base(
        folder=base.folder, architecture=base.architecture, vocabulary=base.vocabulary, width=32, layers=1,
        heads=1, key_value_heads=1, head_size=32, feed_forward=32, context=256, rope_base=10_000.0,
        epsilon=1e-5, tied=True, window=None,
    )  # fmt: skip
