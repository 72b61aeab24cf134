"""DAG success and arguments-exact on pairs of small plans."""

from __future__ import annotations

import pytest

from tinyagent.domain.plan_parser import parse_plan
from tinyagent.evaluation.scoring import Score, score_plan

JOIN = "join()<END_OF_PLAN>"


def score(reference: str, generated: str) -> Score:
    return score_plan(parse_plan(reference), generated)


def plan(*calls: str) -> str:
    lines = [*calls, JOIN]
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))


def both(one: Score) -> tuple[bool, bool]:
    return one.success, one.arguments_exact


EVENT = (
    'create_calendar_event("Sync", "2024-06-07 15:00:00", "2024-06-07 16:00:00", "", ["$1", "$2"], "", "")'
)

TWO_PEOPLE = plan(
    'get_email_address("Sid")',
    'get_email_address("Lutfi")',
    EVENT,
)


@pytest.mark.parametrize(
    ("name", "reference", "generated", "expected"),
    [
        ("the plan itself", TWO_PEOPLE, TWO_PEOPLE, (True, True)),
        (
            "lookups in the other order",
            TWO_PEOPLE,
            plan(
                'get_email_address("Lutfi")',
                'get_email_address("Sid")',
                EVENT,
            ),
            (True, True),
        ),
        (
            "isomorphic graphs with a wrong person",
            TWO_PEOPLE,
            TWO_PEOPLE.replace("Lutfi", "Lutz"),
            (True, False),
        ),
        ("a missing edge", TWO_PEOPLE, TWO_PEOPLE.replace('["$1", "$2"]', '["$1"]'), (False, False)),
        (
            "roles of two people exchanged",
            plan(
                'get_email_address("Ann")',
                'get_email_address("Ben")',
                'compose_new_email(["$1"], ["$2"], "Lunch", "Lunch at noon", [])',
            ),
            plan(
                'get_email_address("Ann")',
                'get_email_address("Ben")',
                'compose_new_email(["$2"], ["$1"], "Lunch", "Lunch at noon", [])',
            ),
            (True, False),
        ),
        (
            "the same roles with exchanged lookups",
            plan(
                'get_email_address("Ann")',
                'get_email_address("Ben")',
                'compose_new_email(["$1"], ["$2"], "Lunch", "Lunch at noon", [])',
            ),
            plan(
                'get_email_address("Ben")',
                'get_email_address("Ann")',
                'compose_new_email(["$2"], ["$1"], "Lunch", "Lunch at noon", [])',
            ),
            (True, True),
        ),
        (
            "two equal chains, matched crosswise",
            plan(
                'get_phone_number("Ann")',
                'send_sms(["$1"], "Hello")',
                'get_phone_number("Ben")',
                'send_sms(["$3"], "Goodbye")',
            ),
            plan(
                'get_phone_number("Ben")',
                'get_phone_number("Ann")',
                'send_sms(["$1"], "Goodbye")',
                'send_sms(["$2"], "Hello")',
            ),
            (True, True),
        ),
        (
            "two equal chains with their texts exchanged",
            plan(
                'get_phone_number("Ann")',
                'send_sms(["$1"], "Hello")',
                'get_phone_number("Ben")',
                'send_sms(["$3"], "Goodbye")',
            ),
            plan(
                'get_phone_number("Ann")',
                'get_phone_number("Ben")',
                'send_sms(["$1"], "Goodbye")',
                'send_sms(["$2"], "Hello")',
            ),
            (True, False),
        ),
        (
            "a call too many",
            plan('maps_open_location("Ghent")'),
            plan('maps_open_location("Ghent")', 'maps_open_location("Ghent")'),
            (False, False),
        ),
        (
            "a different tool",
            plan('open_note("Tea", "")'),
            plan('create_note("Tea", "", "")'),
            (False, False),
        ),
        (
            "duplicates of one call",
            plan('maps_open_location("Ghent")', 'maps_open_location("Ghent")'),
            plan('maps_open_location("Ghent")', 'maps_open_location("Ghent")'),
            (True, True),
        ),
        (
            "numbers with gaps",
            plan('get_phone_number("Ann")', 'send_sms(["$1"], "Hello")'),
            '3. get_phone_number("Ann")\n7. send_sms(["$3"], "Hello")\n9. join()',
            (True, True),
        ),
        ("nothing to do, nothing done", plan(), plan(), (True, True)),
        ("nothing to do, something done", plan(), plan('open_note("Tea", "")'), (False, False)),
        ("no text for the empty plan", plan(), " \n", (False, False)),
        ("text that is no plan", plan('open_note("Tea", "")'), "I cannot do that.", (False, False)),
        ("an unfinished line", plan('open_note("Tea", "")'), '1. open_note("Tea", ', (False, False)),
        (
            "a reference ahead",
            plan('get_phone_number("Ann")', 'send_sms(["$1"], "Hello")'),
            '1. send_sms(["$2"], "Hello")\n2. get_phone_number("Ann")\n3. join()',
            (False, False),
        ),
        (
            "one number for two calls",
            plan('maps_open_location("Ghent")'),
            '1. maps_open_location("Ghent")\n1. maps_open_location("Ghent")\n2. join()',
            (False, False),
        ),
        (
            "a reference to no call",
            plan('send_sms(["555"], "Hello")'),
            '2. send_sms(["$1"], "Hello")\n3. join()',
            (True, False),
        ),
        (
            "an argument too few",
            plan('open_note("Tea", "")'),
            plan('open_note("Tea")'),
            (True, False),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "(" not in value else "",
)
def test_a_plan_scores_by_its_graph_and_its_arguments(
    name: str, reference: str, generated: str, expected: tuple[bool, bool]
) -> None:
    assert both(score(reference, generated)) == expected, name


def test_a_tool_of_a_plugin_is_compared_exactly() -> None:
    reference = plan('play_song("The River", ["a", "b"], 3)')
    assert both(score(reference, plan('play_song("The River", ["b", "a"], 3)'))) == (True, True)
    assert both(score(reference, plan('play_song("the river", ["a", "b"], 3)'))) == (True, False)


def test_missing_and_superfluous_calls_are_named() -> None:
    result = score(
        plan('get_email_address("Ann")', 'compose_new_email(["$1"], [], "Hi", "Hi", [])'),
        plan('get_phone_number("Ann")', 'send_sms(["$1"], "Hi")', 'get_email_address("Ann")'),
    )
    assert sorted(result.missing) == ["compose_new_email"]
    assert sorted(result.extra) == ["get_phone_number", "send_sms"]


def test_disagreements_are_those_of_the_best_matching() -> None:
    result = score(TWO_PEOPLE, TWO_PEOPLE.replace("Lutfi", "Lutz").replace("15:00", "14:00"))
    assert sorted(result.disagreements) == [
        "create_calendar_event.start_date",
        "get_email_address.name",
    ]


def test_a_plan_that_cannot_be_read_says_why_and_misses_every_tool() -> None:
    result = score(plan('open_note("Tea", "")'), "Sure!\nHere it is")
    assert result.missing == ("open_note",)
    assert "neither a thought nor a call" in result.fault


def test_many_equal_calls_are_settled_within_the_bound() -> None:
    names = [f"Person {number}" for number in range(14)]
    lookups = [f'get_email_address("{name}")' for name in names]
    references = ", ".join(f'"${number}"' for number in range(1, 15))
    mail = f'compose_new_email([{references}], [], "Hi", "Hi", [])'
    reference = plan(*lookups, mail)
    assert both(score(reference, plan(*reversed(lookups), mail))) == (True, True)
    other = plan(*reversed(lookups), mail.replace('"Hi", "Hi"', '"Other", "thing"'))
    assert both(score(reference, other)) == (True, False)


def test_indistinguishable_calls_do_not_hold_up_the_search() -> None:
    lookups = ['get_email_address("Ann")'] * 14
    references = ", ".join(f'"${number}"' for number in range(1, 15))
    reference = plan(*lookups, f'compose_new_email([{references}], [], "Hi", "Hi", [])')
    generated = reference.replace('"Hi", "Hi"', '"Other", "thing"')
    assert both(score(reference, generated)) == (True, False)


def test_a_runaway_plan_is_refused_at_once() -> None:
    assert both(score(TWO_PEOPLE, plan(*['get_email_address("Ann")'] * 400))) == (False, False)
