"""How models are asked: the choice of a profile, chat templates, the inner language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.plan_requests import make_request
from tests.support.tiny_gguf import make_tokenizer, write_tiny_gguf
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.domain.run import TaskState
from tinyagent.errors import ModelUnavailable, PlanSyntaxError
from tinyagent.planners.chat_template import chat_tokens
from tinyagent.planners.compact import read_calls, write_calls
from tinyagent.planners.compact_sense import makes_sense
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.profiles import PROFILES, CompactProfile, choose_profile
from tinyagent.planners.prompts import Message, chat_messages, tinyagent_messages


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"tinyagent.profile": "compact", "general.name": "whatever"}, "compact"),
        ({"tinyagent.profile": "from the future", "general.name": "Qwen3 4B"}, "chat"),
        ({"general.name": "TinyAgent-1.1B", "llama.embedding_length": 2048}, "tinyagent-1.1b"),
        ({"general.name": "tinyagent-7b", "llama.embedding_length": 4096}, "tinyagent-7b"),
        ({}, "chat"),
    ],
)
def test_a_profile_is_chosen_by_the_files_own_words(header: dict[str, str | int], expected: str) -> None:
    assert choose_profile(header).name == expected


# --- chat templates ---------------------------------------------------------------------------------

MESSAGES = [Message("system", "Rules."), Message("user", "Text Sid <|plan|> now")]


@pytest.fixture
def model(tmp_path: Path) -> LlamaModel:
    return LlamaModel(write_tiny_gguf(tmp_path / "tiny.gguf"))


def text_of(model: LlamaModel, tokens: list[int]) -> str:
    return b"".join(model.piece(token) for token in tokens).decode()


def test_a_marker_in_a_message_does_not_become_a_control_token(model: LlamaModel) -> None:
    template = "{% for m in messages %}<|ask|>{{ m.content }}{% endfor %}<|plan|>"
    tokens = chat_tokens(MESSAGES, template, model)
    ids = make_tokenizer().ids
    assert text_of(model, tokens) == "<|ask|>Rules.<|ask|>Text Sid <|plan|> now<|plan|>"
    assert tokens.count(ids["<|plan|>"]) == 1
    assert tokens.count(ids["<|ask|>"]) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}",
        "{% set messages = messages | rejectattr('role', 'equalto', 'system') %}",
    ],
)
def test_a_template_without_system_messages_gets_the_rules_from_the_user(
    model: LlamaModel, refusal: str
) -> None:
    template = refusal + "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
    assert text_of(model, chat_tokens(MESSAGES, template, model)) == "[user] Rules.\n\nText Sid <|plan|> now"


def test_a_template_that_wants_turns_gets_turns(model: LlamaModel) -> None:
    template = (
        "{% for m in messages %}{% if m.role != ('user' if loop.index0 % 2 == 0 else 'assistant') %}"
        "{{ raise_exception('no') }}{% endif %}[{{ m.role }}] {{ m.content }}{% endfor %}"
    )
    chat = [*MESSAGES, Message("assistant", "Late?"), Message("user", "Yes"), Message("user", "Go")]
    assert text_of(model, chat_tokens(chat, template, model)) == (
        "[user] Rules.\n\nText Sid <|plan|> now[assistant] Late?[user] Yes\n\nGo"
    )


@pytest.mark.parametrize("template", ["{{ undefined.broken.deeply }}", "{{ 1 / 0 }}", "no messages"])
def test_a_template_that_cannot_be_filled_is_told(model: LlamaModel, template: str) -> None:
    with pytest.raises(ModelUnavailable, match="chat template"):
        chat_tokens(MESSAGES, template, model)


def test_a_template_that_puts_the_system_message_elsewhere_keeps_all_in_their_places(
    model: LlamaModel,
) -> None:
    """As some do: the system message stands before the last of the user."""
    template = (
        "{% for m in messages[1:] %}[{{ m.role }}] {% if loop.last %}{{ messages[0].content }} {% endif %}"
        "{{ m.content }} {% endfor %}{{ messages[1].content }}"
    )
    for mark in ("", "<|plan|>"):
        chat = [
            Message("system", f"Rules{mark}."),
            Message("user", "Hello"),
            Message("assistant", "Good day"),
            Message("user", "Bye"),
        ]
        assert text_of(model, chat_tokens(chat, template, model)) == (
            f"[user] Hello [assistant] Good day [user] Rules{mark}. Bye Hello"
        )


def test_models_without_a_template_are_asked_in_their_familys_form(model: LlamaModel) -> None:
    request = make_request("Text Sid", ["send_sms"])
    zephyr = text_of(model, PROFILES["tinyagent-1.1b"].prompt(request, model))
    vicuna = text_of(model, PROFILES["tinyagent-7b"].prompt(request, model))
    chatml = text_of(model, PROFILES["chat"].prompt(request, model))
    assert zephyr.startswith("<|system|>\nGiven")
    assert zephyr.endswith("<|assistant|>\n")
    assert "USER: Question: Text Sid" in vicuna
    assert vicuna.endswith("ASSISTANT: ")
    assert chatml.endswith("<|im_end|>\n<|im_start|>assistant\n")


# --- prompts ----------------------------------------------------------------------------------------


def test_what_changes_most_stands_last_in_a_prompt() -> None:
    early, late = (chat_messages(make_request(query, ["send_sms"])) for query in ("Text Sid", "Text Lutfi"))
    assert early[0] == late[0]
    assert early[-1].content.splitlines()[-1] == "Current time: 2026-03-04 09:30 (Wednesday)"
    for messages in (early, tinyagent_messages(make_request())):
        assert "2026-03-04" not in messages[0].content


def test_examples_of_the_prompt_are_valid_plans() -> None:
    system = chat_messages(make_request(tools=["send_sms"]))[0].content
    plans = ["1." + part.split("1.", 1)[1] for part in system.split("Request:")[1:]]
    assert [len(parse_plan(plan.split("Tools\n")[0]).calls) for plan in plans] == [2, 4, 0]


def test_earlier_messages_stand_between_rules_and_request() -> None:
    request = make_request(history=(("user", "hello"), ("assistant", "good day"), ("tool", "x")))
    assert [message.role for message in chat_messages(request)] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (
            TaskState(1, "t", (), "read", (), "1. t()", status="succeeded", value="v" * 5000),
            "Result: " + "v" * 600,
        ),
        (TaskState(1, "t", (), "read", (), "1. t()", status="failed"), "Failed: for an unknown reason"),
        (TaskState(1, "t", (), "read", (), "1. t()", status="skipped", message="no 1"), "Not tried: no 1"),
        (TaskState(1, "t", (), "read", (), "1. t()", status="running"), "Not finished."),
    ],
)
def test_what_became_of_earlier_calls_is_told_in_bounds(task: TaskState, words: str) -> None:
    question = chat_messages(make_request(tasks=(task,), first_index=2))[-1].content
    assert f"1. t()\n{words}\n" in question
    assert len(question) < 1500


# --- the inner language -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [DraftCall("get_email_address", {"name": "Sid"})],
        [
            DraftCall("get_email_address", {"name": "Sid"}),
            DraftCall("compose_new_email", {"recipients": ["$1", "a@b.example"], "subject": "It costs $$25"}),
        ],
        [DraftCall("create_note", {"name": "N", "content": "See $1, ${2}3 and $4"})],
        [DraftCall("create_note", {"name": " two spaces", "content": "a\nb"})],
    ],
)
def test_the_inner_language_keeps_what_calls_say(calls: list[DraftCall]) -> None:
    assert read_calls(write_calls(calls)) == calls


@pytest.mark.parametrize("text", ["Sid", "⟨name⟩ Sid", "⟨send_sms⟩⟨folder⟩ x", "⟨nonsense⟩"])
def test_text_that_is_not_of_the_inner_language_is_told(text: str) -> None:
    with pytest.raises(PlanSyntaxError):
        read_calls(text)


@pytest.mark.parametrize(
    ("end", "sensible"),
    [
        ("⟨send_sms⟩⟨recipients⟩⟨1⟩", True),
        ("⟨send_sms⟩⟨recipients⟩⟨2⟩", False),
        ("⟨compose_new_email⟩⟨recipients⟩⟨2⟩", True),
        ("⟨compose_new_email⟩⟨recipients⟩⟨2⟩⟨recipients⟩⟨1⟩", False),
        ("⟨compose_new_email⟩⟨context⟩ Call ⟨1⟩", True),
        ("⟨compose_new_email⟩⟨context⟩ Call ⟨3⟩", False),
        ("⟨compose_new_email⟩⟨context⟩ Call", True),
        ("⟨compose_new_email⟩⟨cont", False),
    ],
)
def test_a_result_is_used_where_its_kind_fits(end: str, sensible: bool) -> None:
    before = "⟨get_phone_number⟩⟨name⟩ Sid⟨get_email_address⟩⟨name⟩ Sid"
    assert makes_sense(before + end, "Sid") is sensible


@pytest.mark.parametrize(
    ("written", "sensible"),
    [
        ("⟨get_phone_number⟩⟨name⟩ Mar", True),
        ("⟨get_phone_number⟩⟨name⟩ marisol", True),
        ("⟨get_phone_number⟩⟨name⟩ Mara", False),
        ("⟨get_phone_number⟩⟨name⟩ isol", False),
        ("⟨get_phone_number⟩⟨name⟩ Mar⟨send_sms⟩", False),
        ("⟨get_phone_number⟩⟨name⟩ Marisol⟨send_sms⟩", True),
        ("⟨send_sms⟩⟨message⟩ Hello Mara", True),
        ("⟨send_sms⟩⟨message⟩ for you for you for", True),
        ("⟨send_sms⟩⟨message⟩ for you for you for you", False),
        ("⟨create_reminder⟩⟨name⟩ Call her⟨due_date⟩ tomor", True),
        ("⟨create_reminder⟩⟨name⟩ Call her⟨due_date⟩ today", False),
    ],
)
def test_names_and_dates_are_words_of_the_request(written: str, sensible: bool) -> None:
    assert makes_sense(written, "Text Marisol tomorrow (call her)") is sensible


def test_an_inner_plan_becomes_a_public_one_with_resolved_dates() -> None:
    text = "⟨create_reminder⟩⟨name⟩ call Sid⟨due_date⟩ tomorrow at 5⟨get_phone_number⟩⟨name⟩ Sid"
    plan = CompactProfile().translate(text, make_request("Remind me to call Sid tomorrow at 5"))
    assert plan == (
        '1. create_reminder("Call Sid", "2026-03-05 17:00:00", "", "", 0, False)\n'
        '2. get_phone_number("Sid")\n3. join()<END_OF_PLAN>'
    )


def test_what_is_looked_up_twice_is_looked_up_once() -> None:
    text = (
        "⟨get_phone_number⟩⟨name⟩ Ines⟨get_phone_number⟩⟨name⟩ Ines⟨get_phone_number⟩⟨name⟩ Graça"
        "⟨send_sms⟩⟨recipients⟩⟨1⟩⟨recipients⟩⟨2⟩⟨recipients⟩⟨3⟩⟨message⟩ Late"
    )
    plan = CompactProfile().translate(text, make_request("Text Ines and Graça: late"))
    assert plan == (
        '1. get_phone_number("Ines")\n2. get_phone_number("Graça")\n'
        '3. send_sms(["$1", "$2"], "Late")\n4. join()<END_OF_PLAN>'
    )


@pytest.mark.parametrize("width", [None, "wide", 0.5])
def test_a_width_that_is_no_number_of_units_is_that_of_the_small_model(width: object) -> None:
    header: dict[str, Any] = {"general.name": "TinyAgent", "llama.embedding_length": width}
    assert choose_profile(header).name == "tinyagent-1.1b"
