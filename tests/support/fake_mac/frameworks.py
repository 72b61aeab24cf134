"""EventKit, Contacts and Foundation as PyObjC shows them, as far as the adapters use them.

PyObjC answers a method that has an error to give with a pair: the result and the error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from types import ModuleType
from typing import Any

FULL_ACCESS, DENIED, NOT_ASKED = 3, 2, 0
UNSET = 2**63 - 1


class Bag:
    """An object of the framework: `setTitle_(x)` keeps what `title()` gives."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("set") and name.endswith("_"):
            key = name[3].lower() + name[4:-1]
            return lambda value: self.values.__setitem__(key, value)
        if name in self.values:
            return lambda: self.values[name]
        raise AttributeError(name)


def alloc(make: Callable[[], Any]) -> Any:
    """A class whose instances are made by `alloc().init()`."""
    made = type("Allocated", (), {"init": lambda self: make()})
    return type("Allocating", (), {"alloc": staticmethod(lambda: made())})


def foundation() -> ModuleType:
    module = ModuleType("Foundation")
    day = dict.fromkeys(("year", "month", "day", "hour", "minute"), UNSET)
    module.NSDate = type(  # type: ignore[attr-defined]
        "NSDate",
        (),
        {"dateWithTimeIntervalSince1970_": staticmethod(lambda seconds: Bag(timeIntervalSince1970=seconds))},
    )
    module.NSDateComponents = alloc(lambda: Bag(**day))  # type: ignore[attr-defined]
    return module


class EventKit(ModuleType):
    """Calendars, lists and what lies in them; `asked` counts the questions for access."""

    def __init__(self, status: int = FULL_ACCESS) -> None:
        super().__init__("EventKit")
        self.status = status
        self.items: dict[str, Bag] = {}
        self.calendars = {kind: [_calendar("Home"), _calendar("Holidays", False)] for kind in (0, 1)}
        self.fails = False
        self._numbers = count(1)
        kit = self

        class Store:
            def calendarsForEntityType_(self, kind: int) -> Sequence[Bag]:
                return kit.calendars[kind]

            def defaultCalendarForNewEvents(self) -> Bag:
                return kit.calendars[0][0]

            def defaultCalendarForNewReminders(self) -> None:
                return None

            def calendarItemWithIdentifier_(self, identifier: str) -> Bag | None:
                return kit.items.get(identifier)

            def saveEvent_span_error_(self, item: Bag, span: int, error: None) -> tuple[bool, Any]:
                return kit._save(item)

            def saveReminder_commit_error_(self, item: Bag, commit: bool, error: None) -> tuple[bool, Any]:
                return kit._save(item)

            def removeEvent_span_error_(self, item: Bag, span: int, error: None) -> tuple[bool, Any]:
                return kit._remove(item)

            def removeReminder_commit_error_(self, item: Bag, commit: bool, error: None) -> tuple[bool, Any]:
                return kit._remove(item)

        self.EKEventStore = alloc(Store)
        self.EKEventStore.authorizationStatusForEntityType_ = staticmethod(lambda kind: kit.status)
        self.EKEvent = type("EKEvent", (), {"eventWithEventStore_": staticmethod(lambda store: kit._item())})
        self.EKReminder = type(
            "EKReminder", (), {"reminderWithEventStore_": staticmethod(lambda store: kit._item())}
        )
        self.EKAlarm = type(
            "EKAlarm", (), {"alarmWithAbsoluteDate_": staticmethod(lambda date: Bag(absoluteDate=date))}
        )

    def _item(self) -> Bag:
        number = next(self._numbers)
        item = Bag(
            calendarItemIdentifier=f"item-{number}",
            calendarItemExternalIdentifier=f"uid-{number}",
            isCompleted=False,
            alarms=[],
        )
        item.addAlarm_ = item.values["alarms"].append  # type: ignore[method-assign]
        return item

    def _save(self, item: Bag) -> tuple[bool, Any]:
        if self.fails:
            return False, Bag(code=1)
        self.items[item.calendarItemIdentifier()] = item
        return True, None

    def _remove(self, item: Bag) -> tuple[bool, Any]:
        return self.items.pop(item.calendarItemIdentifier(), None) is not None, None


def _calendar(title: str, writable: bool = True) -> Bag:
    return Bag(title=title, allowsContentModifications=writable)


class Contacts(ModuleType):
    """An address book of people."""

    def __init__(self, people: Sequence[Bag], status: int = FULL_ACCESS) -> None:
        super().__init__("Contacts")
        self.status = status
        self.fails = False
        module = self

        class Store:
            def enumerateContactsWithFetchRequest_error_usingBlock_(
                self, request: Any, error: None, block: Callable[[Any, Any], None]
            ) -> tuple[bool, Any]:
                if module.fails:
                    return False, Bag(code=1)
                for person in people:
                    block(person, None)
                return True, None

        class Request:
            def initWithKeysToFetch_(self, keys: Sequence[str]) -> Request:
                self.keys = keys
                return self

        self.CNContactStore = alloc(Store)
        self.CNContactStore.authorizationStatusForEntityType_ = staticmethod(lambda kind: module.status)
        self.CNContactFetchRequest = type("Fetch", (), {"alloc": staticmethod(Request)})

    def __getattr__(self, name: str) -> str:
        if name.startswith("CNContact") and name.endswith("Key"):
            return name
        raise AttributeError(name)


def person(given: str, family: str, **other: Any) -> Bag:
    """A contact; `phones`, `emails` and `relations` pair a label with a value."""
    values = {
        "identifier": f"{given}-{family}",
        "contactType": 0,
        "namePrefix": "",
        "givenName": given,
        "middleName": "",
        "familyName": family,
        "nickname": "",
        "organizationName": "",
        "jobTitle": "",
        "phoneNumbers": [
            Bag(label=label, value=Bag(stringValue=number)) for label, number in other.pop("phones", ())
        ],
        "emailAddresses": [Bag(label=label, value=value) for label, value in other.pop("emails", ())],
        "contactRelations": [
            Bag(label=kind, value=Bag(name=name)) for kind, name in other.pop("relations", ())
        ],
    }
    return Bag(**{**values, **other})
