"""A disguised request has another wording and the same plan."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest

from tinyagent.planners.inner import DraftCall
from tinyagent.planners.words import split_words
from tinyagent.training.corpus import read_corpus
from tinyagent.training.disguise import Habits, disguise, spoken
from tinyagent.training.literal import literal_plan
from tinyagent.training.rows import Row

ROOT = Path(__file__).parents[3]
ALWAYS = Habits(slips=1, spoken=0, fillers=1, opening=1, asking=1, ending=1)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_corpus(ROOT / "training" / "data").rows("dev")


def said(row: Row) -> set[str]:
    """Words that stand in the plan and in the request; marks at its end may go."""
    own = {word.text.lower() for word in split_words(row.query) if word.text[-1].isalnum()}
    texts = [
        item
        for call in row.calls
        for value in call.arguments.values()
        for item in (value if isinstance(value, list) else [value])
    ]
    return {word.text.lower() for text in texts for word in split_words(text)} & own


def test_what_the_plan_copies_can_still_be_copied(rows: list[Row]) -> None:
    chance = random.Random(0)
    changed = 0
    for row in rows:
        other = disguise(row, chance, ALWAYS)
        assert other.calls == row.calls
        assert said(other) >= said(row)
        changed += other.query != row.query
    assert changed > 0.95 * len(rows)


def test_spoken_requests_have_no_marks_and_keep_files_and_times() -> None:
    row = Row('Mail a.b_v2.pdf to Ann, please. At 3:30, "ring Bob!" - now.', ())
    assert spoken(row).query == "mail a.b_v2.pdf to ann please at 3:30 ring bob now"


def test_most_requests_stay_as_they_are_most_of_the_time(rows: list[Row]) -> None:
    chance = random.Random(1)
    same = sum(disguise(row, chance).query == row.query for row in rows)
    assert 0.4 < same / len(rows) < 0.8


def test_a_spelt_file_name_is_written_again_in_the_plan() -> None:
    call = DraftCall("open_and_get_file_path", {"file_name": "Tax_2026-v2.pdf"})
    row = disguise(Row("Open Tax_2026-v2.pdf", (call,)), random.Random(0), Habits(0, 1, 0, 0, 0, 0, 1))
    assert row.query == "open tax underscore 2026 dash v2 dot pdf"
    plan, _ = literal_plan(row.query, datetime(2026, 11, 22, 9), row.calls)
    assert plan.splitlines()[0] == '1. open_and_get_file_path("Tax_2026-v2.pdf")'
