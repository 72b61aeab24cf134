"""What a model's name asks for."""

from __future__ import annotations

import pytest

from tests.support.scripted import ScriptedPlanner
from tests.support.scripted_chat import ScriptedChat, add_chat
from tinyagent.api.modes import Mode, mode_of
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.errors import InvalidRequest, ModelNotFound, ModelUnavailable


def catalog() -> PlannerCatalog:
    """`quick`, the default, only plans; `talker` also chats; `gone` would, but its file is missing; `writer`
    only chats."""
    planner = ScriptedPlanner("")
    made = PlannerCatalog([PlannerEntry("quick", "plans", lambda: planner, lambda: "")], "quick")
    add_chat(made, ScriptedChat(), planner)
    add_chat(made, ScriptedChat(name="gone"), planner, "its file is missing")
    chat = ScriptedChat(name="writer")
    writer = PlannerEntry("writer", "writes", None, lambda: "", load_chat=lambda: chat)
    return PlannerCatalog([*made._entries.values(), writer], "quick")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("model", "has_tools", "mode"),
    [
        ("tinyagent", False, Mode("agent", None, False)),
        ("tinyagent", True, Mode("calling", None, False)),
        ("tinyagent:talker", False, Mode("agent", "talker", True)),
        ("tinyagent:talker", True, Mode("calling", "talker", True)),
        ("talker", True, Mode("calling", "talker", True)),
        ("talker", False, Mode("plain", "talker", True)),
        ("quick", True, Mode("calling", "quick", False)),
        ("writer", False, Mode("plain", "writer", True)),
    ],
)
def test_the_name_and_the_tools_decide(model: str, has_tools: bool, mode: Mode) -> None:
    assert mode_of(model, has_tools, catalog()) == mode


@pytest.mark.parametrize(
    "model", ["", "tinyagent:", "tinyagent:none", "none", "Tinyagent", "talker:x", ":talker"]
)
@pytest.mark.parametrize("has_tools", [False, True])
def test_a_name_that_nothing_has_is_not_found(model: str, has_tools: bool) -> None:
    with pytest.raises(ModelNotFound) as refused:
        mode_of(model, has_tools, catalog())
    assert refused.value.param == "model"


def test_a_model_that_only_plans_is_no_partner_for_a_chat() -> None:
    with pytest.raises(InvalidRequest, match="only plans"):
        mode_of("quick", False, catalog())


def test_a_chat_with_a_model_that_is_not_there_is_refused_with_the_reason() -> None:
    with pytest.raises(ModelUnavailable, match="its file is missing"):
        mode_of("gone", False, catalog())


@pytest.mark.parametrize(
    ("model", "has_tools"), [("tinyagent:writer", False), ("tinyagent:writer", True), ("writer", True)]
)
def test_a_model_that_only_chats_plans_nothing(model: str, has_tools: bool) -> None:
    with pytest.raises(InvalidRequest, match="does not plan") as refused:
        mode_of(model, has_tools, catalog())
    assert refused.value.param == "model"
