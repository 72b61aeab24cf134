"""A summary says, in the text's own sentences, what the text is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyagent.writers.extractive import MAX_SENTENCES_COMPARED, ExtractiveSummarizer, shorten
from tinyagent.writers.sentences import split_sentences

BRIDGE = """The old bridge
The old bridge over the Serra river closes on Monday because its cables have rusted. Engineers found
the rust on the cables of the bridge during an inspection in May. Traffic over the river will use the
ferry while the bridge is closed. The town expects the repair of the bridge cables to take nine
months. A bakery near the station has won a prize for its rye bread. The repair of the bridge will
cost the town four million euros. Half of the cost of the repair is paid by the state. The ferry
carries sixty cars an hour across the river. Somebody painted the benches in the park green. The
bridge was built in 1931 and its cables were last replaced in 1968. Drivers who cross the river by
ferry pay no toll during the repair. The library has bought a new carpet. Cyclists may still cross
the bridge until Monday evening.
"""


def sentences_of(summary: str) -> list[str]:
    return split_sentences(summary)


async def test_the_topic_is_kept_and_asides_are_left_out() -> None:
    summary = await ExtractiveSummarizer().summarize(BRIDGE)

    assert summary.startswith("The old bridge over the Serra river closes on Monday")
    assert "repair" in summary
    for aside in ("bakery", "benches", "carpet"):
        assert aside not in summary


async def test_sentences_come_whole_and_in_their_order() -> None:
    source = split_sentences(BRIDGE)
    chosen = sentences_of(await ExtractiveSummarizer().summarize(BRIDGE))

    assert 3 <= len(chosen) <= 6
    assert [source.index(sentence) for sentence in chosen] == sorted(
        source.index(sentence) for sentence in chosen
    )


async def test_sentence_vectors_decide_when_an_encoder_is_given() -> None:
    seen: list[list[str]] = []

    def embed(sentences: list[str]) -> np.ndarray:
        seen.append(sentences)
        return np.array(
            [[1.0, 0.1 * ("ferry" in text)] if "ferry" in text else [0.0, 1.0] for text in sentences]
        )

    await ExtractiveSummarizer(embed).summarize(BRIDGE)

    assert len(seen) == 1
    assert all(sentence in split_sentences(BRIDGE) for sentence in seen[0])


async def test_vectors_without_any_length_do_no_harm() -> None:
    def embed(sentences: list[str]) -> np.ndarray:
        return np.zeros((len(sentences), 8), np.float32)

    assert sentences_of(await ExtractiveSummarizer(embed).summarize(BRIDGE))


async def test_what_was_said_already_is_not_said_again() -> None:
    echo = "The council of Harborough will close the northern swimming pool in March. "
    variants = [echo, echo.replace("will close", "closes"), echo.replace("in March", "this March")]
    rest = (
        "The pool loses nine thousand euros each week through cracks in its floor. "
        "Swimmers will get free buses to the southern pool until the repair is done. "
        "A new roof of wood and glass was judged too expensive by the committee. "
        "School classes have been moved to the morning hours at the lake. "
    )

    summary = await ExtractiveSummarizer().summarize("".join(variants) + rest)

    assert summary.count("northern") == 1


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("Just one sentence.", "Just one sentence."),
        ("One wrapped\nsentence here. And a second one.", "One wrapped sentence here. And a second one."),
        ("no punctuation at all", "no punctuation at all"),
        ("42\n17\n", "42 17"),
    ],
)
async def test_short_texts_are_their_own_summary(text: str, summary: str) -> None:
    assert await ExtractiveSummarizer().summarize(text) == summary


async def test_huge_texts_and_endless_sentences_stay_within_the_limit() -> None:
    summarizer = ExtractiveSummarizer(max_chars=300)

    for text in (BRIDGE * 400, "word " * 200_000, "x" * 500_000, "A b c d. " * 60_000, "汉" * 100_000):
        assert 0 < len(await summarizer.summarize(text)) <= 300


async def test_chinese_and_japanese_are_summarized_by_sentence() -> None:
    text = (
        "图书馆去年借出的书比以往任何一年都多。阅览室的屋顶在秋天漏了两次水。修理屋顶花了六万欧元。"
        "保险公司支付了大部分修理费。阅览室将在一月重新开放。电子书的借阅量翻了一番。电子书的许可证很贵。"
        "图书馆决定与四个邻近的图书馆共享许可证。门口需要一个坡道。市议会将在十一月底作出决定。"
        "儿童角将有新的书架。今天天气很好。图书馆的开支比计划少百分之二。"
    )

    summary = await ExtractiveSummarizer().summarize(text)

    chosen = sentences_of(summary)
    assert 3 <= len(chosen) <= 4
    assert all(sentence in text for sentence in chosen)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=2000))
async def test_any_text_at_all_has_a_summary(text: str) -> None:
    summary = await ExtractiveSummarizer(max_chars=200).summarize(text)

    assert len(summary) <= 200
    assert bool(summary) == bool(text.split())


async def test_every_part_of_a_long_text_is_looked_at_and_few_sentences_are_embedded() -> None:
    seen: list[list[str]] = []

    def embed(sentences: list[str]) -> np.ndarray:
        seen.append(sentences)
        return np.array([[1.0, "keeper" in text, "barrels" in text] for text in sentences])

    lines = [
        f"The keeper of store {number} in the old harbour sold barrels of oil in town."
        for number in range(2_000)
    ]
    await ExtractiveSummarizer(embed).summarize("\n\n".join(lines))

    assert len(seen) == 1
    assert len(seen[0]) <= MAX_SENTENCES_COMPARED
    places = [lines.index(sentence) for sentence in seen[0]]
    assert places == sorted(places)
    assert min(places) < 100
    assert max(places) >= 1_800


def test_a_text_is_shortened_to_its_central_sentences_in_their_order() -> None:
    short = shorten(BRIDGE, 500)

    assert 250 < len(short) <= 500
    assert "bridge" in short
    assert "carpet" not in short
    assert shorten(BRIDGE, 5_000) == BRIDGE


# --- sentences ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "Dr. Okafor met Mr. Lee at 3 p.m. sharp. They talked for 2.5 hours, e.g. about No. 7. It rained.",
            [
                "Dr. Okafor met Mr. Lee at 3 p.m. sharp.",
                "They talked for 2.5 hours, e.g. about No. 7.",
                "It rained.",
            ],
        ),
        ("Is it late? Yes! “Go home.” He went.", ["Is it late?", "Yes!", "“Go home.”", "He went."]),
        ("J. R. Lindqvist wrote it. We read it.", ["J. R. Lindqvist wrote it.", "We read it."]),
        ("See www.example.com for more. Or ask us.", ["See www.example.com for more.", "Or ask us."]),
        ("这是第一句。这是第二句！", ["这是第一句。", "这是第二句！"]),
        ("यह पहला वाक्य है। यह दूसरा है।", ["यह पहला वाक्य है।", "यह दूसरा है।"]),
        ("هل وصلت؟ نعم وصلت.", ["هل وصلت؟", "نعم وصلت."]),
    ],
)
def test_sentences_end_where_readers_think(text: str, sentences: Sequence[str]) -> None:
    assert split_sentences(text) == sentences


def test_lines_that_a_pdf_broke_are_joined() -> None:
    text = (
        "The committee discussed the rein-\nforcement of the dam and its\nlong-\nterm costs.\n"
        "Reinforcement is due.\n"
    )

    assert split_sentences(text)[0] == (
        "The committee discussed the reinforcement of the dam and its long-term costs."
    )


def test_headings_and_page_numbers_are_not_sentences() -> None:
    page = (
        "{heading}\n{body} goes on for quite a while in this long first line of a page, and\n"
        "it ends with the {heading}.\nGuide to dams - page {number}\n"
    )
    text = "".join(
        page.format(heading=f"Chapter {name}", body=f"The {name} part", number=number)
        for number, name in enumerate(("first", "second", "third"), start=1)
    )

    assert [sentence.split(" goes")[0] for sentence in split_sentences(text)] == [
        "The first part",
        "The second part",
        "The third part",
    ]


def test_ends_of_sentences_that_pages_broke_alike_are_kept() -> None:
    text = "".join(
        f"The keeper of store {number} in the northern district sold all of it to his\ncustomers.\n\n"
        for number in range(4)
    )

    assert all(sentence.endswith("to his customers.") for sentence in split_sentences(text))


def test_list_items_are_sentences_of_their_own() -> None:
    text = (
        "Bring these things along:\n• a warm jacket\n• two litres of water\n1. Then walk north\n2) Then rest"
    )

    assert split_sentences(text) == [
        "Bring these things along:",
        "a warm jacket",
        "two litres of water",
        "Then walk north",
        "Then rest",
    ]


def test_rows_of_numbers_are_left_out() -> None:
    assert split_sentences("12 45 78 99.2 113\n\nThe table shows losses.") == ["The table shows losses."]
