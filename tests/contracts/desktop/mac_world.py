"""The desktop of a fake Mac."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.desktop.worlds import (
    OWNER,
    Capability,
    Letter,
    StoredEvent,
    StoredNote,
    StoredReminder,
    Text,
)
from tests.support.fake_mac import FakeMac
from tests.support.fake_mac.writing import plain
from tinyagent.apps.macos import macos_desktop
from tinyagent.apps.zoom import DemoMeetings


class MacWorld:
    lacks: Mapping[Capability, str] = {
        "new calendar": "calendars are made in Calendar",
        "new list": "lists are made in Reminders",
        "new folder": "folders are made in Notes",
    }

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = home / "Documents"
        self.folder.mkdir(parents=True)
        self.mac = FakeMac(home / "mac")
        monkeypatch.setenv("PATH", self.mac.path())
        self._data = home / "data"
        self.desktop = macos_desktop(
            self._data, meetings=DemoMeetings(), folders=[self.folder], sender=OWNER, opener=("open",)
        )

    def add_contact(
        self,
        name: str,
        phones: Sequence[tuple[str, str]] = (),
        emails: Sequence[str] = (),
        nickname: str = "",
    ) -> None:
        def add(data: dict[str, Any]) -> None:
            data["contacts"].append(
                {
                    "id": f"{len(data['contacts'])}:ABPerson",
                    "name": name,
                    "nickname": nickname,
                    "organization": "",
                    "phones": [{"label": kind, "value": number} for kind, number in phones],
                    "emails": [{"label": "home", "value": address} for address in emails],
                }
            )

        self.mac.change(add)

    def add_note(self, name: str, text: str, folder: str) -> None:
        lines = [f"<div><b>{html.escape(name)}</b></div>"]
        lines += [f"<div>{html.escape(line) or '<br>'}</div>" for line in text.split("\n")]
        self.put_note(name, folder or "Notes", "\n".join(lines))

    def put_note(
        self, name: str, folder: str, body: str, *, locked: bool = False, attachments: int = 0
    ) -> None:
        """A note with a body that only a person can make."""

        def add(data: dict[str, Any]) -> None:
            if folder not in data["folders"]:
                data["folders"].append(folder)
            data["notes"][f"note-{len(data['notes'])}"] = {
                "name": name,
                "folder": folder,
                "html": body,
                "locked": locked,
                "attachments": attachments,
            }

        self.mac.change(add)

    def add_mail(self, sender: str, subject: str, text: str) -> None:
        mail = {
            "id": f"{subject}@x.example",
            "sender": sender,
            "subject": subject,
            "answer_to": [sender.partition("<")[2].rstrip(">") or sender],
            "source": f"From: {sender}\nSubject: {subject}\n\n{text}\n",
        }
        self.mac.change(lambda data: data["inbox"].append(mail))

    def select_mail(self, subject: str) -> None:
        self.mac.change(lambda data: data.update(selected=f"{subject}@x.example"))

    def edit_event(self, title: str) -> None:
        self._edit("calendars", "title", title)

    def edit_reminder(self, name: str) -> None:
        self._edit("lists", "name", name)

    def _edit(self, place: str, key: str, value: str) -> None:
        def edit(data: dict[str, Any]) -> None:
            for things in data[place].values():
                for thing in things.values():
                    if thing[key] == value:
                        thing["notes"] += "mine"

        self.mac.change(edit)

    def edit_note(self, name: str, addition: str) -> None:
        def edit(data: dict[str, Any]) -> None:
            for note in data["notes"].values():
                if note["name"] == name:
                    note["html"] += f"<div>{addition}</div>"

        self.mac.change(edit)

    def empty(self) -> None:
        def throw_away(data: dict[str, Any]) -> None:
            data.update(calendars={"Home": {}}, lists={"Reminders": {}}, notes={}, drafts={}, texts=[])

        self.mac.change(throw_away)
        for path in (self._data / "messages").rglob("*.json"):
            path.unlink()

    def events(self) -> list[StoredEvent]:
        return [
            StoredEvent(
                one["title"],
                _moment(one["start"]),
                _moment(one["end"]),
                one["location"],
                one["notes"],
                calendar,
            )
            for calendar, events in self.mac.data["calendars"].items()
            for one in events.values()
        ]

    def reminders(self) -> list[StoredReminder]:
        return [
            StoredReminder(one["name"], _due(one), one["notes"], name, one["priority"])
            for name, reminders in self.mac.data["lists"].items()
            for one in reminders.values()
        ]

    def notes(self) -> list[StoredNote]:
        return [
            StoredNote(one["name"], one["folder"], _below_title(plain(one["html"])))
            for one in self.mac.data["notes"].values()
        ]

    def drafts(self) -> list[Letter]:
        return [_letter(mail) for mail in self.mac.data["drafts"].values()]

    def sent(self) -> list[Letter]:
        return [_letter(mail) for mail in self.mac.data["sent"]]

    def outbox(self) -> list[Text]:
        records = [json.loads(path.read_text()) for path in (self._data / "messages").rglob("*.json")]
        return [Text(tuple(record["recipients"]), record["text"]) for record in records]

    def texts(self) -> list[Text]:
        return [Text(tuple(one["recipients"]), one["text"]) for one in self.mac.data["texts"]]


def _moment(parts: dict[str, int]) -> datetime:
    return datetime(**parts)


def _due(reminder: dict[str, Any]) -> date | datetime:
    moment = _moment(reminder["due"])
    return moment.date() if reminder["all_day"] else moment


def _below_title(text: str) -> str:
    # Notes shows no-break spaces as spaces: they only keep several of them apart.
    return text.partition("\n")[2].replace("\u00a0", " ")


def _letter(mail: dict[str, Any]) -> Letter:
    names = tuple(Path(path).name for path in mail["attachments"])
    return Letter(tuple(mail["to"]), tuple(mail["cc"]), mail["subject"], mail["body"], names)
