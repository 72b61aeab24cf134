"""Simulated Q4_0 is the real one, and files are quantized whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize, quantize
from torch import nn

from tests.support.tiny_gguf import make_network, make_tokenizer, write_tiny_gguf
from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.training.fake_q4 import round_q4, settle_in, simulate_in, simulate_q4
from tinyagent.training.finetune.compact_qat import count_exact
from tinyagent.training.gguf_export import export
from tinyagent.training.quantize import quantize_file

Q4 = GGMLQuantizationType.Q4_0


def hard_weights() -> torch.Tensor:
    """Ordinary weights, zeros, ties between signs, tiny and huge values, and halves between two numbers."""
    source = torch.Generator().manual_seed(3)
    rows = [torch.randn(64, 256, generator=source) * scale for scale in (0.02, 1.0, 40.0, 1e-6)]
    odd = torch.zeros(4, 256)
    odd[1, :32] = torch.tensor([1.0, -1.0] * 16)
    odd[2] = torch.arange(256) / 8 - 16
    odd[3, 5] = -3.25
    return torch.cat([*rows, odd])


def test_simulated_values_are_those_of_a_q4_0_file_bit_by_bit() -> None:
    weights = hard_weights()
    stored = dequantize(quantize(weights.numpy(), Q4), Q4)
    assert np.array_equal(round_q4(weights).numpy().view(np.int32), stored.view(np.int32))


def test_simulated_values_are_found_again_when_they_are_quantized() -> None:
    once = round_q4(hard_weights()[:128])
    assert torch.equal(round_q4(once), once)
    assert torch.equal(round_q4(once.half()), once)


def test_the_gradient_passes_the_rounding() -> None:
    weight = torch.randn(4, 64, requires_grad=True)
    other = torch.randn(4, 64)
    (simulate_q4(weight) * other).sum().backward()
    assert weight.grad is not None
    assert torch.equal(weight.grad, other)


def test_rows_that_are_no_whole_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="groups of 32"):
        round_q4(torch.zeros(2, 40))


def test_a_layer_learns_through_its_simulated_weights_and_keeps_them() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(32, 8, bias=False)
    weight = layer.weight
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    assert simulate_in([layer]) == 1
    before = weight.detach().clone()
    layer(torch.ones(2, 32)).square().sum().backward()
    optimizer.step()
    assert not torch.equal(weight, before)
    settle_in([layer])
    assert torch.equal(layer.weight, round_q4(weight.detach()))
    assert list(layer.state_dict()) == ["weight"]


def test_llama_cpp_stores_simulated_weights_as_they_are(tmp_path: Path) -> None:
    network = make_network()
    simulate_in(network.blk.modules())
    settle_in(network.blk.modules())
    export(network, make_tokenizer(), tmp_path / "whole.gguf", "F32")
    quantize_file(tmp_path / "whole.gguf", tmp_path / "q4.gguf", "q4_0")
    exact, checked = count_exact(network, tmp_path / "q4.gguf")
    assert (exact, checked) == (14, 14)


def test_a_quantized_file_is_smaller_and_loads(tmp_path: Path) -> None:
    export(make_network(), make_tokenizer(), tmp_path / "whole.gguf", "F32")
    sizes = [(tmp_path / "whole.gguf").stat().st_size]
    for kind in ("q8_0", "q4_0"):
        quantize_file(tmp_path / "whole.gguf", tmp_path / f"{kind}.gguf", kind)  # type: ignore[arg-type]
        sizes.append((tmp_path / f"{kind}.gguf").stat().st_size)
        model = LlamaModel(tmp_path / f"{kind}.gguf")
        model.read(model.tokenize("call Zoë"), lambda: False)
        assert np.isfinite(model.logits()).all()
        model.close()
    assert sizes == sorted(sizes, reverse=True)
    types = {tensor.tensor_type for tensor in GGUFReader(tmp_path / "q4_0.gguf").tensors}
    assert Q4 in types


def test_a_quantized_file_is_not_quantized_again(tmp_path: Path) -> None:
    small = write_tiny_gguf(tmp_path / "small.gguf")
    with pytest.raises(InvalidRequest, match="quantized already"):
        quantize_file(small, tmp_path / "smaller.gguf", "q4_0")


def test_a_damaged_file_leaves_nothing_behind(tmp_path: Path) -> None:
    whole = tmp_path / "whole.gguf"
    export(make_network(), make_tokenizer(), whole, "F32")
    whole.write_bytes(whole.read_bytes()[:-40_000])
    with pytest.raises(ModelUnavailable, match="damaged"):
        quantize_file(whole, tmp_path / "q4.gguf", "q4_0")
    with pytest.raises(ModelUnavailable, match="does not exist"):
        quantize_file(tmp_path / "none.gguf", tmp_path / "q4.gguf", "q4_0")
    assert [path.name for path in tmp_path.iterdir()] == ["whole.gguf"]


def test_a_file_is_not_written_over_itself_or_over_a_folder(tmp_path: Path) -> None:
    whole = tmp_path / "whole.gguf"
    export(make_network(), make_tokenizer(), whole, "F32")
    with pytest.raises(InvalidRequest, match="is the file to quantize"):
        quantize_file(whole, whole, "q8_0")
    with pytest.raises(InvalidRequest, match="is a folder"):
        quantize_file(whole, tmp_path, "q8_0")
    with pytest.raises(InvalidRequest, match="cannot be written"):
        quantize_file(whole, whole / "q8.gguf", "q8_0")
    quantize_file(whole, tmp_path / "new" / "q8.gguf", "q8_0")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["q8.gguf"]
