"""The rules by which tools are selected."""

from __future__ import annotations

from tinyagent.toolrag.selector import SelectionRules, choose

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
