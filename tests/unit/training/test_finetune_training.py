"""Training goes on where it was interrupted, keeps its best adapter, and exports what it trained."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize
from safetensors.torch import load_file

from tests.support.tiny_base import write_base
from tests.support.tiny_corpus import write_corpus
from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.training.finetune import export, gguf_file
from tinyagent.training.finetune.adapters import adapt, load_model
from tinyagent.training.finetune.base import read_base
from tinyagent.training.finetune.export import compare
from tinyagent.training.finetune.gguf_file import interleave
from tinyagent.training.finetune.pipeline import Watcher, finetune
from tinyagent.training.finetune.settings import FinetuneSettings
from tinyagent.training.finetune.tokens import read_tokens
from tinyagent.training.finetune.training import Progress
from tinyagent.training.finetune.validation import plan_loss, same_graph
from tinyagent.training.finetune.vocabulary import open_vocabulary
from tinyagent.training.gguf_rows import TokenRow

PLAN = '1. get_phone_number("Sid")\n2. send_sms(["$1"], "Hi")\n3. join()<END_OF_PLAN>'


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data") / "data", train=6, dev=1)


def settings_for(base: Path, data: Path, out: Path, **others: Any) -> FinetuneSettings:
    values: dict[str, Any] = {
        "epochs": 2, "batch": 2, "examples": 0, "negative_tools": 1, "rank": 4, "alpha": 8, "rate": 2e-3,
        "validate": 1, "max_tokens": 1500,
    }  # fmt: skip
    return FinetuneSettings(base, data, out, **values | others)


def run(
    settings: FinetuneSettings, *, resume: bool = False, step: Callable[[Progress], None] = lambda _: None
) -> dict[str, Any]:
    return finetune(settings, Watcher(lambda _: None, step), resume=resume)


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_an_interrupted_run_ends_as_one_without_interruption(base: Path, data: Path, tmp_path: Path) -> None:
    whole, parted = (settings_for(base, data, tmp_path / name) for name in ("whole", "parted"))
    report = run(whole)

    def interrupt(progress: Progress) -> None:
        if progress.step == 2:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(parted, step=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    with (parted.out / "log.jsonl").open("a") as log:  # as a crash after the checkpoint leaves it
        log.write(json.dumps({"kind": "step", "step": 3, "loss": 9.0}) + "\n")
    steps: list[int] = []
    again = run(parted, resume=True, step=lambda progress: steps.append(progress.step))
    assert steps == [3, 4, 5, 6]
    assert again["validation"] == report["validation"]
    one, other = (load_file(each.out / "adapter.safetensors") for each in (whole, parted))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    losses = [[entry["loss"] for entry in log_of(each.out)] for each in (whole, parted)]
    assert losses[0] == losses[1]
    assert report["files"]["f16"]["bytes"] > report["files"]["q8_0"]["bytes"]


def test_a_run_is_neither_overwritten_nor_resumed_with_another_recipe(
    base: Path, data: Path, tmp_path: Path
) -> None:
    settings = settings_for(base, data, tmp_path / "out", epochs=1, limit=2)
    run(settings)
    with pytest.raises(InvalidRequest, match="holds a run already"):
        run(settings)
    with pytest.raises(InvalidRequest, match="other values of rank, rate"):
        run(replace(settings, rank=8, rate=1e-4), resume=True)
    steps: list[Progress] = []
    report = run(settings, resume=True, step=steps.append)
    assert not steps
    assert report["best"]["epoch"] == 1
    (settings.out / "checkpoint.pt").write_bytes(b"damaged")
    with pytest.raises(ModelUnavailable, match=r"checkpoint\.pt is damaged"):
        run(settings, resume=True)


def test_simulated_weights_of_training_are_those_of_the_4_bit_file(data: Path, tmp_path: Path) -> None:
    base = write_base(tmp_path / "mistral", "mistral", only_model_file=True)
    settings = settings_for(base, data, tmp_path / "out", epochs=1, qat=True, validate=0)
    report = run(settings)
    merged = load_model(read_base(settings.out / "merged"), torch.float32).state_dict()
    reader = GGUFReader(report["files"]["q4_0"]["path"])
    stored = {tensor.name: tensor for tensor in reader.tensors}
    names = {"attn_v": "self_attn.v_proj", "ffn_down": "mlp.down_proj", "attn_q": "self_attn.q_proj"}
    for own, theirs in names.items():
        tensor = stored[f"blk.1.{own}.weight"]
        assert tensor.tensor_type == GGMLQuantizationType.Q4_0
        weight = merged[f"model.layers.1.{theirs}.weight"].numpy()
        expected = interleave(weight, 4) if own == "attn_q" else weight
        read = dequantize(tensor.data, tensor.tensor_type)
        # The merged folder holds halves: equal but for their last digit.
        assert np.allclose(read, expected, rtol=2**-10, atol=0)
    assert report["validation"][0]["success"] is None
    assert report["recipe"]["qat"] is True


def test_an_export_with_other_weights_is_refused(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = read_base(base)
    tokens = read_tokens(read)
    vocabulary = open_vocabulary(read, tokens)
    good = export.export_gguf(base, vocabulary, tokens, tmp_path / "good.gguf")
    assert good["smallest_cosine"] > 0.9999
    monkeypatch.setattr(gguf_file, "interleave", lambda weight, heads: weight)
    with pytest.raises(ModelUnavailable, match=r"bad\.gguf is not written.*scores differ"):
        export.export_gguf(base, vocabulary, tokens, tmp_path / "bad.gguf")
    vocabulary.model.close()
    assert [path.name for path in tmp_path.glob("*.gguf*")] == ["good.gguf"]
    other = read_tokens(read_base(write_base(tmp_path / "other", "llama", "bytes")))
    swapped = replace(tokens, reference=other.reference)
    with pytest.raises(ModelUnavailable, match="tokenize differently"):
        compare(read, swapped, tmp_path / "good.gguf")


def test_weights_that_do_not_fit_the_configuration_are_refused(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(ModelUnavailable, match=r"lack 9 tensors, model\.layers\.2"):
        load_model(read_base(folder), torch.float32)


def test_only_the_plan_counts_and_adapters_alone_learn(base: Path, data: Path, tmp_path: Path) -> None:
    read = read_base(base)
    settings = settings_for(base, data, tmp_path, dropout=0.0)
    model: Any = adapt(read, settings, load_model(read, torch.float32), checkpointing=False)
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert len(trained) == 2 * 7 * 2
    assert all("lora_" in name for name in trained)
    rows = [TokenRow([1, 5, 6, 7], [8, 9]), TokenRow([1, 300], [400, 500, 2])]
    together, count = plan_loss(model, rows, "cpu")
    alone = [plan_loss(model, [row], "cpu") for row in rows]
    assert count == 5
    assert torch.allclose(together, alone[0][0] + alone[1][0], rtol=1e-5)
    ids = torch.tensor([[1, 300, 400, 500, 2]])
    scores = load_model(read, torch.float32)(input_ids=ids).logits[0].log_softmax(-1)
    by_hand = -sum(scores[place, token] for place, token in ((1, 400), (2, 500), (3, 2)))
    assert torch.allclose(alone[1][0], by_hand, rtol=1e-5)


def test_checkpointed_activations_change_no_gradient(base: Path, data: Path, tmp_path: Path) -> None:
    read, gradients = read_base(base), []
    row = TokenRow([1, 5, 6, 7], [8, 9])
    for checkpointing in (False, True):
        torch.manual_seed(0)
        settings = settings_for(base, data, tmp_path, dropout=0.0)
        model: Any = adapt(read, settings, load_model(read, torch.float32), checkpointing)
        model.train()
        plan_loss(model, [row], "cpu")[0].backward()
        gradients.append([weight.grad for weight in model.parameters() if weight.grad is not None])
    assert len(gradients[0]) == 28
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (PLAN, True),
        (PLAN.replace('"Sid"', '"Other"'), True),
        (PLAN.replace('["$1"]', '["+1"]'), False),
        ('1. get_phone_number("Sid")\n2. join()', False),
        (PLAN.replace("2. send", "1. send"), False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_success_is_the_same_graph(text: str, same: bool) -> None:
    assert same_graph(PLAN, text) is same


def test_data_and_lengths_that_leave_nothing_are_refused(base: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="holds no request"):
        run(settings_for(base, tmp_path / "empty", tmp_path / "a"))
    with pytest.raises(InvalidRequest, match=r"requests are too long"):
        run(settings_for(base, data, tmp_path / "b", max_tokens=80))
    with pytest.raises(InvalidRequest, match="need an embedder"):
        run(settings_for(base, data, tmp_path / "c", examples=2))
    broken = tmp_path / "broken" / "natural"
    broken.mkdir(parents=True)
    (broken / "x.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(InvalidRequest, match=r"x\.jsonl, line 1"):
        run(settings_for(base, tmp_path / "broken", tmp_path / "d"))
