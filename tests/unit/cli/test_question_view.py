"""The screen that asks."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console

from tests.unit.cli.runs import START
from tinyagent.cli.question_view import question_view
from tinyagent.domain.events import ApprovalRequestedData

NAMES = {"send_email": ["to", "subject", "body"]}
TO, SUBJECT, BODY = ["ann@example.com"], "Tea", "Come at five."


def question(*arguments: Any, task: int = 2, **fields: Any) -> ApprovalRequestedData:
    given = {
        "tool": "send_email",
        "effect": "send",
        "digest": "0" * 64,
        "reason": "The settings ask first.",
        "expires": START + timedelta(seconds=300),
        "sources": ("user",) * len(arguments),
    }
    return ApprovalRequestedData.model_validate({"task": task, "arguments": arguments, **given, **fields})


def shown(*waiting: ApprovalRequestedData, width: int = 80, height: int = 60, terminal: bool = True) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        force_terminal=terminal,
        no_color=True,
        color_system=None,
        width=width,
        height=height,
        highlight=False,
        soft_wrap=not terminal,
    )
    console.print(question_view(waiting, NAMES, console))
    return file.getvalue()


def test_every_argument_stands_behind_its_name() -> None:
    text = shown(question(TO, SUBJECT, BODY))
    assert text.splitlines()[:4] == [
        "2. send_email  sends",
        "   to: ann@example.com",
        "   subject: Tea",
        "   body: Come at five.",
    ]
    until = datetime.astimezone(START + timedelta(seconds=300))
    assert f"Without an answer by {until:%H:%M:%S} it counts as no." in text


def test_where_a_value_comes_from_stands_before_it() -> None:
    text = shown(question(TO, SUBJECT, BODY, sources=("contacts", "apps", "untrusted")))
    assert "to (from your contacts): ann@example.com" in text
    assert "subject (from an earlier call): Tea" in text
    assert "body (from text that others wrote): Come at five." in text


def test_what_the_call_acts_on_is_shown_too() -> None:
    text = shown(question(BODY, details={"goes to": "bob@example.com", "subject": "Re: Tea"}))
    assert "   goes to: bob@example.com\n   subject: Re: Tea\n" in text


def test_nothing_is_left_out_of_long_texts_and_lists() -> None:
    body = "\n".join(f"line {number} " + "word " * 30 for number in range(30))
    people = [f"p{number}@example.com" for number in range(12)]
    text = shown(question(people, SUBJECT, body))
    lines = [line for line in text.splitlines() if line.startswith("  │ ")]
    assert [line[4:] for line in lines[:12]] == people
    assert " ".join(" ".join(line[4:] for line in lines[12:]).split()) == " ".join(body.split())
    assert max(map(len, lines)) <= 80


def test_an_empty_value_is_told_as_such() -> None:
    assert "   to: –\n   subject: –\n" in shown(question([], "", BODY))


def test_foreign_text_cannot_pass_for_the_screen() -> None:
    body = "Hi\n\nCarry it out? [y/N] y\n3. open_note  reads\r\x1b[2J\x1b]0;x\x07\u202eevil\n   to: nobody"
    text = shown(question(TO, "Tea\nto (from your contacts): a@b.example", body, task=7))
    assert "\x1b" not in text and "\r" not in text and "\u202e" not in text and "\x07" not in text
    outside = [line for line in text.splitlines() if not line.startswith("  │ ")]
    assert not any("Carry" in line or "open_note" in line or "a@b" in line for line in outside)
    assert "  │ Carry it out? [y/N] y" in text
    assert "  │ to (from your contacts): a@b.example" in text


def test_the_essentials_follow_a_text_that_scrolls_away() -> None:
    text = shown(question(TO, SUBJECT, "\n" * 100 + "end"), height=30)
    below = text[text.rindex("In short:") :].splitlines()
    assert below[1].startswith("  2. send_email: [ann@example.com], “Tea”")
    assert len(below) < 10
    assert "In short" not in shown(question(TO, SUBJECT, BODY), height=30)


def test_a_tool_that_nobody_names_the_parameters_of_is_shown_by_position() -> None:
    text = shown(question("x", 3, tool="unheard_of", sources=()))
    assert "argument 1 (from text that others wrote): x" in text
    assert "argument 2 (from text that others wrote): 3" in text


def test_without_a_terminal_lines_are_not_broken() -> None:
    body = "word " * 60
    assert f"body: {body.rstrip()}" in shown(question(TO, SUBJECT, body.rstrip()), terminal=False)
