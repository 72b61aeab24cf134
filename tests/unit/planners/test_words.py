"""Requests as copyable words, and words put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyagent.planners.words import Piece, Word, join_pieces, split_words, with_pictures, word_pieces


@pytest.mark.parametrize(
    "whole",
    [
        "ann.lee+x@mail.example.org",
        "https://example.org/a?b=c#d",
        "/home/me/Reports/q3.pdf",
        "~/notes/todo.md",
        "budget-2026_v2.final.xlsx",
        "+44 7700 900 218",
        "(020) 7946 0018",
        "555-0117",
    ],
)
def test_addresses_paths_files_and_numbers_are_one_word(whole: str) -> None:
    words = [word.text for word in split_words(f"take {whole}, please")]
    assert words == ["take", whole, ",", "please"]


def test_a_date_is_no_phone_number() -> None:
    assert [word.text for word in split_words("on 2026-03-05 at 15:30")][:2] == ["on", "2026"]


def test_a_full_stop_after_a_file_name_is_not_part_of_it() -> None:
    assert [word.text for word in split_words("Send report.pdf.")] == ["Send", "report.pdf", "."]


@given(st.text(max_size=80))
def test_copying_all_words_gives_the_text_back(text: str) -> None:
    words = split_words(text)
    pieces = [Piece(word.text, index) for index, word in enumerate(words)]
    expected = text[words[0].start : words[-1].end].strip(" \n") if words else ""
    assert join_pieces(pieces, words, text) == expected


def _joined(*texts: str) -> str:
    return join_pieces([Piece(text) for text in texts], [], "")


def test_new_words_get_the_spaces_of_ordinary_writing() -> None:
    assert _joined("don", "'", "t", "wait", ",", "bob", "!") == "don't wait, bob!"
    assert _joined("the", '"', "red", "file", '"', "at", "3", ":", "30") == 'the "red file" at 3:30'
    assert _joined("see", "(", "below", ")", "half", "-", "hour") == "see (below) half-hour"


def test_copies_keep_what_stands_between_them_in_the_request() -> None:
    text = "Meet at Gate B -- Ellis  Park"
    words = split_words(text)
    pieces = [Piece("come", None), *(Piece(words[index].text, index) for index in range(2, 8))]
    assert join_pieces(pieces, words, text) == "come Gate B -- Ellis  Park"


def test_words_beyond_the_window_have_no_wordpieces() -> None:
    words = [Word("a", 0, 1), Word("bcd", 2, 5), Word("e", 6, 7)]
    assert word_pieces([(0, 0), (0, 1), (2, 4), (4, 5), (0, 0)], words) == [(1, 1), (2, 3)]


@pytest.mark.parametrize("picture", ["👨‍👩‍👧‍👦", "👍🏽", "❤️", "🎉"])
def test_a_picture_is_one_word(picture: str) -> None:
    assert [word.text for word in split_words(f"party {picture}now")] == ["party", picture, "now"]


def test_pictures_behind_a_text_belong_to_it() -> None:
    text = "Text Jane: can't wait! 🎉 👨‍👩‍👧‍👦"
    words = split_words(text)
    pieces = [Piece(word.text, number) for number, word in enumerate(words)]
    assert join_pieces(with_pictures(pieces[3:8], words), words, text) == "can't wait! 🎉 👨‍👩‍👧‍👦"
    assert with_pictures(pieces[:2], words) == pieces[:2]
    assert with_pictures([Piece("new")], words) == [Piece("new")]
