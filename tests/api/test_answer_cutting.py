"""`stop` and `max_tokens` cut a streamed answer exactly where they cut a whole one."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from hypothesis import given
from hypothesis import strategies as st

from tinyagent.api.cutting import Answer, cut
from tinyagent.engine.completion import Ending, Piece, Reasoning, Text, ToolCall
from tinyagent.ports import Usage

TEXTS = st.text(alphabet="ab .\n", max_size=40)
PIECES = st.lists(st.text(alphabet="ab .\n", max_size=6), max_size=12)
STOPS = st.lists(st.text(alphabet="ab.", min_size=1, max_size=4), max_size=3)
LIMITS = st.none() | st.integers(1, 10)


@given(PIECES, STOPS, LIMITS)
def test_the_pieces_join_to_what_the_whole_would_be(
    pieces: list[str], stops: list[str], limit: int | None
) -> None:
    whole = "".join(pieces)
    at_once = Answer(stops, limit)
    first = at_once.feed(whole)
    streamed = Answer(stops, limit)
    sent = "".join([*(streamed.feed(piece) for piece in pieces), streamed.close()])
    assert sent == streamed.text == first + at_once.close() == at_once.text
    assert streamed.cut_short == at_once.cut_short


@given(TEXTS, STOPS)
def test_the_answer_ends_before_the_first_stop_string(text: str, stops: list[str]) -> None:
    answer = Answer(stops, None)
    answer.feed(text)
    answer.close()
    places = [text.index(stop) for stop in stops if stop in text]
    assert answer.text == text[: min(places, default=len(text))]
    assert not answer.cut_short


@given(TEXTS, st.integers(1, 10))
def test_the_answer_has_no_more_tokens_than_asked_for_and_says_when_it_was_cut(text: str, limit: int) -> None:
    answer = Answer([], limit)
    answer.feed(text)
    answer.close()
    assert answer.tokens <= limit
    assert text.startswith(answer.text)
    assert answer.cut_short == (answer.text != text)


def test_what_may_begin_a_stop_string_is_held_back_and_the_rest_is_sent_at_once() -> None:
    answer = Answer(["STOP"], None)
    assert answer.feed("go ST") == "go "
    assert answer.feed("AY ") == "STAY "
    assert answer.feed("STO") == ""
    assert answer.close() == "STO"


async def pieces_of(*pieces: Piece) -> AsyncGenerator[Piece]:
    for piece in pieces:
        yield piece


async def test_what_is_planned_stays_whole_and_the_end_says_whether_the_text_was_cut() -> None:
    usage = Usage(prompt_tokens=3)
    plan, call = Reasoning("a plan of many words"), ToolCall("call_1", "look", "{}")
    whole = pieces_of(plan, call, Text("one two"), Text(" six ten"), Ending("stop", usage))
    got = [piece async for piece in cut(whole, Answer([], 3))]
    assert got == [plan, call, Text("one two"), Text(" six "), Ending("length", usage)]


async def test_an_end_with_calls_keeps_its_reason() -> None:
    ending = Ending("tool_calls", Usage())
    assert [piece async for piece in cut(pieces_of(ending), Answer(["x"], 3))] == [ending]
