"""Rows, optimizer and checkpoints of the small GGUF's training."""

from __future__ import annotations

import lzma
import random
import signal
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest
import torch

from tests.support.tiny_gguf import make_tokenizer
from tinyagent.planners.compact import read_calls, write_calls
from tinyagent.planners.inner import DraftCall
from tinyagent.training.gguf_network import PlannerNetwork, Shape
from tinyagent.training.gguf_rows import (
    TokenRow,
    copy_rows,
    english_rows,
    invent_names,
    plan_rows,
    read_english,
    token_row,
)
from tinyagent.training.gguf_train import Budget, Trainer, batches, next_stage, train
from tinyagent.training.muon import orthogonal
from tinyagent.training.rows import Row
from tinyagent.training.script import run

SHAPE = Shape(vocabulary=512, width=32, layers=1, heads=2, feed_forward=64, context=512)
ROW = Row(
    "Tell Zoë (not Zoës aunt) that Zoë owes $5",
    (
        DraftCall("get_phone_number", {"name": "Zoë"}),
        DraftCall("send_sms", {"recipients": ["$1"], "message": "Zoë owes $$5"}),
    ),
)


def make_trainer(seconds: float = 1e9) -> Trainer:
    torch.manual_seed(0)
    return Trainer(PlannerNetwork(SHAPE), Budget(seconds))


def test_another_name_stands_everywhere_and_only_for_the_whole_name() -> None:
    made = invent_names(ROW, random.Random(1))
    name = made.calls[0].arguments["name"]
    assert name != "Zoë"
    assert made.query == f"Tell {name} (not Zoës aunt) that {name} owes $5"
    assert made.calls[1].arguments == {"recipients": ["$1"], "message": f"{name} owes $$5"}


def test_a_row_shows_the_needed_tools_and_ends_its_plan() -> None:
    tokenizer = make_tokenizer()
    for seed in range(20):
        row = token_row(tokenizer, ROW, random.Random(seed))
        assert row is not None
        assert {tokenizer.ids["⟨get_phone_number⟩"], tokenizer.ids["⟨send_sms⟩"]} <= set(row.prompt)
        assert row.prompt[-1] == tokenizer.ids["<|plan|>"]
        assert row.plan == tokenizer.plan(write_calls(ROW.calls))
        assert row.plan[-1] == tokenizer.ids["<END_OF_PLAN>"]


def test_a_plan_with_more_calls_than_references_is_left_out() -> None:
    long = Row("many", tuple(DraftCall("get_phone_number", {"name": str(index)}) for index in range(15)))
    assert token_row(make_tokenizer(), long, random.Random(0)) is None


def test_a_copied_stretch_stands_in_its_prompt() -> None:
    for row in islice(copy_rows(make_tokenizer(), random.Random(0)), 50):
        stretch = row.plan[:-1]
        starts = range(len(row.prompt) - len(stretch) + 1)
        assert any(row.prompt[start : start + len(stretch)] == stretch for start in starts)


def test_rows_grow_with_progress_and_batches_stay_in_their_size() -> None:
    tokenizer = make_tokenizer()
    short = list(islice(plan_rows(tokenizer, [ROW] * 3, random.Random(0), lambda: 0.2), 64))
    assert max(row.length for row in short) <= 240
    for batch in islice(batches(iter(short), 300, pool=64), 5):
        assert len(batch) * max(row.length for row in batch) <= 300 or len(batch) == 1


def test_orthogonalized_matrices_have_singular_values_near_one() -> None:
    for shape in ((3, 8, 20), (2, 20, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert float(values.min()) > 0.3
        assert float(values.max()) < 1.3


def test_the_network_learns_a_row_by_heart() -> None:
    trainer, row = make_trainer(), token_row(make_tokenizer(), ROW, random.Random(0))
    assert row is not None
    first, _ = trainer.learn([row])
    for _ in range(60):
        loss, right = trainer.learn([row])
    assert loss < 0.2 * first
    assert right > 0.9
    assert read_calls(write_calls(ROW.calls)) == list(ROW.calls)


def test_training_goes_on_where_the_checkpoint_stands(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    rows = list(islice(copy_rows(tokenizer, random.Random(0)), 8))
    trainer = make_trainer()
    for _ in range(3):
        trainer.learn(rows)
    trainer.stage = "planning"
    trainer.save(tmp_path / "checkpoint.pt")
    again = make_trainer()
    again.resume(tmp_path / "checkpoint.pt")
    assert (again.step, again.elapsed, again.stage) == (3, trainer.elapsed, "planning")
    assert again.learn(rows)[0] == trainer.learn(rows)[0]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_english_comes_first_then_copying_then_plans(tmp_path: Path) -> None:
    text = tmp_path / "english.txt.xz"
    text.write_bytes(lzma.compress(b"U: Where is the station?\nA: Left.\n\nU: Thanks a lot.\n"))
    english = read_english(text)
    assert english == ["U: Where is the station?\nA: Left.", "U: Thanks a lot."]
    tokenizer = make_tokenizer()
    rows = list(islice(english_rows(tokenizer, english, random.Random(0)), 20))
    assert all(len(row.prompt) == 1 and row.plan for row in rows)
    trainer = Trainer(PlannerNetwork(SHAPE), Budget(1.0, english_seconds=0.2, copy_steps=2))
    stages = [trainer.stage]
    for elapsed in (0.1, 0.3, 0.4, 0.5):
        trainer.elapsed, trainer.step = elapsed, trainer.step + 1
        trainer.stage = next_stage(trainer, right=0.0)
        stages.append(trainer.stage)
    assert stages == ["english", "english", "copying", "copying", "planning"]
    train(trainer, tokenizer, [ROW] * 3, english, tmp_path / "checkpoint.pt")
    assert (tmp_path / "checkpoint.pt").exists()


class Interrupted(Trainer):
    """Ctrl-C is pressed in the middle of its second step."""

    def learn(self, rows: Sequence[TokenRow]) -> tuple[float, float]:
        if self.step == 1:
            signal.raise_signal(signal.SIGINT)
        return super().learn(rows)


def test_ctrl_c_finishes_the_step_and_keeps_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tokenizer = tmp_path / "checkpoint.pt", make_tokenizer()
    trainer = Interrupted(PlannerNetwork(SHAPE), Budget(1e9))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run(lambda: train(trainer, tokenizer, [ROW] * 3, [], path)) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert "the same command goes on with it" in capsys.readouterr().err
    again = make_trainer()
    again.resume(path)
    assert again.step == 2


def test_rows_that_are_all_long_do_not_wait_for_shorter_ones() -> None:
    long = Row("tea " * 60, ROW.calls[:0])
    rows = plan_rows(make_tokenizer(), [long], random.Random(0), lambda: 0.0)
    assert next(rows).length > 60
