"""What the doctor finds of macOS's frameworks, with modules in place of PyObjC's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from tinyagent.cli import checks_frameworks
from tinyagent.cli.findings import Finding


class Guard:
    """What macOS keeps of one kind of data: 0 never asked, 2 refused, 3 granted."""

    def __init__(self, status: int, answers: int | None = 3) -> None:
        self.status, self.answers, self.asked = status, answers, 0

    def ask(self, answer: Callable[[bool, object], None]) -> None:
        self.asked += 1
        if self.answers is not None:
            self.status = self.answers
            answer(self.answers == 3, None)


def install(
    monkeypatch: pytest.MonkeyPatch, events: Guard, reminders: Guard, contacts: Guard, *, old: bool
) -> None:
    kinds = {0: events, 1: reminders}

    def event_store() -> SimpleNamespace:
        if old:
            return SimpleNamespace(
                requestAccessToEntityType_completion_=lambda kind, answer: kinds[kind].ask(answer)
            )
        return SimpleNamespace(
            requestFullAccessToEventsWithCompletion_=events.ask,
            requestFullAccessToRemindersWithCompletion_=reminders.ask,
        )

    def contact_store() -> SimpleNamespace:
        return SimpleNamespace(
            requestAccessForEntityType_completionHandler_=lambda kind, answer: contacts.ask(answer)
        )

    put(monkeypatch, "EventKit", "EKEventStore", event_store, lambda kind: kinds[kind].status)
    put(monkeypatch, "Contacts", "CNContactStore", contact_store, lambda kind: contacts.status)


def put(
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
    store: Callable[[], SimpleNamespace],
    status: Callable[[int], int],
) -> None:
    made = ModuleType(module)
    made.__spec__ = SimpleNamespace(name=module)  # type: ignore[assignment]
    alloc = SimpleNamespace(init=store)
    setattr(made, name, SimpleNamespace(alloc=lambda: alloc, authorizationStatusForEntityType_=status))
    monkeypatch.setitem(sys.modules, module, made)


def examined() -> dict[str, Finding]:
    async def examine() -> dict[str, Finding]:
        return {found.check: found async for found in checks_frameworks.check_frameworks()}

    return asyncio.run(examine())


def test_without_the_bridge_its_installation_is_advised() -> None:
    found = examined()["frameworks"]
    assert (found.verdict, "pip install 'tinyagent[macos]'" in found.hint) == ("advice", True)


@pytest.mark.parametrize("old", [False, True])
def test_what_was_never_asked_is_asked_now(monkeypatch: pytest.MonkeyPatch, old: bool) -> None:
    events, reminders, contacts = Guard(0), Guard(0, answers=2), Guard(0)
    install(monkeypatch, events, reminders, contacts, old=old)
    found = examined()
    assert [guard.asked for guard in (events, reminders, contacts)] == [1, 1, 1]
    assert found["access to Calendars"].detail == found["access to Contacts"].detail == "granted"
    assert "not granted" in found["access to Reminders"].detail
    assert "Privacy & Security > Reminders" in found["access to Reminders"].hint


def test_what_was_answered_once_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    guards = (Guard(3), Guard(2), Guard(3))
    install(monkeypatch, *guards, old=False)
    examined()
    assert [guard.asked for guard in guards] == [0, 0, 0]


def test_a_question_that_nobody_answers_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_frameworks, "ASKING_S", 0.1)
    install(monkeypatch, Guard(0, answers=None), Guard(3), Guard(3), old=False)
    assert "not granted" in examined()["access to Calendars"].detail
