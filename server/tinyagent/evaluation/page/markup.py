"""Pieces of HTML. Text from outside passes `escaped` and never becomes markup."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinyagent.evaluation.intervals import Estimate


@dataclass(frozen=True)
class Section:
    """A part of the page that can be linked to; `parts` are HTML."""

    title: str
    parts: Sequence[str]

    @property
    def anchor(self) -> str:
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")

    def html(self) -> str:
        return f'<section id="{self.anchor}"><h2>{escaped(self.title)}</h2>{"".join(self.parts)}</section>'


def escaped(text: object) -> str:
    """Text as HTML, without lone surrogates, which no file can hold."""
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"))


def paragraph(text: str) -> str:
    """A quiet explanation; `text` is HTML."""
    return f'<p class="quiet">{text}</p>'


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A table of HTML cells; the first `texts` columns hold words, the others figures."""
    head = "".join(f"<th{_kind(column, texts)}>{escaped(name)}</th>" for column, name in enumerate(headers))
    body = "".join(
        "<tr>"
        + "".join(f"<td{_kind(column, texts)}>{cell}</td>" for column, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(column: int, texts: int) -> str:
    return "" if column < texts else ' class="figure"'


def folded(summary: str, content: str, is_open: bool = False) -> str:
    """HTML that is opened by a click on its summary."""
    return f"<details{' open' if is_open else ''}><summary>{escaped(summary)}</summary>{content}</details>"


def rate(estimate: Estimate | None) -> str:
    """A share in per cent with its interval."""
    if estimate is None:
        return "–"
    return (
        f'<b>{estimate.value * 100:.1f}</b> <span class="bounds">'
        f"{estimate.low * 100:.1f}–{estimate.high * 100:.1f}</span>"
    )


def change(estimate: Estimate) -> str:
    """A difference of shares in points; marked where its interval leaves out zero."""
    if estimate.low == estimate.high == 0:
        return "0"
    text = f"{estimate.value * 100:+.1f}".replace("-", "−")
    certain = estimate.low > 0 or estimate.high < 0
    bounds = f"{estimate.low * 100:+.1f} to {estimate.high * 100:+.1f}".replace("-", "−")
    return f'{f"<b>{text}</b>" if certain else text} <span class="bounds">{bounds}</span>'


def time(estimate: Estimate) -> str:
    """Milliseconds with their interval."""
    return f'{_time(estimate.value)} <span class="bounds">{_time(estimate.low)}–{_time(estimate.high)}</span>'


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:.1f} s"


def size(size_bytes: int | None) -> str:
    """Bytes on disk."""
    if size_bytes is None:
        return "–"
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"
