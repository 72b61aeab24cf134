"""`osascript FILE PAYLOAD`: checks what it is given as strictly as can be, then does what the script does."""

# The programs start often, and pathlib takes nearly as long to import as Python takes to start.
# ruff: noqa: PTH118, PTH120, PTH123
from __future__ import annotations

import json
import os
import stat
import sys
import zlib

from .checking import check
from .operations import OPERATIONS, ScriptError
from .store import Store, obey

# Types alone need it, and the programs start often.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Fault(Exception):
    """Something that a real script must never be given."""


def main(folder: str, argv: list[str]) -> int:
    store = Store(folder)
    store.note_down("calls.jsonl", {"program": "osascript", "argv": argv, "stdin": sys.stdin.read()})
    with open(os.path.join(folder, "setup.json")) as setup:
        scripts = json.load(setup)
    try:
        if len(argv) != 2:
            raise Fault("other arguments than a script and a payload")
        header = _header(argv[0], scripts)
        payload = _payload(argv[1])
        check(header["operation"], header["arguments"], payload)
    except (Fault, ValueError, OSError) as error:
        store.note_down("faults.jsonl", {"argv": argv, "fault": str(error)})
        return _fail(argv[0] if argv else "?", 1007)
    return _carry_out(store, header, payload)


def _carry_out(store: Store, header: dict[str, Any], payload: dict[str, Any]) -> int:
    operation = header["operation"]
    order = store.next_order(operation)
    try:
        if "error" in order and not order.get("late"):
            raise ScriptError(order["error"])
        if not order.get("late"):
            status = obey(order)
            if status is not None:
                return status
        with store.open() as data:
            app = payload.get("app") if operation == "permission_check" else header["app"]
            if app in data["denied"] and operation != "permission_check":
                raise ScriptError(-1743)
            if app in data["not_running"]:
                raise ScriptError(-600)
            answer = OPERATIONS[operation](data, payload)
        check(f"{operation}'s answer", header["returns"], answer)
        if order.get("late"):
            if "error" in order:
                raise ScriptError(order["error"])
            status = obey(order)
            if status is not None:
                return status
    except ScriptError as error:
        return _fail(operation, error.number)
    except ValueError as error:
        store.note_down("faults.jsonl", {"operation": operation, "fault": str(error)})
        return _fail(operation, 1007)
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _header(script: str, scripts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    with open(script, "rb") as file:
        checksum = zlib.crc32(file.read())
    if script not in scripts or scripts[script]["checksum"] != checksum:
        raise Fault("a script that is not one of ours, or was changed")
    return scripts[script]


def _payload(path: str) -> dict[str, Any]:
    for place, mode in ((path, 0o600), (os.path.dirname(path), 0o700)):
        if stat.S_IMODE(os.lstat(place).st_mode) != mode:
            raise Fault(f"the mode of the payload or its folder is not {mode:o}")
    with open(path, "rb") as file:
        payload = json.load(file)
    if not isinstance(payload, dict):
        raise Fault("the payload is no object")
    return payload


def _fail(script: str, number: int) -> int:
    # The words stand in the user's language and may quote private things: only the number counts.
    sys.stderr.write(
        f"{script}:12:34: execution error: „Geheimnis“ hat einen Fehler erhalten: (42) ({number})\n"
    )
    return 1
