"""A small folder of requests with plans, parted as the real data are."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

from tinyagent.training.split import part_of

_PEOPLE = (
    "Sid", "Ana", "Bo", "Cleo", "Dov", "Eve", "Finn", "Gus", "Hal", "Ida",
    "Jo", "Kit", "Lev", "Mia", "Ned", "Oz", "Pia", "Quin", "Rae", "Sol",
)  # fmt: skip
_PLACES = (
    "harbour", "station", "museum", "bakery", "library", "castle", "bridge", "market", "airport", "chapel",
)  # fmt: skip
_NOW = "2026-03-04 09:30"


def write_corpus(folder: Path, train: int = 8, dev: int = 2) -> Path:
    """`natural/requests.jsonl` with so many training and development requests; the folder itself."""
    wanted = {"train": train, "dev": dev, "test": 0}
    lines: list[str] = []
    for number in count():
        part = part_of(f"tiny-{number}")
        if not any(wanted.values()):
            break
        if wanted[part]:
            wanted[part] -= 1
            lines.append(_line(number))
    (folder / "natural").mkdir(parents=True)
    (folder / "natural" / "requests.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def _line(number: int) -> str:
    name, place = _PEOPLE[number % 20], _PLACES[number % 10]
    unlike = [
        (f"text {name} {number} i am at {place} {number}",
         f'1. get_phone_number("{name} {number}")\n2. send_sms(["$1"], "I am at {place} {number}.")\n'
         "3. join()<END_OF_PLAN>"),
        (f"{place} {number}: where is it?",
         f'1. maps_open_location("{place} {number}")\n2. join()<END_OF_PLAN>'),
        (f"{name} {number}, weather {place}?", "1. join()<END_OF_PLAN>"),
    ]  # fmt: skip
    query, plan = unlike[number % 3]
    return json.dumps(
        {"id": f"tiny-{number}", "now": _NOW, "query": query, "plan": plan, "dates": []}, ensure_ascii=False
    )
