"""A tiny network from training to ONNX: both sides agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from tinyagent.planners.inner import DraftCall
from tinyagent.toolrag.files import load_tokenizer
from tinyagent.toolrag.model import NanoModel
from tinyagent.training.examples import Encoder, vocabulary
from tinyagent.training.export_nano import export
from tinyagent.training.network import PlanNetwork, Shape
from tinyagent.training.rows import Row
from tinyagent.training.sampling import Batch, Labelled, Sampler
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
    export(network, vocabulary(ROWS), TOKENIZER, tmp_path / "nano", small=False)
    model = NanoModel.load(tmp_path / "nano")
    encoded = model._run(ROWS[1].query)  # pyright: ignore[reportPrivateUsage]
    assert encoded.states == pytest.approx(states[0].numpy(), abs=1e-4)
    writer = model.write(encoded, example.first, example.last)
    for step, (symbol, source) in enumerate(zip(example.fed_symbols, example.fed_words, strict=True)):
        written, pointed = writer.step([symbol, symbol], [source, source], [0, 0])
        assert np.exp(written[1]) == pytest.approx(symbols[0, step].exp().numpy(), abs=1e-4)
        assert np.exp(pointed[1]) == pytest.approx(copies[0, step].exp().numpy(), abs=1e-4)
