"""Text becomes HTML and comes back as the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_mac.writing import plain
from tinyagent.apps.macos._note_html import body_text, harmed_by_writing, lines_html, note_html

TEXT = st.text(st.characters(exclude_characters="\r\u00a0", exclude_categories=["Cs"]))


@given(TEXT.filter(bool))
def test_any_text_comes_back(text: str) -> None:
    assert body_text(plain(note_html("Title", text)), "Title") == text


def test_markup_is_text() -> None:
    assert lines_html("<b>&\"'") == "<div>&lt;b&gt;&amp;&quot;&#x27;</div>"


def test_spaces_and_empty_lines_are_kept_by_html() -> None:
    assert lines_html("a  b\n\n c") == "<div>a &nbsp;b</div><div><br></div><div>&nbsp;c</div>"


def test_empty_text_adds_no_line() -> None:
    assert lines_html("") == ""
    assert body_text(plain(note_html("Title", "")), "Title") == ""


def test_a_text_that_does_not_begin_with_the_title_is_whole() -> None:
    assert body_text("one\ntwo", "Title") == "one\ntwo"


@pytest.mark.parametrize(
    ("body", "harmed"),
    [
        ("<div>x</div>", False),
        ("<ol><li>x</li></ol>", False),
        ('<ul class="Apple-dash-list"><li>x</li></ul>', False),
        ("<ul><li>x</li></ul>", True),
        ("<IMG src=x>", True),
        ("<table></table>", True),
        ("<div>&lt;img&gt;</div>", False),
    ],
)
def test_what_a_script_cannot_write_back_is_seen(body: str, harmed: bool) -> None:
    assert bool(harmed_by_writing(body)) == harmed
