"""Every script is well formed, bounded and true to its header."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.applescripts.blocks import copies, scripts
from tests.applescripts.linter import lint
from tests.applescripts.structure import structure
from tests.applescripts.tokens import logical_lines
from tests.applescripts.vocabulary import APPLICATIONS, LANGUAGE
from tinyagent.apps.macos._header import applescripts_folder, read_header
from tinyagent.tools.registry import BUILT_IN

FOLDER = applescripts_folder()
SCRIPTS = scripts(FOLDER)
WITHOUT_SCRIPT = {"summarize_pdf", "get_zoom_meeting_link"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_has_no_faults(path: Path) -> None:
    faults = lint(path.read_text(encoding="utf-8"), path.stem, FOLDER)
    assert [f"{path.name}:{fault.line}: {fault.message}" for fault in faults] == []


def test_each_tool_that_needs_an_application_has_a_script() -> None:
    served = {tool for path in SCRIPTS for tool in read_header(path).tools}
    assert served == {tool.spec.name for tool in BUILT_IN} - WITHOUT_SCRIPT


def test_each_shared_file_is_copied_somewhere() -> None:
    copied = {name for path in SCRIPTS for name in copies(path.read_text(encoding="utf-8"))}
    assert copied == {path.name for path in FOLDER.glob("_*.applescript")}


@pytest.mark.parametrize(
    ("draft", "send"), [("mail_reply_draft", "mail_reply_send"), ("mail_draft", "mail_send")]
)
def test_a_draft_takes_what_a_sent_mail_takes(draft: str, send: str) -> None:
    first, second = (read_header(FOLDER / f"{name}.applescript") for name in (draft, send))
    assert first.arguments == second.arguments


def test_the_permission_check_knows_each_application_that_a_script_tells() -> None:
    check = read_header(FOLDER / "permission_check.applescript")
    told = {read_header(path).app for path in SCRIPTS if path.stem != "permission_check"}
    # Maps has no dictionary that could be asked for anything harmless.
    assert {name.strip() for name in check.app.split(",")} == told - {"Maps"}


def test_each_word_of_the_vocabulary_is_used() -> None:
    used: set[tuple[str, str]] = set()
    for path in SCRIPTS:
        for statement in structure(logical_lines(path.read_text(encoding="utf-8"))).statements:
            for word in statement.words:
                used |= {("", word), (statement.application or "", word)}
    known = {("", word) for word in LANGUAGE}
    known |= {(name, word) for name, words in APPLICATIONS.items() for word in words}
    assert known - used == set()
