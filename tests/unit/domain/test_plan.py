"""The plan language, text to objects and back."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyagent.domain.plan import END_OF_PLAN, Call, Plan, Reference, Template, format_plan, substitute
from tinyagent.domain.plan_parser import PlanParser, parse_call, parse_plan, read_string
from tinyagent.errors import PlanReferenceError, PlanSyntaxError

EXAMPLE = """1. get_email_address("Sid")
2. get_email_address("Lutfi")
Thought: both take part
3. create_calendar_event("Sync", "2024-06-07 15:00:00", "2024-06-07 16:00:00", "", ["$1", "$2"], "", "")
4. join()<END_OF_PLAN>"""

# A literal dollar directly before a reference cannot be written in the language.
TEXT = st.text().filter(lambda text: not text.endswith("$"))


def test_the_example_of_the_language_is_read_with_its_references_and_thoughts() -> None:
    plan = parse_plan(EXAMPLE)
    assert [call.tool for call in plan.calls] == [
        "get_email_address",
        "get_email_address",
        "create_calendar_event",
    ]
    assert plan.calls[2].references == {1, 2}
    assert plan.calls[2].thought == "both take part"
    assert plan.calls[2].arguments[4] == [Template((Reference(1),)), Template((Reference(2),))]


def test_a_plan_of_join_alone_is_empty() -> None:
    assert parse_plan(f"1. join(){END_OF_PLAN}") == Plan(())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$1", Template((Reference(1),))),
        ("${12}", Template((Reference(12),))),
        ("The agenda: $2!", Template(("The agenda: ", Reference(2), "!"))),
        ("$$25", "$25"),
        ("$$$$5", "$$$5"),
        ("US$ and 5$", "US$ and 5$"),
        ("$name {1} $", "$name {1} $"),
    ],
)
def test_strings_hold_references_and_escaped_dollars(text: str, value: object) -> None:
    assert read_string(text) == value


def test_substitution_happens_once_and_leaves_dollars_of_results_alone() -> None:
    call = parse_call('3. send(["$1"], "Agenda: $2, $$5", 3, True, "")')
    assert substitute(call, {1: "$2", 2: "a $1 b"}) == [["$2"], "Agenda: a $1 b, $5", 3, True, ""]
    with pytest.raises(PlanReferenceError):
        substitute(call, {1: "x"})


@pytest.mark.parametrize(
    "text", ["1. get(", '1. get("a', '1. get("a"', "hello\nworld\n", '1 get("a")\n', "x" * 30_000]
)
def test_what_is_no_plan_is_an_error(text: str) -> None:
    with pytest.raises(PlanSyntaxError):
        parse_plan(text)


def test_everything_after_join_is_ignored() -> None:
    assert len(parse_plan('1. a("x")\n2. join()<END_OF_PLAN>\n3. a("$9")').calls) == 1


@given(st.text())
def test_no_text_makes_the_parser_raise_anything_but_its_own_errors(text: str) -> None:
    with contextlib.suppress(PlanSyntaxError, PlanReferenceError):
        parse_plan(text)


values = st.one_of(TEXT, st.booleans(), st.integers(0, 9), st.lists(TEXT, max_size=3))


@given(
    st.lists(st.tuples(st.sampled_from(["a", "create_note"]), st.lists(values, max_size=4)), max_size=5),
    st.randoms(),
)
def test_every_plan_survives_writing_and_reading_in_pieces(
    calls: list[tuple[str, list[object]]], chance: random.Random
) -> None:
    plan = [Call(n, tool, tuple(arguments)) for n, (tool, arguments) in enumerate(calls, 1)]  # type: ignore[arg-type]
    text = format_plan(plan)
    parser = PlanParser()
    read: list[Call] = []
    while text:
        size = chance.randint(1, 9)
        read += parser.feed(text[:size])
        text = text[size:]
    parser.close()
    assert read[:-1] == plan
    assert read[-1].is_join


@given(TEXT, st.integers(1, 99), st.text(st.characters(codec="utf-8", exclude_characters="$")))
def test_templates_survive_writing_and_reading(before: str, index: int, after: str) -> None:
    parts = tuple(part for part in (before, Reference(index), after) if part != "")
    call = Call(100, "a", (Template(parts),))
    assert parse_plan(format_plan([call])).calls == (call,)


def test_a_call_may_go_over_several_lines_outside_its_strings_too() -> None:
    text = '1. put(\n    "a\nb",\n    ["c",\n     "d\\\ne"],\n)\n2. join()'
    assert parse_plan(text).calls[0].arguments == ("a\nb", ["c", "de"])


def test_numbers_too_long_to_be_calls_are_errors_or_text() -> None:
    with pytest.raises(PlanSyntaxError):
        parse_plan(f'{"1" * 5000}. get("a")\n')
    assert parse_call(f'1. get("${"1" * 5000}")').arguments == (f"${'1' * 5000}",)


def test_an_emoji_written_as_two_halves_is_one_and_a_lone_half_is_marked() -> None:
    assert parse_call(r'1. get("\ud83e\udd8a", ["\ud83e"])').arguments == ("🦊", ["\ufffd"])
