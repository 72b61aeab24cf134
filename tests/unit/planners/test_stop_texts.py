"""Stop texts never show, however an answer is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyagent.planners.stop_texts import StopTexts

LETTERS = st.text(alphabet="ab\n", max_size=12)


@given(pieces=st.lists(LETTERS, max_size=8), texts=st.lists(LETTERS, max_size=3))
def test_an_answer_ends_before_its_first_stop_text(pieces: list[str], texts: list[str]) -> None:
    stops, shown = StopTexts(texts), ""
    for piece in pieces:
        shown += stops.feed(piece)
        if stops.found:
            break
    shown += stops.close()
    whole = "".join(pieces)
    ends = [whole.find(text) for text in texts if text and text in whole]
    assert shown == whole[: min(ends, default=len(whole))]
    assert stops.found == bool(ends)


@pytest.mark.parametrize("text", ["", "no stop here", "ends with a beginning: STO"])
def test_what_only_looks_like_a_stop_text_is_shown_in_the_end(text: str) -> None:
    stops = StopTexts(["STOP"])
    assert stops.feed(text) + stops.close() == text


def test_what_cannot_be_a_stop_text_is_shown_at_once() -> None:
    assert StopTexts(["STOP"]).feed("plain") == "plain"
