"""Training rows of `nano`: split, phrases, recombination, examples."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path

import pytest

from tinyagent.domain.plan import format_plan
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.evaluation.cases import read_cases
from tinyagent.evaluation.scoring import score_plan
from tinyagent.planners.inner import DraftCall, PlanCompiler
from tinyagent.toolrag.files import load_tokenizer
from tinyagent.training.examples import Encoder, vocabulary
from tinyagent.training.holdout import write_labelled, write_part
from tinyagent.training.recombine import Pools, join, swap
from tinyagent.training.rows import Request, Row, read_requests, row_of
from tinyagent.training.sampling import read_labelled
from tinyagent.training.split import part_of

ROOT = Path(__file__).parents[3]
NATURAL = sorted((ROOT / "training" / "data" / "natural").glob("*.jsonl"))


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return list(read_requests(NATURAL[:3]))


def test_parts_have_their_shares_and_never_change() -> None:
    parts = [part_of(f"row-{number}") for number in range(4000)]
    assert 0.03 < parts.count("dev") / 4000 < 0.05
    assert 0.05 < parts.count("test") / 4000 < 0.07
    assert (part_of("t1-001"), part_of("t1-009"), part_of("t7-003")) == ("train", "train", "train")


def test_no_kept_aside_request_stands_in_the_training_part() -> None:
    parts: dict[str, set[str]] = {"train": set(), "dev": set(), "test": set()}
    for request in read_requests(NATURAL):
        parts[part_of(request.identifier)].add(" ".join(request.query.lower().split()))
    assert not parts["train"] & (parts["dev"] | parts["test"])
    assert not parts["dev"] & parts["test"]


def test_rows_compile_back_to_their_plans(requests: list[Request]) -> None:
    exact = 0
    for request in requests:
        compiler = PlanCompiler(request.query, request.now)
        plan = format_plan([compiler.compile(draft) for draft in row_of(request).calls])
        score = score_plan(parse_plan(request.plan), plan)
        assert score.success, (request.identifier, plan)
        exact += score.arguments_exact
    # The rules for names and subjects overrule a few references; dates said in two places cost the rest.
    assert exact / len(requests) > 0.93


def test_dates_become_phrases_and_defaults_are_left_out() -> None:
    request = Request(
        "x", datetime(2026, 3, 4, 10), "zoom with Ann friday 3pm to 4",
        '1. get_email_address("Ann")\n2. get_zoom_meeting_link("Zoom", "2026-03-06 15:00:00", 60, ["$1"])\n'
        '3. create_calendar_event("Zoom", "2026-03-06 15:00:00", "2026-03-06 16:00:00", "", '
        '["$1"], "$2", "")\n'
        "4. join()<END_OF_PLAN>",
        (("friday 3pm to", "2026-03-06 15:00:00"), ("4", "2026-03-06 16:00:00")),
    )  # fmt: skip
    _, zoom, event = row_of(request).calls
    assert zoom.arguments["start_time"] == "friday 3pm"
    assert zoom.arguments["duration"] == "4"
    assert event.arguments == {"notes": "$2"}


def test_a_faulty_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a"}\n')
    with pytest.raises(ValueError, match=r"rows.jsonl, line 1"):
        list(read_requests([path]))


def _row(name: str) -> Row:
    return Row(
        f"Text {name} that {name} owes me $5",
        (
            DraftCall("get_phone_number", {"name": name}),
            DraftCall("send_sms", {"recipients": ["$1"], "message": "You owe me $$5"}),
        ),
    )


def test_a_swap_changes_request_and_plan_alike() -> None:
    rows = [_row("Ann"), _row("Bo Li")]
    swapped = swap(rows[0], Pools.of(rows[1:]), random.Random(0), 1.0)
    assert swapped.query == "Text Bo Li that Bo Li owes me $5"
    assert swapped.calls[0].arguments == {"name": "Bo Li"}
    assert swapped.calls[1].arguments == {"recipients": ["$1"], "message": "You owe me $$5"}


def test_joined_requests_keep_their_references() -> None:
    joined = join(_row("Ann"), _row("Bo"), random.Random(1))
    assert joined is not None
    assert "Ann" in joined.query and "Bo" in joined.query
    assert joined.calls[3].arguments == {"recipients": ["$3"], "message": "You owe me $$5"}


def test_requests_that_look_up_the_same_person_are_not_joined() -> None:
    assert join(_row("Ann"), _row("Ann"), random.Random(1)) is None


def test_swapped_natural_rows_can_still_be_copied(requests: list[Request]) -> None:
    rows = [row_of(request) for request in requests[:300]]
    symbols = vocabulary(rows)
    tokenizer = load_tokenizer(ROOT / "models" / "nano" / "tokenizer.json", 192)
    encoder, pools, chance = Encoder(tokenizer, symbols), Pools.of(rows), random.Random(3)
    lost = total = 0
    for row in rows:
        example = encoder.example(swap(row, pools, chance, 0.5))
        assert example is not None
        total += len(example.targets)
        lost += sum(
            target < 0 and not places for target, places in zip(example.targets, example.copies, strict=True)
        )
    assert lost / total < 0.01


def test_a_copied_word_is_fed_from_where_the_longest_run_goes_on() -> None:
    row = Row(
        "note the red car, then the red bus",
        (DraftCall("create_note", {"name": "the red bus"}),),
    )
    tokenizer = load_tokenizer(ROOT / "models" / "nano" / "tokenizer.json", 192)
    example = Encoder(tokenizer, vocabulary([row])).example(row)
    assert example is not None
    assert example.copies[2:5] == ((1, 6), (2, 7), (8,))
    assert example.fed_words[3:6] == (6, 7, 8)


def test_the_natural_requests_are_of_the_documented_form() -> None:
    for path in NATURAL:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            assert {"id", "now", "query", "plan", "dates"} <= row.keys()
            assert all(phrase in row["query"] for phrase, _ in row["dates"])


def test_a_part_is_written_as_evaluation_cases(tmp_path: Path) -> None:
    natural = tmp_path / "natural"
    natural.mkdir()
    (natural / "one.jsonl").write_bytes(NATURAL[0].read_bytes())
    count = write_part(tmp_path, "test", "natural", tmp_path / "cases.jsonl")
    cases, faults = read_cases(tmp_path / "cases.jsonl")
    assert count == len(cases) > 0
    assert faults == []
    assert {part_of(case.id) for case in cases} == {"test"}


def test_real_requests_are_for_training_or_kept_aside(tmp_path: Path) -> None:
    texts = [f"request number {number}" for number in range(300)]
    lines = [json.dumps({"text": text, "accept": []}) for text in texts]
    (tmp_path / "all.jsonl").write_text("\n".join(lines), "utf-8")
    count = write_labelled(tmp_path / "all.jsonl", tmp_path / "aside.jsonl")
    aside = {json.loads(line)["text"] for line in (tmp_path / "aside.jsonl").read_text("utf-8").splitlines()}
    trained = {item.text for item in read_labelled(tmp_path / "all.jsonl")}
    assert count == len(aside) > 10
    assert not aside & trained
    assert aside | trained == set(texts)
