"""Drawing tokens: the distribution that was asked for, and the same one under a grammar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.errors import PlannerFailed
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.llama_sampler import Draw, GrammarSampler

LOGITS = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
DRAWS = 4000


def shares(draw: Draw) -> list[float]:
    counts = Counter(int(draw.scores(LOGITS).argmax()) for _ in range(DRAWS))
    return [counts[token] / DRAWS for token in range(len(LOGITS))]


def test_tokens_are_drawn_as_often_as_the_model_thinks_likely() -> None:
    assert shares(Draw(1.0, seed=1)) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)


def test_a_high_temperature_evens_out_and_a_low_one_sharpens() -> None:
    assert shares(Draw(1e6, seed=2)) == pytest.approx([0.25] * 4, abs=0.03)
    assert shares(Draw(0.01, seed=3)) == [1, 0, 0, 0]
    assert shares(Draw(0, seed=4)) == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [(0.0, [1, 0, 0, 0]), (0.5, [1, 0, 0, 0]), (0.6, [0.625, 0.375, 0, 0]), (0.96, [0.5, 0.3, 0.15, 0.05])],
)
def test_top_p_keeps_the_fewest_likeliest_tokens(top_p: float, expected: list[float]) -> None:
    assert shares(Draw(1.0, top_p, seed=5)) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("seed", [0, -3, 2**80])
def test_a_seed_repeats_the_draws(seed: int) -> None:
    first, again, other = Draw(1.0, seed=seed), Draw(1.0, seed=seed), Draw(1.0, seed=seed + 1)
    drawn = [[int(draw.scores(LOGITS).argmax()) for _ in range(30)] for draw in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    model = LlamaModel(write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf"))
    yield model
    model.close()


def letters(model: LlamaModel) -> list[int]:
    return [model.tokenize(letter)[-1] for letter in "abcd"]


def test_a_grammar_leaves_the_odds_of_what_it_allows_as_they_are(model: LlamaModel) -> None:
    logits = np.full(model.size, -30.0, dtype=np.float32)
    logits[letters(model)] = LOGITS
    draw, counts = Draw(1.0, seed=6), Counter[int]()
    for _ in range(1500):
        sampler = GrammarSampler(model, "root ::= [abd]")
        counts[sampler.choose(draw.scores(logits))] += 1
        sampler.close()
    a, b, c, d = (counts[token] / 1500 for token in letters(model))
    assert (a, b, d) == pytest.approx((0.5 / 0.85, 0.3 / 0.85, 0.05 / 0.85), abs=0.04)
    assert c == 0


def test_what_a_grammar_wants_is_found_beyond_the_likeliest_tokens(model: LlamaModel) -> None:
    logits = np.full(model.size, -30.0, dtype=np.float32)
    logits[letters(model)] = LOGITS
    wanted = model.tokenize("Z")[-1]
    sampler = GrammarSampler(model, 'root ::= "Z"')
    assert sampler.choose(Draw(0.7, 0.5, 7).scores(logits)) == wanted
    sampler.close()


def test_a_grammar_that_llama_cpp_refuses_is_a_failure(model: LlamaModel) -> None:
    with pytest.raises(PlannerFailed, match="does not accept"):
        GrammarSampler(model, 'root ::= root | "x"')
