"""Bases that cannot be fine-tuned are refused with the reason, before anything is trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.tiny_base import write_base
from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.training.finetune.base import read_base
from tinyagent.training.finetune.resources import Machine, check_resources, needs_of
from tinyagent.training.finetune.settings import FinetuneSettings


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "sound")


@pytest.fixture
def base(sound: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    folder = tmp_path / "base"
    folder.mkdir()
    for path in sound.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_base_is_read_with_its_shape(base: Path) -> None:
    read = read_base(base)
    assert (read.layers, read.width, read.heads, read.key_value_heads, read.head_size) == (2, 64, 4, 2, 16)
    assert read.window is None
    assert read.stored_bytes > read.parameters * 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"architectures": ["GPT2LMHeadModel"]}, "architecture is GPT2LMHeadModel"),
        ({"quantization_config": {"bits": 4}}, "weights are quantized"),
        ({"attention_bias": True}, "biases"),
        ({"hidden_act": "gelu"}, "activation is gelu"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5}}, "positions are scaled"),
        ({"num_hidden_layers": None}, "not a sound configuration"),
    ],
)
def test_another_kind_of_model_is_refused(base: Path, change: dict[str, Any], reason: str) -> None:
    change_config(base, **change)
    with pytest.raises(ModelUnavailable, match=reason):
        read_base(base)


def test_missing_and_damaged_files_are_named(base: Path) -> None:
    weights = base / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors is damaged"):
        read_base(base)
    weights.unlink()
    with pytest.raises(ModelUnavailable, match="has no weights"):
        read_base(base)
    weights.write_bytes(whole)
    (base / "config.json").write_text("{")
    with pytest.raises(ModelUnavailable, match=r"config\.json cannot be read"):
        read_base(base)
    with pytest.raises(ModelUnavailable, match="is no folder"):
        read_base(base / "nowhere")


def test_a_missing_shard_is_named(base: Path) -> None:
    listed = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (base / "model.safetensors.index.json").write_text(json.dumps(listed))
    with pytest.raises(ModelUnavailable, match=r"lacks model-2\.safetensors"):
        read_base(base)


def test_a_base_without_tokenizer_is_refused(base: Path) -> None:
    (base / "tokenizer.json").unlink()
    (base / "tokenizer.model").unlink()
    with pytest.raises(ModelUnavailable, match="has no tokenizer"):
        read_base(base)


# --- memory and disk ----------------------------------------------------------------------------

GPU = Machine("cuda", 24 * 10**9, 64 * 10**9, 100 * 10**9)


def seven_billions(base: Path) -> tuple[Any, FinetuneSettings]:
    shape = replace(
        read_base(base), vocabulary=32_000, width=4096, layers=32, heads=32, key_value_heads=8,
        head_size=128, feed_forward=14_336,
    )  # fmt: skip
    return shape, FinetuneSettings(base, base, base / "out")


def test_what_is_too_large_is_refused_with_numbers_and_what_would_fit(base: Path) -> None:
    shape, settings = seven_billions(base)
    assert 7.2e9 < shape.parameters < 7.3e9
    with pytest.raises(
        InvalidRequest, match=r"7\.24B parameters\) needs about .* GB of GPU memory"
    ) as caught:
        check_resources(shape, settings, GPU)
    assert "would fit" in str(caught.value.hint)
    batch = int(str(caught.value.hint).split()[1])
    assert check_resources(shape, replace(settings, batch=batch), GPU).checkpointing


def test_too_little_memory_and_disk_are_refused(base: Path) -> None:
    shape, settings = seven_billions(base)
    one = replace(settings, batch=1, max_tokens=512)
    with pytest.raises(InvalidRequest, match="use a smaller base or"):
        check_resources(shape, one, replace(GPU, device_free=10**9))
    with pytest.raises(InvalidRequest, match="Merging and exporting"):
        check_resources(shape, one, replace(GPU, memory_free=8 * 10**9))
    with pytest.raises(InvalidRequest, match="of disk"):
        check_resources(shape, one, replace(GPU, disk_free=10**9))


def test_a_larger_batch_and_simulated_weights_need_more(base: Path) -> None:
    shape, settings = seven_billions(base)
    plain = needs_of(shape, settings, GPU)
    assert needs_of(shape, replace(settings, batch=16), GPU).training > plain.training
    assert needs_of(shape, replace(settings, qat=True), GPU).training > plain.training


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"rate": 0.0}, {"batch": 0}, {"limit": 0}, {"negative_tools": -1}]
)
def test_numbers_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(wrong)).replace("_", "-")):
        FinetuneSettings(Path("base"), Path("data"), Path("out"), **wrong)
