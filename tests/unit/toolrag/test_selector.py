"""The rules by which tools are selected."""

from __future__ import annotations

from typing import ClassVar

from tinyagent.domain.tools import ToolSpec
from tinyagent.toolrag.selector import ClassifierSelector, SelectionRules, choose

RULES = SelectionRules(scope=0.3, threshold=0.05, at_least=2)


def test_nothing_is_selected_when_no_tool_is_probable() -> None:
    assert choose({"send_sms": 0.29, "open_note": 0.2}, RULES) == ()


def test_tools_above_the_threshold_come_most_probable_first() -> None:
    scores = {"open_note": 0.4, "create_reminder": 0.9, "reply_to_email": 0.06, "create_note": 0.01}
    assert choose(scores, RULES) == ("create_reminder", "open_note", "reply_to_email")


def test_the_best_few_are_offered_in_any_case() -> None:
    scores = {"create_reminder": 0.9, "create_note": 0.01, "open_note": 0.001}
    assert choose(scores, RULES) == ("create_reminder", "create_note")


def test_what_a_tool_needs_comes_with_it() -> None:
    scores = {"send_sms": 0.9, "create_note": 0.02, "get_phone_number": 0.001}
    assert choose(scores, RULES) == ("send_sms", "create_note", "get_phone_number")


def test_an_improbable_tool_brings_no_helpers() -> None:
    scores = {"create_reminder": 0.9, "send_sms": 0.06, "get_phone_number": 0.001}
    assert choose(scores, RULES) == ("create_reminder", "send_sms")


def test_a_disabled_helper_stays_out() -> None:
    assert choose({"send_sms": 0.9}, RULES) == ("send_sms",)


def test_a_tool_with_a_threshold_of_its_own_is_held_to_that() -> None:
    rules = SelectionRules(
        scope=0.3, threshold=0.05, at_least=1, thresholds={"open_note": 0.001, "create_note": 0.04}
    )
    scores = {"create_reminder": 0.9, "create_note": 0.03, "open_note": 0.002, "forward_email": 0.02}
    assert choose(scores, rules) == ("create_reminder", "open_note")


class Fitted:
    """A classifier whose thresholds were fitted."""

    thresholds: ClassVar = {"open_note": 0.01, "create_note": 0.5}

    async def probabilities(self, text: str) -> dict[str, float]:
        known = {"create_reminder": 0.9, "open_note": 0.011, "create_note": 0.4}
        return {**known, "reply_to_email": 0.021}


async def test_a_selector_takes_the_thresholds_that_were_fitted_to_its_classifier() -> None:
    names = ("create_reminder", "open_note", "create_note", "reply_to_email")
    tools = [ToolSpec(name, name, (), "text", "read") for name in names]
    rules = SelectionRules(at_least=1, thresholds=Fitted.thresholds)
    selected = (await ClassifierSelector(Fitted(), rules).select("do it", tools)).tools
    assert selected == ("create_reminder", "reply_to_email", "open_note")
    usual = (await ClassifierSelector(Fitted()).select("do it", tools)).tools
    assert usual == ("create_reminder", "create_note", "reply_to_email", "open_note")
    common = (await ClassifierSelector(Fitted(), SelectionRules(at_least=1)).select("do it", tools)).tools
    assert common == ("create_reminder", "create_note", "reply_to_email")
