"""A tiny network from training to ONNX: both sides agree."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from tinyagent.errors import ModelUnavailable
from tinyagent.planners.inner import DraftCall
from tinyagent.toolrag.files import load_tokenizer
from tinyagent.toolrag.model import NanoModel
from tinyagent.training import export_nano
from tinyagent.training.examples import Encoder, vocabulary
from tinyagent.training.export_nano import export, export_graphs
from tinyagent.training.network import PlanNetwork, Shape
from tinyagent.training.rows import Row
from tinyagent.training.sampling import Batch, Labelled, Sampler
from tinyagent.training.script import run
from tinyagent.training.train_nano import Trainer, losses

TOKENIZER = Path(__file__).parents[3] / "models" / "nano" / "tokenizer.json"
ROWS = [
    Row(
        f"text {name} that the {thing} is ready",
        (
            DraftCall("get_phone_number", {"name": name}),
            DraftCall("send_sms", {"recipients": ["$1"], "message": f"Your {thing} is ready"}),
        ),
    )
    for name, thing in (("Ann", "cake"), ("Bo Li", "car"), ("mum", "soup"), ("Dr. Wu", "report"))
]


@pytest.fixture
def network() -> PlanNetwork:
    torch.manual_seed(3)
    config = transformers.BertConfig(
        hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, vocab_size=30522
    )
    shape = Shape(len(vocabulary(ROWS)), encoder=24, width=16, heads=2, layers=2, inner=24)
    return PlanNetwork(transformers.BertModel(config, add_pooling_layer=False).eval(), shape)


def _examples() -> Encoder:
    return Encoder(load_tokenizer(TOKENIZER, 192), vocabulary(ROWS))


def test_training_lowers_the_loss_and_goes_on_from_a_checkpoint(network: PlanNetwork, tmp_path: Path) -> None:
    labelled = [Labelled("what is the weather", ()), Labelled("wake me at six", ("create_reminder",))]
    batches = Sampler(ROWS, labelled, _examples(), budget=400).batches()
    trainer = Trainer(network, vocabulary(ROWS), tmp_path / "nano.pt", seconds=1e9)
    first = [example for row in ROWS if (example := _examples().example(row))]
    before = float(losses(network, Batch.of(first))[0].detach())
    for _ in range(30):
        trainer.train_batch(Batch.of(next(batches)))
    assert float(losses(network, Batch.of(first))[0].detach()) < before
    trainer.save()
    again = Trainer(network, vocabulary(ROWS), tmp_path / "nano.pt", seconds=1e9)
    again.resume(torch.load(tmp_path / "nano.pt", weights_only=True))
    assert (again.step, again.seen) == (trainer.step, trainer.seen)


def test_the_exported_graphs_agree_with_the_network(network: PlanNetwork, tmp_path: Path) -> None:
    encoder = _examples()
    example = encoder.example(ROWS[1])
    assert example is not None
    network.eval()
    batch = Batch.of([example])
    with torch.no_grad():
        states = network.encode(batch.pieces, batch.mask)
        words = network.word_states(states, batch.first, batch.last)
        symbols, copies = network.decode(
            batch.fed_symbols,
            batch.fed_words,
            words,
            batch.words,
            network.remember(states),
            batch.mask.bool(),
        )
    assert export(network, vocabulary(ROWS), TOKENIZER, tmp_path / "nano", small=False) < 1e-5
    model = NanoModel.load(tmp_path / "nano")
    encoded = model._run(ROWS[1].query)  # pyright: ignore[reportPrivateUsage]
    assert encoded.states == pytest.approx(states[0].numpy(), abs=1e-4)
    writer = model.write(encoded, example.first, example.last)
    for step, (symbol, source) in enumerate(zip(example.fed_symbols, example.fed_words, strict=True)):
        written, pointed = writer.step([symbol, symbol], [source, source], [0, 0])
        assert np.exp(written[1]) == pytest.approx(symbols[0, step].exp().numpy(), abs=1e-4)
        assert np.exp(pointed[1]) == pytest.approx(copies[0, step].exp().numpy(), abs=1e-4)


def test_weights_of_8_bits_are_nearly_the_network(network: PlanNetwork, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("the card")
    apart = export(network, vocabulary(ROWS), TOKENIZER, tmp_path)
    assert 0 < apart < 0.05
    NanoModel.load(tmp_path)
    files = ["README.md", "bridge.onnx", "encoder.onnx", "manifest.json", "nano.json", "step.onnx"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*files, "tokenizer.json"]


@pytest.mark.parametrize("graph", ["encoder", "bridge", "step"])
def test_graphs_that_are_not_the_network_take_nothings_place(
    network: PlanNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: str
) -> None:
    parts = {"encoder": network.classifier, "bridge": network.pointed, "step": network.gate}
    part = parts[graph]

    def export_another(given: PlanNetwork, folder: Path) -> None:
        right = {name: value.clone() for name, value in part.state_dict().items()}
        with torch.no_grad():
            for value in part.parameters():
                value.normal_(std=9.0)
        export_graphs(given, folder)
        part.load_state_dict(right)

    monkeypatch.setattr(export_nano, "export_graphs", export_another)
    (tmp_path / "encoder.onnx").write_text("the one before")
    with pytest.raises(ModelUnavailable, match="nothing was exported"):
        export(network, vocabulary(ROWS), TOKENIZER, tmp_path, small=False)
    assert (tmp_path / "encoder.onnx").read_text() == "the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["encoder.onnx"]


def test_a_network_of_no_numbers_is_not_exported(network: PlanNetwork, tmp_path: Path) -> None:
    with torch.no_grad():
        network.bias.fill_(float("nan"))
    with pytest.raises(ModelUnavailable, match="nothing was exported"):
        export(network, vocabulary(ROWS), TOKENIZER, tmp_path, small=False)
    assert list(tmp_path.iterdir()) == []


class Interrupted(Trainer):
    """Ctrl-C is pressed in the middle of its second step."""

    def train_batch(self, batch: Batch) -> tuple[float, float]:
        if self.step == 1:
            signal.raise_signal(signal.SIGINT)
        return super().train_batch(batch)


def test_ctrl_c_finishes_the_step_and_keeps_it(network: PlanNetwork, tmp_path: Path) -> None:
    sampler = Sampler(ROWS, [], _examples(), budget=400)
    trainer = Interrupted(network, vocabulary(ROWS), tmp_path / "nano.pt", seconds=1e9)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run(lambda: trainer.run(sampler, [])) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert torch.load(tmp_path / "nano.pt", weights_only=True)["step"] == 2


def test_a_training_whose_time_is_over_is_left_as_it_is(
    network: PlanNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = Trainer(network, vocabulary(ROWS), tmp_path / "nano.pt", seconds=60)
    trainer.elapsed = 61
    trainer.run(Sampler(ROWS, [], _examples()), [])
    assert "has been trained for 61 s already" in capsys.readouterr().out
    assert not (tmp_path / "nano.pt").exists()
