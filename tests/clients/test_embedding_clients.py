"""Embeddings by every client that asks for them, as numbers and as base64."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.clients import Clients
from tests.support.server import Server

TEXTS = ["The ferry is late.", "The boat will not be on time.", "A recipe for plum cake."]
CLIENTS = ["openai-oldest", "openai-2", "openai-newest", "openai-node", "langchain", "litellm"]


@pytest.fixture(scope="module")
def model(server: Server) -> str:
    """The model that embeds, as the list of models tells."""
    with server.client() as client:
        listed = client.get("/v1/models").raise_for_status().json()["data"]
    (found,) = [model["id"] for model in listed if "embeddings" in model["tinyagent"]["capabilities"]]
    return found


def vectors(clients: Clients, name: str, model: str) -> list[list[float]]:
    if name == "langchain":
        return clients[name]("embed", model=model, texts=TEXTS)
    told = clients[name]("embed", model=model, input=TEXTS)
    return [item["embedding"] for item in told["data"]]


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", CLIENTS)
def test_like_texts_have_like_vectors(clients: Clients, model: str, name: str) -> None:
    late, boat, cake = vectors(clients, name, model)
    assert all(math.isclose(likeness(vector, vector), 1, abs_tol=1e-3) for vector in (late, boat, cake))
    assert likeness(late, boat) > likeness(late, cake)


def test_all_clients_receive_the_same_vectors(clients: Clients, model: str) -> None:
    received = [vectors(clients, name, model) for name in CLIENTS]
    for other in received[1:]:
        for one, same in zip(received[0], other, strict=True):
            assert one == pytest.approx(same, abs=1e-6)


@pytest.mark.parametrize("name", ["openai-2", "openai-newest"])
def test_base64_holds_four_bytes_for_each_number(clients: Clients, model: str, name: str) -> None:
    numbers = clients[name]("embed", model=model, input=TEXTS, encoding_format="float")
    packed: dict[str, Any] = clients[name]("embed", model=model, input=TEXTS, encoding_format="base64")
    for plain, coded in zip(numbers["data"], packed["data"], strict=True):
        assert coded["bytes"] == 4 * len(plain["embedding"])
    assert numbers["usage"]["total_tokens"] == packed["usage"]["total_tokens"] > 0
