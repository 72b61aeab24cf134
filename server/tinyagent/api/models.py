"""`/v1/models`: the agent with each planner, and the models themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from tinyagent.api.serving import ServingHere
from tinyagent.engine.catalog import PlannerInfo
from tinyagent.errors import ModelNotFound

AGENT = "tinyagent"
CREATED = 0
"""OpenAI clients need the field; a planner's files have no date that means anything."""


def planner_of(model: str) -> str | None:
    """The planner that a model's name asks for; None is the default one. Raises ModelNotFound."""
    name, colon, planner = model.partition(":")
    if name != AGENT or (colon and not planner):
        raise ModelNotFound(
            f"There is no model {model!r}.",
            hint=f"Use `{AGENT}` or `{AGENT}:<planner>`; `GET /v1/models` lists them.",
            param="model",
        )
    return planner or None


router = APIRouter()


@router.get("/v1/models")
async def list_models(serving: ServingHere) -> dict[str, Any]:
    """The default agent, and the agent with each planner."""
    return {"object": "list", "data": _models(serving.runs.planners())}


@router.get("/v1/models/{model}")
async def get_model(model: str, serving: ServingHere) -> dict[str, Any]:
    """One of them."""
    planner_of(model)
    for known in _models(serving.runs.planners()):
        if known["id"] == model:
            return known
    raise ModelNotFound(f"There is no model {model!r}.", hint="`GET /v1/models` lists them.", param="model")


def _models(planners: Sequence[PlannerInfo]) -> list[dict[str, Any]]:
    default = [_model(AGENT, planner) for planner in planners if planner.default]
    return default + [_model(f"{AGENT}:{planner.name}", planner) for planner in planners]


def _model(name: str, planner: PlannerInfo) -> dict[str, Any]:
    own = {
        "planner": planner.name,
        "description": planner.description,
        "available": planner.available,
        "reason": planner.reason,
    }
    return {"id": name, "object": "model", "created": CREATED, "owned_by": AGENT, "tinyagent": own}
