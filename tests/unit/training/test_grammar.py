"""The grammar's rows: sound, varied, and parted by phrasing and by what fills the slots."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import datetime

import pytest

from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS
from tinyagent.training.checks import draft_faults
from tinyagent.training.grammar import Sample, distinct_phrasings, grammar_rows, samples
from tinyagent.training.grammar.clauses import made
from tinyagent.training.grammar.dates import ROLES, date_phrase
from tinyagent.training.grammar.draft import Draft, Person, Result, Unfit
from tinyagent.training.grammar.forms import Frame, all_frames, contrasts, foreign, frames, phrasing_of
from tinyagent.training.grammar.lexicon import entries
from tinyagent.training.literal import literal_plan
from tinyagent.training.rows import Row
from tinyagent.training.split import Part

_PARTS: tuple[Part, ...] = ("train", "dev", "test")
_ROWS = 3000
_NOW = datetime(2027, 6, 2, 7, 40)
_COPIED = {
    "get_phone_number": "name",
    "get_email_address": "name",
    "open_and_get_file_path": "file_name",
    "maps_open_location": "location",
    "open_note": "name",
}


@pytest.fixture(scope="module")
def streams() -> dict[Part, Iterator[Sample]]:
    return {part: samples(part, 5) for part in _PARTS}


@pytest.fixture(scope="module")
def made_samples(streams: dict[Part, Iterator[Sample]]) -> dict[Part, list[Sample]]:
    return {part: list(itertools.islice(streams[part], _ROWS)) for part in _PARTS}


def test_every_row_of_every_part_is_sound_and_has_a_plan(made_samples: dict[Part, list[Sample]]) -> None:
    for found in made_samples.values():
        for sample in found:
            assert draft_faults(sample.row.query, sample.row.calls) == [], sample.row.query
            literal_plan(sample.row.query, _NOW, sample.row.calls)
            assert "{" not in sample.row.query
            assert "^" not in sample.row.query


def test_every_part_has_all_tools_and_one_to_nine_calls_and_none(
    made_samples: dict[Part, list[Sample]],
) -> None:
    for found in made_samples.values():
        assert {call.tool for sample in found for call in sample.row.calls} == set(FIELDS)
        assert {len(sample.row.calls) for sample in found} == set(range(10))


def test_no_phrasing_occurs_in_two_parts(made_samples: dict[Part, list[Sample]]) -> None:
    for one, other in itertools.combinations(_PARTS, 2):
        first, second = ({item.phrasing for item in made_samples[part]} for part in (one, other))
        assert first & second == set()


def test_no_name_file_place_or_note_occurs_in_two_parts(made_samples: dict[Part, list[Sample]]) -> None:
    used = {
        part: {
            (call.tool, call.text(argument).lower())
            for sample in made_samples[part]
            for call in sample.row.calls
            if (argument := _COPIED.get(call.tool))
        }
        for part in _PARTS
    }
    assert all(used.values())
    for one, other in itertools.combinations(_PARTS, 2):
        assert used[one] & used[other] == set()


def test_no_query_is_made_twice_and_the_same_seed_makes_the_same_rows(
    made_samples: dict[Part, list[Sample]],
) -> None:
    first = [sample.row for sample in made_samples["train"][:150]]
    assert grammar_rows("train", 150, 5) == first
    assert grammar_rows("train", 150, 6) != first
    queries = [sample.row.query for sample in made_samples["train"]]
    assert len(set(queries)) == len(queries)


def test_twenty_thousand_training_rows_hold_four_thousand_phrasings(
    streams: dict[Part, Iterator[Sample]], made_samples: dict[Part, list[Sample]]
) -> None:
    phrasings = {sample.phrasing for sample in made_samples["train"]}
    for sample in itertools.islice(streams["train"], 20_000 - _ROWS):
        phrasings.add(sample.phrasing)
        if len(phrasings) == 4000:
            break
    assert len(phrasings) >= 4000


def test_phrasings_leave_out_what_the_plan_copies() -> None:
    def text(name: str, message: str) -> Row:
        calls = (
            DraftCall("get_phone_number", {"name": name}),
            DraftCall("send_sms", {"recipients": ["$1"], "message": f"{message.capitalize()}."}),
        )
        return Row(f"text {name} that {message}", calls)

    rows = [text("Ann", "the train is late"), text("Old Phil", "we got the house")]
    assert distinct_phrasings(rows) == 1
    assert distinct_phrasings([*rows, Row("tell Ann off", ())]) == 2


def _said_before() -> Draft:
    """A draft in which somebody, a result and an event were named."""
    draft = Draft(people=(Person("my sister", "sister", "she"),), has_event=True)
    draft.call("get_phone_number", {"name": "sister"})
    return draft


@pytest.mark.parametrize("part", _PARTS)
def test_every_form_can_be_said(part: Part) -> None:
    results = [Result(kind, "$1", "It") for kind in ("summary", "file", "pin")]
    for frame, forms in frames(part):
        for form in forms:
            assert any(_can_be_said(frame, form.template, part, result) for result in results), form.template


def _can_be_said(frame: Frame, template: str, part: Part, result: Result) -> bool:
    form = next(form for form in frame.forms if form.template == template)
    if all(phrasing_of(frame, text) in foreign(part) for text in form.all_drawn()):
        return True  # given up to the part that holds it
    for seed in range(40):
        draft = _said_before()
        draft.result = result
        try:
            clause, after = made(frame, form, draft, part, random.Random(seed))
        except Unfit:
            continue
        return bool(clause.text) and after.calls[0] == draft.calls[0]
    return False


def test_a_person_named_before_is_not_looked_up_again() -> None:
    frame = next(frame for frame in all_frames() if frame.name == "sms_again")
    clause, after = made(frame, frame.forms[1], _said_before(), "train", random.Random(1))
    assert " her " in f" {clause.text} "
    assert [call.tool for call in after.calls] == ["get_phone_number", "send_sms"]
    assert after.calls[1].items("recipients") == ["$1"]


def test_a_contrast_keeps_the_people_and_changes_the_calls() -> None:
    group = next(group for group in contrasts() if group[0].name == "say_text")
    memo: dict[str, object] = {}
    drafts = [
        made(frame, frame.forms[0], Draft(), "train", random.Random(3), memo)[1].calls for frame in group
    ]
    phone, email = "get_phone_number", "get_email_address"
    assert [calls[0].tool for calls in drafts] == [phone, email, phone]
    assert len({calls[0].text("name") for calls in drafts}) == 1
    assert drafts[0][1].text("message") == drafts[1][1].text("context")


def test_dollars_are_escaped_in_plans(made_samples: dict[Part, list[Sample]]) -> None:
    messages = [
        call.text("message")
        for sample in made_samples["train"]
        for call in sample.row.calls
        if call.tool == "send_sms" and "tickets are $" in sample.row.query.lower()
    ]
    assert any("$$18" in message for message in messages)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_date_phrases_of_a_role_belong_to_one_part(role: str) -> None:
    found = {part: {date_phrase(role, part, random.Random(seed)) for seed in range(30)} for part in _PARTS}
    values = {part: {(phrase.value, phrase.end) for phrase in found[part]} for part in _PARTS}
    assert all(values.values())
    for one, other in itertools.combinations(_PARTS, 2):
        assert values[one] & values[other] == set()


def test_lexicon_entries_belong_to_one_part_and_closed_words_to_all() -> None:
    for kind in ("woman", "pdf", "place", "say", "list"):
        texts = [{entry.text for entry in entries(kind, part)} for part in _PARTS]
        assert all(texts)
        assert sum(map(len, texts)) == len(set.union(*texts))
    assert entries("by", "train") == entries("by", "test")
