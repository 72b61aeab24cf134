"""Whether macOS lets us use its frameworks; it is asked to ask the user now, never in the middle of a run."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from tinyagent.cli.findings import Finding, in_time

ASKING_S = 60.0
"""How long the user may take to answer macOS."""

_MODULES = ("EventKit", "Contacts")
_UNASKED, _GRANTED = 0, 3
"""Values that EventKit and Contacts have in common."""

Answer = Callable[[bool, object], None]


@dataclass(frozen=True)
class Framework:
    """One thing that macOS guards: its page in the settings, how it stands, and how the user is asked."""

    page: str
    status: Callable[[], int]
    ask: Callable[[Answer], None]


async def check_frameworks() -> AsyncIterator[Finding]:
    """The quicker way to calendars, reminders and contacts; scripts do without it."""
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        detail = f"{' and '.join(missing)} not installed; scripts are used"
        hint = "Install them with `pip install 'tinyagent[macos]'`; large calendars answer faster by them."
        yield Finding("frameworks", "advice", detail, hint)
        return
    for framework in (_events(), _reminders(), _contacts()):
        yield await _check(framework)


async def _check(framework: Framework) -> Finding:
    name = f"access to {framework.page}"
    try:
        status = await in_time(lambda: _answered(framework), 2 * ASKING_S)
    except Exception as error:  # a bridge of another version raises whatever it likes
        return Finding(name, "advice", f"unknown ({type(error).__name__}); scripts are used")
    if status == _GRANTED:
        return Finding(name, "ok", "granted")
    hint = f"For quicker answers switch it on: System Settings > Privacy & Security > {framework.page}."
    return Finding(name, "ok", "not granted; scripts are used", hint)


def _answered(framework: Framework) -> int:
    """How it stands after the user was asked, if that was never done before."""
    if framework.status() == _UNASKED:
        answered = threading.Event()
        framework.ask(lambda granted, error: answered.set())
        answered.wait(ASKING_S)
    return framework.status()


def _events() -> Framework:
    return _event_kit("Calendars", 0, "requestFullAccessToEventsWithCompletion_")


def _reminders() -> Framework:
    return _event_kit("Reminders", 1, "requestFullAccessToRemindersWithCompletion_")


def _event_kit(page: str, kind: int, request: str) -> Framework:
    store: Any = importlib.import_module("EventKit").EKEventStore

    def ask(answer: Answer) -> None:
        asking = store.alloc().init()
        if hasattr(asking, request):
            getattr(asking, request)(answer)
        else:  # before macOS 14
            asking.requestAccessToEntityType_completion_(kind, answer)

    return Framework(page, lambda: store.authorizationStatusForEntityType_(kind), ask)


def _contacts() -> Framework:
    store: Any = importlib.import_module("Contacts").CNContactStore

    def ask(answer: Answer) -> None:
        store.alloc().init().requestAccessForEntityType_completionHandler_(0, answer)

    return Framework("Contacts", lambda: store.authorizationStatusForEntityType_(0), ask)
