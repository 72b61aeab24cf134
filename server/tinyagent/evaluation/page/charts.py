"""Two kinds of plot as inline SVG: rates with intervals, and a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyagent.evaluation.intervals import Estimate, percentile
from tinyagent.evaluation.page.markup import escaped

_WIDTH, _LABELS, _VALUES = 860, 250, 110
_PLOT = _WIDTH - _LABELS - _VALUES
_ROW, _TOP, _BOTTOM = 30, 8, 22
_BINS = 40
_LONGEST_LABEL = 34
SERIES = ("DAG success", "arguments exact")


@dataclass(frozen=True)
class RateRow:
    """A line of the plot: what it is, of how many cases, and a rate for each series."""

    label: str
    cases: int
    rates: Sequence[Estimate]


def rate_chart(rows: Sequence[RateRow]) -> str:
    """Points with their 95 % intervals on a scale from 0 to 100 %, a line for each row."""
    height = _TOP + _ROW * len(rows) + _BOTTOM + 18
    parts = [_grid(height - 18)]
    for number, row in enumerate(rows):
        middle = _TOP + _ROW * (number + 0.5)
        parts.append(_text(_LABELS - 14, middle + 4, _shortened(row.label), anchor="end"))
        values = " / ".join(f"{rate.value * 100:.0f}" for rate in row.rates)
        parts.append(_text(_WIDTH - _VALUES + 14, middle + 4, values))
        parts.append(_text(_WIDTH, middle + 4, f"n={row.cases}", "axis", "end"))
        for series, rate in enumerate(row.rates):
            parts.append(_interval(rate, middle + (series * 2 - 1) * 5, series))
    for series, name in enumerate(SERIES):
        left = _LABELS + series * 150
        parts.append(f'<circle class="s{series}" cx="{left + 5}" cy="{height - 7}" r="4"/>')
        parts.append(_text(left + 15, height - 3, name, "axis"))
    return _svg(height, f"{' and '.join(SERIES)} in per cent, with 95 % intervals", parts)


def _interval(rate: Estimate, y: float, series: int) -> str:
    low, value, high = (_LABELS + _PLOT * bound for bound in (rate.low, rate.value, rate.high))
    return (
        f'<line class="s{series}" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<circle class="s{series}" cx="{value:.1f}" cy="{y:.1f}" r="4"/>'
    )


def _grid(bottom: float) -> str:
    lines: list[str] = []
    for share in (0, 25, 50, 75, 100):
        x = _LABELS + _PLOT * share / 100
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom - _BOTTOM + 4}"/>')
        lines.append(_text(x, bottom - 4, f"{share} %", "axis", "middle"))
    return "".join(lines)


def histogram(milliseconds: Sequence[float]) -> str:
    """How long plans took, with marks at p50 and p95; the slowest hundredth is put into the last bar."""
    top = max(percentile(milliseconds, 0.99), 1.0)
    counts, _ = np.histogram(np.minimum(milliseconds, top), bins=_BINS, range=(0.0, top))
    height, base = 170, 140
    width = _WIDTH / _BINS
    parts = [
        f'<rect class="bar" x="{bin_ * width + 1:.1f}" width="{width - 2:.1f}"'
        f' y="{base - 110 * count / counts.max():.1f}" height="{110 * count / counts.max():.1f}"/>'
        for bin_, count in enumerate(counts.tolist())
    ]
    parts.append(f'<line class="grid" x1="0" x2="{_WIDTH}" y1="{base}" y2="{base}"/>')
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        value = percentile(milliseconds, share)
        x = _WIDTH * min(value / top, 1.0)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="12" y2="{base}"/>')
        near_end = x > _WIDTH - 120
        parts.append(
            _text(
                x + (-6 if near_end else 6),
                20,
                f"{name} {value:.0f} ms",
                "axis",
                "end" if near_end else "start",
            )
        )
    parts.append(_text(0, base + 18, "0 ms", "axis"))
    parts.append(_text(_WIDTH, base + 18, f"{top:.0f} ms and more", "axis", "end"))
    return _svg(height, "Distribution of the time from request to plan", parts)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    of_kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{of_kind}>{escaped(text)}</text>'


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escaped(title)}">'
        f"<title>{escaped(title)}</title>{''.join(parts)}</svg>"
    )
