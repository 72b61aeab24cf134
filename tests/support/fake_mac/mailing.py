"""Mail: an inbox, a selection, drafts and what was sent."""

# The programs start often, and pathlib takes nearly as long to import as Python takes to start.
# ruff: noqa: PTH113
from __future__ import annotations

import os

from .store import identifier
from .trouble import ScriptError

# Types alone need it, and the programs start often.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Data = dict[str, Any]
REMARK = "Mail may show the text as a quotation."


def mail_selected(data: Data, _asked: Data) -> Data:
    chosen = [mail for mail in data["inbox"] if mail["id"] == data["selected"]] or data["inbox"]
    if not chosen:
        raise ScriptError(1005)
    return {key: value for key, value in chosen[-1].items() if key != "source"}


def mail_draft(data: Data, asked: Data) -> Data:
    return {"id": _keep(data, asked), "remark": REMARK}


def mail_send(data: Data, asked: Data) -> Data:
    return {"id": _send(data, asked)}


def mail_reply_draft(data: Data, asked: Data) -> Data:
    reply = _reply(data, asked)
    return {"id": _keep(data, reply), "subject": reply["subject"], "to": reply["to"]}


def mail_reply_send(data: Data, asked: Data) -> Data:
    reply = _reply(data, asked)
    return {"id": _send(data, reply), "subject": reply["subject"], "to": reply["to"]}


def mail_forward_draft(data: Data, asked: Data) -> Data:
    forward = _forward(data, asked)
    return {"id": _keep(data, forward), "subject": forward["subject"], "to": forward["to"]}


def mail_forward_send(data: Data, asked: Data) -> Data:
    forward = _forward(data, asked)
    return {"id": _send(data, forward), "subject": forward["subject"], "to": forward["to"]}


def mail_discard(data: Data, asked: Data) -> Data:
    if asked["id"] not in data["drafts"]:
        raise ScriptError(1001)
    del data["drafts"][asked["id"]]
    return {"deleted": True}


def _original(data: Data, id: str) -> Data:
    for mail in data["inbox"]:
        if mail["id"] == id:
            return mail
    raise ScriptError(1001)


def _reply(data: Data, asked: Data) -> Data:
    original = _original(data, asked["original"])
    return {**asked, "to": original["answer_to"], "subject": f"Re: {original['subject']}"}


def _forward(data: Data, asked: Data) -> Data:
    return {**asked, "subject": f"Fwd: {_original(data, asked['original'])['subject']}"}


def _keep(data: Data, mail: Data) -> str:
    id = _checked(data, mail)
    data["drafts"][id] = mail
    return id


def _send(data: Data, mail: Data) -> str:
    id = _checked(data, mail)
    data["sent"].append(mail)
    return id


def _checked(data: Data, mail: Data) -> str:
    if not all(os.path.isfile(path) for path in mail["attachments"]):
        raise ScriptError(-43)
    return f"{identifier(data)}@fake.example"


MAIL: dict[str, Callable[[Data, Data], Data]] = {
    one.__name__: one
    for one in (
        mail_selected,
        mail_draft,
        mail_send,
        mail_reply_draft,
        mail_reply_send,
        mail_forward_draft,
        mail_forward_send,
        mail_discard,
    )
}
