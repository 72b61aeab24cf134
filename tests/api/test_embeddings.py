"""Embeddings by the bundled encoder, as OpenAI clients ask for them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tests.api.conftest import ADMIN, Api, MakeApi, Serve
from tests.api.test_models import Encoder
from tinyagent.api.embeddings import MAX_INPUTS
from tinyagent.ports import Embeddings
from tinyagent.toolrag.embedding import NAME, NanoEmbedder
from tinyagent.toolrag.model import NanoModel

ROUTE = "/v1/embeddings"
FOLDER = Path(__file__).parents[2] / "models" / "nano"


@pytest.fixture(scope="module")
def embedder() -> NanoEmbedder:
    return NanoEmbedder.load(NanoModel.load(FOLDER), FOLDER)


@pytest.fixture
def api(make_api: MakeApi, embedder: NanoEmbedder) -> Api:
    return make_api(embedder=embedder)


async def asked(client: httpx.AsyncClient, given: Any, **more: Any) -> Any:
    answer = await client.post(ROUTE, json={"model": NAME, "input": given, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client: httpx.AsyncClient, given: Any, **more: Any) -> Any:
    answer = await client.post(ROUTE, json={"model": NAME, "input": given, **more})
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


async def test_a_text_becomes_one_vector_with_its_usage(client: httpx.AsyncClient) -> None:
    body = await asked(client, "hello world", user="somebody")
    (vector,) = body["data"]
    assert (body["object"], body["model"], vector["object"], vector["index"]) == (
        "list",
        NAME,
        "embedding",
        0,
    )
    assert np.linalg.norm(vector["embedding"]) == pytest.approx(1, abs=1e-5)
    assert body["usage"] == {"prompt_tokens": 4, "total_tokens": 4}


async def test_texts_become_vectors_in_their_order(client: httpx.AsyncClient) -> None:
    both = await asked(client, ["first", "second"])
    assert [vector["index"] for vector in both["data"]] == [0, 1]
    alone = await asked(client, "second")
    assert both["data"][1]["embedding"] == pytest.approx(alone["data"][0]["embedding"], abs=1e-6)


async def test_tokens_are_read_as_the_text_that_they_spell(client: httpx.AsyncClient) -> None:
    text = (await asked(client, "hello world"))["data"][0]["embedding"]
    assert (await asked(client, [7592, 2088]))["data"][0]["embedding"] == pytest.approx(text, abs=1e-6)
    many = await asked(client, [[7592], [101, 7592, 2088, 102]])
    assert many["data"][1]["embedding"] == pytest.approx(text, abs=1e-6)


async def test_tokens_of_another_models_tokenizer_are_refused(client: httpx.AsyncClient) -> None:
    error = await refused(client, [[7592], [9906, 11, 1917]])
    assert error["param"] == "input[1]"
    assert "Send the text itself" in error["message"]


async def test_base64_holds_little_endian_floats(client: httpx.AsyncClient) -> None:
    plain = (await asked(client, "hello", encoding_format="float"))["data"][0]["embedding"]
    packed = (await asked(client, "hello", encoding_format="base64"))["data"][0]["embedding"]
    assert np.frombuffer(base64.b64decode(packed), "<f4") == pytest.approx(plain, abs=1e-6)


async def test_only_the_encoders_own_size_is_taken(client: httpx.AsyncClient, embedder: NanoEmbedder) -> None:
    assert await asked(client, "hello", dimensions=embedder.size)
    error = await refused(client, "hello", dimensions=embedder.size - 1)
    assert error["param"] == "dimensions"
    assert str(embedder.size) in error["message"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "the text is empty"),
        ("  ", "the text is empty"),
        (["fine", ""], "item 1 is empty"),
        ([], "neither a text"),
        ([[7592], []], "item 1 is empty"),
        (["fine", 3], "item 1 is not a text"),
        ([7592, "fine"], "holds what is no token"),
        ([True], "holds what is no token"),
        ([7592, -1], "spell no text"),
        (5, "neither a text"),
        (None, "neither a text"),
        ({"a": 1}, "neither a text"),
        (["x"] * (MAX_INPUTS + 1), f"the limit is {MAX_INPUTS}"),
    ],
)
async def test_an_input_that_cannot_be_embedded_is_refused(
    client: httpx.AsyncClient, given: Any, said: str
) -> None:
    error = await refused(client, given)
    assert error["param"].startswith("input")
    assert said in error["message"]


async def test_a_text_that_is_too_long_is_named_with_the_limit(
    client: httpx.AsyncClient, embedder: NanoEmbedder
) -> None:
    error = await refused(client, ["short", "word " * 400])
    assert error["param"] == "input[1]"
    assert f"402 tokens; the limit is {embedder.max_tokens}" in error["message"]
    assert (await refused(client, "word " * 400))["param"] == "input"


@pytest.mark.parametrize("name", ["input_type", "truncate"])
async def test_what_is_not_known_is_refused_by_name(client: httpx.AsyncClient, name: str) -> None:
    assert (await refused(client, "hello", **{name: "x"}))["param"] == name


@pytest.mark.parametrize("model", ["text-embedding-3-small", "tinyagent"])
async def test_another_model_is_not_found_and_the_right_one_named(
    client: httpx.AsyncClient, model: str
) -> None:
    answer = await client.post(ROUTE, json={"model": model, "input": "hello"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert NAME in answer.json()["error"]["message"]


async def test_a_server_without_an_encoder_says_so(make_api: MakeApi) -> None:
    answer = await make_api().client.post(ROUTE, json={"model": NAME, "input": "hello"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "model")
    assert "no encoder" in answer.json()["error"]["message"]


async def test_an_embedder_that_reads_no_tokens_refuses_them(make_api: MakeApi) -> None:
    client = make_api(embedder=Encoder()).client
    answer = await client.post(ROUTE, json={"model": "words", "input": [1]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")


@pytest.mark.parametrize("form", ["float", "base64", None])
async def test_the_openai_package_gets_the_same_numbers_in_each_form(
    serve: Serve, embedder: NanoEmbedder, form: Any
) -> None:
    served = await serve(embedder=embedder)
    (wanted,) = (await embedder.embed(["hello"])).vectors
    async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=ADMIN) as client:
        more = {"encoding_format": form} if form else {}
        found = await client.embeddings.create(model=NAME, input=["hello"], **more)
    vector: Any = found.data[0].embedding
    numbers = np.frombuffer(base64.b64decode(vector), "<f4") if isinstance(vector, str) else vector
    assert numbers == pytest.approx(wanted, abs=1e-6)
    assert found.usage.prompt_tokens == 3


class Slow(Encoder):
    """Never comes to an end by itself."""

    def __init__(self) -> None:
        self.began, self.stopped = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        self.began.set()
        try:
            await asyncio.sleep(3600)
            raise AssertionError
        finally:
            self.stopped.set()


async def test_leaving_stops_the_encoder(serve: Serve) -> None:
    encoder = Slow()
    served = await serve(embedder=encoder)

    async def read() -> None:
        async with served.api_client() as client:
            await client.post(ROUTE, json={"model": encoder.name, "input": "hello"})

    reading = asyncio.create_task(read())
    async with asyncio.timeout(10):
        await encoder.began.wait()
        reading.cancel()
        await encoder.stopped.wait()
    await asyncio.wait({reading})
