"""`/v1/models`: the agent with each planner, the models that chat by themselves, and the encoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from tinyagent.api.serving import Serving, ServingHere
from tinyagent.engine.catalog import PlannerInfo
from tinyagent.errors import ModelNotFound
from tinyagent.ports import Embedder

AGENT = "tinyagent"
CREATED = 0
"""OpenAI clients need the field; a planner's files have no date that means anything."""

Capability = Literal[
    "agent", "function_calling", "function_calling:built_in", "chat", "json_schema", "embeddings"
]
"""`function_calling:built_in` is over tools named and shaped as the server's own; without the addition, over
any tool."""


class ModelDetails(BaseModel):
    """What OpenAI's model object has no fields for. `reason` says why a model is not available."""

    planner: str | None
    description: str
    available: bool
    reason: str
    capabilities: list[Capability]


class ModelBody(BaseModel):
    """One model."""

    id: str
    object: Literal["model"] = "model"
    created: int = CREATED
    owned_by: str = AGENT
    tinyagent: ModelDetails


class ModelList(BaseModel):
    """All models; the first one is the agent with the default planner."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


router = APIRouter()


@router.get("/v1/models")
async def list_models(serving: ServingHere) -> ModelList:
    """The agent with its default planner and with each one, and the models themselves."""
    return ModelList(data=list(_models(serving)))


@router.get("/v1/models/{model}")
async def get_model(model: str, serving: ServingHere) -> ModelBody:
    """One of them."""
    for known in _models(serving):
        if known.id == model:
            return known
    raise ModelNotFound(f"There is no model {model!r}.", hint="`GET /v1/models` lists them.", param="model")


def _models(serving: Serving) -> Iterator[ModelBody]:
    planners = serving.runs.planners()
    for planner in planners:
        if planner.default and planner.plans:
            yield _agent(AGENT, planner)
    for planner in planners:
        if planner.plans:
            yield _agent(f"{AGENT}:{planner.name}", planner)
    for planner in planners:
        if planner.chats:
            calling: list[Capability] = ["function_calling"] if planner.plans else []
            yield _model(planner.name, planner, [*calling, "chat", "json_schema"])
    if serving.embedder is not None:
        yield _encoder(serving.embedder)


def _agent(name: str, planner: PlannerInfo) -> ModelBody:
    calling: Capability = "function_calling" if planner.chats else "function_calling:built_in"
    return _model(name, planner, ["agent", calling])


def _model(name: str, planner: PlannerInfo, capabilities: list[Capability]) -> ModelBody:
    return ModelBody(
        id=name,
        tinyagent=ModelDetails(
            planner=planner.name,
            description=planner.description,
            available=planner.available,
            reason=planner.reason,
            capabilities=capabilities,
        ),
    )


def _encoder(embedder: Embedder) -> ModelBody:
    description = f"vectors of {embedder.size} numbers, texts of up to {embedder.max_tokens} tokens"
    return ModelBody(
        id=embedder.name,
        tinyagent=ModelDetails(
            planner=None, description=description, available=True, reason="", capabilities=["embeddings"]
        ),
    )
