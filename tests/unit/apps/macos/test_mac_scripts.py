"""Scripts are run within bounds; what goes wrong is told by what it means for the user."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_mac import FakeMac
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.errors import (
    AppFailed,
    ChangedSince,
    NoMatch,
    NotConfigured,
    OutcomeUnknown,
    PermissionMissing,
    ToolError,
)
from tinyagent.settings import Settings

FIND = ("notes_find", {"name": "", "folder": "", "limit": 5})
CREATE = ("notes_create", {"name": "Private", "html": "<div>Private</div>", "folder": ""})


async def test_the_answer_of_a_script_is_its_object(mac: FakeMac, scripts: Scripts) -> None:
    made = await scripts.write(*CREATE)

    found = await scripts.read(*FIND)

    assert found == {"notes": [{"id": made["id"], "name": "Private", "folder": "Notes", "locked": False}]}
    assert mac.faults() == []


async def test_the_payload_is_private_and_gone_afterwards(mac: FakeMac, scripts: Scripts) -> None:
    await scripts.write(*CREATE)

    (call,) = mac.calls("osascript")
    script, payload = call["argv"]
    assert Path(script) == mac.scripts / "notes_create.applescript"
    assert not Path(payload).exists() and not Path(payload).parent.exists()
    assert mac.faults() == []


async def test_a_script_that_hangs_is_stopped(mac: FakeMac, hasty: Scripts) -> None:
    mac.plan("notes_find", {"delay": 3600})
    mac.plan("notes_create", {"delay": 3600})

    with pytest.raises(AppFailed, match="Notes did not answer within 1 seconds"):
        await hasty.read(*FIND)
    with pytest.raises(OutcomeUnknown, match="unknown"):
        await hasty.write(*CREATE)

    assert not Path(mac.calls("osascript")[-1]["argv"][1]).exists()


async def test_a_call_that_is_cancelled_leaves_nothing_behind(mac: FakeMac, scripts: Scripts) -> None:
    mac.plan("notes_create", {"delay": 3600})
    task = asyncio.create_task(scripts.write(*CREATE))
    while not mac.calls("osascript"):
        await asyncio.sleep(0.01)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not Path(mac.calls("osascript")[0]["argv"][1]).exists()
    assert await scripts.read(*FIND) == {"notes": []}


@pytest.mark.parametrize(
    "order",
    [
        {"stdout": "garbage\n"},
        {"stdout": '{"notes": []}\n{"notes": []}\n'},
        {"stdout": ""},
        {"stdout": "[]\n"},
        {"stdout": '{"notes": "none"}\n'},
        {"stdout": '{"notes": [], "more": 1}\n'},
        {"stdout": "[" * 100_000},
        {"stdout_bytes": 10 * 2**20},
    ],
    ids=["text", "two lines", "nothing", "a list", "another type", "more", "nested", "10 MB"],
)
async def test_an_answer_that_cannot_be_read_is_a_failure(mac: FakeMac, order: dict[str, Any]) -> None:
    scripts = Scripts(mac.scripts, grace_seconds=20.0, max_bytes=2**20)
    mac.plan("notes_find", order)
    mac.plan("notes_create", order)

    with pytest.raises(AppFailed):
        await scripts.read(*FIND)
    with pytest.raises(OutcomeUnknown):
        await scripts.write(*CREATE)


async def test_an_application_that_is_not_running_is_started_and_read_again(
    mac: FakeMac, scripts: Scripts
) -> None:
    mac.change(lambda data: data.update(not_running=["Notes"]))

    assert await scripts.read(*FIND) == {"notes": []}
    assert [call["argv"] for call in mac.calls("open")] == [["-g", "-a", "Notes"]]


async def test_an_application_that_cannot_be_started_is_asked_twice_and_no_more(
    mac: FakeMac, scripts: Scripts
) -> None:
    mac.plan("notes_find", {"error": -600, "always": True})

    with pytest.raises(AppFailed, match="not running"):
        await scripts.read(*FIND)

    assert mac.operations() == ["notes_find", "notes_find"]


async def test_a_write_is_never_run_twice(mac: FakeMac, scripts: Scripts) -> None:
    mac.plan("notes_create", {"error": -600, "always": True})

    with pytest.raises(AppFailed, match="not running"):
        await scripts.write(*CREATE)

    assert mac.operations() == ["notes_create"]
    assert [call["argv"] for call in mac.calls("open")] == [["-g", "-a", "Notes"]]


async def test_a_missing_permission_is_told_with_its_switch(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "Apple_Terminal")
    mac.change(lambda data: data.update(denied=["Notes"]))

    with pytest.raises(PermissionMissing) as error:
        await scripts.write(*CREATE)

    assert error.value.code == "permission_missing"
    assert "Automation and tick Notes for Terminal" in str(error.value)


@pytest.mark.parametrize(
    ("number", "read", "write"),
    [
        (-1712, AppFailed, OutcomeUnknown),
        (-609, AppFailed, OutcomeUnknown),
        (-1728, NoMatch, OutcomeUnknown),
        (1002, ChangedSince, ChangedSince),
        (-10000, AppFailed, OutcomeUnknown),
    ],
)
async def test_an_error_number_tells_what_it_means(
    mac: FakeMac, scripts: Scripts, number: int, read: type[ToolError], write: type[ToolError]
) -> None:
    mac.plan("notes_find", {"error": number})
    mac.plan("notes_create", {"error": number})

    with pytest.raises(read):
        await scripts.read(*FIND)
    with pytest.raises(write):
        await scripts.write(*CREATE)


async def test_what_an_application_says_in_its_own_words_stays_private(
    mac: FakeMac, scripts: Scripts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mac.plan("notes_create", {"error": -4242})

    with pytest.raises(OutcomeUnknown) as error:
        await scripts.write(*CREATE)

    told = f"{error.value} {caplog.text}"
    assert "-4242" in told
    assert not any(word in told for word in ("Geheimnis", "Private", "Fehler"))


async def test_a_death_without_a_number_leaves_a_write_unknown(mac: FakeMac, scripts: Scripts) -> None:
    mac.plan("notes_find", {"exit": 139})
    mac.plan("notes_create", {"exit": 139})

    with pytest.raises(AppFailed):
        await scripts.read(*FIND)
    with pytest.raises(OutcomeUnknown):
        await scripts.write(*CREATE)


async def test_without_osascript_the_applications_are_not_there(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotConfigured, match="osascript"):
        await scripts.write(*CREATE)


async def test_the_payloads_of_processes_that_were_killed_are_removed(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, running = tmp_path / "tinyagent-payload-left", tmp_path / "tinyagent-payload-running"
    for folder in (left, running):
        folder.mkdir()
        (folder / "payload.json").write_text("{}")
    os.utime(left, (1, 1))

    await scripts.read(*FIND)

    assert not left.exists() and running.exists()


def test_a_call_can_say_that_the_application_is_busy_before_its_own_deadline() -> None:
    waiting = inspect.signature(Scripts).parameters["queue_seconds"].default

    assert 2 * waiting < Settings.model_fields["call_deadline_s"].default


async def test_calls_to_one_application_keep_their_order(mac: FakeMac, scripts: Scripts) -> None:
    payloads = [{"name": f"{number}", "html": f"<div>{number}</div>", "folder": ""} for number in range(5)]

    made = await asyncio.gather(*(scripts.write("notes_create", payload) for payload in payloads))

    assert [answer["name"] for answer in made] == ["0", "1", "2", "3", "4"]
    assert [note["name"] for note in mac.data["notes"].values()] == ["0", "1", "2", "3", "4"]


async def test_a_call_waits_boundedly_for_the_ones_before_it(mac: FakeMac) -> None:
    scripts = Scripts(mac.scripts, grace_seconds=20.0, queue_seconds=0.05)
    mac.plan("notes_find", {"delay": 3600})
    first = asyncio.create_task(scripts.read(*FIND))
    while not mac.calls("osascript"):
        await asyncio.sleep(0.01)

    with pytest.raises(AppFailed, match="busy"):
        await scripts.write(*CREATE)
    other = await scripts.read("contacts_all", {"limit": 5})

    assert other == {"contacts": []}
    assert mac.data["notes"] == {}
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_what_a_script_started_ends_with_it(mac: FakeMac, hasty: Scripts, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = mac.bin / "osascript"
    program.write_text(f"#!/bin/sh\nsleep 3600 &\necho $! > {pid}\nwait\n")

    with pytest.raises(AppFailed):
        await hasty.read(*FIND)

    state = Path(f"/proc/{pid.read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


async def test_a_payload_that_does_not_fit_the_script_is_never_sent(mac: FakeMac, scripts: Scripts) -> None:
    with pytest.raises(ValueError, match="limit"):
        await scripts.read("notes_find", {"name": "", "folder": "", "limit": "many"})

    assert mac.calls() == []


async def test_a_missing_script_is_told(mac: FakeMac, tmp_path: Path) -> None:
    shutil.rmtree(mac.scripts)

    with pytest.raises(AppFailed, match=r"notes_find\.applescript"):
        await Scripts(tmp_path / "none").read(*FIND)


def test_the_fake_notices_a_payload_that_others_can_read(mac: FakeMac, tmp_path: Path) -> None:
    payload = tmp_path / "payload.json"
    payload.write_text('{"name": "", "folder": "", "limit": 5}')
    payload.chmod(0o644)

    status = os.spawnlp(
        os.P_WAIT, "osascript", "osascript", str(mac.scripts / "notes_find.applescript"), str(payload)
    )

    assert status == 1
    assert "600" in mac.faults()[0]["fault"]


def test_the_fake_notices_a_script_that_was_changed(mac: FakeMac, tmp_path: Path) -> None:
    script = mac.scripts / "notes_find.applescript"
    script.write_text(script.read_text() + "\ndo shell script")

    assert os.spawnlp(os.P_WAIT, "osascript", "osascript", str(script), str(tmp_path)) == 1
    assert "changed" in mac.faults()[0]["fault"]
