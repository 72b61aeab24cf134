"""The pointer decoder's search over networks that say anything: plans stay well-formed and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tinyagent.domain.plan import format_plan
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.planners.drafts import DraftReader
from tinyagent.planners.inner import DraftCall, PlanCompiler
from tinyagent.planners.network import Floats
from tinyagent.planners.pointer import MAX_STEPS, Writing
from tinyagent.planners.symbols import FIELDS, symbols_of
from tinyagent.planners.words import split_words
from tinyagent.toolrag.labels import CLASSES
from tinyagent.toolrag.manifest import read_json
from tinyagent.tools.registry import BUILT_IN

SYMBOLS: list[str] = read_json(Path(__file__).parents[3] / "models" / "nano" / "nano.json")["symbols"]
TEXT = 'Text Bob the "red" file notes.pdf at 3:30, costs $5 (ann@x.example)'


@dataclass
class Read:
    offsets: Sequence[tuple[int, int]]
    counts: Floats


class RandomNetwork:
    """Gives log-probabilities by chance; with a plan in mind it prefers that plan's symbols."""

    def __init__(self, seed: int, plan: Sequence[str] = ()) -> None:
        self.symbols: Sequence[str] = SYMBOLS
        self.labels: Sequence[str] = CLASSES
        self.max_steps = 255
        self._chance = np.random.default_rng(seed)
        self._plan = list(plan)
        self._position = 0

    async def encode(self, text: str) -> Read:
        return self.read(text)

    def read(self, text: str) -> Read:
        counts = np.full((len(CLASSES), 4), 0.25, dtype=np.float32)
        return Read([(word.start, word.end) for word in split_words(text)], counts)

    def write(self, encoded: Read, first: Sequence[int], last: Sequence[int]) -> RandomNetwork:
        self._words = len(first)
        return self

    def step(
        self, symbols: Sequence[int], sources: Sequence[int], parents: Sequence[int]
    ) -> tuple[Floats, Floats]:
        written = np.log(self._chance.dirichlet(np.ones(len(SYMBOLS)), len(symbols)) + 1e-9)
        pointed = np.log(self._chance.dirichlet(np.ones(self._words), len(symbols)) + 1e-9)
        if self._position < len(self._plan):
            name = self._plan[self._position]
            if name in SYMBOLS:
                written[:, SYMBOLS.index(name)] = 20
            else:
                pointed[:, [word.text for word in split_words(TEXT)].index(name[2:])] = 20
        self._position += 1
        return written.astype(np.float32), pointed.astype(np.float32)


@pytest.mark.parametrize("seed", range(12))
def test_any_network_writes_plans_that_fit_the_tools(seed: int) -> None:
    network = RandomNetwork(seed)
    writing = Writing(network, TEXT, network.read(TEXT), FIELDS)
    compiler = PlanCompiler(TEXT, datetime(2026, 3, 4, 10))
    calls = [compiler.compile(draft) for draft in writing.calls()]
    assert writing.steps <= MAX_STEPS
    specs = {tool.spec.name: tool.spec for tool in BUILT_IN}
    for call in parse_plan(format_plan(calls)).calls:
        specs[call.tool].check(call.arguments)


def test_the_likeliest_plan_is_written() -> None:
    wanted = [
        DraftCall("get_phone_number", {"name": "Bob"}),
        DraftCall("send_sms", {"recipients": ["$1"], "message": "costs $$5"}),
    ]
    network = RandomNetwork(1, symbols_of(wanted))
    assert list(Writing(network, TEXT, network.read(TEXT), FIELDS).calls()) == wanted


def test_a_call_is_given_before_the_next_one_is_written() -> None:
    plan = symbols_of([DraftCall("get_phone_number", {"name": "Bob"}), DraftCall("reply_to_email")])
    network = RandomNetwork(1, plan)
    writing = Writing(network, TEXT, network.read(TEXT), FIELDS)
    next(writing.calls())
    assert writing.steps < len(plan)


def test_a_request_without_words_has_an_empty_plan() -> None:
    network = RandomNetwork(1)
    assert list(Writing(network, "  ", network.read("  "), FIELDS).calls()) == []


def test_a_repeated_lookup_is_left_out_and_its_uses_follow() -> None:
    words = split_words(TEXT)
    reader = DraftReader(words, TEXT)
    plan = ["T:get_phone_number", "A:name", "W:bob", "T:get_phone_number", "A:name", "W:bob"]
    plan += ["T:send_sms", "A:recipients", "R:2", "A:message", "W:yes", "J"]
    drafts = [reader.take(name, -1, complete=True) for name in plan]
    assert [draft for draft in drafts if draft] == [
        DraftCall("get_phone_number", {"name": "bob"}),
        DraftCall("send_sms", {"recipients": ["$1"], "message": "yes"}),
    ]


def test_a_call_that_is_cut_off_is_dropped() -> None:
    reader = DraftReader(split_words(TEXT), TEXT)
    assert reader.take("T:send_sms", -1, complete=True) is None
    assert reader.take("A:recipients", -1, complete=False) is None
    assert reader.take("J", -1, complete=False) is None
