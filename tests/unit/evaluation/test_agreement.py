"""When single arguments agree, class by class."""

from __future__ import annotations

import pytest

from tinyagent.domain.plan import Call
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.evaluation.agreement import CLASSES, disagreements, token_f1
from tinyagent.tools.registry import BUILT_IN


def call(text: str, number: int = 9) -> Call:
    return parse_plan(f"{number}. {text}\n{number + 1}. join()").calls[0]


def disagree(expected: str, given: str, translation: dict[int, int] | None = None) -> list[str]:
    return disagreements(call(expected), call(given), translation or {})


REMINDER = 'create_reminder("{}", "{}", "", "{}", {}, {})'


def reminder(
    name: str = "Feed the cat",
    due: str = "2024-06-07",
    listed: str = "",
    priority: str = "0",
    flag: str = "True",
) -> str:
    return REMINDER.format(name, due, listed, priority, flag)


@pytest.mark.parametrize(
    ("expected", "given", "parameters"),
    [
        (reminder(), reminder(), []),
        (reminder(due="2024-06-07"), reminder(due="2024-06-08"), ["due_date"]),
        (reminder(due="2024-06-07"), reminder(due="2024-06-07 00:00:00"), ["due_date"]),
        (reminder(priority="1"), reminder(priority="5"), ["priority"]),
        (reminder(priority="0"), reminder(priority="False"), ["priority"]),
        (reminder(flag="True"), reminder(flag="1"), ["all_day"]),
        (reminder(listed="The Garden"), reminder(listed="garden"), []),
        (reminder(listed="Garden"), reminder(listed="House"), ["list_name"]),
        (reminder(name="Feed the cat"), reminder(name="feed the cat tonight"), []),
        (reminder(name="Feed the cat"), reminder(name="Pay the rent"), ["name"]),
        ('open_note("the Recipes", "")', 'open_note("recipes", "")', []),
        ('open_note("An idea", "")', 'open_note("idea", "")', []),
        ('open_note("A", "")', 'open_note("", "")', ["name"]),
        ('open_note("Theatre", "")', 'open_note("atre", "")', ["name"]),
        ('open_note("Big  plans", "")', 'open_note(" big plans ", "")', []),
        ('summarize_pdf("/home/a/Tax.pdf")', 'summarize_pdf("/home/a/tax.pdf")', ["pdf_path"]),
        ('maps_show_directions("", "the Zoo", "w")', 'maps_show_directions("", "zoo", "w")', []),
        ('maps_show_directions("", "Zoo", "w")', 'maps_show_directions("", "Zoo", "d")', ["transport"]),
        ('send_sms(["+49 1", "+49 2"], "Hi")', 'send_sms(["+49 2", "+49 1"], "Hi")', []),
        ('send_sms(["+49 1"], "Hi")', 'send_sms(["+49 1", "+49 2"], "Hi")', ["recipients"]),
        ('send_sms(["+49 1"], "Hi")', 'send_sms("+49 1", "Hi")', ["recipients"]),
        ('reply_to_email([], "I\'m late", [])', 'reply_to_email([], "i’m late!", [])', []),
        ('reply_to_email([], "", [])', 'reply_to_email([], "Hello", [])', ["context"]),
        ('reply_to_email([], "", ["/a", "/b"])', 'reply_to_email([], "", ["/b", "/a"])', []),
        ('create_note("Smile", "☺", "")', 'create_note("Smile", "☺", "")', []),
        ('create_note("Smile", "☺", "")', 'create_note("Smile", "☹", "")', ["content"]),
    ],
)
def test_arguments_agree_by_their_class(expected: str, given: str, parameters: list[str]) -> None:
    assert [name.partition(".")[2] for name in disagree(expected, given)] == parameters


@pytest.mark.parametrize(
    ("expected", "given", "agree"),
    [
        ("$1", "$4", True),
        ("$1", "Here it is: $4", True),
        ("The agenda: $1", "$4", True),
        ("The agenda: $1", "the agenda is $4", True),
        ("The agenda: $1", "Completely other words $4", False),
        ("The agenda: $1 and $2", "The agenda: $5 and $4", True),
        ("The agenda: $1 and $2", "The agenda: $4", False),
        ("The agenda: $1", "The agenda", False),
        ("$1", "$5", False),
        ("$1 $1", "$4", True),
        ("Costs $$25", "costs $$25", True),
    ],
)
def test_references_in_free_text_are_a_set_apart_from_the_words(
    expected: str, given: str, agree: bool
) -> None:
    translation = {4: 1, 5: 2}
    result = disagree(f'create_note("N", "{expected}", "")', f'create_note("N", "{given}", "")', translation)
    assert (result == []) is agree


@pytest.mark.parametrize(
    ("expected", "given", "agree"),
    [
        ('["$1", "$2"]', '["$5", "$4"]', True),
        ('["$1", "a@b.org"]', '["A@b.org", "$4"]', True),
        ('["$1"]', '["$5"]', False),
        ('["$1"]', '["$7"]', False),
    ],
)
def test_references_in_lists_are_translated(expected: str, given: str, agree: bool) -> None:
    result = disagree(f'send_sms({expected}, "Hi")', f'send_sms({given}, "Hi")', {4: 1, 5: 2})
    assert (result == []) is agree


def test_every_built_in_parameter_has_a_class() -> None:
    specs = [tool.spec for tool in BUILT_IN]
    assert {spec.name: [parameter.name for parameter in spec.parameters] for spec in specs} == {
        tool: list(parameters) for tool, parameters in CLASSES.items()
    }


def test_token_f1_counts_repeated_words() -> None:
    assert token_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)
    assert token_f1(["a"], ["b"]) == 0
    assert token_f1(["a", "b"], ["a", "b", "c", "d"]) == pytest.approx(2 / 3)
