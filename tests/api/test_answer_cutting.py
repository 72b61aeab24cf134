"""`stop` and `max_tokens` cut a streamed answer exactly where they cut a whole one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tinyagent.api.chat_answer import Answer

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
    at_once.close(whole)
    streamed = Answer(stops, limit)
    sent = "".join([*(streamed.feed(piece) for piece in pieces), streamed.close(whole)])
    assert sent == streamed.text == at_once.text
    assert streamed.finish_reason == at_once.finish_reason


@given(TEXTS, STOPS)
def test_the_answer_ends_before_the_first_stop_string(text: str, stops: list[str]) -> None:
    answer = Answer(stops, None)
    answer.close(text)
    places = [text.index(stop) for stop in stops if stop in text]
    assert answer.text == text[: min(places, default=len(text))]
    assert answer.finish_reason == "stop"


@given(TEXTS, st.integers(1, 10))
def test_the_answer_has_no_more_tokens_than_asked_for_and_says_when_it_was_cut(text: str, limit: int) -> None:
    answer = Answer([], limit)
    answer.close(text)
    assert answer.tokens <= limit
    assert text.startswith(answer.text)
    assert (answer.finish_reason == "length") == (answer.text != text)


def test_what_may_begin_a_stop_string_is_held_back_and_the_rest_is_sent_at_once() -> None:
    answer = Answer(["STOP"], None)
    assert answer.feed("go ST") == "go "
    assert answer.feed("AY ") == "STAY "
    assert answer.feed("STO") == ""
    assert answer.close("go STAY STO") == "STO"


def test_the_rest_of_an_answer_that_came_without_pieces_is_sent_at_its_end() -> None:
    answer = Answer([], None)
    assert answer.close("all of it") == "all of it"
