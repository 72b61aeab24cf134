"""The sixteen tools on a Mac: a server without hands, a worker in a process of its own, the Mac's programs.

The bundled planner plans. `osascript`, `mdfind` and `open` are a fake Mac's, run as programs; they check
every script and payload, and what they were asked to store is read back from their store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import Letter
from tests.support.server import Server, tinyagent
from tests.support.workers import eventually, serve_workers, work

TODAY = date.today()
JANE, LEILANI = "+14155550101", "+18085550116"
PEOPLE = {
    "Jane Ashdown": (JANE, "jane.ashdown@example.com"),
    "Leilani Kahale": (LEILANI, "leilani@example.org"),
    "Priya Raghunathan": ("+14155550102", "priya@example.com"),
    "Henrik Sorensen": ("+4520123456", "henrik@example.net"),
    "Ingrid Haugland": ("+4790123456", "ingrid@example.net"),
    "Maria Santos": ("+351912345678", "maria.santos@example.org"),
    "Maria Kowalska": ("+48512345678", "maria.kowalska@example.org"),
}


def coming(weekday: int, hour: int, minute: int = 0) -> datetime:
    """The next such day after today, Monday 0."""
    day = TODAY + timedelta(days=(weekday - TODAY.weekday() - 1) % 7 + 1)
    return datetime(day.year, day.month, day.day, hour, minute)


@dataclass(frozen=True)
class Mac:
    """A server, the home of its worker, and the Mac where the worker runs."""

    server: Server
    home: Path
    world: MacWorld

    def start(self, request: str, **fields: Any) -> str:
        with self.server.client() as client:
            answer = client.post("/v1/runs", json={"query": request, **fields})
            return answer.raise_for_status().json()["run"]

    def state(self, run: str) -> dict[str, Any]:
        with self.server.client() as client:
            return client.get(f"/v1/runs/{run}").raise_for_status().json()

    def ended(self, run: str) -> dict[str, Any]:
        eventually(lambda: self.state(run)["status"] != "running", "the run ends")
        return self.state(run)

    def run(self, request: str, **fields: Any) -> dict[str, Any]:
        return self.ended(self.start(request, **fields))

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        with self.server.client() as client:
            return client.post(path, json=body).raise_for_status().json()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the worker, on the Mac, with the demo's documents."""
    home = tmp_path_factory.mktemp("mac-home")
    assert tinyagent(home, "demo").returncode == 0
    return home


@pytest.fixture(scope="module")
def mac(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mac]:
    with pytest.MonkeyPatch.context() as patch:
        world = MacWorld(tmp_path_factory.mktemp("mac") / "user", patch)
        for name, (phone, email) in PEOPLE.items():
            world.add_contact(name, [("mobile", phone)], [email])
        world.add_note("Shopping List", "oat milk\ncoffee filters", "Notes")
        world.add_mail("Adaeze <adaeze@example.org>", "Ramp", "The ramp costs 9530 euros.")
        world.select_mail("Ramp")
        place = tmp_path_factory.mktemp("server-home")
        with serve_workers(place, TINYAGENT_APPROVALS__SEND="ask") as server:
            token = tinyagent(place, "token", "--worker").stdout.strip()
            with on_the_mac(home, server, token):
                server.wait_until_ready()
                yield Mac(server, home, world)


def on_the_mac(home: Path, server: Server, token: str, name: str = "mac") -> Any:
    return work(
        home,
        server.url,
        name=name,
        TINYAGENT_WORKER_TOKEN=token,
        TINYAGENT_APPS="macos",
        TINYAGENT_DEMO="1",
        TINYAGENT_SENDER="me@example.com",
    )


Check = Callable[[Mac, dict[str, Any]], None]


def says(*words: str) -> Check:
    def check(mac: Mac, state: dict[str, Any]) -> None:
        for word in words:
            assert word.casefold() in state["answer"].casefold(), state["answer"]

    return check


def drafted(to: str, word: str, attached: str = "", cc: str = "") -> Check:
    def check(mac: Mac, state: dict[str, Any]) -> None:
        def fits(letter: Letter) -> bool:
            return to in letter.to and word.casefold() in letter.body.casefold() and cc in (*letter.cc, "")

        letters = [letter for letter in mac.world.drafts() if fits(letter)]
        assert letters, mac.world.drafts()
        assert not attached or attached in letters[-1].attachments
        assert "draft" in state["answer"].casefold()

    return check


def booked(start: datetime, word: str) -> Check:
    def check(mac: Mac, state: dict[str, Any]) -> None:
        (event,) = [event for event in mac.world.events() if event.start == start]
        assert event.end - event.start == timedelta(minutes=60)
        assert word in event.title + event.notes + event.location

    return check


def reminded(due: date | datetime, word: str) -> Check:
    def check(mac: Mac, state: dict[str, Any]) -> None:
        assert [one.due for one in mac.world.reminders() if word in one.name.casefold()] == [due]

    return check


def noted(name: str, *words: str) -> Check:
    def check(mac: Mac, state: dict[str, Any]) -> None:
        (note,) = [note for note in mac.world.notes() if note.name == name]
        for word in words:
            assert word in note.text

    return check


def in_outbox(number: str, word: str) -> Check:
    def check(mac: Mac, state: dict[str, Any]) -> None:
        folder = mac.home / "data" / "messages"
        records = [json.loads(path.read_text()) for path in folder.rglob("*.json")]
        assert any(number in record["recipients"] and word in record["text"].casefold() for record in records)

    return check


TOMORROW_AT_NINE = datetime(TODAY.year, TODAY.month, TODAY.day, 9) + timedelta(days=1)
CASES: list[tuple[str, list[str], Check]] = [
    (
        "Make a note called Groceries: milk, bread and figs",
        ["create_note"],
        noted("Groceries", "bread", "figs"),
    ),
    (
        "Text Jane that dinner is at seven",
        ["get_phone_number", "send_sms"],
        in_outbox(JANE, "dinner is at seven"),
    ),
    (
        "Remind me tomorrow at 9 to water the plants",
        ["create_reminder"],
        reminded(TOMORROW_AT_NINE, "water the plants"),
    ),
    ("What is Leilani's phone number?", ["get_phone_number"], says(LEILANI)),
    ("Open my note Shopping List", ["open_note"], says("oat milk", "coffee filters")),
    (
        "Add beeswax candles to my Shopping List note",
        ["append_note_content"],
        noted("Shopping List", "oat milk", "candles"),
    ),
    ("Find Lease Agreement.pdf", ["open_and_get_file_path"], says("Lease Agreement.pdf")),
    (
        "Summarize Lease Agreement.pdf and email the summary to Ingrid",
        ["compose_new_email", "get_email_address", "open_and_get_file_path", "summarize_pdf"],
        drafted("ingrid@example.net", "landlord"),
    ),
    (
        "Email Henrik that the boat is ready, cc Priya",
        ["compose_new_email", "get_email_address", "get_email_address"],
        drafted("henrik@example.net", "the boat is ready", cc="priya@example.com"),
    ),
    (
        "Reply to this email: thank you, the ramp looks good",
        ["reply_to_email"],
        drafted("adaeze@example.org", "the ramp looks good"),
    ),
    (
        "Forward this email to Priya and say please check the numbers",
        ["forward_email", "get_email_address"],
        drafted("priya@example.com", "please check the numbers"),
    ),
    (
        "Show me the Maritime Museum on the map",
        ["maps_open_location"],
        says("https://maps.apple.com/", "Maritime"),
    ),
    (
        "How do I get from Central Station to the Maritime Museum on foot?",
        ["maps_show_directions"],
        says("https://maps.apple.com/", "walk"),
    ),
    (
        "Lunch with Priya on Friday at 12:30 at Cafe Luna, put it in my calendar",
        ["create_calendar_event", "get_email_address"],
        booked(coming(4, 12, 30), "priya@example.com"),
    ),
    (
        "Get me a Zoom link for Friday at 3 called Budget review and text it to Leilani",
        ["get_phone_number", "get_zoom_meeting_link", "send_sms"],
        in_outbox(LEILANI, "https://zoom.example/"),
    ),
    (
        "Text Maria that I am on my way",
        ["get_phone_number", "send_sms"],
        says("Maria Santos", "Maria Kowalska"),
    ),
]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[request[:40] for request, _, _ in CASES])
def test_a_request_becomes_done_work_on_the_mac(mac: Mac, number: int) -> None:
    request, tools, check = CASES[number]
    state = mac.run(request, approval="draft")
    assert sorted(task["tool"] for task in state["tasks"]) == tools, state["plan"]
    check(mac, state)
    assert mac.world.mac.faults() == []
    assert mac.world.sent() == []
    assert mac.world.texts() == []


def test_together_the_requests_use_all_sixteen_tools() -> None:
    assert len({tool for _, tools, _ in CASES for tool in tools}) == 16


def waiting(mac: Mac, run: str) -> dict[str, Any]:
    """The task that waits for the user."""

    def found() -> list[dict[str, Any]]:
        return [task for task in mac.state(run)["tasks"] if task["status"] == "waiting"]

    eventually(found, "a task waits for approval")
    (task,) = found()
    return task


def approve(mac: Mac, run: str) -> dict[str, Any]:
    task = waiting(mac, run)
    mac.post(f"/v1/runs/{run}/tasks/{task['task']}/approve", digest=task["approval"]["digest"])
    return task


def test_a_text_message_leaves_only_after_it_was_approved(mac: Mac) -> None:
    run = mac.start("Text Jane that the train is late")
    task = waiting(mac, run)
    assert task["approval"]["arguments"][0] == [JANE]
    assert "train is late" in task["approval"]["arguments"][1]
    assert mac.world.texts() == []
    approve(mac, run)
    state = mac.ended(run)
    assert "sent" in state["answer"]
    (text,) = mac.world.texts()
    assert (text.recipients, "train is late" in text.text) == ((JANE,), True)


def test_a_mail_that_is_rejected_is_not_even_drafted(mac: Mac) -> None:
    before = (mac.world.drafts(), mac.world.sent())
    run = mac.start("Email Henrik that the harbour is closed")
    task = waiting(mac, run)
    mac.post(f"/v1/runs/{run}/tasks/{task['task']}/reject", digest=task["approval"]["digest"], reason="No.")
    assert "No." in mac.ended(run)["answer"]
    assert (mac.world.drafts(), mac.world.sent()) == before


def test_what_was_done_on_the_mac_is_taken_back(mac: Mac) -> None:
    state = mac.run("Remind me tomorrow at 10 to polish the brass")
    assert any("polish the brass" in one.name.casefold() for one in mac.world.reminders())
    mac.post(f"/v1/runs/{state['run']}/undo")
    assert not any("polish the brass" in one.name.casefold() for one in mac.world.reminders())
    assert mac.state(state["run"])["tasks"][0]["undone"]


def test_a_missing_permission_is_told_with_the_switch(mac: Mac) -> None:
    mac.world.mac.plan("notes_find", {"error": -1743, "always": True})
    try:
        answer = mac.run("Open my note Shopping List")["answer"]
    finally:
        mac.world.mac.plan("notes_find")
    assert "Automation" in answer
    assert "Notes" in answer


def test_a_worker_that_is_killed_while_it_sends_leaves_an_unknown_end_and_no_second_message(
    mac: Mac, tmp_path: Path
) -> None:
    home = tmp_path / "second-server"
    with serve_workers(home, TINYAGENT_APPROVALS__SEND="auto", TINYAGENT_WORKER__LEASE_S="2") as server:
        token = tinyagent(home, "token", "--worker").stdout.strip()
        second = Mac(server, mac.home, mac.world)
        before = len(mac.world.texts())
        mac.world.mac.plan("messages_send", {"delay": 3, "late": True})
        with on_the_mac(mac.home, server, token, "doomed") as worker:
            server.wait_until_ready()
            run = second.start("Text Jane that the kettle boils")
            eventually(lambda: len(mac.world.texts()) > before, "the message is out")
            worker.kill()
        state = second.ended(run)
        task = state["tasks"][-1]
        assert (task["tool"], task["status"], task["outcome_unknown"]) == ("send_sms", "failed", True)
        assert "unknown" in state["answer"]
        with on_the_mac(mac.home, server, token, "heir"):
            server.wait_until_ready()
            second.run("What is Leilani's phone number?")
    assert len(mac.world.texts()) == before + 1
    assert second.world.mac.faults() == []
