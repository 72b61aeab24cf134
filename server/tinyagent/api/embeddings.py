"""`POST /v1/embeddings` by the bundled encoder."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Annotated, Literal, Protocol, cast, runtime_checkable

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tinyagent.api.serving import ServingHere
from tinyagent.api.waiting import GONE_STATUS, ClientGone, unless_gone
from tinyagent.errors import InvalidRequest, ModelNotFound
from tinyagent.ports import Embedder

router = APIRouter()

MAX_INPUTS = 2048


def _checked(value: object) -> object:
    """A text, its tokens, or a list of one of both. One sentence says what is wrong with another thing."""
    if isinstance(value, str):
        _check_item(value, str, "the text")
        return value
    if not isinstance(value, list) or not value:
        raise ValueError("it is neither a text, nor tokens, nor a list of them with at least one")
    items = cast("list[object]", value)
    if isinstance(items[0], int):
        _check_item(items, list, "the text")
        return items
    if len(items) > MAX_INPUTS:
        raise ValueError(f"it has {len(items)} items; the limit is {MAX_INPUTS}")
    for number, item in enumerate(items):
        _check_item(item, str if isinstance(items[0], str) else list, f"item {number}")
    return items


def _check_item(item: object, kind: type[object], name: str) -> None:
    if not isinstance(item, kind):
        raise ValueError(f"{name} is not {'a text' if kind is str else 'a list of tokens'}")
    if isinstance(item, str) and not item.strip():
        raise ValueError(f"{name} is empty")
    if isinstance(item, list) and not item:
        raise ValueError(f"{name} is empty")
    if isinstance(item, list) and {type(token) for token in cast("list[object]", item)} != {int}:
        raise ValueError(f"{name} holds what is no token")


Inputs = Annotated[str | list[str] | list[int] | list[list[int]], BeforeValidator(_checked)]


class EmbeddingRequest(BaseModel):
    """Texts, or their tokens by the encoder's own tokenizer, to be turned into vectors."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    """The encoder's name, as `GET /v1/models` tells it."""
    input: Inputs
    """A text, its tokens, or a list of up to 2,048 of one of both."""
    encoding_format: Literal["float", "base64"] | None = None
    """`float` (the default), or `base64`: 32-bit floats, little-endian."""
    dimensions: int | None = Field(None, ge=1)
    """Only the encoder's own size."""
    user: str | None = None
    """Checked, then without effect: for the caller's own bookkeeping, and not kept."""


class EmbeddingBody(BaseModel):
    """One vector: its numbers, or their 32-bit floats (little-endian) in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    """Tokens that were read."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(BaseModel):
    """The vectors, in the order of the inputs."""

    object: Literal["list"] = "list"
    data: list[EmbeddingBody]
    model: str
    usage: EmbeddingUsage


@runtime_checkable
class ReadsTokens(Protocol):
    """An embedder whose tokenizer can be asked what tokens stand for."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Their text. Raises InvalidRequest when they spell none."""
        ...


@router.post("/v1/embeddings", response_model=EmbeddingList)
async def embeddings(
    body: EmbeddingRequest, request: Request, serving: ServingHere
) -> EmbeddingList | Response:
    """Turn texts into vectors of length 1, whose cosine tells how near their meanings are."""
    embedder = _embedder(serving.embedder, body)
    try:
        found = await unless_gone(embedder.embed(_texts(body, embedder)), request)
    except ClientGone:
        return Response(status_code=GONE_STATUS)
    except InvalidRequest as error:
        if isinstance(body.input[0], (list, str)) and not isinstance(body.input, str):
            error.param = (error.param or "input").replace("texts", "input", 1)
        else:
            error.param = "input"
        raise
    encode = _base64 if body.encoding_format == "base64" else _numbers
    data = [
        EmbeddingBody(index=place, embedding=encode(vector)) for place, vector in enumerate(found.vectors)
    ]
    usage = EmbeddingUsage(prompt_tokens=found.tokens, total_tokens=found.tokens)
    return EmbeddingList(data=data, model=embedder.name, usage=usage)


def _embedder(embedder: Embedder | None, body: EmbeddingRequest) -> Embedder:
    """The encoder, if it is what the request asks for. Raises ModelNotFound or InvalidRequest."""
    if embedder is None or body.model != embedder.name:
        raise ModelNotFound(
            f"There is no embedding model {body.model!r}.",
            hint=f"Use {embedder.name!r}."
            if embedder
            else "This server has no encoder and so no embeddings.",
            param="model",
        )
    if body.dimensions not in (None, embedder.size):
        raise InvalidRequest(
            f"Vectors of {embedder.name} have {embedder.size} numbers, not {body.dimensions}.",
            hint="Leave `dimensions` out.",
            param="dimensions",
        )
    return embedder


def _texts(body: EmbeddingRequest, embedder: Embedder) -> list[str]:
    """The inputs as texts. Raises InvalidRequest for tokens that cannot be read."""
    if isinstance(body.input, str):
        return [body.input]
    if isinstance(body.input[0], int):
        return [_decoded(cast("list[int]", body.input), embedder, "input")]
    return [
        item if isinstance(item, str) else _decoded(cast("list[int]", item), embedder, f"input[{number}]")
        for number, item in enumerate(body.input)
    ]


def _decoded(tokens: list[int], embedder: Embedder, param: str) -> str:
    if not isinstance(embedder, ReadsTokens):
        raise InvalidRequest(f"{embedder.name} takes no tokens.", hint="Send the text itself.", param=param)
    try:
        return embedder.decode(tokens)
    except InvalidRequest as error:
        error.param = param
        raise


def _numbers(vector: Sequence[float]) -> list[float]:
    return list(vector)


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
