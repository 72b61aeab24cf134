"""The bundled encoder as an embedder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyagent.errors import InvalidRequest
from tinyagent.toolrag.embedding import BATCH, NanoEmbedder
from tinyagent.toolrag.files import MAX_CHARACTERS
from tinyagent.toolrag.model import NanoModel

FOLDER = Path(__file__).parents[3] / "models" / "nano"


@pytest.fixture(scope="module")
def model() -> NanoModel:
    return NanoModel.load(FOLDER)


@pytest.fixture(scope="module")
def embedder(model: NanoModel) -> NanoEmbedder:
    return NanoEmbedder.load(model, FOLDER)


async def test_vectors_have_the_told_size_and_length_one_and_come_in_order(embedder: NanoEmbedder) -> None:
    texts = [f"Text number {number}." for number in range(BATCH + 1)]
    found = await embedder.embed(texts)
    vectors = np.array(found.vectors)
    assert vectors.shape == (len(texts), embedder.size)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    alone = await embedder.embed(texts[-1:])
    assert found.vectors[-1] == pytest.approx(alone.vectors[0], abs=1e-6)


async def test_requests_that_ask_for_the_same_are_nearer_than_others(embedder: NanoEmbedder) -> None:
    vectors = (
        await embedder.embed(["Remind me to buy milk", "Add milk to my reminders", "Email Anna the report"])
    ).vectors
    same, other = np.dot(vectors[0], vectors[1]), np.dot(vectors[0], vectors[2])
    assert same > other


async def test_tokens_are_counted_with_their_marks(embedder: NanoEmbedder) -> None:
    assert (await embedder.embed(["hello world", "hello"])).tokens == 4 + 3


async def test_no_texts_are_no_vectors(embedder: NanoEmbedder) -> None:
    assert (await embedder.embed([])).vectors == ()


async def test_a_text_that_just_fits_is_taken_and_one_token_more_is_not(embedder: NanoEmbedder) -> None:
    fitting = "word " * (embedder.max_tokens - 2)
    assert (await embedder.embed([fitting])).tokens == embedder.max_tokens
    with pytest.raises(InvalidRequest, match=rf"Text 1 has {embedder.max_tokens + 1} tokens") as caught:
        await embedder.embed(["short", f"{fitting} more"])
    assert caught.value.param == "texts[1]"


async def test_a_text_of_few_tokens_and_many_characters_is_refused(embedder: NanoEmbedder) -> None:
    with pytest.raises(InvalidRequest, match="characters"):
        await embedder.embed(["x" * (MAX_CHARACTERS + 1)])


async def test_broken_characters_are_embedded_all_the_same(embedder: NanoEmbedder) -> None:
    assert len((await embedder.embed(["half a \ud83d character"])).vectors) == 1


async def test_own_tokens_are_decoded_with_and_without_marks(embedder: NanoEmbedder) -> None:
    assert embedder.decode([101, 7592, 1010, 2088, 102]) == "hello, world"
    assert embedder.decode([7592, 1010, 2088]) == "hello, world"


@pytest.mark.parametrize(
    "tokens",
    [[], [101, 102], [-1], [999_999], [9906, 11, 1917], [101, 8671]],
    ids=["none", "only marks", "negative", "beyond the vocabulary", "of another tokenizer", "half a word"],
)
def test_tokens_that_spell_no_text_are_refused(embedder: NanoEmbedder, tokens: list[int]) -> None:
    with pytest.raises(InvalidRequest, match="spell no text"):
        embedder.decode(tokens)
