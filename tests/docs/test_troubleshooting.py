"""docs/troubleshooting.md has every code of `errors.py`, as it is."""

from __future__ import annotations

import re

from tests.docs.errors_table import PAGE, filled
from tinyagent.errors import error_kinds

TEXT = PAGE.read_text()

MET = {
    "permission_missing",
    "ambiguous",
    "approval_unavailable",
    "untrusted_recipient",
    "outcome_unknown",
    "worker_unavailable",
    "not_configured",
    "changed_since",
    "journal",
    "server_unreachable",
}
"""What people meet most, and cannot be left without advice."""


def test_the_table_of_codes_is_generated() -> None:
    assert filled(TEXT) == TEXT, "run: PYTHONPATH=server:. python -m tests.docs.errors_table"


def test_every_code_stands_once_in_the_table_with_its_status() -> None:
    rows = re.findall(r"^\| \[?`(\w+)`(?:\]\(#\w+\))? \| (\d+) \|", TEXT, re.MULTILINE)
    kinds = error_kinds()
    assert sorted(code for code, _ in rows) == sorted(kinds)
    assert {code: int(status) for code, status in rows} == {code: kind.status for code, kind in kinds.items()}


def test_advice_is_given_for_codes_that_exist_and_for_those_that_people_meet() -> None:
    advice = TEXT.split("## What to do", 1)[1]
    codes = re.findall(r"^### (.+)$", advice, re.MULTILINE)
    assert len(codes) == len(set(codes))
    assert MET <= set(codes) <= set(error_kinds())
    for section in advice.split("\n### ")[1:]:
        assert len(section.split()) > 15, section
