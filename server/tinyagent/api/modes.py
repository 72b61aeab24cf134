"""What a model's name asks for: the agent, function calling, or the model itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyagent.api.models import AGENT
from tinyagent.engine.catalog import PlannerCatalog, PlannerInfo
from tinyagent.errors import InvalidRequest, ModelNotFound, ModelUnavailable

ModeName = Literal["agent", "calling", "plain"]


@dataclass(frozen=True)
class Mode:
    """`agent` plans over the server's tools and runs them, `calling` plans over the client's, `plain` is the
    model itself. `model` is the planner's or chat model's own name; None is the default planner. `chats` says
    whether it writes prose, so that it minds itself how long that is and where it stops."""

    name: ModeName
    model: str | None
    chats: bool


def mode_of(model: str, has_tools: bool, catalog: PlannerCatalog) -> Mode:
    """The mode of a request; nothing is loaded. Raises ModelNotFound, or InvalidRequest or ModelUnavailable
    for a model that cannot do what is asked."""
    first, colon, rest = model.partition(":")
    if first == AGENT and (rest or not colon):
        name = rest or None
        info = _planning(_known(model, name, catalog))
        return Mode("calling" if has_tools else "agent", name, info.chats)
    info = _known(model, model, catalog)
    if has_tools:
        return Mode("calling", model, _planning(info).chats)
    _check_chats(info)
    return Mode("plain", model, info.chats)


def _known(model: str, name: str | None, catalog: PlannerCatalog) -> PlannerInfo:
    for info in catalog.infos():
        if info.name == name or (name is None and info.default):
            return info
    raise ModelNotFound(
        f"There is no model {model!r}.",
        hint=f"Use `{AGENT}`, `{AGENT}:<planner>` or a model's own id; `GET /v1/models` lists them.",
        param="model",
    )


def _planning(info: PlannerInfo) -> PlannerInfo:
    if not info.plans:
        raise InvalidRequest(
            f"The model {info.name} does not plan: it only chats.",
            hint=f"Use {info.name!r} without `tools`, or another model.",
            param="model",
        )
    return info


def _check_chats(info: PlannerInfo) -> None:
    if not info.chats:
        raise InvalidRequest(
            f"The model {info.name} only plans: it writes no prose.",
            hint=f"Use `{AGENT}:{info.name}` for the agent, or send `tools`.",
            param="model",
        )
    if not info.available:
        raise ModelUnavailable(f"The model {info.name} cannot be used: {info.reason}.", param="model")
