"""The screen that asks: what waiting calls would do, exactly, and where each value comes from.

Foreign text cannot pass for the screen's own words: it stands behind a bar or after its label, without
control codes, and what has to be known of a long text is said again below it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from rich.console import Console, Group, RenderableType
from rich.text import Text

from tinyagent.cli.rendering import arguments_text
from tinyagent.cli.terminal import printable
from tinyagent.domain.events import ApprovalRequestedData
from tinyagent.domain.provenance import Source
from tinyagent.domain.tools import Effect

EFFECTS: dict[Effect, str] = {
    "send": "sends",
    "write": "writes",
    "open": "shows something on this computer",
    "read": "reads",
}
ORIGINS: dict[Source, tuple[str, str]] = {
    "user": ("", ""),
    "contacts": (" (from your contacts)", "dim"),
    "apps": (" (from an earlier call)", "dim"),
    "untrusted": (" (from text that others wrote)", "bold red"),
}
NOTHING = "–"
MARGIN = 3
BAR = "  │ "
QUESTION_LINES = 3


def question_view(
    waiting: Sequence[ApprovalRequestedData], parameters: Mapping[str, Sequence[str]], console: Console
) -> RenderableType:
    """All waiting calls, and a summary below them when they do not fit on the screen at once."""
    lines = [line for approval in waiting for line in _call(approval, parameters, console)]
    expires = min(approval.expires for approval in waiting).astimezone()
    until = Text(f"Without an answer by {expires:%H:%M:%S} it counts as no.", style="dim")
    if console.is_terminal and len(lines) + QUESTION_LINES > console.height:
        lines += [Text("In short:", style="bold"), *(_summary(one, console) for one in waiting), Text()]
    return Group(*lines, until)


def _call(
    approval: ApprovalRequestedData, parameters: Mapping[str, Sequence[str]], console: Console
) -> Iterator[Text]:
    yield Text.assemble(
        (f"{approval.task}. {printable(approval.tool)}", "bold"), (f"  {EFFECTS[approval.effect]}", "yellow")
    )
    names = parameters.get(approval.tool, ())
    for position, value in enumerate(approval.arguments):
        name = names[position] if position < len(names) else f"argument {position + 1}"
        source = approval.sources[position] if position < len(approval.sources) else "untrusted"
        yield from _value(name, value, ORIGINS[source], console)
    for name, value in approval.details.items():
        yield from _value(name, value, ("", ""), console)
    yield Text(" " * MARGIN + printable(approval.reason), style="dim")
    yield Text()


def _value(name: str, value: Any, origin: tuple[str, str], console: Console) -> Iterator[Text]:
    """One line where the value fits behind its name; else all of it below, each line behind a bar."""
    label = Text.assemble(" " * MARGIN, printable(name), origin, ": ")
    lines = _lines(value)
    room = console.width - label.cell_len
    if len(lines) == 1 and (console.soft_wrap or Text(lines[0]).cell_len <= room):
        yield label.append(lines[0], style="cyan")
        return
    label.rstrip()
    yield label
    for line in lines:
        text = Text(line, style="cyan")
        width = max(1, console.width - len(BAR))
        for piece in [text] if console.soft_wrap else text.wrap(console, width, overflow="fold") or [text]:
            yield Text.assemble((BAR, "dim"), piece)


def _lines(value: Any) -> list[str]:
    """The value as it is, one line for each line of a text or each item of a list."""
    if value in ("", [], None):
        return [NOTHING]
    if isinstance(value, (list, tuple)):
        return [" ".join(_text(item).split("\n")) for item in cast("Sequence[Any]", value)]
    return _text(value).split("\n")


def _text(value: Any) -> str:
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).expandtabs(4)


def _summary(approval: ApprovalRequestedData, console: Console) -> Text:
    acts_on = arguments_text([*approval.arguments, *approval.details.values()])
    line = Text(f"  {approval.task}. {printable(approval.tool)}: {acts_on}")
    line.truncate(console.width, overflow="ellipsis")
    return line
