"""The data card: what the project's requests are, counted, so that anybody can see what a model was taught.

The same data make the same text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tinyagent.training.card_traits import Typos, coverage, date_kind, date_phrases, manner, skeleton
from tinyagent.training.corpus import Corpus
from tinyagent.training.near import MAX_OVERLAP, normalised
from tinyagent.training.rows import Row
from tinyagent.training.split import Part

_PARTS: tuple[Part, ...] = ("train", "dev", "test")
_LONGEST_SHOWN = 6
_GRAMS = (2, 3, 4, 6, 8)

_INTRODUCTION = """\
# The requests that tinyagent learns from

<!-- Written by `tinyagent data card`; do not edit. -->

Requests as people type or speak them to a private assistant on their own computer, each with its right
plan. They are made up: persons, addresses, numbers and files in them do not exist, or not in this
connection.

| source | where | form | licence |
| --- | --- | --- | --- |
| natural | `natural/*.jsonl` | a request, its moment, plan and date phrases | MIT, as the project |
| written | `written/*.txt` | a request and its calls; dates follow from the words | MIT, as the project |

Training can also read a file of requests that people really made to assistants, with the tools that can
serve them (JSON lines with `text` and `accept`): the devel split of SLURP (CC BY 4.0) and the train and
validation splits of CLINC150 (CC BY 3.0). It is read by its path; nothing of it is in this folder.
"""
_REBUILDING = """\
## How to make everything again

```
tinyagent data check training/data/natural/*.jsonl training/data/written/*.txt
tinyagent data make --data training/data --out build/data
tinyagent data card --data training/data --out training/data/README.md
```

`data make` writes the parts, rows of the grammar and variants (names, places and dates swapped, requests
joined, slips and fillers) as files for `tinyagent eval`; the same data and seed make the same bytes.
`data teach` asks a chat model for more requests; what it brings can be laid beside the natural ones.
"""


def write_card(data: Path, corpus: Corpus) -> str:
    """The card of the requests in `data`, which `corpus` was read from."""
    rows: dict[Part, list[Row]] = {part: corpus.rows(part) for part in _PARTS}
    phrasings: dict[Part, list[str]] = {part: [skeleton(row) for row in rows[part]] for part in _PARTS}
    everything = [row for part in _PARTS for row in rows[part]]
    sections = [
        _INTRODUCTION,
        _parts(corpus, phrasings),
        _by_part("Number of calls", rows, lambda row: [_calls(row)], everything),
        _by_part("Tools", rows, lambda row: sorted({f"`{call.tool}`" for call in row.calls}), everything),
        _by_part("Manner", rows, lambda row: [manner(row.query)], everything),
        _coverage(rows, everything),
        _by_part("Kinds of date phrases", rows, _date_kinds, everything),
        _overlap(rows, phrasings),
        _digest(data),
        _REBUILDING,
    ]
    return "\n".join(sections)


def data_files(data: Path) -> list[Path]:
    """The files that hold the requests, in a fixed order."""
    return [*sorted((data / "natural").glob("*.jsonl")), *sorted((data / "written").glob("*.txt"))]


def _table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows) + "\n"


def _parts(corpus: Corpus, phrasings: Mapping[Part, Sequence[str]]) -> str:
    def count(parts: Sequence[Part]) -> list[int]:
        by_source = Counter(entry.source for part in parts for entry in corpus.parts[part])
        distinct = {phrasing for part in parts for phrasing in phrasings[part]}
        return [by_source.total(), by_source["natural"], by_source["written"], len(distinct)]

    table = _table(
        ("part", "requests", "natural", "written", "distinct phrasings"),
        [*([part, *count([part])] for part in _PARTS), ["all", *count(_PARTS)]],
    )
    return (
        "## Parts\n\n"
        "A request is put into its part by a hash of its id, and a contrast stays with the request that it\n"
        "varies. A phrasing is a request with the names, places, files, titles and dates in it replaced by\n"
        f"what they are. {corpus.left_out} training requests were left out because they come near to one\n"
        "that is kept aside.\n\n" + table
    )


def _calls(row: Row) -> str:
    return f"{_LONGEST_SHOWN} or more" if len(row.calls) >= _LONGEST_SHOWN else str(len(row.calls))


def _date_kinds(row: Row) -> list[str]:
    return sorted({date_kind(phrase) for phrase in date_phrases(row)})


def _by_part(
    title: str,
    rows: Mapping[Part, Sequence[Row]],
    kinds_of: Callable[[Row], Sequence[str]],
    everything: Sequence[Row],
) -> str:
    counts = {part: Counter(kind for row in rows[part] for kind in kinds_of(row)) for part in _PARTS}
    total = sum(counts.values(), Counter[str]())
    order = sorted(total, key=lambda kind: (kind if title == "Number of calls" else -total[kind], kind))
    lines = [
        [kind, *(counts[part][kind] for part in _PARTS), _percent(total[kind], len(everything))]
        for kind in order
    ]
    return f"## {title}\n\n" + _table((title.lower(), *_PARTS, "share of the requests"), lines)


def _coverage(rows: Mapping[Part, Sequence[Row]], everything: Sequence[Row]) -> str:
    kinds = coverage(Typos(row.query for row in everything))
    lines = [
        [name, *(_percent(sum(map(has, rows[part])), len(rows[part])) for part in _PARTS)]
        for name, has in kinds.items()
    ]
    return (
        "## Coverage\n\n"
        "Share of the requests of each part. References back, mistyped words and what is partly out of\n"
        "scope are found by word lists, so these shares are estimates.\n\n" + _table(("kind", *_PARTS), lines)
    )


def _overlap(rows: Mapping[Part, Sequence[Row]], phrasings: Mapping[Part, Sequence[str]]) -> str:
    lines: list[list[object]] = []
    for size in _GRAMS:
        known = _grams(rows["train"], size)
        shares = [_grams(rows[part], size) for part in ("dev", "test")]
        lines.append([f"{size} words", *(_percent(len(own & known), len(own)) for own in shares)])
    taught = set(phrasings["train"])
    same = [sum(phrasing in taught for phrasing in phrasings[part]) for part in ("dev", "test")]
    lines.append(["the whole phrasing (requests)", *same])
    return (
        "## What dev and test share with train\n\n"
        "Share of their distinct stretches of words that occur in the training part. No training request\n"
        f"has more than {MAX_OVERLAP:.0%} of its four-word stretches in common with any one of them.\n\n"
        + _table(("stretches of", "dev", "test"), lines)
    )


def _grams(rows: Sequence[Row], size: int) -> set[str]:
    found: set[str] = set()
    for row in rows:
        words = normalised(row.query).split()
        found.update(" ".join(words[at : at + size]) for at in range(len(words) - size + 1))
    return found


def _digest(data: Path) -> str:
    digest = hashlib.sha256()
    files = data_files(data)
    for path in files:
        digest.update(path.relative_to(data).as_posix().encode() + b"\0" + path.read_bytes())
    return (
        "## Which data this is\n\n"
        f"SHA-256 over the {len(files)} files (each path, a zero byte, the content; natural ones first, in\n"
        f"order of their names):\n\n`{digest.hexdigest()}`\n"
    )


def _percent(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else "–"
