"""Training rows of `nano`: split, phrases, recombination, examples."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path

import pytest

from tinyagent.domain.plan import format_plan
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import InvalidRequest
from tinyagent.evaluation.cases import read_cases
from tinyagent.evaluation.scoring import score_plan
from tinyagent.planners.inner import DraftCall, PlanCompiler
from tinyagent.toolrag.files import load_tokenizer
from tinyagent.training.examples import Encoder, vocabulary
from tinyagent.training.holdout import write_labelled, write_part
from tinyagent.training.labelled import read_labelled
from tinyagent.training.recombine import Pools, join, swap
from tinyagent.training.rows import Request, Row, read_requests, row_of
from tinyagent.training.split import part_of

ROOT = Path(__file__).parents[3]
NATURAL = sorted((ROOT / "training" / "data" / "natural").glob("*.jsonl"))


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return [request for request, _ in read_requests(NATURAL[:3])[0]]


def test_parts_have_their_shares_and_never_change() -> None:
    parts = [part_of(f"row-{number}") for number in range(4000)]
    assert 0.03 < parts.count("dev") / 4000 < 0.05
    assert 0.05 < parts.count("test") / 4000 < 0.07
    assert (part_of("t1-001"), part_of("t1-009"), part_of("t7-003")) == ("train", "train", "train")


def test_no_kept_aside_request_stands_in_the_training_part() -> None:
    parts: dict[str, set[str]] = {"train": set(), "dev": set(), "test": set()}
    for request, _ in read_requests(NATURAL)[0]:
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


def test_faulty_lines_are_named_and_the_others_are_used(tmp_path: Path) -> None:
    plan = '1. create_note("Tea", "", "")\n2. join()<END_OF_PLAN>'
    good = json.dumps(
        {"id": "a", "now": "2026-03-04 10:00", "query": "note\u2028tea", "plan": plan}, ensure_ascii=False
    )
    bad: list[tuple[bytes, str]] = [
        (b'{"id": "a"}', '"now" is missing'),
        (b"nonsense", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b'{"id": "' + b"a" * 1_000_001 + b'"}', "longer than 1000000 bytes"),
        (b"[" * 100_000, "not JSON"),
        (good.replace('create_note(\\"Tea\\"', "fly(").encode(), "its plan cannot be used"),
        (good.replace("1. create_note", "create_note").encode(), "its plan cannot be used"),
        (good.replace("tea", "\\ud83d").encode(), "lone surrogate"),
        (good.replace("}", ', "dates": [["noon", "2026-03-04 12:00:00"]]}').encode(), "does not stand in"),
        (good.replace("}", ', "dates": 3}').encode(), '"dates" is not a list'),
    ]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([good.encode(), *(line for line, _ in bad), b"", good.encode()]))
    found, faults = read_requests([path])
    assert [request.query for request, _ in found] == ["note\u2028tea"] * 2
    assert [fault.line for fault in faults] == list(range(2, 13))
    for fault, (_, reason) in zip(faults, bad, strict=True):
        assert str(fault).startswith(f"{path}, line {fault.line}: ")
        assert reason in fault.reason


def test_a_device_is_no_file_of_requests() -> None:
    with pytest.raises(InvalidRequest, match="/dev/zero cannot be read: it is a device"):
        read_requests([Path("/dev/zero")])


def test_faulty_labelled_lines_are_told_and_the_others_are_used(tmp_path: Path) -> None:
    texts = [text for number in range(9) if part_of(text := f"request {number}") == "train"][:2]
    lines = [json.dumps({"text": text, "accept": ["send_sms"]}) for text in texts]
    faulty = ['{"text": "x", "accept": ["fly"]}', '{"accept": []}', '{"text": "y"}', "{", "\xff"]
    path, told = tmp_path / "real.jsonl", list[str]()
    path.write_text("\n".join([lines[0], *faulty, lines[1]]), "latin-1")
    assert [item.text for item in read_labelled(path, told.append)] == texts
    assert told[0] == "5 faulty requests are left out:"
    assert (
        told[1]
        == f"  {path}, line 2: \"accept\" holds 'fly', which is no tool; it is a list of tools or null"
    )
    assert [line.split(": ")[0].rsplit(" ", 1)[1] for line in told[1:]] == ["2", "3", "4", "5", "6"]


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
