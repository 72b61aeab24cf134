"""A teaching run against a real server that teaches well, badly, and not at all."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.limits import files_no_larger_than
from tests.support.teacher import (
    Act,
    Teacher,
    body,
    completion,
    drop,
    flood,
    hang,
    lesson,
    saying,
    teaching,
    trickle,
)
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import Conflict, InvalidRequest, PlannerFailed
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS
from tinyagent.training.data_check import check_file
from tinyagent.training.rows import Request, read_requests, row_of
from tinyagent.training.teacher.answers import Offered, Refused, accepted, offered
from tinyagent.training.teacher.asks import MAX_TOOLS, ask_of, sample_tools
from tinyagent.training.teacher.chat import ChatClient, Patience
from tinyagent.training.teacher.ledger import Ledger, summary
from tinyagent.training.teacher.prompt import block, messages
from tinyagent.training.teacher.run import MAX_BARREN, MAX_FAILURES, Task, TeachingRun

NOW = datetime(2026, 3, 4, 10, 0)


@pytest.fixture
def teacher() -> Iterator[Teacher]:
    with teaching() as server:
        yield server


async def teach(
    path: Path,
    url: str,
    rows: int,
    *,
    concurrency: int = 1,
    seed: int = 0,
    aside: tuple[str, ...] = (),
    tries: int = 2,
    timeout: float = 10.0,
) -> dict[str, Any]:
    """The report of a run with little patience."""
    client = ChatClient(url, "m", "k", 300, Patience(timeout, tries=tries, backoff=0.01, longest_wait=0.05))
    with Ledger(path, aside) as ledger:
        try:
            await TeachingRun(Task(rows, seed, concurrency, []), client, ledger).run()
        finally:
            await client.close()
            report = ledger.write_report("m", 2.0, 10.0)
    assert json.loads(ledger.report_path.read_text("utf-8")) == report
    return report


# --- what is asked ----------------------------------------------------------------------------


def test_sampled_tools_are_one_to_six_that_exist_and_sizes_vary() -> None:
    chance = random.Random(0)
    samples = [sample_tools(chance) for _ in range(500)]
    assert all(1 <= len(tools) <= MAX_TOOLS and set(tools) <= set(FIELDS) for tools in samples)
    assert {len(tools) for tools in samples} == set(range(1, 7))
    assert {tool for tools in samples for tool in tools} == set(FIELDS)


def test_a_tool_mostly_brings_what_it_needs() -> None:
    chance = random.Random(0)
    samples = [sample_tools(chance) for _ in range(800)]
    texting = [tools for tools in samples if "send_sms" in tools]
    assert 0.8 < sum("get_phone_number" in tools for tools in texting) / len(texting) < 1


def test_the_same_number_asks_the_same_and_another_number_something_else() -> None:
    examples = [(frozenset({"send_sms"}), f"example {number}") for number in range(20)]
    asks = [ask_of(1, number, examples, 4) for number in range(40)]
    assert asks == [ask_of(1, number, examples, 4) for number in range(40)]
    assert len({(ask.tools, ask.person, ask.manners, ask.twist, ask.now) for ask in asks}) == 40
    assert ask_of(2, 0, examples, 4) != asks[0]


def test_the_prompt_holds_tools_moment_manners_and_examples() -> None:
    call = DraftCall("send_sms", {"recipients": ["+49 30 12345"], "message": "Costs $$5"})
    example = block("text +49 30 12345:\ncosts $5", [call])
    ask = ask_of(0, 3, [(frozenset({"send_sms"}), example)], 4)
    system, user = (message["content"] for message in messages(ask))
    assert example in system
    assert offered(system)[-1] == Offered(
        "text +49 30 12345:\ncosts $5", '1. send_sms(["+49 30 12345"], "Costs $$5")\n2. join()'
    )
    assert all(f"- {tool}(" in user for tool in ask.tools)
    assert all(manner in user for manner in ask.manners)
    assert f"{ask.now:%Y-%m-%d %H:%M}" in user


# --- what is answered -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame", ["{}", "```\n{}\n```", "<think>Request: no</think>Sure!\n{}\nGood luck!", "**{}", "{}\n\n---"]
)
def test_what_surrounds_the_blocks_is_ignored(frame: str) -> None:
    both = f"{lesson(1)}\n###\n{lesson(2)}"
    found = offered(frame.format(both))
    assert [item.query.split(":")[0] for item in found] == ["note under fig1", "note under fig2"]
    assert all(accepted(item, NOW) for item in found)


def plan(query: str, *calls: str) -> Offered:
    lines = [f"{number}. {call}" for number, call in enumerate([*calls, "join()"], 1)]
    return Offered(query, "\n".join(lines))


def test_dates_are_read_from_the_words_and_lead_back_to_the_plan() -> None:
    request = accepted(
        plan(
            "On Friday I have Ann over for tea, 4pm, for half an hour; remind me tomorrow to buy scones",
            'get_email_address("Ann")',
            'create_calendar_event("Tea", "Friday 4pm", "half an hour", "", ["$1"], "", "")',
            'create_reminder("Buy scones", "tomorrow", "", "", 0)',
        ),
        NOW,
    )
    _, event, reminder = parse_plan(request.plan).calls
    assert event.arguments[1:3] == ("2026-03-06 16:00:00", "2026-03-06 16:30:00")
    assert reminder.arguments[1:] == ("2026-03-05", "", "", 0, True)
    assert dict(request.dates) == {
        "Friday": "2026-03-06", "4pm": "2026-03-06 16:00:00", "half an hour": "30 min",
        "tomorrow": "2026-03-05",
    }  # fmt: skip
    assert row_of(request).calls[1].arguments["start_date"] == "Friday 4pm"


def test_a_zoom_meeting_lends_its_words_to_its_event() -> None:
    request = accepted(
        plan(
            "zoom with Ann tomorrow 3 to 4 about rent",
            'get_email_address("Ann")',
            'get_zoom_meeting_link("Rent", "tomorrow 3", "4", ["$1"])',
            'create_calendar_event("", "", "", "", [], "$2", "")',
        ),
        NOW,
    )
    zoom, event = parse_plan(request.plan).calls[1:]
    assert zoom.arguments[:3] == ("Rent", "2026-03-05 15:00:00", 60)
    assert event.arguments[:3] == ("Rent", "2026-03-05 15:00:00", "2026-03-05 16:00:00")


def test_a_request_that_nothing_serves_is_accepted() -> None:
    assert accepted(plan("sing me something"), NOW).plan == "1. join()<END_OF_PLAN>"


SMS = 'send_sms(["$1"], "Hi")'


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Offered("text Ann hi", ""), "not in the form asked for"),
        (Offered("", "1. join()"), "not in the form asked for"),
        (Offered("text Ann hi", "I would text Ann."), "not in the form asked for"),
        (Offered("text Ann hi", '1. get_phone_number("Ann")'), "cut off"),
        (Offered("text Ann hi", "1. send_sms([x"), "not in the form asked for"),
        (Offered("text Ann hi", "2. join()"), "graph not feasible"),
        (plan("text Ann hi", SMS), "graph not feasible"),
        (plan("text Ann hi", 'call_person("Ann")'), "unknown tool"),
        (plan("text Ann hi", 'get_phone_number("Ann", "x")'), "wrong arguments"),
        (plan("text Ann hi", "get_phone_number(7)"), "wrong arguments"),
        (plan("text Ann hi", 'get_phone_number("Ann")', 'send_sms("$1", "Hi")'), "wrong arguments"),
        (plan("text Ann hi", 'get_phone_number("Ann")', "send_sms([7], \"Hi\")"), "wrong arguments"),
        (plan("text Ann hi", 'get_phone_number("Bob")', SMS), "against a rule"),
        (plan("text Ann hi", 'get_phone_number("Ann")', 'get_phone_number("Ann")'), "against a rule"),
        (plan("text Ann hi", 'get_email_address("Ann")', SMS), "against a rule"),
        (plan("sum up a.pdf", 'summarize_pdf("a.pdf")'), "against a rule"),
        (plan("remind me soon: tea", 'create_reminder("Tea", "2026-03-05", "", "", "")'), "against a rule"),
        (plan("when pigs fly", 'create_reminder("Tea", "when pigs fly", "", "", "")'), "date not readable"),
        (plan("tea at 9 today", 'create_reminder("Tea", "at 9 today", "", "", "")'), "date in the past"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_kind_of_reason(given: Offered, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        accepted(given, NOW)
    assert refusal.value.reason == reason
    assert refusal.value.detail


# --- runs -------------------------------------------------------------------------------------


async def test_a_run_fills_a_file_with_sound_rows_that_training_reads(
    teacher: Teacher, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    report = await teach(path, teacher.url, 7, concurrency=3)
    assert check_file(path).sound == 7
    assert [len(found) for found in read_requests([path])] == [7, 0]
    row = json.loads(path.read_text("utf-8").splitlines()[0])
    assert (row["source"], row["dates"]) == ("teacher", [])
    assert report["rows"] == report["accepted"] == 7
    assert report["asked"] == report["answered"] >= 4
    assert (report["yield"], report["duplicates"], report["failed"]) == (1.0, 0, {})
    assert report["cost"] == pytest.approx(report["asked"] * (100 * 2 + 10 * 10) / 1e6)
    assert teacher.most_at_once <= 3
    assert teacher.keys[0] == "Bearer k"
    assert (teacher.bodies[0]["model"], teacher.bodies[0]["max_tokens"]) == ("m", 300)


async def test_the_same_command_goes_on_and_asks_nothing_twice(teacher: Teacher, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    await teach(path, teacher.url, 4)
    first = path.read_text("utf-8")
    report = await teach(path, teacher.url, 8)
    assert path.read_text("utf-8").startswith(first)
    assert (report["rows"], report["accepted"], report["asked"]) == (8, 8, 4)
    asked = [item["messages"][1]["content"] for item in teacher.bodies]
    assert len(set(asked)) == len(asked) == 4
    assert (await teach(path, teacher.url, 8))["asked"] == 4


async def test_lines_cut_in_half_by_a_crash_are_dropped(teacher: Teacher, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    await teach(path, teacher.url, 2)
    for file in (path, tmp_path / "rows.state.jsonl"):
        with file.open("a") as lines:
            lines.write('{"id": "teacher-')
    assert (await teach(path, teacher.url, 4))["rows"] == 4
    assert check_file(path).faults == []


HTML = body(b"<!doctype html><title>Welcome</title>", content_type="text/html")


@pytest.mark.parametrize(
    ("acts", "failure"),
    [
        ([HTML], "no chat completion"),
        ([body(b"")], "no chat completion"),
        ([body(b"[1, 2]")], "no chat completion"),
        ([body(b'{"choices": []}')], "no chat completion"),
        ([body(b'{"choices": [7]}')], "no chat completion"),
        ([flood], "an endless answer"),
        ([hang, hang], "no answer within 1 seconds"),
        ([trickle, trickle], "no answer within 1 seconds"),
        ([drop, drop], "connection failed (RemoteProtocolError)"),
        ([body(b"{}", 503), body(b"", 429)], "HTTP 429"),
    ],
)
async def test_a_teacher_that_does_not_answer_is_counted_and_the_run_goes_on(
    teacher: Teacher, tmp_path: Path, acts: list[Act], failure: str
) -> None:
    teacher.script = list(acts)
    timeout = 1.0 if "within" in failure else 10.0
    report = await teach(tmp_path / "rows.jsonl", teacher.url, 2, timeout=timeout)
    assert report["failed"] == {failure: 1}
    assert (report["rows"], report["asked"], report["answered"]) == (2, 2, 1)


async def test_an_ask_that_failed_is_asked_again_later(teacher: Teacher, tmp_path: Path) -> None:
    teacher.script = [HTML]
    await teach(tmp_path / "rows.jsonl", teacher.url, 2)
    await teach(tmp_path / "rows.jsonl", teacher.url, 4)
    asked = [item["messages"][1]["content"] for item in teacher.bodies]
    assert asked[2] == asked[0]
    assert asked[1] != asked[0]


@pytest.mark.parametrize(
    "act", [hang, drop, body(b"", 500), body(b"", 429, retry_after="1"), body(b"", 503, retry_after="soon")]
)
async def test_what_may_pass_is_tried_again(teacher: Teacher, tmp_path: Path, act: Act) -> None:
    teacher.script = [act]
    timeout = 1.0 if act is hang else 10.0
    report = await teach(tmp_path / "rows.jsonl", teacher.url, 2, timeout=timeout)
    assert (report["asked"], report["failed"]) == (1, {})
    assert len(teacher.bodies) == 2


GOOD_HALF = f"{lesson(900)}\n###\nRequest: open the note heron\nPlan:\n1. open_no"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (saying("I am afraid I cannot help with that."), "not in the form asked for"),
        (saying(""), "not in the form asked for"),
        (saying("Well, let me think", "length"), "cut off"),
        (saying(GOOD_HALF, "length"), "cut off"),
        (saying('{"requests": []}'), "not in the form asked for"),
        (saying(lesson(901).replace("append_note_content", "add_to_note")), "unknown tool"),
        (saying(f"{lesson(902)}\n###\n{lesson(902)}"), "duplicate"),
        (
            saying(f"{lesson(903)}\n###\n{lesson(903).replace('note under', 'please note under')}"),
            "near duplicate",
        ),
        (saying(lesson(904)), "near a request kept aside"),
    ],
)
async def test_an_answer_of_no_use_is_counted_by_its_reason(
    teacher: Teacher, tmp_path: Path, act: Act, reason: str
) -> None:
    teacher.script = [act]
    aside = ("kindly note under fig904: fig904 oak904 elm904 ivy904 yew904 ash904",)
    report = await teach(tmp_path / "rows.jsonl", teacher.url, 3, aside=aside)
    assert report["rows"] == 3
    assert {name: entry["count"] for name, entry in report["rejected"].items()} == {reason: 1}
    assert len(report["rejected"][reason]["examples"]) == 1
    assert report["duplicates"] == ("duplicate" in reason or "aside" in reason)
    assert report["yield"] == 0.75


async def test_content_that_is_null_is_an_answer_of_no_use(teacher: Teacher, tmp_path: Path) -> None:
    empty = completion("")
    empty["choices"][0]["message"]["content"] = None
    del empty["usage"]
    teacher.script = [body(json.dumps(empty).encode())]
    report = await teach(tmp_path / "rows.jsonl", teacher.url, 2)
    assert report["rejected"]["not in the form asked for"]["count"] == 1
    assert report["prompt_tokens"] == 100


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (body(b'{"error": {"message": "Bad key."}}', 401), "HTTP 401: Bad key"),
        (body(b'{"error": "no such model"}', 404), "HTTP 404: no such model"),
        (body(b"", 400), "HTTP 400"),
        (body(b"", 301, location="http://elsewhere.example/"), "HTTP 301"),
    ],
)
async def test_a_failure_that_will_not_pass_ends_the_run_at_once(
    teacher: Teacher, tmp_path: Path, act: Act, words: str
) -> None:
    teacher.script = [act]
    with pytest.raises(PlannerFailed, match=words) as failure:
        await teach(tmp_path / "rows.jsonl", teacher.url, 2)
    assert failure.value.hint
    assert len(teacher.bodies) == 1


async def test_many_failures_in_a_row_end_the_run_with_the_reason(teacher: Teacher, tmp_path: Path) -> None:
    teacher.script = [lambda handler: None, *[HTML] * 100]
    with pytest.raises(PlannerFailed, match=f"no answer {MAX_FAILURES} times .*: no chat completion"):
        await teach(tmp_path / "rows.jsonl", teacher.url, 2)


async def test_no_server_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(PlannerFailed, match="connection failed"):
        await teach(tmp_path / "rows.jsonl", f"http://127.0.0.1:{port}/v1", 2, concurrency=4, tries=1)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v1", "localhost", "http://[::1"])
async def test_no_url_ends_the_run_with_the_reason(tmp_path: Path, url: str) -> None:
    with pytest.raises(PlannerFailed, match="no URL"):
        await teach(tmp_path / "rows.jsonl", url, 2)


async def test_many_useless_answers_in_a_row_end_the_run(teacher: Teacher, tmp_path: Path) -> None:
    teacher.script = [saying("No.")] * 100
    with pytest.raises(PlannerFailed, match=r"held no usable request: not in the form asked for \(30\)"):
        await teach(tmp_path / "rows.jsonl", teacher.url, 2)
    assert len(teacher.bodies) == MAX_BARREN


def test_two_runs_on_one_file_do_not_mix(tmp_path: Path) -> None:
    other = Ledger(tmp_path / "rows.jsonl")
    with Ledger(tmp_path / "rows.jsonl"), pytest.raises(Conflict, match="Another run"), other:
        pass
    with Ledger(tmp_path / "rows.jsonl") as ledger:
        assert ledger.rows == 0


@pytest.mark.parametrize(
    ("name", "message"), [("rows.jsonl", "line 1: not a request"), ("rows.state.jsonl", "is damaged")]
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_text("dear diary\n")
    for _ in range(2):
        with pytest.raises(InvalidRequest, match=message), Ledger(tmp_path / "rows.jsonl"):
            pass
    assert (tmp_path / name).read_text() == "dear diary\n"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequest, match="cannot be written"), Ledger(tmp_path / "file" / "rows.jsonl"):
        pass


def test_a_disk_that_fills_up_is_told_and_the_same_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    request = Request("a", datetime(2026, 3, 4), "note tea", "1. join()<END_OF_PLAN>", ())
    long = replace(request, query="note " + "x" * 5000)
    told = pytest.raises(InvalidRequest, match="cannot be written: File too large")
    with told, files_no_larger_than(1000), Ledger(path) as ledger:
        ledger.keep(request, [])
        ledger.keep(long, [])
    with Ledger(path) as ledger:
        assert ledger.rows == 1
        ledger.keep(long, [])
    assert [json.loads(line)["query"] for line in path.read_text().splitlines()] == ["note tea", long.query]


def test_a_folder_is_no_file_of_rows(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    with pytest.raises(InvalidRequest, match="is a folder"), Ledger(tmp_path / "rows"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_without_prices_there_is_no_cost_and_without_rows_no_yield() -> None:
    report = summary([], None, None)
    assert (report["cost"], report["yield"], report["asked"]) == (None, None, 0)
