"""Requests in ordinary words, through every kind of client, to files on disk.

The bundled planner plans; a real server runs as a process of its own; the files that result are
read by other parsers than those that wrote them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from httpx_sse import connect_sse
from openai import OpenAI

from tests.support.server import Server, serve, tinyagent
from tests.support.world import World, attachments, header, text_of

TODAY = date.today()
TOMORROW = TODAY + timedelta(days=1)


def coming(weekday: int) -> date:
    """The next such day after today, Monday 0."""
    return TODAY + timedelta(days=(weekday - TODAY.weekday() - 1) % 7 + 1)


@dataclass(frozen=True)
class Done:
    """What a client received, and the data before and after."""

    answer: str
    tools: list[str]
    world: World


Check = Callable[[Done], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    made = tinyagent(home, "demo")
    assert made.returncode == 0, made.stderr
    with serve(home, TINYAGENT_DEMO="1") as server:
        yield server


# --- four kinds of client --------------------------------------------------------------------


def by_openai(server: Server, request: str) -> tuple[str, str]:
    """A whole answer by the openai package: (answer, run)."""
    with OpenAI(base_url=f"{server.url}/v1", api_key=server.token) as client:
        completion = client.chat.completions.create(
            model="tinyagent", messages=[{"role": "user", "content": request}]
        )
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model_extra is not None
    return completion.choices[0].message.content or "", completion.model_extra["tinyagent"]["run"]


def by_openai_stream(server: Server, request: str) -> tuple[str, str]:
    """A streamed answer by the openai package."""
    answer, run = "", ""
    with OpenAI(base_url=f"{server.url}/v1", api_key=server.token) as client:
        chunks = client.chat.completions.create(
            model="tinyagent:nano", messages=[{"role": "user", "content": request}], stream=True
        )
        for chunk in chunks:
            answer += chunk.choices[0].delta.content or ""
            event = (chunk.model_extra or {}).get("tinyagent")
            run = event["run"] if event else run
    return answer, run


def by_curl(server: Server, request: str) -> tuple[str, str]:
    """curl with a body on standard input."""
    body = json.dumps({"model": "tinyagent", "messages": [{"role": "user", "content": request}]})
    command = ["curl", "-sS", "--fail-with-body", "--max-time", "60", "--data-binary", "@-"]
    headers = [f"Authorization: Bearer {server.token}", "Content-Type: application/json"]
    command += [part for header in headers for part in ("-H", header)]
    result = subprocess.run(
        [*command, f"{server.url}/v1/chat/completions"],
        input=body,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    answer = json.loads(result.stdout)
    return answer["choices"][0]["message"]["content"], answer["tinyagent"]["run"]


def by_event_feed(server: Server, request: str) -> tuple[str, str]:
    """A run and its events by httpx-sse."""
    with server.client() as client:
        run = client.post("/v1/runs", json={"query": request}).raise_for_status().json()["run"]
        with connect_sse(client, "GET", f"/v1/runs/{run}/events") as source:
            events = [json.loads(event.data) for event in source.iter_sse()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "run.completed", events[-1]
    return events[-1]["data"]["answer"], run


CLIENTS = [by_openai, by_openai_stream, by_curl, by_event_feed]


# --- what must be true afterwards ------------------------------------------------------------


def says(*words: str) -> Check:
    def check(done: Done) -> None:
        for word in words:
            assert word.casefold() in done.answer.casefold(), done.answer

    return check


def texted(number: str, *words: str) -> Check:
    def check(done: Done) -> None:
        message = next(item for item in done.world.messages() if number in json.dumps(item))
        for word in words:
            assert word.casefold() in json.dumps(message, ensure_ascii=False).casefold()

    return check


def drafted(
    to: str, *words: str, cc: str = "", attached: str = "", reply_to: str = "", subject: str = ""
) -> Check:
    def check(done: Done) -> None:
        drafts = [mail for mail in done.world.drafts() if to in header(mail, "To")]
        mails = [mail for mail in drafts if all(word in text_of(mail).casefold() for word in words)]
        assert mails, [(header(mail, "Subject"), text_of(mail)) for mail in drafts]
        mail = mails[-1]
        assert subject in header(mail, "Subject")
        assert cc in header(mail, "Cc")
        assert not attached or attached in attachments(mail)
        assert not reply_to or mail["In-Reply-To"] == reply_to

    return check


def booked(start: datetime, minutes: int, invitee: str = "", notes: str = "", location: str = "") -> Check:
    def check(done: Done) -> None:
        events = [event for event in done.world.events() if event.dtstart.value.replace(tzinfo=None) == start]
        assert events, [str(event.dtstart.value) for event in done.world.events()]
        event = events[-1]
        assert event.dtend.value - event.dtstart.value == timedelta(minutes=minutes)
        assert invitee in str(event.contents.get("attendee", ""))
        assert notes in str(event.contents.get("description", ""))
        assert location in str(event.contents.get("location", ""))

    return check


def reminded(due: date | datetime, word: str, priority: int = 0) -> Check:
    def check(done: Done) -> None:
        def due_of(todo: object) -> date | datetime:
            value = todo.due.value  # type: ignore[attr-defined]
            return value.replace(tzinfo=None) if isinstance(value, datetime) else value

        todos = [todo for todo in done.world.reminders() if word in todo.summary.value.casefold()]
        assert [due_of(todo) for todo in todos] == [due]
        assert (
            int(todos[0].contents["priority"][0].value if "priority" in todos[0].contents else 0) == priority
        )
        assert "valarm" in todos[0].contents

    return check


def noted(name: str, *words: str) -> Check:
    def check(done: Done) -> None:
        for word in words:
            assert word in done.world.note(name)

    return check


def both(*checks: Check) -> Check:
    def check(done: Done) -> None:
        for each in checks:
            each(done)

    return check


JANE, LEILANI, WEI = "+14155550101", "+18085550116", "+4477009001"
RAMP = "<ramp-quote-2026@example.org>"
FRIDAY, THURSDAY, MONDAY = coming(4), coming(3), coming(0)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute)


CASES: list[tuple[str, list[str], Check]] = [
    (
        "Make a note called Groceries: milk, bread and figs",
        ["create_note"],
        noted("Groceries", "bread", "figs"),
    ),
    (
        "Text Jane that dinner is at seven",
        ["get_phone_number", "send_sms"],
        texted(JANE, "dinner is at seven"),
    ),
    (
        "Remind me tomorrow at 9 to water the plants",
        ["create_reminder"],
        reminded(at(TOMORROW, 9), "water the plants"),
    ),
    ("What is Leilani's phone number?", ["get_phone_number"], says(LEILANI)),
    ("what's Priya's email address", ["get_email_address"], says("priya.raghunathan@example.com")),
    ("Open my note Shopping List", ["open_note"], says("oat milk", "coffee filters")),
    (
        "Add beeswax candles to my Shopping List note",
        ["append_note_content"],
        noted("Shopping List", "oat milk", "candles"),
    ),
    ("Find Lease Agreement.pdf", ["open_and_get_file_path"], says("Lease Agreement.pdf")),
    (
        "Summarize Library Annual Report 2025.pdf",
        ["open_and_get_file_path", "summarize_pdf"],
        says("library"),
    ),
    (
        "Summarize Lease Agreement.pdf and email the summary to Ingrid",
        ["compose_new_email", "get_email_address", "open_and_get_file_path", "summarize_pdf"],
        drafted("ingrid.haugland@example.net", "landlord"),
    ),
    (
        "Email Henrik that the boat is ready, cc Tariq",
        ["compose_new_email", "get_email_address", "get_email_address"],
        drafted("henrik.sorensen@example.net", "the boat is ready", cc="tariq"),
    ),
    (
        "Reply to this email: thank you, the ramp looks good",
        ["reply_to_email"],
        drafted("adaeze.okonkwo@example.org", "the ramp looks good", reply_to=RAMP, subject="Re: "),
    ),
    (
        "Forward this email to Kwabena and say please check the numbers",
        ["forward_email", "get_email_address"],
        drafted("kwabena.asante@example.org", "please check the numbers", subject="Fwd: "),
    ),
    (
        "Show me the Maritime Museum on the map",
        ["maps_open_location"],
        says("https://maps.apple.com/", "Maritime"),
    ),
    (
        "How do I get from Central Station to the Maritime Museum on foot?",
        ["maps_show_directions"],
        says("https://maps.apple.com/", "walk", "Central", "Maritime"),
    ),
    (
        "Lunch with Priya on Friday at 12:30 at Cafe Luna, put it in my calendar",
        ["create_calendar_event", "get_email_address"],
        booked(at(FRIDAY, 12, 30), 60, invitee="priya.raghunathan@example.com", location="Cafe Luna"),
    ),
    (
        "Get me a Zoom link for Friday at 3 called Budget review and text it to Leilani",
        ["get_phone_number", "get_zoom_meeting_link", "send_sms"],
        texted(LEILANI, "https://zoom.example/"),
    ),
    (
        "Schedule a Zoom meeting with Priya and Henrik for Thursday at 4, topic Offsite",
        ["create_calendar_event", "get_email_address", "get_email_address", "get_zoom_meeting_link"],
        booked(at(THURSDAY, 16), 60, invitee="henrik.sorensen@example.net", notes="https://zoom.example/"),
    ),
    (
        "Text Maria that I am on my way",
        ["get_phone_number", "send_sms"],
        both(says("Maria Santos", "Maria Kowalska"), lambda done: _nothing_texted(done, "on my way")),
    ),
    (
        "Email Floor Plan.png to Misaki",
        ["compose_new_email", "get_email_address", "open_and_get_file_path"],
        drafted("misaki", attached="Floor Plan.png"),
    ),
    (
        "Remind me on Monday to call the bank, high priority",
        ["create_reminder"],
        reminded(MONDAY, "call the bank", priority=1),
    ),
    (
        "Text Connor the map link of the Central Library",
        ["get_phone_number", "maps_open_location", "send_sms"],
        texted("+16175550120", "https://maps.apple.com/", "Library"),
    ),
    ("Play some jazz music", [], says("no tool")),
    (
        "Set a timer for the eggs and dim the lights",
        [],
        says("no tool"),
    ),
]


def _nothing_texted(done: Done, words: str) -> None:
    assert words not in json.dumps(done.world.messages())


@pytest.mark.parametrize("number", range(len(CASES)), ids=[request[:40] for request, _, _ in CASES])
def test_a_request_becomes_done_work(server: Server, number: int) -> None:
    request, tools, check = CASES[number]
    client = CLIENTS[number % len(CLIENTS)]
    if client is by_curl and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    answer, run = client(server, request)
    with server.client() as http:
        state = http.get(f"/v1/runs/{run}").json()
    planned = sorted(task["tool"] for task in state["tasks"])
    assert planned == tools, state["plan"]
    check(Done(answer, planned, World(server.home)))


def test_together_the_requests_use_all_sixteen_tools() -> None:
    assert len({tool for _, tools, _ in CASES for tool in tools}) == 16


def test_a_request_that_no_tool_serves_changes_nothing(server: Server) -> None:
    before = World(server.home).snapshot()
    by_openai(server, "What will the weather be on Saturday?")
    assert World(server.home).snapshot() == before


def test_no_private_text_reaches_the_log(server: Server) -> None:
    by_event_feed(server, "Text Jane that the parrot is purple")
    assert "parrot" not in server.log.read_text()


def test_a_date_resolves_against_the_now_of_the_request(server: Server) -> None:
    with server.client() as client:
        body = {"query": "Remind me next Friday to renew the passport", "now": "2026-08-28 08:03"}
        run = client.post("/v1/runs", json=body).raise_for_status().json()["run"]
        with connect_sse(client, "GET", f"/v1/runs/{run}/events") as source:
            list(source.iter_sse())
    reminded(date(2026, 9, 4), "passport")(Done("", [], World(server.home)))


def test_a_repeated_request_with_the_same_key_does_not_act_twice(server: Server) -> None:
    world = World(server.home)
    before = len(world.messages())
    with OpenAI(base_url=f"{server.url}/v1", api_key=server.token) as client:
        for _ in range(3):
            client.chat.completions.create(
                model="tinyagent",
                messages=[{"role": "user", "content": "Text Jane that the ferry is late"}],
                extra_headers={"Idempotency-Key": "ferry"},
            )
    assert len(world.messages()) == before + 1


def test_the_home_folder_is_closed_to_others(server: Server) -> None:
    for path in (server.home / "token", server.home / "journal.sqlite3"):
        assert Path(path).stat().st_mode & 0o077 == 0
