"""The HTML report: whole, self-contained, and safe with whatever requests and models say."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tests.unit.evaluation.scripted import NOTHING, PHONE, PLACE, case, outcome
from tinyagent.evaluation.failures import worst_failures
from tinyagent.evaluation.intervals import Estimate
from tinyagent.evaluation.labelled import LabelledFigures
from tinyagent.evaluation.metrics import figures_of
from tinyagent.evaluation.page import render
from tinyagent.evaluation.page.charts import histogram
from tinyagent.evaluation.page.markup import change
from tinyagent.evaluation.runner import EMPTY_PLAN
from tinyagent.evaluation.study import (
    AblationRow,
    Cases,
    ModelRow,
    Result,
    RetrievalRow,
    RetrievalTable,
    StudyReport,
)
from tinyagent.evaluation.toolrag import ToolRagReport
from tinyagent.evaluation.training_ablations import TrainingAblation

EVIL = '<script>alert("1")</script>\ud800 & <img src=x onerror=y>'
RATE = Estimate(0.5, 0.25, 0.75)
VOID = {"meta", "circle", "line", "rect", "br"}


@pytest.fixture(scope="module")
def page() -> str:
    evil = case("evil", '1. open_note("Tea", "")\n2. join()', EVIL, (EVIL,))
    outcomes = [
        outcome(PHONE, '1. get_phone_number("Ben")\n2. join()', milliseconds=1500),
        outcome(PLACE, EVIL),
        outcome(NOTHING, EMPTY_PLAN),
        outcome(evil, ""),
    ]
    figures = figures_of(outcomes, EVIL, "predicted")
    report = StudyReport(
        version="1.2.3",
        made="2026-11-22 14:00",
        cases=[Cases("everyday", "everyday.jsonl", "ab" * 32, 4, 2)],
        results=[Result(EVIL, "everyday", figures, worst_failures(outcomes))],
        retrieval=RetrievalTable(
            EVIL,
            "everyday",
            [RetrievalRow("none", figures, 2112.4), RetrievalRow("basic", None, None, "needs <more>")],
        ),
        models=[ModelRow(EVIL, "Q8_0", None, figures.latency_p50_ms, RATE, RATE, RATE)],
        ablations=[AblationRow(EVIL, "no beam", RATE, RATE, Estimate(-0.1, -0.2, -0.01), RATE, None, 3.5)],
        training_ablations=[TrainingAblation("compact", EVIL, "", 410, RATE, RATE)],
        labelled=LabelledFigures(EVIL, 0, ToolRagReport(2, 0, None, 2, 0.5, 1.0, None, 3.0, 4.0), None, RATE),
    )
    return render(report)


class Balance(HTMLParser):
    """Notes elements that are closed in another order than they are opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.opened.pop() == tag


def test_the_page_is_well_formed_and_has_no_script(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    assert balance.opened == []
    assert balance.names.isdisjoint({"script", "img", "link", "iframe"})
    for picture in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(picture)
    assert page.encode("utf-8")


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "url(" not in page
    assert "@import" not in page


def test_every_link_of_the_contents_leads_to_a_section(page: str) -> None:
    targets = re.findall(r'href="#([^"]*)"', page)
    assert len(targets) == 7
    assert len(set(targets)) == len(targets)
    assert all(f'id="{target}"' in page for target in targets)


def test_the_page_follows_the_readers_light_or_dark_system(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert '<meta name="color-scheme" content="light dark">' in page


@pytest.mark.parametrize(
    "text",
    [
        "At a glance",
        "Table 1: retrieval",
        "Table 2: models",
        "Ablations",
        "Training ablations",
        "Tool RAG on labelled requests",
        "By number of calls",
        "By tool of the right plan",
        "By register",
        "Worst failures",
        "There is no plan.",
        "2112",
        "needs &lt;more&gt;",
        "<b>−10.0</b>",
        "2 faulty lines left out",
        "78.89",
    ],
)
def test_the_page_shows(page: str, text: str) -> None:
    assert text in page


def test_a_difference_is_bold_only_where_its_interval_leaves_out_zero() -> None:
    assert change(Estimate(0.1, 0.02, 0.2)).startswith("<b>+10.0</b>")
    assert change(Estimate(0.1, -0.02, 0.2)).startswith("+10.0 ")
    assert change(Estimate(0.0, 0.0, 0.0)) == "0"


def test_plans_that_take_no_time_at_all_still_have_a_histogram() -> None:
    ElementTree.fromstring(histogram([0.0, 0.0]))
