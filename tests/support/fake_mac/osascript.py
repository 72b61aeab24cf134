"""`osascript FILE PAYLOAD`: checks what it is given as strictly as can be, then does what the script does."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import stat
import sys
from pathlib import Path
from typing import Any

from .operations import OPERATIONS, ScriptError
from .store import Store, obey


class Fault(Exception):
    """Something that a real script must never be given."""


def main(folder: str, argv: list[str]) -> int:
    store = Store(Path(folder))
    store.note_down("calls.jsonl", {"program": "osascript", "argv": argv, "stdin": sys.stdin.read()})
    setup = json.loads((Path(folder) / "setup.json").read_text())
    header_module = _load(setup["header"])
    try:
        if len(argv) != 2:
            raise Fault("other arguments than a script and a payload")
        script = _script(argv[0], setup["scripts"])
        payload = _payload(argv[1])
        header = header_module.read_header(script)
        header_module.check_payload(header, payload)
    except (Fault, ValueError, OSError) as error:
        store.note_down("faults.jsonl", {"argv": argv, "fault": str(error)})
        return _fail(argv[0] if argv else "?", 1007)
    return _carry_out(store, header_module, header, payload)


def _carry_out(store: Store, header_module: Any, header: Any, payload: dict[str, Any]) -> int:
    order = store.next_order(header.operation)
    try:
        if "error" in order and not order.get("late"):
            raise ScriptError(order["error"])
        if not order.get("late"):
            status = obey(order)
            if status is not None:
                return status
        with store.open() as data:
            app = payload.get("app") if header.operation == "permission_check" else header.app
            if app in data["denied"] and header.operation != "permission_check":
                raise ScriptError(-1743)
            if app in data["not_running"]:
                raise ScriptError(-600)
            answer = OPERATIONS[header.operation](data, payload)
        header_module.check_answer(header, answer)
        if order.get("late"):
            if "error" in order:
                raise ScriptError(order["error"])
            status = obey(order)
            if status is not None:
                return status
    except ScriptError as error:
        return _fail(header.operation, error.number)
    except ValueError as error:
        store.note_down("faults.jsonl", {"operation": header.operation, "fault": str(error)})
        return _fail(header.operation, 1007)
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _script(path: str, digests: dict[str, str]) -> Path:
    if digests.get(path) != hashlib.sha256(Path(path).read_bytes()).hexdigest():
        raise Fault("a script that is not one of ours, or was changed")
    return Path(path)


def _payload(path: str) -> dict[str, Any]:
    for place, mode in ((Path(path), 0o600), (Path(path).parent, 0o700)):
        if stat.S_IMODE(place.lstat().st_mode) != mode:
            raise Fault(f"the mode of the payload or its folder is not {mode:o}")
    payload = json.loads(Path(path).read_bytes())
    if not isinstance(payload, dict):
        raise Fault("the payload is no object")
    return payload


def _fail(script: str, number: int) -> int:
    # The words stand in the user's language and may quote private things: only the number counts.
    sys.stderr.write(
        f"{script}:12:34: execution error: „Geheimnis“ hat einen Fehler erhalten: (42) ({number})\n"
    )
    return 1


def _load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("script_header", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["script_header"] = module
    spec.loader.exec_module(module)
    return module
